"""Which of a plan's single dates a target has room for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from costopt.model.week import DayPlan, WeekPlan
from costopt.report.artefacts.schedules.base import Scheduled


def most_days(one: Scheduled, fits: Callable[[tuple[DayPlan, ...]], bool]) -> tuple[DayPlan, ...]:
    """Every date that fits beside those before it: a later one may need less room than one that
    does not."""
    days = one.plan.days
    if fits(days):
        return days
    kept: tuple[DayPlan, ...] = ()
    for day in days:
        if fits((*kept, day)):
            kept = (*kept, day)
    return kept


def without(days: Sequence[DayPlan], kept: Sequence[DayPlan]) -> list[DayPlan]:
    """The dates that have no room, in order."""
    dates = {one.day for one in kept}
    return [one for one in days if one.day not in dates]


def with_days(plan: WeekPlan, days: tuple[DayPlan, ...]) -> WeekPlan:
    """The same week with only those single dates."""
    return replace(plan, days=days)
