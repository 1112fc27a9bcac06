"""What a bill would be after changes to its machines, and who saved how much of the difference.

A change frees commitments; what they then cover of other machines is saved, too, and what nobody
takes up is paid for nothing. So what changes save is the difference of two bills, each reckoned in
full (commitments.py); it is shared out so that the shares add up to it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from costopt.model.bill import Amounts, Held, Metered, Usage
from costopt.pricing.commitments import Applied, apply, pairs

_TINY: Final = 1e-9


@dataclass(frozen=True, slots=True, eq=False)
class Change:
    """What becomes of one resource's meters."""

    keep: Amounts | float = 1.0  # share of its usage that stays, 0..1, by period or throughout
    price: float = 1.0  # of a unit on demand, of today's
    moves: bool = False  # to another type: units of a type no longer cover it

    def then(self, later: Change) -> Change:
        """Both, one after the other; the order does not matter."""
        return Change(self.keep * later.keep, self.price * later.price, self.moves or later.moves)


@dataclass(frozen=True, slots=True, eq=False)
class State:
    """A bill, and who is covered by what on it."""

    bill: Metered
    applied: Applied

    @classmethod
    def of(cls, bill: Metered) -> State:
        """The bill with its commitments applied."""
        return cls(bill, apply(bill.usages, bill.held))


@dataclass(frozen=True, slots=True, eq=False)
class Difference:
    """What changes save over the bill's periods, in its currency."""

    of_each: Mapping[str, float]  # resource id -> its share; they add up to the total
    after: State

    @property
    def total(self) -> float:
        """Bill before - bill after; below 0: they cost more."""
        return sum(self.of_each.values())


def changed(bill: Metered, changes: Mapping[str, Change]) -> Metered:
    """The bill with its meters changed; commitments stay as they are.

    Args:
        changes: by resource id, as the bill's usages have it.
    """
    held = {one.commitment_id: one for one in bill.held}
    return replace(
        bill,
        usages=tuple(
            _of(usage, change, held) if (change := _change(usage, changes)) else usage
            for usage in bill.usages
        ),
    )


def difference(before: State, changes: Mapping[str, Change]) -> Difference:
    """What the changes save together, and each its share.

    A share is what the change is worth at the margin: its hours on demand at their rate, and what
    it frees of commitments at what these are worth to others, halfway between before and after (to
    nobody: nothing). What the changes save together beyond, or short of, the sum of these comes of
    commitments, and goes to those that freed them, by how much.
    """
    after = State.of(changed(before.bill, changes))
    total = _on_demand(before) - _on_demand(after)
    worth = {
        name: (at_first + at_last) / 2
        for (name, at_first), at_last in zip(
            _worth(before).items(), _worth(after).values(), strict=True
        )
    }
    shares = dict.fromkeys(sorted(changes), 0.0)
    freed = dict.fromkeys(shares, 0.0)
    for was, now in zip(before.bill.usages, after.bill.usages, strict=True):
        if was.resource_id in shares:
            own, of_commitments = _value(before, was, now, worth)
            shares[was.resource_id] += own + of_commitments
            freed[was.resource_id] += abs(of_commitments)
    rest, size = total - sum(shares.values()), sum(freed.values())
    for name in shares:
        shares[name] += rest * (freed[name] / size if size else 1 / len(shares))
    return Difference(shares, after)


def _on_demand(state: State) -> float:
    """What is paid beside the commitments, which are paid in any case."""
    left = state.applied.on_demand
    return float(sum((left[usage.key] * usage.rate).sum() for usage in state.bill.usages))


def _worth(state: State) -> dict[str, Amounts]:
    """What one more of each commitment would take off the bill, by period."""
    found = {one.commitment_id: np.zeros(len(state.bill.starts)) for one in state.bill.held}
    for usage, one in reversed(list(pairs(state.bill.usages, state.bill.held))):
        paid = usage.rate / usage.uses[one.commitment_id]
        free = state.applied.on_demand[usage.key] > _TINY
        found[one.commitment_id] = np.where(free, paid, found[one.commitment_id])
    return found


def _value(
    before: State, was: Usage, now: Usage, worth: Mapping[str, Amounts]
) -> tuple[float, float]:
    """What the change of one meter is worth as it was covered before: on demand, and by what it
    frees of commitments."""
    used = was.quantity * was.rate
    stays = np.divide(now.quantity * now.rate, used, out=np.ones(len(used)), where=used > 0)
    own = before.applied.on_demand[was.key] * was.rate * (1 - stays)
    freed = np.zeros(len(used))
    for name, takes in was.uses.items():
        covered = before.applied.covered.get((was.key, name))
        if covered is None:
            continue
        if name in now.uses:
            freed += covered * takes * (1 - stays) * worth[name]
        else:  # it leaves the commitment, and pays for what stays
            freed += covered * (takes * worth[name] - stays * was.rate)
    return float(own.sum()), float(freed.sum())


def _change(usage: Usage, changes: Mapping[str, Change]) -> Change | None:
    return changes.get(usage.resource_id) if usage.resource_id else None


def _of(usage: Usage, change: Change, held: Mapping[str, Held]) -> Usage:
    uses = {
        name: takes * change.price if held[name].by_spend else takes
        for name, takes in usage.uses.items()
        if not change.moves or held[name].by_spend
    }
    return replace(
        usage, quantity=usage.quantity * change.keep, rate=usage.rate * change.price, uses=uses
    )
