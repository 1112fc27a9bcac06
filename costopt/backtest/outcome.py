"""What each size of the ladder would have done in a test window, with and without the guard."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from costopt.backtest.base import STAY, STOP, Floats
from costopt.compiled import compiled
from costopt.optimize.guard import BUDGET, samples_to_revert

Bools = npt.NDArray[np.bool_]
Samples = npt.NDArray[np.float32] | npt.NDArray[np.float64]

LIMIT_PERCENT: Final = 90.0
IDLE_FLOOR_PERCENT: Final = 5.0
"""Demand above this, in percent of today's machine, is work that a stopped machine leaves undone:
AWS Compute Optimizer calls a machine idle whose CPU peaks below 5 %."""

FULL_PERCENT: Final = 100.0


@dataclass(frozen=True, slots=True)
class Outcomes:
    """Windows x sizes. An added violation is a sample over the limit of the new size only, not of
    today's; shares are of the samples present, NaN in a window without any.

    Over 100 % counts what the new size cannot do and today's can: a sample of 100 % or more says
    that today's machine is saturated too. So 95 % on half the machine is added over 100 %, though
    not over 90 %, where today's is as well: `over_100` may exceed `over_90`.
    """

    ladder: Floats  # (R,) shares of today's size, largest first; 0 = stopped
    over_90: Floats  # (W, R) share of samples that are added violations of the limit
    over_100: Floats  # (W, R) the same of the whole machine
    exhausted: Bools  # (W, R) whether the budget was used up, without a guard
    guarded: Floats  # (L, W, R) over_90 as far as the size was kept
    kept: Floats  # (L, W, R) share of the window's slots up to the rollback; 1 = none


def outcomes(
    tests: Samples,
    ladder: Floats,
    leads: Sequence[int],
    *,
    limit_percent: float = LIMIT_PERCENT,
    budget: float = BUDGET,
) -> Outcomes:
    """What every size would have done in every window.

    The guard gives today's size back `lead` slots after the violation that uses up the budget;
    violations until then count. So over a window of T slots, all present, and whatever the demand,
    the guarded share is at most budget + (1 + lead) / T. A stopped machine violates where demand is
    over `IDLE_FLOOR_PERCENT`, at any height of it.

    Args:
        tests: (windows, slots) demand, percent of today's machine, on one grid; NaN = missing,
            never a violation. Compared in its own precision.
        ladder: (R,) sizes as shares of today's, descending from 1.
        leads: slots from the violation that uses up the budget to today's size running again.
        limit_percent: of any machine, how busy it may be.
        budget: share of the window's slots that may be added violations.
    Raises:
        ValueError: the ladder does not descend from 1 to 0 or more, or a lead is negative.
    Source:
        decisions, "Rightsizing", 5 (the guard and its bound).
    """
    _check(ladder, leads)
    tests = np.ascontiguousarray(tests, None if tests.dtype == np.float32 else np.float64)
    windows, slots = tests.shape
    size = (windows, len(ladder))
    present = np.empty(windows, np.int64)
    added, beyond = np.empty(size, np.int64), np.empty(size, np.int64)
    kept, guarded = (np.empty((len(leads), *size), np.int64) for _ in range(2))
    samples = samples_to_revert(slots, budget)
    limits = _limits(ladder, limit_percent, tests.dtype)
    waits = np.asarray(leads, np.int64)
    _replay(tests, limits, (samples, waits), (present, added, beyond, kept, guarded))
    return Outcomes(
        ladder=np.asarray(ladder, np.float64),
        over_90=_share(added, present),
        over_100=_share(beyond, present),
        exhausted=added >= samples,
        guarded=_share(guarded, present),
        kept=kept / slots,
    )


def memory_outcomes(tests: Samples, sizes: Floats) -> Bools:
    """(W,) whether memory ran out: any sample over the new size, where it is smaller than today's.

    Args:
        tests: (windows, slots) memory in use, percent of today's; NaN = missing. A window without
            samples shows nothing: leave it out.
        sizes: (W,) shares of today's memory; NaN = stays as it is.
    """
    peak: npt.NDArray[Any] = np.fmax.reduce(tests, axis=1)
    full = np.round(FULL_PERCENT * sizes, 9).astype(peak.dtype)
    return np.asarray((peak > full) & (sizes < STAY))


def _check(ladder: Floats, leads: Sequence[int]) -> None:
    if not (len(ladder) and ladder[0] == STAY and ladder[-1] >= STOP):
        raise ValueError(f"a ladder starts at {STAY} and ends at {STOP} or above: {ladder}")
    if not (np.diff(ladder) < 0).all():
        raise ValueError(f"a ladder descends: {ladder}")
    if any(lead < 0 for lead in leads):
        raise ValueError(f"a lead is a number of slots, 0 or more: {leads}")


def _limits(ladder: Floats, limit_percent: float, precision: Any) -> npt.NDArray[Any]:
    """(4, R) in the samples' precision: over the 1st and up to the 2nd violates the limit, over the
    3rd and up to the 4th the whole machine. Rounded, so that 90 * 0.48 is 43.2."""
    stopped = ladder == STOP
    under_full = np.nextafter(precision.type(FULL_PERCENT), precision.type(0))
    return np.array(
        [
            np.where(stopped, IDLE_FLOOR_PERCENT, np.round(limit_percent * ladder, 9)),
            np.where(stopped, np.inf, limit_percent),
            np.where(stopped, IDLE_FLOOR_PERCENT, np.round(FULL_PERCENT * ladder, 9)),
            np.where(stopped, np.inf, under_full),
        ],
        precision,
    )


def _share(counts: npt.NDArray[np.int64], present: npt.NDArray[np.int64]) -> Floats:
    of = np.broadcast_to(present[:, None], counts.shape)
    share: Floats = np.full(counts.shape, np.nan)
    np.divide(counts, of, out=share, where=of > 0)
    return share


@compiled
def _replay(tests: Any, limits: Any, guard: Any, out: Any) -> None:
    """Count each window's violations at each size; look for the rollback only where there is one.

    Args:
        tests: (windows, slots), one window at a time in the processor's cache.
        limits: see `_limits`.
        guard: (samples that use up the budget; leads in slots).
        out: (samples present (W,); violations of the limit and of the machine (W, R); slots kept
            and violations in them (leads, W, R)).
    """
    samples, leads = guard
    present, added, beyond, kept, guarded = out
    slots = tests.shape[1]
    for w in range(len(tests)):
        window = tests[w]
        present[w] = _between(window, -np.inf, np.inf)
        for r in range(limits.shape[1]):
            low, high = limits[0, r], limits[1, r]
            added[w, r] = _between(window, low, high)
            beyond[w, r] = _between(window, limits[2, r], limits[3, r])
            spent = added[w, r] >= samples
            last = _place(window, low, high, samples) if spent else slots
            for k in range(len(leads)):
                end = min(slots, last + 1 + leads[k])
                exposed = window[:end]
                kept[k, w, r] = end
                guarded[k, w, r] = _between(exposed, low, high) if spent else added[w, r]


@compiled
def _between(window: Any, low: Any, high: Any) -> int:
    """How many samples lie over `low` and not over `high`; a missing one does neither."""
    count = 0
    for i in range(len(window)):
        count += (window[i] > low) & (window[i] <= high)
    return count


@compiled
def _place(window: Any, low: Any, high: Any, nth: int) -> int:
    """The slot of the n-th sample that lies so; there are as many."""
    slot, left = -1, nth
    while left:
        slot += 1
        left -= (window[slot] > low) & (window[slot] <= high)
    return slot
