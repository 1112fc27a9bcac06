"""An update of the lake's Azure prices, one region after the other.

A region that fails is told and the others go on. A part is given only when its list was read to the
end, so half a list never becomes prices. The API marks no state of its lists, so one that was read
is read again on another day (UTC).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from difflib import get_close_matches
from typing import Any, Final

from costopt.errors import ProviderError
from costopt.model import Price
from costopt.pricing import azure_sizes
from costopt.pricing.catalogue import Catalogue
from costopt.providers.answers import Say, quiet
from costopt.providers.azure.prices import rows
from costopt.providers.azure.prices.source import PATH, Item, RetailPrices
from costopt.providers.held import Held
from costopt.providers.listed import ALL, Memory, Part, Stamp, Watch, sifted

CHINA: Final = (
    "Azure China has a list of another form, which is not read: take its prices as your own"
    " (costopt collect files --prices)"
)


def is_chinas(region: str) -> bool:
    """Whether the list of that region is China's own, of which the API knows nothing."""
    return region.startswith("china")


@dataclass(frozen=True)
class _Known:
    held: Held
    memory: Memory
    watch: Watch
    moment: datetime


def lists(
    regions: Sequence[str],
    currency: str,
    held: Held,
    memory: Memory,
    watch: Watch,
    *,
    moment: datetime,
    told: Say = quiet,
) -> Iterator[Part]:
    """The regions' lists, one after the other; ALL is every region in which machines are sold.

    Args:
        currency: ISO code.
        moment: the prices that hold then (UTC).
        told: of further attempts to read a page.
    """
    known = _Known(held, memory, watch, moment)
    with RetailPrices(told=told) as source:
        try:
            named = _named(source, regions, watch) if ALL in regions else regions
        except ProviderError as error:
            yield _failed(ALL, error)
            return
        for region in named:
            try:
                yield _region(source, region, currency, known)
            except ProviderError as error:
                yield _failed(region, error)


def _failed(region: str, error: ProviderError) -> Part:
    return Part(region, rows.SOURCE, failed=f"{error.where}: {error.what}")


def _named(source: RetailPrices, given: Sequence[str], watch: Watch) -> list[str]:
    """Every region, and those named besides.

    Raises:
        ProviderError: nobody says which there are.
    """
    watch(f"{rows.SOURCE}: which regions there are", 0)
    return sorted({*source.regions(), *given} - {ALL})


def _region(source: RetailPrices, region: str, currency: str, known: _Known) -> Part:
    name = f"{source.host} {region} {currency}"
    part = Part(region, rows.SOURCE, host=source.host)
    if is_chinas(region):
        return replace(part, failed=CHINA)
    stamp = Stamp(PATH, known.moment.date().isoformat())
    if known.memory.find(name) == stamp and known.held.holds(region, rows.SOURCE):
        return replace(part, current="its list was read today already")
    items = _items(source, region, currency, known.watch)
    found = rows.read(items, region, currency, known.moment)
    if not found.prices:
        return replace(part, failed=_absent(region, currency))
    told = replace(part, published=stamp.mark, left_out=found.left_out, stamp=(name, stamp))
    return sifted(told, found.prices, _shapes(found.prices, known.moment), known.held)


def _items(source: RetailPrices, region: str, currency: str, watch: Watch) -> Iterator[Item]:
    size = 0
    for page in source.machines(region, currency):
        size += page.size
        watch(f"{rows.SOURCE} of {region}", size)
        yield from page.items


def _absent(region: str, currency: str) -> str:
    known = Catalogue.load().regions(azure_sizes.PROVIDER)
    near = [] if region in known else get_close_matches(region, known, n=3)
    hint = f"; did you mean {' or '.join(near)}?" if near else ""
    return f"the list holds no price of a machine there, in {currency}{hint}"


def _shapes(prices: Sequence[Price], moment: datetime) -> Iterator[dict[str, Any]]:
    """What the names of the sizes say of them."""
    from costopt.providers.azure.shapes import built_in

    for name in sorted({price.instance_type for price in prices}):
        if shape := built_in(name):
            yield shape | {"x_ValidFrom": moment.date(), "x_Source": rows.SOURCE}
