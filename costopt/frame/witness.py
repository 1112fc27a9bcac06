"""CPU spikes that no other metric of the machine confirms.

A real, isolated CPU spike coincides with disk, network or memory traffic above that metric's own
P99 within five minutes 95 times in 100; a random instant does 7 times in 100 (500 Bitbrains VMs).
So a spike that the collected witnesses do not confirm is disputed: a poisoned or broken sample more
likely than demand. Nothing is thrown away: advice shows the size with and without it.
"""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from costopt import schema
from costopt.frame.days import Block, Key, Shard, Spans
from costopt.model import Disputed, Profile
from costopt.units import SECONDS_PER_DAY

CPU: Final = "cpu_utilization"
WITNESSES: Final = frozenset(
    {
        "disk_read",
        "disk_write",
        "disk_utilization",
        "network_in",
        "network_out",
        "memory_utilization",
    }
)
SPIKE_PERCENT: Final = 10.0
SPIKE_TIMES_P90: Final = 3.0
NEAR_SECONDS: Final = 300
ISOLATED_SECONDS: Final = 1800
"""A longer run of spikes is work the machine did, not a glitch: spikes injected at random into 5 %
of all samples make a run of seven once in a billion."""

_TIME_BITS: Final = 40  # an instant is resource << 40 | seconds since 1970
_TIME: Final = (1 << _TIME_BITS) - 1


def disputed(shard: Shard, profiles: Mapping[Key, Profile], spans: Spans) -> dict[str, Disputed]:
    """Per resource with any: the disputed CPU spikes, and the distribution without them.

    A spike is a sample above max(10 %, 3 x P90). It is disputed when its run of spikes is brief,
    no witness was above its own P99 within five minutes of any of the run, and a witness was heard
    throughout it: one that is missing at that moment accuses nobody, nor does one that never moves.

    Args:
        profiles: of the series that count, one a metric, over the same spans; others are ignored.
    """
    hearing = _Hearing(
        shard, profiles, spans, tuple(sorted({key.resource_id for key in shard.keys}))
    )
    spikes, hits = hearing.spikes(), hearing.hits()
    runs = _runs(spikes)
    confirmed = np.bincount(runs, _near(spikes, hits)) > 0
    brief = np.bincount(runs, spikes.periods) <= ISOLATED_SECONDS
    doubtful = (brief & ~confirmed)[runs]
    unheard = doubtful & ~hearing.heard(spikes.instants, doubtful)
    doubtful &= (np.bincount(runs, unheard) == 0)[runs]
    return hearing.without(spikes.at(doubtful))


class _Samples(NamedTuple):
    """Some samples of a shard, by resource and time."""

    instants: NDArray[np.int64]
    periods: NDArray[np.int64]  # seconds
    values: NDArray[np.float64]

    def at(self, chosen: NDArray[np.bool_] | NDArray[np.int64]) -> _Samples:
        """Some of them."""
        return _Samples(self.instants[chosen], self.periods[chosen], self.values[chosen])


@dataclass(frozen=True, slots=True)
class _Hearing:
    """One shard's spikes and witnesses."""

    shard: Shard
    profiles: Mapping[Key, Profile]
    spans: Spans
    resources: tuple[str, ...]  # an instant holds a position herein

    def hits(self) -> _Samples:
        """The moments at which witnesses stand out."""
        return self._over({key: self.profiles[key].p99 for key in self._witnesses()})

    def spikes(self) -> _Samples:
        """The CPU spikes of the resources that have a witness."""
        observed = {key.resource_id for key in self._witnesses()}
        return self._over(
            {
                key: max(SPIKE_PERCENT, SPIKE_TIMES_P90 * self.profiles[key].p90)
                for key in self._cpus(observed)
            }
        )

    def heard(self, instants: NDArray[np.int64], asked: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """(instants,) of those asked for: whether any witness has a sample at that moment."""
        days = self._owners()[self.shard.series] << _TIME_BITS | self.shard.midnights
        wanted = np.isin(days, instants[asked] - _clock(instants[asked]))
        heard = np.zeros(len(instants), bool)
        chosen = self.shard.choose(self._witnesses()) & wanted
        for block in self.shard.inside(chosen, self.spans):
            _hear(block, days[block.rows], instants, asked, heard)
        return heard

    def without(self, accused: _Samples) -> dict[str, Disputed]:
        """What each resource's CPU distribution is without its accused samples."""
        owners, first, lengths = np.unique(
            accused.instants >> _TIME_BITS, return_index=True, return_counts=True
        )
        names = [self.resources[owner] for owner in owners]
        counts = self._counts(set(names))
        found = {}
        for name, start, length in zip(names, first, lengths, strict=True):
            values = accused.values[start : start + length]
            kept = counts[name] - np.bincount(_bins(values), minlength=_BINS)
            moment = int(accused.instants[start]) & _TIME
            found[name] = _disputed(kept, len(values), moment, float(values[0]))
        return found

    def _witnesses(self) -> set[Key]:
        """The series that can testify: they do rise above their own P99."""
        return {
            key
            for key in self.shard.keys
            if key.metric_name in WITNESSES
            and key in self.profiles
            and self.profiles[key].max > self.profiles[key].p99
        }

    def _cpus(self, resources: Set[str]) -> set[Key]:
        return {
            key
            for key in self.shard.keys
            if (key.metric_name, key.statistic, key.device) == (CPU, "mean", "")
            and key.resource_id in resources
            and key in self.profiles
        }

    def _owners(self) -> NDArray[np.int64]:
        """(keys,) the resource of each series, as a position in `resources`."""
        place = {resource_id: number for number, resource_id in enumerate(self.resources)}
        return np.array([place[key.resource_id] for key in self.shard.keys], np.int64)

    def _over(self, limits: Mapping[Key, float]) -> _Samples:
        """The samples above these series' limits."""
        limit = np.array([limits.get(key, np.inf) for key in self.shard.keys])
        owners = self._owners()
        found = [_Samples(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0))]
        for block in self.shard.inside(self.shard.choose(limits.keys()), self.spans):
            rows, slots = np.nonzero(block.values > limit[block.series, None])
            instants = owners[block.series[rows]] << _TIME_BITS | block.times(rows, slots)
            periods = np.full(len(rows), block.period_seconds, np.int64)
            found.append(_Samples(instants, periods, block.values[rows, slots]))
        joined = _Samples(
            np.concatenate([part.instants for part in found]),
            np.concatenate([part.periods for part in found]),
            np.concatenate([part.values for part in found]),
        )
        return joined.at(np.argsort(joined.instants, kind="stable"))

    def _counts(self, resources: Set[str]) -> dict[str, NDArray[np.int64]]:
        """Per resource: how often each hundredth of a percent occurs in its CPU samples."""
        counts = {name: np.zeros(_BINS, np.int64) for name in resources}
        for block in self.shard.inside(self.shard.choose(self._cpus(resources)), self.spans):
            for series in np.unique(block.series):
                values = block.values[block.series == series]
                present = _bins(values[~np.isnan(values)])
                counts[self.shard.keys[series].resource_id] += np.bincount(present, minlength=_BINS)
        return counts


