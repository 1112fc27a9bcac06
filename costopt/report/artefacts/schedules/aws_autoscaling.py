"""Weekly plans of EC2 Auto Scaling groups as scheduled actions, and a policy that scales on CPU.

An action sets the smallest size alone: a group that has scaled beyond the plan is not cut, neither
where the plan rises nor where it falls. What brings it down after a fall, and up where the plan is
too low, is target tracking on CPU at what the plan is made for; other policies of the group stay as
they are, and of several the largest size wins. Only to 0 an action sets the size itself, for no CPU
is measured of a group without machines. The largest size stays.

A recurring action knows no exceptions: for a single date it ends before that day and another one
begins after it, and actions that run once stand for the day. The first time of an action that
begins later is its start time itself, because a start time is a time at which it runs.

No template but calls: an action that is changed in place keeps the start time that it had, and runs
at it; and two actions of one time are refused, which happens where one is made before another is
deleted. So what an earlier plan left is deleted first.

Source: EC2 Auto Scaling API, BatchPutScheduledUpdateGroupAction (50 at a time; StartTime, EndTime,
Recurrence, TimeZone), PutScalingPolicy; User Guide, "Scheduled scaling" (a time may be used once in
a group; a group below its smallest size is raised to it), "Multiple dynamic scaling policies" and
"Quotas" (125 scheduled actions a group); hashicorp/terraform-provider-aws#41200 (start time kept),
TerraConstructs/base#127 (refused when made at once).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from costopt.model.week import DayPlan
from costopt.report.artefacts.base import Artefact, pretty
from costopt.report.artefacts.schedules import clock, cron, script, timetable
from costopt.report.artefacts.schedules.base import Scheduled, single_dates
from costopt.report.artefacts.schedules.cloudformation import region_of, timestamp
from costopt.report.artefacts.schedules.ids import auto_scaling_group
from costopt.report.artefacts.schedules.restriction import most_days, with_days, without

FOLDER: Final = "aws-autoscaling-schedules"
GUARD: Final = "costopt-guard"
"""The name of the policy that scales on CPU."""
_ACTIONS: Final = 125
_AT_ONCE: Final = 50
_BEFORE: Final = timedelta(seconds=30)  # no action runs within it, and none at the end itself
_FUNCTIONS: Final = f"""\
whole() {{  # WHAT AWS SAYS OF THOSE THAT FAILED, for it calls a batch done even so
  [ -z "$1" ] || {{ printf '%s\\n' "$1" >&2; exit 1; }}
}}
plan() {{  # NAME GROUP REGION PART...
  name=$1 group=$2 region=$3 failed=
  ours="ScheduledUpdateGroupActions[?starts_with(ScheduledActionName, 'costopt-')]"
  shift 3
  aws autoscaling put-scaling-policy --region "$region" \\
    --cli-input-json "file://$name-guard.json" >/dev/null
  held=$(aws autoscaling describe-scheduled-actions --region "$region" \\
    --auto-scaling-group-name="$group" --output text --query "$ours.[ScheduledActionName]")
  [ -z "$held" ] || failed=$(printf '%s\\n' "$held" | xargs -n {_AT_ONCE} \\
    aws autoscaling batch-delete-scheduled-action --region "$region" --output text \\
    --query '(FailedScheduledActions || `[]`)[].[ScheduledActionName, ErrorMessage]' \\
    --auto-scaling-group-name="$group" --scheduled-action-names)
  whole "$failed"
  for part; do
    failed=$(aws autoscaling batch-put-scheduled-update-group-action --region "$region" \\
      --cli-input-json "file://$name-$part.json" --output text --query \\
      '(FailedScheduledUpdateGroupActions || `[]`)[].[ScheduledActionName, ErrorMessage]')
    whole "$failed"
  done
}}
"""


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
    """More changes a week than a group may have actions."""
    if len(one.firings) > _ACTIONS:
        return f"{len(one.firings):,} scheduled actions, and a group may have {_ACTIONS}"
    return None


def missing(one: Scheduled) -> list[str]:
    """The dates for which there is no room, and a largest size that may be too small."""
    told = single_dates(
        without(one.plan.days, _days(one)), f"a group may have {_ACTIONS} scheduled actions"
    )
    replicas = one.recommendation.replicas
    if replicas is not None and one.peak > replicas:
        told.append(f"the largest size of the group, which must be at least {one.peak:,}")
    return told


def artefacts(held: Sequence[Scheduled]) -> list[Artefact]:
    """The calls' parameters in files, and a script an account."""
    told = "Sizes of Auto Scaling groups by the time of the week, and scaling on CPU beside it"
    return script.by_account(FOLDER, held, told, _FUNCTIONS, _made)


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
    return [Action(f"{one.name}-{_digest(what, zone)}", *what) for what in found]


def _digest(what: object, zone: str) -> str:
    """So that another action has another name: what has a name is never changed in place."""
    return hashlib.sha256(f"{what} {zone}".encode()).hexdigest()[:8]


def _made(one: Scheduled) -> tuple[Mapping[str, bytes], str]:
    group = str(auto_scaling_group(one))
    name = {"AutoScalingGroupName": group}
    every = [_request(one, action) for action in actions(one)]
    parts = {
        str(number): every[first : first + _AT_ONCE]
        for number, first in enumerate(range(0, len(every), _AT_ONCE), 1)
    }
    files = {f"{one.name}-guard.json": pretty({**name, "PolicyName": GUARD, **_guard(one)})}
    for number, part in parts.items():
        request = {**name, "ScheduledUpdateGroupActions": part}
        files[f"{one.name}-{number}.json"] = pretty(request)
    return files, script.call("plan", one.name, group, region_of(one), *parts)


def _guard(one: Scheduled) -> dict[str, Any]:
    return {
        "PolicyType": "TargetTrackingScaling",
        "TargetTrackingConfiguration": {
            "PredefinedMetricSpecification": {"PredefinedMetricType": "ASGAverageCPUUtilization"},
            "TargetValue": one.target_percent,
        },
    }


def sizes(level: int) -> dict[str, int]:
    """What an action sets."""
    return {"MinSize": level} if level else {"MinSize": 0, "DesiredCapacity": 0}


def _request(one: Scheduled, action: Action) -> dict[str, Any]:
    request: dict[str, Any] = {"ScheduledActionName": action.name, **sizes(action.level)}
    if action.recurrence:
        request |= {"Recurrence": action.recurrence, "TimeZone": one.plan.time_zone}
    if action.start:
        request["StartTime"] = timestamp(action.start)
    if action.end:
        request["EndTime"] = timestamp(action.end)
    return request
