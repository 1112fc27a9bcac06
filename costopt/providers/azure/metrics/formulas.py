"""From Azure Monitor's aggregations to our units. NaN = missing, in and out.

Network and disk bytes are bytes of one *measurement*: Total is what passed in the period asked for,
so that Total / period is bytes a second, however often Azure measures. The same for the percentage
of memory that is *available*: the least that was available is the most that was used.

Source: "Azure Monitor metrics aggregation and display explained"; "Supported metrics for
Microsoft.Compute/virtualMachines" (units: Bytes, Percent).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.floating[Any]]

_SENTINEL: Final = 1e18
"""NVIDIA's "not available" is 9223372036854775794 (dcgm_fields.h, DCGM_INT64_BLANK)."""


class Where(NamedTuple):
    """What a formula has to know beside the values."""

    period: int  # seconds
    memory: float  # bytes that the machine has; NaN = unknown


Formula = Callable[..., Values]
"""(where, *aggregations) -> our values; all arrays are of the same slots."""


def as_it_is(where: Where, value: Values) -> Values:
    """The aggregation itself."""
    return value


def a_second(where: Where, total: Values) -> Values:
    """What passed in the period, per second."""
    return total / where.period


def peak_a_second(where: Where, largest: Values, count: Values, total: Values) -> Values:
    """The busiest measurement of the period, per second of the time that a measurement covers.

    That is a minute ("Time Grains: PT1M"), or a whole part of one where there are more measurements
    than minutes. A peak below the mean is no peak, and stays missing.
    """
    minutes = where.period / 60
    a_minute = np.maximum(np.round(count / minutes), 1)
    peak = largest * a_minute / 60
    return np.where(peak * (1 + 1e-9) >= total / where.period, peak, np.nan)


def used_percent(where: Where, free_percent: Values, free_bytes: Values) -> Values:
    """What is not available, by the percentage; where there is none, by bytes against the shape."""
    of_bytes = 100 * free_bytes / (where.memory if where.memory > 0 else np.nan)
    free = np.where(np.isnan(free_percent), of_bytes, free_percent)
    used: Values = np.clip(100 - free, 0, 100)
    return used


def nearest_limit(where: Where, one: Values, other: Values) -> Values:
    """The greater of two shares; of one that is missing, the other."""
    greater: Values = np.fmax(one, other)
    return greater


def measured(where: Where, value: Values) -> Values:
    """The value, but for what stands for "not available"."""
    return np.where(np.abs(value) < _SENTINEL, value, np.nan)


def percent(where: Where, fraction: Values) -> Values:
    """A share of the whole as percent."""
    return 100 * measured(where, fraction)


def percent_of(where: Where, part: Values, whole: Values) -> Values:
    """One as percent of the other; missing where there is none of the other."""
    part, whole = measured(where, part), measured(where, whole)
    return 100 * part / np.where(whole > 0, whole, np.nan)


def percent_of_both(where: Where, part: Values, used: Values, free: Values) -> Values:
    """A part as percent of the used and the free together."""
    return percent_of(where, part, measured(where, used) + measured(where, free))
