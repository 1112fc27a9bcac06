"""Days that differ from their weekday: public holidays, month ends, and the user's own."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from types import MappingProxyType
from typing import Final

from costopt.errors import ConfigError

SUNDAY: Final = 6
BUSIEST: Final = 7
"""In place of a weekday: the most that any weekday needs, slot by slot."""
_NONE: Final[Mapping[date, tuple[int, str]]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Special:
    """One day that differs."""

    day: date
    like: int  # the weekday that it is like (0 = Monday), or BUSIEST
    reason: str


@dataclass(frozen=True, slots=True)
class Days:
    """Which days differ. Of one date the user's own word stands first, then a month's end, then a
    holiday: books are closed on a holiday, too, and a busy day planned as one misses nothing."""

    holidays: str = ""  # ISO 3166: "NL", "US-NY"; "" = none are known
    holidays_like: int = SUNDAY
    month_end: int = 0  # last days of each month that may need as much as any day
    own: Mapping[date, tuple[int, str]] = field(default_factory=lambda: _NONE)

    def between(self, start: date, end: date) -> tuple[Special, ...]:
        """The special days from `start` up to but not on `end`, ascending.

        Raises:
            ConfigError: no such country or part of it.
        """
        found = {one.day: one for one in self._holidays(start, end)}
        found |= {one.day: one for one in self._month_ends(start, end)}
        found |= {day: Special(day, like, reason) for day, (like, reason) in self.own.items()}
        return tuple(found[day] for day in sorted(found) if start <= day < end)

    def _holidays(self, start: date, end: date) -> Iterator[Special]:
        if self.holidays:
            for day, name in holidays_of(self.holidays, range(start.year, end.year + 1)):
                yield Special(day, self.holidays_like, name)

    def _month_ends(self, start: date, end: date) -> Iterator[Special]:
        day = start
        while self.month_end and day < end:
            if day.day > monthrange(day.year, day.month)[1] - self.month_end:
                yield Special(day, BUSIEST, "month end")
            day += timedelta(days=1)


def holidays_of(place: str, years: Iterable[int]) -> list[tuple[date, str]]:
    """Public holidays by name, in English where known; several of one day as one.

    Raises:
        ConfigError: no such country or part of it.
    """
    import holidays  # of the hundred countries only the one named is read

    country, _, part = place.partition("-")
    try:
        known = holidays.country_holidays(
            country, subdiv=part or None, years=list(years), language="en_US"
        )
    except NotImplementedError:
        raise ConfigError(
            f"no public holidays are known of {place!r}",
            where="holidays",
            hint="an ISO 3166 code: NL, DE, DE-BY, US, US-NY",
        ) from None
    return sorted((day, name) for day, name in known.items())
