"""What auto-shutdown of Azure's virtual machines can say of a weekly plan: one time, every day.

It only stops. So it stands for a plan whose stops all come at one time of day at which the machine
is off on every day; who starts it is left to people, or to another form.

Source: learn.microsoft.com, Microsoft.DevTestLab/schedules 2018-09-15 (taskType
ComputeVmShutdownTask; the name must be shutdown-computevm- and the machine's; time HHmm;
timeZoneId, Windows' names).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from costopt.report.artefacts.base import Artefact
from costopt.report.artefacts.schedules import arm
from costopt.report.artefacts.schedules.base import (
    Scheduled,
    clock_time,
    days_in_words,
    single_dates,
)
from costopt.report.artefacts.schedules.ids import azure_machine
from costopt.report.artefacts.schedules.timetable import grouped
from costopt.report.artefacts.schedules.zones import no_windows_name, windows_name

STEM: Final = "azure-auto-shutdown"


def stands_for(one: Scheduled) -> bool:
    """Whether it is a virtual machine, by its ARM id."""
    return azure_machine(one) is not None


def refusal(one: Scheduled) -> str | None:
    """Stops at several times of day, or one at which the machine runs on another day."""
    if reason := no_windows_name(one.plan.time_zone):
        return reason
    minutes = {change.minute for change in one.plan.changes() if change.level == 0}
    if len(minutes) != 1:
        return f"it stops at {len(minutes)} times of day, and auto-shutdown has one"
    slot = stop_minute(one) // one.plan.slot_minutes
    if any(one.plan.levels[slot :: one.plan.slots_a_day]):
        return "auto-shutdown comes every day, and at its time the machine runs on some days"
    return None


def missing(one: Scheduled) -> list[str]:
    """The starts, and single dates."""
    starts = [
        f"{days_in_words(on)} {clock_time(minute)}"
        for on, minute, level in grouped(one.plan.changes())
        if level
    ]
    told = [f"the starts ({'; '.join(starts)}): auto-shutdown only stops"]
    return told + single_dates(one.plan.days, "auto-shutdown knows no dates")


def artefacts(held: Sequence[Scheduled]) -> list[Artefact]:
    """A template a resource group, more where one would pass Azure's limits."""
    told = "Stops virtual machines at one time every day (costopt); it starts none"
    return arm.templates(held, STEM, told, azure_machine, _schedule)


def stop_minute(one: Scheduled) -> int:
    """The one minute of the day at which the plan stops."""
    return min(change.minute for change in one.plan.changes() if change.level == 0)


def recurrence_time(one: Scheduled) -> str:
    """1900."""
    return clock_time(stop_minute(one)).replace(":", "")


def _schedule(one: Scheduled) -> dict[str, Any]:
    machine = azure_machine(one)
    assert machine is not None, "only what stands_for() took comes here"
    return {
        "type": "Microsoft.DevTestLab/schedules",
        "apiVersion": "2018-09-15",
        "name": f"shutdown-computevm-{machine.name}",
        "location": arm.location(one),
        "properties": {
            "status": "Enabled",
            "taskType": "ComputeVmShutdownTask",
            "dailyRecurrence": {"time": recurrence_time(one)},
            "timeZoneId": windows_name(one.plan.time_zone),
            "notificationSettings": {"status": "Disabled", "timeInMinutes": 30},
            "targetResourceId": one.resource_id,
        },
    }
