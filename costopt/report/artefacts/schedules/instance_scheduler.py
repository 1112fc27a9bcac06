"""Weekly plans of EC2 instances as AWS Instance Scheduler's schedules, and the tag of each machine.

The template's custom resource makes a machine's schedule, named as the machine is; CloudFormation
cannot tag what it did not make, so the script that deploys sets the tag. A period lies within one
day, its begin not after its end: a night is one period up to 23:59 and one from 00:00, which the
solution joins. Both have both times: beside a period with a begin alone another one's end would
stop nothing, because "any" outweighs "stopped". A machine is looked at every few minutes, by the
wall clock, so change-overs of clocks need nothing.

Source: Instance Scheduler on AWS, Implementation Guide ("Period reference", "Manage schedules using
Infrastructure as Code"); aws-solutions/instance-scheduler-on-aws, configuration/running_period.py
and instance_schedule.py (get_desired_state), handler/cfn_schedule.py.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

from costopt.model.spoken_week import spans
from costopt.model.week import WEEKDAYS, WeekPlan
from costopt.report.artefacts.base import Artefact
from costopt.report.artefacts.schedules.base import (
    ALL_WEEK,
    Scheduled,
    clock_time,
    single_dates,
)
from costopt.report.artefacts.schedules.cloudformation import logical, stacks
from costopt.report.artefacts.schedules.ids import ec2_instance
from costopt.units import MINUTES_PER_DAY

FOLDER: Final = "aws-instance-scheduler"
TAG: Final = "Schedule"  # the solution's own default
_PARAMETER: Final = "ServiceInstanceScheduleServiceTokenARN"
_TAGGING: Final = f"""\
  aws ec2 create-tags --region "$2" --resources "$3" --tags "Key={TAG},Value=$1"
"""
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
    """A template a machine, and a script an account, which tags the machines, too."""
    told = "The solution's output ServiceInstanceScheduleServiceToken"
    given = "${SERVICE_TOKEN:?set it to the output ServiceInstanceScheduleServiceToken}"
    return stacks(
        held,
        FOLDER,
        "Schedules of AWS Instance Scheduler",
        lambda one: {logical(one.name): _schedule(one)},
        parameters={_PARAMETER: {"Type": "String", "Description": told}},
        options=f' \\\n    --parameter-overrides {_PARAMETER}="{given}"',
        after=_TAGGING,
        argument=lambda one: str(ec2_instance(one)),
    )


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


def _schedule(one: Scheduled) -> dict[str, Any]:
    return {
        "Type": "Custom::ServiceInstanceSchedule",
        "Properties": {
            "ServiceToken": {"Ref": _PARAMETER},
            "NoStackPrefix": "True",
            "Name": one.name,
            "Timezone": one.plan.time_zone,
            "RetainRunning": "False",
            "Periods": periods(one.plan),
        },
    }
