"""Schedules for people: a table, Markdown, one week's story, and demand against the plan drawn.

Pictures are PNG or SVG, 1600 pixels wide. The same week gives the same bytes. Matplotlib is loaded
when a picture is drawn, not before.
"""

from __future__ import annotations

from collections.abc import Sequence

from costopt.report.schedule.data import Week, week_of
from costopt.report.schedule.markdown import render as as_markdown
from costopt.report.schedule.story import render as story
from costopt.report.schedule.text import WIDTH
from costopt.report.schedule.text import render as as_text

__all__ = ["WIDTH", "Week", "as_markdown", "as_png", "as_svg", "as_text", "story", "week_of"]


def as_png(weeks: Sequence[Week]) -> bytes:
    """One week on a slide, or several below one another, as PNG; at least one."""
    from costopt.report.heatmap.canvas import png
    from costopt.report.schedule.picture import draw

    return png(lambda: draw(weeks))


def as_svg(weeks: Sequence[Week]) -> bytes:
    """The same as SVG with its text as text."""
    from costopt.report.heatmap.canvas import svg
    from costopt.report.schedule.picture import draw

    return svg(lambda: draw(weeks))
