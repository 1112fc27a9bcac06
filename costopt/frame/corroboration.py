"""Which figures of a machine its other figures speak against: brief CPU spikes, refused samples.

A broken or poisoned sample looks like a brief spike of CPU; so does real work, far more often. One
spike proves nothing. Many do, for two things tell work from samples put in at random:

- **Outside**: while a machine works, its disk, network or memory mostly rise too. The evidence is
  the level of the loudest witness within five minutes of the spike.
- **Beside**: work seldom begins and ends within one sample. The evidence is the level of the CPU
  itself just before and just after the spike.

A level is a rank among the same series' samples at quiet moments, those without a spike within five
minutes: up to P50, P80, P95, P99, P99.9, or above. The levels that real spikes show are known
(`_MEMORY`, `_TRAFFIC`, `_BESIDE`); those of a random moment are counted at the machine's own quiet
moments. How many times likelier a spike's levels are of work than of a random moment is its weight.

Weights and heights tell which spikes are random ones put in among real ones (mixture.random).
Those are disputed.

Never disputed: anything of a machine without a witness that moves; a spike during which no witness
was heard; and work that shows as such, for it lasts longer than half an hour or comes at the same
time of day on half of the days.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import gcd
from typing import Final, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from costopt.frame.mixture import random
from costopt.model import Profile
from costopt.units import SECONDS_PER_DAY

Floats = NDArray[np.float64]
Samples = NDArray[np.float32]
Flags = NDArray[np.bool_]
Levels = NDArray[np.int8]  # 0 = up to P50 .. 5 = above P99.9, NOTHING = no sample
Marks = TypeVar("Marks", Flags, Levels)

SPIKE_PERCENT: Final = 10.0
SPIKE_TIMES_P90: Final = 3.0
NEAR_SECONDS: Final = 300
BRIEF_SECONDS: Final = 1800
"""A longer run of spikes is no glitch: spikes put at random into 5 % of all samples make a run of
seven once in a billion."""

NOTHING: Final = -1
_P90: Final = 900
_EDGES: Final = (500, 800, 950, 990, 999)  # permille
_LOUD: Final = 4  # above P99
_MEMORY: Final = (0.05, 0.10, 0.15, 0.25, 0.22, 0.23)
"""How often real brief spikes show each level of memory, where that is the only witness (300
Bitbrains VMs, rounded; so is `_BESIDE`)."""
_TRAFFIC: Final = (0.01, 0.01, 0.01, 0.02, 0.95)
"""The same with disk or network among the witnesses: 95 % are above P99 (500 Bitbrains VMs; how
many of them above P99.9 is not known, and all above P99 count the same)."""
_BESIDE: Final = (0.15, 0.10, 0.15, 0.20, 0.20, 0.20)
"""The same of the higher one of the two CPU samples beside a spike."""
_RECURRING: Final = 0.5  # of the other days; of spikes in 5 % of samples one in a thousand does
_RECURRING_DAYS: Final = 3
_BUSY_PERCENT: Final = 90
_LEAST_KEPT: Final = 0.1  # of the number refused


class Series(NamedTuple):
    """Samples on a grid of whole UTC days."""

    values: Samples  # (days * 86400 / period,); NaN = missing
    period_seconds: int


def spike_limit(p90: float) -> float:
    """What a CPU sample must exceed to be a spike, percent: 10 and three times the P90.

    Above a P90 of 20 % it is half-way from there to full, for else a busy machine had no spikes.
    """
    return max(SPIKE_PERCENT, min(SPIKE_TIMES_P90 * p90, (p90 + 100) / 2))


def disputed(cpu: Series, memory: Sequence[Series], traffic: Sequence[Series]) -> Flags:
    """(samples,) which CPU samples belong to disputed spikes: see the module.

    Args:
        cpu: means, percent of the machine.
        memory: its use, where it is collected.
        traffic: what is collected of disk and network.
            Of any unit, each at a period of its own, over the same days as `cpu`.
    """
    spikes = _spikes(cpu.values)
    runs = _Runs.of(spikes)
    asked = runs.lengths * cpu.period_seconds <= BRIEF_SECONDS
    asked &= ~runs.any_of(_recurring(spikes, cpu))
    told = _testimony(cpu, spikes, memory, traffic) if asked.sum() > 1 else None
    if told is None:
        return np.zeros(len(spikes), bool)
    asked &= runs.all_of(told.heard)
    quiet = _quiet(spikes, cpu.period_seconds, cpu)
    own = _levels(cpu.values, quiet)
    beside = _higher_known(own[:-2], own[2:])[quiet[1:-1]]
    weights = _weights(_BESIDE, runs.beside(own), beside)
    weights *= _weights(told.of_work, runs.highest(told.levels), told.levels[quiet])
    doubtful = np.zeros(len(asked), bool)
    doubtful[asked] = random(weights[asked], runs.heights(cpu.values)[asked])
    return runs.samples(doubtful)


def refused_is_busy(profile: Profile) -> bool:
    """Whether the refused high samples of a utilization are demand above everything.

    A machine that runs above its nominal capacity comes past 90 % far more often than past 105 %:
    all 34 of 300 Bitbrains VMs with refused samples do (for one, 4,896 kept beside 860 refused). A
    counter that was reset throws absurd values out of nothing. So they are believed where the
    samples kept at 90 % and more number at least a tenth of them; else they are a broken counter's
    and are left out. True where nothing was refused.

    Raises:
        ValueError: the profile is not of a percentage.
    """
    kept = round(profile.share_over(_BUSY_PERCENT) * profile.count)
    return kept >= _LEAST_KEPT * profile.refused_high


def _spikes(cpu: Samples) -> Flags:
    present = np.sort(cpu[~np.isnan(cpu)])
    if not len(present):
        return np.zeros(len(cpu), bool)
    return cpu > spike_limit(_nearest_rank(present, _P90))


class _Runs(NamedTuple):
    """Spikes on adjoining samples."""

    first: NDArray[np.int64]  # (runs,) position of the first sample
    stop: NDArray[np.int64]  # (runs,) the one after the last
    total: int  # of all samples

    @classmethod
    def of(cls, spikes: Flags) -> _Runs:
        edges = np.flatnonzero(np.diff(spikes, prepend=False, append=False))
        return cls(edges[::2], edges[1::2], len(spikes))

    @property
    def lengths(self) -> NDArray[np.int64]:
        return self.stop - self.first

    def all_of(self, flags: Flags) -> Flags:
        """(runs,) whether all of the run's samples have it."""
        return np.equal(self._of(flags), self.lengths)

    def any_of(self, flags: Flags) -> Flags:
        """(runs,) whether any of the run's samples has it."""
        return self._of(flags) > 0

    def highest(self, levels: Levels) -> Levels:
        """(runs,) of the run's samples."""
        return np.maximum.reduceat(np.append(levels, NOTHING), self._bounds)[::2]

    def heights(self, values: Samples) -> Samples:
        """(runs,) the lowest of the run's samples: a random one beside work condemns it not."""
        return np.minimum.reduceat(np.append(values, np.float32(0)), self._bounds)[::2]

    def beside(self, levels: Levels) -> Levels:
        """(runs,) of the samples before and after the run, where both are there."""
        padded = np.concatenate([[NOTHING], levels, [NOTHING]])
        return _higher_known(padded[self.first], padded[self.stop + 1])

    def samples(self, chosen: Flags) -> Flags:
        """(samples,) whether a sample belongs to one of the chosen runs."""
        steps = np.zeros(self.total + 1, np.int8)
        steps[self.first[chosen]] = 1
        steps[self.stop[chosen]] = -1
        inside: Flags = np.cumsum(steps[:-1]) > 0
        return inside

    @property
    def _bounds(self) -> NDArray[np.int64]:
        return np.column_stack([self.first, self.stop]).ravel()

    def _of(self, flags: Flags) -> NDArray[np.int64]:
        passed = np.concatenate([[0], np.cumsum(flags)])
        within: NDArray[np.int64] = passed[self.stop] - passed[self.first]
        return within


