"""What the past weeks of a case say of a schedule: the plan, its trial, and why there is none."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Final

import numpy as np
import numpy.typing as npt

from costopt.model.week import DayPlan, WeekPlan
from costopt.optimize.habit import Habit, habit
from costopt.optimize.timetable import Trial, Wishes, timetable, trial
from costopt.optimize.weekly import Weekly, mean
from costopt.profile.special import BUSIEST, Special
from costopt.rules.base import Case
from costopt.rules.schedule_settings import ScheduleSettings
from costopt.units import counted

Array = npt.NDArray[np.float64]
Refusal = tuple[str, str]

_WHOLE: Final = 0.9
"""Share of a week's slots with samples from which on it counts as a whole week."""
_AHEAD: Final = timedelta(days=366)
_WEEKS_AHEAD: Final = 52
_BREATHES: Final = 0.1
"""Of a group's mean count, its count's standard deviation over the week, if it follows demand."""
_FOLLOWS: Final = 0.5
_UNTRIED: Final = Habit(0.0, 0.0, 0)
_NO_TRIAL: Final = Trial(())


@dataclass(frozen=True, slots=True, eq=False)
class Planned:
    """A schedule, and what speaks for it."""

    case: Case
    weekly: Weekly
    wishes: Wishes
    plan: WeekPlan
    whole: tuple[int, ...]  # which of the weeks are
    demand: Array  # (weeks, slots, samples) in replicas, special days left out
    hours_today: float  # that machines run in a week
    hours_then: float  # the same by the plan, days that differ spread over the year
    habit: Habit = _UNTRIED
    trial: Trial = _NO_TRIAL

    @property
    def weeks(self) -> int:
        """Whole weeks that were seen."""
        return len(self.whole)

    def is_worth(self, settings: ScheduleSettings) -> bool:
        """Whether enough hours end; what never runs by its plan has no hours to keep, and to stop
        it for good is another rule's to say."""
        return self.hours_then > 0 and 100 * (1 - self.kept) >= settings.min_savings_percent

    @property
    def kept(self) -> float:
        """Share of today's hours that still run, 0..1."""
        return self.hours_then / self.hours_today if self.hours_today else 1.0


def planned(case: Case, weekly: Weekly, settings: ScheduleSettings) -> Planned:
    """The cheapest schedule for its past weeks, whether or not it may be relied on.

    Of fewer weeks than advice needs each counts as if it were all: the plan is refused, and told is
    whether there is one to wait for.
    """
    # A special day leaves a gap in a week that is otherwise whole.
    seen = (~np.isnan(weekly.demand)).any(axis=2).mean(axis=1)
    whole = np.flatnonzero(seen >= _WHOLE)
    wishes = replace(settings.wishes, least=settings.min_replicas if case.replicas else 0)
    if len(whole) < settings.least_weeks:
        wishes = replace(wishes, least_weeks=1)
    special = settings.special(weekly.time_zone)
    past = special.between(weekly.monday, case.as_of.date() + timedelta(days=1))
    demand = _in_replicas(case, weekly.without([one.day for one in past]), settings)
    most = case.replicas or 1
    week = timetable(demand, most, wishes)
    first = case.as_of.date()
    ahead = special.between(first, first + _AHEAD)
    plan = WeekPlan(weekly.time_zone, tuple(week.tolist()), tuple(_days(week.tolist(), ahead)))
    running = np.minimum(weekly.running, most)
    found = Planned(
        case=case,
        weekly=weekly,
        wishes=wishes,
        plan=plan,
        whole=tuple(whole.tolist()),
        demand=demand,
        hours_today=float(running.sum()) * wishes.slot_hours,
        hours_then=_hours_a_week(plan, running, first),
    )
    if not found.is_worth(settings):  # most machines: there is nothing to try
        return found
    return replace(
        found,
        habit=habit(mean(demand[whole]), settings.held_out_weeks, wishes.least_weeks),
        trial=trial(demand[whole], running, most, wishes, settings.held_out_weeks),
    )


