"""What people's clocks and calendars say during one UTC day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

SLOTS: Final = 288
SLOT_SECONDS: Final = 300
HOURS: Final = 24
_PER_HOUR: Final = SLOTS // HOURS

# (month, day): bank holidays on a fixed date; (month, n): on the month's n-th Monday.
_FIXED: Final = {
    "Europe/Amsterdam": {(1, 1), (4, 27), (12, 25), (12, 26)},
    "America/New_York": {(1, 1), (6, 19), (7, 4), (11, 11), (12, 25)},
    "America/Los_Angeles": {(1, 1), (6, 19), (7, 4), (11, 11), (12, 25)},
    "Europe/Zurich": {(1, 1), (8, 1), (12, 25), (12, 26)},
    "Asia/Kolkata": {(1, 26), (8, 15), (10, 2), (12, 25)},  # 2 October: Gandhi Jayanti
}
# The second Monday of October is Columbus Day; California keeps it no more.
_MONDAYS: Final = {
    "America/New_York": {(1, 3), (9, 1), (10, 2)},
    "America/Los_Angeles": {(1, 3), (9, 1)},
}


@dataclass(frozen=True, eq=False, slots=True)
class LocalDay:
    """The 288 five-minute slots of one UTC day on a local clock."""

    offset_seconds: npt.NDArray[np.int64]  # local minus UTC
    hour: npt.NDArray[np.float64]  # 0 <= h < 24, with its fraction
    weekend: npt.NDArray[np.bool_]  # Saturday, Sunday or a public holiday there
    month_end: npt.NDArray[np.bool_]  # from 18:00 on a month's last day to 06:00 on the first


def midnight(day: date) -> datetime:
    """The UTC day's start."""
    return datetime.combine(day, time(), UTC)


def hour_within(moment: datetime, day: date) -> int:
    """The moment's hour of the UTC day, cut to 0..24."""
    return min(HOURS, max(0, int((moment - midnight(day)) / timedelta(hours=1))))


def is_holiday(zone: str, day: date) -> bool:
    """Whether offices of that zone are closed on the (local) date."""
    nth_monday = (day.month, (day.day - 1) // 7 + 1)
    return (day.month, day.day) in _FIXED.get(zone, ()) or (
        day.weekday() == 0 and nth_monday in _MONDAYS.get(zone, ())
    )


@lru_cache(maxsize=64)
def local_day(zone: str, day: date) -> LocalDay:
    """That UTC day on the zone's clock; each hour has its own offset, so DST days come out right.

    Zones whose clocks change within a UTC hour do not exist today.
    """
    hours = [(midnight(day) + timedelta(hours=h)).astimezone(ZoneInfo(zone)) for h in range(HOURS)]
    offsets = [int((moment.utcoffset() or timedelta()).total_seconds()) for moment in hours]
    offset = np.repeat(np.array(offsets, np.int64), _PER_HOUR)
    seconds = np.arange(SLOTS, dtype=np.int64) * SLOT_SECONDS + offset
    shift = seconds // 86_400  # -1, 0 or 1 days from the UTC date
    hour = (seconds % 86_400) / 3600
    dates = [day + timedelta(days=n) for n in (-1, 0, 1)]
    closed = np.array([d.weekday() >= 5 or is_holiday(zone, d) for d in dates])[shift + 1]
    last = np.array([(d + timedelta(days=1)).day == 1 for d in dates])[shift + 1]
    first = np.array([d.day == 1 for d in dates])[shift + 1]
    month_end = (last & (hour >= 18)) | (first & (hour < 6))
    return LocalDay(offset, hour, closed, month_end)
