"""Predicted risks against what happened: dots on the diagonal mean that a risk can be believed."""

from __future__ import annotations

from math import sqrt
from typing import Final

from costopt.backtest.result import Calibration
from costopt.report.backtest.panel import OURS, Panel, Range
from costopt.report.heatmap.canvas import Box, Canvas
from costopt.report.heatmap.palette import OTHER

_LARGEST, _SMALLEST = 17.0, 3.5  # radii in pixels
_WHOLE: Final = Range(0.0, 100.0, (0.0, 20.0, 40.0, 60.0, 80.0, 100.0))


def draw_reliability(canvas: Canvas, box: Box, of: Calibration) -> None:
    """The panel: a dot a bin, its area as its count, on the 95 % range of what happened."""
    panel = Panel(canvas, box, _WHOLE, _WHOLE)
    panel.grid("risk that costopt predicted, %", "of those, rolled back in fact, %")
    panel.line([(0, 0), (100, 100)], OTHER, 2.0, dashes=(4, 3))
    most = max(bin_.count for bin_ in of.bins)
    for bin_ in of.bins:
        x, seen = bin_.predicted * 100, bin_.interval
        panel.line([(x, seen.low * 100), (x, seen.high * 100)], OURS, 1.2, alpha=0.7)
        radius = max(_SMALLEST, _LARGEST * sqrt(bin_.count / most))
        panel.dot(x, bin_.observed * 100, radius, OURS, alpha=0.8)
