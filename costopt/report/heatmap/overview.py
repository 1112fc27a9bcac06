"""The fleet drawn: one line a machine (or a few look-alikes), 168 hours of the week across."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.colors import ListedColormap, to_rgb

from costopt.profile.overview import Cluster, Overview, Strip
from costopt.report.heatmap import words
from costopt.report.heatmap.canvas import Box, Canvas
from costopt.report.heatmap.palette import FAINT, HUES, INK, NO_DATA, OTHER, SOFT, ramp
from costopt.report.heatmap.parts import (
    HATCH,
    HEADER,
    MARGIN,
    RIGHT,
    WIDTH,
    header,
    legend,
    upright_scale,
)
from costopt.report.heatmap.scale import Scale, scale_of
from costopt.units import counted

_LEFT: Final = 322  # of the cells; before them names, then strips
_ACROSS: Final = 168 * 6  # whole pixels an hour
_STRIP, _STRIP_GAP = 12, 6
_MEANS: Final = 84  # room for the bars of the means
_ROW: Final = 30  # height of a row where there are few
_LEAST_HEIGHT, _MOST_HEIGHT = 90, 584
_READABLE: Final = 13.5
"""Rows at least this high carry their machine's name; else their clusters carry a label."""


def draw_overview(picture: Overview, *, fit: bool = False) -> Canvas:
    """The overview on a slide 1600 wide, as high as its rows need, at most 900."""
    rows = len(picture.values)
    scale = scale_of(picture.unit, [picture.values], fit=fit)
    grid = Box(_LEFT, HEADER + 26, _ACROSS, min(max(_ROW * rows, _LEAST_HEIGHT), _MOST_HEIGHT))
    strips = [
        (strip, _colours(strip, hues))
        for strip, hues in zip(picture.strips, HUES, strict=True)
        if len(set(strip.values)) > 1
    ]
    canvas = Canvas(WIDTH, grid.bottom + 68 + 30 * (len(strips) + 1))
    header(
        canvas,
        words.fleet_title(picture),
        words.subtitle(picture),
        [(scale.words(picture.mean), "mean of machines")],
    )
    _cells(canvas, picture, scale, grid)
    _axis(canvas, grid)
    left = grid.left - _STRIP_GAP
    for strip, colours in reversed(strips):
        left -= _STRIP
        _strip(canvas, picture, strip, colours, Box(left, grid.top, _STRIP, grid.height))
        left -= _STRIP_GAP
    _names(canvas, picture, scale, Box(MARGIN, grid.top, left - MARGIN - 8, grid.height))
    _means(canvas, picture, scale, Box(grid.right + 14, grid.top, _MEANS, grid.height))
    upright_scale(canvas, scale, Box(RIGHT - 96, grid.top, 18, min(grid.height, 300)))
    middle = grid.bottom + 62
    for strip, colours in strips:
        _strip_legend(canvas, strip, colours, middle)
        middle += 30
    text = f"coverage {words.coverage_words(picture)}"
    rest = canvas.text(RIGHT, middle, text, 15, colour=SOFT, align="right")
    legend(canvas, (picture,), middle, RIGHT - rest - 30)
    return canvas


def _cells(canvas: Canvas, picture: Overview, scale: Scale, box: Box) -> None:
    axes = canvas.axes(box)
    axes.imshow(
        _enlarged(np.ma.masked_invalid(picture.values), box),
        cmap=ListedColormap(ramp()).with_extremes(bad=NO_DATA),
        vmin=0,
        vmax=scale.top,
        aspect="auto",
        interpolation="none",
        extent=(0, box.width, box.height, 0),
    )
    _hatch(axes, picture, box)
    axes.vlines(np.arange(1, 7) * box.width / 7, 0, box.height, colors="white", linewidths=2.2)
    _separate(axes, picture, box)


def _enlarged(cells: npt.NDArray[Any], box: Box) -> npt.NDArray[Any]:
    """The cells in blocks of about the box's pixels: sharp in SVG viewers that smooth, too."""
    down, across = (
        max(1, round(pixels / count))
        for pixels, count in zip((box.height, box.width), cells.shape, strict=False)
    )
    return cells.repeat(down, axis=0).repeat(across, axis=1)


def _hatch(axes: Axes, picture: Overview, box: Box) -> None:
    """Hatch every run of thin hours of a row."""
    thin = np.pad(picture.thin, ((0, 0), (1, 1))).astype(np.int8)
    steps = np.diff(thin, axis=1)
    starts, ends = np.argwhere(steps == 1), np.argwhere(steps == -1)
    across, down = box.width / 168, box.height / len(thin)
    runs = [
        [(x0, y), (x1, y), (x1, y + down), (x0, y + down)]
        for (row, start), (_, end) in zip(starts, ends, strict=True)
        for x0, x1, y in [(start * across, end * across, row * down)]
    ]
    if runs:
        axes.add_collection(
            PolyCollection(
                runs, facecolor="none", linewidth=0, hatch=HATCH, hatchcolor=INK, alpha=0.4
            )
        )


