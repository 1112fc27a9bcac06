"""What a backtest found: nouns for reports. Shares are 0..1; savings are shares of today's CPU
capacity over all test windows; intervals are 95 %, by bootstrap over resources."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from costopt.model import Window
from costopt.optimize.size import wilson_upper


@dataclass(frozen=True, slots=True)
class Interval:
    """A figure and its 95 % interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Guarded:
    """The same method with the guard that reverts a size once its budget is used up."""

    lead_minutes: float  # from the sample that uses it up to the larger machine's running
    net: Interval  # saving, none after a rollback
    violation: float  # mean share of added samples over the limit
    worst: float  # the same of the worst window


@dataclass(frozen=True, slots=True)
class MethodScore:
    """How one method did over all windows."""

    name: str  # "costopt" for ours, else the baseline's
    title: str
    source: str  # "" for ours
    windows: int
    abstained: float  # share of windows in which it said nothing
    saved: Interval  # before rollbacks
    net: Interval  # after them, at the first of `guarded`'s leads
    rolled_back: Interval  # share of windows whose budget was used up
    over_90: float  # V: mean share of samples added over 90 % of capacity, without a guard
    over_100: float  # the same over 100 %
    windows_over_half_percent: float  # share of windows with V over 0.5 %
    windows_over_one_percent: float
    guarded: tuple[Guarded, ...]
    net_minus_ours: Interval | None  # paired over resources; None for ours
    by_cpu_alone: float = 0.0  # share of windows in which metrics that its vendor has were missing


@dataclass(frozen=True, slots=True)
class MemoryScore:
    """How a method's memory sizes did; a window fails with one sample over the new memory."""

    name: str
    windows: int
    saved: Interval  # share of today's memory
    out_of_memory: Interval  # share of windows with any sample over the new memory


@dataclass(frozen=True, slots=True)
class Bin:
    """Decisions with about the same predicted risk."""

    predicted: float  # mean
    observed: float  # share that did use up the budget
    count: int

    @property
    def interval(self) -> Interval:
        """What happened, with Wilson's 95 % interval: as if no two cases were of one machine, so
        that it is rather too narrow than too wide."""
        low = 1 - wilson_upper(1 - self.observed, self.count)
        return Interval(self.observed, low, wilson_upper(self.observed, self.count))


@dataclass(frozen=True, slots=True)
class Calibration:
    """Predicted risks against what happened, over all windows and sizes smaller than today's."""

    bins: tuple[Bin, ...]  # in tenths of predicted risk; empty ones left out
    expected_error: float  # expected calibration error: mean |predicted - observed|, by count


@dataclass(frozen=True, slots=True)
class Backtest:
    """A replay of a fleet's past."""

    window: Window
    train_days: float
    gap_days: float
    test_days: float
    origins: tuple[datetime, ...]  # the moments decided at, oldest first
    resources: int  # with at least one window
    windows: int  # resource x origin
    skipped: Mapping[str, int]  # reason code -> resource x origin left out
    ladder: tuple[float, ...]  # sizes on offer, as shares of today's, largest first
    limit_percent: float
    budget: float  # share of samples that may be over the limit
    rollback_cost: float  # kappa
    seed: int
    scores: tuple[MethodScore, ...]  # ours first, then by net saving, best first
    memory: tuple[MemoryScore, ...]
    calibration: Calibration | None  # None: nothing to calibrate
    notes: tuple[str, ...] = ()
    left_out: Mapping[str, int] = field(default_factory=dict)
    """Reason code -> machines without any window; their windows are among `skipped`."""
