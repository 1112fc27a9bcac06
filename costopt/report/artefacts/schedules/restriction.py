"""How many of a plan's single dates a target has room for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from costopt.model.week import DayPlan, WeekPlan
from costopt.report.artefacts.schedules.base import Scheduled


def most_days(one: Scheduled, fits: Callable[[tuple[DayPlan, ...]], bool]) -> tuple[DayPlan, ...]:
    """The earliest dates that fit; what needs room grows with the dates."""
    days = one.plan.days
    low, high = 0, len(days)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if fits(days[:middle]) else (low, middle - 1)
    return days[:low]


def with_days(plan: WeekPlan, days: tuple[DayPlan, ...]) -> WeekPlan:
    """The same week with only those single dates."""
    return replace(plan, days=days)
