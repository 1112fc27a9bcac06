"""How much memory a machine must keep. Arrays in, arrays out; percent of today's memory.

Memory is not CPU: too little of it is not slow, a process is killed, and one sample is enough. So
it is sized on the highest of all samples known, never on a percentile, and by the largest of three:

- headroom: a share of the new memory stays free at that peak;
- growth: on the machine's own past, by how much did the next fortnight exceed all that was known
  before it? It may do so again;
- trend: daily peaks that rise steadily over the last fortnight (a leak, a filling cache) are
  carried on to the end of the horizon, and have their headroom there.

When it fails: "memory in use" must be what a process cannot do without. What a hypervisor calls
active memory is less, and file caches are more. A machine already at 100 % may want more than is
seen. The first time of anything (a release, a month's end in a lookback of a fortnight) is in no
past; `headroom.py` counts how often that was so on the fleet.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Int8s = npt.NDArray[np.int8]

HORIZON_DAYS: Final = 14
"""How long a size must last until it is looked at again: the test windows of the experiments."""

KNOWN_DAYS: Final = 7
"""Days with samples that a peak must rest on: 7 days are useful, fewer are not (facts: decisions,
"Sufficiency")."""

TREND_DAYS: Final = 14
RISING_Z: Final = 2.3263478740408408
"""One-sided 1 % of the normal distribution. Daily peaks are not independent, so more than one flat
machine in a hundred is taken for rising; it then keeps more memory than it needs."""

UNKNOWN, HEADROOM, GROWTH, TREND = -1, 0, 1, 2
"""What decides the memory needed; of equals the first."""

UNSEEN, HELD, FAILED = -1, 0, 1
"""What became of a window."""


@dataclass(frozen=True, slots=True, eq=False)
class MemoryNeeds:
    """Per machine; percent of today's memory."""

    peak: Floats  # highest of the lookback; NaN = no samples, or none but zeros (no measurement)
    growth: Floats  # largest ratio of a later peak to all before it, at least 1; 1 = not known
    trend: Floats  # points a day; 0 = does not rise steadily
    needed: Floats  # may exceed 100; NaN = fewer than `KNOWN_DAYS` days have samples
    binding: Int8s  # HEADROOM | GROWTH | TREND | UNKNOWN


