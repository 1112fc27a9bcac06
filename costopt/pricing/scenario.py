"""What a bill would be after changes to its machines, and who saved how much of the difference.

A change frees commitments; what they then cover of other machines is saved, too, and what nobody
takes up is paid for nothing. So what changes save is the difference of two bills, each reckoned in
full (commitments.py); it is shared out so that the shares add up to it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from costopt.model.bill import FAMILY, TYPE, Amounts, Held, Metered, Usage
from costopt.pricing import coarse, worth
from costopt.pricing.commitments import Applied, apply
from costopt.pricing.day import Day
from costopt.pricing.mixing import points as points_of
from costopt.pricing.pools import pools

_ALMOST: Final = 1 - 1e-6
_TINY: Final = 1e-6
_MEMORY: Final = re.compile(r"gi?b", re.I)


@dataclass(frozen=True, slots=True, eq=False)
class Change:
    """What becomes of one resource's meters."""

    keep: Amounts | float = 1.0  # share of its usage that stays, 0..1, by period or throughout
    price: float = 1.0  # of a unit on demand, of today's
    dearer: float = 1.0  # of what stays on demand: a discount for long use that it loses
    moves: bool = False  # to another type: what is bound to its type no longer covers it
    alone: bool = False  # no commitment covers it any more: it is on spot
    to: str = ""  # that type, where it is known
    units: float = 0.0
    """Where it moves within its family: what it takes of commitments that are bound to the family,
    of what it took. 0: it leaves the family, and they no longer cover it."""
    memory: float | None = None  # the same of meters of memory; None = as `units`

    def of_unit(self, unit: str) -> float:
        """`units` of a meter that counts in that."""
        return self.units if self.memory is None or not _MEMORY.search(unit) else self.memory

    def then(self, later: Change) -> Change:
        """Both, one after the other; the order does not matter."""
        one, other = ((c.units, c.memory) if c.moves else (1.0, 1.0) for c in (self, later))
        return Change(
            keep=self.keep * later.keep,
            price=self.price * later.price,
            dearer=self.dearer * later.dearer,
            moves=self.moves or later.moves,
            alone=self.alone or later.alone,
            to=later.to or self.to,
            units=one[0] * other[0],
            memory=_both(one, other),
        )


def _both(one: tuple[float, float | None], other: tuple[float, float | None]) -> float:
    """Memory's `units` of two changes."""
    first, second = (units if memory is None else memory for units, memory in (one, other))
    return first * second


