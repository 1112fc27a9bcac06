"""Ways to hold capacity for a demand with a week, on weeks that they have not seen.

Demand is in replicas, minute by minute on the wall clock: (weeks, slots, minutes of a slot), NaN =
missing. A policy sees the weeks before and says what runs in each minute of the next; those that
react see the demand of the week itself, so much later as a real one would.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from costopt.optimize.timetable import Wishes, timetable
from costopt.optimize.weekly import mean

Array = npt.NDArray[np.float64]
Policy = Callable[[Array, Array], Array]
"""(weeks before, the week's minutes) -> what runs in each of them, replicas."""

LAG_MINUTES: Final = 5
"""From the minute that demand rises until the replica that it calls for serves: a minute's sample,
the decision, the start."""
SETTLE_MINUTES: Final = 15
"""Nothing that reacts lowers its count before its wish has been lower for so long."""
_DAY: Final = 1440
_HOUR: Final = 60


def demand_of(counts: npt.NDArray[np.floating], longest_gap: int) -> Array:
    """Counts a minute with short gaps as zero (nobody came) and long ones missing.

    Args:
        counts: NaN where no row is.
        longest_gap: minutes that a gap may last to be zero.
    """
    found = np.asarray(counts, np.float64).copy()
    gone = np.isnan(found)
    edges = np.flatnonzero(np.diff(np.concatenate([[False], gone, [False]]).astype(int)))
    for begin, end in edges.reshape(-1, 2):
        if end - begin <= longest_gap:
            found[begin:end] = 0.0
    return found


def static(quantile: float) -> Policy:
    """The same at all times: that quantile of all minutes seen."""
    return lambda past, week: np.full(len(week), np.ceil(np.nanquantile(past, quantile)))


def office_hours(most: int) -> Policy:
    """All of them from 08:00 to 20:00, Monday to Friday, and half at other times."""

    def policy(past: Array, week: Array) -> Array:
        minute = np.arange(len(week))
        hour = minute % _DAY / _HOUR
        busy = (minute < 5 * _DAY) & (hour >= 8) & (hour < 20)
        return np.where(busy, most, np.ceil(most / 2)).astype(np.float64)

    return policy


def hours_off(most: int) -> Policy:
    """A peer's (optscale-schedule, read in its source): of the last 14 days each hour of the week
    with a mean of at most 5 % of capacity is off, all others run in full."""

    def policy(past: Array, week: Array) -> Array:
        hours = past[-2:].reshape(len(past[-2:]), 168, -1)
        use = mean(hours.transpose(1, 0, 2).reshape(168, -1), otherwise=np.inf)
        runs = np.where(use <= 0.05 * most, 0.0, float(most))
        return np.repeat(runs, len(week) // 168)

    return policy


def planned(most: int, wishes: Wishes) -> Policy:
    """Ours: the cheapest timetable of the weeks before."""

    def policy(past: Array, week: Array) -> Array:
        levels = timetable(past, most, wishes)
        return np.repeat(levels.astype(np.float64), len(week) // len(levels))

    return policy


def guarded(floor: Policy, most: int) -> Policy:
    """Another policy, and more wherever demand was above it: as much as that wants, after a lag,
    until it has not been wanted for a while."""

    def policy(past: Array, week: Array) -> Array:
        base = floor(past, week)
        wanted = np.where(week > base, np.ceil(week), 0.0)  # NaN is not above
        return np.maximum(base, np.minimum(_after_lag(wanted), most))

    return policy


def autoscaler(target: float, most: int) -> Policy:
    """Target tracking: the mean of the last three minutes over the target, after a lag; lowered
    when it has been lower for a while."""

    def policy(past: Array, week: Array) -> Array:
        seen = np.nan_to_num(week)
        recent = np.convolve(np.concatenate([seen[:1], seen[:1], seen]), np.ones(3) / 3, "valid")
        wanted = np.maximum(1.0, np.ceil(recent / target - 1e-9))
        return np.clip(_after_lag(wanted), 1, most)

    return policy


def _after_lag(wanted: Array) -> Array:
    """What runs: the highest wish of the time to settle, a lag ago; before the week, its first."""
    late = np.concatenate([np.full(LAG_MINUTES + SETTLE_MINUTES, wanted[0]), wanted])
    spans = np.lib.stride_tricks.sliding_window_view(late, SETTLE_MINUTES + 1)
    return np.asarray(spans.max(axis=1)[: len(wanted)])


@dataclass(frozen=True, slots=True)
class Held:
    """What a policy came to over the held-out weeks."""

    saved: float  # share of flat capacity's replica minutes, 0..1
    violated: float  # share of minutes with demand above what ran
    steps: float  # times a week that the count changed


def held_out(
    demand: Array, policies: Mapping[str, Policy], flat: int, weeks: int
) -> dict[str, Held]:
    """Each policy on each of the last whole weeks, with all weeks before it known.

    Args:
        demand: the last week may be cut short; it is then not tested.
        flat: replicas that would always run, against which savings count.
    """
    whole = np.flatnonzero((~np.isnan(demand)).reshape(len(demand), -1).mean(axis=1) >= 0.5)
    tested = whole[-weeks:]
    return {name: _held(demand, policy, flat, tested.tolist()) for name, policy in policies.items()}


def _held(demand: Array, policy: Policy, flat: int, tested: Sequence[int]) -> Held:
    ran = over = minutes = steps = 0.0
    for at in tested:
        week = demand[at].ravel()
        known = ~np.isnan(week)
        count = policy(demand[:at], week)
        ran += float(count[known].sum())
        over += int((week > count).sum())  # NaN is not above
        minutes += int(known.sum())
        steps += int(np.count_nonzero(np.diff(count)))
    return Held(1 - ran / (flat * minutes), over / minutes, steps / len(tested))
