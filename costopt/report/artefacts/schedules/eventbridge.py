"""Weekly plans of EC2 instances as EventBridge Scheduler's schedules, in CloudFormation templates.

Each schedule starts or stops one machine by EC2's own API; a template is one machine's, and its
role may do that to this machine and nothing else. A time that clocks leave out is not made up for
by the service, so such a change is said again at the hour's end. For a single date the recurring
schedules end before it and others begin after it; `at()` schedules stand for the day.

A machine whose disks are encrypted by a key of one's own starts only if the role may also call
kms:CreateGrant on that key.

Source: EventBridge Scheduler User Guide, "Schedule types" (cron, at, daylight saving time) and
"Using universal targets"; API, CreateSchedule (64 characters of a name; StartDate, EndDate);
CloudFormation, AWS::Scheduler::Schedule; IAM quotas (1,000 roles an account, by request 5,000).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from costopt.report.artefacts.base import Artefact
from costopt.report.artefacts.schedules import clock, cron, timetable
from costopt.report.artefacts.schedules.base import Scheduled
from costopt.report.artefacts.schedules.cloudformation import (
    RESOURCES,
    logical,
    stacks,
    timestamp,
)
from costopt.report.artefacts.schedules.ids import ec2_instance

FOLDER: Final = "eventbridge-schedules"
CALLS: Final = ("stopInstances", "startInstances")  # by level
_EARLIER: Final = timedelta(seconds=30)  # so that a time right at midnight is not in question


@dataclass(frozen=True, slots=True)
class Timer:
    """One schedule: start or stop at the expression's times, between two moments."""

    name: str
    level: int  # 1 = start, 0 = stop
    expression: str  # cron(...) or at(...), on the plan's wall clock
    start: datetime | None  # UTC
    end: datetime | None  # UTC


def stands_for(one: Scheduled) -> bool:
    """Whether it is an EC2 instance, by its id or ARN."""
    return ec2_instance(one) is not None


def refusal(one: Scheduled) -> str | None:
    """More schedules than a template can hold beside their role."""
    if len(timers(one)) >= RESOURCES:
        return f"{len(timers(one)):,} schedules of one machine do not fit a template"
    return None


def missing(one: Scheduled) -> list[str]:
    """Nothing: weeks and single dates can be said."""
    return []


def artefacts(held: Sequence[Scheduled]) -> list[Artefact]:
    """A template a machine, and a script an account."""
    told = "Starts and stops EC2 instances by the time of the week"
    return stacks(held, FOLDER, told, _resources, options=" --capabilities CAPABILITY_IAM")


def timers(one: Scheduled) -> list[Timer]:
    """The schedules of one machine."""
    zone = one.plan.time_zone
    found: list[tuple[int, str, datetime | None, datetime | None]] = []
    for firing in one.firings:
        for after, before in timetable.periods(firing, one.plan.days, one.today):
            # the date after which it recurs ends at the next midnight
            start = clock.utc(timetable.at_minute(after, 1440), zone) - _EARLIER if after else None
            end = clock.utc(timetable.at_minute(before, 0), zone) - _EARLIER if before else None
            found.append((firing.level, cron.eventbridge(firing), start, end))
    for at, level in timetable.once(one.plan):
        real = clock.wall(at, zone)
        found.append((level, f"at({real:%Y-%m-%dT%H:%M:%S})", None, None))
    return [Timer(f"{one.name}-{number:03}", *rest) for number, rest in enumerate(found, 1)]


def target_input(one: Scheduled) -> str:
    """The API call's parameters, as JSON."""
    return json.dumps({"InstanceIds": [ec2_instance(one)]})


def _resources(one: Scheduled) -> dict[str, Any]:
    schedules = {logical(timer.name): _schedule(one, timer) for timer in timers(one)}
    return {"CostoptScheduleRole": _role(one), **schedules}


def _schedule(one: Scheduled, timer: Timer) -> dict[str, Any]:
    call = CALLS[timer.level]
    properties = {
        "Name": timer.name,
        "Description": f"{call} of {ec2_instance(one)} (costopt)",
        "FlexibleTimeWindow": {"Mode": "OFF"},
        "ScheduleExpression": timer.expression,
        "ScheduleExpressionTimezone": one.plan.time_zone,
        "Target": {
            "Arn": {"Fn::Sub": f"arn:${{AWS::Partition}}:scheduler:::aws-sdk:ec2:{call}"},
            "RoleArn": {"Fn::GetAtt": ["CostoptScheduleRole", "Arn"]},
            "Input": target_input(one),
        },
    }
    if timer.start:
        properties["StartDate"] = timestamp(timer.start)
    if timer.end:
        properties["EndDate"] = timestamp(timer.end)
    return {"Type": "AWS::Scheduler::Schedule", "Properties": properties}


def _role(one: Scheduled) -> dict[str, Any]:
    place = "arn:${AWS::Partition}:ec2:${AWS::Region}:${AWS::AccountId}:instance/"
    trusted = {
        "Effect": "Allow",
        "Principal": {"Service": "scheduler.amazonaws.com"},
        "Action": "sts:AssumeRole",
        # so that no schedule of another account can use the role
        "Condition": {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}},
    }
    allowed = {
        "Effect": "Allow",
        "Action": ["ec2:StartInstances", "ec2:StopInstances"],
        "Resource": {"Fn::Sub": f"{place}{ec2_instance(one)}"},
    }
    policy = {
        "PolicyName": "costopt-start-and-stop",
        "PolicyDocument": {"Version": "2012-10-17", "Statement": [allowed]},
    }
    properties = {
        "Description": "Starts and stops the machine that costopt planned; nothing else",
        "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [trusted]},
        "Policies": [policy],
    }
    return {"Type": "AWS::IAM::Role", "Properties": properties}
