"""Which brief spikes are random ones put in among real ones: a mixture of the two.

Each spike comes with a weight: how many times likelier what was seen of it is of work than of a
random moment. The share of real ones is the one that makes all weights together most likely. Which
those are is told by their height too: real and random spikes teach what theirs are.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

_TRACELESS: Final = 0.05
"""Share of real spikes taken to leave no trace at all: the rest of those 95 % that show in traffic
(corroboration._TRAFFIC). So no spike weighs less than 1 : 20, and one alone cannot outweigh
`_ODDS`."""
_ODDS: Final = 100.0
_FEW: Final = 5.0
_LEAST_SHARE: Final = 0.001  # of real spikes, and of random ones, where the mixture is sought
_STEP_PERCENT: Final = 10  # of height
_ROUNDS: Final = 30


def random(weights: Floats, heights: NDArray[np.float32]) -> Flags:
    """(spikes,) which of these are more likely random than real.

    None, unless "all are real" is a hundred times less likely than the mixture; all, where fewer
    than five real ones are to be expected.

    Args:
        weights: how many times likelier each is of work than random, but for its height.
        heights: percent.
    """
    weights = _TRACELESS + (1 - _TRACELESS) * weights
    share = _likeliest_share(weights)
    mixture = share * weights + 1 - share
    if np.log(mixture / weights).sum() <= np.log(_ODDS):
        return np.zeros(len(weights), bool)
    if share * len(weights) < _FEW:
        return np.ones(len(weights), bool)
    return _real(share, weights, heights) < 0.5


def _likeliest_share(weights: Floats) -> float:
    """The share of real spikes that makes these weights most likely, to a ten-thousandth.

    The likelihood of a mixture's share is concave: its slope falls through zero once.
    """
    low, high = _LEAST_SHARE, 1 - _LEAST_SHARE
    while high - low > 1e-4:
        middle = (low + high) / 2
        slope = ((weights - 1) / (1 + middle * (weights - 1))).sum()
        low, high = (middle, high) if slope > 0 else (low, middle)
    return (low + high) / 2


def _real(share: float, weights: Floats, heights: NDArray[np.float32]) -> Floats:
    """(spikes,) the probability that each is real, as what the others of its height are.

    By turns: how high real and random ones are, each spike counted by that probability (and one
    of each kind more at every step, so that no height is proof); then that probability anew.
    """
    steps = np.minimum(heights, 100).astype(np.int64) // _STEP_PERCENT
    real = _posterior(share, weights)
    for _ in range(_ROUNDS):
        likelier = _spread(steps, real) / _spread(steps, 1 - real)
        real = _posterior(float(real.mean()), weights * likelier[steps])
    return real


def _posterior(share: float, weights: Floats) -> Floats:
    return share * weights / (share * weights + 1 - share)


def _spread(steps: NDArray[np.int64], counted: Floats) -> Floats:
    """(steps,) the share of these spikes at each height."""
    found = np.bincount(steps, counted, 100 // _STEP_PERCENT + 1).astype(np.float64) + 1
    return found / np.float64(found.sum())
