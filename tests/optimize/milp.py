"""The weekly plan as a mixed-integer programme, solved by HiGHS: another way to the optimum."""

from __future__ import annotations

import highspy
import numpy as np

from costopt.optimize.schedule import Choice


def least_cost(choice: Choice) -> float:
    """The cost of the cheapest cyclic plan; inf where none is allowed."""
    slots, levels = choice.cost.shape
    model = highspy.Highs()
    model.setOptionValue("output_flag", False)
    model.setOptionValue("mip_rel_gap", 0.0)
    model.setOptionValue("mip_abs_gap", 1e-9)
    total, level = 0, []
    for row in choice.cost:
        runs = {n: model.addBinary() for n in np.flatnonzero(np.isfinite(row)).tolist()}
        if not runs:
            return np.inf
        model.addConstr(sum(runs.values()) == 1)
        level.append(sum(n * one for n, one in runs.items()))
        total = total + sum(float(row[n]) * one for n, one in runs.items())
    up, down = ([model.addVariable(0, levels) for _ in range(slots)] for _ in range(2))
    raised, lowered = ([model.addBinary() for _ in range(slots)] for _ in range(2))
    for t in range(slots):
        model.addConstr(level[t] - level[t - 1] == up[t] - down[t])
        model.addConstr(up[t] <= levels * raised[t])
        model.addConstr(down[t] <= levels * lowered[t])
        model.addConstr(raised[t] + lowered[t] <= 1)
        for later in range(1, choice.min_up):
            model.addConstr(raised[t] + lowered[(t + later) % slots] <= 1)
        for later in range(1, choice.min_down):
            model.addConstr(lowered[t] + raised[(t + later) % slots] <= 1)
        total = total + choice.up_cost * up[t] + choice.down_cost * down[t]
    model.minimize(total)
    if model.getModelStatus() == highspy.HighsModelStatus.kInfeasible:
        return np.inf
    return float(model.getObjectiveValue())
