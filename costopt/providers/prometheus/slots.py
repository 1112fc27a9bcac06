"""The grid of samples: which period, which moments to ask at, in how many queries.

A sample with Timestamp t and period p stands for [t, t+p). Prometheus looks back, so it is asked
at t+p.
"""

from __future__ import annotations

from typing import Final, NamedTuple

POINTS: Final = 11_000
"""Prometheus refuses a query of more points a series ("exceeded maximum resolution")."""
PERIODS: Final = (300, 600, 900, 1800, 3600)
DEFAULT_PERIOD: Final = 300
SCRAPES: Final = 3
"""Scrapes that a period holds at least: rate() needs two, and one may fail."""


class Span(NamedTuple):
    """Neighbouring periods: the first starts at `start`, the last ends at `stop` (seconds)."""

    start: int
    stop: int


def period_for(scrape_seconds: float) -> int:
    """The shortest of `PERIODS` that holds `SCRAPES` scrapes, or the longest."""
    fit = (period for period in PERIODS if period >= SCRAPES * scrape_seconds)
    return next(fit, PERIODS[-1])


def spans(start: int, stop: int, period: int, most: int) -> list[Span]:
    """That stretch cut into the fewest equal parts of at most `most` periods, in order of time.

    Args:
        start, stop: seconds, both on the period's grid.
    """
    slots = (stop - start) // period
    if slots <= 0:
        return []
    parts = -(-slots // most)
    each = -(-slots // parts) * period
    return [Span(at, min(at + each, stop)) for at in range(start, stop, each)]


def halves(span: Span, period: int) -> tuple[Span, Span] | None:
    """The span in two, or None where it is a single period."""
    slots = (span.stop - span.start) // period
    if slots < 2:
        return None
    middle = span.start + slots // 2 * period
    return Span(span.start, middle), Span(middle, span.stop)


def floor(seconds: float, period: int) -> int:
    """The grid's last moment that is not after it."""
    return int(seconds // period) * period


def ceil(seconds: float, period: int) -> int:
    """The grid's first moment that is not before it."""
    return -int(-seconds // period) * period
