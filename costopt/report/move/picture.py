"""Spend by provider and region on a slide: once the plan is done above, with the moves below, what
changes in colour.

A group has the same colour where it leaves and where it comes, so that one sees where it goes; an
arrow at the right says so, too.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Final

from matplotlib.patches import FancyArrowPatch
from matplotlib.path import Path

from costopt.report.heatmap.canvas import Box, Canvas
from costopt.report.heatmap.palette import FAINT, INK, OTHER, SOFT
from costopt.report.heatmap.parts import HEADER, MARGIN, RIGHT, WIDTH, header
from costopt.report.move.spending import Change, Spend, Spending, Where, called
from costopt.units import counted

_HEIGHT: Final = 900  # at most
_FOOT: Final = 70
_TODAY: Final = "#c3cad3"
_PROPOSED: Final = "#44546a"
_COLOURS: Final = ("#0077bb", "#ee7733", "#009988", "#aa4499", "#ddaa33", "#33bbee")
_ROWS: Final = 12
_NAMES: Final = 296  # room for a provider's and a region's name
_AMOUNTS: Final = 120
_LANES: Final = 110
_LANE: Final = 12
_HALF: Final = 12  # from a row's middle to its bars'
_HEADS: Final = 9  # between arrows that begin or end at one place
_PITCH: Final = 92.0  # of rows, at most
_CHANGE: Final = 106  # of a change, in words
_SIDE: Final = 370  # room for what changes
_BARS: Final = Box(
    MARGIN + _NAMES, HEADER, RIGHT - MARGIN - _NAMES - _AMOUNTS - _LANES - _SIDE, _HEIGHT
)
_LEAST: Final = 2.0  # pixels of a part that is there


def draw(found: Spending) -> Canvas:
    """1600 x 900 or less: the `_ROWS` largest regions, each change that has a colour."""
    shown = _shown(found)
    canvas = Canvas(WIDTH, _height(found, len(shown)))
    saved = found.now - found.then
    figures = [(_money(found.now), f"{found.currency} a month, plan done"),
               (_money(found.then), "with the moves")]  # fmt: skip
    less = f"{_money(saved)} {found.currency} a month less, " if saved else ""
    told = f"{less}once the plan of costopt recommend is done; by provider and region"
    header(canvas, "Where it runs, and where it should", told[0].upper() + told[1:], figures)
    colours = dict(zip(map(id, found.changes), _COLOURS, strict=False))
    tops = _rows(canvas, shown, found, colours)
    _arrows(canvas, found.changes, tops, colours)
    _side(canvas, found, colours)
    _foot(canvas, found, sum(map(_worth_a_row, found.spends)) - len(shown))
    return canvas


def _height(found: Spending, rows: int) -> int:
    """Pixels that the rows take, or what is told beside them."""
    changes = min(len(found.changes), len(_COLOURS) + 1)
    needed = max(rows * _PITCH, changes * _CHANGE + 30.0, 2 * _PITCH)
    return min(_HEIGHT, round(HEADER + needed + _FOOT))


def _worth_a_row(one: Spend) -> bool:
    """Whether it would not read as 0 and 0."""
    return bool(one.leaves or one.comes) or max(abs(one.now), abs(one.then)) >= Decimal("0.5")


def _shown(found: Spending) -> list[Spend]:
    """The largest, and whatever changes; by provider, the largest first."""
    changing = [one for one in found.spends if one.leaves or one.comes]
    quiet = [one for one in found.spends if not (one.leaves or one.comes) and _worth_a_row(one)]
    kept = [*changing, *quiet][:_ROWS]
    of: dict[str, Decimal] = {}
    for one in kept:
        provider = one.where[0]
        of[provider] = of.get(provider, Decimal(0)) + one.now
    return sorted(kept, key=lambda one: (-of[one.where[0]], one.where[0], -one.now, one.where[1]))


def _rows(
    canvas: Canvas, shown: Sequence[Spend], found: Spending, colours: Mapping[int, str]
) -> dict[Where, float]:
    """Two bars a region; returns the middle of each."""
    most = max((float(max(one.now, one.then)) for one in shown), default=1.0) or 1.0
    pitch = min(_PITCH, (canvas.height - HEADER - _FOOT) / max(len(shown), 1))
    high, tops, before = min(26.0, pitch * 0.33), {}, ""
    for number, one in enumerate(shown):
        top = HEADER + number * pitch
        middle = top + pitch / 2
        provider, region = one.where
        if provider != before:
            canvas.fill(Box(MARGIN, top, RIGHT - MARGIN - _SIDE, 1), FAINT)
            canvas.text(MARGIN, middle, provider, 18, bold=True, room=108)
        before = provider
        canvas.text(MARGIN + 118, middle, region or "no region", 17, room=_NAMES - 130)
        scale = _BARS.width / most
        today = [(one.stays, _TODAY), *((c.before, _colour(c, colours)) for c in one.leaves)]
        then = [(one.stays, _PROPOSED), *((c.after, _colour(c, colours)) for c in one.comes)]
        _bar(canvas, today, Box(_BARS.left, middle - high - 1, scale, high))
        _bar(canvas, then, Box(_BARS.left, middle + 1, scale, high))
        _amounts(canvas, one, middle, high)
        tops[one.where] = middle
    return tops


def _colour(one: Change, colours: Mapping[int, str]) -> str:
    return colours.get(id(one), OTHER)


def _bar(canvas: Canvas, parts: Sequence[tuple[Decimal, str]], box: Box) -> None:
    """One bar; the box's width is pixels for one unit of money."""
    left = box.left
    for amount, fill in parts:
        if amount > 0:
            wide = max(float(amount) * box.width, _LEAST)
            canvas.fill(Box(left, box.top, wide, box.height), fill)
            left += wide


