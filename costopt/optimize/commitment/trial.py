"""How a rule of committing would have fared: learnt on the past, judged on what came after."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from costopt.errors import InsufficientData
from costopt.optimize.commitment.history import Floats, Outcome, as_hours
from costopt.optimize.commitment.newsvendor import best_quantity, commit, saving

Rule = Callable[[Floats], float]
"""The hours up to now -> units to commit to."""


@dataclass(frozen=True, slots=True)
class Trial:
    """One rule on one held-out stretch."""

    trained: int  # hours it saw
    quantity: float
    oracle_quantity: float  # the best in hindsight
    outcome: Outcome  # on the held-out hours
    oracle: float  # saved per hour by the oracle, >= 0

    @property
    def of_oracle(self) -> float:
        """The share of the possible saving that was had; 1 where there was none to be had."""
        if self.oracle <= 0:
            return 1.0 if self.outcome.saving >= 0 else float("-inf")
        return self.outcome.saving / self.oracle

    @property
    def oracle_share(self) -> float:
        """The oracle's saving as a share of what on demand costs."""
        spent = self.outcome.on_demand
        return self.oracle / spent if spent else float("nan")


@dataclass(frozen=True, slots=True)
class Trials:
    """Several stretches, none longer than another, judged as one."""

    share: float  # of what on demand costs, over all held-out hours
    oracle_share: float
    worst: float  # the worst stretch's share
    count: int


def held_out(
    demand: npt.ArrayLike, train: int, price: float, rate: float, rule: Rule | None = None
) -> Trial:
    """Commit by the first `train` hours, and see what comes of it in the hours after.

    Args:
        demand: (H,) units per hour; NaN = missing.
        train: hours that the rule may see.
        rule: None: the newsvendor on all of them.
    Raises:
        ValueError: demand is no row of hours.
        InsufficientData: no hour to learn from, or none to judge by.
    """
    hours = as_hours(demand)
    past, future = as_hours(hours[:train]), as_hours(hours[train:])
    quantity = rule(past) if rule else best_quantity(past, price, rate)
    oracle = best_quantity(future, price, rate)
    return Trial(
        trained=train,
        quantity=quantity,
        oracle_quantity=oracle,
        outcome=commit(future, price, rate, quantity),
        oracle=saving(future, price, rate, oracle),
    )


def trailing(window: int, price: float, rate: float) -> Rule:
    """The newsvendor on the last `window` hours only, as vendors' consoles do (7, 30, 60 days)."""
    return lambda past: best_quantity(as_hours(past[-window:]), price, rate)


def rolling(
    series: Sequence[Floats],
    *,
    origins: Sequence[int],
    horizon: int,
    price: float,
    rate: float,
    rule: Rule | None = None,
) -> Trials:
    """One rule over several series and origins: the mean weighs each by its spend.

    Args:
        series: each (H,); an origin too late for a series of its length is left out of it.
        origins: hours into the series at which is committed.
        horizon: hours until it is judged.
    Raises:
        InsufficientData: no stretch is left, or one is without data.
    """
    found = [
        held_out(one[: origin + horizon], origin, price, rate, rule)
        for one in series
        for origin in origins
        if origin + horizon <= len(one)
    ]
    if not found:
        raise InsufficientData("no series is long enough to be learnt from and judged by")
    weights = np.array([trial.outcome.on_demand for trial in found])
    total = weights.sum()
    return Trials(
        share=float(sum(trial.outcome.saving for trial in found) / total),
        oracle_share=float(sum(trial.oracle for trial in found) / total),
        worst=min(trial.outcome.share for trial in found),
        count=len(found),
    )
