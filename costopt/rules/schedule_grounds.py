"""What a schedule rests on: the sentence a person can check, its figures, its risk and its past."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, time, timedelta
from types import MappingProxyType
from typing import Any, Final
from zoneinfo import ZoneInfo

from costopt.frame.use import CPU_PERCENT
from costopt.model import Risk
from costopt.model.spoken_week import in_words
from costopt.optimize.timetable import Tested
from costopt.optimize.weekly import mean
from costopt.rules.savings import UNTIL, Estimate
from costopt.rules.schedule_settings import ScheduleSettings
from costopt.rules.timetables import Planned
from costopt.units import counted, provider_key

_METHOD: Final = (
    "share of the held-out weeks' hours in which more was needed than the plan made of the weeks "
    "before would have run; upper bound: Wilson 95 %, hours counted as observations"
)
_START: Final[Mapping[str, str]] = MappingProxyType(
    {
        "aws": "aws ec2 start-instances",
        "azure": "az vm start",
        "gcp": "gcloud compute instances start",
    }
)


def fit(found: Planned) -> str:
    """What its week is, in a sentence."""
    if found.case.replicas is not None:
        return (
            f"{_use(found)}; by the plan {found.hours_then:.0f} of {found.hours_today:.0f} machine "
            "hours a week would stay"
        )
    if not found.hours_then:
        return f"never in use for long at the same hours, over {counted(found.weeks, 'whole week')}"
    return (
        f"in use for {used_hours(found):.0f} of 168 hours a week, and for some of "
        f"{found.hours_then:.0f} in one week or another, over {counted(found.weeks, 'whole week')}"
    )


def reason(found: Planned, estimated: Estimate) -> str:
    """The advice in one sentence with its figures."""
    came = found.trial
    parts = [
        _use(found),
        f"to run {_planned(found)} keeps {found.hours_then:.0f} of {found.hours_today:.0f} "
        "machine hours a week",
        f"made of the weeks before, the plan would have missed {came.missed:.1f} of "
        f"{came.known:.0f} hours in {counted(len(came.tested), 'held-out week')}",
        guard(found),
    ]
    if estimated.stranded_commitment:  # how much is the plan's to say
        waits = f"what a commitment covers of them is saved only once that {UNTIL}"
        parts.insert(2, waits)
    if found.case.replicas is None and not found.weekly.network_measured:
        parts.append("its network is not measured, so CPU alone decided, by a stricter test")
    return "; ".join(parts)


def guard(found: Planned) -> str:
    """What catches the day that differs: no schedule goes without."""
    if found.case.replicas is not None:
        return (
            "keep the group's own scaling on CPU, with the plan as its floor and today's count as "
            "its ceiling"
        )
    command = _START.get(provider_key(found.case.resource.provider_name))
    how = f" ({command}, a button or a chat command)" if command else ""
    return f"let its users start it on demand{how}"


def _use(found: Planned) -> str:
    weeks = counted(found.weeks, "whole week")
    if found.case.replicas is None:
        return f"in use for {used_hours(found):.0f} of 168 hours a week over {weeks}"
    need = mean(found.demand.transpose(1, 0, 2).reshape(found.demand.shape[1], -1), otherwise=0.0)
    return (
        f"{counted(found.case.replicas, 'replica')} run at all hours, and the mean demand of the "
        f"week's hours goes from {need.min():.1f} to {need.max():.1f} of them over {weeks}"
    )


def _planned(found: Planned) -> str:
    plan = found.plan
    if found.case.replicas is None:
        return f"{in_words(plan)} ({plan.time_zone})"
    return f"with {min(plan.levels)} to {max(plan.levels)} by the hour of the week"


def used_hours(found: Planned) -> float:
    """Hours of a week in use, on average."""
    share = mean(mean(found.demand).ravel()[None, :], otherwise=1.0)
    return 168 * float(share[0])


def evidence(found: Planned) -> dict[str, Any]:
    """The figures the decision rests on, ready for JSON."""
    came, plan = found.trial, found.plan
    figures: dict[str, Any] = {
        "schedule": {
            "time_zone": plan.time_zone,
            "slot_minutes": plan.slot_minutes,
            "runs": in_words(plan),
            "hours_a_week": round(found.hours_then, 2),
            "hours_a_week_today": round(found.hours_today, 2),
            "starts_a_week": starts_a_week(found),
            "days": [{"day": one.day.isoformat(), "reason": one.reason} for one in plan.days],
        },
        "weeks": found.weeks,
        "habit": {"skill": round(found.habit.skill, 4), "worst": round(found.habit.worst, 4)},
        "held_out": {
            "weeks": len(came.tested),
            "hours": round(came.known, 2),
            "hours_off": round(sum(one.today - one.planned for one in came.tested), 2),
            "hours_saved": round(came.saved(found.wishes), 2),
            "hours_in_use": round(sum(one.used for one in came.tested), 2),
            "hours_missed": round(came.missed, 2),
        },
        "guard": guard(found),
    }
    if found.case.replicas is None:
        figures["hours_in_use"] = round(used_hours(found), 2)
        figures["network_measured"] = found.weekly.network_measured
    else:
        figures["replicas_today"] = found.case.replicas
        figures["replicas_then"] = {"least": min(plan.levels), "most": max(plan.levels)}
    return figures


def starts_a_week(found: Planned) -> int:
    """Machines started in a week of the plan."""
    levels = found.plan.levels
    return sum(max(0, level - levels[slot - 1]) for slot, level in enumerate(levels))


def risk(found: Planned, settings: ScheduleSettings) -> Risk:
    """How much of the time it would be missed."""
    group = found.case.replicas is not None
    return Risk(
        limit_percent=settings.target_percent if group else CPU_PERCENT,
        expected_share=found.trial.missed_share,
        upper_bound=found.trial.upper_bound,
        method=_METHOD,
    )


def backtest(found: Planned, settings: ScheduleSettings) -> dict[str, Any]:
    """The held-out weeks, ready for JSON, under the names that every rule's replay has."""
    came = found.trial
    decisions = [_decision(found, one, settings) for one in came.tested]
    saved = sum(one["net_savings_percent"] for one in decisions) / len(decisions)
    return {
        "origins": len(decisions),
        "rolled_back": sum(one["rolled_back"] for one in decisions),
        "train_days": 7 * came.tested[-1].trained,
        "test_days": 7,
        "net_savings_percent": round(saved, 2),
        "this_size": {"windows": 0, "rolled_back": 0},
        "decisions": decisions,
    }


def _decision(found: Planned, one: Tested, settings: ScheduleSettings) -> dict[str, Any]:
    monday = found.weekly.monday + timedelta(weeks=found.whole[one.week])
    begins = datetime.combine(monday, time(), ZoneInfo(found.plan.time_zone)).astimezone(UTC)
    missed = 100 * one.missed / one.known if one.known else 0.0
    saved = one.saved(found.wishes) / one.today if one.today else 0.0
    return {
        "origin": begins.isoformat(),
        "instance_type": (found.case.replica or found.case.current).instance_type,
        "rolled_back": 100 * one.missed > settings.max_missed_percent * one.used,
        "added_violations_percent": round(missed, 4),
        "net_savings_percent": round(100 * saved, 2),
    }
