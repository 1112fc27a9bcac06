"""What a machine's past says of other sizes: the risk of each, and how past advice would have done.

Sizes are capacities as shares of today's machine, descending from 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import numpy.typing as npt

from costopt.optimize.budget import Shown
from costopt.optimize.features import Floats
from costopt.optimize.headroom import HeadroomChoice
from costopt.optimize.record import Record

Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Chances:
    """The risk of each size at one moment, by what was known then."""

    sizes: Floats  # (S,) shares of today's capacity, descending from 1
    risk: Floats  # (S,) chance that the budget is used up in the next window; never falling
    peak_percent: float  # highest sample known, percent of today's machine

    def at(self, capacities: Floats) -> Floats:
        """The risk of those capacities: of the next smaller size known, so never too low.

        Today's capacity and larger ones add no violation to today's: 0. Smaller than all: 1.
        """
        place = self.places(capacities)
        padded = np.append(self.risk, 1.0)
        return np.where(np.asarray(capacities) >= 1 - 1e-9, 0.0, padded[place])

    def places(self, capacities: Floats | float) -> npt.NDArray[np.int64]:
        """Where the size stands that stands for each: itself, else the next smaller one known; one
        past the last where it is smaller than all."""
        return np.asarray(np.searchsorted(-self.sizes, -np.asarray(capacities) - 1e-9), np.int64)


@dataclass(frozen=True, slots=True, eq=False)
class Replay:
    """A past origin: what was known, and what each size then came to."""

    origin: datetime
    chances: Chances
    exhausted: Bools  # (S,) whether the budget was used up
    added: Floats  # (S,) share of samples over the limit that today's machine is not over
    kept: Floats  # (S,) share of the test window until a rollback, ten minutes after the guard
    train_days: int
    test_days: int

    def came_to(self, capacity: float) -> tuple[bool, float, float]:
        """Whether that capacity's budget was used up, its added share, the share it was kept."""
        if capacity >= 1 - 1e-9:
            return False, 0.0, 1.0
        sizes = self.chances.sizes
        place = min(int(self.chances.places(capacity)), len(sizes) - 1)
        return bool(self.exhausted[place]), float(self.added[place]), float(self.kept[place])


@dataclass(frozen=True, slots=True)
class MemoryOutlook:
    """What a machine's memory must hold; percent of today's."""

    peak_percent: float
    needed_percent: float  # may exceed 100
    growth: float  # largest ratio of a later peak to all before it
    trend: float  # points a day by which daily peaks rise; 0 = they do not
    binding: int  # memory.HEADROOM | GROWTH | TREND
    headroom: HeadroomChoice
    windows: tuple[int, ...]  # memory.HELD | FAILED of each past origin that was seen


@dataclass(frozen=True, slots=True, eq=False)
class Outlook:
    """One machine's."""

    now: Chances
    of_model: Floats  # (S,) the risk by the model alone, before the machine's own record
    upper: Floats  # (S,) one-sided 95 % upper end of the risk: of the model, or of the record
    over: Floats  # (S,) share of the training window's samples over the limit of that size
    days: int  # of training
    horizon_days: int  # the window that the risk is of
    budget: float  # share of samples that may be over the limit
    record: Record
    replays: Sequence[Replay]  # oldest first
    fleet_budget: Shown | None = None  # what its fleet's past shows of the risk budget, if any
    with_disputed: Chances | None = None  # as if disputed samples were real; None = there are none
    disputed_over: Floats | None = None  # (S,) as `over`, of disputed samples; None = none at all
    memory: MemoryOutlook | None = None  # None = not measured, or too few days

    @property
    def least_rollback_cost(self) -> float:
        """kappa that the fleet's risk budget asks for; 0 = no budget."""
        return self.fleet_budget.rollback_cost if self.fleet_budget else 0.0

    def disputed_share(self, capacity: float) -> float:
        """Share of the training window's samples that were disputed and over that size's limit."""
        if self.disputed_over is None:
            return 0.0
        return float(self.disputed_over[min(int(self.now.places(capacity)), len(self.over) - 1)])
