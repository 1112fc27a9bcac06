"""From the series of a block to rows of the profiles table."""

from __future__ import annotations

from fractions import Fraction
from typing import Any, Final, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from costopt import schema
from costopt.errors import InputError
from costopt.profile import loops
from costopt.profile.shard import SECOND, Block, Ints
from costopt.schema import HISTOGRAM_BINS, MISSING_U16, PERCENT_SCALE, WEEK_SLOTS

QUANTILES: Final = {
    "p50": Fraction(1, 2),
    "p90": Fraction(9, 10),
    "p95": Fraction(19, 20),
    "p99": Fraction(99, 100),
    "p99_5": Fraction(199, 200),
}
_IDLE_UNDER: Final = 5 * PERCENT_SCALE
_NO_RATE: Final = -1  # compaction refuses what is negative
_COUNTS: Final = (
    "duplicates",
    "conflicts",
    "refused_low",
    "refused_high",
    "not_finite",
    "off_grid",
)


class _Walked(NamedTuple):
    """What loops.walk found of the series that have samples."""

    kept: NDArray[Any]  # samples present, series after series
    found: Ints  # (series, 7)
    week_count: NDArray[np.uint32]  # (series, 168)
    week_sum: NDArray[Any]
    week_p95: NDArray[Any]

    @property
    def ends(self) -> Ints:
        """Where each series starts in `kept`, and the end of the last."""
        return np.concatenate([[0], np.cumsum(self.found[:, loops.COUNT])])

    def ranks(self) -> Ints:
        """(series, 7): places of minimum, QUANTILES and maximum among the sorted samples."""
        count = self.found[:, loops.COUNT]
        nearest = [-(-count * q.numerator // q.denominator) - 1 for q in QUANTILES.values()]
        return np.stack([np.zeros_like(count), *nearest, count - 1], axis=1)


def rows(block: Block) -> pa.Table:
    """The block's rows of the profiles table (schema.PROFILES), of series that have samples."""
    walked, chosen = _walk(block)
    count, first, last, days, gap, idle, flat = walked.found.T
    step, expected = block.period * SECOND, block.highs[chosen] - first
    columns: dict[str, Any] = {
        "x_TimeZone": block.zones.take(pa.array(chosen)),
        "count": count,
        "expected": expected,
        "coverage": count / expected,
        "first": block.origin + first * step,
        "last": block.origin + last * step,
        "days": days,
        "longest_gap_seconds": gap * block.period,
        "longest_flat_seconds": flat * block.period,
        "week_count": walked.week_count,
    }
    if block.percent:
        columns |= _percent_figures(walked) | {"longest_idle_seconds": idle * block.period}
    else:
        columns |= _rate_figures(walked)
    columns |= dict(zip(_COUNTS, _counts(block)[chosen].T, strict=True))
    keys = block.keys.take(pa.array(chosen))
    columns |= {name: keys.column(name) for name in keys.column_names}
    arrays = [_array(columns.get(field.name), field.type, len(chosen)) for field in schema.PROFILES]
    return pa.table(arrays, schema=schema.PROFILES)


def _walk(block: Block) -> tuple[_Walked, Ints]:
    """Walk the series; returns what was found of those with samples, and which these are."""
    series = len(block.lows)
    depth = max(np.bincount(hours).max() for hours in block.hours)
    kind: Any = np.uint16 if block.percent else np.float32
    missing, idle_under = (MISSING_U16, _IDLE_UNDER) if block.percent else (_NO_RATE, _NO_RATE)
    sums = np.int64 if block.percent else np.float64
    kept = np.empty(block.samples.size, kind)
    found = np.zeros((series, 7), np.int64)
    week_values = np.empty((WEEK_SLOTS, depth), kind)
    week_bits = week_values.view(f"u{week_values.itemsize}")
    week = [np.zeros((series, WEEK_SLOTS), dtype) for dtype in ("u4", sums, week_bits.dtype)]
    loops.walk(
        (block.samples, block.slots),
        (block.firsts, block.lows, block.highs, block.clocks),
        (block.hours, kind(missing), kind(idle_under)),
        (week_values, week_bits),
        (kept, found, *week),
    )
    chosen = np.flatnonzero(found[:, loops.COUNT])
    some = slice(None) if len(chosen) == series else chosen
    week_p95 = week[2].view(kind)
    return _Walked(kept, found[some], week[0][some], week[1][some], week_p95[some]), chosen


def _percent_figures(walked: _Walked) -> dict[str, Any]:
    count, series = walked.found[:, loops.COUNT], len(walked.found)
    if walked.kept[: count.sum()].max(initial=0) >= loops.FINE_BINS:
        raise InputError(
            f"a packed utilization lies above {schema.PERCENT_LIMIT} %",
            hint="a packed day of the lake is damaged: move it away and collect it again",
        )
    ranks = walked.ranks()
    values = np.zeros(ranks.shape, np.uint16)
    sums, squares = np.zeros(series, np.int64), np.zeros(series, np.int64)
    histogram = np.zeros((series, HISTOGRAM_BINS), np.uint32)
    under = np.zeros((series, 2), np.int64)
    loops.summarise(walked.kept, walked.ends, ranks, (values, sums, squares, histogram, under))
    # Squares about a whole number near the mean, so that integers hold them exactly and nothing
    # is lost when the small remainder is taken off.
    near = sums // count
    about = squares - 2 * near * sums + count * near * near
    variance = (about - (sums - near * count) ** 2 / count) / count
    return _at_ranks(values / PERCENT_SCALE) | {
        "mean": sums / (count * PERCENT_SCALE),
        "std": np.sqrt(variance) / PERCENT_SCALE,
        "share_under_1": under[:, 0] / count,
        "share_under_5": under[:, 1] / count,
        "histogram": histogram,
        "week_mean": _week_mean(walked, PERCENT_SCALE),
        "week_p95": _where_sampled(walked, walked.week_p95 / PERCENT_SCALE),
    }


def _rate_figures(walked: _Walked) -> dict[str, Any]:
    ends, ranks = walked.ends, walked.ranks()
    moments = np.zeros((len(ranks), 2))
    for s in range(len(ranks)):
        samples = walked.kept[ends[s] : ends[s + 1]]
        samples.sort()
        moments[s] = samples.mean(dtype=np.float64), samples.std(dtype=np.float64)
    values = walked.kept[ends[:-1, np.newaxis] + ranks].astype(np.float64)
    return _at_ranks(values) | {
        # the mean of equal numbers may round past them
        "mean": np.clip(moments[:, 0], values[:, 0], values[:, -1]),
        "std": moments[:, 1],
        "week_mean": _week_mean(walked, 1),
        "week_p95": _where_sampled(walked, walked.week_p95),
    }


def _at_ranks(values: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
    return dict(zip(("min", *QUANTILES, "max"), values.T, strict=True))


def _week_mean(walked: _Walked, scale: int) -> NDArray[np.float64]:
    return _where_sampled(walked, walked.week_sum / np.maximum(walked.week_count, 1) / scale)


def _where_sampled(walked: _Walked, values: NDArray[Any]) -> NDArray[Any]:
    return np.where(walked.week_count > 0, values, np.nan)


def _counts(block: Block) -> Ints:
    """What compaction counted on each series' days that overlap its samples' span."""
    width, per_series = block.samples.shape[1], np.diff(block.firsts)
    low, high = np.repeat(block.lows, per_series), np.repeat(block.highs, per_series)
    inside = (block.slots < high) & (block.slots + width > low)
    sums: Ints = np.add.reduceat(block.counters * inside[:, np.newaxis], block.firsts[:-1])
    return sums


def _array(values: Any, kind: pa.DataType, length: int) -> pa.Array:
    if values is None:
        return pa.nulls(length, kind)
    if pa.types.is_list(kind):
        offsets = np.arange(length + 1, dtype=np.int32) * values.shape[1]
        flat = pa.array(np.ascontiguousarray(values).ravel()).cast(kind.value_type)
        return pa.ListArray.from_arrays(pa.array(offsets), flat)
    if isinstance(values, np.ndarray):
        return pa.array(np.ascontiguousarray(values)).cast(kind)
    return values
