"""As few calls as CloudWatch's limits allow: which queries go together, for which times. Pure.

A call has one time range for all its queries. Long histories do not fill a call: of 60 days in five
minutes 5.8 queries fit, so that every call would waste a seventh. There the range is cut so that a
multiple of six queries fills the call (six is two metrics of three statistics or three of two), and
what is left of the time, far shorter, goes into calls of its own. Of the metrics that are cut each
part is billed, a thousandth of a cent each; calls are not billed, but limited and slow.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Final, NamedTuple

MOST_QUERIES: Final = 500
MOST_POINTS: Final = 100_800
"""Limits of one call. Source: API reference of GetMetricData."""

_FINE: Final = 24
"""Where so many queries fit, the one that does not wastes 4 % of a call at most."""
_STEP: Final = 6


class Ask(NamedTuple):
    """Queries of one thing, which stay in one call."""

    start: int  # seconds since 1970
    end: int
    period: int
    queries: int
    key: int  # whose they are; also what orders asks that are otherwise alike


class Packed(NamedTuple):
    """One call. An ask may begin later than the call, of which it then takes the later part."""

    start: int
    end: int
    asks: tuple[Ask, ...]


def packed(asks: Iterable[Ask]) -> list[Packed]:
    """The calls: none beyond the limits, each slot asked for once, an ask's times in order.

    Args:
        asks: of one account and region; one of 500 queries or of 100,800 points does not fit.
    """
    groups: dict[int, list[Ask]] = {}
    for ask in asks:
        groups.setdefault(ask.end, []).append(ask)
    return [call for end in sorted(groups) for call in _group(groups[end], end)]


def _group(asks: list[Ask], end: int) -> Iterator[Packed]:
    """Asks that all last until `end`, the longest first."""
    waiting = _Waiting(asks)
    grain = max(ask.period for ask in asks)
    while (first := waiting.first()) is not None:
        start = first.start // grain * grain
        stop = _stop(start, end, first, grain, waiting)
        yield Packed(start, stop, tuple(_filled(waiting, start, stop, first.start)))


def _filled(waiting: _Waiting, start: int, stop: int, first: int) -> Iterator[Ask]:
    """What goes into the call, taken from those that wait; what is left of its time waits again."""
    queries, points = MOST_QUERIES, MOST_POINTS
    # A call gives every query its whole range: asks that hold less than half of it wait for a
    # shorter one. Those of nearly the same length cost less than one call in all.
    latest = max(first, start + (stop - start) // 2)
    again = []
    while (ask := waiting.take(queries, points, start, stop, latest)) is not None:
        queries -= ask.queries
        points -= ask.queries * slots(start, stop, ask.period)
        if ask.end > stop:
            again.append(ask._replace(start=stop))
        yield ask._replace(end=min(ask.end, stop))
    for ask in again:
        waiting.add(ask)


def slots(start: int, stop: int, period: int) -> int:
    """Datapoints of one query, as CloudWatch counts them."""
    return -(-(stop - start) // period)


def _stop(start: int, end: int, first: Ask, grain: int, waiting: _Waiting) -> int:
    """Until when this call and its like should go."""
    period = first.period
    whole = slots(start, end, period)
    fit = MOST_POINTS // whole
    if fit >= _FINE:
        return end
    more = _STEP * (fit // _STEP + 1)
    part = MOST_POINTS // more * period // grain * grain // period
    sizes = waiting.sizes_before(start + (end - start) // 2)
    if fit >= first.queries:
        rest = sum(size * many for size, many in sizes.items()) * (whole - part)
        if _bins(sizes, more) - (-rest // MOST_POINTS) >= _bins(sizes, fit):
            return end
    return start + part * period


def _bins(sizes: Mapping[int, int], room: int) -> int:
    """Calls with room for so many queries that asks of these sizes fill, the largest first."""
    left = {size: many for size, many in sorted(sizes.items(), reverse=True) if 0 < size <= room}
    bins = 0
    while left:
        filling, space = {}, room
        for size, many in left.items():
            filling[size] = min(many, space // size)
            space -= size * filling[size]
        times = min(left[size] // one for size, one in filling.items() if one)
        left = {size: n for size, many in left.items() if (n := many - times * filling[size])}
        bins += times
    return bins


class _Waiting:
    """Asks not in a call yet: of each number of queries those that begin first."""

    def __init__(self, asks: Iterable[Ask]) -> None:
        self._heaps: dict[int, list[Ask]] = {}
        self._sizes: dict[int, Counter[int]] = {}  # start -> queries of an ask -> asks
        for ask in asks:
            self.add(ask)

    def add(self, ask: Ask) -> None:
        heapq.heappush(self._heaps.setdefault(ask.queries, []), ask)
        self._sizes.setdefault(ask.start, Counter())[ask.queries] += 1

    def first(self) -> Ask | None:
        return min((heap[0] for heap in self._heaps.values() if heap), default=None)

    def sizes_before(self, moment: int) -> Counter[int]:
        """How many asks of each number of queries begin until then."""
        before = (sizes for start, sizes in self._sizes.items() if start <= moment)
        return sum(before, Counter())

    def take(self, queries: int, points: int, start: int, stop: int, latest: int) -> Ask | None:
        """The one that begins first, and of these the one of most queries, that still fits."""
        tops = [heap[0] for heap in self._heaps.values() if heap]
        fitting = [
            ask
            for ask in tops
            if ask.start <= latest
            and ask.queries <= queries
            and ask.queries * slots(start, stop, ask.period) <= points
        ]
        if not fitting:
            return None
        best = min(fitting, key=lambda ask: (ask.start, -ask.queries, ask.key))
        heapq.heappop(self._heaps[best.queries])
        self._sizes[best.start][best.queries] -= 1
        if not self._sizes[best.start].total():
            del self._sizes[best.start]
        return best
