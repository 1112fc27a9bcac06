"""Coverage on a slide: hours of the year sorted by demand, bands of what is held and to be bought,
and the line from which on a commitment loses.

A unit at some height is used in as many hours as the curve there is wide. It pays while that is
more than its price is of the price on demand: left of the break-even line it would lose, so the
best commitment ends where curve and line meet.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator, StrMethodFormatter

from costopt.report.heatmap.canvas import Box, Canvas
from costopt.report.heatmap.palette import FAINT, INK, SOFT
from costopt.report.heatmap.parts import HEADER, MARGIN, RIGHT, WIDTH, header
from costopt.rules.commit import Curve
from costopt.units import HOURS_PER_MONTH, counted

_HEIGHT: Final = 900
MOST: Final = 4
"""Providers of one picture."""
_HELD, _BOUGHT, _OPEN = "#44546a", "#009988", "#d9e9f4"  # of palette.HUES, and a pale blue
_UNUSED: Final = "#ee7733"
_LINE: Final = "#bf3d7b"
_YEAR: Final = 8760
_POINTS_A_PIXEL: Final = 0.72
_BOTTOM: Final = 110


def draw(curves: Sequence[Curve]) -> Canvas:
    """1600 x 900: the largest `MOST` providers with something held or a known price."""
    known = [one for one in curves if _mean(one) > 0]
    shown = sorted(known, key=lambda one: (-_mean(one), one.provider))[:MOST]
    canvas = Canvas(WIDTH, _HEIGHT)
    hidden = len(curves) - len(shown)
    more = f"; {counted(hidden, 'provider')} not shown" if hidden else ""
    saved = sum(one.saving for one in shown)
    currency = shown[0].currency if shown else ""
    figures = [(f"{saved * HOURS_PER_MONTH:,.0f} {currency}", "saved a month")] if saved else []
    subtitle = f"hours of the year sorted by demand, at the price on demand{more}"
    header(canvas, "Demand that commitments cover, or could", subtitle, figures)
    for one, box in zip(shown, _boxes(len(shown)), strict=True):
        _panel(canvas, one, box)
    _legend(canvas)
    return canvas


def _mean(one: Curve) -> float:
    return float(np.nanmean(one.demand)) if len(one.demand) else 0.0


def _boxes(count: int) -> list[Box]:
    """One large, two beside one another, or a grid of four."""
    across, down = (1 if count < 2 else 2), (1 if count < 3 else 2)
    wide = (RIGHT - MARGIN - 60 - (across - 1) * 110) / across
    high = (_HEIGHT - HEADER - _BOTTOM - down * 92) / down
    return [
        Box(
            MARGIN + 60 + (place % across) * (wide + 110),
            HEADER + 40 + (place // across) * (high + 92),
            wide,
            high,
        )
        for place in range(count)
    ]


def _panel(canvas: Canvas, one: Curve, box: Box) -> None:
    demand = np.sort(one.demand[~np.isnan(one.demand)])[::-1]
    hours = np.linspace(0, _YEAR, len(demand) + 1)
    steps = np.append(demand, demand[-1:])
    top = max(float(demand.max(initial=0.0)), one.held + one.bought, 1e-9) * 1.1
    axes = _axes(canvas, box, top)
    _bands(axes, one, hours, steps)
    axes.step(hours, steps, where="post", color=INK, linewidth=2)
    weeks = counted(round(len(one.demand) / 168), "week")
    beside = f"; {one.unpriced:.3g} more has no known price" if one.unpriced > 0.005 else ""
    wide = canvas.text(box.left, box.top - 24, one.provider, 20, bold=True)
    canvas.text(
        box.left + wide + 14,
        box.top - 24,
        f"{one.currency} an hour, by {weeks} of bill{beside}",
        15,
        colour=SOFT,
        room=box.width - wide - 14,
    )
    if not math.isnan(one.break_even):
        _break_even(canvas, axes, one, box)


def _axes(canvas: Canvas, box: Box, top: float) -> Axes:
    axes = canvas.axes(box)
    axes.set_axis_on()
    axes.set_xlim(0, _YEAR)
    axes.set_ylim(0, top)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        axes.spines[side].set_color(FAINT)
    axes.yaxis.set_major_locator(MaxNLocator(5))
    axes.yaxis.set_major_formatter(StrMethodFormatter("{x:,g}"))
    axes.set_xticks([0, 2190, 4380, 6570, _YEAR])
    axes.set_xticklabels(["0 h", "2,190", "4,380", "6,570", "8,760 h"])
    axes.tick_params(colors=SOFT, labelsize=15 * _POINTS_A_PIXEL, length=0, pad=6)
    axes.grid(axis="y", color=FAINT, linewidth=0.8)
    axes.set_axisbelow(True)
    return axes


def _bands(axes: Axes, one: Curve, hours: Any, steps: Any) -> None:
    held, both = one.held, one.held + one.bought
    style: dict[str, Any] = {"step": "post", "linewidth": 0}
    axes.fill_between(hours, np.minimum(steps, both), steps, color=_OPEN, **style)
    axes.fill_between(
        hours, np.minimum(steps, held), np.minimum(steps, both), color=_BOUGHT, **style
    )
    axes.fill_between(hours, 0, np.minimum(steps, held), color=_HELD, **style)
    axes.fill_between(
        hours, steps, np.maximum(steps, both), facecolor="none", edgecolor=_UNUSED,
        hatch="////", **style,
    )  # fmt: skip


def _break_even(canvas: Canvas, axes: Axes, one: Curve, box: Box) -> None:
    at = one.break_even * _YEAR
    axes.axvline(at, color=_LINE, linewidth=2, linestyle=(0, (5, 3)))
    x = box.left + one.break_even * box.width
    text = f"pays from {at:,.0f} h ({100 * one.break_even:.0f} %)"
    canvas.text(x - 8, box.top + 10, text, 15, colour=_LINE, align="right", room=x - box.left)


def _legend(canvas: Canvas) -> None:
    left, middle = float(MARGIN), _HEIGHT - 34
    for colour, words, style in (
        (_HELD, "held", {}),
        (_BOUGHT, "to be bought", {}),
        (_OPEN, "stays on demand", {}),
        ("none", "paid for and not used", {"hatch": "////", "edgecolor": _UNUSED}),
    ):
        canvas.fill(Box(left, middle - 9, 26, 18), colour, **style)
        left += 34 + canvas.text(left + 34, middle, words, 15, colour=SOFT) + 28
    canvas.text(
        left, middle, "dashed: a unit used in fewer hours loses", 15, colour=_LINE,
        room=RIGHT - left,
    )  # fmt: skip
