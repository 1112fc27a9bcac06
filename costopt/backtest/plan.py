"""What a backtest replays, and by what rules."""

from __future__ import annotations

from dataclasses import dataclass

from costopt.backtest.base import Baseline
from costopt.backtest.fleet import LADDER
from costopt.backtest.series import Subject
from costopt.backtest.study import STANDARD, Standard
from costopt.backtest.windows import Timetable
from costopt.optimize.cost import ROLLBACK_COSTS
from costopt.optimize.headroom import BUDGET as MEMORY_BUDGET
from costopt.optimize.risk import Risk


@dataclass(frozen=True, slots=True)
class Machine:
    """What a baseline may know of a machine besides its samples."""

    subject: Subject
    vcpus: float | None = None
    memory_gib: float | None = None
    network_gbps: float | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """Which decisions are replayed."""

    table: Timetable
    prior: Risk
    rollback_cost: float = ROLLBACK_COSTS["default"]
    risk_budget: float | None = None  # share of machines rolled back in a window; None = no bound
    ladder: tuple[float, ...] = LADDER  # sizes on offer, shares of today's, descending from 1
    baselines: tuple[Baseline, ...] = ()
    standard: Standard = STANDARD
    memory_headroom_percent: float = 15.0
    memory_budget: float = MEMORY_BUDGET  # share of machines that may run out of memory
    seed: int = 0
    draws: int = 1000  # of the bootstrap
