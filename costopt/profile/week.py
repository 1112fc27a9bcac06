"""One machine's week: hour-of-week values with the hours measured behind each, on any clock.

An hour of week is a slot 0..167 of local time, Monday 00:00 first.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Final

import numpy as np
import numpy.typing as npt

from costopt.model import Profile
from costopt.profile.clock import QUARTER_SECONDS, week_slots, zone
from costopt.schema import WEEK_SLOTS
from costopt.units import SECONDS_PER_DAY

Array = npt.NDArray[np.float64]
LOCAL: Final = ""
"""In place of a time zone: every machine by its own clock, and these differ."""


@dataclass(frozen=True, slots=True, eq=False)
class Week:
    """Hour-of-week values of one metric of one machine.

    Arrays are float64 (168,). `values` is NaN where `hours` is 0: missing is never zero.
    """

    values: Array  # in the metric's unit
    hours: Array  # hours measured in the slot, over the whole window
    expected: Array  # hours that slot had from the first sample to the window's end
    time_zone: str
    first: datetime
    end: datetime

    def on_clock(self, time_zone: str) -> Week:
        """The same week by another zone's clock: moved by the zones' difference in mid-window.

        An approximation: daylight saving that starts or ends at another date in the two zones
        blurs by an hour. A half-hour difference shares each hour among the two it overlaps.
        """
        middle = self.first + (self.end - self.first) / 2
        ours, theirs = (
            middle.astimezone(zone(name)).utcoffset() for name in (self.time_zone, time_zone)
        )
        assert ours is not None
        assert theirs is not None
        shift = (theirs - ours) / timedelta(hours=1)
        own = Sums.of([self])
        moved = Sums(*(_moved(part, shift) for part in (own.demand, own.hours, own.expected)))
        return replace(
            self,
            values=moved.values[0],
            hours=moved.hours[0],
            expected=moved.expected[0],
            time_zone=time_zone,
        )


@dataclass(frozen=True, slots=True, eq=False)
class Sums:
    """Several weeks in a form that adds up; every array float64 (n, 168)."""

    demand: Array  # value x hours (x capacity)
    hours: Array  # measured (x capacity)
    expected: Array  # that should have been measured (x capacity)

    @staticmethod
    def of(weeks: Sequence[Week], capacities: Sequence[float] = ()) -> Sums:
        """One row a week; a machine of twice the capacity counts twice (default: all the same)."""
        by = np.array(capacities or [1.0] * len(weeks))[:, None]
        hours = np.array([week.hours for week in weeks])
        filled = np.array([np.where(week.hours > 0, week.values, 0.0) for week in weeks])
        expected = np.array([week.expected for week in weeks])
        return Sums(filled * hours * by, hours * by, expected * by)

    def joined(self, rows: Sequence[npt.NDArray[np.intp]]) -> Sums:
        """One row for each of `rows`: what its members come to together."""
        return Sums(
            *(
                np.array([part[row].sum(axis=0) for row in rows])
                for part in (self.demand, self.hours, self.expected)
            )
        )

    @property
    def values(self) -> Array:
        """Demand an hour (and unit of capacity); NaN where nothing was measured."""
        return ratio(self.demand, self.hours)

    @property
    def coverage(self) -> Array:
        """Share 0..1 of the expected samples that are there."""
        return np.minimum(np.nan_to_num(ratio(self.hours, self.expected)), 1.0)

    @property
    def means(self) -> Array:
        """(n,): over all that was measured."""
        return ratio(self.demand.sum(axis=1), self.hours.sum(axis=1))


def machine_week(profiles: Sequence[Profile], metric_name: str, statistic: str) -> Week | None:
    """The machine's week of that metric; None = not measured.

    The whole machine's series where there is one (of several periods the one with most data), else
    the mean over its devices (GPUs).

    Args:
        profiles: of one resource.
        statistic: mean, or p95 (of the samples that fell into the hour).
    """
    series = [p for p in profiles if p.metric_name == metric_name and p.statistic == "mean"]
    best: dict[str, Profile] = {}
    for profile in sorted(series, key=lambda p: p.count * p.period_seconds):
        best[profile.device] = profile
    chosen = [best[""]] if "" in best else [best[device] for device in sorted(best)]
    weeks = [profile_week(profile, statistic) for profile in chosen if any(profile.week_count)]
    if not weeks:
        return None
    return weeks[0] if len(weeks) == 1 else _together(weeks)


def profile_week(profile: Profile, statistic: str) -> Week:
    """A profile's hour-of-week columns with the hours that stand behind them."""
    source = {"mean": profile.week_mean, "p95": profile.week_p95}[statistic]
    hours = np.asarray(profile.week_count, np.float64) * (profile.period_seconds / 3600)
    start = round(profile.first.timestamp())
    length = timedelta(seconds=profile.expected * profile.period_seconds)
    return Week(
        values=np.where(hours > 0, np.asarray(source, np.float64), np.nan),
        hours=hours,
        expected=expected_hours(profile.time_zone, start, profile.period_seconds, profile.expected),
        time_zone=profile.time_zone,
        first=profile.first,
        end=profile.first + length,
    )


@lru_cache(maxsize=4096)
def expected_hours(time_zone: str, start: int, period_seconds: int, periods: int) -> Array:
    """Hours of each local hour of week among `periods` samples from `start` (POSIX seconds).

    Returns:
        float64 (168,), read-only; daylight saving makes one hour short and another long.
    """
    moments = start + period_seconds * np.arange(periods, dtype=np.int64)
    days = range(start // SECONDS_PER_DAY, int(moments[-1]) // SECONDS_PER_DAY + 1)
    slots = np.array([_day_slots(time_zone, day) for day in days]).ravel()
    quarters = (moments - days[0] * SECONDS_PER_DAY) // QUARTER_SECONDS
    counts = np.bincount(slots[quarters], minlength=WEEK_SLOTS)
    hours: Array = counts.astype(np.float64) * (period_seconds / 3600)
    hours.flags.writeable = False
    return hours


@lru_cache(maxsize=65_536)
def _day_slots(time_zone: str, day: int) -> npt.NDArray[np.uint8]:
    return week_slots(zone(time_zone), day)


def clock_of(weeks: Iterable[Week]) -> str:
    """The zone that all weeks share, or LOCAL."""
    zones = {week.time_zone for week in weeks}
    return zones.pop() if len(zones) == 1 else LOCAL


def ratio(part: Array, whole: Array) -> Array:
    """part / whole, NaN where the whole is 0."""
    share: Array = np.divide(part, whole, out=np.full(part.shape, np.nan), where=whole > 0)
    return share


def _moved(slots: Array, shift_hours: float) -> Array:
    whole = int(np.floor(shift_hours))
    rest = shift_hours - whole
    earlier, later = (np.roll(slots, whole + step, axis=-1) for step in (0, 1))
    moved: Array = (1 - rest) * earlier + rest * later
    return moved


def _together(weeks: Sequence[Week]) -> Week:
    """The devices of one machine as one week: each counts the same, by the hours it has."""
    total = Sums.of(weeks).joined([np.arange(len(weeks))])
    return Week(
        values=total.values[0],
        hours=total.hours[0] / len(weeks),
        expected=total.expected[0] / len(weeks),
        time_zone=weeks[0].time_zone,
        first=min(week.first for week in weeks),
        end=max(week.end for week in weeks),
    )
