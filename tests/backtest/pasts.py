"""Pasts for tests: a machine's series, on a grid of an hour unless told."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from costopt.backtest.base import Past

HOUR = 3600
FORTNIGHT = 14 * 24  # hours

Series = npt.ArrayLike


def past(cpu: Series, *, period: int = HOUR, **others: Any) -> Past:
    """A past of these series; they cannot be written to, so that a rule that does is found out.

    A number instead of a series is that value throughout.
    """
    samples = np.array(cpu, float)
    given: dict[str, Any] = {"cpu": samples, **others}
    for name in ("cpu", "cpu_max", "memory", "memory_max", "network_in", "network_out"):
        if given.get(name) is not None:
            given[name] = np.array(np.broadcast_to(given[name], samples.shape), float)
            given[name].setflags(write=False)
    return Past(resource_id="vm", period_seconds=period, **given)


def rising(count: int = FORTNIGHT) -> npt.NDArray[np.float64]:
    """0.25, 0.5, 0.75 ... percent: the k-th smallest of it is k/4."""
    return np.arange(1, count + 1) / 4


def only_last(values: Series, count: int) -> npt.NDArray[np.float64]:
    """The series with all but its last `count` samples missing."""
    series = np.array(values, float)
    series[: len(series) - count] = np.nan
    return series
