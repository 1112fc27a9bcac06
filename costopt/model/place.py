"""Where something can run, and what it costs there beside the machine itself."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum


class RateKind(StrEnum):
    """What a provider charges for beside machines."""

    BLOCK_STORAGE = "block-storage"  # a GiB of a general-purpose network disk for a month of 730 h
    EGRESS_INTERNET = "egress-internet"  # a GiB that leaves the provider
    EGRESS_REGION = "egress-region"  # a GiB to another region of the same provider
    EGRESS_ZONE = "egress-zone"  # a GiB to another zone of the same region


@dataclass(frozen=True, slots=True)
class Rate:
    """What one GiB costs there; of several tiers each has its own row."""

    provider_name: str
    region_id: str | None  # None = every region
    kind: RateKind
    list_unit_price: Decimal  # of a GiB, or of a GiB and month; 0 = included
    currency: str = "USD"
    from_gib: Decimal = Decimal(0)  # this price holds for what lies above, a month
    valid_from: date | None = None
    source: str | None = None


@dataclass(frozen=True, slots=True)
class Exchange:
    """What one unit of a currency was worth in another, on that day."""

    currency: str
    to_currency: str
    rate: Decimal
    day: date
    source: str
    legs: tuple[Exchange, ...] = ()  # the two that it goes by, by way of a third currency


@dataclass(frozen=True, slots=True)
class Place:
    """A provider's region: where it lies. Facts of geography, no prices."""

    provider_name: str
    region_id: str
    country: str  # ISO 3166-1 alpha-2
    continent: str  # Africa | Asia | Europe | North America | Oceania | South America
    latitude: float
    longitude: float
    source: str
