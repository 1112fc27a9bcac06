"""What size each method took in each window, each by what was known at that window's origin."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from costopt.backtest.base import STOP, Floats
from costopt.backtest.bootstrap import Ints
from costopt.backtest.fleet import Learned, budget_within
from costopt.backtest.machine import Replayed
from costopt.backtest.outcome import Bools, Outcomes
from costopt.backtest.plan import Plan
from costopt.backtest.score import rung
from costopt.backtest.study import LEAD_MINUTES
from costopt.backtest.windows import Origin
from costopt.optimize.cost import ROLLBACK_COSTS, on_ladder

OURS: Final = "costopt"


@dataclass(frozen=True, slots=True)
class Row:
    """A window: a machine at an origin."""

    number: int  # of the machine, by ResourceId
    machine: Replayed
    at: Origin


def rows_of(machines: Sequence[Replayed]) -> list[Row]:
    """Every window of machines that are in the order of their ids."""
    return [Row(number, one, at) for number, one in enumerate(machines) for at in one.windows]


def variants(plan: Plan) -> dict[str, float]:
    """The rollback costs that our rule is replayed with: as set and, for the frontier, by name."""
    named = {f"{OURS}-{name}": ROLLBACK_COSTS[name] for name in ("cautious", "bold")}
    others = {name: cost for name, cost in named.items() if cost != plan.rollback_cost}
    return {OURS: plan.rollback_cost, **others}


def risks(rows: Sequence[Row], learned: Learned, ladder: Sequence[float]) -> Floats:
    """(rows, sizes) the risk of each size of the ladder, as it was known then."""
    found = np.empty((len(rows), len(ladder)))
    sizes = np.array(ladder)
    for row, out in zip(rows, found, strict=True):
        chances = learned.chances(row.machine.studied, row.at)
        assert chances is not None  # a row has figures
        out[:] = chances[row.machine.studied.places(sizes)]
    return found


def choices(
    rows: Sequence[Row], machines: Sequence[Replayed], learned: Learned, risk: Floats, plan: Plan
) -> dict[str, Floats]:
    """Method -> (rows,) the size it took; NaN = it said nothing.

    Args:
        risk: (rows, sizes) of the plan's ladder.
    """
    found = {}
    for name, cost in variants(plan).items():
        found[name] = _ours(rows, risk, _costs(machines, learned, plan, cost), plan)
    for baseline in plan.baselines:
        needs = [row.machine.needs[baseline.name][row.at].cpu for row in rows]
        found[baseline.name] = rung(np.array(needs), with_stop(plan))
    return found


def with_stop(plan: Plan) -> Floats:
    """The plan's ladder and, as its last step, a stop: some baselines switch machines off."""
    return np.array(sorted({*plan.ladder, STOP}, reverse=True))


def outcomes_of(rows: Sequence[Row], plan: Plan) -> Outcomes:
    """What every size of the ladder, and a stop, came to, window by window."""
    ladder = with_stop(plan)
    windows, leads = (len(rows), len(ladder)), (len(LEAD_MINUTES), len(rows), len(ladder))
    over_90, over_100 = np.empty(windows), np.empty(windows)
    exhausted: Bools = np.empty(windows, np.bool_)
    guarded, kept = np.empty(leads), np.empty(leads)
    for i, row in enumerate(rows):
        tested = row.machine.came[row.at]
        places: Ints = row.machine.studied.places(ladder)
        over_90[i], over_100[i] = tested.over_90[places], tested.over_100[places]
        exhausted[i] = tested.exhausted[places]
        guarded[:, i], kept[:, i] = tested.guarded[:, places], tested.kept[:, places]
    return Outcomes(ladder, over_90, over_100, exhausted, guarded, kept)


def _costs(
    machines: Sequence[Replayed], learned: Learned, plan: Plan, cost: float
) -> dict[Origin, float]:
    """The rollback cost at each origin: the one given, or what the budget asked for by then."""
    if plan.risk_budget is None:
        return dict.fromkeys(plan.table.origins, cost)
    studied = [one.studied for one in machines]
    return {
        at: budget_within(
            learned,
            studied,
            plan.table.ended_by(at),
            budget=plan.risk_budget,
            least=cost,
            limit_percent=plan.standard.limit_percent,
            sizes=plan.ladder,
        ).rollback_cost
        for at in plan.table.origins
    }


def _ours(rows: Sequence[Row], risk: Floats, costs: Mapping[Origin, float], plan: Plan) -> Floats:
    """(rows,) the size that our rule takes."""
    ladder, chosen = np.array(plan.ladder), np.ones(len(rows))
    by_cost: dict[float, list[int]] = {}
    for place, row in enumerate(rows):
        by_cost.setdefault(costs[row.at], []).append(place)
    for cost, places in by_cost.items():
        if not math.isinf(cost):
            peaks = np.array([rows[p].machine.studied.peaks[rows[p].at] for p in places])
            taken = on_ladder(ladder, risk[places], peaks, cost, plan.standard.limit_percent)
            chosen[places] = ladder[taken]
    return chosen
