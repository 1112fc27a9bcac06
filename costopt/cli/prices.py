"""`costopt prices`: find machine types by what they must hold, and show what one costs where."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final, TypeVar

import click

from costopt.cli import options, price_pages, price_rates, price_update
from costopt.cli.price_catalogue import opened, say_age
from costopt.errors import ConfigError
from costopt.pricing import sustained
from costopt.pricing.catalogue import Catalogue
from costopt.pricing.layer import region_key, type_key
from costopt.pricing.search import Found
from costopt.report import words
from costopt.report.safe import terminal
from costopt.units import provider_key

F = TypeVar("F", bound=Callable[..., Any])

_WIDTH: Final = 120
_CURRENCIES: Final = ("EUR", "USD", "CNY")  # of the built-in prices
_WRITERS: Final = {"json": price_pages.as_json, "csv": price_pages.as_csv}
_FORMATS: Final = ("table", *_WRITERS)


@click.group()
def prices() -> None:
    """Find and show machine types and their prices.

    From the built-in snapshot of public list prices (docs/prices.md), overridden by the prices and
    shapes that `costopt collect files` and `costopt prices update` put into the project's lake.
    """


prices.add_command(price_update.update)
prices.add_command(price_rates.rates)


def _formats(command: F) -> F:
    command = options.project(options.output(command))
    return click.option(
        "--format",
        "format_name",
        type=click.Choice(_FORMATS),
        help="How the prices are written. Default: as --output ends, else table.",
    )(command)


@prices.command()
@click.option("--vcpus", type=click.FloatRange(min=0), default=0, help="At least this many vCPUs.")
@click.option(
    "--memory",
    "memory_gib",
    type=click.FloatRange(min=0),
    default=0,
    help="At least this much memory, in GiB.",
)
@click.option("--gpu", "gpu_model", metavar="MODEL", help="With this GPU: H100, or A100-80GB.")
@click.option("--gpu-count", type=click.IntRange(min=0), default=0, help="At least this many GPUs.")
@click.option("--region", help="Only prices of this region. Default: the cheapest of each type.")
@click.option("--provider", metavar="NAME", help="Only this provider: aws, azure, gcp, ...")
@click.option(
    "--arch", "architecture", type=click.Choice(["x86_64", "arm64"]), help="Only this processor."
)
@click.option("--spot", is_flag=True, help="Spot prices instead of on-demand.")
@click.option(
    "--currency",
    metavar="CODE",
    help="Prices in this currency; none is converted. Default: as costopt.toml says, else USD.",
)
@click.option(
    "--limit", type=click.IntRange(min=1), default=20, show_default=True, help="At most this many."
)
@_formats
def find(
    limit: int,
    currency: str | None,
    format_name: str | None,
    output: Path | None,
    home: Path | None,
    config_path: Path | None,
    **need: Any,
) -> None:
    """The cheapest machine types that hold at least what is asked for (Linux list prices)."""
    format_name = options.format_of(format_name, output, _FORMATS)
    catalogue, usual = opened(home, config_path)
    currency = (currency or usual).upper()
    found = catalogue.find(**need, currency=currency, limit=limit)
    if not found:
        raise ConfigError(
            f"no machine type with {_asked(need)} is priced in {currency}",
            hint=_looser(catalogue, need, currency),
        )
    _write(found, format_name, output, price_pages.found)


_FLAGS: Final = {
    "vcpus": "--vcpus",
    "memory_gib": "--memory",
    "gpu_model": "--gpu",
    "gpu_count": "--gpu-count",
    "region": "--region",
    "provider": "--provider",
    "architecture": "--arch",
    "spot": "--spot",
}


def _asked(need: dict[str, Any]) -> str:
    given = [
        flag if need[name] is True else f"{flag} {_plain(need[name])}"
        for name, flag in _FLAGS.items()
        if need[name]
    ]
    return terminal(" ".join(given)) or "any size"


def _plain(value: float | str) -> str:
    return value if isinstance(value, str) else words.figure(value)


def _looser(catalogue: Catalogue, need: dict[str, Any], currency: str) -> str:
    """Which flag stands in the way: the first without which there is something."""
    if need["provider"] and provider_key(need["provider"]) not in catalogue.providers():
        return f"providers: {', '.join(catalogue.providers())}"
    if need["provider"] and not _has_shapes(catalogue, need["provider"]):
        return (
            f"what the types of {terminal(need['provider'])} hold is not known, only what they"
            " cost: costopt collect files --shapes"
        )
    if hint := _region_hint(catalogue, need["region"], need["provider"]):
        return hint
    if elsewhere := _currency_hint(catalogue, need):
        return elsewhere
    for name in ("region", "architecture", "spot", "gpu_count", "gpu_model", "provider"):
        empty = type(need[name])() if isinstance(need[name], (bool, int)) else None
        if need[name]:
            found = catalogue.find(**{**need, name: empty}, currency=currency, limit=1)
            if found:
                best = found[0]
                return (
                    f"without {_FLAGS[name]} there is {terminal(best.shape.instance_type)}"
                    f" ({terminal(best.shape.provider_name)},"
                    f" {terminal(best.price.region_id or 'every region')})"
                )
    return "ask for less, or give your own types: costopt collect files --shapes --prices"


def _has_shapes(catalogue: Catalogue, provider: str) -> bool:
    return any(
        provider_key(shape.provider_name) == provider_key(provider) for shape in catalogue.shapes()
    )


def _currency_hint(catalogue: Catalogue, need: dict[str, Any]) -> str:
    """Whether there is such a type in another currency: nothing is converted here."""
    for currency in _CURRENCIES:
        if catalogue.find(**need, currency=currency, limit=1):
            return f"there is one priced in {currency}: --currency {currency}"
    return ""


def _region_hint(catalogue: Catalogue, region: str | None, provider: str | None) -> str:
    if region is None:
        return ""
    names = [provider] if provider else catalogue.providers()
    known = sorted({key for name in names for key in catalogue.regions(name)})
    if region_key(region) in known:
        return ""
    near = get_close_matches(region_key(region), known, n=3)
    where = f" at {terminal(provider)}" if provider else ""
    return f"no prices of a region {terminal(region)!r}{where}" + (
        f"; did you mean {' or '.join(map(terminal, near))}?" if near else ""
    )


@prices.command()
@click.argument("instance_type", metavar="TYPE")
@click.option("--region", help="Only this region.")
@click.option("--provider", metavar="NAME", help="Only this provider.")
@_formats
def show(
    instance_type: str,
    region: str | None,
    provider: str | None,
    format_name: str | None,
    output: Path | None,
    home: Path | None,
    config_path: Path | None,
) -> None:
    """What a machine type is, and what it costs in every region, with source and date."""
    format_name = options.format_of(format_name, output, _FORMATS)
    catalogue, _ = opened(home, config_path)
    everywhere = _offers(catalogue, instance_type, provider)
    if not everywhere:
        raise _unknown(catalogue, instance_type)
    wanted = region_key(region) if region else None
    found = [
        offer
        for offer in everywhere
        if wanted is None or offer.price.region_id is None
        or region_key(offer.price.region_id) == wanted
    ]  # fmt: skip
    if not found:
        held = sorted({offer.price.region_id or "" for offer in everywhere})
        raise ConfigError(
            f"no price of {terminal(instance_type)} in {terminal(region or '')}",
            hint=f"priced in: {', '.join(map(terminal, held))}",
        )
    _write(found, format_name, output, price_pages.shown)
    _say_sustained(found)


def _say_sustained(offers: Sequence[Found]) -> None:
    """On stderr, what Google takes off an on-demand price by itself."""
    for price in (offer.price for offer in offers):
        google = provider_key(price.provider_name) == "gcp"
        whole = sustained.discount(price.instance_type, Decimal(1)) if google else Decimal(0)
        if whole and price.pricing_category == "Standard":
            half = sustained.discount(price.instance_type, Decimal("0.5"))
            click.echo(
                f"note: where {terminal(price.instance_type)} runs on demand for half of a month,"
                f" Google takes {_percent(half)} off by itself, {_percent(whole)} for all of it"
                " (sustained use discount; not of accounts that pay by invoice)",
                err=True,
            )
            return


def _percent(share: Decimal) -> str:
    return f"{words.figure(round(float(share) * 100, 1))} %"


def _offers(catalogue: Catalogue, instance_type: str, provider: str | None) -> list[Found]:
    """The type's prices, at every provider that has a type of that name."""
    return [
        Found(shape, price)
        for name in ([provider] if provider else catalogue.providers())
        if (shape := catalogue.shape(name, instance_type))
        for price in catalogue.prices(name, instance_type)
    ]


def _unknown(catalogue: Catalogue, instance_type: str) -> ConfigError:
    shapes = catalogue.nearest(instance_type)
    near = [f"{terminal(s.instance_type)} ({terminal(s.provider_name)})" for s in shapes]
    if any(type_key(s.instance_type) == type_key(instance_type) for s in shapes):
        return ConfigError(
            f"the machine type {terminal(instance_type)!r} has no price there",
            hint="drop --provider, or give a price: costopt collect files --prices",
        )
    return ConfigError(
        f"no machine type {terminal(instance_type)!r}",
        hint=f"nearest: {', '.join(near)}" if near else "costopt prices find lists types",
    )


# -- input and output ------------------------------------------------------------------------


def _write(
    offers: Sequence[Found],
    format_name: str,
    output: Path | None,
    table: Callable[[Sequence[Found], int, bool], bytes],
) -> None:
    if format_name == "table":
        options.deliver(table(offers, *options.look(output, _WIDTH)), output)
    else:
        options.deliver(_WRITERS[format_name](offers), output)
    say_age([offer.price.valid_from for offer in offers])
