"""A shard of packed days laid out for the kernel: series after series, day after day."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from costopt import schema
from costopt.errors import InputError
from costopt.model import Window
from costopt.profile import loops
from costopt.profile.clock import QUARTER_SECONDS, Calendar
from costopt.units import SECONDS_PER_DAY

KEYS: Final = ("ResourceId", "MetricName", "Statistic", "x_Device", "PeriodSeconds")
COUNTERS: Final = ("Duplicates", "Conflicts", "RefusedLow", "RefusedHigh", "NotFinite", "OffGrid")
SECOND: Final = 1_000_000  # microseconds
_DAY: Final = SECONDS_PER_DAY * SECOND
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_BLOCK_SAMPLES: Final = 1 << 21  # what a thread gathers at a time: 4 or 8 MB

Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Scope:
    """Which samples count, and by whose clock."""

    window: Window
    since: Mapping[str, datetime]  # ResourceId -> its samples count from here
    calendar: Calendar

    def start(self, resource_id: str) -> int:
        """From when the resource's samples count, microseconds since 1970."""
        since = self.since.get(resource_id, self.window.start)
        return microseconds(max(since, self.window.start))


@dataclass(frozen=True, slots=True)
class Block:
    """Series of one period and sample type with their packed days; slots count from `origin`."""

    percent: bool
    period: int  # seconds
    keys: pa.Table  # KEYS of each series
    zones: pa.Array  # the name of each series' clock
    clocks: Ints  # its row in `hours`
    hours: NDArray[np.uint8]  # (clocks, slots): local hour of the week
    origin: int  # microseconds since 1970, a midnight UTC
    lows: Ints  # first slot of each series that counts
    highs: Ints  # first slot after those that count
    firsts: Ints  # first row of each series, and the end of the last
    samples: NDArray[Any]  # (rows, slots of a day), packed
    slots: Ints  # first slot of each row
    counters: Ints  # (rows, COUNTERS)


def microseconds(moment: datetime) -> int:
    """Since 1970, UTC."""
    return (moment - _EPOCH) // timedelta(microseconds=1)


