"""What is on offer elsewhere: every priced type at every place that may be moved to, as arrays.

Amounts are converted to the currency of the bill at dated rates of exchange; a price in a currency
without one is left out. Prices are the list's, less the discount that the machine has at its own
provider today.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Final, NamedTuple

import numpy as np

from costopt.model import Place, Price, Rate, RateKind, Shape
from costopt.optimize.placement import Offers
from costopt.optimize.placement.dominance import Floats, Ints
from costopt.pricing.catalogue import Catalogue
from costopt.pricing.equivalence import Facts, Speed
from costopt.pricing.fits import Equivalents
from costopt.pricing.interruptions import Interruptions
from costopt.pricing.listing import Listing
from costopt.pricing.money import Exchanges
from costopt.pricing.places import Places
from costopt.pricing.sustained import discount
from costopt.rules.families import family, is_plain
from costopt.units import provider_key

ARM, BURSTABLE, CARDS, ODD = (1 << bit for bit in range(4))
"""Traits of an offer. ODD: of a family that is bought for what CPU and memory do not show."""

_YEAR: Final = 365.25
_UNDATED_YEARS: Final = 3.0
"""How old a price is taken to be that names no day: as old as the oldest of the snapshot."""


@dataclass(frozen=True, slots=True, eq=False)
class Sold:
    """All offers, parallel; money an hour in one currency."""

    places: tuple[Place, ...]
    shapes: tuple[Shape, ...]  # every type of every provider
    equivalents: Equivalents  # parallel to `shapes`, as the next
    traits: Ints
    of: Ints  # (N,) position in `shapes`
    place: Ints  # (N,) position in `places`
    hourly: Floats  # (N,) as listed
    hourly_always: Floats  # (N,) of one that runs all month: less sustained use discounts
    years: Floats  # (N,) how old the price is
    listings: tuple[Listing, ...]
    listing: Ints  # (N,) position in `listings`
    at: Ints  # (N,) in that listing

    def shape(self, position: int) -> Shape:
        """Of that offer."""
        return self.shapes[int(self.of[position])]

    def price(self, position: int) -> Price:
        """The same, whole."""
        return self.listings[int(self.listing[position])].price(int(self.at[position]))

    def day(self, position: int) -> date | None:
        """Since when it holds; None = not told."""
        return self.price(position).valid_from

    def name(self, place: Place) -> str:
        """The provider as it is spelled: AWS, Hetzner."""
        key = provider_key(place.provider_name)
        spelled = (one.provider_name for one in self.shapes)
        return next((name for name in spelled if provider_key(name) == key), place.provider_name)

    def offers(
        self, speed: Speed | None, only: str | None, own: str | None, *, always: bool
    ) -> Offers:
        """As vCPUs of that speed.

        Args:
            only: where the speed is not known: that type alone is known to do.
            own: the family of machines that are odd themselves: it will do for them.
            always: for machines that run all month.
        """
        if only is None:
            capacity = self.equivalents.worth(speed)
        else:
            same = np.array([shape.instance_type == only for shape in self.shapes])
            capacity = np.where(same, self.equivalents.vcpus, np.nan)
        has = np.column_stack((capacity, self.equivalents.enough[:, 1:]))
        hourly = self.hourly_always if always else self.hourly
        traits = self.traits
        if own is not None:
            alike = np.array([family(shape) == own for shape in self.shapes])
            traits = np.where(alike, traits & ~ODD, traits)
        return Offers(has[self.of], hourly, self.place, traits[self.of], len(self.places))


@dataclass(frozen=True, slots=True, eq=False)
class World:
    """What is known of prices, places and machines everywhere."""

    catalogue: Catalogue
    facts: Facts
    places: Places
    exchanges: Exchanges
    interruptions: Interruptions
    currency: str  # of the bill

    def rate(self, currency: str) -> float | None:
        """What one unit of it is worth in the bill's; None = nobody says."""
        found = self.exchanges.convert(Decimal(1), currency, self.currency)
        return None if found is None else float(found)