class _Testimony(NamedTuple):
    """What witnesses say, at each CPU sample."""

    levels: Levels  # the loudest within five minutes
    heard: Flags  # whether there is a witness's sample at that moment
    of_work: Sequence[float] = ()  # how often real spikes show each level


def _testimony(
    cpu: Series, spikes: Flags, memory: Sequence[Series], traffic: Sequence[Series]
) -> _Testimony | None:
    """What all witnesses say together; None = there is none that moves.

    Where disk or network are collected it is they that must be heard: memory knows only half.
    """
    mild, telling = (
        [told for series in kind if (told := _witness(cpu, spikes, series))]
        for kind in (memory, traffic)
    )
    if not mild and not telling:
        return None
    return _Testimony(
        np.max([witness.levels for witness in mild + telling], axis=0),
        np.any([witness.heard for witness in telling or mild], axis=0),
        _TRAFFIC if telling else _MEMORY,
    )


def _witness(cpu: Series, spikes: Flags, series: Series) -> _Testimony | None:
    """What one witness says; None = it never moves."""
    levels = _levels(series.values, _quiet(spikes, cpu.period_seconds, series))
    if levels.max() < _LOUD:
        return None
    moments = np.arange(len(spikes)) * cpu.period_seconds // series.period_seconds
    return _Testimony(
        _near(levels, series.period_seconds, cpu.period_seconds), levels[moments] != NOTHING
    )