def daily_peaks(samples: npt.NDArray[Any], slots_a_day: int) -> Floats:
    """(machines, days): the highest sample of each day; NaN where a day has none.

    Args:
        samples: (machines, slots) memory in use, percent, whole days, oldest first; NaN = missing.
            Maxima of each period where they are collected, for means hide short peaks.
    Raises:
        ValueError: the slots are not whole days.
    """
    machines, slots = samples.shape
    if slots % slots_a_day:
        raise ValueError(f"{slots} slots are not whole days of {slots_a_day}")
    days = samples.reshape(machines, slots // slots_a_day, slots_a_day)
    return np.asarray(np.fmax.reduce(days, axis=2), np.float64)


def memory_needs(
    daily_peaks: npt.NDArray[Any], headroom_percent: float, horizon_days: int = HORIZON_DAYS
) -> MemoryNeeds:
    """The memory each machine needs until the end of the horizon, and what decides it.

    needed = max(peak * max(1 / (1 - headroom), growth), projected / (1 - headroom)), where
    projected is the highest of the last fortnight plus the trend, from the last day seen to the
    horizon's end. More headroom or a longer horizon never gives less.

    Args:
        daily_peaks: (machines, days) percent of today's memory, oldest first; NaN = no sample.
            One day at least.
        headroom_percent: share of the *new* memory to keep free, 0 <= headroom < 100.
    """
    past = _past(np.asarray(daily_peaks, np.float64), horizon_days)
    needs = _each(past, headroom_percent)
    largest = np.fmax.reduce(needs, axis=0)
    first = np.argmax(needs == largest, axis=0)
    return MemoryNeeds(
        peak=past.peak,
        growth=past.growth,
        trend=past.trend,
        needed=largest,
        binding=np.where(np.isnan(largest), UNKNOWN, first).astype(np.int8),
    )


def memory_windows(
    daily_peaks: npt.NDArray[Any],
    origins: Sequence[int],
    test_days: int,
    headrooms_percent: Sequence[float],
) -> Int8s:
    """(headrooms, machines, origins): whether the memory chosen at an origin held in the test.

    At each origin `memory_needs` sees the days before it only. FAILED where a later sample exceeds
    the size, HELD where none does or the machine keeps all it has (needed 100 % or more), UNSEEN
    where the test has no samples, or the past too few for a size.

    Args:
        daily_peaks: (machines, days) as of `memory_needs`.
        origins: day indices: the first day of each test window.
    Raises:
        ValueError: a test window does not lie within the days, or has no days before it.
    """
    peaks = np.asarray(daily_peaks, np.float64)
    if any(not 0 < o <= peaks.shape[1] - test_days for o in origins) or test_days < 1:
        raise ValueError(
            f"windows of {test_days} days from {list(origins)} are not within {peaks.shape[1]} days"
        )
    found = np.full((len(headrooms_percent), len(peaks), len(origins)), UNSEEN, np.int8)
    for k, origin in enumerate(origins):
        past = _past(peaks[:, :origin], test_days)
        later = np.fmax.reduce(peaks[:, origin : origin + test_days], axis=1)
        for h, headroom in enumerate(headrooms_percent):
            size = np.fmax.reduce(_each(past, headroom), axis=0)
            failed = np.where((later > size) & (size < 100), FAILED, HELD)
            found[h, :, k] = np.where(np.isnan(later) | np.isnan(size), UNSEEN, failed)
    return found


class _Past(NamedTuple):
    peak: Floats
    growth: Floats
    trend: Floats
    projected: Floats  # percent; NaN where nothing rises
    enough: Bools


def _past(peaks: Floats, horizon_days: int) -> _Past:
    """What sizes are made of, whatever the headroom."""
    highest = np.fmax.reduce(peaks, axis=1, initial=np.nan)
    recent = peaks[:, -TREND_DAYS:]
    trend = _trend(recent)
    seen = ~np.isnan(recent)
    silent = np.argmax(seen[:, ::-1], axis=1)  # days since the last sample
    projected = np.fmax.reduce(recent, axis=1, initial=np.nan) + trend * (horizon_days + silent)
    return _Past(
        peak=np.where(highest > 0, highest, np.nan),
        growth=_growth(peaks, horizon_days),
        trend=trend,
        projected=np.where(trend > 0, projected, np.nan),
        enough=(~np.isnan(peaks)).sum(axis=1) >= KNOWN_DAYS,
    )


def _each(past: _Past, headroom_percent: float) -> Floats:
    """(3, machines): what headroom, growth and trend each ask for, in the order of their codes."""
    free = 1 - headroom_percent / 100
    needs = np.stack([past.peak / free, past.peak * past.growth, past.projected / free])
    return np.where(past.enough, needs, np.nan)


def _growth(peaks: Floats, horizon_days: int) -> Floats:
    """Over the days of the past, the largest ratio of the highest peak of the next `horizon_days`
    (as far as they are known) to the highest before; at least 1.

    A day counts as an origin from `KNOWN_DAYS` days with samples on, and where those are not all 0.
    """
    days = peaks.shape[1]
    before = np.fmax.accumulate(peaks, axis=1)[:, :-1]
    known = np.cumsum(~np.isnan(peaks), axis=1)[:, :-1] >= KNOWN_DAYS
    later = peaks[:, 1:].copy()
    for ahead in range(1, min(horizon_days, days - 1)):
        reached = later[:, :-ahead]
        np.fmax(reached, peaks[:, 1 + ahead :], out=reached)
    counts = known & (before > 0)
    ratio = np.divide(later, before, out=np.full(later.shape, np.nan), where=counts)
    return np.asarray(np.fmax.reduce(ratio, axis=1, initial=1.0))


def _trend(peaks: Floats) -> Floats:
    """Points a day by which daily peaks rise, 0 where they do not rise steadily.

    The slope is the median of the slopes between any two days, which a few odd days do not move;
    steadily is by a rank test of the same pairs, with its correction for ties, at one-sided 1 %.

    Args:
        peaks: (machines, some days); NaN = no sample. Fewer than `KNOWN_DAYS` of them: 0.
    Source:
        Sen: Estimates of the regression coefficient based on Kendall's tau, JASA 63 (1968); Mann:
        Nonparametric tests against trend, Econometrica 13 (1945); Kendall: Rank Correlation
        Methods (1975), the variance with ties and the correction for continuity.
    """
    first, second = np.triu_indices(peaks.shape[1], 1)
    rise = peaks[:, second] - peaks[:, first]
    score = np.nansum(np.sign(rise), axis=1)
    days = (~np.isnan(peaks)).sum(axis=1)
    equal = (peaks[:, :, None] == peaks[:, None, :]).sum(axis=2)  # each day's tie, itself counted
    ties = np.where(equal > 0, (equal - 1) * (2 * equal + 5), 0).sum(axis=1)
    variance = (days * (days - 1) * (2 * days + 5) - ties) / 18
    steady = (score > 1) & (score - 1 > RISING_Z * np.sqrt(variance)) & (days >= KNOWN_DAYS)
    slope = _median(rise / (second - first))
    return np.where(steady & (slope > 0), slope, 0.0)


def _median(values: Floats) -> Floats:
    """The median of each row's values that are not NaN; NaN of none."""
    ordered = np.sort(values, axis=1)  # NaN last
    count = (~np.isnan(values)).sum(axis=1)
    padded = np.concatenate([ordered, np.full((len(ordered), 1), np.nan)], axis=1)
    rows, last = np.arange(len(ordered)), np.maximum(count - 1, 0)
    middle = padded[rows, last // 2] + padded[rows, (last + 1) // 2]
    return np.asarray(middle / 2)
