"""Where the names of points go so that none lies on another, on a point or over the edge.

The same every time: each name in turn takes the free place that costs least, where nearness
counts, then the side (right before left before above and below), then what the name or its leader
line would cross; then all move once more, and again, now that they know one another. Pixels, x to
the right, y down.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from math import cos, hypot, pi, sin
from typing import Final, NamedTuple

from costopt.report.heatmap.canvas import Box

_PAD: Final = 3.0  # pixels between names, and from a name to a point
_NEAR: Final = 5.0  # from a point's edge to its name
_STEP: Final = 9.0  # from one ring of places to the next
_DIRECTIONS: Final = 32
_ROUNDS: Final = 4
_CROSSING: Final = 100.0  # what a leader costs that crosses a point, a name or another leader
_OVER_LINE: Final = 20.0  # what a name costs that lies on a line
_BESIDE: Final = 40.0  # what a name costs that another point could take for its own
_OWN: Final = 12.0  # how close to a point its own name alone should be
_LEADER_FROM: Final = 11.0  # names farther away than this get a leader line


class Spot(NamedTuple):
    """A place in the picture."""

    x: float
    y: float


Line = tuple[Spot, Spot]


@dataclass(frozen=True, slots=True)
class Named:
    """A point to be named, and how large its name is."""

    at: Spot
    radius: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Label:
    """Where a name stands, and the line from its point where it stands apart."""

    box: Box
    leader: Line | None


def place(
    named: Sequence[Named], room: Box, lines: Sequence[Line] = (), *, first: int = 0
) -> list[Label]:
    """A place for every name, in order.

    Args:
        room: what no name leaves.
        lines: drawn lines; names stand on them only where nothing better is near.
        first: so many names have places before the others, and keep them.
    Raises:
        ValueError: no place is left for a name.
    """
    points = [_around(one.at, one.radius + _PAD) for one in named]
    placed: dict[int, Label] = {}
    for group in (range(first), range(first, len(named))):
        for number in [*group] * _ROUNDS:
            placed.pop(number, None)
            placed[number] = _best(named[number], room, points, list(placed.values()), lines)
    return [placed[number] for number in range(len(named))]


def _best(
    one: Named, room: Box, points: Sequence[Box], placed: Sequence[Label], lines: Sequence[Line]
) -> Label:
    taken = [*points, *(_grown(label.box) for label in placed)]
    drawn = [label.leader for label in placed if label.leader]
    others = [_grown(point, _OWN) for point in points if not _holds(point, one.at)]
    best: tuple[float, Label] | None = None
    for nearness, box in _candidates(one, room):
        if best and nearness >= best[0]:
            break  # they come in the order of their nearness, and crossings only cost more
        if not _within(box, room) or any(_overlap(box, other) for other in taken):
            continue
        leader = _leader(one, box)
        cost = nearness + _BESIDE * sum(_overlap(box, other) for other in others)
        cost += _OVER_LINE * sum(_meets(line, box) for line in lines)
        cost += _CROSSING * sum(_meets(line, box) for line in drawn)
        if leader:
            cost += _CROSSING * _crossings(leader, one, taken, drawn)
        if best is None or cost < best[0]:
            best = cost, Label(box, leader)
    if best is None:
        raise ValueError(f"no room for a name of {one.width:.0f} x {one.height:.0f} pixels")
    return best[1]


def _crossings(leader: Line, one: Named, taken: Sequence[Box], drawn: Sequence[Line]) -> int:
    """How many names, other points and leaders that leader would run over.

    Points that touch its own do not count: whatever its direction, it must leave their crowd.
    """
    own = _around(one.at, one.radius)
    boxes = [box for box in taken if not _overlap(box, own)]
    return sum(_meets(leader, box) for box in boxes) + sum(_cross(leader, d) for d in drawn)


def _candidates(one: Named, room: Box) -> Iterator[tuple[float, Box]]:
    """Places around the point with what their distance and side cost, the cheapest first."""
    rings = int(hypot(room.width, room.height) / _STEP)
    for cost, distance, (across, down) in _order(rings):
        reach = one.radius + distance
        middle_x = one.at.x + reach * across + one.width / 2 * _side(across)
        middle_y = one.at.y + reach * down + one.height / 2 * _side(down)
        yield cost, Box(middle_x - one.width / 2, middle_y - one.height / 2, one.width, one.height)


@cache
def _order(rings: int) -> list[tuple[float, float, tuple[float, float]]]:
    directions = [
        (cos(2 * pi * n / _DIRECTIONS), sin(2 * pi * n / _DIRECTIONS)) for n in range(_DIRECTIONS)
    ]
    return sorted(
        (distance + 5 * abs(down) + (2 if across < 0 else 0), distance, (across, down))
        for distance in (_NEAR + _STEP * ring for ring in range(rings))
        for across, down in directions
    )


def _side(component: float) -> float:
    """How much of half a name's extent it is shifted by, so that it touches and never covers."""
    return max(-1.0, min(1.0, component * 1.6))


def _leader(one: Named, box: Box) -> Line | None:
    """From the point's edge to the nearest of its name, where that is not beside it."""
    end = Spot(min(max(one.at.x, box.left), box.right), min(max(one.at.y, box.top), box.bottom))
    far = hypot(end.x - one.at.x, end.y - one.at.y)
    if far - one.radius < _LEADER_FROM:
        return None
    share = (one.radius + 1) / far
    start = Spot(one.at.x + (end.x - one.at.x) * share, one.at.y + (end.y - one.at.y) * share)
    return start, end


# -- geometry --------------------------------------------------------------------------------


def _around(at: Spot, radius: float) -> Box:
    return Box(at.x - radius, at.y - radius, 2 * radius, 2 * radius)


def _grown(box: Box, by: float = _PAD) -> Box:
    return Box(box.left - by, box.top - by, box.width + 2 * by, box.height + 2 * by)


def _within(box: Box, room: Box) -> bool:
    across = room.left <= box.left and box.right <= room.right
    return across and room.top <= box.top and box.bottom <= room.bottom


def _holds(box: Box, at: Spot) -> bool:
    return box.left <= at.x <= box.right and box.top <= at.y <= box.bottom


def _overlap(a: Box, b: Box) -> bool:
    return a.left < b.right and b.left < a.right and a.top < b.bottom and b.top < a.bottom


def _meets(line: Line, box: Box) -> bool:
    """Whether the line ends in the box or passes through it, and so through a diagonal of it."""
    corners = [Spot(x, y) for y in (box.top, box.bottom) for x in (box.left, box.right)]
    diagonals = ((corners[0], corners[3]), (corners[1], corners[2]))
    return any(_holds(box, end) for end in line) or any(_cross(line, d) for d in diagonals)


def _cross(one: Line, other: Line) -> bool:
    (a, b), (c, d) = one, other
    return _turn(a, b, c) * _turn(a, b, d) < 0 and _turn(c, d, a) * _turn(c, d, b) < 0


def _turn(a: Spot, b: Spot, c: Spot) -> float:
    return (b.x - a.x) * (c.y - a.y) - (b.y - a.y) * (c.x - a.x)
