"""Clocks that were put forward or back: the daily rhythm moves by whole hours within the window.

Percentiles do not care, so sizing does not; the 7x24 week and schedules do, and a window that mixes
two clocks shows a rhythm twice as wide as it is. One hour may be a summer time that the resource's
zone does not name, or a job that crossed the full hour: people are told, nothing is refused.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from costopt.frame.days import Key, Shard, Spans
from costopt.frame.witness import CPU
from costopt.units import SECONDS_PER_DAY

MIN_DAYS: Final = 14
"""Fewer, and a half holds less than every second day of a week."""
MIN_RHYTHM: Final = 0.9
"""Correlation between the medians of odd and of even days, in both halves, that a rhythm needs.
With 0.9 and the margin below, over six windows of 14, 28 and 60 days of 300 Bitbrains VMs, 36 to 70
VMs have a rhythm, and 73 to 97 in 100 shifts of 1 to 12 hours put into these are found; untouched,
8 of 1,800 are, 7 of them by one hour (nightly jobs that drift across the full hour)."""
MARGIN: Final = 0.05

_HOUR: Final = 3600


@dataclass(frozen=True, slots=True)
class Shift:
    """The rhythm of the second half of a resource's days is that of the first, moved."""

    hours: int  # -11..12; positive: later
    middle: date  # first day of the second half; the change itself may lie on either side
    before: float  # correlation of the halves' rhythms as they are
    after: float  # and with the second half moved back


