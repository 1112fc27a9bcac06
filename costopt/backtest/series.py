"""Each machine's samples on one grid that ends where the decision stands."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from costopt.model import Window
from costopt.profile.clock import Calendar
from costopt.profile.shard import COUNTERS, SECOND, Block, Scope, blocks, microseconds
from costopt.schema import MISSING_U16, PERCENT_LIMIT, PERCENT_SCALE
from costopt.units import SECONDS_PER_DAY

CPU: Final = ("cpu_utilization", "mean")
CPU_MAX: Final = ("cpu_utilization", "max")
MEMORY: Final = ("memory_utilization", "mean")
MEMORY_MAX: Final = ("memory_utilization", "max")
NETWORK_IN: Final = ("network_in", "mean")
NETWORK_OUT: Final = ("network_out", "mean")
GPU: Final = ("gpu_utilization", "mean")
GPU_MEMORY: Final = ("gpu_memory_utilization", "mean")

Series = tuple[str, str]
"""Metric name and statistic, of the whole resource."""

_OF_CARDS: Final = frozenset({GPU, GPU_MEMORY})
_OF_ANY_PERIOD: Final = frozenset({MEMORY, MEMORY_MAX}) | _OF_CARDS
_TOO_HIGH: Final = COUNTERS.index("RefusedHigh")
_FULL: Final = int(PERCENT_LIMIT) * PERCENT_SCALE


@dataclass(frozen=True, slots=True)
class Subject:
    """What is known of a machine besides its samples."""

    resource_id: str
    period_seconds: int  # of its CPU series
    since: datetime | None = None  # its samples count from here (it was resized)
    busy_if_refused: bool = False  # samples refused as over 105 % were work, not a broken counter
    disputed: Sequence[int] = ()  # starts of disputed CPU samples, seconds since 1970
    gpu: bool = False  # it has accelerators


@dataclass(frozen=True, slots=True, eq=False)
class History:
    """One machine's samples, oldest first; the last slot ends where the window does.

    Percent as hundredths in uint16 (MISSING_U16 = missing), else float32 (NaN = missing). All
    series have the CPU's period. Memory and GPUs of any period count: the highest of each slot, of
    all cards. Others are left out where their period is another.
    """

    subject: Subject
    series: Mapping[Series, npt.NDArray[Any]]
    disputed: npt.NDArray[np.int64]  # slots of disputed CPU samples

    @property
    def slots_a_day(self) -> int:
        """Periods in 24 hours."""
        return SECONDS_PER_DAY // self.subject.period_seconds

    @property
    def cpu(self) -> npt.NDArray[np.uint16]:
        """CPU without disputed samples, which then are missing."""
        kept = self.cpu_with_disputed.copy()
        kept[self.disputed] = MISSING_U16
        return kept

    @property
    def cpu_with_disputed(self) -> npt.NDArray[np.uint16]:
        """CPU as collected."""
        return self.series[CPU]

    def numbers(self, series: Series) -> npt.NDArray[np.float32] | None:
        """That series in its unit, NaN where missing; None = not collected."""
        found: npt.NDArray[Any] | None = self.cpu if series == CPU else self.series.get(series)
        return percent(found) if found is not None and found.dtype == np.uint16 else found


def percent(hundredths: npt.NDArray[np.uint16]) -> npt.NDArray[np.float32]:
    """Packed samples as percent, NaN where missing."""
    values = hundredths.astype(np.float32) / np.float32(PERCENT_SCALE)
    values[hundredths == MISSING_U16] = np.nan
    return values


def histories(
    table: pa.Table, subjects: Mapping[str, Subject], window: Window, wanted: Collection[Series]
) -> Iterator[History]:
    """The histories in a shard, by ResourceId, of subjects that have CPU samples in the window.

    Args:
        table: schema.PACKED, all rows of a resource in it.
        subjects: by ResourceId; `disputed` in seconds since 1970.
    """
    found: dict[str, dict[Series, npt.NDArray[Any]]] = {}
    scope = Scope(
        window,
        {s.resource_id: s.since for s in subjects.values() if s.since},
        Calendar({}, "UTC"),
    )
    for block in blocks(_chosen(table, subjects, wanted), scope):
        for place, key in enumerate(block.keys.to_pylist()):
            subject = subjects[key["ResourceId"]]
            series = (key["MetricName"], key["Statistic"])
            of_any_period = series in _OF_ANY_PERIOD
            if block.period == subject.period_seconds or of_any_period:
                values = _row(block, place, window, fill=series == CPU and subject.busy_if_refused)
                held = found.setdefault(subject.resource_id, {})
                if of_any_period:
                    values = _highest(values, block.period, subject, window, held.get(series))
                held[series] = values
    for resource_id in sorted(found):
        if CPU in found[resource_id]:
            subject = subjects[resource_id]
            yield History(subject, found[resource_id], _disputed_slots(subject, window))


def _chosen(
    table: pa.Table, subjects: Mapping[str, Subject], wanted: Collection[Series]
) -> pa.Table:
    ids = pa.array(sorted(subjects), pa.string())
    keep = pc.is_in(table.column("ResourceId").cast(pa.string()), value_set=ids)
    whole = pc.equal(table.column("x_Device").cast(pa.string()), "")
    either = [
        pc.and_(
            pc.equal(table.column("MetricName").cast(pa.string()), name),
            pc.equal(table.column("Statistic").cast(pa.string()), statistic),
        )
        for name, statistic in sorted(wanted)
    ]
    either = [
        one if series in _OF_CARDS else pc.and_(one, whole)
        for one, series in zip(either, sorted(wanted), strict=True)
    ]
    any_of = either[0]
    for one in either[1:]:
        any_of = pc.or_(any_of, one)
    return table.filter(pc.and_(keep, any_of))


def _row(block: Block, place: int, window: Window, *, fill: bool) -> npt.NDArray[Any]:
    """One series of a block on the window's grid."""
    rows = slice(block.firsts[place], block.firsts[place + 1])
    samples, slots = block.samples[rows], block.slots[rows]  # days in order, some may be missing
    missing = MISSING_U16 if block.percent else np.nan
    at = (slots - slots[0]) // samples.shape[1]
    days = np.full((at[-1] + 1, samples.shape[1]), missing, samples.dtype.newbyteorder("="))
    days[at] = samples
    first, stop = _span(window, block.period)
    grid = np.full(stop - first, missing, days.dtype)
    # The block counts its slots from its origin, `days` from its own first: `low`, `high` of what
    # counts there, and `shift` from there to the grid.
    low, high = (int(edge[place] - slots[0]) for edge in (block.lows, block.highs))
    shift = int(block.origin // (block.period * SECOND) + slots[0]) - first
    low, high = max(low, -shift, 0), min(high, len(grid) - shift, days.size)
    if fill:
        refused = np.zeros(len(days), np.int64)
        refused[at] = block.counters[rows, _TOO_HIGH]
        _fill(days, refused, low, high)
    if low < high:
        grid[low + shift : high + shift] = days.ravel()[low:high]
    return grid


def _highest(
    values: npt.NDArray[np.uint16],
    period: int,
    subject: Subject,
    window: Window,
    other: npt.NDArray[np.uint16] | None,
) -> npt.NDArray[np.uint16]:
    """The highest sample that touches each slot of the subject's grid, of these and of `other`."""
    if period != subject.period_seconds:
        values = _touching(values, period, subject.period_seconds, window)
    if other is None:
        return values
    higher = np.where(other == MISSING_U16, values, np.maximum(values, other))
    return np.where(values == MISSING_U16, other, higher)


def _touching(
    values: npt.NDArray[np.uint16], period: int, own: int, window: Window
) -> npt.NDArray[np.uint16]:
    """Samples of one period on the grid of another: the highest that touches each of its slots."""
    first, stop = _span(window, own)
    there = np.flatnonzero(values != MISSING_U16)
    starts = (there + _span(window, period)[0]) * period
    highest = np.full(stop - first, -1, np.int64)
    for later in range(0, period, own):  # a longer period touches several slots
        slots = (starts + later) // own - first
        inside = (slots >= 0) & (slots < len(highest))
        np.maximum.at(highest, slots[inside], values[there][inside])
    return np.where(highest < 0, MISSING_U16, highest).astype(np.uint16)


def _fill(days: npt.NDArray[Any], refused: npt.NDArray[np.int64], low: int, high: int) -> None:
    """Put each day's refused samples, as full ones, into its last gaps that count.

    When in the day they came is not kept. The last gaps, so that a decision amid the day sees none
    that may have come after it. Where a whole day lacks gaps, other samples were sent later for the
    same moments (lake/fold.py): the lowest make way, so that quiet ones cannot take their place.
    """
    width = days.shape[1]
    for day in np.flatnonzero(refused):
        counted = days[day, max(0, low - day * width) : max(0, high - day * width)]
        gaps = counted == MISSING_U16
        room = len(counted) if len(counted) == width else np.count_nonzero(gaps)
        lowest = np.lexsort((-np.arange(len(counted)), np.where(gaps, -1, counted.astype(int))))
        counted[lowest[: min(int(refused[day]), room)]] = _FULL


def _disputed_slots(subject: Subject, window: Window) -> npt.NDArray[np.int64]:
    first, stop = _span(window, subject.period_seconds)
    slots = np.asarray(subject.disputed, np.int64) // subject.period_seconds - first
    return slots[(slots >= 0) & (slots < stop - first)]


def _span(window: Window, period_seconds: int) -> tuple[int, int]:
    """The first period that starts in the window and the first that starts after it, counted from
    1970."""
    first, stop = (
        -(-microseconds(moment) // (period_seconds * SECOND))
        for moment in (window.start, window.end)
    )
    return first, stop


def whole_days(end: datetime, days: int) -> Window:
    """The window of so many days of 24 hours up to that moment."""
    return Window(end.astimezone(UTC) - timedelta(days=days), end.astimezone(UTC))
