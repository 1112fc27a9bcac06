"""From Cloud Monitoring's aligned values to our units. NaN = missing, in and out.

Byte metrics are DELTA: a point says how many bytes passed since the point before it. ALIGN_SUM is
what passed in the period, whatever a point covers, so the sum over the period's seconds is bytes a
second, now and for what Google has folded into ten minutes. ALIGN_RATE and ALIGN_DELTA are not
asked for: where nothing was measured they interpolate, and missing is never a value.

Source: reference of Aggregation.Aligner, Cloud Monitoring API v3.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.floating[Any]]
Formula = Callable[..., Values]
"""(period in seconds, *aligned values) -> our values; all arrays are of the same slots."""

SAMPLED: Final = 60
"""Seconds that a point of Google's own byte metrics covers ("Sampled every 60 seconds"), up to the
whole minute."""


def as_it_is(period: int, value: Values) -> Values:
    """The value itself."""
    return value


def percent(period: int, fraction: Values) -> Values:
    """A share of the whole as percent. Machines that may burst (e2-micro) go above all that they
    were promised, and then they use all of it."""
    return np.minimum(100 * fraction, 100)


def a_second(period: int, total: Values) -> Values:
    """What passed in the period, per second."""
    return total / period


def peak_a_second(period: int, largest: Values) -> Values:
    """The busiest minute of the period, per second."""
    return largest / SAMPLED


def percent_of(period: int, part: Values, used: Values, free: Values) -> Values:
    """A part as percent of the used and the free together; missing where there is neither."""
    whole = used + free
    return 100 * part / np.where(whole > 0, whole, np.nan)


def used_percent(period: int, used: Values, free: Values) -> Values:
    """The used as percent of the used and the free together."""
    return percent_of(period, used, used, free)


def either_percent(period: int, one: Values, other: Values) -> Values:
    """What one of two receivers says, as percent."""
    return percent(period, np.where(np.isnan(one), other, one))
