"""Series of one thing at several periods that cannot both be true.

The first write of a sample wins, but only among samples of one period: whoever sends all of them
again, quiet, at another period makes a second series beside the true one. Sent by one and the same
source they agree, as averages of the same: so where they do not, neither is believed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import combinations
from types import MappingProxyType
from typing import Final

import numpy as np
from numpy.typing import NDArray

from costopt import schema
from costopt.frame.days import Key, Shard, Spans
from costopt.frame.subject import Seen, duration, gate

MAX_SHARE: Final = 0.005
"""Of the stretches that both have: as much of the time as a size may be exceeded for."""
TOLERANCE: Final = 0.1
"""Of the higher figure: gaps here and there, and two agents' ways to count, differ by less."""
FLOORS: Final[Mapping[str, float]] = MappingProxyType({"%": 0.5, "B/s": 500.0})
"""By unit: what no answer turns on, and a source that rounds to whole percents loses."""
STRETCH: Final = 12
"""Samples of the longer period whose means are compared: an hour of five-minute ones. Single ones
of a source that looks in only now and then say little of the time between."""
_AT_A_TIME: Final = 32  # things whose samples are in memory: 60 days of a minute are 1.4 MB each

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Contradiction:
    """Two series of one thing, and where they are furthest apart."""

    metric_name: str
    periods: tuple[int, int]  # seconds, the finer first
    values: tuple[float, float]  # means of that stretch, in the metric's unit
    at: datetime  # where it starts
    apart: int  # stretches of so many samples in which they differ
    shared: int  # that both have

    def seen(self) -> Seen:
        """The finding."""
        unit = schema.metric_unit(self.metric_name)
        finer, coarser = (f"{value:,.4g} {unit}".strip() for value in self.values)
        of_fine, of_coarse = (duration(period) for period in self.periods)
        length = duration(STRETCH * self.periods[1])
        return gate(
            self.apart,
            f"{finer} and {coarser} at {self.at:%Y-%m-%d %H:%M} UTC",
            f"samples of every {of_fine} and those of every {of_coarse} contradict each other in "
            f"{self.apart:,} of {self.shared:,} stretches of {length} ({finer} against {coarser} "
            f"from {self.at:%Y-%m-%d %H:%M} UTC on): one of them is not true, and which is unknown",
        )


def contradictions(shard: Shard, spans: Spans) -> dict[str, dict[str, Contradiction]]:
    """Per resource and metric: the worst contradiction between its series of several periods."""
    things: dict[tuple[str, ...], list[Key]] = {}
    for key in shard.keys:
        things.setdefault(key[:4], []).append(key)
    several = [keys for keys in things.values() if len(keys) > 1]
    if not several:
        return {}
    found: dict[str, dict[str, Contradiction]] = {}
    for start in range(0, len(several), _AT_A_TIME):
        some = several[start : start + _AT_A_TIME]
        held = _samples(shard, {key for keys in some for key in keys}, spans)
        for keys in some:
            told = sorted((key for key in keys if key in held), key=lambda key: key.period_seconds)
            seen = [_between(fine, coarse, held) for fine, coarse in combinations(told, 2)]
            _keep_worst(found.setdefault(keys[0].resource_id, {}), filter(None, seen))
    return {resource_id: of_metrics for resource_id, of_metrics in found.items() if of_metrics}


def _keep_worst(kept: dict[str, Contradiction], more: Iterable[Contradiction]) -> None:
    for one in more:
        other = kept.get(one.metric_name, one)
        kept[one.metric_name] = max(one, other, key=lambda c: (c.apart, c.periods, c.values))


def _samples(shard: Shard, keys: set[Key], spans: Spans) -> dict[Key, tuple[Ints, Floats]]:
    """Per series with any: the starts of its samples, and the samples."""
    parts: dict[Key, list[tuple[Ints, Floats]]] = {}
    for block in shard.inside(shard.choose(keys), spans):
        for row, series in enumerate(block.series):
            slots = np.flatnonzero(~np.isnan(block.values[row]))
            if len(slots):
                times = block.midnights[row] + slots * block.period_seconds
                values = block.values[row, slots]
                parts.setdefault(shard.keys[series], []).append((times, values))
    return {
        key: (np.concatenate([t for t, _ in days]), np.concatenate([v for _, v in days]))
        for key, days in parts.items()
    }


def _between(
    fine: Key, coarse: Key, held: Mapping[Key, tuple[Ints, Floats]]
) -> Contradiction | None:
    """Whether they contradict each other in the moments for which both have samples."""
    slots, ours = _condensed(*held[fine], coarse.period_seconds, fine.statistic)
    others, theirs = _condensed(*held[coarse], coarse.period_seconds, fine.statistic)
    both, here, there = np.intersect1d(slots, others, assume_unique=True, return_indices=True)
    if not len(both):
        return None
    stretch = STRETCH * coarse.period_seconds
    starts = both * coarse.period_seconds
    stretches, a = _condensed(starts, ours[here], stretch, "mean")
    _, b = _condensed(starts, theirs[there], stretch, "mean")
    distance = np.abs(a - b)
    floor = FLOORS.get(schema.metric_unit(fine.metric_name), 0.0)
    apart = distance > np.maximum(floor, TOLERANCE * np.maximum(a, b))
    if apart.sum() <= max(1, MAX_SHARE * len(stretches)):
        return None
    worst = int(np.argmax(np.where(apart, distance, -1.0)))
    return Contradiction(
        metric_name=fine.metric_name,
        periods=(fine.period_seconds, coarse.period_seconds),
        values=(float(a[worst]), float(b[worst])),
        at=datetime.fromtimestamp(int(stretches[worst]) * stretch, UTC),
        apart=int(apart.sum()),
        shared=len(stretches),
    )


def _condensed(times: Ints, values: Floats, period: int, statistic: str) -> tuple[Ints, Floats]:
    """The periods with samples, ascending, and each one's mean (or largest, of maxima)."""
    periods = times // period
    first = int(periods.min())
    place = periods - first
    counts = np.bincount(place)
    present = np.flatnonzero(counts)
    if statistic == "max":
        of_each = np.full(len(counts), -np.inf)
        np.maximum.at(of_each, place, values)
    else:
        of_each = np.bincount(place, values) / np.maximum(1, counts)
    return present + first, of_each[present]
