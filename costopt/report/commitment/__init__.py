"""Commitments for people: the page, one purchase's story, the coverage curve as a picture."""

from __future__ import annotations

from collections.abc import Sequence

from costopt.report.commitment.story import known, story
from costopt.report.commitment.text import render
from costopt.rules.commit.curves import Curve

__all__ = ["coverage_png", "coverage_svg", "known", "render", "story"]


def coverage_png(curves: Sequence[Curve]) -> bytes:
    """What is held, to be bought and stays on demand, purchase by purchase, 1600 x 900, as PNG."""
    from costopt.report.commitment.picture import draw
    from costopt.report.heatmap.canvas import png

    return png(lambda: draw(curves))


def coverage_svg(curves: Sequence[Curve]) -> bytes:
    """The same as SVG with its text as text."""
    from costopt.report.commitment.picture import draw
    from costopt.report.heatmap.canvas import svg

    return svg(lambda: draw(curves))
