"""A fleet's risk budget: at most so many machines to be rolled back in a window.

Conformal risk control (Angelopoulos, Bates, Fisch, Lei and Schuster, 2022) with the rollback cost
as the knob: the dearer it is, the larger every answer, and the fewer are rolled back. The bound
holds on average over fleets whose machines are alike (exchangeable); a shock that hits all of them
in one window breaks it (facts: decisions, "Rightsizing" 4).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from costopt.optimize.cost import on_ladder
from costopt.optimize.features import Floats

_DEAREST: Final = 64.0
_STEPS: Final = 25  # a sixth more each: 0.5 to 64 in 25 steps is a factor of 1.22


@dataclass(frozen=True, slots=True)
class Past:
    """What a fleet's past decisions had to go by and came to, window by window."""

    ladder: Floats  # (S,) descending from 1
    risk: Floats  # (W, S)
    peak: Floats  # (W,) percent
    exhausted: npt.NDArray[np.bool_]  # (W, S)
    resources: npt.NDArray[np.int64]  # (W,) which machine


@dataclass(frozen=True, slots=True)
class Shown:
    """What a fleet's past can show of a budget."""

    budget: float  # share of machines rolled back in a window, 0..1
    rollback_cost: float  # the smallest that keeps it; infinite = none does
    machines: int  # n, with a past
    bound: float  # (n * R + 1) / (n + 1) at that rollback cost; at its least where none keeps it


def rollback_cost_within(past: Past, budget: float, least: float, limit_percent: float) -> Shown:
    """The smallest rollback cost, from `least` up, that keeps the budget.

    n machines with a mean loss R keep it where (n * R + 1) / (n + 1) <= budget: so no budget under
    1 / (n + 1) can be shown.

    Args:
        budget: share of machines rolled back in a window, 0..1.
    """
    machines, lowest = len(np.unique(past.resources)), 1.0
    for cost in np.geomspace(max(least, 0.01), _DEAREST, _STEPS):
        bound = (machines * _loss(past, float(cost), limit_percent) + 1) / (machines + 1)
        if bound <= budget:
            return Shown(budget, float(cost), machines, bound)
        lowest = min(lowest, bound)
    return Shown(budget, math.inf, machines, lowest)


def _loss(past: Past, rollback_cost: float, limit_percent: float) -> float:
    """The share of windows rolled back, each machine counting once."""
    if not len(past.resources):
        return 0.0
    chosen = on_ladder(past.ladder, past.risk, past.peak, rollback_cost, limit_percent)
    rolled_back = past.exhausted[np.arange(len(chosen)), chosen].astype(np.float64)
    _, of = np.unique(past.resources, return_inverse=True)
    return float((np.bincount(of, rolled_back) / np.bincount(of)).mean())
