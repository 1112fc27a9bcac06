"""`costopt prices update` of the providers that publish a simple list, and of exchange rates."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from costopt import registry
from costopt.cli import options
from costopt.cli.price_parts import Update, bring, lake_of, say_again
from costopt.cli.progress import steps
from costopt.errors import ProviderError
from costopt.report import words
from costopt.report.safe import terminal
from costopt.units import counted

if TYPE_CHECKING:
    from costopt.providers.listed import Part
    from costopt.providers.lists.ecb import Rates
    from costopt.providers.lists.layout import Listing

KIND = "price-list"


class ListCommands(click.Group):
    """A subcommand for every registered price list, after those of its own."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [*super().list_commands(ctx), *registry.names(KIND)]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name in registry.names(KIND):
            return _command(cmd_name, registry.find(KIND, cmd_name))
        return super().get_command(ctx, cmd_name)


def _command(name: str, listing: Listing) -> click.Command:
    def run(home: Path | None, config_path: Path | None, **given: Any) -> None:
        currency = given.get("currency", listing.currencies[0])
        _bring(name, listing, currency, home, config_path)

    command = click.command(name, help=_help(listing), short_help=_short(listing))
    return command(_currency(listing)(options.project(run)))


def _short(listing: Listing) -> str:
    wants = f" Wants {' or '.join(listing.tokens)}." if listing.tokens else ""
    return f"{listing.provider_name}: {listing.tells}.{wants}"


def _help(listing: Listing) -> str:
    access = (
        f"It wants a token that may read, in {' or '.join(listing.tokens)}."
        if listing.tokens
        else "No credentials are needed."
    )
    return (
        f"Prices of {listing.provider_name}, by its own list: {listing.tells}.\n\n"
        f"{access} All regions come at once, without VAT, and are asked for at most once a day."
        " Prices of your own are never replaced."
    )


def _currency(listing: Listing) -> Any:
    if len(listing.currencies) == 1:
        return lambda command: command
    return click.option(
        "--currency",
        type=click.Choice(listing.currencies, case_sensitive=False),
        default=listing.currencies[0],
        show_default=True,
        help="Currency of the prices, as the provider lists them.",
    )


def _bring(
    name: str, listing: Listing, currency: str, home: Path | None, config_path: Path | None
) -> None:
    from costopt.providers.listed import ALL

    def parts(update: Update) -> Iterator[Part]:
        from costopt.providers.lists.refresh import Known, lists

        rates = update.lake.read("rates")
        known = Known(update.held, rates, update.memory, update.watch, datetime.now(UTC), say_again)
        return lists(listing, name, currency, known)

    bring(listing.provider_name, (ALL,), home, config_path, parts)


@click.command(short_help="Exchange rates of the day, by the European Central Bank.")
@options.project
def exchange(home: Path | None, config_path: Path | None) -> None:
    """What a euro is worth in some thirty currencies, by the European Central Bank.

    The bank sets its reference rates on working days at about 16:00 CET. No credentials are needed.
    A pair that you give a rate of yourself is never touched.
    """
    from costopt.providers.lists import ecb

    lake = lake_of("exchange", home, config_path)
    held = lake.read("exchange")
    today = datetime.now(UTC).date()
    if ecb.is_current(held, today):
        click.echo("exchange rates: those of today are held already", err=True)
        return
    try:
        with steps() as step:
            step("exchange rates")
            found = ecb.rates(held, today, say_again)
    except ProviderError as error:
        click.echo(f"exchange rates: MISSING: {error.where}: {error.what}", err=True)
        sys.exit(4)
    if found.fresh.num_rows:
        lake.append("exchange", found.fresh)
    for line in _lines(found):
        click.echo(line, err=True)


def _lines(found: Rates) -> Iterator[str]:
    told = [counted(found.fresh.num_rows, "new rate")]
    if found.unchanged:
        told.append(f"{found.unchanged:,} held already")
    if found.own:
        told.append(f"{found.own:,} not taken, as your own stand")
    yield f"exchange rates of {found.day} ({terminal(found.host)}): {', '.join(told)}"
    for one in found.refused:
        pair = f"{terminal(one.exchange.currency)} in {terminal(one.exchange.to_currency)}"
        yield f"  refused rate: {pair} at {words.price(one.exchange.rate)}: {one.detail}"
