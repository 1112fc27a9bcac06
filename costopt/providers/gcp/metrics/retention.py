"""Which period Cloud Monitoring can still answer for which age. Pure; seconds since 1970.

An aligned point carries the end of its period, which Google counts back from the end of the
request. Both ends of a request stand on the period's grid, so that a period has the same start in
every collect.
"""

from __future__ import annotations

from typing import Final, NamedTuple

HOUR: Final = 3_600
DAY: Final = 86_400

PERIOD: Final = 300
RAW: Final = 42 * DAY
"""Six weeks as they were measured; then Google folds them into ten minutes, for two years. Source:
Cloud Monitoring, "Quotas and limits", data retention."""
FOLDED: Final = 730 * DAY
"""What is folded is asked for by the hour, and only for its mean: the largest of ten-minute points
is not the largest that there was."""

EDGE: Final = HOUR
"""A collect takes a while, and what it planned to read must not have been folded meanwhile."""

SETTLE: Final = 600
"""Seconds after which a period is taken as final: a point is measured every 60 seconds and seen up
to 240 later (list of Google Cloud metrics); twice that."""


class Span(NamedTuple):
    """A time range and the period to ask it in; both ends stand on the period's grid."""

    period: int
    start: int
    end: int  # exclusive


def settled(moment: int, now: int) -> int:
    """The end of the last period that is final and starts before `moment`."""
    return min(-(-moment // PERIOD) * PERIOD, (now - SETTLE) // PERIOD * PERIOD)


def spans(start: int, end: int, now: int) -> list[Span]:
    """The range in the periods that can be had, oldest first; empty where nothing is left of it.

    Periods that begin in it, that is: the last one may end after it.

    Args:
        end: as `settled` gives it.
    """
    raw = -(-(now - RAW) // HOUR) * HOUR + EDGE
    oldest = now - FOLDED + EDGE
    found = []
    for period, since, until in ((HOUR, oldest, min(raw, end)), (PERIOD, raw, end)):
        first = -(-max(start, since) // period) * period
        last = -(-until // period) * period
        if first < last:
            found.append(Span(period, first, last))
    return found
