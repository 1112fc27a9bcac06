"""A backtest for people and programs: table, JSON, CSV, and a picture for a slide.

The same backtest gives the same bytes. Matplotlib is loaded when a picture is drawn, not before.
"""

from __future__ import annotations

from costopt.backtest.result import Backtest
from costopt.report.backtest.csv import as_csv
from costopt.report.backtest.json import as_json, listed_as_json, schema
from costopt.report.backtest.text import WIDTH, as_text, listed

__all__ = [
    "WIDTH",
    "as_csv",
    "as_json",
    "as_png",
    "as_svg",
    "as_text",
    "listed",
    "listed_as_json",
    "schema",
]


def as_png(result: Backtest) -> bytes:
    """Savings against rollbacks, and predicted risks against what happened, as PNG."""
    from costopt.report.backtest.picture import draw
    from costopt.report.heatmap.canvas import png

    return png(lambda: draw(result))


def as_svg(result: Backtest) -> bytes:
    """The same as SVG, with its text as text."""
    from costopt.report.backtest.picture import draw
    from costopt.report.heatmap.canvas import svg

    return svg(lambda: draw(result))
