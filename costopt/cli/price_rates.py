"""`costopt prices rates`: what is paid beside machines, for storage and traffic, and where."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import click

from costopt.cli import options, rate_pages
from costopt.cli.price_catalogue import opened, say_age, say_refused
from costopt.errors import ConfigError
from costopt.model import Rate
from costopt.pricing.rates import Rates
from costopt.report import words
from costopt.report.safe import terminal
from costopt.units import provider_key

_WIDTH: Final = 120
_WRITERS: Final = {"json": rate_pages.as_json, "csv": rate_pages.as_csv}
_FORMATS: Final = ("table", *_WRITERS)


@click.command()
@click.argument("provider", required=False, metavar="[PROVIDER]")
@click.option("--region", help="Only what holds in this region.")
@click.option(
    "--format",
    "format_name",
    type=click.Choice(_FORMATS),
    help="How they are written. Default: as --output ends, else table.",
)
@options.project
@options.output
def rates(
    provider: str | None,
    region: str | None,
    format_name: str | None,
    output: Path | None,
    home: Path | None,
    config_path: Path | None,
) -> None:
    """What a GiB of storage (a month) and of traffic costs, with day and source."""
    format_name = options.format_of(format_name, output, _FORMATS)
    charged = opened(home, config_path)[0].charged
    say_refused(list(_refused(charged)), "rate")
    names = charged.providers()
    if provider and provider_key(provider) not in names:
        raise ConfigError(
            f"no rates of a provider {terminal(provider)!r}",
            hint=f"providers: {', '.join(map(terminal, names))}",
        )
    found = [
        one
        for name in ([provider] if provider else names)
        for one in charged.listed(name, region)
    ]  # fmt: skip
    if not found:
        raise ConfigError(
            f"no rates of a region {terminal(region or '')!r}",
            hint="costopt prices rates lists them all; costopt collect files --rates adds your own",
        )
    if format_name == "table":
        options.deliver(rate_pages.table(found, *options.look(output, _WIDTH)), output)
    else:
        options.deliver(_WRITERS[format_name](found), output)
    say_age([one.valid_from for one in found], "rate", "rates")


def _refused(charged: Rates) -> Iterator[str]:
    for refusal in charged.refusals:
        yield f"{_where(refusal.rate)}: {refusal.detail}"
    for unknown in charged.unknown:
        yield f"{terminal(unknown.provider_name)}: {terminal(unknown.detail)}"


def _where(one: Rate) -> str:
    place = terminal(one.region_id or "every region")
    amount = f"{words.price(one.list_unit_price)} {terminal(one.currency)}"
    return f"{one.kind} ({terminal(one.provider_name)}, {place}) at {amount}"
