"""A resource's timetable: the cheapest week for its past weeks, and how that would have done since.

All is in hours of running (of one machine, of one replica): what a change costs and what a missed
hour is worth as well, so that the answer does not depend on the price.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from costopt.optimize.need import Terms, slot_costs
from costopt.optimize.schedule import Choice, Levels, cheapest
from costopt.optimize.size import wilson_upper

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Wishes:
    """What a timetable must keep to, and what it weighs."""

    slot_minutes: int = 30
    lead_minutes: float = 10.0  # between the start and being of use
    min_on_minutes: float = 60.0
    min_off_minutes: float = 120.0
    change_minutes: float = 10.0  # of running that one start is worth
    risk_price: float = 20.0  # hours of running that one missed hour is worth
    quantile: float = 0.99  # of a slot's demand that must be borne
    least: int = 0  # never fewer replicas
    least_weeks: int = 2  # a slot seen in fewer stays on

    @property
    def slot_hours(self) -> float:
        """Hours of one slot."""
        return self.slot_minutes / 60

    def slots(self, minutes: float) -> int:
        """Whole slots that hold so many minutes."""
        return int(-(-minutes // self.slot_minutes))


def timetable(weeks: Array, most: int, wishes: Wishes) -> Levels:
    """The cheapest week, int16 (slots,).

    Args:
        weeks: (weeks, slots, samples of a slot) demand in replicas, NaN = missing.
        most: the highest level, what runs today.
    """
    terms = Terms(
        price=wishes.slot_hours,
        risk_price=wishes.risk_price * wishes.slot_hours,
        quantile=wishes.quantile,
        lead_slots=wishes.slots(wishes.lead_minutes),
        least=min(wishes.least, most),
        least_weeks=wishes.least_weeks,
    )
    choice = Choice(
        slot_costs(weeks, most, terms),
        up_cost=wishes.change_minutes / 60,
        down_cost=0.0,
        min_up=max(1, wishes.slots(wishes.min_on_minutes)),
        min_down=max(1, wishes.slots(wishes.min_off_minutes)),
    )
    plan = cheapest(choice)
    assert plan is not None  # to run all of them all week is always allowed
    return plan.levels


@dataclass(frozen=True, slots=True)
class Tested:
    """What a plan came to in one week, in hours of running where not said otherwise."""

    week: int  # which, of those given
    trained: int  # weeks before it that the plan was made of
    known: float  # hours of the week with demand measured
    today: float  # that run as things are, in those
    planned: float
    starts: int
    used: float  # hours with demand above the least that always runs
    missed: float  # hours in which demand was above what ran

    def saved(self, wishes: Wishes) -> float:
        """Hours of running saved, starts paid for; missed hours are told apart."""
        return self.today - self.planned - self.starts * wishes.change_minutes / 60


@dataclass(frozen=True, slots=True)
class Trial:
    """How the same rule would have done in weeks that it had not seen."""

    tested: tuple[Tested, ...]

    @property
    def known(self) -> float:
        """Hours measured, of all the weeks."""
        return sum(one.known for one in self.tested)

    @property
    def missed(self) -> float:
        """Hours in which too little ran."""
        return sum(one.missed for one in self.tested)

    @property
    def missed_share(self) -> float:
        """Share of the hours measured, 0..1; 1 where nothing was."""
        return self.missed / self.known if self.known else 1.0

    @property
    def missed_of_use(self) -> float:
        """Of the hours in use the share that was missed, 0..1; 0 where nothing was needed."""
        used = sum(one.used for one in self.tested)
        return self.missed / used if used else 0.0

    @property
    def upper_bound(self) -> float:
        """Wilson's 95 % upper bound of that share, hours counted as observations."""
        return wilson_upper(self.missed_share, self.known)

    @property
    def today(self) -> float:
        """Hours that ran as things are."""
        return sum(one.today for one in self.tested)

    def saved(self, wishes: Wishes) -> float:
        """Hours of running saved, starts paid for."""
        return sum(one.saved(wishes) for one in self.tested)

    def worth(self, wishes: Wishes) -> float:
        """The same less what the missed hours are worth."""
        return self.saved(wishes) - wishes.risk_price * self.missed


def trial(weeks: Array, running: Array, most: int, wishes: Wishes, held_out: int) -> Trial:
    """Each of the last weeks, by the plan that the weeks before it would have given.

    Args:
        weeks: as `timetable`'s, whole weeks, oldest first.
        running: (slots,) what runs as things are, replicas.
    """
    return Trial(tuple(_tested(weeks, running, most, wishes, held_out)))


def _tested(
    weeks: Array, running: Array, most: int, wishes: Wishes, held_out: int
) -> Iterator[Tested]:
    for at in range(max(wishes.least_weeks, len(weeks) - held_out), len(weeks)):
        plan = timetable(weeks[:at], most, wishes)
        yield came_to(plan, weeks[at], running, wishes, week=at, trained=at)


def came_to(
    plan: Levels, demand: Array, running: Array, wishes: Wishes, *, week: int = 0, trained: int = 0
) -> Tested:
    """What a plan came to in one week.

    Demand above what runs today would have been missed today, and does not count. What has been
    started serves only after its lead: until then demand above the rest is missed.

    Args:
        demand: (slots, samples of a slot) in replicas, NaN = missing.
    """
    there = ~np.isnan(demand)
    counts = there.sum(axis=1)
    known = counts > 0
    level = np.asarray(plan, np.float64)
    missed = _unserved(level, demand, running, wishes).sum(axis=1)[known] / counts[known]
    used = (there & (demand > wishes.least)).sum(axis=1)[known] / counts[known]
    hours = wishes.slot_hours
    return Tested(
        week=week,
        trained=trained,
        known=float(known.sum()) * hours,
        today=float(running[known].sum()) * hours,
        planned=float(np.minimum(level, running)[known].sum()) * hours,
        starts=starts(plan),
        used=float(used.sum()) * hours,
        missed=float(missed.sum()) * hours,
    )


def _unserved(level: Array, demand: Array, running: Array, wishes: Wishes) -> Array:
    """The share of each sample's time in which demand is above what serves, as `demand`'s shape.

    The samples of a slot are taken in their order. Of a machine only their number is known, and
    those in use come first (optimize/weekly.py): of a start this is the worst that may have been.
    """
    samples = demand.shape[1]
    begins = np.arange(samples) * wishes.slot_minutes / samples
    serves, today = level, np.ceil(running)
    missed = _over(demand, serves, today).astype(np.float64)
    for back in range(1, wishes.slots(wishes.lead_minutes) + 1):
        # what was started in the slot so far back serves that many minutes into this one
        late = wishes.lead_minutes - (back - 1) * wishes.slot_minutes
        share = np.clip((late - begins) * samples / wishes.slot_minutes, 0.0, 1.0)
        serves = np.minimum(serves, np.roll(level, back))
        missed = np.maximum(missed, _over(demand, serves, today) * share)
    return missed


def _over(demand: Array, serves: Array, today: Array) -> npt.NDArray[np.bool_]:
    """Where demand is above what serves, and more runs today; nowhere that it is missing."""
    return (demand > serves[:, None]) & (serves < today)[:, None]


def starts(plan: Levels) -> int:
    """Machines started in a week of it, the week being a circle."""
    steps = plan.astype(np.int64) - np.roll(plan, 1)
    return int(np.maximum(steps, 0).sum())