@dataclass(frozen=True, slots=True, eq=False)
class State:
    """A bill, and who is covered by what on it."""

    bill: Metered
    applied: Applied
    origin: State | None = None  # as billed; None = this is it
    day: Day | None = None  # of a bill that does not tell hours, as billed

    @classmethod
    def of(cls, bill: Metered) -> State:
        """The bill with its commitments applied: by the hour, or as far as it tells."""
        if coarse.by_the_hour(bill):
            return cls(bill, apply(bill.usages, bill.held))
        applied = coarse.as_billed(bill)
        return cls(bill, applied, day=Day.of(bill, applied))

    def with_(self, changes: Mapping[str, Change]) -> State:
        """What changes leave.

        Where the bill tells no hours, all changes since are reckoned together: one after the other
        each would leave room for doubt of its own.
        """
        origin, bill = self.origin or self, changed(self.bill, changes)
        if origin.day is None:
            return State(bill, apply(bill.usages, bill.held), origin)
        return State(bill, coarse.after(origin.day, bill), origin)


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

    All are made together, little by little, and each is given what its next bit saves as far as
    they are (Aumann and Shapley's prices): hours on demand their rate, what is covered whatever
    others save by what it frees (`worth`). So what is on demand saves what it costs, and of what
    commitments are freed of, each as much as it frees for somebody.

    Source: L. J. Billera, D. C. Heath, "Allocation of shared costs: a set of axioms yielding a
    unique procedure", Mathematics of Operations Research 7 (1982), 32-39.
    """
    after = before.with_(changes)
    total = on_demand(before) - on_demand(after)
    shares = dict.fromkeys(sorted(changes), 0.0)
    unsure = dict.fromkeys(shares, 0.0)
    origin = (before.origin or before).bill
    linked = {usage.resource_id for usage in origin.usages if usage.uses}
    for key, gains in _gains(before, after, points_of(_cells(before, after))).items():
        shares[key] = float(gains.mean())
        if key in linked:
            varies = np.abs(gains - gains.mean()).sum()
            unsure[key] = float(varies + _TINY * (1 + np.abs(gains).sum()))
    # The rest is due to going in steps: to those who are not worth the same all the way.
    rest, size = total - sum(shares.values()), sum(unsure.values())
    for name in shares:
        shares[name] += rest * (unsure[name] / size if size else 1 / len(shares))
    return Difference(shares, after)


def on_demand(state: State) -> float:
    """What is paid beside the commitments, which are paid in any case."""
    left = state.applied.on_demand
    return float(sum((left[usage.key] * usage.rate).sum() for usage in state.bill.usages))


def last_bits(before: State, changes: Mapping[str, Change]) -> dict[str, float]:
    """What each change would save, were all of it worth what its last bit is once all are made."""
    gains = _gains(before, before.with_(changes), [_ALMOST])
    return {key: float(of_it[0]) for key, of_it in gains.items()}


def _cells(before: State, after: State) -> int:
    """How much there is to reckon: hours of what commitments may cover."""
    linked = _linked(before, after)
    periods = len(before.bill.starts) * max(1, round(before.bill.hours))
    return sum(len(old.uses) for old, _ in linked) * periods


def _gains(before: State, after: State, points: Sequence[float]) -> dict[str, Amounts]:
    """What each resource's change is worth at points of the way, 0..1; (points,)."""
    changed = [pair for pair in _pairs(before, after) if pair[0] is not pair[1]]
    found = {
        old.key: np.full(len(points), old.quantity @ old.rate - new.quantity @ new.rate)
        for old, new in changed
    }
    if linked := _linked(before, after):
        found |= _of_linked(before, after, linked, points)
    of_each: dict[str, Amounts] = {}
    for old, _ in changed:
        if old.resource_id:
            so_far = of_each.get(old.resource_id, np.zeros(len(points)))
            of_each[old.resource_id] = so_far + found[old.key]
    return of_each


def _pairs(before: State, after: State) -> list[tuple[Usage, Usage]]:
    return list(zip(before.bill.usages, after.bill.usages, strict=True))


def _of_linked(
    before: State, after: State, linked: Sequence[tuple[Usage, Usage]], points: Sequence[float]
) -> dict[str, Amounts]:
    """The same by usage, of those that commitments may cover."""
    old, new = (tuple(pair[at] for pair in linked) for at in (0, 1))
    held, origin = before.bill.held, before.origin or before
    if origin.day is None:
        return worth.gains(old, new, held, points)
    return coarse.gains(origin.day, old, new, held, points)


def _linked(before: State, after: State) -> list[tuple[Usage, Usage]]:
    """Usages, before and after, that share commitments with one that changes."""
    origin = (before.origin or before).bill
    of_pool = pools(tuple(sorted(usage.uses)) for usage in origin.usages if usage.uses)
    pool_of = {usage.key: of_pool[min(usage.uses)] for usage in origin.usages if usage.uses}
    both = _pairs(before, after)
    touched = {pool_of[old.key] for old, new in both if old is not new and old.key in pool_of}
    return [pair for pair in both if pool_of.get(pair[0].key) in touched]


def _change(usage: Usage, changes: Mapping[str, Change]) -> Change | None:
    return changes.get(usage.resource_id) if usage.resource_id else None


def _of(usage: Usage, change: Change, held: Mapping[str, Held]) -> Usage:
    uses = {name: _takes(usage, held[name], change) for name in usage.uses}
    return replace(
        usage,
        quantity=usage.quantity * change.keep,
        rate=usage.rate * change.price * change.dearer,
        uses={name: takes for name, takes in uses.items() if takes > 0},
    )


def _takes(usage: Usage, one: Held, change: Change) -> float:
    """How much of a commitment a unit takes once it is changed; 0 = it leaves it."""
    if change.alone:
        return 0.0
    takes, units = usage.uses[one.commitment_id], change.of_unit(usage.unit)
    if one.by_spend:
        stays = not change.moves or one.bound != FAMILY or units > 0
        return takes * change.price if stays else 0.0
    if not change.moves:
        return takes
    return 0.0 if one.bound == TYPE else takes * units