def _in_replicas(case: Case, demand: Array, settings: ScheduleSettings) -> Array:
    if case.replicas is None:
        return demand
    vcpus = case.shape.vcpus if case.shape else np.nan
    return demand / (vcpus * settings.target_percent / 100)


def _days(week: list[int], ahead: tuple[Special, ...]) -> Iterator[DayPlan]:
    """The coming days that differ from what their weekday would have."""
    of_day = len(week) // 7
    days = [tuple(week[day * of_day : (day + 1) * of_day]) for day in range(7)]
    busiest = tuple(max(levels) for levels in zip(*days, strict=True))
    for one in ahead:
        levels = busiest if one.like == BUSIEST else days[one.like]
        if levels != days[one.day.weekday()]:
            yield DayPlan(one.day, levels, one.reason)


def _hours_a_week(plan: WeekPlan, running: Array, first: date) -> float:
    """Machine hours a week by the plan, on average over the next 52: of those that run today."""
    own = {one.day: one.levels for one in plan.days}
    today = running.reshape(7, -1)
    weekdays = np.array([np.minimum(plan.of_weekday(day), today[day]).sum() for day in range(7)])
    slots = float(weekdays.sum())
    for day, levels in own.items():
        if day < first + timedelta(weeks=_WEEKS_AHEAD):
            then = np.minimum(levels, today[day.weekday()]).sum()
            slots += float(then - weekdays[day.weekday()]) / _WEEKS_AHEAD
    return slots * plan.slot_minutes / 60


def unreliable(found: Planned, settings: ScheduleSettings) -> Refusal | None:
    """Why the plan is not to be relied on, though it would save; None: nothing speaks against it.

    The pattern must tell each held-out week better than its mean does, and the plan made of the
    weeks before must keep there what it promises.
    """
    least = settings.least_weeks
    if found.weeks < least:
        seen = f"{counted(found.weeks, 'whole week')} of samples, less than {least}"
        return "short-history", f"{seen}: one week tells nothing of the next"
    told, came = found.habit, found.trial
    if not told.holds or told.worst < settings.least_skill:
        return "no-habit", _unlike(told)
    share = 100 * came.missed_of_use
    if share > settings.max_missed_percent:
        return (
            "habit-broken",
            f"the plan of the weeks before would have missed {came.missed:.1f} hours of the "
            f"held-out ones, {share:.1f} % of those in use",
        )
    if came.worth(found.wishes) <= 0:
        return (
            "not-worth-its-risk",
            f"in the held-out weeks it would have saved {came.saved(found.wishes):.0f} hours and "
            f"missed {came.missed:.1f}, of which each is worth {settings.risk_price:g}",
        )
    return None


def _unlike(told: Habit) -> str:
    """What its weeks lack to be a habit."""
    if not told.weeks:
        return "no held-out week has enough samples to hold a pattern against"
    weeks = "the last week" if told.weeks == 1 else f"of the last {told.weeks} weeks the worst"
    takes = f"loses {100 * told.worst:.0f} % of the error that its mean has"
    adds = "is told no better than by its mean"
    return (
        f"its weeks are not alike enough: told by those before it, {weeks} "
        f"{takes if told.worst > 0 else adds}"
    )


def already_scales(found: Planned) -> bool:
    """Whether a group's count goes up and down with its demand, so that something scales it."""
    counts = found.weekly.counts
    if counts is None:
        return False
    demand = mean(found.weekly.demand)
    both = ~np.isnan(counts) & ~np.isnan(demand)
    if both.sum() < 2:
        return False
    ran, used = counts[both].astype(np.float64), demand[both]
    if ran.std() < _BREATHES * ran.mean() or not used.std():
        return False
    return float(np.corrcoef(ran, used)[0, 1]) > _FOLLOWS
