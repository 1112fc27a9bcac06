"""What every picture has: its header, its scale, its legend."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from costopt.profile.heatmap import Overview, WeekMap
from costopt.report.heatmap import words
from costopt.report.heatmap.canvas import Box, Canvas
from costopt.report.heatmap.palette import INK, NO_DATA, SOFT, code, colour, ramp
from costopt.report.heatmap.scale import Scale

WIDTH: Final = 1600
MARGIN: Final = 56
RIGHT: Final = WIDTH - MARGIN
HEADER: Final = 138
"""Where the picture begins below its header."""
_TITLE, _SUBTITLE = 50, 92  # the middles of the header's lines
HATCH: Final = "////"


def header(
    canvas: Canvas, title: str, subtitle: str, figures: Sequence[tuple[str, str]] = ()
) -> None:
    """Title and subtitle at the left; figures, each (value, what it is), large at the right."""
    right: float = RIGHT
    for value, label in reversed(figures):
        widths = (
            canvas.text(right, _TITLE, value, 30, bold=True, align="right"),
            canvas.text(right, _SUBTITLE, label, 17, colour=SOFT, align="right"),
        )
        right -= max(widths) + 44
    canvas.text(MARGIN, _TITLE, title, 30, bold=True, room=right - MARGIN)
    canvas.text(MARGIN, _SUBTITLE, subtitle, 17, colour=SOFT, room=right - MARGIN)


def upright_scale(canvas: Canvas, scale: Scale, box: Box) -> None:
    """The colours from 0 at the bottom to the top, figures at the right."""
    axes = canvas.axes(box)
    axes.imshow(ramp()[::-1, None], aspect="auto", extent=(0, box.width, box.height, 0))
    for tick in scale.ticks:
        middle = box.bottom - scale.share(tick) * box.height
        canvas.text(box.right + 9, middle, scale.tick_words(tick), 15, colour=SOFT)


def legend(
    canvas: Canvas, pictures: Sequence[WeekMap | Overview], middle: float, room: float
) -> None:
    """What hatching and grey mean, where there is any; at the left of the foot."""
    left: float = MARGIN
    if any(picture.thin.any() for picture in pictures):
        thin = code(colour(0.2))
        canvas.fill(Box(left, middle - 9, 26, 18), thin, hatch=HATCH, hatchcolor=INK, alpha=1)
        text = words.thin_words(pictures[0])
        left += 34
        left += canvas.text(left, middle, text, 15, colour=SOFT, room=room - left) + 28
    if any(picture.missing.any() for picture in pictures):
        canvas.fill(Box(left, middle - 9, 26, 18), NO_DATA)
        canvas.text(left + 34, middle, "no data", 15, colour=SOFT, room=room - left - 34)


def has_legend(pictures: Sequence[WeekMap | Overview]) -> bool:
    """Whether there is anything that `legend` explains."""
    return any(bool(np.any(picture.thin | picture.missing)) for picture in pictures)
