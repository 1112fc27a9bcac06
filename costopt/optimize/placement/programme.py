"""What is left to decide, as a mixed-integer programme for HiGHS.

A variable for each group and place, and one for each pair that talks and its two places, which is
the tightest form there is; traffic is then exact without its variables being integers.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Final, NamedTuple

import highspy
import numpy as np

from costopt.optimize.highs import Quiet
from costopt.optimize.placement.bounds import Choices
from costopt.optimize.placement.dominance import Floats, Ints
from costopt.optimize.placement.fleet import Fleet

SPAN: Final = 1000.0
"""What the range still open is scaled to: the solver's tolerances are absolute."""


class Limits(NamedTuple):
    """Where to stop: a count stops alike on every machine, seconds do not."""

    gap: float  # in money, of a part of the fleet
    nodes: int
    seconds: float


class Solved(NamedTuple):
    """What the solver found."""

    places: Ints | None  # (G,) None = none found
    at_least: float  # no placement that keeps the limits costs less; inf = none keeps them


@dataclass(slots=True)
class _Programme:
    """Columns and rows as they come."""

    costs: list[Floats] = field(default_factory=list)
    highest: list[Floats] = field(default_factory=list)
    integer: list[bool] = field(default_factory=list)  # of each block of columns
    rows: list[Ints] = field(default_factory=list)
    columns: list[Ints] = field(default_factory=list)
    values: list[Floats] = field(default_factory=list)
    low: list[Floats] = field(default_factory=list)
    high: list[Floats] = field(default_factory=list)
    width: int = 0
    height: int = 0

    def add_columns(self, costs: Floats, *, highest: float = 1.0, integer: bool = False) -> Ints:
        """Their numbers."""
        self.costs.append(costs)
        self.highest.append(np.full(len(costs), highest))
        self.integer.append(integer)
        self.width += len(costs)
        return np.arange(self.width - len(costs), self.width)

    def add_rows(self, count: int, low: float, high: float) -> Ints:
        """Their numbers."""
        self.low.append(np.full(count, low))
        self.high.append(np.full(count, high))
        self.height += count
        return np.arange(self.height - count, self.height)

    def put(self, rows: Ints, columns: Ints, values: Floats | float) -> None:
        """What these columns count in these rows."""
        self.rows.append(np.broadcast_to(rows, columns.shape))
        self.columns.append(columns)
        self.values.append(np.broadcast_to(np.asarray(values, np.float64), columns.shape))

    def as_lp(self) -> highspy.HighsLp:
        rows, columns = np.concatenate(self.rows), np.concatenate(self.columns)
        order = np.lexsort((columns, rows))
        lp = highspy.HighsLp()
        lp.num_col_, lp.num_row_ = self.width, self.height
        lp.col_cost_ = np.concatenate(self.costs)
        lp.col_lower_ = np.zeros(self.width)
        lp.col_upper_ = np.concatenate(self.highest)
        lp.row_lower_, lp.row_upper_ = np.concatenate(self.low), np.concatenate(self.high)
        lp.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
        lp.a_matrix_.start_ = np.searchsorted(rows[order], np.arange(self.height + 1))
        lp.a_matrix_.index_ = columns[order]
        lp.a_matrix_.value_ = np.concatenate(self.values)[order]
        kinds = (highspy.HighsVarType.kContinuous, highspy.HighsVarType.kInteger)
        lp.integrality_ = [
            kinds[integer]
            for integer, block in zip(self.integer, self.costs, strict=True)
            for _ in block
        ]
        return lp


def solve(fleet: Fleet, choices: Choices, limits: Limits) -> Solved:
    """The placement of least cost among the choices left, within the fleet's limits.

    Args:
        choices: lowered, so that every cost in them is of what lies above their base.
    """
    unit = _unit(fleet, choices)
    programme = _Programme()
    taken = _place_all(programme, choices, unit)
    _keep_limits(programme, fleet, choices, taken, unit)
    model = Quiet()  # type: ignore[no-untyped-call]
    model.setOptionValue("mip_rel_gap", 0.0)
    model.setOptionValue("mip_abs_gap", max(1e-6, limits.gap / unit))
    model.setOptionValue("mip_max_nodes", limits.nodes)
    model.setOptionValue("time_limit", limits.seconds)
    taken_in = model.passModel(programme.as_lp())
    assert taken_in != highspy.HighsStatus.kError
    model.run()
    if model.getModelStatus() == highspy.HighsModelStatus.kInfeasible:
        return Solved(None, np.inf)
    solution, info = model.getSolution(), model.getInfo()
    bound = choices.base + max(0.0, info.mip_dual_bound) * unit
    if not solution.value_valid:
        return Solved(None, bound)
    values = np.array(solution.col_value)
    places = [
        some[np.argmax(values[columns])]
        for some, columns in zip(choices.options, taken, strict=True)
    ]
    return Solved(np.array(places, np.int64), bound)


