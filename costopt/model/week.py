"""A weekly plan: how much runs at each time of a local week, and on days that differ."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from costopt.units import MINUTES_PER_DAY

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
WEEKDAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


class Change(NamedTuple):
    """From that time of the local week on, that many run."""

    weekday: int  # 0 = Monday
    minute: int  # of the day, 0..1439
    level: int


@dataclass(frozen=True, slots=True)
class DayPlan:
    """What runs on one local date, whatever its weekday."""

    day: date
    levels: tuple[int, ...]  # as many slots as a day of the week has
    reason: str  # "New Year's Day", "month end"


@dataclass(frozen=True, slots=True)
class WeekPlan:
    """How many replicas run at each time of the week (of a machine: 1 = on, 0 = off).

    The plan is kept on the wall clock: where clocks go back an hour comes twice, where they go
    forward one is left out, and neither is made up for.
    """

    time_zone: str  # IANA
    levels: tuple[int, ...]  # Monday 00:00 local first; 168 slots of an hour, 336 of half an hour..
    days: tuple[DayPlan, ...] = ()  # ascending, each date once

    def __post_init__(self) -> None:
        slots = len(self.levels)
        if not slots or slots % 7 or MINUTES_PER_DAY % (slots // 7):
            raise ValueError(f"{slots} slots are no week of whole minutes")
        every = (self.levels, *(one.levels for one in self.days))
        if any(level < 0 for levels in every for level in levels):
            raise ValueError("fewer than no replicas")
        if any(len(one.levels) != self.slots_a_day for one in self.days):
            raise ValueError("a day of other slots than the week's")
        dates = [one.day for one in self.days]
        if dates != sorted(set(dates)):
            raise ValueError("dates must ascend, each once")

    @property
    def slots_a_day(self) -> int:
        """Slots in 24 hours of wall clock."""
        return len(self.levels) // 7

    @property
    def slot_minutes(self) -> int:
        """Minutes of one slot."""
        return MINUTES_PER_DAY // self.slots_a_day

    def of_weekday(self, weekday: int) -> tuple[int, ...]:
        """The levels of a weekday (0 = Monday), midnight first."""
        first = weekday * self.slots_a_day
        return self.levels[first : first + self.slots_a_day]

    def changes(self) -> tuple[Change, ...]:
        """Every time of the week at which another number runs than just before; none: it is flat.

        In the order of the week; the week is a circle, so the first is held against Sunday's end.
        """
        found = []
        for slot, level in enumerate(self.levels):
            if level != self.levels[slot - 1]:
                day, of_day = divmod(slot, self.slots_a_day)
                found.append(Change(day, of_day * self.slot_minutes, level))
        return tuple(found)

    def level_at(self, moment: datetime) -> int:
        """How many run at that moment (aware)."""
        local = moment.astimezone(ZoneInfo(self.time_zone))
        return self._levels_on(local.date())[(local.hour * 60 + local.minute) // self.slot_minutes]

    def replica_hours(self, start: datetime, end: datetime) -> float:
        """Hours that replicas run between two moments (UTC), summed; DST as it falls."""
        step = timedelta(minutes=min(self.slot_minutes, 15))  # zones change on quarter-hours
        hours, at = 0.0, start
        while at < end:
            until = min(end, at + step - (at - _EPOCH) % step)
            hours += self.level_at(at) * ((until - at) / timedelta(hours=1))
            at = until
        return hours

    def _levels_on(self, day: date) -> tuple[int, ...]:
        own = next((one.levels for one in self.days if one.day == day), None)
        return self.of_weekday(day.weekday()) if own is None else own
