"""`costopt prices update`: a provider's current list prices into the project's lake."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from costopt.cli import options
from costopt.cli.progress import steps
from costopt.errors import ConfigError
from costopt.lake.atomic import write_atomically
from costopt.lake.store import Lake
from costopt.report import words
from costopt.report.safe import terminal
from costopt.units import counted, provider_key

if TYPE_CHECKING:
    from costopt.providers.aws.prices.source import Offer
    from costopt.providers.aws.settings import AwsSettings
    from costopt.providers.held import Held
    from costopt.providers.listed import Part, Watch

_MEMORY: Final = "aws_price_lists.json"
"""Beside the lake's tables: which files were read, so that one is not read twice."""
_NAMED: Final = 5  # refused prices named before they are only counted


@click.group()
def update() -> None:
    """Fetch current list prices into the project's lake. Doing it twice adds nothing."""


@update.command()
@click.option(
    "--region",
    "regions",
    metavar="NAME",
    multiple=True,
    help="Only this region; `all`: every one but China's. May be given again. Default: those that"
    " the lake's AWS resources are in.",
)
@click.option(
    "--spot",
    is_flag=True,
    help="Also the spot prices, by EC2's own history: needs credentials that may call"
    " ec2:DescribeSpotPriceHistory.",
)
@click.option(
    "--savings-plans",
    is_flag=True,
    help="Also the rates of Compute and EC2 Instance Savings Plans.",
)
@click.option("--profile", metavar="NAME", help="Profile of the AWS configuration, for --spot.")
@options.project
def aws(
    regions: tuple[str, ...],
    spot: bool,
    savings_plans: bool,
    profile: str | None,
    home: Path | None,
    config_path: Path | None,
) -> None:
    """On-demand and reserved prices of EC2, by the list that AWS publishes.

    No credentials are needed, but for --spot. A region's list has some hundred megabytes, is read
    as it comes and not kept; one that has not changed since is not read again. Prices of your own
    are never replaced.
    """
    from costopt.providers.aws.settings import AwsSettings

    _, lake = options.settings_and_lake(home, config_path)
    if (lake.root / options.DEMO_MARK).exists():
        raise ConfigError(
            "the lake here holds the demo fleet, whose prices are its own",
            where=str(lake.root),
            hint="costopt prices update aws --home DIR, or remove that folder first",
        )
    wanted = _regions(regions, lake)
    access = AwsSettings(profile=profile) if spot else None
    parts: list[Part] = []
    try:
        with steps() as step:
            parts.extend(_updated(wanted, savings_plans, access, lake, _watch(step)))
    finally:
        for line in (line for part in parts for line in _lines(part)):
            click.echo(line, err=True)
    if failed := sum(bool(part.failed) for part in parts):
        click.echo(
            f"{counted(failed, 'list')} could not be read; the others are kept."
            " Run it again: what is held already is not read twice",
            err=True,
        )
        sys.exit(4)


def _regions(given: Sequence[str], lake: Lake) -> tuple[str, ...]:
    """Those named, else where the lake's AWS resources are."""
    if given:
        return tuple(dict.fromkeys(name.strip().casefold() for name in given))
    found = lake.read("resources").select(["ProviderName", "RegionId"]).to_pylist()
    regions = {row["RegionId"] for row in found if provider_key(row["ProviderName"]) == "aws"}
    if not regions - {None}:
        raise ConfigError(
            "no region to update: the lake holds no AWS resources",
            where=str(lake.root),
            hint="--region us-east-1, or --region all; costopt collect aws brings the resources",
        )
    return tuple(sorted(regions - {None}))


def _watch(step: Callable[[str], None]) -> Watch:
    """Progress: what is read, and the megabytes so far."""

    def watch(what: str, size: int) -> None:
        step(f"{terminal(what)}: {size / 1e6:,.0f} MB" if size else terminal(what))

    return watch


def _updated(
    regions: Sequence[str],
    savings_plans: bool,
    access: AwsSettings | None,
    lake: Lake,
    watch: Watch,
) -> Iterator[Part]:
    """Each part, once it is in the lake: a kill loses the part under way, and nothing else."""
    from costopt.providers.aws.prices.refresh import lists
    from costopt.providers.held import Held
    from costopt.providers.listed import Memory

    place = lake.root / _MEMORY
    memory = Memory(place.read_bytes() if place.exists() else None)
    held = Held("AWS", lake.read("prices"), lake.read("shapes"))
    offers: list[Offer] = ["AmazonEC2"]
    if savings_plans:
        offers.append("AWSComputeSavingsPlan")
    for part in lists(regions, offers, held, memory, watch):
        _keep(part, lake)
        if part.stamp:
            memory.keep(*part.stamp)
            write_atomically(place, memory.dump())
        yield part
    if access is not None:
        for part in _spot_market(regions, access, held, watch):
            _keep(part, lake)
            yield part


def _spot_market(
    regions: Sequence[str], access: AwsSettings, held: Held, watch: Watch
) -> Iterator[Part]:
    from costopt.providers.aws.access import own_account
    from costopt.providers.aws.prices.refresh import spot_market
    from costopt.providers.listed import ALL

    account = own_account(access)
    until = datetime.now(UTC).replace(second=0, microsecond=0)
    named = account.regions() if ALL in regions else regions
    yield from spot_market(account, named, until, held, watch)


def _keep(part: Part, lake: Lake) -> None:
    """The shapes first: a price of a type that nobody knows says little."""
    if part.shapes.num_rows:
        lake.append("shapes", part.shapes)
    if part.prices.num_rows:
        lake.append("prices", part.prices)


def _lines(part: Part) -> Iterator[str]:
    """What a part brought, for people."""
    head = f"{terminal(part.region)}, {part.source}"
    if part.failed:
        yield f"{head}: MISSING: {terminal(part.failed)}"
        return
    if part.current:
        yield f"{head}: the list has not changed since it was read"
        return
    yield f"{head} of {terminal(part.published)} ({terminal(part.host)}): {_counts(part)}"
    for reason, rows in sorted(part.left_out.items()):
        yield f"  {counted(rows, 'row')} left out: {reason}"
    for one in part.refused[:_NAMED]:
        price = one.price
        yield (
            f"  refused price: {terminal(price.instance_type)}"
            f" ({terminal(price.operating_system or '')}, {terminal(price.term or 'on demand')}) at"
            f" {words.price(price.list_unit_price)} {terminal(price.currency)}: {one.detail}"
        )
    if len(part.refused) > _NAMED:
        yield f"  and {counted(len(part.refused) - _NAMED, 'refused price')} more"


def _counts(part: Part) -> str:
    """What is new, and why the rest is not."""
    told = [counted(part.prices.num_rows, "new price")]
    if part.shapes.num_rows:
        told.append(counted(part.shapes.num_rows, "new type"))
    if part.unchanged:
        told.append(f"{part.unchanged:,} unchanged")
    if part.own:
        told.append(f"{part.own:,} not taken, as your own stand")
    return ", ".join(told)
