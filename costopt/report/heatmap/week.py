"""A week drawn: 7 x 24 cells with their coverage, alone on a slide or as one of several panels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from matplotlib.colors import ListedColormap
from matplotlib.patches import Rectangle

from costopt.profile.heatmap import Overview, WeekMap
from costopt.report.heatmap import words
from costopt.report.heatmap.canvas import Canvas
from costopt.report.heatmap.palette import FAINT, INK, NO_DATA, SOFT, code, colour, ink_on, ramp
from costopt.report.heatmap.scale import Scale, scale_of

MARGIN: Final = 56
MOST: Final = 12
"""Panels on one picture; more are too small to read."""


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle in pixels."""

    left: float
    top: float
    width: float
    height: float

    @property
    def right(self) -> float:
        """Its right edge."""
        return self.left + self.width

    @property
    def bottom(self) -> float:
        """Its lower edge."""
        return self.top + self.height


def one_week(week: WeekMap) -> Canvas:
    """One week on a slide, 1600 x 720."""
    canvas = Canvas(1600, 720)
    scale = scale_of(week.unit, [week.values])
    edge = canvas.width - MARGIN
    left = _figures(canvas, week, scale, edge)
    canvas.text(MARGIN, 50, week.title, 30, bold=True, room=left - MARGIN - 30)
    canvas.text(MARGIN, 92, words.subtitle(week), 17, colour=SOFT, room=left - MARGIN - 30)
    grid = Box(MARGIN + 58, 138, edge - MARGIN - 58 - 104, 468)
    cells(canvas, week, scale, grid, line=2.5)
    labels(canvas, grid, size=17, every=1)
    colour_bar(canvas, scale, Box(edge - 68, grid.top, 20, grid.height))
    foot(canvas, week, MARGIN, canvas.height - 38, edge)
    return canvas


def _figures(canvas: Canvas, week: WeekMap, scale: Scale, right: float) -> float:
    """Mean and peak, large, at the right of the header; returns where they begin."""
    figures = (
        (f"peak, {words.peak_words(week)}", scale.words(week.peak[2])),
        ("mean", scale.words(week.mean)),
    )
    for label, value in figures:
        widths = [
            canvas.text(right, 50, value, 30, bold=True, align="right"),
            canvas.text(right, 92, label, 17, colour=SOFT, align="right"),
        ]
        right -= max(widths) + 44
    return right


def cells(canvas: Canvas, week: WeekMap, scale: Scale, box: Box, *, line: float) -> None:
    """The 7 x 24 cells over the box: hatched where thin, grey where there is nothing."""
    axes = canvas.axes(box.left, box.top, box.width, box.height)
    axes.set_xlim(0, 24)
    axes.set_ylim(7, 0)
    axes.pcolormesh(
        np.ma.masked_invalid(week.values),
        cmap=ListedColormap(ramp()),
        vmin=0,
        vmax=scale.top,
        edgecolors="white",
        linewidth=line * 0.72,
        antialiased=True,
    )
    for day, hour in np.argwhere(week.missing):
        axes.add_patch(
            _cell(day, hour, facecolor=NO_DATA, edgecolor="white", linewidth=line * 0.72)
        )
    for day, hour in np.argwhere(week.thin):
        under = colour(scale.share(week.values[day, hour]))
        axes.add_patch(
            _cell(
                day,
                hour,
                fill=False,
                hatch="////",
                hatchcolor=ink_on(under),
                alpha=0.45,
                linewidth=0,
            )
        )


def _cell(day: int, hour: int, **style: object) -> Rectangle:
    return Rectangle((hour, day), 1, 1, **style)


def labels(canvas: Canvas, box: Box, *, size: float, every: int, days: bool = True) -> None:
    """Days at the left, hours below."""
    for day, name in enumerate(words.DAYS if days else ()):
        middle = box.top + (day + 0.5) * box.height / 7
        canvas.text(box.left - 14, middle, name, size, align="right")
    for hour in range(0, 24, every):
        middle = box.left + (hour + 0.5) * box.width / 24
        canvas.text(middle, box.bottom + size + 4, str(hour), size, colour=SOFT, align="center")


