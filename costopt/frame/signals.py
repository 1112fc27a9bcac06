"""What only the samples themselves can tell of their quality, in one streaming pass."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass, field
from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from costopt.config import QualitySettings
from costopt.frame import drift, witness
from costopt.frame.contradiction import Contradiction, contradictions
from costopt.frame.days import Key, Shard, Spans, key_of, seconds
from costopt.model import Disputed, Profile, Resource, Window
from costopt.units import SECONDS_PER_DAY

_REFUSED = ("RefusedLow", "RefusedHigh", "NotFinite")


@dataclass(frozen=True, slots=True)
class Ahead:
    """Samples that start at the window's end or later."""

    samples: int
    first: datetime


@dataclass(frozen=True, slots=True)
class Signals:
    """By ResourceId; who has nothing to tell is not in it."""

    disputed: Mapping[str, Disputed] = field(default_factory=dict)
    shifts: Mapping[str, drift.Shift] = field(default_factory=dict)
    ahead: Mapping[str, Ahead] = field(default_factory=dict)
    # Samples refused, by metric, of series of which nothing is left.
    refused: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    # Since when a series has repeated one value up to its last sample; of those that ever do.
    flat_since: Mapping[Key, datetime] = field(default_factory=dict)
    # By metric: what its series of several periods contradict each other in.
    contradictions: Mapping[str, Mapping[str, Contradiction]] = field(default_factory=dict)


def read(
    shards: Iterable[pa.Table],
    resources: Mapping[str, Resource],
    profiles: Mapping[str, tuple[Profile, ...]],
    window: Window,
    settings: QualitySettings,
) -> Signals:
    """The signals in these packed days; what it finds does not depend on the order of their rows.

    Args:
        shards: schema.PACKED rows of whole days that touch the window; all rows of a resource
            stand in one of them.
        profiles: of the series that count (`series.chosen`), over the same window.
    """
    known = {key_of(p): p for of_resource in profiles.values() for p in of_resource}
    spans = Spans(
        {r.resource_id: seconds(r.resized_at) for r in resources.values() if r.resized_at},
        seconds(window.start),
        seconds(window.end),
    )
    clocks = {r.resource_id: r.time_zone for r in resources.values()}
    long_ = settings.stuck_hours * 3600
    suspects = {key for key, profile in known.items() if profile.longest_flat_seconds >= long_}
    found = Signals()
    for table in shards:
        shard = Shard.of(table)
        found = Signals(
            {**found.disputed, **witness.disputed(shard, known, spans)},
            {**found.shifts, **drift.shifts(shard, known.keys(), spans, clocks)},
            {**found.ahead, **_ahead(shard, spans.end)},
            {**found.refused, **_refused(shard, known)},
            {**found.flat_since, **_flat_since(shard, suspects, spans)},
            {**found.contradictions, **contradictions(shard, spans)},
        )
    return found


def _ahead(shard: Shard, end: int) -> dict[str, Ahead]:
    """Per resource: samples that start at `end` or later."""
    times: dict[str, list[int]] = {}
    for block in shard.blocks(shard.midnights + SECONDS_PER_DAY > end):
        rows, slots = np.nonzero(~np.isnan(block.values))
        starts = block.times(rows, slots)
        for row, start in zip(rows[starts >= end], starts[starts >= end], strict=True):
            owner = shard.keys[block.series[row]].resource_id
            times.setdefault(owner, []).append(int(start))
    return {
        owner: Ahead(len(starts), datetime.fromtimestamp(min(starts), UTC))
        for owner, starts in times.items()
    }


def _flat_since(shard: Shard, suspects: Set[Key], spans: Spans) -> dict[Key, datetime]:
    """Per suspect: the start of the run of one value that its last samples form."""
    days: dict[Key, list[tuple[int, NDArray[np.float64]]]] = {}
    for block in shard.inside(shard.choose(suspects), spans):
        for series, midnight, values in zip(
            block.series, block.midnights, block.values, strict=True
        ):
            days.setdefault(shard.keys[series], []).append((int(midnight), values))
    found = {}
    for key, rows in days.items():
        rows.sort(key=lambda row: row[0])
        slots = np.arange(len(rows[0][1])) * key.period_seconds
        times = np.concatenate([midnight + slots for midnight, _ in rows])
        values = np.concatenate([values for _, values in rows])
        present = ~np.isnan(values)
        times, values = times[present], values[present]
        breaks = np.flatnonzero((np.diff(values) != 0) | (np.diff(times) != key.period_seconds))
        start = int(times[breaks[-1] + 1 if len(breaks) else 0])
        found[key] = datetime.fromtimestamp(start, UTC)
    return found


def _refused(shard: Shard, known: Mapping[Key, Profile]) -> dict[str, dict[str, int]]:
    """Per resource and metric: refused samples of series that hold no usable one."""
    counts = np.sum([shard.table.column(name).to_numpy() for name in _REFUSED], axis=0)
    refused = np.bincount(shard.series, counts, minlength=len(shard.keys))
    suspects = {
        key for key, count in zip(shard.keys, refused, strict=True) if count and key not in known
    }
    chosen = shard.choose(suspects)
    for block in shard.blocks(chosen):
        holding = block.series[~np.isnan(block.values).all(axis=1)]
        suspects -= {shard.keys[series] for series in holding}
    found: dict[str, dict[str, int]] = {}
    for key, count in zip(shard.keys, refused, strict=True):
        if key in suspects:
            metrics = found.setdefault(key.resource_id, {})
            metrics[key.metric_name] = metrics.get(key.metric_name, 0) + int(count)
    return found
