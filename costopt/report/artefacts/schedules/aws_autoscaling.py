"""Weekly plans of EC2 Auto Scaling groups as scheduled actions in a CloudFormation template.

An action sets the smallest and the desired size; the largest stays as it is, so that what the group
scales on beside still works. A recurring action knows no exceptions: for a single date it ends
before that day and another one begins after it, and actions that run once stand for the day. The
first time of an action that begins later is its start time itself, because a start time is a time
at which it runs.

Source: EC2 Auto Scaling API, PutScheduledUpdateGroupAction (StartTime, EndTime, Recurrence,
TimeZone); User Guide, "Scheduled scaling" (a time may be used once in a group) and "Quotas" (125
scheduled actions a group); CloudFormation, AWS::AutoScaling::ScheduledAction; "Dynamic references".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from costopt.model.week import DayPlan
from costopt.report.artefacts.base import Artefact
from costopt.report.artefacts.schedules import clock, cron, timetable
from costopt.report.artefacts.schedules.base import (
    Scheduled,
    account_and_region,
    by_place,
    single_dates,
)
from costopt.report.artefacts.schedules.cloudformation import (
    logical,
    stem_of,
    templates,
    timestamp,
)
from costopt.report.artefacts.schedules.ids import auto_scaling_group
from costopt.report.artefacts.schedules.restriction import most_days, with_days

STEM: Final = "aws-autoscaling-schedules"
_ACTIONS: Final = 125
_BEFORE: Final = timedelta(seconds=30)  # no action runs within it, and none at the end itself


@dataclass(frozen=True, slots=True)
class Action:
    """One scheduled action: at a cron's times between two moments, or once at `start`."""

    name: str
    level: int
    recurrence: str | None
    start: datetime | None  # UTC
    end: datetime | None  # UTC


def stands_for(one: Scheduled) -> bool:
    """Whether it is an Auto Scaling group, by its name or ARN."""
    return auto_scaling_group(one) is not None


def refusal(one: Scheduled) -> str | None:
    """More changes a week than a group may have actions, or a name that a template reads."""
    if "{{" in (auto_scaling_group(one) or ""):
        return "CloudFormation would read a reference in the group's name"
    if len(one.firings) > _ACTIONS:
        return f"{len(one.firings):,} scheduled actions, and a group may have {_ACTIONS}"
    return None


def missing(one: Scheduled) -> list[str]:
    """The dates for which there is no room, and a largest size that may be too small."""
    told = single_dates(
        one.plan.days[len(_days(one)) :], f"a group may have {_ACTIONS} scheduled actions"
    )
    replicas = one.recommendation.replicas
    if replicas is not None and one.peak > replicas:
        told.append(f"the largest size of the group, which must be at least {one.peak:,}")
    return told


def artefacts(held: Sequence[Scheduled]) -> list[Artefact]:
    """A template an account and region, more where one would pass CloudFormation's limits."""
    places = by_place(held, account_and_region)
    found: list[Artefact] = []
    for place, ones in places.items():
        resources = [
            (logical(action.name), _resource(one, action))
            for one in ones
            for action in actions(one)
        ]
        told = "Sizes of Auto Scaling groups by the time of the week (costopt)"
        account, region = place
        found += templates(resources, stem_of(STEM, place, len(places)), told, (account, region))
    return found


def actions(one: Scheduled) -> list[Action]:
    """The week's actions, and those of as many single dates as there is room for."""
    return _actions(one, _days(one))


def _days(one: Scheduled) -> tuple[DayPlan, ...]:
    return most_days(one, lambda days: len(_actions(one, days)) <= _ACTIONS)


def _actions(one: Scheduled, days: tuple[DayPlan, ...]) -> list[Action]:
    zone = one.plan.time_zone
    found: list[tuple[int, str | None, datetime | None, datetime | None]] = []
    for firing in one.firings:
        for after, before in timetable.periods(firing, days, one.today):
            start = clock.utc(timetable.first_after(firing, after), zone) if after else None
            end = clock.utc(timetable.at_minute(before, 0), zone) - _BEFORE if before else None
            found.append((firing.level, cron.weekly(firing), start, end))
    for at, level in timetable.once(with_days(one.plan, days)):
        found.append((level, None, clock.utc(at, zone), None))
    return [Action(f"{one.name}-{number:03}", *rest) for number, rest in enumerate(found, 1)]


def _resource(one: Scheduled, action: Action) -> dict[str, Any]:
    properties: dict[str, Any] = {
        "AutoScalingGroupName": auto_scaling_group(one),
        "MinSize": action.level,
        "DesiredCapacity": action.level,
    }
    if action.recurrence:
        properties |= {"Recurrence": action.recurrence, "TimeZone": one.plan.time_zone}
    if action.start:
        properties["StartTime"] = timestamp(action.start)
    if action.end:
        properties["EndTime"] = timestamp(action.end)
    return {"Type": "AWS::AutoScaling::ScheduledAction", "Properties": properties}
