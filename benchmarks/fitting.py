"""What fleets teach: the prior of the risk model that their machines' pasts give."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from traces import Fleet

from costopt.backtest.fleet import LADDER, rows
from costopt.backtest.study import Standard, Studied, study
from costopt.optimize.risk import Risk, fitted


def studied(fleet: Fleet) -> list[Studied]:
    """Every machine of the fleet, at every origin and size of the ladder."""
    sizes = np.array(LADDER)
    return [study(one, one.cpu, sizes, fleet.table, Standard()) for one in fleet.machines]


def fit(fleets: Sequence[Fleet]) -> Risk:
    """The prior that these fleets teach: from every origin to the test window after it."""
    summary, taught = [], []
    for fleet in fleets:
        figures, happened = rows(studied(fleet), fleet.table.origins)
        taught.append((figures, happened))
        summary.append(
            {
                "fleet": fleet.title,
                "train_days": fleet.table.train_days,
                "test_days": fleet.table.test_days,
                "origins": len(fleet.table.origins),
                "rows": len(happened),
                "budget_used_up": round(float(happened.mean()), 4),
            }
        )
    return fitted(taught, {"fleets": summary, "sizes": list(LADDER[1:]), "ridge": "L2, C = 0.3"})
