"""What wall clocks do to a timetable: hours that are left out, and moments in UTC."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from costopt.units import MINUTES_PER_DAY

_MINUTE: Final = timedelta(minutes=1)
_YEARS: Final = 3  # a zone's rule shows in its next change-overs; parliaments plan no further


class Skipped(NamedTuple):
    """Minutes of the week that clocks leave out once a year, when they go forward."""

    weekday: int
    first: int  # minute of the day
    until: int  # exclusive; at most 1440


class Changeover(NamedTuple):
    """Clocks leave an hour out, or have it twice."""

    before: datetime  # wall clock (naive) at which it happens
    minutes: int  # they go forward; negative: back


@cache
def changeovers(time_zone: str, year: int) -> tuple[Changeover, ...]:
    """Every change-over of a zone in that year and the next two, in order."""
    zone = ZoneInfo(time_zone)
    found = []
    day = datetime(year, 1, 1, tzinfo=UTC)
    end = datetime(year + _YEARS, 1, 1, tzinfo=UTC)
    while day < end:
        after = day + timedelta(days=1)
        if _offset(day, zone) != _offset(after, zone):
            found.append(_between(day, after, zone))
        day = after
    return tuple(found)


def skipped(time_zone: str, year: int) -> tuple[Skipped, ...]:
    """Which minutes of the week the zone's clocks leave out at some change-over."""
    found = set()
    for before, minutes in changeovers(time_zone, year):
        if minutes > 0:
            first = before.hour * 60 + before.minute
            # past midnight as well, where a whole hour around it is left out
            for start in range(first, first + minutes, MINUTES_PER_DAY):
                until = min(first + minutes, MINUTES_PER_DAY)
                found.add(Skipped(before.weekday(), start, until))
    return tuple(sorted(found))


def utc(local: datetime, time_zone: str) -> datetime:
    """A wall clock's moment (naive) in UTC; of an hour left out its end, of one twice the first."""
    return wall(local, time_zone).replace(tzinfo=ZoneInfo(time_zone)).astimezone(UTC)


def wall(local: datetime, time_zone: str) -> datetime:
    """The same moment of the wall clock (naive), or the end of the hour that clocks leave out."""
    zone = ZoneInfo(time_zone)
    while local.replace(tzinfo=zone).astimezone(UTC).astimezone(zone).replace(tzinfo=None) != local:
        local += _MINUTE
    return local


def _offset(moment: datetime, zone: ZoneInfo) -> timedelta:
    offset = moment.astimezone(zone).utcoffset()
    assert offset is not None, "an aware moment has an offset"
    return offset


def _between(first: datetime, last: datetime, zone: ZoneInfo) -> Changeover:
    was = _offset(first, zone)
    while last - first > _MINUTE:
        middle = first + (last - first) // 2
        middle -= timedelta(seconds=middle.second, microseconds=middle.microsecond)
        first, last = (middle, last) if _offset(middle, zone) == was else (first, middle)
    wall = (last + was).replace(tzinfo=None)
    return Changeover(wall, round((_offset(last, zone) - was) / _MINUTE))