def _runs(spikes: _Samples) -> NDArray[np.int64]:
    """(spikes,) the number of each spike's run: spikes on adjoining periods of one resource."""
    begins = np.ones(len(spikes.instants), bool)
    begins[1:] = np.diff(spikes.instants) > spikes.periods[1:]
    return np.cumsum(begins) - 1


def _near(spikes: _Samples, hits: _Samples) -> NDArray[np.bool_]:
    """(spikes,) whether the period of a hit lies less than five minutes from the spike's."""
    near = np.zeros(len(spikes.instants), bool)
    for period in np.unique(hits.periods):
        instants = hits.instants[hits.periods == period]
        after = np.searchsorted(instants, spikes.instants - NEAR_SECONDS - period, "right")
        before = np.searchsorted(instants, spikes.instants + spikes.periods + NEAR_SECONDS, "left")
        near |= before > after
    return near


def _clock(instants: NDArray[np.int64]) -> NDArray[np.int64]:
    """Seconds since midnight."""
    return (instants & _TIME) % SECONDS_PER_DAY


def _hear(
    block: Block,
    days: NDArray[np.int64],
    instants: NDArray[np.int64],
    asked: NDArray[np.bool_],
    heard: NDArray[np.bool_],
) -> None:
    """Mark the instants asked for at which a row of the block, of that day, holds a sample."""
    clock = _clock(instants)
    order = np.argsort(days, kind="stable")
    first = np.searchsorted(days[order], instants - clock, "left")
    count = np.searchsorted(days[order], instants - clock, "right") - first
    for nth in range(int(count.max(initial=0))):
        open_ = np.flatnonzero(asked & ~heard & (count > nth))
        rows = order[first[open_] + nth]
        heard[open_] = ~np.isnan(block.values[rows, clock[open_] // block.period_seconds])


_BINS: Final = int(schema.PERCENT_LIMIT * schema.PERCENT_SCALE) + 1


def _bins(values: NDArray[np.float64]) -> NDArray[np.int64]:
    return np.rint(values * schema.PERCENT_SCALE).astype(np.int64)


def _disputed(counts: NDArray[np.int64], samples: int, start: int, value: float) -> Disputed:
    """The figures of what is left, as the profile has them (nearest rank: inverted_cdf)."""
    levels = np.arange(_BINS) / schema.PERCENT_SCALE
    total = int(counts.sum())
    cumulative = np.cumsum(counts)
    mean = float((counts * levels).sum() / total)

    def percentile(permille: int) -> float:
        return float(levels[np.searchsorted(cumulative, -(-total * permille // 1000))])

    return Disputed(
        samples=samples,
        example_at=datetime.fromtimestamp(start, UTC),
        example_value=value,
        mean=mean,
        std=float(np.sqrt((counts * (levels - mean) ** 2).sum() / total)),
        max=percentile(1000),
        p50=percentile(500),
        p90=percentile(900),
        p95=percentile(950),
        p99=percentile(990),
        p99_5=percentile(995),
        histogram=tuple(np.add.reduceat(counts, range(0, _BINS, schema.PERCENT_SCALE)).tolist()),
    )
