"""Commitments that the bill has and that are no more: how they were used, for who asks."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np

from costopt.model.bill import Metered
from costopt.pricing.commitments import apply
from costopt.rules.commit.demand import unit_cost, used_units
from costopt.rules.commit.standing import Standing


@dataclass(frozen=True, slots=True, eq=False)
class Over:
    """One commitment that has ended. Money in the bill's currency."""

    commitment_id: str
    name: str
    kind: str
    ended: datetime | None  # None = the inventory does not say
    last: datetime  # until when it is on the bill
    utilisation: float  # as long as it is on the bill, 0..1
    cost: float  # on the bill, in all


def over(stand: Standing, as_billed: Metered) -> tuple[Over, ...]:
    """What has ended, by name."""
    ends = {each.commitment_id: each.end for each in stand.ended}
    gone = [one for one in as_billed.held if one.commitment_id in ends and one.cost.any()]
    if not gone:
        return ()
    applied = apply(as_billed.usages, as_billed.held)
    found = []
    for one in gone:
        paid = float(one.cost.sum())
        used = used_units(one, as_billed, applied) * unit_cost(one)
        last = int(as_billed.starts[np.flatnonzero(one.cost)[-1]]) + int(3600 * as_billed.hours)
        found.append(
            Over(
                commitment_id=one.commitment_id,
                name=one.name,
                kind=one.kind,
                ended=ends[one.commitment_id],
                last=datetime.fromtimestamp(last, UTC),
                utilisation=min(1.0, used / paid),
                cost=paid,
            )
        )
    return tuple(sorted(found, key=lambda each: (each.name, each.commitment_id)))


def ended(one: Over, currency: str) -> str:
    """What became of it, for people."""
    when = (
        f"ended on {one.ended:%Y-%m-%d}"
        if one.ended
        else f"is on the bill until {one.last:%Y-%m-%d} and no longer"
    )
    return (
        f"{one.name} ({one.kind or 'commitment'}) {when}; {100 * one.utilisation:.3g} % of it was "
        f"used while it is on this bill, for {one.cost:,.2f} {currency}; what it covered is on "
        "demand since, and counts in what is to be bought"
    )
