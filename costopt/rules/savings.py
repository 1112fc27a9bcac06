"""What a change takes off a resource's bill: of what ends, at what it effectively costs."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from costopt.model import Cost, Savings
from costopt.units import money

_ZERO: Final = Decimal(0)


@dataclass(frozen=True, slots=True)
class Estimate:
    """The money of one change, a month."""

    savings: Savings
    stranded_commitment: (
        Decimal  # the part of the target that waits for the commitment to be reused
    )
    cost_after: Decimal  # everything on the resource, once the target is saved


def estimate(cost: Cost, share: Decimal, at_list: Decimal | None) -> Estimate:
    """Savings where `share` of the compute charges ends.

    target: that share of the effective compute cost, commitments taken as reused elsewhere.
    low: only the part that no commitment covers; the rest stays on the bill as an unused
        commitment until it is reused or expires (stranded_commitment).
    high: what goes is the part billed at list, as a commitment keeps covering what stays;
        equal to the target where nothing is committed. Never more than the compute cost.

    Args:
        share: of compute cost, 0..1; 1 = it stops.
        at_list: the same saving before any discount; None = no list price.
    """
    spent = max(_ZERO, min(cost.compute, cost.monthly))  # credits may leave less than compute
    target = min(spent, money(spent * share))
    low = money(target * (1 - Decimal(repr(cost.committed_share))))
    high = max(target, min(spent, money(cost.compute_list * share)))
    return Estimate(
        savings=Savings(
            low=low,
            target=target,
            high=high if cost.committed_share else target,
            at_list=at_list,
            basis=cost.basis,
        ),
        stranded_commitment=target - low,
        cost_after=cost.monthly - target,
    )