def quota_prices(fleet: Fleet, choices: Choices) -> Floats:
    """(quotas,) what more each is worth than it is charged, by the linear programme without talk;
    none where that says nothing."""
    alone, unit = replace(choices, pairs=()), _unit(fleet, choices)
    programme = _Programme()
    taken = _place_all(programme, alone, unit)
    rows = len(taken) + np.arange(len(fleet.quotas))
    of_quotas = replace(fleet, pledges=(), providers=None)
    _keep_limits(programme, of_quotas, alone, taken, unit)
    programme.integer = [False] * len(programme.integer)
    model = Quiet()  # type: ignore[no-untyped-call]
    taken_in = model.passModel(programme.as_lp())
    assert taken_in != highspy.HighsStatus.kError
    model.run()
    if model.getModelStatus() != highspy.HighsModelStatus.kOptimal:
        return np.zeros(len(rows))
    worth = -np.array(model.getSolution().row_dual)[rows] * unit
    return np.asarray(np.maximum(worth, -choices.prices))


def _unit(fleet: Fleet, choices: Choices) -> float:
    """The money that a cost of 1 stands for: nothing is then more than `SPAN`."""
    amounts = [choices.span, *choices.prices, *(pledge.least for pledge in fleet.pledges)]
    if fleet.providers is not None:
        amounts += fleet.providers.fee.tolist()
    return float(max(amounts)) / SPAN or 1.0


def _place_all(programme: _Programme, choices: Choices, unit: float) -> list[Ints]:
    """Each group at one place, each pair at one place each; the groups' columns."""
    taken = []
    for cost in choices.cost:
        columns = programme.add_columns(cost / unit, integer=True)
        programme.put(programme.add_rows(1, 1.0, 1.0), columns, 1.0)
        taken.append(columns)
    for one, other, cost in choices.pairs:
        first, second = np.nonzero(np.isfinite(cost))
        columns = programme.add_columns(cost[first, second] / unit)
        for side, group in ((first, one), (second, other)):
            rows = programme.add_rows(len(taken[group]), 0.0, 0.0)
            programme.put(rows[side], columns, 1.0)
            programme.put(rows, taken[group], -1.0)
    return taken


def _keep_limits(
    programme: _Programme, fleet: Fleet, choices: Choices, taken: list[Ints], unit: float
) -> None:
    columns = np.concatenate(taken)
    groups = np.repeat(np.arange(len(taken)), [len(some) for some in taken])
    places = np.concatenate(choices.options)
    for quota, price in zip(fleet.quotas, choices.prices, strict=True):
        amounts = quota.amounts[groups, places]
        left = programme.add_columns(np.array([price]) / unit, highest=highspy.kHighsInf)
        row = programme.add_rows(1, quota.left / quota.size, quota.left / quota.size)
        programme.put(row, columns, amounts / quota.size)
        programme.put(row, left, 1.0)
    for pledge in fleet.pledges:
        missing = programme.add_columns(np.ones(1), highest=highspy.kHighsInf)
        row = programme.add_rows(1, pledge.least / unit, highspy.kHighsInf)
        programme.put(row, columns, pledge.amounts[groups, places] / unit)
        programme.put(row, missing, 1.0)
    if fleet.providers is not None:
        _use_providers(programme, fleet, (groups, places, columns), unit)


def _use_providers(
    programme: _Programme, fleet: Fleet, taken: tuple[Ints, Ints, Ints], unit: float
) -> None:
    """A provider is in use as soon as any group is there."""
    providers = fleet.providers
    assert providers is not None
    groups, places, columns = taken
    used = programme.add_columns(providers.fee / unit)
    of = providers.of[places]
    pairs, row = np.unique(groups * len(used) + of, return_inverse=True)
    rows = programme.add_rows(len(pairs), 0.0, highspy.kHighsInf)
    programme.put(rows, used[pairs % len(used)], 1.0)
    programme.put(rows[row.reshape(-1)], columns, -1.0)
    if providers.most is not None:
        programme.put(programme.add_rows(1, -highspy.kHighsInf, providers.most), used, 1.0)
