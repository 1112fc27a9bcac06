"""Samples in UTC laid out as local weeks: one row a week, Monday 00:00 of the wall clock first."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Final

import numpy as np
import numpy.typing as npt

from costopt.profile.clock import QUARTER_SECONDS, zone
from costopt.units import SECONDS_PER_DAY

_WEEK_SECONDS: Final = 7 * SECONDS_PER_DAY
_MONDAY: Final = 4 * SECONDS_PER_DAY  # 1970-01-05, from which local weeks are counted


def local_weeks(
    values: npt.NDArray[np.floating],
    first: int,
    period_seconds: int,
    time_zone: str,
    *,
    slot_minutes: int = 60,
    without: Collection[date] = (),
) -> npt.NDArray[np.float64]:
    """The weeks that the samples touch, oldest first.

    Where clocks go back, an hour comes twice: the higher of the two samples counts. Where they go
    forward, an hour is missing that week. Samples longer than a slot stand in each slot they touch.

    Args:
        values: (samples,), NaN = missing.
        first: start of the first sample, POSIX seconds, on the period's grid.
        without: local dates to leave out, as if nothing had been measured.
    Returns:
        float64 (weeks, slots, samples of a slot), NaN = missing.
    Raises:
        ValueError: a period that neither divides the slot nor is divided by it.
    """
    slot_seconds = slot_minutes * 60
    step = min(period_seconds, slot_seconds)
    if slot_seconds % step or period_seconds % step:
        raise ValueError(f"periods of {period_seconds} s do not fit slots of {slot_minutes} min")
    repeated = np.repeat(np.asarray(values, np.float64), period_seconds // step)
    starts = first + step * np.arange(len(repeated), dtype=np.int64)
    there = ~np.isnan(repeated)
    if not len(starts):
        return np.empty((0, _WEEK_SECONDS // slot_seconds, slot_seconds // step))
    local = (
        starts
        + _offsets(time_zone, first, int(starts[-1]) + 1)[
            starts // QUARTER_SECONDS - first // QUARTER_SECONDS
        ]
    )
    if without:
        days = [(day - date(1970, 1, 1)).days for day in without]
        there &= ~np.isin(local // SECONDS_PER_DAY, days)
    at = (local - _MONDAY) // step
    per_week = _WEEK_SECONDS // step
    first_week = int(at.min()) // per_week
    weeks = int(at.max()) // per_week - first_week + 1
    grid = np.full(weeks * per_week, -np.inf)
    np.maximum.at(grid, (at - first_week * per_week)[there], repeated[there])
    grid[np.isneginf(grid)] = np.nan
    return grid.reshape(weeks, _WEEK_SECONDS // slot_seconds, slot_seconds // step)


@lru_cache(maxsize=256)
def _offsets(time_zone: str, first: int, end: int) -> npt.NDArray[np.int64]:
    """Seconds from UTC of every quarter-hour from the one of `first` to the one before `end`.

    Every zone in use since 1972 changes its clocks on a quarter-hour.
    """
    clock = zone(time_zone)
    start = datetime.fromtimestamp(first - first % QUARTER_SECONDS, UTC)
    quarters = range(-(-(end - first + first % QUARTER_SECONDS) // QUARTER_SECONDS))
    moments = (start + timedelta(seconds=QUARTER_SECONDS * i) for i in quarters)
    offsets = (moment.astimezone(clock).utcoffset() or timedelta(0) for moment in moments)
    found = np.fromiter((offset // timedelta(seconds=1) for offset in offsets), np.int64)
    found.flags.writeable = False
    return found
