"""How long the exact weekly plan takes, beside the same optimum by HiGHS.

    python benchmarks/schedules.py [--plans 10000] [--levels 64] [--sample 3]

Groups with a daily wave and noise, 168 slots, up to `--levels` replicas; without minimum times, and
with pauses of four slots after each step. HiGHS solves the first of them as a mixed-integer
programme (tests/optimize/milp.py), a sample, as it takes seconds each. Prints seconds for all
plans, seconds of HiGHS a plan, whether the costs agree, and `ratio highs_vs_dp: X` a plan.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from costopt.optimize.schedule import Choice, cheapest, cheapest_of
from tests.optimize import milp

_SLOTS = 168


def choice(random: np.random.Generator, levels: int, pause: int) -> Choice:
    """One group: replicas cost 1 a slot, too few of them far more."""
    hours = np.arange(_SLOTS)
    wave = 0.3 + 0.25 * np.sin(hours / 24 * 2 * np.pi + random.uniform(0, 6))
    need = np.clip(levels * (wave + random.normal(0, 0.08, _SLOTS)), 0, levels - 1)
    steps = np.arange(levels + 1)
    cost = steps + 50 * np.exp(-(steps - need[:, None]) / 2)
    cost[steps < np.ceil(need)[:, None]] = np.inf
    up, down = random.exponential(1, 2)
    return Choice(cost, float(up), float(down), pause, pause)


def main() -> None:
    """Both, for each kind of plan."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--plans", type=int, default=10_000)
    parser.add_argument("--levels", type=int, default=64)
    parser.add_argument("--sample", type=int, default=3)
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    options = parser.parse_args()
    for pause in (1, 4):
        random = np.random.default_rng(pause)
        choices = [choice(random, options.levels, pause) for _ in range(options.plans)]
        cheapest(choices[0])  # compiled
        start = time.perf_counter()
        plans = cheapest_of(choices, options.threads)
        seconds = time.perf_counter() - start
        start = time.perf_counter()
        least = [milp.least_cost(one) for one in choices[: options.sample]]
        by_highs = (time.perf_counter() - start) / options.sample
        agree = all(
            plan and abs(plan.cost - cost) < 1e-6 * cost
            for plan, cost in zip(plans, least, strict=False)
        )
        print(
            f"pause of {pause} slots: {len(plans):,} plans in {seconds:.1f} s; "
            f"HiGHS {by_highs:.2f} s a plan; same cost: {agree}"
        )
        print(f"ratio highs_vs_dp: {by_highs / (seconds / len(plans)):.0f}")


if __name__ == "__main__":
    main()
