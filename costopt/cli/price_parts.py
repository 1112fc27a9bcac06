"""An update of prices as people and the lake get it: part by part."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from costopt.cli import options
from costopt.cli.progress import steps
from costopt.errors import ConfigError
from costopt.lake.atomic import write_atomically
from costopt.lake.store import Lake
from costopt.pricing.layer import region_key
from costopt.report import words
from costopt.report.safe import terminal
from costopt.units import counted, provider_key

if TYPE_CHECKING:
    from costopt.model import Price
    from costopt.providers.held import Held
    from costopt.providers.listed import Memory, Part

_NAMED: Final = 5  # refused prices named before they are only counted


@dataclass
class Update:
    """What a provider's lists are brought into, and what is asked of them."""

    provider_name: str  # as prices have it: AWS, Azure, GCP
    lake: Lake
    regions: Sequence[str]
    step: Callable[[str], None]

    @cached_property
    def held(self) -> Held:
        """What the lake has of that provider's prices."""
        from costopt.providers.held import Held

        return Held(self.provider_name, self.lake.read("prices"), self.lake.read("shapes"))

    @cached_property
    def memory(self) -> Memory:
        """Which lists were read before."""
        from costopt.providers.listed import Memory

        return Memory(self._place.read_bytes() if self._place.exists() else None)

    def watch(self, what: str, size: int) -> None:
        """Progress: what is read, and the megabytes so far."""
        self.step(f"{terminal(what)}: {size / 1e6:,.0f} MB" if size else terminal(what))

    def keep(self, part: Part) -> None:
        """The part, in the lake: a kill loses the part under way, and nothing else."""
        if part.shapes.num_rows:  # first: a price of a type that nobody knows says little
            self.lake.append("shapes", part.shapes)
        if part.prices.num_rows:
            self.lake.append("prices", part.prices)
        if part.rates.num_rows:
            self.lake.append("rates", part.rates)
        if part.stamp:
            self.memory.keep(*part.stamp)
            write_atomically(self._place, self.memory.dump())

    @property
    def _place(self) -> Path:
        """Beside the lake's tables, so that it goes with them."""
        return self.lake.root / f"{provider_key(self.provider_name)}_price_lists.json"


def bring(
    provider_name: str,
    regions: Sequence[str],
    home: Path | None,
    config_path: Path | None,
    parts: Callable[[Update], Iterator[Part]],
) -> None:
    """Keep each part as it comes, and tell of all in the end.

    Args:
        provider_name: as prices have it.
        regions: as given; () = those that the lake's resources of that provider are in.
    Raises:
        ConfigError: there is no region to update, or the lake is the demo's.
    """
    lake = lake_of(provider_key(provider_name), home, config_path)
    wanted = _wanted(regions, lake, provider_name)
    done: list[Part] = []
    try:
        with steps() as step:
            update = Update(provider_name, lake, wanted, step)
            for part in parts(update):
                update.keep(part)
                done.append(part)
    finally:
        for line in (line for part in done for line in _lines(part)):
            click.echo(line, err=True)
    if failed := sum(bool(part.failed) for part in done):
        click.echo(
            f"{counted(failed, 'list')} could not be read; the others are kept."
            " Run it again: what is held already is not read twice",
            err=True,
        )
        sys.exit(4)


def say_again(line: str) -> None:
    """On stderr, that a server is asked once more, and why."""
    click.echo(terminal(line), err=True)


def lake_of(key: str, home: Path | None, config_path: Path | None) -> Lake:
    """The project's lake.

    Args:
        key: the command's name, for the hint.
    Raises:
        ConfigError: it is the demo's.
    """
    _, lake = options.settings_and_lake(home, config_path)
    if (lake.root / options.DEMO_MARK).exists():
        raise ConfigError(
            "the lake here holds the demo fleet, whose prices are its own",
            where=str(lake.root),
            hint=f"costopt prices update {key} --home DIR, or remove that folder first",
        )
    return lake


def _wanted(given: Sequence[str], lake: Lake, provider_name: str) -> tuple[str, ...]:
    """Those named, else where the lake's resources of that provider are."""
    if given:
        return tuple(dict.fromkeys(map(region_key, given)))
    key = provider_key(provider_name)
    found = lake.read("resources").select(["ProviderName", "RegionId"]).to_pylist()
    regions = {row["RegionId"] for row in found if provider_key(row["ProviderName"]) == key}
    if not regions - {None}:
        raise ConfigError(
            f"no region to update: the lake holds no {provider_name} resources",
            where=str(lake.root),
            hint=f"--region NAME, or --region all; costopt collect {key} brings the resources",
        )
    return tuple(sorted(map(region_key, regions - {None})))


def _lines(part: Part) -> Iterator[str]:
    """What a part brought, for people."""
    head = f"{terminal(part.region)}, {part.source}"
    if part.failed:
        yield f"{head}: MISSING: {terminal(part.failed)}"
        return
    if part.current:
        yield f"{head}: {part.current}"
        return
    yield f"{head} of {terminal(part.published)} ({terminal(part.host)}): {_counts(part)}"
    for reason, rows in sorted(part.left_out.items()):
        yield f"  {counted(rows, 'row')} left out: {reason}"
    for one in part.refused[:_NAMED]:
        price = one.price
        yield (
            f"  refused price: {terminal(price.instance_type)}"
            f" ({_where(price)}) at"
            f" {words.price(price.list_unit_price)} {terminal(price.currency)}: {one.detail}"
        )
    if len(part.refused) > _NAMED:
        yield f"  and {counted(len(part.refused) - _NAMED, 'refused price')} more"
    for bad in part.refused_rates:
        where = terminal(bad.rate.region_id or "every region")
        amount = f"{words.price(bad.rate.list_unit_price)} {terminal(bad.rate.currency)}"
        yield f"  refused rate: {bad.rate.kind} ({where}) at {amount}: {bad.detail}"


def _where(price: Price) -> str:
    """In which region, with which system, how it is bought."""
    told = (price.region_id or "every region", price.operating_system or "any system")
    return ", ".join([*map(terminal, told), _kind(price)])


def _kind(price: Price) -> str:
    """How it is bought."""
    if price.pricing_category == "Dynamic":
        return "spot"
    return terminal(price.term or "on demand")


def _counts(part: Part) -> str:
    """What is new, and why the rest is not."""
    told = [counted(part.prices.num_rows, "new price")]
    if part.shapes.num_rows:
        told.append(counted(part.shapes.num_rows, "new type"))
    if part.rates.num_rows:
        told.append(counted(part.rates.num_rows, "new rate"))
    if part.unchanged:
        told.append(f"{part.unchanged:,} unchanged")
    if part.own:
        told.append(f"{part.own:,} not taken, as your own stand")
    return ", ".join(told)
