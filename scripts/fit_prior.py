"""Fit the shipped prior of the risk model (costopt/optimize/prior.json) on public traces.

    python scripts/fit_prior.py [--output FILE] [--leave-out FLEET]

Every fleet counts the same. benchmarks/decisions.py judges a fleet by the prior of the others.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "benchmarks"))

# These stand beside the benchmarks, which read the same traces.
from fitting import fit  # noqa: E402
from traces import bitbrains, planetlab  # noqa: E402

from costopt.optimize.risk import written  # noqa: E402

PRIOR = ROOT / "costopt" / "optimize" / "prior.json"


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
