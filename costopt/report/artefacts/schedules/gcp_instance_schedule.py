"""Weekly plans of Compute Engine instances as instance schedules: resource policies.

A policy has one cron of starts and one of stops, and an instance follows one policy. So a plan is
expressed where one time list of some weekdays holds all starts, and another all stops; where such a
list names more times, the machine must be on (or off) at these anyway. A policy serves all machines
of one plan, project and region. It takes up to 15 minutes to act.

A policy is named by its times, so one of that name is right as it is. A machine leaves what an
earlier plan put it under, and what no machine follows any more is deleted: Google deletes no policy
that is in use.

Source: cloud.google.com/compute/docs/instances/schedule-instance-start-stop (one schedule an
instance, 1,000 instances a schedule, up to 15 minutes, the service agent's role); Compute API v1,
ResourcePolicyInstanceSchedulePolicy.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise, product
from typing import Final

from costopt.model.week import WeekPlan
from costopt.report.artefacts.base import Artefact
from costopt.report.artefacts.schedules import cron, script, timetable
from costopt.report.artefacts.schedules.base import (
    Scheduled,
    by_place,
    clock_time,
    days_in_words,
    single_dates,
)
from costopt.report.artefacts.schedules.ids import GoogleId, google_machine
from costopt.units import MINUTES_PER_DAY

FOLDER: Final = "gcp-instance-schedules"
_INSTANCES: Final = 1000
_CLOSEST: Final = 15  # minutes: how long a start or stop may take
_FUNCTIONS: Final = """\
policy() {  # NAME PROJECT REGION STARTS STOPS TIME-ZONE
  gcloud compute resource-policies describe "$1" --project="$2" --region="$3" >/dev/null 2>&1 ||
    gcloud compute resource-policies create instance-schedule "$1" --project="$2" --region="$3" \\
      --vm-start-schedule="$4" --vm-stop-schedule="$5" --timezone="$6"
}
follow() {  # INSTANCE PROJECT ZONE REGION POLICY
  follows=
  held=$(gcloud compute instances describe "$1" --project="$2" --zone="$3" \\
    --flatten='resourcePolicies[]' --format='value(resourcePolicies.basename())')
  for one in $held; do
    case $one in
      "$5") follows=yes ;;
      costopt-*)
        gcloud compute instances remove-resource-policies "$1" --project="$2" --zone="$3" \\
          --resource-policies="$one"
        gcloud compute resource-policies delete "$one" --project="$2" --region="$4" --quiet \\
          2>/dev/null || echo "$one: left to the machines that follow it"
        ;;
    esac
  done
  [ "$follows" ] || gcloud compute instances add-resource-policies "$1" --project="$2" \\
    --zone="$3" --resource-policies="$5"
}
"""


@dataclass(frozen=True, slots=True)
class Policy:
    """One instance schedule and the machines under it."""

    name: str
    project: str
    region: str
    starts: str  # cron
    stops: str  # cron
    time_zone: str
    machines: tuple[Scheduled, ...]


def stands_for(one: Scheduled) -> bool:
    """Whether it is a Compute Engine instance, by its full name."""
    return google_machine(one) is not None


def refusal(one: Scheduled) -> str | None:
    """Starts or stops at times that one cron does not say, or too near one another."""
    if not one.plan.changes():
        return "its week never changes, and a policy knows no single dates"
    if one.plan.slot_minutes < _CLOSEST and _closest(one.plan) < _CLOSEST:
        return f"a start and a stop within {_CLOSEST} minutes, as long as either may take"
    for level, what in ((1, "starts"), (0, "stops")):
        if _cron(one.plan, level) is None:
            return f"its {what} ({_times(one.plan, level)}) do not fit one cron"
    return None


def missing(one: Scheduled) -> list[str]:
    """Single dates, and a change in an hour that clocks leave out."""
    told = single_dates(one.plan.days, "a policy knows no single dates")
    for change in timetable.lost_changes(one.plan, one.today.year):
        when = f"{days_in_words([change.weekday])} {clock_time(change.minute)}"
        told.append(f"its change on {when} in the week when clocks leave that hour out")
    return told


def artefacts(held: Sequence[Scheduled]) -> list[Artefact]:
    """One script of gcloud commands: the policies, and each machine under its own."""
    if not held:
        return []
    calls = []
    for one in policies(held):
        place = (one.project, one.region)
        calls.append(script.call("policy", one.name, *place, one.starts, one.stops, one.time_zone))
        calls += [_follow(machine, one) for machine in one.machines]
    told = "Starts and stops instances by the time of the week"
    return script.folder(FOLDER, {}, told, f"{_FUNCTIONS}\n" + script.lines(calls))


def policies(held: Sequence[Scheduled]) -> list[Policy]:
    """As few policies as there are plans, projects and regions, of at most 1,000 machines each."""
    found = []
    for (project, region, name), ones in by_place(held, _place).items():
        for number, first in enumerate(range(0, len(ones), _INSTANCES), 1):
            part = tuple(ones[first : first + _INSTANCES])
            starts, stops = _cron(part[0].plan, 1), _cron(part[0].plan, 0)
            assert starts is not None, "refused otherwise"
            assert stops is not None, "refused otherwise"
            zone = part[0].plan.time_zone
            own = name if number == 1 else f"{name}-{number}"
            found.append(Policy(own, project, region, starts, stops, zone, part))
    return found


def full_name(one: Scheduled) -> GoogleId:
    """The parts of its name, of a machine that the target stands for."""
    found = google_machine(one)
    assert found is not None, "only what stands_for() took comes here"
    return found


def _place(one: Scheduled) -> tuple[str, str, str]:
    plan, where = one.plan, full_name(one)
    week = f"{plan.time_zone} {plan.slots_a_day} {plan.levels}"
    name = f"costopt-{hashlib.sha256(week.encode()).hexdigest()[:12]}"
    return (where.project, where.region, name)


def _follow(one: Scheduled, policy: Policy) -> str:
    where = full_name(one)
    words = (where.name, policy.project, where.place, policy.region, policy.name)
    return f"{script.call('follow', *words)}  # {one.label}"


def _cron(plan: WeekPlan, level: int) -> str | None:
    """The one cron that says all changes to that level; None: there is none."""
    changes = [one for one in plan.changes() if one.level == level]
    weekdays = tuple(sorted({one.weekday for one in changes}))
    hours = sorted({one.minute // 60 for one in changes})
    minutes = {one.minute % 60 for one in changes}
    if len(minutes) != 1:
        return None
    minute = min(minutes)
    for weekday, hour in product(weekdays, hours):
        slot = weekday * plan.slots_a_day + (hour * 60 + minute) // plan.slot_minutes
        if plan.levels[slot] != level:
            return None
    return f"{minute} {','.join(map(str, hours))} * * {cron.days(weekdays)}"


def _times(plan: WeekPlan, level: int) -> str:
    return "; ".join(
        f"{days_in_words(on)} {clock_time(minute)}"
        for on, minute, to in timetable.grouped(plan.changes())
        if to == level
    )


def _closest(plan: WeekPlan) -> int:
    changes = [one.weekday * MINUTES_PER_DAY + one.minute for one in plan.changes()]
    return min(
        (after - at) % (7 * MINUTES_PER_DAY) for at, after in pairwise([*changes, changes[0]])
    )
