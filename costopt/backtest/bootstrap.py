"""95 % intervals of means over a fleet, by drawing its resources anew."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import starmap
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from costopt.backtest.base import Floats
from costopt.backtest.result import Interval

Ints = npt.NDArray[np.int64]

TAILS: Final = (2.5, 97.5)  # percent: what a 95 % interval leaves out on either side
DRAWS_AT_ONCE: Final = 64  # 5 MB for 10,000 resources
PLACES: Final = 12
"""Decimal places of figures and intervals: beyond them the order of adding up would show."""


def mean(values: npt.NDArray[Any], weights: Floats | None = None) -> float:
    """The mean over windows, by weight if given."""
    return round(float(np.average(values, weights=weights)), PLACES)


def intervals(
    figures: Sequence[Floats], resources: Ints, weights: Floats, *, draws: int, seed: int
) -> tuple[Interval, ...]:
    """The mean of each figure over all windows, and its percentile interval.

    All windows of a drawn resource come along, for those of one machine are alike and no evidence
    of their own. Every figure sees the same draws, whatever the other figures are: the interval of
    a difference is that of the figure "difference". With fewer than about twenty resources such
    intervals are too narrow; with one they have no width.

    Args:
        figures: each (W,), one value a window.
        resources: (W,) which resource each window is of; any integers. The draws depend on their
            order, so number them by something that stays (sorted identifiers).
        weights: (W,) above 0.
        draws: how many fleets to draw, each of as many resources as there are.
        seed: the same seed gives the same draws.
    Raises:
        ValueError: a weight is not above 0.
    Source:
        Efron, Tibshirani: An Introduction to the Bootstrap (1993), 13.3; Field, Welsh:
        Bootstrapping clustered data, JRSS B 69 (2007), the cluster bootstrap.
    """
    if not (weights > 0).all():
        raise ValueError("a resource's weight is above 0")
    names, index = np.unique(resources, return_inverse=True)
    columns = [weights, *(weights * figure for figure in figures)]
    table = np.stack([np.bincount(index, column) for column in columns], axis=1)
    drawn = np.concatenate([counts @ table for counts in _draws(len(names), draws, seed)])
    low, high = np.percentile(drawn[:, 1:] / drawn[:, :1], TAILS, axis=0).round(PLACES).tolist()
    values = (mean(figure, weights) for figure in figures)
    return tuple(starmap(Interval, zip(values, low, high, strict=True)))


def _draws(resources: int, draws: int, seed: int) -> Iterable[Floats]:
    """(some draws, resources): how often each resource was drawn, with replacement."""
    rng = np.random.default_rng(seed)
    for start in range(0, draws, DRAWS_AT_ONCE):
        some = np.empty((min(DRAWS_AT_ONCE, draws - start), resources))
        for row in some:
            row[:] = np.bincount(rng.integers(0, resources, resources), minlength=resources)
        yield some
