"""One bar a provider: what of its bill is held, to be bought, or stays on demand."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from costopt.report.heatmap.canvas import Box, Canvas
from costopt.report.heatmap.palette import INK, SOFT, ink_on, rgb
from costopt.report.heatmap.parts import MARGIN, RIGHT
from costopt.rules.commit.curves import Curve

HELD: Final = "#44546a"
BOUGHT: Final = "#009988"
OPEN: Final = "#bfdcec"
UNPRICED: Final = "#e4eef4"
LEFT_OUT: Final = "#e3e6ea"
UNUSED: Final = "#ee7733"
HIGH: Final = 30
PITCH: Final = 42
_NAME: Final = 90
_TOTAL: Final = 430  # room for the words behind a bar
_PAD: Final = 8


class Part(NamedTuple):
    """One part of every bar."""

    colour: str
    words: str


PARTS: Final = (
    Part(HELD, "held"),
    Part(BOUGHT, "to be bought"),
    Part(OPEN, "stays on demand"),
    Part(UNPRICED, "no known price"),
    Part(LEFT_OUT, "nothing bought for it"),
)


def amounts(one: Curve) -> tuple[float, ...]:
    """Of each of `PARTS`."""
    return one.held, one.bought, one.open, one.unpriced, one.left_out


def bars(canvas: Canvas, curves: Sequence[Curve], top: float) -> float:
    """From `top` down, each bar all of its provider's; returns where they end."""
    for one in curves:
        _bar(canvas, one, Box(MARGIN + _NAME, top, RIGHT - MARGIN - _NAME - _TOTAL, HIGH))
        top += PITCH
    return top


def _bar(canvas: Canvas, one: Curve, box: Box) -> None:
    middle = box.top + box.height / 2
    canvas.text(MARGIN, middle, one.provider, 18, bold=True, room=_NAME - 10)
    left = box.left
    for part, amount in zip(PARTS, amounts(one), strict=True):
        wide = box.width * amount / one.total
        if wide < 1:
            continue
        canvas.fill(Box(left, box.top, wide, box.height), part.colour)
        words = f"{100 * amount / one.total:.0f} %"
        if canvas.measured(words, 15) + 2 * _PAD < wide:
            ink = ink_on(rgb(part.colour))
            canvas.text(left + _PAD, middle, words, 15, colour=ink)
        left += wide
    behind = f"{figure(one.total)} {one.currency} an hour"
    wide = canvas.text(box.right + 14, middle, behind, 15, colour=INK)
    if one.idle > one.total * 0.0005:
        said = f"+ {figure(one.idle)} unused, last 4 weeks"
        canvas.text(box.right + 26 + wide, middle, said, 15, colour=UNUSED, bold=True)


def legend(canvas: Canvas, curves: Sequence[Curve], middle: float) -> float:
    """What the colours that are there mean; returns where it ends."""
    left = float(MARGIN)
    for place, part in enumerate(PARTS):
        if any(amounts(one)[place] > 0 for one in curves):
            canvas.fill(Box(left, middle - 9, 26, 18), part.colour)
            left += 34 + canvas.text(left + 34, middle, part.words, 15, colour=SOFT) + 26
    return left


def figure(value: float) -> str:
    """Money an hour, three digits."""
    return f"{value:,.3g}" if value < 1000 else f"{value:,.0f}"
