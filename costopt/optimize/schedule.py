"""The cheapest week: how many replicas (or none: a machine that is off) run in each slot, exactly.

The week is a circle: what runs in the last slot is followed by the first. A dynamic programme over
the slots finds, among all plans, one of least cost

    sum_t cost[t, n_t] + up_cost * (n_t - n_t-1)+ + down_cost * (n_t-1 - n_t)+

in which a step down comes at least `min_up` slots after the last step up, and a step up at least
`min_down` after the last step down. Of a machine, levels 0 and 1, these are its minimum times on
and off; of a group they are the pauses that keep it from flapping. What a slot costs (money, the
price of risk, what is forbidden) is the caller's: optimize/need.py makes it of demand.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from costopt.optimize.circle import Rules, cheapest_circle
from costopt.parallel import in_threads

Costs = npt.NDArray[np.float64]
Levels = npt.NDArray[np.int16]


@dataclass(frozen=True, slots=True, eq=False)
class Choice:
    """One plan to be found."""

    cost: Costs  # (slots, levels) of running that level in that slot; inf = must not be
    up_cost: float  # of one replica more, once; >= 0
    down_cost: float  # of one replica fewer, once; >= 0
    min_up: int = 1  # slots, >= 1
    min_down: int = 1  # slots, >= 1


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """The cheapest plan, and what a week of it costs."""

    levels: Levels  # (slots,)
    cost: float


def cheapest(choice: Choice) -> Plan | None:
    """The cheapest cyclic plan; None where none is allowed.

    O(slots * levels * (min_up + min_down)) for each range of states that the week might begin on;
    bounds leave few of these to be tried: about ten without minimum times.

    Raises:
        ValueError: NaN or a cost of minus infinity, negative costs of change, a time below 1 slot.
    """
    _check(choice)
    rules = Rules(choice.up_cost, choice.down_cost, choice.min_up - 1, choice.min_down - 1)
    levels, total = cheapest_circle(np.ascontiguousarray(choice.cost, np.float64), rules)
    return Plan(levels, float(total)) if np.isfinite(total) else None


def cheapest_of(choices: Iterable[Choice], threads: int = 1) -> list[Plan | None]:
    """The cheapest plan of each, in order."""
    return list(in_threads(cheapest, choices, threads))


def cost_of(levels: npt.ArrayLike, choice: Choice) -> float:
    """What a week of that plan costs, as above (inf: a level that must not be)."""
    plan = np.asarray(levels, np.int64)
    steps = plan - np.roll(plan, 1)
    ups, downs = np.maximum(steps, 0).sum(), np.maximum(-steps, 0).sum()
    running = choice.cost[np.arange(len(plan)), plan].sum()
    return float(running + choice.up_cost * ups + choice.down_cost * downs)


def _check(choice: Choice) -> None:
    cost = choice.cost
    if cost.ndim != 2 or not cost.size or np.isnan(cost).any() or np.isneginf(cost).any():
        raise ValueError("cost must be (slots, levels), without NaN or minus infinity")
    if not (0 <= choice.up_cost < np.inf and 0 <= choice.down_cost < np.inf):
        raise ValueError("what a change costs must be finite and not below 0")
    if choice.min_up < 1 or choice.min_down < 1:
        raise ValueError("minimum times are at least one slot")
