"""Weekly plans of virtual machine scale sets as profiles of autoscale settings, in ARM templates.

A recurring profile says only when it starts, and lasts until another one does: each change of the
week is a profile. Its least count is the level, its greatest what runs today, and between them its
rules follow CPU: up for what the plan did not foresee, and down after a fall. A single date's
levels are profiles of a fixed date, which go first, in UTC, so that no clock is in question. A
scale set has one autoscale setting: one that exists must be deleted, and what its rules count
beside CPU added here.

A rule adds or takes one machine. It adds above the CPU that the plan is made for, by a tenth, and
takes below half of it: less than half as a machine less would carry the others' load over the upper
bound, where autoscale would not act ("flapping").

Source: learn.microsoft.com, Autoscale with multiple profiles (order of evaluation); "Flapping in
Autoscale"; Autoscale Settings - Create Or Update 2022-10-01 (20 profiles, 10 rules each; counts as
strings; Windows' time zones); supported metrics of virtual machine scale sets ("Percentage CPU").
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from costopt.model.week import DayPlan
from costopt.report.artefacts.base import Artefact
from costopt.report.artefacts.schedules import arm, clock, timetable
from costopt.report.artefacts.schedules.base import Scheduled, single_dates
from costopt.report.artefacts.schedules.ids import scale_set
from costopt.report.artefacts.schedules.restriction import most_days, without
from costopt.report.artefacts.schedules.zones import no_windows_name, windows_name
from costopt.units import counted

STEM: Final = "azure-autoscale-schedules"
_PROFILES: Final = 20
_ADDS, _TAKES = 1.1, 0.5  # of the CPU that the plan is made for
_MOST: Final = 95  # percent: above it nothing would be seen in time
_DAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_TOLD: Final = (
    "Least counts of scale sets by the time of the week, and scaling on CPU above them (costopt). "
    "A scale set has one autoscale setting: where another one stands, delete it, and add here what "
    "its rules count beside CPU."
)


def stands_for(one: Scheduled) -> bool:
    """Whether it is a virtual machine scale set, by its ARM id."""
    return scale_set(one) is not None


def refusal(one: Scheduled) -> str | None:
    """No Windows name of the zone, or more changes than a setting may have profiles."""
    if len(_weekly(one)) > _PROFILES:
        return (
            f"{counted(len(one.firings), 'change')} a week (alike days counted once), "
            f"and a setting may have {_PROFILES} profiles"
        )
    return no_windows_name(one.plan.time_zone)


def missing(one: Scheduled) -> list[str]:
    """The dates for which there is no room."""
    return single_dates(
        without(one.plan.days, _days(one)), f"a setting may have {_PROFILES} profiles"
    )


def artefacts(held: Sequence[Scheduled]) -> list[Artefact]:
    """A template a resource group, more where one would pass Azure's limits."""
    return arm.templates(held, STEM, _TOLD, scale_set, _setting)


def profiles(one: Scheduled) -> list[dict[str, Any]]:
    """The profiles as the API takes them, those of fixed dates last."""
    found = [*_weekly(one), *_dated(one, _days(one))]
    return [{"name": f"costopt-{number:02}", **profile} for number, profile in enumerate(found, 1)]


def _weekly(one: Scheduled) -> list[dict[str, Any]]:
    if not one.firings:  # the same all week: the regular profile, for what the dates leave
        return [_profile(one, one.floor)]
    zone = windows_name(one.plan.time_zone)
    return [
        _profile(
            one,
            firing.level,
            recurrence={
                "frequency": "Week",
                "schedule": {
                    "timeZone": zone,
                    "days": [_DAYS[day] for day in firing.weekdays],
                    "hours": [firing.minute // 60],
                    "minutes": [firing.minute % 60],
                },
            },
        )
        for firing in one.firings
    ]


def _dated(one: Scheduled, days: tuple[DayPlan, ...]) -> list[dict[str, Any]]:
    zone = one.plan.time_zone
    found: list[timetable.Stretch] = []
    for day in days:
        for stretch in timetable.stretches(one.plan, day):
            last = found[-1] if found else None
            if last and (last.end, last.level) == (stretch.start, stretch.level):
                found[-1] = last._replace(end=stretch.end)  # from one day into the next
            else:
                found.append(stretch)
    return [
        _profile(
            one,
            level,
            fixedDate={"timeZone": "UTC", "start": _utc(start, zone), "end": _utc(end, zone)},
        )
        for start, end, level in found
        if clock.utc(start, zone) < clock.utc(end, zone)  # not within an hour left out
    ]


def _days(one: Scheduled) -> tuple[DayPlan, ...]:
    room = _PROFILES - len(_weekly(one))
    return most_days(one, lambda days: len(_dated(one, days)) <= room)


def _profile(one: Scheduled, level: int, **when: Any) -> dict[str, Any]:
    most = max(one.peak, one.recommendation.replicas or 0)
    capacity = {"minimum": str(level), "maximum": str(most), "default": str(level)}
    target = one.target_percent
    rules = [
        _rule(one, "GreaterThan", min(_MOST, round(_ADDS * target)), "Increase"),
        _rule(one, "LessThan", round(_TAKES * target), "Decrease"),
    ]
    return {"capacity": capacity, "rules": rules, **when}


def _rule(one: Scheduled, operator: str, threshold: int, direction: str) -> dict[str, Any]:
    return {
        "metricTrigger": {
            "metricName": "Percentage CPU",
            "metricResourceUri": one.resource_id,
            "timeGrain": "PT1M",
            "statistic": "Average",
            "timeWindow": "PT10M",
            "timeAggregation": "Average",
            "operator": operator,
            "threshold": threshold,
        },
        "scaleAction": {
            "direction": direction,
            "type": "ChangeCount",
            "value": "1",
            "cooldown": "PT5M",
        },
    }


def _utc(local: datetime, zone: str) -> str:
    return f"{clock.utc(local, zone):%Y-%m-%dT%H:%M:%SZ}"


def _setting(one: Scheduled) -> dict[str, Any]:
    return {
        "type": "Microsoft.Insights/autoscaleSettings",
        "apiVersion": "2022-10-01",
        "name": one.name,
        "location": arm.location(one),
        "properties": {
            "name": one.name,
            "enabled": True,
            "targetResourceUri": one.resource_id,
            "profiles": profiles(one),
        },
    }
