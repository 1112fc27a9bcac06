"""Packed days as arrays: which series each row belongs to, and its samples as numbers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from costopt import schema
from costopt.model import Profile
from costopt.units import SECONDS_PER_DAY

_BLOCK_ROWS: Final = 4096  # of float64 five-minute samples: 9 MiB, whatever the fleet's size


class Key(NamedTuple):
    """What makes a series."""

    resource_id: str
    metric_name: str
    statistic: str
    device: str  # "" = the whole resource
    period_seconds: int


def key_of(profile: Profile) -> Key:
    """The series a profile describes."""
    return Key(
        profile.resource_id,
        profile.metric_name,
        profile.statistic,
        profile.device,
        profile.period_seconds,
    )


@dataclass(frozen=True, slots=True)
class Block:
    """Rows of one period."""

    period_seconds: int
    rows: NDArray[np.int64]  # (n,) row numbers in the shard
    series: NDArray[np.int64]  # (n,) positions in the shard's keys
    midnights: NDArray[np.int64]  # (n,) start of the row's day, seconds since 1970
    values: NDArray[np.float64]  # (n, 86400 / period), percent or the metric's unit; NaN = missing

    def times(self, rows: NDArray[np.int64], slots: NDArray[np.int64]) -> NDArray[np.int64]:
        """Starts of those samples, seconds since 1970."""
        return self.midnights[rows] + slots * self.period_seconds


@dataclass(frozen=True, slots=True)
class Shard:
    """One table of packed days: every row of its resources."""

    keys: tuple[Key, ...]
    series: NDArray[np.int64]  # (rows,) positions in `keys`
    midnights: NDArray[np.int64]  # (rows,)
    samples: pa.LargeBinaryArray  # (rows,)
    table: pa.Table

    @classmethod
    def of(cls, table: pa.Table) -> Shard:
        """The shard behind a table of schema.PACKED rows, in any order."""
        columns = [_codes(table.column(name)) for name in _KEY_COLUMNS]
        series, first = np.zeros(table.num_rows, np.int64), np.zeros(0, np.int64)
        for codes, values in columns:
            combined = series * len(values) + codes
            _, first, series = np.unique(combined, return_index=True, return_inverse=True)
        rows = [[values[code] for code in codes[first]] for codes, values in columns]
        days = table.column("Day").cast(pa.int32()).to_numpy().astype(np.int64)
        return cls(
            tuple(Key(*row) for row in zip(*rows, strict=True)),
            series,
            days * SECONDS_PER_DAY,
            table.column("Samples").cast(pa.large_binary()).combine_chunks(),
            table,
        )

    def choose(self, keys: Set[Key]) -> NDArray[np.bool_]:
        """(rows,) whether a row belongs to one of these series."""
        return np.array([key in keys for key in self.keys], bool)[self.series]

    def blocks(self, chosen: NDArray[np.bool_]) -> Iterator[Block]:
        """The chosen rows' samples, block by block."""
        periods = self.table.column("PeriodSeconds").to_numpy()
        percent = self.choose({key for key in self.keys if schema.is_percent(key.metric_name)})
        for period in np.unique(periods[chosen]):
            for packed in (True, False):
                rows = np.flatnonzero(chosen & (periods == period) & (percent == packed))
                for start in range(0, len(rows), _BLOCK_ROWS):
                    yield self._block(rows[start : start + _BLOCK_ROWS], int(period), packed)

    def inside(self, chosen: NDArray[np.bool_], spans: Spans) -> Iterator[Block]:
        """The same, with samples outside their resource's span missing."""
        starts = np.array([spans.start(key.resource_id) for key in self.keys], np.int64)
        for block in self.blocks(chosen):
            _clip(block, starts[block.series], spans.end)
            yield block

    def _block(self, rows: NDArray[np.int64], period: int, percent: bool) -> Block:
        values = _numbers(self.samples.take(pa.array(rows)), period, percent)
        return Block(period, rows, self.series[rows], self.midnights[rows], values)


@dataclass(frozen=True, slots=True)
class Spans:
    """From when and until when a resource's samples speak of what it is now; seconds since 1970."""

    starts: Mapping[str, int]  # of resources that began to be what they are inside the window
    window_start: int
    end: int  # exclusive

    def start(self, resource_id: str) -> int:
        """The first moment that counts for this resource."""
        return max(self.window_start, self.starts.get(resource_id, self.window_start))


_KEY_COLUMNS: Final = ("ResourceId", "MetricName", "Statistic", "x_Device", "PeriodSeconds")


def _codes(column: pa.ChunkedArray) -> tuple[NDArray[np.int64], list[Any]]:
    array = column.combine_chunks()
    encoded = array if pa.types.is_dictionary(array.type) else array.dictionary_encode()
    codes = encoded.indices.to_numpy(zero_copy_only=False).astype(np.int64)
    return codes, encoded.dictionary.to_pylist()


def _numbers(samples: pa.LargeBinaryArray, period: int, percent: bool) -> NDArray[np.float64]:
    """(rows, slots) the samples as numbers, NaN where missing; a copy, so that it may be cut."""
    raw = samples.buffers()[2]
    shape = (len(samples), SECONDS_PER_DAY // period)
    if not percent:
        return np.frombuffer(raw, "<f4").reshape(shape).astype(np.float64)
    packed = np.frombuffer(raw, "<u2").reshape(shape)
    values = packed / float(schema.PERCENT_SCALE)
    values[packed == schema.MISSING_U16] = np.nan
    return values


def _clip(block: Block, starts: NDArray[np.int64], end: int) -> None:
    """Mark samples that start before their resource's span, or at its end or later, as missing."""
    touched = np.flatnonzero((block.midnights < starts) | (block.midnights + SECONDS_PER_DAY > end))
    slots = np.arange(block.values.shape[1], dtype=np.int64) * block.period_seconds
    times = block.midnights[touched, None] + slots
    outside = (times < starts[touched, None]) | (times >= end)
    block.values[touched] = np.where(outside, np.nan, block.values[touched])


def seconds(moment: datetime) -> int:
    """Whole seconds since 1970, rounded up: a sample at that second starts at or after `moment`."""
    return -int(-moment.timestamp() // 1)
