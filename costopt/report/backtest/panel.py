"""A plane with two axes in percent on the canvas: grid, ticks, captions, dots and lines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import copysign, sqrt
from typing import Any, Final

from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from costopt.report.backtest.labels import Line, Spot
from costopt.report.backtest.words import MINUS
from costopt.report.heatmap.canvas import Box, Canvas
from costopt.report.heatmap.palette import FAINT, SOFT

OURS: Final = "#0077bb"  # P. Tol's "bright" blue (see palette.HUES): 4.9:1 on white
THEIRS: Final = "#7c8593"
_POINTS_A_PIXEL: Final = 0.72  # 100 pixels and 72 points an inch
_ROOT_TICKS: Final = (0.0, 1.0, 5.0, 10.0, 20.0, 40.0, 70.0, 100.0)
_ROOT_LEFT, _ROOT_RIGHT = 0.13, 0.05  # beyond a square-root axis: left of 0 stand names


@dataclass(frozen=True, slots=True)
class Range:
    """What an axis shows, in percent, and its ticks."""

    low: float
    high: float
    ticks: tuple[float, ...]
    root: bool = False  # by square roots: what lies near 0 is drawn apart

    def share(self, value: float) -> float:
        """Where on the axis it stands, 0..1."""
        low = self._place(self.low)
        return (self._place(value) - low) / (self._place(self.high) - low)

    def _place(self, value: float) -> float:
        return copysign(sqrt(abs(value)), value) if self.root else value


def range_of(values: Sequence[float], *, least: float, parts: int) -> Range:
    """From below the smallest to above the largest, at least `least` wide, with round ticks."""
    low, high = min(values), max(values)
    pad = max((high - low) * 0.07, (least - (high - low)) / 2)
    low, high = low - pad, high + pad
    ticks = MaxNLocator(parts, steps=[1, 2, 2.5, 5, 10]).tick_values(low, high)
    return Range(low, high, tuple(float(tick) for tick in ticks if low <= tick <= high))


def root_range_of(values: Sequence[float], *, least: float) -> Range:
    """From 0 to the largest, or to `least`, by square roots; values are 0 or more."""
    wide = sqrt(max(least, *values))
    low, high = -((_ROOT_LEFT * wide) ** 2), ((1 + _ROOT_RIGHT) * wide) ** 2
    return Range(low, high, tuple(tick for tick in _ROOT_TICKS if tick <= high), root=True)


class Panel:
    """A box of the canvas in which figures have places."""

    def __init__(self, canvas: Canvas, box: Box, across: Range, up: Range) -> None:
        self.canvas, self.box, self.across, self.up = canvas, box, across, up
        self.axes: Axes = canvas.axes(box)

    def spot(self, x: float, y: float) -> Spot:
        """Where that point is, in pixels of the canvas."""
        return Spot(
            self.box.left + self.across.share(x) * self.box.width,
            self.box.bottom - self.up.share(y) * self.box.height,
        )

    def grid(self, x_caption: str, y_caption: str) -> None:
        """Lines at the ticks with their figures, and what the axes are."""
        for tick in self.up.ticks:
            across = [(self.across.low, tick), (self.across.high, tick)]
            self.line(across, FAINT, _weight(tick), zorder=0)
            at = self.spot(self.across.low, tick)
            self.canvas.text(at.x - 10, at.y, _figure(tick), 15, colour=SOFT, align="right")
        for tick in self.across.ticks:
            upwards = [(tick, self.up.low), (tick, self.up.high)]
            self.line(upwards, FAINT, _weight(tick), zorder=0)
            at = self.spot(tick, self.up.low)
            self.canvas.text(at.x, at.y + 17, _figure(tick), 15, colour=SOFT, align="center")
        self.canvas.text(self.box.left, self.box.top - 20, y_caption, 15, colour=SOFT)
        self.canvas.text(
            self.box.right, self.box.bottom + 43, x_caption, 15, colour=SOFT, align="right"
        )

    def line(
        self, points: Sequence[tuple[float, float]], colour: str, width: float, **style: Any
    ) -> None:
        """A line through points in percent, `width` pixels thick; dots lie over lines."""
        spots = [self._inside(self.spot(*point)) for point in points]
        self.axes.plot(*zip(*spots, strict=True), color=colour, lw=width * _POINTS_A_PIXEL, **style)

    def pixel_line(self, line: Line, colour: str, width: float) -> None:
        """A line between two places of the canvas."""
        spots = [self._inside(spot) for spot in line]
        self.axes.plot(*zip(*spots, strict=True), color=colour, lw=width * _POINTS_A_PIXEL)

    def dot(self, x: float, y: float, radius: float, colour: str, **style: Any) -> None:
        """A dot with a white rim; `radius` in pixels."""
        at = self._inside(self.spot(x, y))
        size = (2 * radius * _POINTS_A_PIXEL) ** 2
        look = {"edgecolors": "white", "linewidths": 1.0, "clip_on": False, "zorder": 4, **style}
        self.axes.scatter([at.x], [at.y], s=size, color=colour, **look)

    def _inside(self, spot: Spot) -> Spot:
        return Spot(spot.x - self.box.left, spot.y - self.box.top)


def _weight(tick: float) -> float:
    return 2.0 if tick == 0 else 1.0


def _figure(tick: float) -> str:
    return f"{tick:g}".replace("-", MINUS)
