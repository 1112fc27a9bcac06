"""What a bill would be after changes to its machines, and who saved how much of the difference.

A change frees commitments; what they then cover of other machines is saved, too, and what nobody
takes up is paid for nothing. So what changes save is the difference of two bills, each reckoned in
full (commitments.py); it is shared out so that the shares add up to it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from costopt.model.bill import Amounts, Held, Metered, Usage
from costopt.pricing.commitments import Applied, apply


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
class Difference:
    """What changes save over the bill's periods, in its currency."""

    total: float  # bill before - bill after; below 0: they cost more
    of_each: Mapping[str, float]  # resource id -> its share; they add up to the total


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


def difference(bill: Metered, changes: Mapping[str, Change]) -> Difference:
    """What the changes save together, and each its share.

    A machine's own share is what it no longer costs on demand. What commitments freed by the
    changes take over of other machines goes to those that freed them, by how much they did.
    """
    after = changed(bill, changes)
    before_, after_ = apply(bill.usages, bill.held), apply(after.usages, after.held)
    shares = dict.fromkeys(sorted(changes), 0.0)
    gained = dict.fromkeys((one.commitment_id for one in bill.held), 0.0)
    freed = {one.commitment_id: dict.fromkeys(shares, 0.0) for one in bill.held}
    for was, now in zip(bill.usages, after.usages, strict=True):
        if was.resource_id in shares:
            own = before_.on_demand[was.key] * was.rate - after_.on_demand[now.key] * now.rate
            shares[was.resource_id] += float(own.sum())
            for name in was.uses:
                less = _taken(before_, was, name) - _taken(after_, now, name)
                freed[name][was.resource_id] += float(np.maximum(less, 0.0).sum())
        else:
            for name in was.uses:
                more = _covered(after_, was, name) - _covered(before_, was, name)
                gained[name] += float((more * was.rate).sum())
    for name, gain in gained.items():
        for resource_id, share in _shared(gain, freed[name], shares).items():
            shares[resource_id] += share
    return Difference(sum(shares.values()), shares)


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


def _covered(applied: Applied, usage: Usage, name: str) -> Amounts:
    found = applied.covered.get((usage.key, name))
    return np.zeros(len(usage.quantity)) if found is None else found


def _taken(applied: Applied, usage: Usage, name: str) -> Amounts:
    return _covered(applied, usage, name) * usage.uses.get(name, 0.0)


def _shared(gain: float, freed: Mapping[str, float], all_: Mapping[str, float]) -> dict[str, float]:
    """A gain by who freed what; where nobody did (a changed machine took over), by equal parts."""
    total = sum(freed.values())
    if not gain or not all_:
        return {}
    if total <= 0:
        return dict.fromkeys(all_, gain / len(all_))
    return {resource_id: gain * part / total for resource_id, part in freed.items()}
