"""Heatmaps for people: pictures for a slide, text for a terminal, figures for programs.

Pictures are PNG or SVG, 1600 pixels wide and about 900 high. The same heatmap gives the same
bytes. Matplotlib is loaded when a picture is drawn, not before.

Percentages are coloured from 0 to 100; with `fit`, from 0 to a round figure above the highest.
"""

from __future__ import annotations

from collections.abc import Sequence

from costopt.profile.heatmap import Overview, WeekMap
from costopt.report.heatmap.data import overview_csv, overview_json, weeks_csv, weeks_json
from costopt.report.heatmap.text import overview_text, week_text

__all__ = [
    "overview_csv",
    "overview_json",
    "overview_png",
    "overview_svg",
    "overview_text",
    "week_png",
    "week_svg",
    "week_text",
    "weeks_csv",
    "weeks_json",
    "weeks_png",
    "weeks_svg",
]


def week_png(week: WeekMap, *, fit: bool = False) -> bytes:
    """One week, 7 x 24, as PNG."""
    from costopt.report.heatmap.canvas import png
    from costopt.report.heatmap.week import draw_week

    return png(lambda: draw_week(week, fit=fit))


def week_svg(week: WeekMap, *, fit: bool = False) -> bytes:
    """One week, 7 x 24, as SVG with its text as text."""
    from costopt.report.heatmap.canvas import svg
    from costopt.report.heatmap.week import draw_week

    return svg(lambda: draw_week(week, fit=fit))


def weeks_png(weeks: Sequence[WeekMap], *, fit: bool = False) -> bytes:
    """The first nine of several groups' weeks beside one another on one scale, as PNG."""
    from costopt.report.heatmap.canvas import png
    from costopt.report.heatmap.week import draw_weeks

    return png(lambda: draw_weeks(weeks, fit=fit))


def weeks_svg(weeks: Sequence[WeekMap], *, fit: bool = False) -> bytes:
    """The first nine of several groups' weeks beside one another on one scale, as SVG."""
    from costopt.report.heatmap.canvas import svg
    from costopt.report.heatmap.week import draw_weeks

    return svg(lambda: draw_weeks(weeks, fit=fit))


def overview_png(overview: Overview, *, fit: bool = False) -> bytes:
    """The whole fleet, look-alikes together, as PNG."""
    from costopt.report.heatmap.canvas import png
    from costopt.report.heatmap.overview import draw_overview

    return png(lambda: draw_overview(overview, fit=fit))


def overview_svg(overview: Overview, *, fit: bool = False) -> bytes:
    """The whole fleet, look-alikes together, as SVG with its text as text."""
    from costopt.report.heatmap.canvas import svg
    from costopt.report.heatmap.overview import draw_overview

    return svg(lambda: draw_overview(overview, fit=fit))
