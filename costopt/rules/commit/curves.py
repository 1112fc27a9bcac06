"""What a picture shows: what is held, what is to be bought, and what stays on demand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from costopt.model.bill import Metered
from costopt.pricing.commitments import Applied
from costopt.rules.commit.deals import Offered
from costopt.rules.commit.demand import Floats, Left, unit_cost
from costopt.rules.commit.grounds import PROVIDERS
from costopt.rules.commit.held import recent
from costopt.rules.commit.outcome import Bought


@dataclass(frozen=True, slots=True, eq=False)
class DealCurve:
    """The demand that one purchase finds, and how much of it is bought. Money an hour, as it costs
    on demand."""

    label: str
    demand: Floats  # (H,) NaN = no bill of that hour
    bought: float  # what is bought replaces if it is used
    best: float  # the same of what would have been best on this history
    utilisation: float
    break_even: float  # share of hours from which on a unit pays
    saving: float


@dataclass(frozen=True, slots=True, eq=False)
class Curve:
    """One provider's bill, where nothing else is said on the mean of its history. Money an hour, as
    it costs on demand."""

    provider: str  # for people
    currency: str
    held: float  # covered by what is held today
    idle: float  # of what is held, paid for and not used in the last 4 weeks; at its own price
    bought: float  # replaced by what is to be bought
    open: float  # stays on demand though a price committed to is known
    unpriced: float  # stays on demand, and no price is known
    left_out: float  # stays on demand, as nothing should be bought for it
    deals: tuple[DealCurve, ...]  # the largest saving first

    @property
    def total(self) -> float:
        """Everything but what is paid for nothing."""
        return self.held + self.bought + self.open + self.unpriced + self.left_out


def curve(
    bill: Metered, applied: Applied, left: Left, bought: Sequence[Bought], offered: Offered
) -> Curve:
    """Of one provider.

    Args:
        bill: with its commitments as they stand today.
        left: what nothing covers, spare parts included.
    """
    hours = float(bill.lengths.sum())
    rates = {usage.key: usage.rate for usage in bill.usages}
    covered = sum(float((units * rates[key]).sum()) for (key, _), units in applied.covered.items())
    priced = sorted({kind for deal in offered.deals for kind in deal.first.shares})
    found = float(left.hourly(priced).sum()) if priced else 0.0
    replaced = sum(one.replaced for one in bought)
    return Curve(
        provider=PROVIDERS.get(bill.provider, bill.provider),
        currency=bill.currency,
        held=covered / hours,
        idle=_idle(bill, applied),
        bought=replaced,
        open=max(0.0, found - replaced),
        unpriced=max(0.0, float(left.hourly().sum()) - found) if left.kinds else 0.0,
        left_out=sum(left.left_out.values()),
        deals=tuple(_deal(one) for one in sorted(bought, key=_order)),
    )


def _idle(bill: Metered, applied: Applied) -> float:
    """As the notes have it, of late: what was unused half a year ago nobody can use any more."""
    bill, applied = recent(bill, applied)
    unused = (applied.unused[one.commitment_id].sum() * unit_cost(one) for one in bill.held)
    return float(sum(unused) / bill.lengths.sum())


def _order(one: Bought) -> tuple[float, str]:
    return -one.saving, one.deal.scope


def _deal(one: Bought) -> DealCurve:
    return DealCurve(
        label=one.deal.label,
        demand=np.asarray(one.demand),
        bought=one.at_most,
        best=one.at_most * one.planned.newsvendor / one.quantity,
        utilisation=one.utilisation,
        break_even=one.break_even,
        saving=one.saving,
    )