def shifts(
    shard: Shard, wanted: Set[Key], spans: Spans, clocks: Mapping[str, str]
) -> dict[str, Shift]:
    """Per resource with one: how the rhythm of its CPU moved by its own wall clock.

    Args:
        wanted: the series that count.
        clocks: ResourceId -> IANA zone, so that summer time moves nothing.
    """
    keys = [
        key
        for key in shard.keys
        if key in wanted
        and (key.metric_name, key.statistic, key.device) == (CPU, "mean", "")
        and _HOUR % key.period_seconds == 0
    ]
    if not keys:
        return {}
    first, hours = _utc_hours(shard, keys, spans)
    local = _local(hours, first, [clocks.get(key.resource_id, "UTC") for key in keys])
    begin, length = _extent(local)
    rhythms = _rhythms(local, begin + length // 2)
    likeness = _likeness(rhythms)
    found = {}
    for number in np.flatnonzero((length >= MIN_DAYS) & _moved(rhythms, likeness)):
        later = int(likeness[number].argmax())
        middle = int(first + begin[number] + length[number] // 2)
        found[keys[number].resource_id] = Shift(
            hours=later - 24 if later > 12 else later,
            middle=date(1970, 1, 1) + timedelta(days=middle),
            before=float(likeness[number, 0]),
            after=float(likeness[number, later]),
        )
    return found


def _utc_hours(shard: Shard, keys: list[Key], spans: Spans) -> tuple[int, NDArray[np.float32]]:
    """A first day (since 1970), and the (keys, days, 24) hourly means from it on; NaN = missing."""
    numbers = {key: number for number, key in enumerate(keys)}
    place = np.array([numbers.get(key, -1) for key in shard.keys], np.int64)
    chosen = shard.choose(set(keys))
    days = shard.midnights // SECONDS_PER_DAY
    first = int(days[chosen].min()) - 1  # a day of room on both sides, for zones off UTC
    hours = np.full((len(keys), int(days[chosen].max()) + 2 - first, 24), np.nan, np.float32)
    for block in shard.inside(chosen, spans):
        hours[place[block.series], days[block.rows] - first] = _means(block.values)
    return first, hours


def _means(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """(rows, 24) means of the samples in each hour; NaN where there is none."""
    by_hour = values.reshape(len(values), 24, -1)
    present = ~np.isnan(by_hour)
    count = present.sum(axis=2)
    total = np.where(present, by_hour, 0.0).sum(axis=2)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def _local(hours: NDArray[np.float32], first: int, zones: Sequence[str]) -> NDArray[np.float32]:
    """The same by each series' own wall clock, to the whole hour below."""
    days = hours.shape[1]
    offsets = {zone: _offsets(zone, first, days) for zone in set(zones)}
    moved = (
        np.arange(days * 24).reshape(days, 24) + np.array([offsets[z] for z in zones])[..., None]
    )
    local = np.full_like(hours, np.nan).reshape(len(hours), -1)
    inside = (moved >= 0) & (moved < days * 24)
    series = np.broadcast_to(np.arange(len(hours))[:, None, None], moved.shape)
    local[series[inside], moved[inside]] = hours[inside]
    return local.reshape(hours.shape)


def _offsets(zone: str, first: int, days: int) -> list[int]:
    """Whole hours that the zone is ahead of UTC at noon of each day."""
    clock = ZoneInfo(zone)
    noon = datetime(1970, 1, 1, 12, tzinfo=UTC)
    found = []
    for day in range(first, first + days):
        offset = (noon + timedelta(days=day)).astimezone(clock).utcoffset()
        assert offset is not None  # ZoneInfo always knows
        found.append(offset // timedelta(hours=1))
    return found


def _extent(hours: NDArray[np.float32]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """(series,) the first day that holds anything, and the days from it to the last such."""
    there: NDArray[np.bool_] = np.asarray(~np.isnan(hours).all(axis=2))
    begin = there.argmax(axis=1)
    end = there.shape[1] - there[:, ::-1].argmax(axis=1)
    return begin, np.where(there.any(axis=1), end - begin, 0)


def _rhythms(hours: NDArray[np.float32], middle: NDArray[np.int64]) -> NDArray[np.float64]:
    """(series, half, odd or even, 24) the median day."""
    days = np.arange(hours.shape[1])
    second = days >= middle[:, None]
    found = np.empty((len(hours), 2, 2, 24))
    for half in (0, 1):
        for odd in (0, 1):
            chosen = (second == half) & (days % 2 == odd)
            found[:, half, odd] = _median(np.where(chosen[..., None], hours, np.nan))
    return found


def _median(hours: NDArray[np.float32]) -> NDArray[np.float64]:
    """(series, 24) medians over days, as np.nanmedian but sorted all at once."""
    ordered = np.sort(hours, axis=1)  # NaN last
    count = (~np.isnan(hours)).sum(axis=1, keepdims=True)
    low = np.take_along_axis(ordered, np.maximum(count - 1, 0) // 2, axis=1)
    high = np.take_along_axis(ordered, np.minimum(count // 2, hours.shape[1] - 1), axis=1)
    middle: NDArray[np.float64] = (low.astype(np.float64) + high)[:, 0] / 2
    return middle


def _moved(rhythms: NDArray[np.float64], likeness: NDArray[np.float64]) -> NDArray[np.bool_]:
    """(series,) whether both halves have a rhythm, the same, but not at the same hours."""
    firmness = _correlation(rhythms[:, :, 0], rhythms[:, :, 1]).min(axis=1)
    gain = likeness.max(axis=1) - likeness[:, 0]
    moved: NDArray[np.bool_] = (
        (firmness >= MIN_RHYTHM)
        & (likeness.max(axis=1) >= MIN_RHYTHM)
        & (gain > 1 - firmness + MARGIN)
    )
    return moved


def _likeness(rhythms: NDArray[np.float64]) -> NDArray[np.float64]:
    """(series, 24) correlation of the first half with the second moved back by 0..23 hours."""
    one, other = rhythms.mean(axis=2).transpose(1, 0, 2)
    return np.stack(
        [_correlation(one, np.roll(other, -hours, axis=1)) for hours in range(24)], axis=1
    )


def _correlation(one: NDArray[np.float64], other: NDArray[np.float64]) -> NDArray[np.float64]:
    """Pearson's r over the last axis; 0 where one is constant, or has an hour without data."""
    a = one - one.mean(axis=-1, keepdims=True)
    b = other - other.mean(axis=-1, keepdims=True)
    scale = np.sqrt((a * a).sum(axis=-1) * (b * b).sum(axis=-1))
    known = scale > 0
    return np.where(known, (a * b).sum(axis=-1) / np.where(known, scale, 1.0), 0.0)
