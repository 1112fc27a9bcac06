"""A bill's days, hour by hour as far as they tell, while commitments are given out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np

from costopt.model.bill import Amounts, Held, Metered, Usage
from costopt.pricing.commitments import Applied
from costopt.pricing.hours import TINY, Bools, Clock, Hours

NONE: Final = ""
"""No commitment: on demand."""


@dataclass(frozen=True, slots=True)
class Taken:
    """That a commitment took from another one, or from what was on demand."""

    key: str
    name: str
    source: str
    used_up: Bools  # (periods, slots) where not all of it could be taken


@dataclass(slots=True)
class Day:
    """Periods in hours while commitments are given out."""

    clock: Clock
    was: Applied  # what covered its usage, as billed
    orders: Mapping[str, int]
    usages: dict[str, Usage]
    kept: dict[tuple[str, str], Amounts]  # what stays covered
    freed: dict[str, dict[str, Hours]]  # usage -> commitment -> of its amount
    open: dict[str, dict[str, Hours]]
    """Usage -> commitment that applies later, or none -> what is still to be covered: the last
    hours of each period."""
    spare: dict[str, Hours]  # by commitment: in the first hours of each period
    more: dict[tuple[str, str], Amounts] = field(default_factory=dict)
    taken: list[Taken] = field(default_factory=list)

    @classmethod
    def of(cls, bill: Metered, was: Applied) -> Day:
        """As it was billed: what commitments left is all that they may give.

        Args:
            was: what covered the bill's usage.
        """
        clock = Clock.of(bill)
        orders = {one.commitment_id: one.order for one in bill.held}
        spare = {one.commitment_id: _unused(clock, one, was) for one in bill.held}
        day = cls(
            clock, was, orders, {usage.key: usage for usage in bill.usages}, {}, {}, {}, spare
        )
        for usage in bill.usages:
            day._take_up(usage, usage)
        return day

    def changed(self, now: Iterable[Usage]) -> Day:
        """The same day, these usages in place of its own; without those that are not named."""
        usages = {usage.key: usage for usage in now}
        day = replace(
            self,
            usages=usages,
            kept={pair: units for pair, units in self.kept.items() if pair[0] in usages},
            freed={key: self.freed[key] for key in usages},
            open={key: dict(self.open[key]) for key in usages},
            spare=dict(self.spare),
            more={},
            taken=[],
        )
        for key, usage in usages.items():
            if usage is not self.usages[key]:
                for name, freed in day._take_up(self.usages[key], usage).items():
                    day.spare[name] = day.spare[name] + freed
        return day

    def _take_up(self, old: Usage, new: Usage) -> Mapping[str, Hours]:
        """What of a meter each commitment still covers, and what is open; returns what of each it
        frees."""
        kept = _kept(old, new, self.was, self.clock)
        for name, (units, _, _) in kept.items():
            self.kept[old.key, name] = units
        self.freed[old.key] = {name: freed for name, (_, _, freed) in kept.items()}
        stays = {name: (units, hours) for name, (units, hours, _) in kept.items()}
        self.open[old.key] = dict(_opened(old, new, stays, self.orders, self.clock))
        return self.freed[old.key]

    def cover(self, usage: Usage, one: Held) -> None:
        """As much of the usage as the commitment has left in the same hours."""
        name, takes = one.commitment_id, usage.uses[one.commitment_id]
        if not self.spare[name].any():
            return
        cells = self.open[usage.key]
        for source in self._later(usage, one):
            hours, room = cells[source], self.spare[name] / takes
            units = np.minimum(hours, room)
            used_up = (hours > room + TINY) | ((hours <= TINY) & (room <= TINY))
            self.taken.append(Taken(usage.key, name, source, used_up))
            if not units.any():
                continue
            cells[source] = hours - units
            self.spare[name] = np.maximum(self.spare[name] - units * takes, 0.0)
            self._add(usage.key, name, units.sum(1))
            if source:
                self.spare[source] = self.spare[source] + units * usage.uses[source]
                self._add(usage.key, source, -units.sum(1))

    def _later(self, usage: Usage, one: Held) -> Iterator[str]:
        """The commitments that cover it and come after this one, and what none does."""
        for name in sorted(usage.uses):
            if name in self.open[usage.key] and self.orders[name] > one.order:
                yield name
        yield NONE

    def _add(self, key: str, name: str, units: Amounts) -> None:
        self.more[key, name] = self.more.get((key, name), np.zeros(len(units))) + units

    def applied(self) -> Applied:
        """In periods again."""
        covered = dict(self.kept)
        for pair, units in self.more.items():
            covered[pair] = covered.get(pair, np.zeros(len(units))) + units
        return Applied(
            covered={key: np.maximum(units, 0.0) for key, units in covered.items()},
            on_demand={key: cells[NONE].sum(1) for key, cells in self.open.items()},
            unused={name: hours.sum(1) for name, hours in self.spare.items()},
        )


def _unused(clock: Clock, one: Held, was: Applied) -> Hours:
    amount = was.unused[one.commitment_id]
    even = clock.even[one.commitment_id][:, None]
    return np.where(even, clock.evenly(amount), clock.first(amount, clock.level(one)))


def _kept(
    old: Usage, new: Usage, was: Applied, clock: Clock
) -> dict[str, tuple[Amounts, Hours, Hours]]:
    """What each commitment still covers, in periods and, of even ones, in hours; and what the meter
    leaves of it, by hours."""
    peak, even = clock.peak(old), clock.even[old.key][:, None]
    runs = clock.last(new.quantity, np.zeros(len(new.quantity)), peak)
    ends = np.maximum(old.quantity - new.quantity, 0.0)
    found = {}
    for name, took in sorted(old.uses.items()):
        had = was.covered.get((old.key, name))
        if had is None:
            continue
        takes = new.uses.get(name, 0.0)
        gone = np.minimum(had, ends) if takes else had
        ends = ends - np.minimum(had, ends)
        of_all = np.divide(had, old.quantity, out=np.zeros(len(had)), where=old.quantity > 0)
        on = runs * of_all[:, None] if takes else np.zeros(runs.shape)
        ended = np.where(even, np.maximum(clock.evenly(had) - on, 0.0), clock.first(gone, peak))
        whole = np.where(even, clock.evenly(had), clock.first(had, peak))
        less = (whole - ended) * max(took - takes, 0.0)
        # One that takes more now is covered by what it had.
        still = min(1.0, took / takes) if takes else 1.0
        stays = np.where(even[:, 0], on.sum(1), had - gone) * still
        found[name] = (stays, on * still, ended * took + less)
    return found


def _opened(
    old: Usage,
    new: Usage,
    kept: Mapping[str, tuple[Amounts, Hours]],
    orders: Mapping[str, int],
    clock: Clock,
) -> Iterator[tuple[str, Hours]]:
    """The hours that are to be covered, and those that a later commitment may give up."""
    peak, even = clock.peak(old), clock.even[old.key][:, None]
    nothing = np.zeros(len(new.quantity))
    free = np.maximum(new.quantity - sum((units for units, _ in kept.values()), nothing), 0.0)
    runs = clock.last(new.quantity, nothing, peak)
    open_ = np.maximum(runs - sum((hours for _, hours in kept.values()), 0.0 * runs), 0.0)
    yield NONE, np.where(even, open_, clock.last(free, nothing, peak))
    reach = free
    for name in sorted(kept, key=lambda each: (-orders[each], each)):
        units, hours = kept[name]
        yield name, np.where(even, hours, clock.last(units, reach, peak))
        reach = reach + units
