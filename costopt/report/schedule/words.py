"""How a schedule and its past are said: one place for the table, the story and the picture."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from costopt.model import Recommendation, Skip, WeekPlan
from costopt.model.spoken_week import in_words
from costopt.report import words
from costopt.report.schedule.data import MEDIAN, Week
from costopt.rules.base import Fit
from costopt.units import counted

_TOLD_DATES: Final = 3


def when(plan: WeekPlan) -> str:
    """`Mon-Fri 07:30-19:00 (Europe/Amsterdam)`."""
    return f"{in_words(plan)} ({plan.time_zone})"


def saving(one: Recommendation) -> str:
    """`saves 115.61 USD a month`, and what more once a commitment that covers it ends."""
    amounts = one.estimated_monthly_savings
    told = f"saves {words.amount(amounts.target)} {one.currency} a month"
    if one.stranded_commitment:
        told += (
            f" ({words.amount(amounts.high)} once the commitment that covers it is used "
            "elsewhere, or ends)"
        )
    return told


def hours_off(one: Recommendation) -> str:
    """Machine hours a week that end: `110.5 h`; unknown where the evidence does not tell."""
    told = one.evidence.get("schedule")
    if not isinstance(told, dict):
        return "?"
    return f"{told['hours_a_week_today'] - told['hours_a_week']:.1f} h"


def missed(one: Recommendation) -> str:
    """Of the held-out weeks' hours: `0.2 %`."""
    return words.percent(one.risk.expected_share) if one.risk else "?"


def missed_at_most(one: Recommendation) -> str:
    """Its upper bound: `≤ 1.3 %`."""
    return words.at_most(one.risk.upper_bound) if one.risk else ""


def refused(week: Week) -> str:
    """Why the plan is not advised; "" where it is."""
    if isinstance(week.said, (Skip, Fit)):
        return week.said.detail
    return "" if week.said else "the schedule rule was not asked"


def dates(plan: WeekPlan, most: int = _TOLD_DATES) -> str:
    """The coming dates that differ: `25 Dec 2026 Christmas Day, and 6 more`; "" where none do."""
    named = [f"{one.day:%-d %b %Y} {one.reason}" for one in plan.days[:most]]
    if len(plan.days) > most:
        named.append(f"and {len(plan.days) - most:,} more")
    return ", ".join(named)


def calendar(week: Week) -> str:
    """Whose public holidays its plan knows."""
    if not week.calendar:
        return f"none are known of {week.plan.time_zone} (holidays of rules.schedule)"
    return f"of {week.calendar}"


def held_out(week: Week) -> str:
    """What the plans made of earlier weeks came to: `0.3 of 336 h missed in 2 held-out weeks`."""
    came = week.found.trial
    weeks = counted(len(came.tested), "held-out week")
    return f"{came.missed:.1f} of {came.known:.0f} h missed in {weeks}"


def legend(week: Week) -> Sequence[str]:
    """What `usual`, `high` and `most` are."""
    if week.replicas is None:
        return ("share of the time in use", "share of the weeks in use", "")
    return (
        f"P{100 * MEDIAN:g} of the past weeks",
        f"up to P{100 * week.quantile:g}, which the plan bears",
        "highest sample",
    )
