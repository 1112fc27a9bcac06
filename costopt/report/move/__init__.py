"""Moves for people: the page, one group's story, pictures."""

from __future__ import annotations

from costopt.report.move.markdown import as_markdown
from costopt.report.move.own_pages import own_markdown, own_section
from costopt.report.move.own_race import own_race
from costopt.report.move.own_story import own_story
from costopt.report.move.race import CloudPrice, Race
from costopt.report.move.rows import first
from costopt.report.move.spending import Spending, spending
from costopt.report.move.story import meanings, story
from costopt.report.move.text import render

__all__ = [
    "CloudPrice",
    "Race",
    "as_markdown",
    "first",
    "meanings",
    "own_markdown",
    "own_png",
    "own_race",
    "own_section",
    "own_story",
    "own_svg",
    "render",
    "spending",
    "spending_png",
    "spending_svg",
    "story",
]


def own_png(race: Race) -> bytes:
    """Own machines against the cloud, 1600 x 900, as PNG."""
    from costopt.report.heatmap.canvas import png
    from costopt.report.move.own_picture import draw

    return png(lambda: draw(race))


def own_svg(race: Race) -> bytes:
    """The same as SVG with its text as text."""
    from costopt.report.heatmap.canvas import svg
    from costopt.report.move.own_picture import draw

    return svg(lambda: draw(race))


def spending_png(found: Spending) -> bytes:
    """Spend by provider and region, once the plan is done and with the moves, as PNG 1600 wide."""
    from costopt.report.heatmap.canvas import png
    from costopt.report.move.picture import draw

    return png(lambda: draw(found))


def spending_svg(found: Spending) -> bytes:
    """The same as SVG with its text as text."""
    from costopt.report.heatmap.canvas import svg
    from costopt.report.move.picture import draw

    return svg(lambda: draw(found))
