"""The compiled loops of the profile kernel: one series at a time, all in the processor's cache."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from costopt.compiled import compiled
from costopt.schema import HISTOGRAM_BINS, PERCENT_LIMIT, PERCENT_SCALE, WEEK_SLOTS

FINE_BINS: Final = int(PERCENT_LIMIT) * PERCENT_SCALE + 1  # hundredths of a percent, 0 to 105
COUNT, FIRST, LAST, DAYS, GAP, IDLE, FLAT = range(7)  # columns of walk's `found`


@compiled
def copy_rows(
    data: NDArray[np.uint8],
    starts: NDArray[np.int32],
    into: NDArray[np.uint8],
    places: NDArray[np.int64],
) -> None:
    """Copy the bytes at each start to the row of `into` at each place."""
    for i in range(len(starts)):
        into[places[i]] = data[starts[i] : starts[i] + into.shape[1]]


@compiled
def walk(rows: Any, series: Any, rules: Any, scratch: Any, out: Any) -> None:
    """Go through each series in time order, once.

    A missing sample ends an idle run and a flat run, and is no sample anywhere.

    Args:
        rows: (samples (rows, slots of a day), first slot of each row): a row is a day; rows of a
            series are neighbours, in time order; slots count from the first midnight.
        series: (first row of each and the end of the last, first slot that counts and first that
            no longer does, row in `hours`), arrays by series.
        rules: (hours: local hour of the week by clock and slot; the value that means missing,
            besides NaN; the value under which a machine idles).
        scratch: (room for the samples of each hour of the week; the same memory as integers,
            which sort as the samples do).
        out: (kept: samples present, series after series; found: int64 (series, 7), columns named
            above; week_count, week_sum and, as bits, the week_p95 of each: (series, 168)).
    """
    samples, slots = rows
    firsts, lows, highs, clocks = series
    hours, missing, idle_under = rules
    week_values, week_bits = scratch
    kept, found, week_count, week_sum, week_p95 = out
    held = np.empty(WEEK_SLOTS, np.int64)
    width, at = samples.shape[1], 0
    for s in range(len(lows)):
        hour_of = hours[clocks[s]]
        count, first, last, days, gap, idle, flat = 0, -1, -1, 0, 0, 0, 0
        idle_run, flat_run, previous = 0, 0, missing
        held[:] = 0
        for row in range(firsts[s], firsts[s + 1]):
            base, before = slots[row], count
            for i in range(max(0, lows[s] - base), min(width, highs[s] - base)):
                value = samples[row, i]
                if value == missing or np.isnan(value):
                    continue
                slot = base + i
                if slot != last + 1:
                    idle_run, flat_run = 0, 0
                    if last >= 0:
                        gap = max(gap, slot - last - 1)
                if last < 0:
                    first = slot
                last = slot
                kept[at] = value
                at += 1
                count += 1
                idle_run = idle_run + 1 if value < idle_under else 0
                idle = max(idle, idle_run)
                flat_run = (flat_run + 1 if value == previous and flat_run else 1) if value else 0
                flat = max(flat, flat_run)
                previous = value
                hour = hour_of[slot]
                week_values[hour, held[hour]] = value
                held[hour] += 1
            days += count > before
        if count:
            gap = max(gap, highs[s] - last - 1)
        found[s, COUNT], found[s, FIRST], found[s, LAST], found[s, DAYS] = count, first, last, days
        found[s, GAP], found[s, IDLE], found[s, FLAT] = gap, idle, flat
        for hour in range(WEEK_SLOTS):
            n = held[hour]
            week_count[s, hour] = n
            if n:
                for i in range(n):
                    week_sum[s, hour] += week_values[hour, i]
                week_p95[s, hour] = _from_top(week_bits[hour, :n], n // 20 + 1)


@compiled
def _from_top(bits: Any, rank: int) -> Any:
    """The rank-th largest, from 1. Passes over a few dozen neighbours are quicker than a sort."""
    none = bits.dtype.type(0)
    limit = bits.dtype.type(-1)  # above any
    left = rank
    while True:
        largest = none
        for i in range(len(bits)):
            largest = max(largest, bits[i] if bits[i] < limit else none)
        for i in range(len(bits)):
            left -= bits[i] == largest
        if left <= 0:
            return largest
        limit = largest


@compiled
def summarise(
    kept: NDArray[np.uint16], ends: NDArray[np.int64], ranks: NDArray[np.int64], out: Any
) -> None:
    """Counts of the distinct values give exact figures whatever the order of samples.

    Args:
        kept: hundredths of a percent, series after series.
        ends: where each series starts in `kept`, and the end of the last.
        ranks: int64 (series, ranks), ascending: which smallest values are wanted, from 0.
        out: (values at those ranks; sum; sum of squares; histogram (series, 106); samples under
            1 % and under 5 %), arrays by series.
    """
    values, sums, squares, histogram, under = out
    fine = np.empty(FINE_BINS, np.uint32)
    for s in range(len(ends) - 1):
        fine[:] = 0
        total, square = 0, 0
        for i in range(ends[s], ends[s + 1]):
            value = int(kept[i])
            fine[value] += 1
            total += value
            square += value * value
        sums[s], squares[s] = total, square
        wanted, below, running = 0, 0, 0
        for whole in range(HISTOGRAM_BINS):
            low, high = whole * PERCENT_SCALE, min((whole + 1) * PERCENT_SCALE, FINE_BINS)
            histogram[s, whole] = fine[low:high].sum()
            running, below = below, below + int(histogram[s, whole])
            if whole < 5:
                under[s, 1] = below
            if whole < 1:
                under[s, 0] = below
            at = low
            while wanted < ranks.shape[1] and ranks[s, wanted] < below:
                while ranks[s, wanted] >= running + fine[at]:
                    running += int(fine[at])
                    at += 1
                values[s, wanted] = at
                wanted += 1
