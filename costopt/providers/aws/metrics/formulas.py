"""From CloudWatch's statistics to our units. NaN = missing, in and out.

CloudWatch's byte metrics are bytes of one *datapoint*, not of a second. A datapoint covers one
minute (detailed monitoring, volumes) or five (basic monitoring), and an instance with basic
monitoring may send five one-minute datapoints with each five minutes, so that Average, which is
Sum / SampleCount, means bytes a minute here and bytes of five minutes there. Sum is what passed in
the period asked for, whatever the datapoints: Sum / period is bytes a second, always. The same
holds for periods of an hour, into which CloudWatch folds what is older than 63 days.

Source: Amazon EC2 User Guide, "CloudWatch metrics that are available for your instances" (network
metrics: divide Sum by 300 or 60); CloudWatch User Guide, "Statistics definitions".
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.floating[Any]]
Formula = Callable[..., Values]
"""(period in seconds, *statistics) -> our values; all arrays are of the same slots."""

_SHORTEST = 60  # seconds that a datapoint of AWS's own metrics covers at least


def as_it_is(period: int, value: Values) -> Values:
    """The statistic itself."""
    return value


def a_second(period: int, total: Values) -> Values:
    """What passed in the period, per second."""
    return total / period


def an_hour(period: int, total: Values) -> Values:
    """What passed in the period, per hour."""
    return total * (3600 / period)


def peak_a_second(period: int, largest: Values, datapoints: Values, total: Values) -> Values:
    """The busiest datapoint of the period, per second of the time that a datapoint covers.

    SampleCount tells how long that is. A statistic more of the same metric in the same call is not
    billed. A peak below the mean is no peak, and stays missing: volumes of machines older than
    Nitro report their largest single operation as Maximum (EBS User Guide, "Amazon CloudWatch
    metrics for Amazon EBS": Maximum is supported on Nitro only).
    """
    peak = largest * np.clip(datapoints, 1, max(period // _SHORTEST, 1)) / period
    return np.where(peak * (1 + 1e-9) >= total / period, peak, np.nan)


def percent_of(period: int, used: Values, whole: Values) -> Values:
    """One as percent of the other; missing where there is none of the other."""
    return 100 * used / np.where(whole > 0, whole, np.nan)


def percent_not_free(period: int, free: Values) -> Values:
    """What is left of a hundred percent."""
    return 100 - free
