"""Weekly plans of managed instance groups as scaling schedules of their autoscaler.

A schedule raises the floor for so many seconds, the highest one counts, and none can lower it. So
the lowest level of the week is the least number of replicas, and each stretch above it a schedule.
A single date may be raised by a schedule that runs once (a cron with a year); where it is lower
than its weekday it stays as the week has it. The group needs an autoscaler with another signal
beside; the file is a patch, which leaves that signal and the greatest number as they are.

Source: cloud.google.com/compute/docs/autoscaler/scaling-schedules (another signal, 128 schedules, 5
minutes at least); Compute API v1, AutoscalingPolicyScalingSchedule (cron with a year) and
autoscalers.patch.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from typing import Any, Final

from costopt.model.week import DayPlan
from costopt.report.artefacts.base import Artefact, pretty, slug
from costopt.report.artefacts.schedules import clock, cron, timetable
from costopt.report.artefacts.schedules.base import Scheduled, single_dates
from costopt.report.artefacts.schedules.ids import GoogleId, instance_group
from costopt.report.artefacts.schedules.pieces import pieces
from costopt.report.artefacts.schedules.restriction import most_days
from costopt.report.artefacts.schedules.timetable import Firing, Stretch

FOLDER: Final = "gcp-scaling-schedules"
_SCHEDULES: Final = 128
_SHORTEST: Final = 300  # seconds
_API: Final = "https://compute.googleapis.com/compute/v1"


def stands_for(one: Scheduled) -> bool:
    """Whether it is a managed instance group, by its full name."""
    return instance_group(one) is not None


def refusal(one: Scheduled) -> str | None:
    """Too many stretches a week, or one too short."""
    weekly = _weekly(one)
    if len(weekly) > _SCHEDULES:
        return f"{len(weekly):,} scaling schedules, and a group may have {_SCHEDULES}"
    if any(schedule["durationSec"] < _SHORTEST for schedule in weekly):
        return f"a level for less than {_SHORTEST // 60} minutes"
    return None


def missing(one: Scheduled) -> list[str]:
    """What single dates have lower, those without room, and a greatest number too small."""
    kept = _days(one)
    lower = [day for day in kept if any(a < b for a, b in _beside(one, day))]
    told = single_dates(lower, "a scaling schedule only raises", "no lower than the week")
    told += single_dates(
        one.plan.days[len(kept) :], f"a group may have {_SCHEDULES} scaling schedules"
    )
    replicas = one.recommendation.replicas
    if replicas is not None and one.peak > replicas:
        told.append(f"the greatest number of replicas, which must be at least {one.peak:,}")
    return told


def artefacts(held: Sequence[Scheduled]) -> list[Artefact]:
    """A patch of its autoscaler for each group."""
    found = []
    for one in held:
        where = full_name(one)
        path = f"{FOLDER}/{slug(where.project, where.place, where.name)}.json"
        found.append(Artefact(path, pretty({"autoscalingPolicy": policy(one)}), _deploy(one, path)))
    return found


def policy(one: Scheduled) -> dict[str, Any]:
    """The part of the autoscaling policy that the plan decides."""
    found = [*_weekly(one), *_raised(one, _days(one))]
    zone = {"timeZone": one.plan.time_zone}
    named = {f"{one.name}-{number:03}": schedule | zone for number, schedule in enumerate(found, 1)}
    return {"minNumReplicas": one.floor, "scalingSchedules": named}


def full_name(one: Scheduled) -> GoogleId:
    """The parts of its name, of a group that the target stands for."""
    found = instance_group(one)
    assert found is not None, "only what stands_for() took comes here"
    return found


def _weekly(one: Scheduled) -> list[dict[str, Any]]:
    return [
        {
            "schedule": cron.weekly(Firing(weekdays, minute, level)),
            "durationSec": minutes * 60,
            "minRequiredReplicas": level,
        }
        for weekdays, minute, minutes, level in pieces(one.plan, one.floor, one.today.year)
    ]


def _raised(one: Scheduled, days: Sequence[DayPlan]) -> list[dict[str, Any]]:
    """Schedules that run once, for what is higher than the week."""
    zone = one.plan.time_zone
    found = []
    for start, end, level in (part for day in days for part in _higher(one, day)):
        seconds = round((clock.utc(end, zone) - clock.utc(start, zone)).total_seconds())
        if seconds:  # not within an hour left out
            at = clock.wall(start, zone)
            found.append(
                {
                    "schedule": f"{cron.yearly(at)} {at.year}",
                    "durationSec": max(_SHORTEST, seconds),
                    "minRequiredReplicas": level,
                }
            )
    return found


def _higher(one: Scheduled, day: DayPlan) -> list[Stretch]:
    """A date's stretches, each only if any of it is above the week's level."""
    size = one.plan.slot_minutes
    weekly = one.plan.of_weekday(day.day.weekday())
    found = []
    for stretch in timetable.stretches(one.plan, day):
        midnight = timetable.at_minute(day.day, 0)
        first, last = (
            round((moment - midnight).total_seconds()) // 60 // size
            for moment in (stretch.start, stretch.end)
        )
        if any(stretch.level > level for level in weekly[first:last]):
            found.append(stretch)
    return found


def _beside(one: Scheduled, day: DayPlan) -> zip[tuple[int, int]]:
    """The date's levels, each with the week's."""
    return zip(day.levels, one.plan.of_weekday(day.day.weekday()), strict=True)


def _days(one: Scheduled) -> tuple[DayPlan, ...]:
    room = _SCHEDULES - len(_weekly(one))
    return most_days(one, lambda days: len(_raised(one, days)) <= room)


def _deploy(one: Scheduled, path: str) -> str:
    where = full_name(one)
    of = f"--{where.scope} {where.place} --project {shlex.quote(where.project)}"
    name = (
        f"$(gcloud compute instance-groups managed describe {where.name} {of} "
        "--format='value(status.autoscaler.basename())')"
    )
    url = f"{_API}/projects/{where.project}/{where.scope}s/{where.place}/autoscalers"
    return (
        'curl -X PATCH -H "Authorization: Bearer $(gcloud auth print-access-token)" '
        f"-H 'Content-Type: application/json' --data @DIR/{path} "
        f'"{url}?autoscaler={name}"'
    )
