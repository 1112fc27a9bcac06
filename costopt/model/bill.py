"""A bill as quantities and rates, period by period: what can be reckoned anew."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from types import MappingProxyType
from typing import Final

import numpy as np
import numpy.typing as npt

Amounts = npt.NDArray[np.float64]
"""One figure a period of the bill, float64 (periods,)."""

_NO_USES: Final[Mapping[str, float]] = MappingProxyType({})
TYPE: Final = "type"
FAMILY: Final = "family"


@dataclass(frozen=True, slots=True)
class Sort:
    """What kind of machine it is, as far as commitments tell machines apart."""

    family: str = ""  # within which commitments are flexible; "" = not known
    size: float = 0.0  # weight among the sizes of its family; 0 = not known
    flexible: bool = False  # reservations of another size of its family cover it, too
    zone: str = ""  # "" = not known


@dataclass(frozen=True, slots=True, eq=False)
class Known:
    """What an inventory and a price list add to a bill. Keys are as the bill's meters have them."""

    sorts: Mapping[str, Sort] = field(default_factory=lambda: MappingProxyType({}))  # of machines
    rates: Mapping[str, float] = field(default_factory=lambda: _NO_USES)
    """What an hour of a machine costs on demand, in the bill's currency, where no bill says so."""
    plans: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    """Commitment -> its type in the provider's words, where the bill's are vaguer."""
    zonal: Mapping[str, bool] = field(default_factory=lambda: MappingProxyType({}))
    """Reservation -> whether it is bound to one zone."""


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
    unit: str = ""  # of `quantity`, as the provider spells it; "" = hours


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
    bound: str = ""  # to a machine TYPE, or to a FAMILY; "" = to none


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
    hours: float  # of each period; of any month 730, of any day 24
    usages: tuple[Usage, ...]
    held: tuple[Held, ...]
    actual: Amounts  # what usages and commitments cost together, as billed (effective cost)
    rest: Decimal  # storage, traffic, tax, credits: billed as well, and not reckoned
    left_out: tuple[LeftOut, ...] = ()  # what `rest` is, by reason; their costs add up to it
    covered: Mapping[tuple[str, str], Amounts] | None = None
    """(Usage key, commitment id) -> units of the usage, as billed; None = not told."""
    ends: npt.NDArray[np.int64] | None = None
    """Of the periods, POSIX seconds; None = `hours` after each starts."""
    overfull: Mapping[str, float] = field(default_factory=lambda: _NO_USES)
    """Resource id -> hours of it that are billed for each hour of the periods in which it ran,
    where that is more than one."""

    @property
    def lengths(self) -> Amounts:
        """Hours of each period by the clock, (periods,): of a month 672 to 744, of a day 23 to 25,
        where `hours` has one figure for all."""
        if self.ends is None:
            return np.full(len(self.starts), self.hours)
        return np.asarray((self.ends - self.starts) / 3600, np.float64)

    def during(self, which: slice) -> Metered:
        """These of its periods alone; `rest` stays that of all."""
        return replace(
            self,
            starts=self.starts[which],
            ends=None if self.ends is None else self.ends[which],
            usages=tuple(
                replace(one, quantity=one.quantity[which], rate=one.rate[which])
                for one in self.usages
            ),
            held=tuple(
                replace(one, amount=one.amount[which], cost=one.cost[which]) for one in self.held
            ),
            actual=self.actual[which],
            covered=None
            if self.covered is None
            else {pair: units[which] for pair, units in self.covered.items()},
        )
