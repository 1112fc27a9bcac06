"""A week drawn: 7 x 24 cells with their coverage, alone on a slide or beside other groups."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from matplotlib.colors import ListedColormap
from matplotlib.patches import Rectangle

from costopt.profile.heatmap import WeekMap
from costopt.report.heatmap import words
from costopt.report.heatmap.canvas import Box, Canvas
from costopt.report.heatmap.palette import NO_DATA, SOFT, colour, ink_on, ramp
from costopt.report.heatmap.parts import (
    HATCH,
    HEADER,
    MARGIN,
    RIGHT,
    WIDTH,
    has_legend,
    header,
    legend,
    upright_scale,
)
from costopt.report.heatmap.scale import Scale, scale_of
from costopt.units import counted

MOST: Final = 9
"""Panels of one picture: three by three is what a slide shows readably."""
_GAP: Final = 40  # between panels
_DAY_NAMES: Final = 58  # left of the cells


def draw_week(week: WeekMap, *, fit: bool = False) -> Canvas:
    """One week on a slide of 1600 x 720."""
    canvas = Canvas(WIDTH, 720)
    scale = scale_of(week.unit, [week.values], fit=fit)
    _, _, peak = week.peak
    figures = (
        (scale.words(week.mean), "mean"),
        (scale.words(peak), f"peak, {words.peak_words(week)}"),
    )
    header(canvas, words.title(week), words.subtitle(week), figures)
    left = MARGIN + _DAY_NAMES
    grid = Box(left, HEADER, RIGHT - 120 - left, 470)
    _cells(canvas, week, scale, grid, gap=2.5)
    _mark_peak(canvas, week, scale, grid)
    _days(canvas, grid, 17)
    _hours(canvas, grid, 17, every=1)
    canvas.text(grid.left - 14, grid.bottom + 21, "hour", 15, colour=SOFT, align="right")
    upright_scale(canvas, scale, Box(RIGHT - 88, grid.top, 20, grid.height))
    middle = canvas.height - 40
    rest = canvas.text(RIGHT, middle, words.basis(week), 15, colour=SOFT, align="right")
    legend(canvas, (week,), middle, RIGHT - rest - 30)
    return canvas


def draw_weeks(weeks: Sequence[WeekMap], *, fit: bool = False) -> Canvas:
    """The first nine weeks as panels on one scale, 1600 wide and at most 900 high."""
    shown = weeks[:MOST]
    columns = 2 if len(shown) <= 4 else 3
    rows = -(-len(shown) // columns)
    scale = scale_of(weeks[0].unit, [week.values for week in shown], fit=fit)
    left = MARGIN + _DAY_NAMES - 6
    width = (RIGHT - 118 - left - _GAP * (columns - 1)) / columns
    height = 148 if rows == 3 else 250
    above, below = 50, 40
    hidden = len(weeks) - len(shown)
    foot = 44 if hidden or has_legend(shown) else 8
    canvas = Canvas(WIDTH, HEADER - 10 + rows * (above + height + below) + foot)
    header(canvas, words.groups_title(weeks[0]), words.subtitle(*shown, metric=False))
    for number, week in enumerate(shown):
        row, column = divmod(number, columns)
        top = HEADER - 10 + row * (above + height + below) + above
        box = Box(left + column * (width + _GAP), top, width, height)
        _panel(canvas, week, scale, box)
        if column == 0:
            _days(canvas, box, 14)
    upright_scale(canvas, scale, Box(RIGHT - 88, HEADER - 10 + above, 18, height))
    middle = canvas.height - 34
    more = f"{counted(hidden, 'smaller group')} not shown" if hidden else ""
    rest = canvas.text(RIGHT, middle, more, 15, colour=SOFT, align="right")
    legend(canvas, shown, middle, RIGHT - rest - 30)
    return canvas


def _panel(canvas: Canvas, week: WeekMap, scale: Scale, box: Box) -> None:
    _, _, peak = week.peak
    figures = f"mean {scale.words(week.mean)}, peak {scale.words(peak)}"
    width = canvas.text(box.right, box.top - 37, figures, 15, align="right")
    canvas.text(box.left, box.top - 37, week.label, 18, bold=True, room=box.width - width - 16)
    canvas.text(box.left, box.top - 14, words.basis(week), 14, colour=SOFT, room=box.width)
    _cells(canvas, week, scale, box, gap=1.5)
    _hours(canvas, box, 14, every=3)


def _cells(canvas: Canvas, week: WeekMap, scale: Scale, box: Box, *, gap: float) -> None:
    """The cells over the box: hatched where thin, grey where there is nothing."""
    axes = canvas.axes(box)
    across, down = box.width / 24, box.height / 7
    axes.pcolormesh(
        np.arange(25) * across,
        np.arange(8) * down,
        np.ma.masked_invalid(week.values),
        cmap=ListedColormap(ramp()),
        vmin=0,
        vmax=scale.top,
    )
    for day, hour in np.argwhere(week.missing):
        place = (hour * across, day * down)
        axes.add_patch(Rectangle(place, across, down, facecolor=NO_DATA, linewidth=0))
    for day, hour in np.argwhere(week.thin):
        ink = ink_on(colour(scale.share(week.values[day, hour])))
        place = (hour * across, day * down)
        axes.add_patch(
            Rectangle(
                place, across, down, fill=False, hatch=HATCH, hatchcolor=ink, alpha=0.5, linewidth=0
            )
        )
    points = gap * 0.72
    axes.vlines(np.arange(1, 24) * across, 0, box.height, colors="white", linewidths=points)
    axes.hlines(np.arange(1, 7) * down, 0, box.width, colors="white", linewidths=points)


def _mark_peak(canvas: Canvas, week: WeekMap, scale: Scale, box: Box) -> None:
    """The highest hour's figure in its cell."""
    day, hour, value = week.peak
    canvas.text(
        box.left + (hour + 0.5) * box.width / 24,
        box.top + (day + 0.5) * box.height / 7,
        scale.bare(value),
        17,
        bold=True,
        colour=ink_on(colour(scale.share(value))),
        align="center",
    )


def _days(canvas: Canvas, box: Box, size: float) -> None:
    for day, name in enumerate(words.DAYS):
        middle = box.top + (day + 0.5) * box.height / 7
        canvas.text(box.left - 14, middle, name, size, align="right")


def _hours(canvas: Canvas, box: Box, size: float, *, every: int) -> None:
    for hour in range(0, 24, every):
        middle = box.left + (hour + 0.5) * box.width / 24
        canvas.text(middle, box.bottom + size + 4, str(hour), size, colour=SOFT, align="center")
