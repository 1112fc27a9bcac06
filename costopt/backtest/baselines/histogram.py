"""The weighted histograms from which VPA and Crane read their percentiles.

Source: kubernetes/autoscaler, vertical-pod-autoscaler/pkg/recommender/util (histogram.go,
histogram_options.go, decaying_histogram.go). A percentile there is the *end* of the first bucket
at which the weight so far reaches its share of the whole; the last bucket has no end and gives its
start. Nothing is interpolated.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from math import ceil, log

import numpy as np

from costopt.backtest.base import Floats


@dataclass(frozen=True, slots=True)
class Buckets:
    """Buckets from 0 up, each `growth` times as wide as the one before (1 = all alike)."""

    first: float  # width of the first
    growth: float
    maximum: float  # the last bucket starts here or above

    @property
    def count(self) -> int:
        """How many there are."""
        if self.growth == 1:
            return ceil(self.maximum / self.first) + 1
        steps = log(self.maximum * (self.growth - 1) / self.first + 1) / log(self.growth)
        return ceil(steps) + 1

    def start(self, bucket: int) -> float:
        """Where a bucket starts."""
        if self.growth == 1:
            return bucket * self.first
        return self.first * (self.growth**bucket - 1) / (self.growth - 1)

    def weigh(self, values: Floats, weights: Floats) -> Floats:
        """The weight in each bucket up to the last that holds any, of values at or above 0."""
        if self.growth == 1:
            within = np.minimum((values / self.first).astype(np.int64), self.count - 1)
        else:
            within = np.searchsorted(_starts(self), values, "right") - 1
        return np.asarray(np.bincount(within, weights), np.float64)

    def percentile(self, weight: Floats, share: float) -> float:
        """The end of the bucket at which `share` (0..1) of the weight is reached; NaN of none."""
        if not len(weight):
            return float("nan")
        so_far = np.cumsum(weight)
        reached = int(np.searchsorted(so_far, share * so_far[-1]))
        return self.start(min(reached + 1, self.count - 1))


@lru_cache(maxsize=8)
def _starts(buckets: Buckets) -> Floats:
    """Where each starts. VPA finds a value's bucket by log(...) / log(growth), which is whole at a
    start; numpy's log need not be the C library's to the last bit, so that the two put a value of
    exactly 0.01 core into different buckets. Compared with the starts there is one answer."""
    starts = np.array([buckets.start(bucket) for bucket in range(buckets.count)])
    starts.setflags(write=False)
    return starts


@lru_cache(maxsize=8)
def decay(count: int, half_life: int) -> Floats:
    """Weights of `count` steps, oldest first, that halve every `half_life` steps back; the newest
    weighs 1. VPA's moving reference timestamp scales all of them alike and drops out."""
    weights = np.exp2(np.arange(1 - count, 1) / half_life)
    weights.setflags(write=False)
    return weights