def blocks(table: pa.Table, scope: Scope) -> Iterator[Block]:
    """The series of a shard (schema.PACKED, rows in any order) with a day inside the window.

    Raises:
        InputError: a row's samples are not a day of its period's.
        ValueError: a series has two rows on one day.
    """
    first = microseconds(scope.window.start) // _DAY
    last = (microseconds(scope.window.end) - 1) // _DAY
    days = pc.cast(table.column("Day"), pa.int32()).to_numpy()
    inside = (days >= first) & (days <= last)
    if not inside.all():
        table = table.filter(pa.array(inside))
    if table.num_rows:
        shard = _Shard(table, scope)
        kinds = sorted(set(zip(shard.periods.tolist(), shard.percent.tolist(), strict=True)))
        for period, percent in kinds:
            chosen = np.flatnonzero((shard.periods == period) & (shard.percent == percent))
            samples = int(shard.counts[chosen].sum()) * (SECONDS_PER_DAY // period)
            for part in np.array_split(chosen, -(-samples // _BLOCK_SAMPLES)):
                yield shard.block(part, period, percent)


class _Shard:
    """A shard's rows in order, and its series."""

    def __init__(self, table: pa.Table, scope: Scope) -> None:
        self._scope = scope
        self._days = table.column("Day").combine_chunks().cast(pa.int32()).to_numpy()
        self._order, firsts = _in_order(table, self._days)
        self.counts = np.diff(firsts)  # rows of each series
        keys = table.select(list(KEYS)).take(pa.array(self._order[firsts[:-1]]))
        self._keys = keys.combine_chunks()
        self.periods = self._keys.column("PeriodSeconds").to_numpy().astype(np.int64)
        names = self._keys.column("MetricName").combine_chunks().dictionary_encode()
        percent = np.array([schema.is_percent(name) for name in names.dictionary.to_pylist()])
        self.percent = percent[names.indices.to_numpy()]
        self._samples = table.column("Samples").chunks
        self._counters = np.stack([table.column(name).to_numpy() for name in COUNTERS], axis=1)
        self._first_day = int(self._days.min())

    def block(self, chosen: Ints, period: int, percent: bool) -> Block:
        """These series, which share a period and a sample type."""
        width = SECONDS_PER_DAY // period
        member = np.zeros(len(self.counts), np.bool_)
        member[chosen] = True
        rows = self._order[np.repeat(member, self.counts)]
        keys = self._keys.take(pa.array(chosen))
        resources = keys.column("ResourceId").to_pylist()
        zones = [self._scope.calendar.name(resource) for resource in resources]
        known = {name: number for number, name in enumerate(sorted(set(zones)))}
        origin = self._first_day * _DAY
        start = np.array([self._scope.start(resource) for resource in resources])
        end = microseconds(self._scope.window.end)
        return Block(
            percent=percent,
            period=period,
            keys=keys,
            zones=pa.array(zones),
            clocks=np.array([known[zone] for zone in zones]),
            hours=np.stack([self._hours(zone, period) for zone in known]),
            origin=origin,
            lows=_ceil(start - origin, period * SECOND),
            highs=np.full(len(chosen), _ceil(end - origin, period * SECOND)),
            firsts=np.concatenate([[0], np.cumsum(self.counts[chosen])]),
            samples=self._gather(rows, width, np.dtype("<u2" if percent else "<f4")),
            slots=(self._days[rows] - self._first_day) * np.int64(width),
            counters=self._counters[rows].astype(np.int64),
        )

    def _hours(self, zone: str, period: int) -> NDArray[np.uint8]:
        days = int(self._days.max()) - self._first_day + 1
        quarters = self._scope.calendar.hours(zone, self._first_day, days)
        slots = np.arange(days * (SECONDS_PER_DAY // period))
        return quarters[slots * period // QUARTER_SECONDS]

    def _gather(self, rows: Ints, width: int, kind: np.dtype[Any]) -> NDArray[Any]:
        """The samples of these rows of the table, one after the other."""
        samples = np.empty((len(rows), width), kind)
        ends = np.cumsum([len(chunk) for chunk in self._samples])
        chunk_of = np.searchsorted(ends, rows, "right")
        for number, chunk in enumerate(self._samples):
            places = np.flatnonzero(chunk_of == number)
            if len(places):
                _, offsets, data = chunk.buffers()
                within = rows[places] - (ends[number] - len(chunk)) + chunk.offset
                starts = np.frombuffer(offsets, np.int32)
                if np.any(starts[within + 1] - starts[within] != samples.strides[0]):
                    raise InputError(
                        f"packed samples are not {width} of {kind.itemsize} bytes a day",
                        hint="a packed day of the lake is damaged: move it away, collect it again",
                    )
                bytes_ = samples.view(np.uint8).reshape(len(rows), -1)
                loops.copy_rows(np.frombuffer(data, np.uint8), starts[within], bytes_, places)
        return samples


def _in_order(table: pa.Table, days: NDArray[np.int32]) -> tuple[Ints, Ints]:
    """What sorts the rows by KEYS and day; where in that order each series starts, and the end."""
    ranks = [_ranks(table.column(name)) for name in KEYS]
    order = np.lexsort((days, *reversed(ranks)))
    same = np.ones(len(order) - 1, np.bool_)
    for rank in ranks:
        same &= rank[order[1:]] == rank[order[:-1]]
    if np.any(same & (days[order[1:]] == days[order[:-1]])):
        raise ValueError("a series has two rows on one day")
    return order, np.concatenate([[0], np.flatnonzero(~same) + 1, [len(order)]])


def _ranks(column: pa.ChunkedArray) -> NDArray[Any]:
    """Numbers that sort as the column's values do, equal where they are."""
    if pa.types.is_integer(column.type):
        numbers: NDArray[Any] = column.to_numpy()
        return numbers
    encoded = column.combine_chunks().dictionary_encode()
    ranks: NDArray[Any] = pc.rank(encoded.dictionary).to_numpy()
    of_each: NDArray[Any] = ranks[encoded.indices.to_numpy()]
    return of_each


def _ceil(microseconds_: Any, step: int) -> Any:
    return -(-microseconds_ // step)