def _quiet(spikes: Flags, period_seconds: int, series: Series) -> Flags:
    """(samples of the series,) those without a spike within five minutes."""
    return ~_near(spikes, period_seconds, series.period_seconds) & ~np.isnan(series.values)


def _recurring(spikes: Flags, cpu: Series) -> Flags:
    """(samples,) whether spikes come at about that time on half of the other days, and three."""
    days = (-1, SECONDS_PER_DAY // cpu.period_seconds)
    spiked = _near(spikes, cpu.period_seconds, cpu.period_seconds).reshape(days).sum(axis=0)
    there = (~np.isnan(cpu.values)).reshape(days).sum(axis=0)
    often = spiked - 1 >= np.maximum(_RECURRING_DAYS, _RECURRING * (there - 1))
    return np.resize(often, len(spikes))


def _near(levels: Marks, period: int, onto: int) -> Marks:
    """(samples of period `onto`,) the highest level whose period is less than five minutes away."""
    step = gcd(period, onto)
    fine = levels if step == period else np.repeat(levels, period // step)
    highest = fine.copy()
    for reach in range(1, -(-NEAR_SECONDS // step) + 1):
        np.maximum(highest[reach:], fine[:-reach], out=highest[reach:])
        np.maximum(highest[:-reach], fine[reach:], out=highest[:-reach])
    return highest if step == onto else highest.reshape(-1, onto // step).max(axis=1)


def _levels(values: Samples, quiet: Flags) -> Levels:
    """(samples,) the class of each one's rank among the quiet ones."""
    levels = np.full(len(values), NOTHING, np.int8)
    ranked = np.sort(values[quiet])
    if len(ranked):
        levels[~np.isnan(values)] = 0
        for permille in _EDGES:
            levels += values > _nearest_rank(ranked, permille)
    return levels


def _higher_known(one: Levels, other: Levels) -> Levels:
    """The higher of two levels where both are known, else nothing."""
    return np.where(np.minimum(one, other) == NOTHING, NOTHING, np.maximum(one, other))


def _weights(of_work: Sequence[float], shown: Levels, usual: Levels) -> Floats:
    """(spikes,) how many times likelier a level is of work than of a random moment.

    1 where nothing is shown. A level that no quiet moment has is counted as if one had; levels
    above the last that is known of work are as that one.
    """
    last = len(of_work) - 1
    shown, usual = np.minimum(shown, last), np.minimum(usual, last)
    counts = np.array([np.count_nonzero(usual == level) + 1 for level in range(last + 1)])
    likelier = np.asarray(of_work) * counts.sum() / counts
    return np.append(likelier, 1.0)[shown]  # NOTHING is the last


def _nearest_rank(ranked: Samples, permille: int) -> float:
    """A percentile as the profiles have it (numpy: inverted_cdf)."""
    return float(ranked[-(-len(ranked) * permille // 1000) - 1])
