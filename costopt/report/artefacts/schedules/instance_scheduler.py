"""Weekly plans of EC2 instances as AWS Instance Scheduler's schedules, and the tag of each machine.

The template's custom resource makes the schedules, one for all machines of one plan; CloudFormation
cannot tag what it did not make, so a script sets the tag. A period lies within one day, its begin
not after its end: a night is one period up to 23:59 and one from 00:00, which the solution joins.
Both have both times: beside a period with a begin alone another one's end would stop nothing,
because "any" outweighs "stopped". A machine is looked at every few minutes, by the wall clock, so
change-overs of clocks need nothing.

Source: Instance Scheduler on AWS, Implementation Guide ("Period reference", "Manage schedules using
Infrastructure as Code"); aws-solutions/instance-scheduler-on-aws, configuration/running_period.py
and instance_schedule.py (get_desired_state), handler/cfn_schedule.py.
"""

from __future__ import annotations

import hashlib
import shlex
from collections.abc import Iterable, Sequence
from typing import Any, Final

from costopt.model.spoken_week import spans
from costopt.model.week import WEEKDAYS, WeekPlan
from costopt.report.artefacts.base import Artefact
from costopt.report.artefacts.schedules.base import (
    ALL_WEEK,
    Scheduled,
    account_and_region,
    by_place,
    clock_time,
    single_dates,
    token,
)
from costopt.report.artefacts.schedules.cloudformation import logical, stem_of, template
from costopt.report.artefacts.schedules.ids import ec2_instance
from costopt.units import MINUTES_PER_DAY

STEM: Final = "aws-instance-scheduler"
TAG: Final = "Schedule"  # the solution's own default
_PARAMETER: Final = "ServiceInstanceScheduleServiceTokenARN"
_NAMES: Final = tuple(day.lower() for day in WEEKDAYS)
_LAST_MINUTE: Final = "23:59"
Span = tuple[int, int]  # minutes of a day, the last exclusive


def stands_for(one: Scheduled) -> bool:
    """Whether it is an EC2 instance, by its id or ARN."""
    return ec2_instance(one) is not None


def refusal(one: Scheduled) -> str | None:
    """A machine that never runs in an ordinary week: a schedule without periods is refused."""
    return None if max(one.plan.levels) else "it has no period at which it runs"


def missing(one: Scheduled) -> list[str]:
    """Its single dates: a period can name a day of every year, but none can take a day out."""
    return single_dates(one.plan.days, "no period can take a date out of another")


def artefacts(held: Sequence[Scheduled]) -> list[Artefact]:
    """A template and a script an account and region."""
    places = by_place(held, account_and_region)
    found = []
    for (account, region), ones in places.items():
        stem = stem_of(STEM, (account, region), len(places))
        schedules = {schedule_name(one.plan): _schedule(one.plan) for one in ones}
        told = "The solution's output ServiceInstanceScheduleServiceToken"
        parameters = {_PARAMETER: {"Type": "String", "Description": told}}
        found.append(
            template(
                {logical(name): schedules[name] for name in sorted(schedules)},
                f"{stem}.json",
                "Schedules of AWS Instance Scheduler (costopt)",
                (account, region),
                parameters=parameters,
                options=f" --parameter-overrides {_PARAMETER}=ARN",
            )
        )
        script = f"{stem}-tags.sh"
        found.append(Artefact(script, _tags(ones, region), f"sh DIR/{script}"))
    return found


def schedule_name(plan: WeekPlan) -> str:
    """The same for the same week; letters, digits and hyphens only."""
    text = f"{plan.time_zone} {plan.slots_a_day} {plan.levels}"
    return f"costopt-{hashlib.sha256(text.encode()).hexdigest()[:12]}"


def periods(plan: WeekPlan) -> list[dict[str, str]]:
    """The times at which it runs, those of alike weekdays in one."""
    days: dict[Span, list[int]] = {}
    for weekday in ALL_WEEK:
        for span in _running(plan.of_weekday(weekday), plan.slot_minutes):
            days.setdefault(span, []).append(weekday)
    return [_period(span, on) for span, on in sorted(days.items())]


def _running(levels: tuple[int, ...], slot_minutes: int) -> Iterable[Span]:
    start: int | None = None
    for slot, level in enumerate((*levels, 0)):
        if level and start is None:
            start = slot
        elif not level and start is not None:
            yield start * slot_minutes, slot * slot_minutes
            start = None


def _period(span: Span, weekdays: list[int]) -> dict[str, str]:
    period = {"WeekDays": spans(tuple(weekdays), _NAMES)}
    if span == (0, MINUTES_PER_DAY):  # without times: all day
        return period
    first, until = span
    ends = _LAST_MINUTE if until == MINUTES_PER_DAY else clock_time(until)
    return {"BeginTime": clock_time(first), "EndTime": ends} | period


def _schedule(plan: WeekPlan) -> dict[str, Any]:
    return {
        "Type": "Custom::ServiceInstanceSchedule",
        "Properties": {
            "ServiceToken": {"Ref": _PARAMETER},
            "NoStackPrefix": "True",
            "Name": schedule_name(plan),
            "Timezone": plan.time_zone,
            "RetainRunning": "False",
            "Periods": periods(plan),
        },
    }


def _tags(ones: Sequence[Scheduled], region: str) -> bytes:
    where = token(region, "REGION")
    lines = [
        "#!/bin/sh",
        "# Puts machines under the schedules of the template (costopt).",
        "set -eu",
        *(
            f"aws ec2 create-tags --region {where} --resources {ec2_instance(one)} "
            f"--tags {shlex.quote(f'Key={TAG},Value={schedule_name(one.plan)}')}  # {one.label}"
            for one in ones
        ),
    ]
    return ("\n".join(lines) + "\n").encode()
