"""What each slot of the week costs at each level: machines that run, and demand that finds too few.

Demand is in replicas: 2.3 is more than two can bear and less than three. A group's is its load over
what one replica may carry; a machine's is 1 while it is used and 0 while it is not.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Terms:
    """What is paid for a replica, and for too few of them."""

    price: float  # of one replica for one slot
    risk_price: float  # of a whole slot in which demand is above what runs
    quantile: float = 0.99  # 0..1: of a slot's demand, that the plan must always bear
    lead_slots: int = 0  # slots that a replica runs (and is paid) before it serves
    least: int = 0  # never fewer
    least_weeks: int = 2  # a slot seen in fewer weeks is unknown


def slot_costs(weeks: Array, most: int, terms: Terms) -> Array:
    """Costs for optimize.schedule.Choice.

    A slot's demand is its samples of all weeks together with those of the slots beside it: habits
    shift by some minutes, and a quantile of one slot alone would rest on few samples. A slot that
    is not known must keep `most`.

    Args:
        weeks: (weeks, slots, samples of a slot) in replicas; NaN = missing.
        most: the highest level there may be (what runs today, say), >= terms.least.
    Returns:
        float64 (slots, most + 1), in the currency of `terms`; inf = must not be.
    """
    slots = weeks.shape[1]
    levels = np.arange(most + 1)
    cost = np.broadcast_to(levels * terms.price, (slots, most + 1)).copy()
    risk, need = _risk_and_need(weeks, levels, terms.quantile)
    known = (~np.isnan(weeks)).any(axis=2).sum(axis=0) >= terms.least_weeks
    need = np.where(known, np.minimum(need, most), most)
    for later in range(1, terms.lead_slots + 1):  # what starts late must start before
        risk = np.maximum(risk, np.roll(risk, -later, axis=0))
        need = np.maximum(need, np.roll(need, -later))
    cost += terms.risk_price * np.where(known[:, None], risk, 0.0)
    cost[levels < np.maximum(need, terms.least)[:, None]] = np.inf
    return cost


def _risk_and_need(
    weeks: Array, levels: npt.NDArray[np.int64], quantile: float
) -> tuple[Array, Array]:
    """The share of a slot's samples above each level (slots, levels), and the level that bears the
    quantile (slots,); of slots without samples 1 and infinity."""
    of_slot = weeks.transpose(1, 0, 2).reshape(weeks.shape[1], -1)
    near = np.concatenate([np.roll(of_slot, 1, axis=0), of_slot, np.roll(of_slot, -1, axis=0)], 1)
    demand = np.sort(near, axis=1)  # what is missing comes last
    counts = (~np.isnan(demand)).sum(axis=1)
    at = np.clip(np.ceil(quantile * counts).astype(np.int64) - 1, 0, None)
    need = np.ceil(np.take_along_axis(demand, at[:, None], axis=1)[:, 0])
    over = [(demand > level).sum(axis=1) / np.maximum(counts, 1) for level in levels.tolist()]
    unseen = counts == 0
    return np.where(unseen[:, None], 1.0, np.stack(over, axis=1)), np.where(unseen, np.inf, need)
