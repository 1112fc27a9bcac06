"""A bill as quantities and rates, period by period: what can be reckoned anew."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from types import MappingProxyType
from typing import Final

import numpy as np
import numpy.typing as npt

Amounts = npt.NDArray[np.float64]
"""One figure a period of the bill, float64 (periods,)."""

_NO_USES: Final[Mapping[str, float]] = MappingProxyType({})


@dataclass(frozen=True, slots=True, eq=False)
class Usage:
    """One meter of one resource: what was used, and what it costs where nothing covers it."""

    key: str  # unique in a bill
    resource_id: str | None
    provider: str  # units.provider_key
    account: str | None
    region: str | None
    quantity: Amounts  # in the meter's unit: hours, vCPU-hours, GiB-hours
    rate: Amounts  # of one unit on demand, after negotiated discounts
    uses: Mapping[str, float] = field(default_factory=lambda: _NO_USES)
    """Commitments that may cover it -> how much of it one unit takes: of money, or of units."""
    assumed: frozenset[str] = frozenset()  # of `uses`: never seen to cover it
    reduced: float = 0.0
    """Share of the contracted price that came off what ran on demand, 0..1: sustained use, say. It
    is off `rate` already, and may be lost by running less (pricing.sustained.dearer)."""


@dataclass(frozen=True, slots=True, eq=False)
class Held:
    """A commitment that is paid for, used or not."""

    commitment_id: str
    name: str
    provider: str
    kind: str  # FOCUS CommitmentDiscountType, as the provider spells it
    order: int  # those of a lower number apply before
    by_spend: bool  # committed is money of its own rates; else units
    account: str | None  # whose usage it covers first
    amount: Amounts  # committed, of money or of units
    cost: Amounts  # amortised, of all of it


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Charges that are on the bill and are not reckoned anew."""

    reason: str  # in words, for people
    rows: int
    cost: Decimal  # effective; what credits take off is negative


@dataclass(frozen=True, slots=True, eq=False)
class Metered:
    """One provider's bill that can be reckoned anew: what meters say, what is held, the rest."""

    provider: str  # units.provider_key
    currency: str
    starts: npt.NDArray[np.int64]  # of the periods, POSIX seconds, ascending
    hours: float  # of each period; of a month 730, of a day 24
    usages: tuple[Usage, ...]
    held: tuple[Held, ...]
    actual: Amounts  # what usages and commitments cost together, as billed (effective cost)
    rest: Decimal  # storage, traffic, tax, credits: billed as well, and not reckoned
    left_out: tuple[LeftOut, ...] = ()  # what `rest` is, by reason; their costs add up to it
