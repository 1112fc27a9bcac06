"""Local time: which hour of the week it is where a machine's users are."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
from numpy.typing import NDArray

from costopt.errors import InputError
from costopt.units import SECONDS_PER_DAY

QUARTER_SECONDS: Final = 900
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def zone(name: str, *, where: str = "") -> ZoneInfo:
    """The IANA time zone of that name.

    Args:
        where: what names it, for the error.
    Raises:
        InputError: there is no such zone.
    """
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise InputError(
            f"{name!r} is not a time zone",
            where=where,
            hint="use an IANA name such as UTC, Europe/Amsterdam or America/New_York",
        ) from None


class Calendar:
    """The local hours of the week of every resource, by days of UTC quarter-hours.

    Args:
        clocks: ResourceId -> IANA time zone.
        default: of resources that `clocks` does not name.
    Raises:
        InputError: a name is no time zone; the message says whose.
    """

    def __init__(self, clocks: Mapping[str, str], default: str) -> None:
        self._clocks = clocks
        self._default = default
        self._zones = {default: zone(default)}
        for resource_id, name in clocks.items():
            if name not in self._zones:
                self._zones[name] = zone(name, where=f"resource {resource_id}")
        self._days: dict[tuple[str, int], NDArray[np.uint8]] = {}

    def name(self, resource_id: str) -> str:
        """The resource's time zone."""
        return self._clocks.get(resource_id, self._default)

    def hours(self, name: str, first_day: int, days: int) -> NDArray[np.uint8]:
        """week_slots of a zone over some days, remembered."""
        wanted = [(name, first_day + i) for i in range(days)]
        for key in wanted:
            if key not in self._days:
                self._days[key] = week_slots(self._zones[name], key[1])
        return np.concatenate([self._days[key] for key in wanted])


def week_slots(clock: ZoneInfo, day: int) -> NDArray[np.uint8]:
    """The local hour of the week of every quarter-hour of a UTC day, Monday 00:00 local first.

    Every zone in use since 1972 is a whole number of quarter-hours from UTC and changes its clocks
    on one, so a quarter-hour lies in one local hour. Where clocks go back, an hour of the week has
    more than four quarters; where they go forward, one has none.

    Args:
        day: days since 1970, UTC.
    Returns:
        uint8 (96,), 0..167.
    """
    midnight = _EPOCH + timedelta(days=day)
    quarters = (midnight + timedelta(seconds=s) for s in range(0, SECONDS_PER_DAY, QUARTER_SECONDS))
    local = (quarter.astimezone(clock) for quarter in quarters)
    return np.fromiter((t.weekday() * 24 + t.hour for t in local), np.uint8)