def _separate(axes: Axes, picture: Overview, box: Box) -> None:
    """White lines between rows that are high enough, and stronger ones between clusters."""
    down = box.height / len(picture.values)
    if down >= _READABLE:
        every = np.arange(1, len(picture.values)) * down
        axes.hlines(every, 0, box.width, colors="white", linewidths=0.7)
    between = [cluster.start * down for cluster in picture.clusters[1:]]
    axes.hlines(between, 0, box.width, colors="white", linewidths=2.2)


def _axis(canvas: Canvas, box: Box) -> None:
    """Days above, hours below."""
    for day, name in enumerate(words.DAYS):
        left = box.left + day * box.width / 7
        canvas.text(left + box.width / 14, box.top - 16, name, 16, align="center")
        for hour in (0, 6, 12, 18):
            middle = left + (hour + 0.5) * box.width / 168
            canvas.text(middle, box.bottom + 15, str(hour), 13, colour=SOFT, align="center")
    canvas.text(box.left - 12, box.bottom + 15, "hour", 13, colour=SOFT, align="right")


def _colours(strip: Strip, hues: Sequence[str]) -> dict[str, str]:
    """Value -> colour, the commonest first; values beyond the hues, and none at all, are grey."""
    counts = Counter(strip.values)
    named = sorted(
        (value for value in counts if value != strip.nothing),
        key=lambda value: (-counts[value], value),
    )
    colours = dict(zip(named, hues, strict=False))
    colours |= dict.fromkeys(named[len(hues) :], OTHER)
    return colours | ({strip.nothing: FAINT} if strip.nothing in counts else {})


def _strip(
    canvas: Canvas, picture: Overview, strip: Strip, colours: Mapping[str, str], box: Box
) -> None:
    axes = canvas.axes(box)
    cells = np.array([[to_rgb(colours[value])] for value in strip.values])
    axes.imshow(
        _enlarged(cells, box),
        aspect="auto",
        interpolation="none",
        extent=(0, box.width, box.height, 0),
    )
    _separate(axes, picture, box)


def _strip_legend(canvas: Canvas, strip: Strip, colours: Mapping[str, str], middle: float) -> None:
    """What the strip's colours mean, on one line; all greys of the rest together."""
    left = MARGIN + canvas.text(MARGIN, middle, strip.name, 15, bold=True, room=120) + 18
    shown = {value: hue for value, hue in colours.items() if hue != OTHER}
    entries = [*shown.items()]
    if rest := len(colours) - len(shown):
        entries.append((f"{rest:,} more", OTHER))
    room = (RIGHT - left) / len(entries) - 44
    for value, hue in entries:
        canvas.fill(Box(left, middle - 7, 14, 14), hue)
        left += 21 + canvas.text(left + 21, middle, value, 15, colour=SOFT, room=room) + 23


def _names(canvas: Canvas, picture: Overview, scale: Scale, box: Box) -> None:
    """The machines' names; where the rows are too thin for them, what their clusters are."""
    down = box.height / len(picture.values)
    if down < _READABLE:
        for cluster in picture.clusters:
            _cluster_label(canvas, cluster, scale, box, down)
        return
    for row, name in enumerate(picture.labels):
        middle = box.top + (row + 0.5) * down
        size = min(15, down * 0.78)
        canvas.text(box.right, middle, name, size, align="right", room=box.width)


def _cluster_label(canvas: Canvas, cluster: Cluster, scale: Scale, box: Box, down: float) -> None:
    top, bottom = box.top + cluster.start * down, box.top + cluster.stop * down
    middle = (top + bottom) / 2
    detail = f"{counted(cluster.machines, 'machine')}, mean {scale.words(cluster.mean)}"
    if bottom - top >= 40:
        canvas.text(box.right, middle - 10, cluster.rhythm, 15, align="right", room=box.width)
        canvas.text(box.right, middle + 11, detail, 13, colour=SOFT, align="right", room=box.width)
    elif bottom - top >= 12:
        line = f"{cluster.rhythm}, {cluster.machines:,}"
        canvas.text(box.right, middle, line, 12, align="right", room=box.width)


def _means(canvas: Canvas, picture: Overview, scale: Scale, box: Box) -> None:
    """A bar for each row's mean, with its figure where there is room."""
    axes = canvas.axes(box)
    down = box.height / len(picture.values)
    canvas.text(box.left, box.top - 16, "mean", 15, colour=SOFT)
    middles = (np.arange(len(picture.means)) + 0.5) * down
    figures = down >= _READABLE
    lengths = np.minimum(picture.means / scale.top, 1) * (box.width * (0.5 if figures else 1.0))
    thick = min(down * 0.5, 14) if figures else down
    axes.barh(middles, lengths, height=thick, color="#9aa3b0", linewidth=0)
    if figures:
        for middle, length, mean in zip(middles, lengths, picture.means, strict=True):
            size = min(13, down * 0.72)
            at = box.left + length + 6
            canvas.text(at, box.top + middle, scale.bare(float(mean)), size, colour=SOFT)
