"""The stop rule as one PromQL expression: an exact count since the change."""

from __future__ import annotations

import math
from typing import Final

from costopt.report.artefacts.base import Watch

_UNITS: Final = (("d", 86_400), ("h", 3600), ("m", 60))


def counted(value: str, watch: Watch) -> str:
    """True while as many periods as the guard allows were over its limit, until the rule ends.

    A subquery's steps stand on multiples of its step in UTC, whenever the rule is evaluated: every
    period is counted once, in the packed days' own grid. A period counts when it began after the
    change, and nothing is true after the end. What was not scraped is not counted.

    Args:
        value: PromQL for the mean in percent over the period that ends now.
    Source:
        prometheus.io, Querying basics, "Subquery"; Operators, "and on ()".
    """
    guard = watch.guard
    period = guard.period_seconds
    first = math.ceil(watch.since.timestamp()) + period
    horizon = math.ceil((watch.until - watch.since).total_seconds() / period) * period
    return (
        f"count_over_time((\n"
        f"  {value} > {guard.limit_percent:.10g}\n"
        f"  and on () (vector(time()) >= {first})\n"
        f")[{span(horizon)}:{span(period)}]) >= {guard.samples}\n"
        f"and on () (vector(time()) <= {math.floor(watch.until.timestamp())})\n"
    )


def averaged(series: str, watch: Watch) -> str:
    """The series' mean over the period that ends now, less its first second.

    Before Prometheus 3.0 a range holds its left edge too: the sample that ends the period before
    would count into this one (6 one-minute samples in 5 minutes), and thin a short peak out.
    """
    return f"avg_over_time({series}[{watch.guard.period_seconds - 1}s])"


def span(seconds: int) -> str:
    """A PromQL duration in the largest whole unit: 14d, 5m, 90s."""
    for unit, size in _UNITS:
        if seconds % size == 0:
            return f"{seconds // size}{unit}"
    return f"{seconds}s"
