"""The catalogue as `costopt prices` opens it: with the project's rows, refused ones told."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Final

import click

from costopt.cli import options
from costopt.pricing.age import STALE_AFTER, age
from costopt.pricing.catalogue import Catalogue
from costopt.report import words
from costopt.report.safe import terminal
from costopt.units import counted

_NAMED: Final = 5  # refused rows named before they are only counted


def opened(home: Path | None, config_path: Path | None) -> tuple[Catalogue, str]:
    """The catalogue with the project's own rows, and the project's currency.

    Prices that the sanity gate refused are told on stderr.
    """
    settings, lake = options.settings_and_lake(home, config_path)
    catalogue = Catalogue.load(lake.read("prices"), lake.read("shapes"), lake.read("rates"))
    say_refused(list(_refused_prices(catalogue)), "price")
    return catalogue, settings.currency


def say_refused(told: Sequence[str], noun: str) -> None:
    """On stderr, the first few of what the sanity gate refused, and how many more."""
    for one in told[:_NAMED]:
        click.echo(f"refused {noun}: {one}", err=True)
    if len(told) > _NAMED:
        click.echo(f"and {counted(len(told) - _NAMED, f'refused {noun}')} more", err=True)


def say_age(days: Sequence[date | None], noun: str = "price", table: str = "prices") -> None:
    """On stderr, how many of the prices shown are stale.

    Args:
        days: of every price shown; None = it names none.
        table: which files of the user's own override them.
    """
    today = datetime.now(UTC).date()
    old = [day for day in days if day and age(day, today).stale]
    if old:
        click.echo(
            f"note: {counted(len(old), noun)} of {len(days)} older than"
            f" {STALE_AFTER.days} days, the oldest of {min(old)}; your own override them:"
            f" costopt collect files --{table}",
            err=True,
        )


def _refused_prices(catalogue: Catalogue) -> Iterator[str]:
    for refusal in catalogue.refusals:
        price = refusal.price
        yield (
            f"{terminal(price.instance_type)} ({terminal(price.provider_name)},"
            f" {terminal(price.region_id or 'every region')}) at"
            f" {words.price(price.list_unit_price)} {terminal(price.currency)}: {refusal.detail}"
        )
