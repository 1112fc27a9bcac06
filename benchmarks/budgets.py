"""Two properties of answers that a table of savings does not show: whether a fleet's risk budget is
kept, and whether an answer lasts when it is asked for again."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
from traces import Fleet

from costopt.backtest.fleet import LADDER, Learned, budget_within, learn
from costopt.backtest.study import STANDARD, Studied, study
from costopt.backtest.windows import Origin
from costopt.optimize.cost import ROLLBACK_COSTS, expected, on_ladder
from costopt.optimize.features import Floats
from costopt.optimize.risk import Risk
from costopt.schema import MISSING_U16, PERCENT_LIMIT, PERCENT_SCALE

SIZES = np.array(LADDER)
LEAST = 0.01
"""Rollback cost from which budgets are sought: so low that the budget alone decides."""


def budgeted(fleet: Fleet, prior: Risk, budget: float) -> list[tuple[float, float]]:
    """At each origin that has a past to show a budget by: the share of machines then rolled back,
    and the net saving."""
    studied = _studied(fleet)
    learned = learn(studied, fleet.table, prior)
    found = []
    for at in fleet.table.origins:
        ended = [o for o in fleet.table.origins if o.done_back_days >= at.back_days]
        if not ended:
            continue
        cost = budget_within(
            learned,
            studied,
            ended,
            budget=budget,
            least=LEAST,
            limit_percent=STANDARD.limit_percent,
        ).rollback_cost
        if np.isfinite(cost):
            found.append(_came_to(studied, learned, at, cost))
        else:
            found.append((0.0, 0.0))
    return found


def _came_to(
    studied: Sequence[Studied], learned: Learned, at: Origin, cost: float
) -> tuple[float, float]:
    rolled, net = [], []
    for one in studied:
        risk = learned.chances(one, at)
        if risk is not None and at in one.tested:
            peak = np.array([one.peaks[at]])
            (place,) = on_ladder(SIZES, risk[None], peak, cost, STANDARD.limit_percent)
            rolled.append(one.tested[at].exhausted[place])
            net.append((1 - SIZES[place]) * one.tested[at].kept[0][place])
    return float(np.mean(rolled)), float(np.mean(net))


def shrunk_again(fleet: Fleet, prior: Risk) -> tuple[float, float]:
    """Percent of machines that, made smaller as advised now, would be advised a smaller size yet at
    the same demand: by our cost, and by a cost in which today's machine is what a rollback pays for
    (today + risk * (0.6 (1 - today) + kappa), facts: decisions, "Rightsizing" 3).

    The fleet's model and the sizes on offer stay; the machine's own past is read again in percent
    of its new size, and cut off there.
    """
    studied = _studied(fleet)
    learned = learn(studied, fleet.table, prior)
    ours, today = (
        np.mean(list(_again(fleet, studied, learned, choice)))
        for choice in (_priced_in_the_safe, _priced_in_todays)
    )
    return 100 * float(ours), 100 * float(today)


Choice = Callable[[Floats, float, Floats], int]
"""The place among the sizes of at most 1, by their risk, the peak (percent), and all sizes."""


def _again(
    fleet: Fleet, studied: Sequence[Studied], learned: Learned, choice: Choice
) -> Iterator[bool]:
    now = fleet.table.now
    for machine, one in zip(fleet.machines, studied, strict=True):
        risk = learned.chances(one, now)
        if risk is None:
            continue
        share = SIZES[choice(risk, one.peaks[now], SIZES)]
        resized = study(machine, _rescaled(machine.cpu, share), SIZES, fleet.table, STANDARD)
        offered = SIZES / share
        risk = learned.chances(resized, now)
        assert risk is not None  # as many samples as before
        yield choice(risk[: (offered <= 1).sum()], resized.peaks[now], offered) > 0


def _rescaled(cpu: np.ndarray, share: float) -> np.ndarray:
    """The same demand in percent of a machine of that share; more than it can do is all of it."""
    most = int(PERCENT_LIMIT * PERCENT_SCALE)
    scaled = np.minimum(np.rint(cpu / share), most).astype(np.uint16)
    return np.where(cpu == MISSING_U16, MISSING_U16, scaled)


def _priced_in_the_safe(risk: Floats, peak: float, offered: Floats) -> int:
    safe = offered[offered * STANDARD.limit_percent >= peak].min(initial=offered.max())
    cost = expected(offered[offered <= 1], risk, safe, ROLLBACK_COSTS["default"])
    return int(np.argmin(cost))


def _priced_in_todays(risk: Floats, peak: float, offered: Floats) -> int:
    sizes = offered[offered <= 1]
    return int(np.argmin(sizes + risk * (0.6 * (1 - sizes) + ROLLBACK_COSTS["default"])))


def _studied(fleet: Fleet) -> list[Studied]:
    return [study(one, one.cpu, SIZES, fleet.table, STANDARD) for one in fleet.machines]