def colour_bar(canvas: Canvas, scale: Scale, box: Box) -> None:
    """The scale, upright, its figures at the right."""
    axes = canvas.axes(box.left, box.top, box.width, box.height)
    axes.imshow(ramp()[::-1, None], aspect="auto", interpolation="none")
    for tick in scale.ticks:
        middle = box.bottom - scale.share(tick) * box.height
        at = min(max(middle, box.top + 7), box.bottom - 7)
        canvas.text(box.right + 9, at, scale.bare(tick), 15, colour=SOFT)
    canvas.text(box.left, box.bottom + 21, scale.unit, 15, colour=SOFT)


def foot(canvas: Canvas, week: WeekMap, left: float, middle: float, right: float) -> None:
    """The legend of what is to see, and what the figures rest on."""
    rest = canvas.text(right, middle, words.basis(week), 15, colour=SOFT, align="right")
    legend(canvas, (week,), left, middle, right - rest - 30)


def legend(
    canvas: Canvas, weeks: Sequence[WeekMap | Overview], left: float, middle: float, right: float
) -> None:
    """What hatched and grey mean, if there is any."""
    if any(week.thin.any() for week in weeks):
        canvas.box(left, middle - 9, 26, 18, code(colour(0.25)), hatch="////", hatchcolor=INK)
        left += 34
        left += (
            canvas.text(
                left, middle, words.thin_words(weeks[0]), 15, colour=SOFT, room=right - left
            )
            + 30
        )
    if any(week.missing.any() for week in weeks):
        canvas.box(left, middle - 9, 26, 18, NO_DATA)
        canvas.text(left + 34, middle, "no data", 15, colour=SOFT, room=right - left - 34)


def many_weeks(weeks: Sequence[WeekMap], heading: str) -> Canvas:
    """Several weeks on one scale, three beside one another, 1600 wide."""
    shown = weeks[:MOST]
    columns = min(len(shown), 3 if len(shown) > 4 else 2)
    rows = -(-len(shown) // columns)
    scale = scale_of(weeks[0].unit, [week.values for week in weeks])
    gap, top, title = 44, 142, 58
    edge = 1600 - MARGIN
    inner = edge - 92 - MARGIN - 44
    width = (inner - gap * (columns - 1) - 0) / columns
    height = min(width / 24 * 7 * 1.3, 300)
    canvas = Canvas(1600, top + rows * (title + height + 46) + 52)
    canvas.text(MARGIN, 50, heading, 30, bold=True, room=edge - MARGIN)
    canvas.text(MARGIN, 92, words.subtitle(shown[0]), 17, colour=SOFT, room=edge - MARGIN)
    for number, week in enumerate(shown):
        row, column = divmod(number, columns)
        box = Box(
            MARGIN + 44 + column * (width + gap),
            top + row * (title + height + 46) + title,
            width,
            height,
        )
        _panel(canvas, week, scale, box, first=column == 0)
    colour_bar(canvas, scale, Box(edge - 58, top + title, 18, height))
    left = ""
    if len(weeks) > len(shown):
        left = f"{len(weeks) - len(shown)} smaller groups are not shown"
    rest = canvas.text(edge, canvas.height - 34, left, 15, colour=SOFT, align="right")
    legend(canvas, shown, MARGIN + 44, canvas.height - 34, edge - rest - 30)
    return canvas


def _panel(canvas: Canvas, week: WeekMap, scale: Scale, box: Box, *, first: bool) -> None:
    figures = f"mean {scale.words(week.mean)}, peak {scale.words(week.peak[2])}"
    width = canvas.text(box.right, box.top - 40, figures, 15, align="right")
    canvas.text(box.left, box.top - 40, week.title, 19, bold=True, room=box.width - width - 16)
    canvas.text(box.left, box.top - 16, words.basis(week), 14, colour=SOFT, room=box.width)
    cells(canvas, week, scale, box, line=1.4)
    labels(canvas, box, size=14, every=3, days=first)
