"""Disputed CPU spikes of a shard: its machines' samples, laid out for `corroboration`."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from costopt import schema
from costopt.frame import corroboration
from costopt.frame.corroboration import Flags, Samples, Series, spike_limit
from costopt.frame.days import Key, Shard, Spans
from costopt.model import Disputed, Profile
from costopt.units import SECONDS_PER_DAY

CPU: Final = "cpu_utilization"
MEMORY: Final = "memory_utilization"
TRAFFIC: Final = frozenset(
    {"disk_read", "disk_write", "disk_utilization", "network_in", "network_out"}
)
_BATCH_SAMPLES: Final = 1 << 22  # of float32: 16 MiB, whatever the shard's size


def disputed(shard: Shard, profiles: Mapping[Key, Profile], spans: Spans) -> dict[str, Disputed]:
    """Per resource with any: the disputed CPU spikes, and the distribution without them.

    Samples are read of machines alone whose profile shows that there are spikes, and witnesses.

    Args:
        profiles: of the series that count, one a metric, over the same spans; others are ignored.
    """
    found = {}
    for batch in _batches(shard, _suspects(shard, profiles)):
        series = _laid_out(shard, batch, spans)
        for suspect in batch:
            cpu = series[suspect.cpu]
            accused = corroboration.disputed(
                cpu,
                [series[key] for key in suspect.memory],
                [series[key] for key in suspect.traffic],
            )
            if accused.any():
                found[suspect.cpu.resource_id] = _without(cpu, accused, _first_day(spans))
    return found


class _Suspect(NamedTuple):
    """A machine that has spikes, and witnesses that move."""

    cpu: Key
    memory: list[Key]
    traffic: list[Key]

    @property
    def keys(self) -> list[Key]:
        return [self.cpu, *self.memory, *self.traffic]


def _suspects(shard: Shard, profiles: Mapping[Key, Profile]) -> list[_Suspect]:
    """In the order of their ids."""
    known = [key for key in shard.keys if key in profiles]
    machines = {
        key.resource_id: _Suspect(key, [], [])
        for key in sorted(known)
        if (key.metric_name, key.statistic, key.device) == (CPU, "mean", "")
        and profiles[key].max > spike_limit(profiles[key].p90)
    }
    for key in known:
        if key.resource_id in machines and profiles[key].max > profiles[key].p99:
            if key.metric_name == MEMORY:
                machines[key.resource_id].memory.append(key)
            elif key.metric_name in TRAFFIC:
                machines[key.resource_id].traffic.append(key)
    return [suspect for suspect in machines.values() if suspect.memory or suspect.traffic]


def _batches(shard: Shard, suspects: list[_Suspect]) -> Iterator[list[_Suspect]]:
    """Machines whose samples together fit into memory."""
    rows = dict(zip(shard.keys, np.bincount(shard.series, minlength=len(shard.keys)), strict=True))
    batch: list[_Suspect] = []
    samples = 0
    for suspect in suspects:
        own = sum(int(rows[key]) * SECONDS_PER_DAY // key.period_seconds for key in suspect.keys)
        if batch and samples + own > _BATCH_SAMPLES:
            yield batch
            batch, samples = [], 0
        batch.append(suspect)
        samples += own
    if batch:
        yield batch


def _first_day(spans: Spans) -> int:
    """Days from 1970 to the first day of the window."""
    return spans.window_start // SECONDS_PER_DAY


def _laid_out(shard: Shard, batch: list[_Suspect], spans: Spans) -> dict[Key, Series]:
    """Every series of these machines on its grid over the window's days."""
    first, stop = _first_day(spans), -(-spans.end // SECONDS_PER_DAY)
    keys = {key for suspect in batch for key in suspect.keys}
    grids = {
        key: np.full((stop - first, SECONDS_PER_DAY // key.period_seconds), np.nan, np.float32)
        for key in keys
    }
    for block in shard.inside(shard.choose(keys), spans):
        days = block.midnights // SECONDS_PER_DAY - first
        order = np.lexsort((days, block.series))
        order = order[(days[order] >= 0) & (days[order] < stop - first)]
        series, begins = np.unique(block.series[order], return_index=True)
        for number, rows in zip(series, np.split(order, begins[1:]), strict=True):
            grids[shard.keys[number]][days[rows]] = block.values[rows]
    return {key: Series(grid.ravel(), key.period_seconds) for key, grid in grids.items()}


_BINS: Final = int(schema.PERCENT_LIMIT * schema.PERCENT_SCALE) + 1


def _without(cpu: Series, accused: Flags, first_day: int) -> Disputed:
    """The accused samples, and the figures of what is left (nearest rank: inverted_cdf)."""
    at = np.flatnonzero(accused)
    times = at * cpu.period_seconds + first_day * SECONDS_PER_DAY
    counts = _counts(cpu.values[~accused & ~np.isnan(cpu.values)])
    levels = np.arange(_BINS) / schema.PERCENT_SCALE
    total = int(counts.sum())
    cumulative = np.cumsum(counts)
    mean = float((counts * levels).sum() / total)

    def percentile(permille: int) -> float:
        return float(levels[np.searchsorted(cumulative, -(-total * permille // 1000))])

    return Disputed(
        samples=len(at),
        example_at=datetime.fromtimestamp(int(times[0]), UTC),
        example_value=round(float(cpu.values[at[0]]), 2),
        mean=mean,
        std=float(np.sqrt((counts * (levels - mean) ** 2).sum() / total)),
        max=percentile(1000),
        p50=percentile(500),
        p90=percentile(900),
        p95=percentile(950),
        p99=percentile(990),
        p99_5=percentile(995),
        histogram=tuple(np.add.reduceat(counts, range(0, _BINS, schema.PERCENT_SCALE)).tolist()),
        times=array("q", times.tobytes()),
    )


def _counts(values: Samples) -> NDArray[np.int64]:
    """How often each hundredth of a percent occurs."""
    return np.bincount(np.rint(values * schema.PERCENT_SCALE).astype(np.int64), minlength=_BINS)
