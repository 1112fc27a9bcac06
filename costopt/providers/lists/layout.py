"""How a provider's price list is described: what it asks, and what an item of it says.

A description reads an answer with `Item`, whose accessors refuse what is not of the documented
layout; a refused item is counted under its reason, and a list of which every item is refused gives
nothing. So another layout never becomes a price.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final

from costopt.model import RateKind, Shape
from costopt.pricing.gpus import Gpus
from costopt.providers.listed import ALL, Watch
from costopt.providers.lists.transfer import Document, Following, PriceList, Query
from costopt.units import GIB, HOURS_PER_MONTH

MIB_PER_GIB: Final = 1024.0
GB_PER_GIB: Final = GIB / 1e9
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,80}")
_MOST: Final = Decimal("1e6")  # a month of the dearest machine costs below a hundred thousand
_ZERO: Final = "a price of zero"


class Refused(Exception):
    """An item that says no price, and why. Nothing of the item itself is repeated: it is what
    somebody on the network said."""


@dataclass(frozen=True)
class Machine:
    """What one type costs, by region."""

    name: str
    hourly: Mapping[str, Decimal]  # by region
    category: str = "Standard"  # as PricingCategory
    shape: Shape | None = None  # None = the list does not say enough to judge it by


@dataclass(frozen=True)
class Charge:
    """A tier of what is charged beside machines, see model.Rate."""

    kind: RateKind
    price: Decimal
    region: str | None = None  # None = every region that has none of its own
    from_gib: Decimal = Decimal(0)


@dataclass
class Asked:
    """What is asked of a list, and the way to it."""

    source: PriceList
    currency: str
    part: str  # of Listing.parts
    watch: Watch
    left_out: Counter[str] = field(default_factory=Counter)  # items that say no price, by reason

    def items(
        self, path: str, name: str, query: Query | None = None, following: Following | None = None
    ) -> Iterator[Item]:
        """The objects of the list of that name, of all pages.

        Raises:
            ProviderError: no whole answer, or no such list in it.
        """
        size = 0
        for page in self.source.pages(path, query or {}, following or (lambda *_: None)):
            size += page.size
            self.watch(f"{self.source.host}{path}", size)
            found = page.document.get(name)
            if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
                raise self.source.failure(path, f"not a list of prices: no {name!r}")
            yield from map(Item, found)

    def each(self, items: Iterator[Item], read: Callable[[Item], Iterator[Told]]) -> Iterator[Told]:
        """What each item says; those that say no price are counted."""
        for item in items:
            try:
                yield from read(item)
            except Refused as why:
                self.left_out[str(why)] += 1


Told = Machine | Charge


@dataclass(frozen=True)
class Listing:
    """A provider's price list."""

    provider_name: str  # as prices have it
    source: str  # x_Source, of schema.PUBLISHED
    address: str  # https://HOST
    tells: str  # one sentence of help
    read: Callable[[Asked], Iterator[Told]]
    currencies: tuple[str, ...] = ("USD",)  # that it can be had in, the usual one first
    tokens: tuple[str, ...] = ()  # variables that may hold what it wants; () = it is public
    parts: tuple[str, ...] = (
        ALL,
    )  # what is asked for one after the other: regions, or all at once


class Item:
    """An object of an answer. Accessors raise Refused where it is not of the layout."""

    def __init__(self, told: Mapping[str, Any]) -> None:
        self._told = told

    def value(self, name: str) -> object:
        """As JSON has it; None = there is none."""
        return self._told.get(name)

    def at(self, name: str) -> Item:
        """An object inside; an empty one where there is none."""
        found = self._told.get(name)
        return Item(found if isinstance(found, dict) else {})

    def each(self, name: str) -> Iterator[Item]:
        """The objects of a list inside."""
        found = self._told.get(name)
        return (
            Item(one) for one in (found if isinstance(found, list) else ()) if isinstance(one, dict)
        )

    def texts(self, name: str) -> list[str]:
        """The texts of a list inside."""
        found = self._told.get(name)
        return [one for one in (found if isinstance(found, list) else ()) if isinstance(one, str)]

    def text(self, name: str) -> str:
        """A text, without blanks around it; "" = there is none."""
        found = self._told.get(name)
        return found.strip() if isinstance(found, str) else ""

    def name(self, name: str) -> str:
        """A type's or a region's name."""
        found = self.text(name)
        if not _NAME.fullmatch(found):
            raise Refused("no type's name")
        return found

    def number(self, name: str) -> float | None:
        """A figure of zero or more; None = there is none."""
        found = self._told.get(name)
        if isinstance(found, bool) or not isinstance(found, int | Decimal) or found < 0:
            return None
        return float(found)

    def money(self, name: str) -> Decimal | None:
        """An amount of zero or more, be it written as text; None = there is none.

        Raises:
            Refused: what stands there is no amount.
        """
        found = self._told.get(name)
        if found is None:
            return None
        if isinstance(found, str) and re.fullmatch(r"\d{1,12}(\.\d{1,20})?", found.strip()):
            found = Decimal(found.strip())
        if isinstance(found, bool) or not isinstance(found, int | Decimal):
            raise Refused("no price of an hour")
        if found < 0:
            raise Refused("a price below zero")
        return Decimal(found)


def hourly(item: Item, per_hour: str | None, per_month: str | None) -> Decimal:
    """What an hour costs of a machine that runs all month: where the provider charges no more than
    a month's price, 1/730 of that.

    Args:
        per_hour: where the price of an hour stands.
        per_month: likewise, of a month; None = the list has none, or hours are billed without end.
    Raises:
        Refused: neither stands there, or it is zero.
    """
    names = (per_hour, Decimal(1)), (per_month, Decimal(HOURS_PER_MONTH))
    told = [(item.money(name), hours) for name, hours in names if name]
    found = [amount / hours for amount, hours in told if amount is not None]
    if not found:
        raise Refused("no price of an hour")
    if not all(found):
        raise Refused(_ZERO)
    return sound(min(found))


def sound(price: Decimal) -> Decimal:
    """The price of an hour, if it can be one.

    Raises:
        Refused: zero, or beyond what a machine costs.
    """
    if price <= 0:
        raise Refused(_ZERO)
    if price >= _MOST:
        raise Refused("no price of an hour")
    return price


def needed(value: float | None, what: str) -> float:
    """A figure that a shape cannot do without.

    Raises:
        Refused: there is none above zero.
    """
    if not value:
        raise Refused(f"no {what}")
    return value


def card(model: str) -> str | None:
    """The GPU by the name that costopt knows it by; None = not known."""
    found = Gpus.load().gpu(model) if model else None
    return found.model if found else None


def is_region(name: str) -> bool:
    """Whether it may be a region's name, and nothing else."""
    return re.fullmatch(r"[a-z0-9][a-z0-9-]{0,40}", name) is not None


def numbered(last: Callable[[Document, int], bool], query: Query) -> Following:
    """Pages asked for by number, until the last one.

    Args:
        query: of every page.
    """
    return lambda document, so_far: (
        None if last(document, so_far) else {**query, "page": so_far + 1}
    )
