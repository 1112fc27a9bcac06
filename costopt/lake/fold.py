"""Folding long samples into the packed rows of one day, in memory.

A file's samples are folded in their order. The first write wins a slot for good; what is said of
that slot afterwards is only counted. Counts are per file and merged by maximum over files, so a
day comes out the same whether files were folded together, one by one, or twice.

What is refused is no write: its slot stays empty, and the next sample for it fills it, whoever
sends it. NaN is what a collector writes before it knows, and percent of one core may be put right;
nothing true is lost, for nothing was kept. But the refusal stays counted, and who believes refused
samples (frame/corroboration.py) must not be talked out of them by what came later: in
backtest/series.py the day's lowest samples make way. To mark the slot would be another format.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
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


class _Growing:
    """An array that grows at its end; its room doubles, so that each value is moved but once."""

    def __init__(self, dtype: Any, *shape: int) -> None:
        self._room: NDArray[Any] = np.empty((0, *shape), dtype)
        self._size = 0

    @property
    def values(self) -> NDArray[Any]:
        """What it holds, to read and to write."""
        return self._room[: self._size]

    @property
    def nbytes(self) -> int:
        """Memory held."""
        return self._room.nbytes

    def extend(self, count: int, value: Any) -> None:
        """Add `count` times the value, or that many values."""
        needed = self._size + count
        if needed > len(self._room):
            room = np.empty((max(needed, 2 * len(self._room)), *self._room.shape[1:]), self.dtype)
            room[: self._size] = self.values
            self._room = room
        self._room[self._size : needed] = value
        self._size = needed

    @property
    def dtype(self) -> Any:
        """Of the values."""
        return self._room.dtype


class Rows:
    """The packed rows of one day and one sample type, by series id; they grow as series appear."""

    def __init__(self, dtype: type[np.uint16 | np.uint32]) -> None:
        self.top = _U16_TOP if dtype is PERCENT else _U32_TOP
        self.tally = np.zeros(len(COUNTERS) + 2, np.int64)  # of all files folded here, see below
        self._ids = _Growing(np.int64)
        self._starts = _Growing(np.int64)  # of each row in the samples
        self._periods = _Growing(np.int64)  # seconds
        self._samples = _Growing(dtype)
        self._counters = _Growing(np.int32, len(COUNTERS))  # the maxima over files
        self._filled = _Growing(np.int64)  # slots that hold a sample
        self._seen = _Growing(np.bool_)  # slots that the current file has spoken of
        self._current = _Growing(np.int32, len(COUNTERS))  # counts of the current file
        self._file = _Growing(np.int64)  # which file is current, for each row

    @property
    def ids(self) -> NDArray[np.int64]:
        """The series of each row."""
        return self._ids.values

    @property
    def counters(self) -> NDArray[np.int32]:
        """(rows, COUNTERS), of all files but the current."""
        return self._counters.values

    @property
    def filled(self) -> NDArray[np.int64]:
        """How many slots of each row hold a sample."""
        return self._filled.values

    @property
    def nbytes(self) -> int:
        """Memory held."""
        return sum(held.nbytes for held in vars(self).values() if isinstance(held, _Growing))

    def extend(self, ids: NDArray[np.int64], periods: NDArray[np.int64]) -> None:
        """Add a row without samples for each of these series, none of which has one yet."""
        widths = SECONDS_PER_DAY // periods
        added = int(widths.sum())
        self._ids.extend(len(ids), ids)
        self._starts.extend(len(ids), len(self._samples.values) + np.cumsum(widths) - widths)
        self._periods.extend(len(ids), periods)
        self._samples.extend(added, self.top)
        self._counters.extend(len(ids), 0)
        self._filled.extend(len(ids), 0)
        self._seen.extend(added, value=False)
        self._current.extend(len(ids), 0)
        self._file.extend(len(ids), -1)

    def load(
        self,
        ids: NDArray[np.int64],
        periods: NDArray[np.int64],
        samples: Sequence[bytes],
        counters: NDArray[np.int32],
    ) -> None:
        """Start from stored rows.

        Raises:
            ValueError: a row's samples are not a day of its period.
        """
        self.extend(ids, periods)
        little = self._samples.dtype.newbyteorder("<")
        sizes = SECONDS_PER_DAY // periods * little.itemsize
        if [len(row) for row in samples] != sizes.tolist():
            raise ValueError("a row's samples are not a day of its period")
        self._samples.values[:] = np.frombuffer(b"".join(samples), little)
        self.counters[:] = counters
        if len(ids):
            held = self._samples.values != self.top
            self.filled[:] = np.add.reduceat(held, self._starts.values, dtype=np.int64)

    def binary(self) -> pa.Array:
        """The samples of each row, little-endian, as large_binary."""
        samples = self._samples.values
        little = samples.astype(samples.dtype.newbyteorder("<"), copy=False)
        offsets = np.append(self._starts.values, len(samples)) * samples.itemsize
        buffers = [None, pa.py_buffer(offsets), pa.py_buffer(little)]
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
        packed: NDArray[Any] = np.empty(len(samples.values), self._samples.dtype)
        (_pack_percent if packed.dtype == PERCENT else _pack_rate)(samples.values, packed)
        if samples.missing is not None:
            packed[samples.missing] = self.top
        _fold(
            (samples.codes, samples.times, packed),
            (rows, midnight, file),
            (
                self._starts.values,
                self._periods.values,
                self._samples.values,
                self.filled,
                self._seen.values,
            ),
            (self.counters, self._current.values, self._file.values, self.tally),
        )

    def settle(self) -> bool:
        """Merge the counts of the last file; returns whether folding changed anything."""
        current = self._current.values
        self.tally[_RISEN] += np.count_nonzero(current > self.counters)
        self.tally[: len(COUNTERS)] += current.sum(axis=0)
        np.maximum(self.counters, current, out=self.counters)
        current[:] = 0
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
            width = SECONDS_PER_DAY // periods[row]
            begin = starts[row]  # by name: numba on Python 3.13 loses it within the slice
            _next_file(row, seen[begin : begin + width], counts)
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
