"""Which of the machines on offer to take: the least expected cost among those that may stand in.

Arrays in, arrays out: sizes are vCPUs (or GiB) of whole machines, demands are percent of today's
machine, shares are 0..1. Nothing here knows a provider, a price list or a rule. The risk of a size
is optimize/risk.py's, what it costs optimize/cost.py's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Final

import numpy as np
import numpy.typing as npt

from costopt.optimize.cost import expected

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]

RESOLUTION_PERCENT: Final = 0.06
RESOLUTION_SHARE: Final = 0.005
"""A machine counts as large enough when it is short by no more than this: 0.06 percentage points of
today's machine, and never more than 0.5 % of its own size. Samples are kept in hundredths of a
percent, so a demand standing exactly at a size's edge would fall on either side of it once measured
on a new machine, and a second run would shrink again. 0.06 is ten half-steps of that rounding
(0.005) over the share used (0.8): enough for every change to a machine at least a tenth smaller."""

NETWORK_SHARE: Final = 0.8
"""Share of a type's network bandwidth that measured traffic may fill: a fifth stays free, as for
CPU; many listed figures are "up to" and not sustained."""

Z_95: Final = 1.959963984540054


def needed(percent: float, today: float, free_percent: float) -> float:
    """The size that holds that demand and keeps `free_percent` of itself free.

    Args:
        percent: demand, percent of today's size.
        today: today's size (vCPUs, GiB).
        free_percent: headroom as a share of the *new* size, 0 <= free < 100: need = demand /
            (1 - headroom). AWS does not publish whether its headroom multiplies or divides;
            dividing is the stricter reading.
    """
    return percent * today / (100.0 - free_percent)


def large_enough(need: float, today: float, offered: Floats) -> Bools:
    """Which offered sizes hold the need, to within the resolution of the samples."""
    slack = np.minimum(RESOLUTION_PERCENT / 100 * today, RESOLUTION_SHARE * offered)
    return np.asarray(offered + slack >= need)


def sustains(mean: float, p95: float, today: float, offered: Floats, baseline: Floats) -> Bools:
    """Which machines carry the demand on credits: mean below the baseline, P95 below twice it.

    Args:
        mean, p95: CPU demand, percent of today's vCPUs.
        today: today's vCPUs.
        offered: vCPUs of each machine.
        baseline: percent of the whole machine it sustains; NaN = not burstable, always true.
    Source: Azure Advisor's rule for burstable recommendations (facts: peers, `azure-burstable`).
    """
    base = offered * baseline / 100
    demand_mean, demand_p95 = mean * today / 100, p95 * today / 100
    return np.asarray(np.isnan(base) | ((demand_mean < base) & (demand_p95 < 2 * base)))


def carries(gbps: float, offered_gbps: Floats) -> Bools:
    """Which machines carry that traffic within `NETWORK_SHARE` of their bandwidth; NaN: unknown,
    taken as enough (and told so with the advice)."""
    return np.asarray(np.isnan(offered_gbps) | (gbps <= NETWORK_SHARE * offered_gbps))


@dataclass(frozen=True, slots=True)
class Offers:
    """Machines to choose from, by position; cheapest first."""

    hourly: Floats
    vcpus: Floats
    memory_gib: Floats  # NaN = unknown
    distance: Ints  # 0 today's family; then the steps of change, nearest first
    feasible: Bools  # nothing but CPU demand can speak against it
    risk: Floats  # chance that CPU demand uses up its budget of violations there
    safe: float  # least price of a machine that holds the highest demand seen: a yardstick
    rollback_cost: float  # kappa, see optimize/cost.py

    @property
    def expected(self) -> Floats:
        """What each costs an hour, counting what may go wrong."""
        return expected(self.hourly, self.risk, self.safe, self.rollback_cost)


def smaller(offers: Offers, vcpus: float, memory_gib: float) -> Bools:
    """Which have fewer vCPUs, or as many and less memory."""
    return np.asarray(
        (offers.vcpus < vcpus) | ((offers.vcpus == vcpus) & (offers.memory_gib < memory_gib))
    )


def choose(
    offers: Offers, *, vcpus: float, memory_gib: float, hourly: float, margin: float
) -> int | None:
    """The machine to take: of the least expected cost at the nearest distance; one farther away
    only where it is smaller than that and its expected cost at least `margin` (0..1) less.

    So a mere change of vendor or generation is not sold as rightsizing, and what is chosen is never
    again worth changing at the same demand: whatever is smaller and that much cheaper was preferred
    at once, and a machine that runs costs no more than it was expected to. At every distance but 0
    a machine stands against today's where nothing nearer would do. Of equal costs the largest wins
    (Azure sells E4s with two of its vCPUs switched off at the same price), then the first.

    Args:
        vcpus, memory_gib, hourly: of today's machine; memory NaN = unknown.
    Returns:
        A position, or None where nothing is both smaller and cheaper.
    """
    costs = offers.expected
    worth = offers.feasible & (offers.distance >= 0) & (costs <= hourly)
    worth &= smaller(offers, vcpus, memory_gib)
    best, cost = None, hourly
    for distance in sorted(set(offers.distance[worth].tolist())):
        cheap = costs <= (1 - margin) * cost if distance else costs < cost
        fits = worth & cheap & (offers.distance == distance)
        if fits.any():
            best = _least(offers, costs, fits)
            cost = float(costs[best])
            worth &= smaller(offers, float(offers.vcpus[best]), float(offers.memory_gib[best]))
    return best


def _least(offers: Offers, costs: Floats, among: Bools) -> int:
    tied = np.flatnonzero(among & (costs == costs[among].min()))
    if len(tied) == 1:
        return int(tied[0])
    memory = np.nan_to_num(offers.memory_gib[tied])
    return int(tied[np.lexsort((tied, -memory, -offers.vcpus[tied]))[0]])


def share_over(
    threshold: float, histogram: Sequence[int], quantiles: Mapping[float, float]
) -> float:
    """Share of samples above `threshold` percent, never too low.

    The least of two upper bounds: the histogram's bins wholly or partly above, and 1 - q for every
    known quantile at or below the threshold (nearest rank: at most 1 - q of samples lie above it).

    Args:
        histogram: counts in bins of one percent, from 0.
        quantiles: q (0..1) -> value in percent; 1.0 is the maximum.
    """
    total = sum(histogram)
    if not total:
        return 0.0
    binned = sum(histogram[max(0, int(threshold)) :]) / total
    ranked = (1 - q for q, value in quantiles.items() if value <= threshold)
    return min(binned, *ranked, 1.0)


def wilson_upper(share: float, n: float, z: float = Z_95) -> float:
    """The upper end of Wilson's 95 % interval for a share seen in `n` independent observations.

    Five-minute samples of one machine are not independent: callers give the number of distinct
    hours as `n`, which is still generous for slow load.
    """
    if n <= 0:
        return 1.0
    centre = share + z * z / (2 * n)
    spread = z * sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    return min(1.0, (centre + spread) / (1 + z * z / n))
