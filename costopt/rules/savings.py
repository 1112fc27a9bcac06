"""What a change takes off a resource's bill: of what ends, at what it effectively costs."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from costopt.model import Cost, Savings
from costopt.units import cents_down, cents_up

UNTIL: Final = "is reused or ends"
"""How clauses end that say what waits for a commitment: how much does, the plan knows better."""

_ZERO: Final = Decimal(0)


@dataclass(frozen=True, slots=True)
class Estimate:
    """The money of one change, a month."""

    savings: Savings
    stranded_commitment: Decimal  # saved only once the commitment is reused elsewhere or ends
    cost_after: Decimal  # everything on the resource, once the target is saved


def estimate(cost: Cost, share: Decimal, at_list: Decimal | None) -> Estimate:
    """Savings where `share` of the compute charges ends, in whole cents, never rounded up.

    target: the part that no commitment covers, as only that leaves the bill for sure. The rest
        stays on it as an unused commitment until it is reused or expires (stranded_commitment).
    low: the target; what a commitment covers saves nothing at worst.
    high: what it comes to once the commitment is reused elsewhere; at most the compute cost.

    Args:
        share: of compute cost, 0..1; 1 = it stops.
        at_list: the same saving before any discount; None = no list price.
    """
    spent = max(_ZERO, min(cost.compute, cost.monthly))  # credits may leave less than compute
    whole = cents_down(min(spent, spent * share))
    target = cents_down(whole * (1 - Decimal(repr(cost.committed_share))))
    return Estimate(
        savings=Savings(
            low=target,
            target=target,
            high=whole,
            at_list=at_list,
            basis=cost.basis,
        ),
        stranded_commitment=whole - target,
        cost_after=cost.monthly - target,
    )


def dearer(cost: Cost, share: Decimal, at_list: Decimal | None) -> Estimate:
    """The same of a change that costs more: savings below zero, in whole cents, never rounded down.

    No commitment covers what is added, so it is all billed.

    Args:
        share: of compute cost that is added, above 0.
        at_list: the same before any discount, below 0; None = no list price.
    """
    more = -cents_up(cost.compute * share)
    return Estimate(
        savings=Savings(low=more, target=more, high=more, at_list=at_list, basis=cost.basis),
        stranded_commitment=_ZERO,
        cost_after=cost.monthly - more,
    )
