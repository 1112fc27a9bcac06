"""Weekly plans of managed instance groups as scaling schedules of their autoscaler.

A schedule raises the floor for so many seconds, the highest one counts, and none can lower it. So
the lowest level of the week is the least number of replicas, and each stretch above it a schedule.
A single date may be raised by a schedule that runs once (a cron with a year); where it is lower
than its weekday it stays as the week has it. The group needs an autoscaler with another signal
beside; the file is a patch, which leaves that signal and the greatest number as they are. A patch
leaves the schedules of an earlier plan, too, unless it says null of them: the script asks which
there are and adds that.

Source: cloud.google.com/compute/docs/autoscaler/scaling-schedules (another signal, 128 schedules, 5
minutes at least); Compute API v1, AutoscalingPolicyScalingSchedule (cron with a year) and
autoscalers.patch; gcloud, which removes a schedule by a null (managed_instance_groups_utils.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from costopt.model.week import DayPlan
from costopt.report.artefacts.base import Artefact, pretty
from costopt.report.artefacts.schedules import clock, cron, script, timetable
from costopt.report.artefacts.schedules.base import Scheduled, single_dates
from costopt.report.artefacts.schedules.ids import GoogleId, instance_group
from costopt.report.artefacts.schedules.pieces import pieces
from costopt.report.artefacts.schedules.restriction import most_days, without
from costopt.report.artefacts.schedules.timetable import Firing, Stretch

FOLDER: Final = "gcp-scaling-schedules"
_SCHEDULES: Final = 128
_SHORTEST: Final = 300  # seconds
_AHEAD: Final = timedelta(minutes=30)  # of an hour that comes twice: the start itself does not
_YEAR: Final = timedelta(days=366)
_FUNCTIONS: Final = """\
api=https://compute.googleapis.com/compute/v1
ask() {  # WHAT IS GIVEN TO CURL
  curl -sS --fail -H "Authorization: Bearer $(gcloud auth print-access-token)" \\
    -H 'Content-Type: application/json' "$@"
}
plan() {  # FILE GROUP PROJECT zone|region PLACE
  autoscaler=$(gcloud compute instance-groups managed describe "$2" --project="$3" "--$4=$5" \\
    --format='value(status.autoscaler.basename())')
  [ "$autoscaler" ] || { echo "$2 has no autoscaler: give it one, on CPU say" >&2; exit 1; }
  all=$api/projects/$3/$4s/$5/autoscalers
  held=$(ask "$all/$autoscaler")
  gone=
  for name in $(printf '%s' "$held" | grep -o '"costopt-[a-z0-9-]*"' | sort -u); do
    grep -q "$name" "$1" || gone="$gone$name: null, "
  done
  sed 's/"scalingSchedules": {/&'"$gone"'/' "$1" |
    ask -X PATCH --data @- "$all?autoscaler=$autoscaler"
}
"""


def stands_for(one: Scheduled) -> bool:
    """Whether it is a managed instance group, by its full name."""
    return instance_group(one) is not None


def refusal(one: Scheduled) -> str | None:
    """Too many stretches a week, one too short, or none."""
    weekly = [*_weekly(one), *_twice(one)]
    if not policy(one)["scalingSchedules"]:
        return "it is never above the week's lowest level, and a scaling schedule only raises"
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
        without(one.plan.days, kept), f"a group may have {_SCHEDULES} scaling schedules"
    )
    replicas = one.recommendation.replicas
    if replicas is not None and one.peak > replicas:
        told.append(f"the greatest number of replicas, which must be at least {one.peak:,}")
    return told


def artefacts(held: Sequence[Scheduled]) -> list[Artefact]:
    """A patch of its autoscaler for each group, and the script that sends them."""
    if not held:
        return []
    files, calls = {}, []
    for one in held:
        where = full_name(one)
        file = f"{one.name}.json"
        files[file] = pretty({"autoscalingPolicy": policy(one)})
        words = (file, where.name, where.project, where.scope, where.place)
        calls.append(f"{script.call('plan', *words)}  # {one.label}")
    told = "Least sizes of managed instance groups by the time of the week"
    return script.folder(FOLDER, files, told, f"{_FUNCTIONS}\n" + script.lines(calls))


def policy(one: Scheduled) -> dict[str, Any]:
    """The part of the autoscaling policy that the plan decides."""
    found = [*_weekly(one), *_twice(one), *_raised(one, _days(one))]
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


def _twice(one: Scheduled) -> list[dict[str, Any]]:
    """Schedules that run once, over an hour that the year ahead has twice: a stretch that begins or
    ends about it has run its seconds before the hour is over."""
    zone = ZoneInfo(one.plan.time_zone)
    found = []
    for before, minutes in clock.changeovers(one.plan.time_zone, one.today.year):
        back = -timedelta(minutes=minutes)
        if minutes > 0 or not one.today < (before - back).date() <= one.today + _YEAR:
            continue
        slots = range(-1, 1 + 2 * -minutes // one.plan.slot_minutes)
        walls = [before - back + slot * timedelta(minutes=one.plan.slot_minutes) for slot in slots]
        near = [one.plan.level_at(wall.replace(tzinfo=zone, fold=1)) for wall in walls]
        if len(set(near)) > 1:  # else one stretch holds all of it
            found.append(_once(before - back - _AHEAD, 2 * back + _AHEAD, max(near)))
    return found


def _once(start: datetime, lasting: timedelta, level: int) -> dict[str, Any]:
    return {
        "schedule": f"{cron.yearly(start)} {start.year}",
        "durationSec": max(_SHORTEST, round(lasting.total_seconds())),
        "minRequiredReplicas": level,
    }


def _raised(one: Scheduled, days: Sequence[DayPlan]) -> list[dict[str, Any]]:
    """Schedules that run once, for what is higher than the week."""
    zone = one.plan.time_zone
    found = []
    for start, end, level in (part for day in days for part in _higher(one, day)):
        lasting = clock.utc(end, zone) - clock.utc(start, zone)
        if lasting:  # not within an hour left out
            found.append(_once(clock.wall(start, zone), lasting, level))
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
    room = _SCHEDULES - len(_weekly(one)) - len(_twice(one))
    return most_days(one, lambda days: len(_raised(one, days)) <= room)
