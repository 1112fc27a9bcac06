"""Whether predicted risks come true as often as they say."""

from __future__ import annotations

from itertools import starmap
from typing import Final

import numpy as np
import numpy.typing as npt

from costopt.backtest.base import Floats
from costopt.backtest.bootstrap import PLACES
from costopt.backtest.result import Bin, Calibration

BINS: Final = 10


def calibration(predicted: Floats, happened: npt.NDArray[np.bool_]) -> Calibration:
    """Mean predicted risk against the share that happened, in ten bins of equal width.

    A bin takes its lower edge; the last one takes 1 as well.

    Args:
        predicted: (n,) 0..1.
        happened: (n,).
    Raises:
        ValueError: no predictions, or one outside 0..1.
    Source:
        Naeini, Cooper, Hauskrecht: Obtaining Well Calibrated Probabilities Using Bayesian Binning,
        AAAI 2015 (expected calibration error).
    """
    if not len(predicted) or not ((predicted >= 0) & (predicted <= 1)).all():
        raise ValueError("calibration needs predicted risks of 0..1, one at least")
    place = np.minimum((predicted * BINS).astype(np.int64), BINS - 1)
    counts = np.bincount(place, minlength=BINS)
    filled = counts > 0
    sums = (np.bincount(place, of, BINS)[filled] for of in (predicted, happened))
    said, came = ((each / counts[filled]).round(PLACES) for each in sums)
    error = float(np.abs(said - came) @ counts[filled] / len(predicted))
    rows = zip(said.tolist(), came.tolist(), counts[filled].tolist(), strict=True)
    return Calibration(bins=tuple(starmap(Bin, rows)), expected_error=round(error, PLACES))