def sold(places: Sequence[Place], world: World, as_of: datetime) -> Sold:
    """What those places sell on demand, for Linux: each in the first currency in which anything is
    priced there, and which is worth something in the bill's."""
    parts = [part for name in _providers(places) for part in _listed(name, places, world)]
    starts = np.cumsum([0, *(len(part.listing.shapes) for part in parts)])
    shapes = tuple(shape for part in parts for shape in part.listing.shapes)
    of = _joined([start + part.listing.shape for start, part in zip(starts, parts, strict=False)])
    listed = np.concatenate([np.zeros(0), *(part.listing.hourly * part.factor for part in parts)])
    off = np.array([_sustained(shape) for shape in shapes])
    today = np.datetime64(as_of.date()).astype(np.int64)
    old = np.concatenate([np.zeros(0), *(part.listing.days for part in parts)])
    return Sold(
        places=tuple(places),
        shapes=shapes,
        equivalents=Equivalents.of(shapes, world.facts),
        traits=np.array([_traits(shape) for shape in shapes], np.int64),
        of=of,
        place=_joined([part.place[part.listing.region] for part in parts]),
        hourly=listed,
        hourly_always=listed * (1 - off[of]) if len(of) else listed,
        years=np.nan_to_num(np.maximum(today - old, 0) / _YEAR, nan=_UNDATED_YEARS),
        listings=tuple(part.listing for part in parts),
        listing=_joined([np.full(len(part.listing.row), n) for n, part in enumerate(parts)]),
        at=_joined([np.arange(len(part.listing.row)) for part in parts]),
    )


class _Part(NamedTuple):
    """Of one provider, in one currency."""

    listing: Listing
    place: Ints  # of each region that was asked for, its position in all places
    factor: float


def _providers(places: Sequence[Place]) -> list[str]:
    return sorted({provider_key(place.provider_name) for place in places})


def _listed(provider: str, places: Sequence[Place], world: World) -> Iterator[_Part]:
    mine = [n for n, place in enumerate(places) if provider_key(place.provider_name) == provider]
    for currency in dict.fromkeys((world.currency, "USD", "EUR", *world.exchanges.currencies)):
        factor = world.rate(currency)
        if not mine or factor is None:
            continue
        found = world.catalogue.listing(provider, [places[n].region_id for n in mine], currency)
        if len(found.row):
            yield _Part(found, np.array(mine, np.int64), factor)
            priced = set(np.array(mine)[found.region].tolist())
            mine = [n for n in mine if n not in priced]


def _joined(parts: Sequence[Ints]) -> Ints:
    return np.concatenate([np.zeros(0, np.int64), *parts])


def _sustained(shape: Shape) -> float:
    """What comes off for a whole month; only Google has it."""
    if provider_key(shape.provider_name) != "gcp":
        return 0.0
    return float(discount(shape.instance_type, Decimal(1)))


def _traits(shape: Shape) -> int:
    burstable = BURSTABLE if is_burstable(shape) else 0
    arm = ARM if shape.architecture == "arm64" else 0
    odd = 0 if shape.gpu_count or is_plain(shape) else ODD
    return arm | burstable | odd | (CARDS if shape.gpu_count else 0)


def is_burstable(shape: Shape) -> bool:
    """Whether it may not give all of its vCPUs all the time: by credits, shared with others, or a
    Flex type of AWS ("baseline performance of 40 %", and all of it 95 % of a day)."""
    flexible = (shape.family or "").endswith("-flex")
    return shape.burstable_baseline_percent is not None or bool(shape.shared_cpu) or flexible


def charged(world: World, place: Place, kind: RateKind, gib: Floats) -> Floats:
    """What so many GiB cost there a month, tier by tier; NaN = nobody says. None cost nothing."""
    tiers = world.catalogue.rates(place.provider_name, kind, place.region_id)
    factor = world.rate(tiers[0].currency) if tiers else None
    cost = np.full(len(gib), np.nan) if factor is None else _tiered(tiers, gib) * factor
    return np.where(gib == 0, 0.0, cost)


def _tiered(tiers: Sequence[Rate], gib: Floats) -> Floats:
    """Each tier's price holds for what lies above its start, up to the next one's."""
    total = np.zeros(len(gib))
    for tier, after in zip(tiers, (*tiers[1:], None), strict=True):
        start, end = float(tier.from_gib), float(after.from_gib) if after else np.inf
        total += np.clip(gib - start, 0.0, end - start) * float(tier.list_unit_price)
    return total
