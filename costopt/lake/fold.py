"""Folding long samples into the packed rows of one day, in memory.

A file's samples are folded in their order. The first write wins a slot for good; what is said of
that slot afterwards is only counted. Counts are per file and merged by maximum over files, so a
day comes out the same whether files were folded together, one by one, or twice.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from costopt.compiled import compiled
from costopt.schema import PERCENT_LIMIT, PERCENT_SCALE
from costopt.units import SECONDS_PER_DAY

COUNTERS: Final = ("Duplicates", "Conflicts", "RefusedLow", "RefusedHigh", "NotFinite", "OffGrid")
_DUPLICATE, _CONFLICT, _LOW, _HIGH, _NOT_FINITE, _OFF_GRID = range(len(COUNTERS))

DAY_MICROSECONDS: Final = SECONDS_PER_DAY * 1_000_000
PERCENT: Final = np.uint16
RATE: Final = np.uint32
"""A rate is folded as the bits of its float32: for what is not negative, equal bits are equal
values."""

# The topmost patterns are no samples: a uint16 so high is above 105.00 %, such bits are a NaN.
# TOP - _LOW, TOP - _HIGH and TOP - _NOT_FINITE say why a sample was refused; TOP is "missing",
# the only one that is ever stored.
_U16_TOP: Final = 0xFFFF
_U32_TOP: Final = 0xFFFFFFFF
_NO_SIGN: Final = 0x7FFFFFFF
_SECOND: Final = 1_000_000
FILLED: Final = len(COUNTERS)  # places in a tally, after the counters
_RISEN: Final = FILLED + 1


class Samples(NamedTuple):
    """Long samples in file order, of one batch or one day of it."""

    codes: NDArray[np.int32]  # the series, as a position in the batch's ids
    times: NDArray[np.int64]  # start of the period, microseconds since 1970, UTC
    values: NDArray[np.float32]
    missing: NDArray[np.bool_] | None  # null values; None = there is none

    def take(self, rows: NDArray[np.int64]) -> Samples:
        """These rows, in this order."""
        missing = None if self.missing is None else self.missing[rows]
        return Samples(self.codes[rows], self.times[rows], self.values[rows], missing)


class Rows:
    """The packed rows of one day and one sample type, by series id; they grow as series appear."""

    def __init__(self, dtype: type[np.uint16 | np.uint32]) -> None:
        self.dtype = dtype
        self.top = _U16_TOP if dtype is PERCENT else _U32_TOP
        self.ids = np.zeros(0, np.int64)
        self.starts = np.zeros(1, np.int64)  # of each row in `samples`; then the end of the last
        self.periods = np.zeros(0, np.int64)  # seconds
        self.samples = np.zeros(0, dtype)
        self.counters = np.zeros((0, len(COUNTERS)), np.int32)  # the maxima over files
        self.filled = np.zeros(0, np.int64)  # slots that hold a sample
        self.tally = np.zeros(len(COUNTERS) + 2, np.int64)  # of all files folded here, see below
        self._seen = np.zeros(0, np.bool_)  # slots that the current file has spoken of
        self._current = self.counters.copy()  # counts of the current file
        self._file = np.zeros(0, np.int64)  # which file is current, for each row

    @property
    def nbytes(self) -> int:
        """Memory held."""
        per_row = sum(
            a.nbytes for a in (self.ids, self.starts, self.periods, self.filled, self._file)
        )
        return self.samples.nbytes + self._seen.nbytes + 2 * self.counters.nbytes + per_row

    def extend(self, ids: NDArray[np.int64], periods: NDArray[np.int64]) -> None:
        """Add a row without samples for each of these series, none of which has one yet."""
        widths = SECONDS_PER_DAY // periods
        size = int(widths.sum())
        counters = np.zeros((len(ids), len(COUNTERS)), np.int32)
        self.ids = np.concatenate([self.ids, ids])
        self.starts = np.concatenate([self.starts, self.starts[-1] + np.cumsum(widths)])
        self.periods = np.concatenate([self.periods, periods])
        self.samples = np.concatenate([self.samples, np.full(size, self.top, self.dtype)])
        self.counters = np.concatenate([self.counters, counters])
        self.filled = np.concatenate([self.filled, np.zeros(len(ids), np.int64)])
        self._seen = np.concatenate([self._seen, np.zeros(size, np.bool_)])
        self._current = np.concatenate([self._current, counters])
        self._file = np.concatenate([self._file, np.full(len(ids), -1)])

    def load(
        self,
        ids: NDArray[np.int64],
        periods: NDArray[np.int64],
        samples: bytes,
        counters: NDArray[np.int32],
    ) -> None:
        """Start from stored rows, their samples one after the other."""
        self.extend(ids, periods)
        self.samples[:] = np.frombuffer(samples, np.dtype(self.dtype).newbyteorder("<"))
        self.counters[:] = counters
        filled = np.concatenate([[0], np.cumsum(self.samples != self.top)])
        self.filled[:] = np.diff(filled[self.starts])

    def binary(self) -> pa.Array:
        """The samples of each row, little-endian, as large_binary."""
        little = self.samples.astype(self.samples.dtype.newbyteorder("<"), copy=False)
        buffers = [None, pa.py_buffer(self.starts * self.samples.itemsize), pa.py_buffer(little)]
        return pa.Array.from_buffers(pa.large_binary(), len(self.ids), buffers)

    def rows(self, ids: NDArray[np.int64], periods: NDArray[np.int64]) -> NDArray[np.int64]:
        """The row of each of these distinct series, made where there was none."""
        found = pc.index_in(pa.array(ids), value_set=pa.array(self.ids))
        if found.null_count:
            new = found.is_null().to_numpy(zero_copy_only=False)
            self.extend(ids[new], periods[new])
            found = pc.index_in(pa.array(ids), value_set=pa.array(self.ids))
        numbers: NDArray[np.int64] = found.to_numpy().astype(np.int64)
        return numbers

    def fold(self, samples: Samples, rows: NDArray[np.int64], midnight: int, file: int) -> None:
        """Fold samples of this day.

        Args:
            samples: in file order, all starting on this day.
            rows: the row of each code; -1 = not of this sample type.
            midnight: the day's start, microseconds since 1970.
            file: number of the file they come from; ascending from call to call.
        """
        packed: NDArray[Any] = np.empty(len(samples.values), self.dtype)
        (_pack_percent if self.dtype is PERCENT else _pack_rate)(samples.values, packed)
        if samples.missing is not None:
            packed[samples.missing] = self.top
        _fold(
            (samples.codes, samples.times, packed),
            (rows, midnight, file),
            (self.starts, self.periods, self.samples, self.filled, self._seen),
            (self.counters, self._current, self._file, self.tally),
        )

    def settle(self) -> bool:
        """Merge the counts of the last file; returns whether folding changed anything."""
        self.tally[_RISEN] += np.count_nonzero(self._current > self.counters)
        self.tally[: len(COUNTERS)] += self._current.sum(axis=0)
        np.maximum(self.counters, self._current, out=self.counters)
        self._current[:] = 0
        return bool(self.tally[FILLED] or self.tally[_RISEN])


def by_day(samples: Samples) -> Iterator[tuple[int, Samples]]:
    """The samples of each UTC day, in their order, as (days since 1970, samples)."""
    first, last = (int(t) // DAY_MICROSECONDS for t in (samples.times.min(), samples.times.max()))
    if first == last:
        yield first, samples
        return
    days = samples.times // DAY_MICROSECONDS - first
    if last - first <= np.iinfo(np.uint16).max:
        days = days.astype(np.uint16)  # NumPy sorts these by radix, an order of magnitude faster
    order = np.argsort(days, kind="stable")
    for rows in np.split(order, np.flatnonzero(np.diff(days[order])) + 1):
        yield first + int(days[rows[0]]), samples.take(rows)


@compiled
def _pack_percent(values: NDArray[np.float32], packed: NDArray[np.uint16]) -> None:
    for i in range(len(values)):
        value = np.float64(values[i])
        if not np.isfinite(value):
            packed[i] = _U16_TOP - _NOT_FINITE
        elif value < 0:
            packed[i] = _U16_TOP - _LOW
        elif value > PERCENT_LIMIT:
            packed[i] = _U16_TOP - _HIGH
        else:
            packed[i] = int(value * PERCENT_SCALE + 0.5)  # half up, as SQL's round()


@compiled
def _pack_rate(values: NDArray[np.float32], packed: NDArray[np.uint32]) -> None:
    bits = values.view(np.uint32)
    for i in range(len(values)):
        if not np.isfinite(values[i]):
            packed[i] = _U32_TOP - _NOT_FINITE
        elif values[i] < 0:
            packed[i] = _U32_TOP - _LOW
        else:
            packed[i] = bits[i] & _NO_SIGN  # -0.0 is 0.0


@compiled
def _next_file(row: int, seen: NDArray[np.bool_], counts: Any) -> None:
    """Make way for another file in this row: merge what the last one counted."""
    counters, current, _, tally = counts
    seen[:] = False
    for k in range(FILLED):
        tally[k] += current[row, k]
        if current[row, k] > counters[row, k]:
            counters[row, k] = current[row, k]
            tally[_RISEN] += 1
        current[row, k] = 0


@compiled
def _fold(batch: Any, place: Any, store: Any, counts: Any) -> None:
    codes, times, packed = batch
    rows, midnight, file = place
    starts, periods, samples, filled, seen = store
    _, current, file_of, tally = counts
    top = _U16_TOP if samples.itemsize == 2 else _U32_TOP
    for i in range(len(codes)):
        row = rows[codes[i]]
        if row < 0 or packed[i] == top:
            continue
        if file_of[row] != file:
            _next_file(row, seen[starts[row] : starts[row + 1]], counts)
            file_of[row] = file
        if packed[i] >= top - _NOT_FINITE:
            current[row, top - packed[i]] += 1
            continue
        second, fraction = divmod(times[i] - midnight, _SECOND)
        slot, rest = divmod(np.uint32(second), np.uint32(periods[row]))
        at = starts[row] + np.int64(slot)
        current[row, _OFF_GRID] += rest != 0 or fraction != 0
        if samples[at] == top:
            samples[at] = packed[i]
            filled[row] += 1
            tally[FILLED] += 1
        elif samples[at] != packed[i]:
            current[row, _CONFLICT] += 1
        elif seen[at]:
            current[row, _DUPLICATE] += 1
        seen[at] = True
