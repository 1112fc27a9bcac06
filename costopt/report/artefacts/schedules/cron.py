"""Cron expressions, of five fields and of EventBridge's six."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from costopt.model.spoken_week import spans
from costopt.report.artefacts.schedules.timetable import Firing

_NUMBERS: Final = tuple("0123456")  # of cron: 0 = Sunday
_NAMES: Final = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")


def weekly(firing: Firing) -> str:
    """30 8 * * 1-5: at that time of those weekdays."""
    hour, minute = divmod(firing.minute, 60)
    return f"{minute} {hour} * * {days(firing.weekdays)}"


def days(weekdays: tuple[int, ...]) -> str:
    """The fifth field: *, 1-5, 0,6, of weekdays (0 = Monday)."""
    return "*" if len(weekdays) == 7 else spans(_from_sunday(weekdays), _NUMBERS)


def eventbridge(firing: Firing) -> str:
    """cron(30 8 ? * MON-FRI *)."""
    hour, minute = divmod(firing.minute, 60)
    on = "*" if len(firing.weekdays) == 7 else spans(_from_sunday(firing.weekdays), _NAMES)
    return f"cron({minute} {hour} ? * {on} *)"


def yearly(moment: datetime) -> str:
    """30 8 24 12 *: at that minute of that day, in every year."""
    return f"{moment.minute} {moment.hour} {moment.day} {moment.month} *"


def _from_sunday(weekdays: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(sorted((day + 1) % 7 for day in weekdays))
