"""Which queries go together in a call, for the smallest bill and then for few calls. Pure.

AWS bills a metric each time that a call asks for it, with up to five statistics and however long
the range: so nothing is asked for in two calls, and all statistics of a metric stay together. Calls
are not billed, but limited and slow. Each gives all its queries one range, and holds 500 queries
and 100,800 datapoints. Of 60 days in five minutes 5.8 queries fit: a metric of three statistics and
one of two fill a call, and two of three do not go together, as they do of 58. Cutting the range
would fill calls to the last datapoint (1,000 machines: 2,400 calls for 4,000) and bill each metric
twice.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Final, NamedTuple

MOST_QUERIES: Final = 500
MOST_POINTS: Final = 100_800
"""Limits of one call. Source: API reference of GetMetricData."""
_LAST: Final = 12
"""So many of the last in a call are chosen by their size, rather than by when they begin."""


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


class _Kind(NamedTuple):
    """Asks that take the same room in a call."""

    queries: int
    period: int


def packed(asks: Iterable[Ask]) -> list[Packed]:
    """The calls: none beyond the limits, each ask in one of them.

    Args:
        asks: of one account and region; each within the limits of a call.
    """
    groups: dict[int, list[Ask]] = {}
    for ask in asks:
        groups.setdefault(ask.end, []).append(ask)
    return [call for end in sorted(groups) for call in _group(groups[end], end)]


def slots(start: int, stop: int, period: int) -> int:
    """Datapoints of one query, as CloudWatch counts them."""
    return -(-(stop - start) // period)


def _group(asks: list[Ask], end: int) -> Iterator[Packed]:
    """Asks that all last until `end`, the longest first."""
    waiting = _Waiting(asks)
    grain = max(ask.period for ask in asks)
    while (first := waiting.first()) is not None:
        start = first.start // grain * grain
        yield Packed(start, end, tuple(sorted(_filled(waiting, first, start))))


def _filled(waiting: _Waiting, first: Ask, start: int) -> Iterator[Ask]:
    """What goes into the call of the first, taken from those that wait."""
    # A call gives every query its whole range: asks that hold less than half of it wait for a
    # shorter one. Those of nearly the same length cost less than one call in all.
    latest = max(first.start, start + (first.end - start) // 2)
    queries, points = MOST_QUERIES, MOST_POINTS
    ask: Ask | None = first
    while ask is not None and ask.start <= latest:
        kind = _Kind(ask.queries, ask.period)
        size = _points(kind, start, ask.end)
        if ask is not first and (queries < _LAST * ask.queries or points < _LAST * size):
            break
        queries, points = queries - ask.queries, points - size
        yield waiting.taken(kind)
        ask = waiting.first()
    there = waiting.before(latest)
    kinds = sorted(there, key=lambda kind: (-_points(kind, start, first.end), kind))
    sizes = [(kind.queries, _points(kind, start, first.end), there[kind]) for kind in kinds]
    _, counts = _fullest(sizes, queries, points)
    for kind, count in zip(kinds, counts, strict=True):
        yield from (waiting.taken(kind) for _ in range(count))


def _points(kind: _Kind, start: int, end: int) -> int:
    return kind.queries * slots(start, end, kind.period)


def _fullest(
    sizes: Sequence[tuple[int, int, int]], queries: int, points: int
) -> tuple[int, tuple[int, ...]]:
    """How many of each to take, to leave the least room; of equals the most of the largest.

    Args:
        sizes: queries and points of one, and how many there are; the largest first.
        queries, points: the room there is.
    Returns:
        Points taken, and a count for each size.
    """
    if not sizes:
        return 0, ()
    (each, size, many), *smaller = sizes
    most = min(many, queries // each, points // size)
    found = []
    for count in range(most, max(most - 2, -1), -1):  # one less may let two smaller ones in
        filled, counts = _fullest(smaller, queries - count * each, points - count * size)
        found.append((filled + count * size, (count, *counts)))
    return max(found, key=lambda one: one[0])


class _Waiting:
    """Asks not in a call yet: of each kind those that begin first."""

    def __init__(self, asks: Iterable[Ask]) -> None:
        self._heaps: dict[_Kind, list[Ask]] = {}
        self._starts: dict[_Kind, Counter[int]] = {}
        for ask in asks:
            kind = _Kind(ask.queries, ask.period)
            self._heaps.setdefault(kind, []).append(ask)
            self._starts.setdefault(kind, Counter())[ask.start] += 1
        for heap in self._heaps.values():
            heapq.heapify(heap)

    def first(self) -> Ask | None:
        """The one that begins first, and of these the one of most queries; None = none waits."""
        tops = (heap[0] for heap in self._heaps.values() if heap)
        return min(tops, key=lambda ask: (ask.start, -ask.queries, ask), default=None)

    def before(self, moment: int) -> dict[_Kind, int]:
        """How many of each kind begin until then."""
        return {
            kind: sum(many for start, many in starts.items() if start <= moment)
            for kind, starts in self._starts.items()
        }

    def taken(self, kind: _Kind) -> Ask:
        """The first of its kind, which waits no more."""
        ask = heapq.heappop(self._heaps[kind])
        self._starts[kind][ask.start] -= 1
        return ask
