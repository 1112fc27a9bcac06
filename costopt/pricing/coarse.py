"""What bills by the day or month are after changes: at most so much, whatever hours were which.

Commitments apply by the hour, and a day's row does not tell which. A plan that a machine frees at
night covers nobody who runs by day. So of such a bill nothing is reckoned anew that it tells (who
was covered by what, and what was on demand), and what changes free covers others only as far as
their hours cannot but overlap:

- Freed hours are taken to be the first of the period, all of them the same ones; what is on demand
  the last, all of it the same ones. A machine that ran all day overlaps with everything.
- On days on which all that a commitment was seen to cover ran all day, it covered the same of it in
  every hour; so of what ends it covered its share, whatever else comes and goes.
- Else, of hours that end, those end first that a commitment covered.
- What was left unused was so in the first hours, too.

That is the arrangement in which commitments are of least use, so that a saving is at least what it
says; as far as the bill's other figures hold (takes, rates, who may be covered).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from costopt.model.bill import Amounts, Held, Metered, Usage
from costopt.pricing.commitments import Applied, in_turn
from costopt.pricing.day import NONE, Day
from costopt.pricing.hours import Hours
from costopt.pricing.mixing import THEN, same_price


def by_the_hour(bill: Metered) -> bool:
    """Whether its periods are those by which commitments apply."""
    return bill.hours <= 1 or bill.covered is None


def as_billed(bill: Metered) -> Applied:
    """Who was covered by what, as the bill has it."""
    told = bill.covered or {}
    covered = {key: units for key, units in told.items() if units.any()}
    left = {usage.key: usage.quantity for usage in bill.usages}
    spare = {one.commitment_id: one.amount for one in bill.held}
    takes = {usage.key: usage.uses for usage in bill.usages}
    for (key, name), units in covered.items():
        left[key] = np.maximum(left[key] - units, 0.0)
        taken = units * takes[key].get(name, 0.0)
        spare[name] = np.maximum(spare[name] - taken, 0.0)
    return Applied(covered, left, spare)


def after(billed: Day, now: Metered) -> Applied:
    """Who is covered by what once usages have changed.

    Args:
        billed: the bill as it was.
        now: the same usages, changed.
    """
    day = billed.changed(now.usages)
    for usage, one in in_turn(now.usages, now.held):
        day.cover(usage, one)
    return day.applied()


def gains(
    billed: Day,
    before: Sequence[Usage],
    then: Sequence[Usage],
    held: Sequence[Held],
    points: Sequence[float],
) -> dict[str, Amounts]:
    """What each meter's change is worth at points of the way from one bill to another, (points,)
    by its key.

    Args:
        billed: the bill as it was.
        before: some of its usages after some changes, `then`: after more.
        points: of the way, 0..1.
    """
    one, other = billed.changed(before), billed.changed(then)
    changed = [key for key, usage in one.usages.items() if usage is not other.usages[key]]
    found = {key: np.zeros(len(points)) for key in changed}
    for at, part in enumerate(points):
        day = _mixed(one, other, part)
        for usage, commitment in in_turn(tuple(day.usages.values()), held):
            day.cover(usage, commitment)
        worth = _Worth.of(day)
        for key, of_it in found.items():
            of_it[at] = worth.of_change(key, one, other)
    return found


def _mixed(one: Day, other: Day, part: float) -> Day:
    """So far on the way from one to the other; what is billed otherwise then stands beside it."""
    found = replace(one, usages={}, open={}, kept={}, more={}, taken=[])
    found.spare = {
        name: (1 - part) * hours + part * other.spare[name] for name, hours in one.spare.items()
    }
    for key, usage in one.usages.items():
        then = other.usages[key]
        apart = "" if same_price(usage, then) else THEN
        found.usages[key] = usage
        if apart:
            found.usages[key + apart] = replace(then, key=key + apart)
        for day, of, share in ((one, key, 1 - part), (other, key + apart, part)):
            cells = found.open.setdefault(of, {})
            for name, hours in day.open[key].items():
                cells[name] = cells.get(name, 0.0) + share * hours
    return found


@dataclass(frozen=True, slots=True, eq=False)
class _Worth:
    """What one unit takes off what is left on demand, hour by hour."""

    of_spare: dict[str, Hours]  # more of a commitment
    of_open: dict[str, dict[str, Hours]]  # less on demand, or more that a later one may give up

    @classmethod
    def of(cls, day: Day) -> _Worth:
        """Of a day whose commitments are given out: what freed units do, from the last who takes
        of them back to the first."""
        nothing = np.zeros((len(day.clock.length), day.clock.slots))
        spare = dict.fromkeys(day.spare, nothing)
        open_ = {
            key: dict.fromkeys(cells, nothing)
            | {NONE: np.broadcast_to(day.usages[key].rate[:, None], nothing.shape)}
            for key, cells in day.open.items()
        }
        for each in reversed(day.taken):
            uses, cells = day.usages[each.key].uses, open_[each.key]
            takes, mine, here = uses[each.name], spare[each.name], cells[each.source]
            freed = spare[each.source] * uses[each.source] if each.source else nothing
            gives = freed - here if each.source else here
            spare[each.name] = np.where(each.used_up, gives / takes, mine)
            all_taken = freed - takes * mine if each.source else takes * mine
            cells[each.source] = np.where(each.used_up, here, all_taken)
        return cls(spare, open_)

    def of_change(self, key: str, one: Day, other: Day) -> float:
        """What one meter's change is worth at this point of the way."""
        apart = "" if same_price(one.usages[key], other.usages[key]) else THEN
        total = 0.0
        for day, of, sign in ((one, key, -1.0), (other, key + apart, 1.0)):
            for name, hours in day.freed[key].items():
                total += sign * float((hours * self.of_spare[name]).sum())
            for name, hours in day.open[key].items():
                each = float((hours * self.of_open[of][name]).sum())
                total += sign * each if name else -sign * each
        return total
