"""A backtest on a slide: what methods save at how many rollbacks, and whether risks come true."""

from __future__ import annotations

from typing import Final

from costopt.backtest.result import Backtest, Calibration
from costopt.report.backtest import words
from costopt.report.backtest.frontier import draw_frontier, drawable, frontier_legend
from costopt.report.backtest.reliability import draw_reliability
from costopt.report.heatmap.canvas import Box, Canvas
from costopt.report.heatmap.palette import INK, SOFT
from costopt.report.heatmap.parts import HEADER, MARGIN, RIGHT, WIDTH, header
from costopt.units import counted

_HEIGHT: Final = 900
_LEFT: Final = MARGIN + 42  # of the axes; before it the ticks' figures
_SQUARE: Final = 436  # of the calibration
_BETWEEN: Final = 116
_LEGEND: Final = 290  # from the axes' left, beside the caption above them
_TOP: Final = HEADER + 70
_BOTTOM: Final = _HEIGHT - 76


def draw(result: Backtest) -> Canvas:
    """1600 x 900; without a calibration the savings have the whole width."""
    canvas = Canvas(WIDTH, _HEIGHT)
    told = result.calibration if result.calibration and result.calibration.bins else None
    _header(canvas, result)
    right = RIGHT - (_SQUARE + _BETWEEN if told else 0)
    _title(canvas, _LEFT, "Savings and rollbacks", "up and to the left is better", right)
    box = Box(_LEFT, _TOP, right - _LEFT, _BOTTOM - _TOP)
    if drawable(result.scores):
        draw_frontier(canvas, box, result.scores)
        frontier_legend(canvas, _LEFT + _LEGEND, box.top - 20)
    if told:
        _calibration(canvas, told)
    return canvas


def _header(canvas: Canvas, result: Backtest) -> None:
    ours = words.ours(result)
    figures = (
        [
            (words.percent(ours.net.value), "net saving"),
            (words.percent(ours.rolled_back.value), "rolled back"),
        ]
        if ours
        else []
    )
    header(canvas, words.headline(result), words.subtitle(result), figures)


def _calibration(canvas: Canvas, told: Calibration) -> None:
    left = RIGHT - _SQUARE
    error = words.points(told.expected_error)
    _title(canvas, left, f"Risks off by {error} points", "on average", RIGHT)
    box = Box(left, _TOP, _SQUARE, _SQUARE)
    draw_reliability(canvas, box, told)
    most = max(bin_.count for bin_ in told.bins)
    lines = (
        "On the dashed line: what was predicted happened.",
        "Above it costopt was too bold, below it too careful.",
        f"A dot's area is how many cases: at most {counted(most, 'case')}.",
        "Thin lines: where the share may lie, 95 %.",
    )
    for number, line in enumerate(lines):
        canvas.text(left, box.bottom + 92 + 26 * number, line, 15, colour=SOFT, room=_SQUARE)


def _title(canvas: Canvas, left: float, text: str, rest: str, right: float) -> None:
    wide = canvas.text(left, HEADER + 10, text, 20, colour=INK, bold=True)
    canvas.text(left + wide + 14, HEADER + 10, rest, 15, colour=SOFT, room=right - left - wide - 14)