def _amounts(canvas: Canvas, one: Spend, middle: float, high: float) -> None:
    right = _BARS.right + _AMOUNTS - 16
    changed = bool(one.leaves or one.comes)
    canvas.text(right, middle - high / 2, _money(one.now), 15, colour=SOFT, align="right")
    canvas.text(right, middle + 1 + high / 2, _money(one.then), 15, bold=changed, align="right")


def _arrows(
    canvas: Canvas,
    changes: Sequence[Change],
    tops: Mapping[Where, float],
    colours: Mapping[int, str],
) -> None:
    """From where each group leaves to where it comes, in a lane of its own."""
    going = [
        one
        for one in changes
        if id(one) in colours and one.here != one.there and {one.here, one.there} <= tops.keys()
    ]
    # Short ways in the inner lanes: so lines cross the least.
    going.sort(key=lambda one: abs(tops[one.here] - tops[one.there]))
    left = _BARS.right + _AMOUNTS
    starts, ends = _beside([one.here for one in going]), _beside([one.there for one in going])
    for lane, one in enumerate(going):
        turn = left + 18 + lane * _LANE
        # Of those side by side the outer one begins and ends outside: so they do not cross.
        down = 1 if tops[one.here] < tops[one.there] else -1
        start = tops[one.here] - _HALF - down * starts[lane]
        end = tops[one.there] + _HALF + down * ends[lane]
        corners = [(left - 6, start), (turn, start), (turn, end), (left - 6, end)]
        _arrow(canvas, corners, colours[id(one)])


def _beside(places: Sequence[Where]) -> list[float]:
    """Pixels from the middle for each, so that those at one place do not lie on one another."""
    seen: Counter[Where] = Counter()
    found = []
    for place in places:
        found.append(_HEADS * (seen[place] - (places.count(place) - 1) / 2))
        seen[place] += 1
    return found


def _arrow(canvas: Canvas, corners: Sequence[tuple[float, float]], colour: str) -> None:
    """A line through these pixels, with a head at its end."""
    points = [(x / canvas.width, 1 - y / canvas.height) for x, y in corners]
    canvas.figure.add_artist(
        FancyArrowPatch(
            path=Path(points),
            arrowstyle="-|>",
            mutation_scale=12,
            linewidth=1.8,
            color=colour,
            joinstyle="round",
            capstyle="round",
            fill=False,
            transform=canvas.figure.transFigure,
        )
    )


def _side(canvas: Canvas, found: Spending, colours: Mapping[int, str]) -> None:
    """What changes, in words."""
    left, top = RIGHT - _SIDE + 20, HEADER + 8.0
    room = RIGHT - left
    if not found.changes:
        canvas.text(left, top + 12, "Everything stays.", 20, colour=SOFT)
        return
    for one in found.changes:
        if id(one) not in colours:
            break
        canvas.fill(Box(left, top + 2, 12, 74), colours[id(one)])
        for line, (words, size, colour, bold) in enumerate(_told(one)):
            canvas.text(
                left + 24, top + 12 + line * 27, words, size, colour=colour, bold=bold,
                room=room - 24,
            )  # fmt: skip
        top += _CHANGE
    if hidden := found.changes[len(colours) :]:
        saved = sum((one.before - one.after for one in hidden), Decimal(0))
        words = f"and {counted(len(hidden), 'smaller change')}: {_money(saved)} a month"
        canvas.fill(Box(left, top + 2, 12, 20), OTHER)
        canvas.text(left + 24, top + 12, words, 15, colour=SOFT, room=room - 24)


def _told(one: Change) -> Iterator[tuple[str, int, str, bool]]:
    """Lines with their size, colour and weight."""
    row, paid = one.row, one.row.told("break_even_on")
    goes = f"to {called(one.there)}" if one.here != one.there else "on spot, where it is"
    yield f"{row.group}, {row.machines}", 17, INK, True
    less = f"{_money(row.saves)} a month less"
    yield goes, 15, INK, False
    yield (f"{less}, paid by {paid}" if paid else less), 15, SOFT, False


def _foot(canvas: Canvas, found: Spending, hidden: int) -> None:
    middle, left = canvas.height - 34, float(MARGIN)
    for colour, words in ((_TODAY, "once the plan is done"), (_PROPOSED, "with moves and spot")):
        canvas.fill(Box(left, middle - 9, 26, 18), colour)
        left += 34 + canvas.text(left + 34, middle, words, 15, colour=SOFT) + 26
    told = []
    if found.changes:
        told.append("a group has the same colour where it is and where it goes")
    if hidden:
        told.append(f"{counted(hidden, 'smaller region')} not shown")
    if abs(found.rest) > found.now / 200:
        told.append(f"{_money(found.rest)} on nothing whose region is known")
    canvas.text(left, middle, "; ".join(told), 15, colour=SOFT, room=RIGHT - left)


def _money(amount: Decimal) -> str:
    return f"{amount:,.0f}"
