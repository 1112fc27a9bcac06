"""From Cloud Monitoring's aligned values to our units. NaN = missing, in and out.

Byte metrics are DELTA: a point says how many bytes passed since the point before it. ALIGN_SUM is
what passed in the period, whatever a point covers, so the sum over the period's seconds is bytes a
second, now and for what Google has folded into ten minutes. ALIGN_RATE and ALIGN_DELTA are not
asked for: where nothing was measured they interpolate, and missing is never a value.

Source: reference of Aggregation.Aligner, Cloud Monitoring API v3.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.floating[Any]]
Formula = Callable[..., Values]
"""(Basis, *aligned values) -> our values; all arrays are of the same slots."""

SAMPLED: Final = 60
"""Seconds that a point of Google's own byte metrics covers ("Sampled every 60 seconds"), up to the
whole minute."""


class Basis(NamedTuple):
    """What values are reckoned by."""

    period: int  # seconds
    reserved: float = 1.0  # vCPUs that the host reserves for the machine, for each that it sees


def as_it_is(basis: Basis, value: Values) -> Values:
    """The value itself."""
    return value


def percent(basis: Basis, fraction: Values) -> Values:
    """A share of the whole as percent."""
    return 100 * fraction


def percent_of_seen(basis: Basis, fraction: Values) -> Values:
    """CPU as percent of the vCPUs that the machine sees.

    Google's fraction is of the vCPUs that are reserved: an e2-small sees 2, of which 0.5 are, so
    that it says 4 when both are busy. What is impossible stays so, for whoever checks samples.

    Source: "Google Cloud metrics" (compute): instance/cpu/usage_time ("To compute the per-vCPU
    utilization fraction, divide this value by (end-start)*N, where [...] N is
    compute.googleapis.com/instance/cpu/reserved_cores"), instance/cpu/guest_visible_vcpus
    ("e2-small instances have two vCPUs visible inside the guest and 0.5 fractional vCPUs
    reserved").
    """
    return percent(basis, fraction) * basis.reserved


def a_second(basis: Basis, total: Values) -> Values:
    """What passed in the period, per second."""
    return total / basis.period


def peak_a_second(basis: Basis, largest: Values) -> Values:
    """The busiest minute of the period, per second."""
    return largest / SAMPLED


def percent_of(basis: Basis, part: Values, used: Values, free: Values) -> Values:
    """A part as percent of the used and the free together; missing where there is neither."""
    whole = used + free
    return 100 * part / np.where(whole > 0, whole, np.nan)


def used_percent(basis: Basis, used: Values, free: Values) -> Values:
    """The used as percent of the used and the free together."""
    return percent_of(basis, used, used, free)


def either_percent(basis: Basis, one: Values, other: Values) -> Values:
    """What one of two receivers says, as percent."""
    return percent(basis, np.where(np.isnan(one), other, one))
