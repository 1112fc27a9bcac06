"""An update of the lake's prices from a provider's public list, part by part.

A part that fails is told and the others go on. A part is given only when its list was read to the
end, so half a list never becomes prices. None of the lists marks its states, so one that was read
is read again on another day (UTC).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

import pyarrow as pa

from costopt.errors import ProviderError
from costopt.model import Price
from costopt.providers.answers import Say, quiet
from costopt.providers.held import Held
from costopt.providers.listed import ALL, Memory, Part, Stamp, Watch, hourly, sifted
from costopt.providers.lists.charges import charged
from costopt.providers.lists.layout import Asked, Charge, Listing, Machine, Told
from costopt.providers.lists.transfer import PriceList, token_of
from costopt.providers.rows import Row, of_shape


@dataclass(frozen=True)
class Known:
    """What the lake has, and when it is asked."""

    held: Held
    rates: pa.Table  # the lake's (schema.RATES)
    memory: Memory
    watch: Watch
    moment: datetime  # UTC
    told: Say = quiet  # of further attempts


def override(key: str) -> str:
    """The environment variable that names another address of a list: a gateway, or a test's own."""
    return f"COSTOPT_{key.upper()}_PRICE_LIST"


def lists(listing: Listing, key: str, currency: str, known: Known) -> Iterator[Part]:
    """The list's parts, one after the other.

    Args:
        key: of the list in the registry.
        currency: one of the listing's.
    Raises:
        ConfigError: the list wants a token and there is none, or its address is none.
    """
    token = token_of(listing.tokens, listing.provider_name)
    with PriceList(listing.address, override(key), token, known.told) as source:
        for part in listing.parts:
            try:
                yield _part(listing, source, part, currency, known)
            except ProviderError as error:
                yield Part(_shown(part), listing.source, failed=f"{error.where}: {error.what}")


def _part(listing: Listing, source: PriceList, name: str, currency: str, known: Known) -> Part:
    day = known.moment.date()
    label = f"{source.host} {name} {currency}"
    stamp = Stamp(name, day.isoformat())
    part = Part(_shown(name), listing.source, host=source.host)
    region = None if name == ALL else name
    if known.memory.find(label) == stamp and known.held.holds(region, listing.source):
        return replace(part, current="its list was read today already")
    asked = Asked(source, currency, name, known.watch)
    told = list(listing.read(asked))
    prices = _prices(listing, told, currency, day)
    if not prices:
        why = ", ".join(f"{reason} ({rows:,})" for reason, rows in sorted(asked.left_out.items()))
        return replace(
            part,
            failed=f"{source.host}: the list holds no price of a machine, in {currency}"
            + (f": {why}" if why else ""),
        )
    part = replace(part, published=stamp.mark, left_out=asked.left_out, stamp=(label, stamp))
    charges = [one for one in told if isinstance(one, Charge)]
    part = charged(
        part,
        charges,
        known.rates,
        provider_name=listing.provider_name,
        currency=currency,
        day=day,
    )
    return sifted(part, prices, _shapes(told, listing.source, day), known.held)


def _shown(name: str) -> str:
    return "all regions" if name == ALL else name


def _prices(listing: Listing, told: Iterable[Told], currency: str, day: date) -> list[Price]:
    """One of each type, region and category: of several the cheapest, whatever their order."""
    found: dict[tuple[str, str, str], Price] = {}
    for one in told:
        for region, amount in one.hourly.items() if isinstance(one, Machine) else ():
            assert isinstance(one, Machine)
            price = Price(
                provider_name=listing.provider_name,
                region_id=region,
                instance_type=one.name,
                list_unit_price=hourly(amount),
                currency=currency,
                pricing_category=one.category,
                operating_system="Linux",
                valid_from=day,
                source=listing.source,
            )
            key = (region, one.name, one.category)
            if key not in found or price.list_unit_price < found[key].list_unit_price:
                found[key] = price
    return list(found.values())


def _shapes(told: Sequence[Told], source: str, day: date) -> list[Row]:
    found = {one.name: one.shape for one in told if isinstance(one, Machine) and one.shape}
    return [of_shape(shape, source, day) for shape in found.values()]
