"""How methods did over a fleet: saved, rolled back, and what was left of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from costopt.backtest.base import STAY, STOP, Floats
from costopt.backtest.bootstrap import Ints, intervals, mean
from costopt.backtest.outcome import Bools, Outcomes
from costopt.backtest.result import Guarded, Interval, MemoryScore, MethodScore
from costopt.errors import InsufficientData

SLACK: Final = 1e-9  # between sizes (shares of today's) that are equal but for arithmetic
HALF_PERCENT: Final = 0.005
ONE_PERCENT: Final = 0.01


def rung(need: Floats, ladder: Floats) -> Floats:
    """(W,) the smallest size of the ladder that holds each need; today's where none does.

    A stop is taken only for a need of exactly 0, and where the ladder holds it. NaN stays NaN.

    Args:
        need: (W,) shares of today's size.
        ladder: (R,) descending from 1; 0 = stopped.
    Raises:
        ValueError: a need is below 0.
    """
    if (need < STOP).any():
        raise ValueError("a need is 0 or more")
    sizes = ladder[ladder > STOP][::-1]
    holds = np.searchsorted(sizes, need - SLACK)
    found = sizes[np.minimum(holds, len(sizes) - 1)]
    stopped = (need == STOP) & (ladder[-1] == STOP)
    return np.where(np.isnan(need), np.nan, np.where(stopped, STOP, found))


@dataclass(frozen=True, slots=True)
class _Taken:
    """What a method's sizes came to, by window (W,) and lead (L, W)."""

    said: Bools
    saved: Floats  # before rollbacks
    net: Floats  # (L, W) after them
    violation: Floats  # (L, W) with the guard
    over_90: Floats
    over_100: Floats
    exhausted: Floats  # 1 = the budget was used up

    def savings(self, ours: _Taken) -> list[Floats]:
        """The figures that need intervals, in the order in which `_score` takes them."""
        return [self.saved, *self.net, self.net[0] - ours.net[0]]


def score(
    outcomes: Outcomes,
    resources: Ints,
    choices: Mapping[str, Floats],
    methods: Mapping[str, tuple[str, str]],
    lead_minutes: Sequence[float],
    *,
    ours: str = "costopt",
    weights: Floats | None = None,
    draws: int = 1000,
    seed: int = 0,
) -> tuple[MethodScore, ...]:
    """Every method's score: ours first, then by net saving, best first.

    Windows without a sample show nothing and are left out. Intervals are those of
    `bootstrap.intervals`, from the same draws for every method.

    Args:
        outcomes: of W windows.
        resources: (W,) index of each window's resource, numbered by sorted identifier.
        choices: method -> (W,) the size taken, one of the ladder's; NaN = said nothing, stays.
        methods: method -> (title, source) of each of `choices`.
        lead_minutes: the leads of `outcomes` in minutes.
        weights: (resources,) above 0, how much of the fleet each one is (its vCPUs, its cost):
            savings are shares of that. Rollbacks and violations are counted by window all the same.
    Raises:
        ValueError: ours is missing, leads do not match, or a choice is not on the ladder.
        InsufficientData: no window holds a sample.
    """
    if ours not in choices or not len(lead_minutes) or len(lead_minutes) != len(outcomes.kept):
        raise ValueError(f"to score, give choices of {ours!r} and the minutes of every lead")
    rows = np.flatnonzero(~np.isnan(outcomes.over_90[:, 0]))
    if not len(rows):
        raise InsufficientData("no test window holds a sample", hint="collect a longer past")
    taken = {name: _take(outcomes, rows, name, chosen) for name, chosen in choices.items()}
    of, one = resources[rows], np.ones(len(rows))
    by = one if weights is None else weights[of]
    savings = [figure for each in taken.values() for figure in each.savings(taken[ours])]
    money = intervals(savings, of, by, draws=draws, seed=seed)
    rollbacks = [each.exhausted for each in taken.values()]
    rolled = intervals(rollbacks, of, one, draws=draws, seed=seed)
    width = len(savings) // len(taken)
    found = [
        _score((name, *methods[name]), each, lead_minutes, money[i * width :][:width], rolled[i])
        for i, (name, each) in enumerate(taken.items())
    ]
    found = [s if s.name != ours else replace(s, net_minus_ours=None) for s in found]
    return tuple(sorted(found, key=lambda s: (s.name != ours, -s.net.value, s.name)))


def memory_score(
    name: str,
    resources: Ints,
    sizes: Floats,
    out_of_memory: Bools,
    *,
    weights: Floats | None = None,
    draws: int = 1000,
    seed: int = 0,
) -> MemoryScore:
    """How one method's memory sizes did.

    Args:
        resources, weights, draws, seed: as in `score`; weights by memory.
        sizes: (W,) shares of today's memory; NaN = said nothing, stays.
        out_of_memory: (W,) see `outcome.memory_outcomes`.
    """
    one = np.ones(len(sizes))
    saved = STAY - np.where(np.isnan(sizes), STAY, sizes)
    by = one if weights is None else weights[resources]
    (less,) = intervals([saved], resources, by, draws=draws, seed=seed)
    failed = out_of_memory.astype(np.float64)
    (ran_out,) = intervals([failed], resources, one, draws=draws, seed=seed)
    return MemoryScore(name, windows=len(sizes), saved=less, out_of_memory=ran_out)


def _take(outcomes: Outcomes, rows: Ints, name: str, chosen: Floats) -> _Taken:
    ladder, said = outcomes.ladder, ~np.isnan(chosen[rows])
    sizes = np.where(said, chosen[rows], STAY)
    columns = np.abs(sizes[:, None] - ladder).argmin(axis=1)
    off = np.abs(sizes - ladder[columns]) > SLACK
    if off.any():
        raise ValueError(f"{name}: size {sizes[off][0]} is not on the ladder {ladder}")
    saved = STAY - ladder[columns]
    return _Taken(
        said=said,
        saved=saved,
        net=saved * outcomes.kept[:, rows, columns],
        violation=outcomes.guarded[:, rows, columns],
        over_90=outcomes.over_90[rows, columns],
        over_100=outcomes.over_100[rows, columns],
        exhausted=outcomes.exhausted[rows, columns].astype(np.float64),
    )


def _score(
    named: tuple[str, str, str],
    taken: _Taken,
    lead_minutes: Sequence[float],
    money: Sequence[Interval],
    rolled_back: Interval,
) -> MethodScore:
    saved, *nets, minus = money
    guarded = tuple(
        Guarded(minutes, net, mean(violation), float(violation.max()))
        for minutes, net, violation in zip(lead_minutes, nets, taken.violation, strict=True)
    )
    return MethodScore(
        *named,
        windows=len(taken.said),
        abstained=mean(~taken.said),
        saved=saved,
        net=nets[0],
        rolled_back=rolled_back,
        over_90=mean(taken.over_90),
        over_100=mean(taken.over_100),
        windows_over_half_percent=mean(taken.over_90 > HALF_PERCENT),
        windows_over_one_percent=mean(taken.over_90 > ONE_PERCENT),
        guarded=guarded,
        net_minus_ours=minus,
    )
