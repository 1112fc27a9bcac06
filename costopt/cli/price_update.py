"""`costopt prices update`: a provider's current list prices into the project's lake."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from costopt.cli import options, price_lists
from costopt.cli.price_parts import Update, bring, say_again

if TYPE_CHECKING:
    from costopt.providers.aws.prices.source import Offer
    from costopt.providers.aws.settings import AwsSettings
    from costopt.providers.listed import Part

F = TypeVar("F", bound=Callable[..., Any])


@click.group(cls=price_lists.ListCommands)
def update() -> None:
    """Fetch current list prices into the project's lake. Doing it twice adds nothing."""


update.add_command(price_lists.exchange)


def _regions(provider_name: str, every: str) -> Callable[[F], F]:
    """--region, of that provider.

    Args:
        every: what `all` stands for.
    """
    return click.option(
        "--region",
        "regions",
        metavar="NAME",
        multiple=True,
        help=f"Only this region; `all`: {every}. May be given again. Default: those that the lake's"
        f" {provider_name} resources are in.",
    )


def _currency(_: click.Context, param: click.Parameter, code: str) -> str:
    if not re.fullmatch("[A-Za-z]{3}", code):
        raise click.BadParameter(f"{code!r} is no currency, like EUR", param=param)
    return code.upper()


@update.command()
@_regions("AWS", "every one but China's")
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
    """On-demand and reserved prices of EC2, by AWS's public price list.

    No credentials are needed, but for --spot. A region's list has some hundred megabytes, is read
    as it comes and not kept; one that has not changed since is not read again. Prices of your own
    are never replaced.
    """
    from costopt.providers.aws.settings import AwsSettings

    access = AwsSettings(profile=profile) if spot else None
    offers: list[Offer] = ["AmazonEC2"]
    if savings_plans:
        offers.append("AWSComputeSavingsPlan")
    bring("AWS", regions, home, config_path, lambda update: _of_aws(update, offers, access))


def _of_aws(update: Update, offers: list[Offer], access: AwsSettings | None) -> Iterator[Part]:
    from costopt.providers.aws.prices.refresh import lists

    yield from lists(update.regions, offers, update.held, update.memory, update.watch)
    if access is not None:
        yield from _spot_market(update, access)


def _spot_market(update: Update, access: AwsSettings) -> Iterator[Part]:
    from costopt.providers.aws.access import own_account
    from costopt.providers.aws.prices.refresh import spot_market
    from costopt.providers.listed import ALL

    account = own_account(access)
    until = datetime.now(UTC).replace(second=0, microsecond=0)
    named = account.regions() if ALL in update.regions else update.regions
    yield from spot_market(account, named, until, update.held, update.watch)


@update.command()
@_regions("Azure", "every one but China's, which have a list of another form")
@click.option(
    "--currency",
    metavar="CODE",
    default="USD",
    show_default=True,
    callback=_currency,
    help="Currency of the prices; Microsoft sets them in USD, others are for reference.",
)
@options.project
def azure(
    regions: tuple[str, ...], currency: str, home: Path | None, config_path: Path | None
) -> None:
    """Prices of virtual machines, by Azure's public Retail Prices API.

    On demand, spot, reservations and savings plans, with and without Windows. No credentials are
    needed. A region's list has some ten megabytes, and is read at most once a day. Prices of your
    own are never replaced.
    """

    def parts(update: Update) -> Iterator[Part]:
        from costopt.providers.azure.prices.refresh import lists

        return lists(
            update.regions,
            currency,
            update.held,
            update.memory,
            update.watch,
            moment=datetime.now(UTC),
            told=say_again,
        )

    bring("Azure", regions, home, config_path, parts)


@update.command()
@_regions("GCP", "every one of the list")
@options.project
def gcp(regions: tuple[str, ...], home: Path | None, config_path: Path | None) -> None:
    """Prices of Compute Engine machines, by the Cloud Billing Catalogue.

    The list has prices of vCPUs, memory, disks and GPUs; those of machine types are composed of
    them: on demand, spot, and committed for one and three years. Needs Application Default
    Credentials, of any project that has the Cloud Billing API; asking is free. Prices of your own
    are never replaced.
    """

    def parts(update: Update) -> Iterator[Part]:
        from costopt.providers.gcp.access import Access
        from costopt.providers.gcp.prices.refresh import updated
        from costopt.providers.gcp.settings import GcpSettings

        with closing(Access(GcpSettings())) as access:
            yield from updated(access, update.regions, update.held, update.watch)

    bring("GCP", regions, home, config_path, parts)
