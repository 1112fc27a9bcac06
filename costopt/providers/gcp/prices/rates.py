"""The prices of all parts of machines, by how they are bought and where; and the list's own faults.

The same part may have several SKUs in one region: one of the region and one of a whole continent,
or two spellings of one region (Virginia, Northern Virginia) at different prices.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Container
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, Final, NamedTuple

from costopt.providers.base import Problem
from costopt.providers.gcp.access import Access
from costopt.providers.gcp.prices import descriptions, parse, skus
from costopt.providers.gcp.prices.descriptions import Part
from costopt.providers.listed import Watch
from costopt.providers.plain import plain

_CLASH: Final = "of a part that has a higher price, too"
_EXAMPLES: Final = 5

NOT_ITS_OWN_DISKS: Final = ("z3",)
"""Series with an SKU of their own for local disks by which they are not billed, but by the general
one: Z3's published prices hold with that alone."""


class Rate(NamedTuple):
    """An hour of one part, in dollars."""

    hourly: Decimal
    since: date | None


class _Held(NamedTuple):
    rate: Rate
    scope: int  # regions that the SKU is for


@dataclass
class Rates:
    """What the list says of machines."""

    left_out: dict[str, Counter[str]] = field(default_factory=dict)
    """By region, and the reason why a SKU says no price."""
    strange: set[str] = field(default_factory=set)  # descriptions that are not understood
    _held: dict[tuple[Part, str, str], _Held] = field(default_factory=dict)
    _own_disks: set[str] = field(default_factory=set)  # series
    _slices: set[str] = field(default_factory=set)  # series

    def add(self, offer: parse.Offer) -> None:
        """Keep the price. One for fewer regions stands above one for more; else the higher one,
        which is what is billed where that could be checked."""
        for region in offer.regions:
            key = (offer.part, offer.usage, region)
            held, new = (
                self._held.get(key),
                _Held(Rate(offer.hourly, offer.since), len(offer.regions)),
            )
            if held is None or _rank(new) > _rank(held):
                self._held[key] = new
            if held and held.scope == new.scope and held.rate.hourly != new.rate.hourly:
                self._count(region, _CLASH)
        if offer.part.kind == "ssd" and offer.part.of not in NOT_ITS_OWN_DISKS:
            self._own_disks.add(offer.part.of)
        if offer.part.kind == "slice":
            self._slices.add(offer.part.of)

    def leave_out(self, sku: Any, reason: str) -> None:
        """Count the SKU in its regions."""
        for region in {*sku.service_regions} or {*sku.geo_taxonomy.regions}:
            self._count(region, reason)
        if reason == parse.STRANGE:
            self.strange.add(plain(descriptions.placeless(sku.description))[:100])

    def of(self, part: Part, usage: str, region: str) -> Rate | None:
        """The part's price there; None: it is not sold so."""
        held = self._held.get((part, usage, region))
        return held.rate if held else None

    def has_own_disks(self, series: str) -> bool:
        """Whether the series' local disks have a price of their own anywhere."""
        return series in self._own_disks

    def sells_slices(self, series: str) -> bool:
        """Whether the series is sold by the card, with all that belongs to it."""
        return series in self._slices

    def regions(self) -> list[str]:
        """Those in which anything is sold."""
        return sorted({region for _, _, region in self._held})

    def published(self) -> str:
        """The newest day from which a price holds; "" = none is told."""
        days = [held.rate.since for held in self._held.values() if held.rate.since]
        return max(days).isoformat() if days else ""

    def problems(self) -> list[Problem]:
        """What was not understood, with examples."""
        if not self.strange:
            return []
        shown = "; ".join(sorted(self.strange)[:_EXAMPLES])
        what = f"SKUs that are not understood, and left out: {shown}"
        return [Problem(skus.CALL, what, count=len(self.strange))]

    def _count(self, region: str, reason: str) -> None:
        self.left_out.setdefault(region, Counter())[reason] += 1


def _rank(held: _Held) -> tuple[int, Decimal]:
    return -held.scope, held.rate.hourly


def read(
    access: Access, watch: Watch | None = None, regions: Container[str] | None = None
) -> Rates:
    """All prices of Compute Engine's machines, to the last page.

    Args:
        regions: those that are wanted; None = all.
    Raises:
        GoogleAPIError, GoogleAuthError, RequestException, ParseError: the list did not come whole.
    """
    rates, now = Rates(), datetime.now(UTC)

    def told(count: int) -> None:
        if watch:
            watch(f"{skus.CALL}: {count:,} SKUs", 0)

    for sku in skus.listed(access, regions, told):
        found = parse.offer(sku, now)
        if isinstance(found, parse.Offer):
            rates.add(found)
        else:
            rates.leave_out(sku, found)
    return rates
