"""Fit the shipped prior of the risk model (costopt/optimize/prior.json) on public traces.

    python scripts/fit_prior.py [--output FILE] [--leave-out FLEET]

Every fleet counts the same. benchmarks/decisions.py judges a fleet by the prior of the others.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "benchmarks"))

import numpy as np  # noqa: E402
from traces import Fleet, bitbrains, planetlab  # noqa: E402

from costopt.backtest.fleet import LADDER, rows  # noqa: E402
from costopt.backtest.study import Standard, Studied, study  # noqa: E402
from costopt.optimize.risk import Risk, fitted, written  # noqa: E402

PRIOR = ROOT / "costopt" / "optimize" / "prior.json"


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


def main() -> None:
    """Read the traces, fit, write."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--output", type=Path, default=PRIOR)
    parser.add_argument("--leave-out", choices=("bitbrains", "planetlab"))
    options = parser.parse_args()
    fleets = [f for f in (bitbrains(), planetlab()) if f.name != options.leave_out]
    options.output.write_text(written(fit(fleets)), encoding="utf-8")
    print(f"wrote {options.output}")


if __name__ == "__main__":
    main()
