"""Which period CloudWatch still keeps for which age, on whose grid. Pure; seconds since 1970."""

from __future__ import annotations

from typing import Final, NamedTuple

DAY: Final = 86_400
HOUR: Final = 3_600

FINE: Final = 300
KEPT: Final = ((FINE, 63 * DAY), (HOUR, 455 * DAY))
"""(period, how long it is kept), the finer first. Source: API reference of GetMetricData.

Minutes, kept for 15 days, are not asked for, whoever measures them: a metric would change its
period in the midst of what advice looks back on; and a minute's peak is in the maximum of five."""

EDGE: Final = HOUR
"""A collect takes a while, and what it planned to read must not have been folded meanwhile."""

SETTLE: Final = 30 * 60
"""Seconds after which a period is taken as final. AWS gives 15 minutes for a new metric to appear
(API reference of ListMetrics), and an instance's last minutes come in one by one: twice that."""


class Span(NamedTuple):
    """A time range and the period to ask it in; both ends stand on the period's grid."""

    period: int
    start: int
    end: int  # exclusive


def settled(moment: int, now: int) -> int:
    """The end of the last sample that is final and starts before `moment`, in periods of five
    minutes: so all things are read up to the same moment, and share calls."""
    return min(-(-moment // 300) * 300, (now - SETTLE) // 300 * 300)


def spans(start: int, end: int, now: int) -> list[Span]:
    """The range in the finest periods kept, oldest first; empty where nothing is left of it.

    Periods that begin in it: the last one may end after it, unless it may still change.
    """
    found = []
    for period, since, until in _zones(now, end):
        first = -(-max(start, since) // period) * period
        last = -(-min(end, until) // period) * period
        last = min(last, (now - SETTLE) // period * period)
        if first < last:
            found.append(Span(period, first, last))
    return found


def _zones(now: int, end: int) -> list[Span]:
    """Where each period is asked for, oldest first."""
    zones: list[Span] = []
    until = end
    for period, age in KEPT:
        since = -(-(now - age) // HOUR) * HOUR + EDGE
        zones.append(Span(period, since, until))
        until = since
    return zones[::-1]
