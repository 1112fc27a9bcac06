"""Samples of the size that a machine had before, told by the memory they speak of. Pure.

A machine that is resized keeps its id, and Azure Monitor its past: percentages of another number of
vCPUs and of another memory. Bytes and percentage of what is available together say how much there
was. Where the memory was the same, nothing shows: a resize between two collects is known by the
inventory (x_ObservedAt), and an earlier one by the activity log alone, which is not read.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from costopt.providers.azure.metrics.catalogue import FREE_BYTES, FREE_PERCENT, Raw

_ALIKE: Final = 0.25
"""So much may what a guest is given differ from what its size is said to have."""
_LEAST_PERCENT: Final = 5.0  # of less, rounding says too much
_AROUND: Final = 9  # slots, most of which must agree: single ones are of few measurements

Values = NDArray[np.float64]


class Before(NamedTuple):
    """What was measured of another size."""

    slots: int  # as many, from the first on
    memory: float  # bytes that the machine had


def before(memory: float, cells: Mapping[Raw, Values]) -> Before | None:
    """The slots up to the last one of another size than today's; None = there are none.

    Args:
        memory: bytes that today's size has; NaN = unknown, so that nothing can be said.
        cells: of the whole machine, slot by slot; NaN = missing.
    """
    free = cells.get(FREE_BYTES)
    if free is None or not memory > 0:
        return None
    share = cells.get(FREE_PERCENT, np.full(len(free), np.nan))
    with np.errstate(all="ignore"):
        whole = np.where(share >= _LEAST_PERCENT, 100 * free / share, np.nan)
        # without the percentage: more is free than there is
        whole = np.where(np.isnan(share) & (free > memory * (1 + _ALIKE)), free, whole)
    known = np.flatnonzero(np.isfinite(whole))
    if not len(known):
        return None
    other = np.abs(whole[known] / memory - 1) > _ALIKE
    agreeing = other & (_around(other) > 0.5 * _around(np.ones_like(other)))
    if not agreeing.any():
        return None
    last = int(known[np.flatnonzero(agreeing)[-1]])
    return Before(last + 1, float(np.median(whole[known][agreeing])))


def _around(flags: NDArray[Any]) -> Values:
    """How many of the neighbours of each, itself among them."""
    sums: Values = np.convolve(flags.astype(np.float64), np.ones(_AROUND), "full")
    return sums[_AROUND // 2 :][: len(flags)]
