"""Commitments on a slide: a bar for each provider's bill, each purchase by the hours of its use.

In a purchase's panel the hours of its history stand sorted by the demand that it finds, beside the
other purchases and what is held. A unit at some height is used in as many hours as the curve there
is wide, and pays while that is more than its price is of the price on demand: the best purchase on
that history ends where curve and dashed line meet, and what is to be bought ends lower, by caution.
Hatched is what would have been paid for and not used: as large as the words say.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator, StrMethodFormatter

from costopt.report.commitment.bars import BOUGHT, OPEN, UNUSED, bars, figure, legend
from costopt.report.heatmap.canvas import Box, Canvas
from costopt.report.heatmap.palette import FAINT, INK, SOFT
from costopt.report.heatmap.parts import HEADER, MARGIN, RIGHT, WIDTH, header
from costopt.rules.commit.curves import Curve, DealCurve
from costopt.units import HOURS_PER_MONTH, counted

_HEIGHT: Final = 900
MOST: Final = 4
"""Providers, and purchases, of one picture."""
_LINE: Final = "#bf3d7b"
_YEAR: Final = 8760
_POINTS_A_PIXEL: Final = 0.72
_BOTTOM: Final = 96
_ABOVE: Final = 78  # of a panel: its words


def draw(curves: Sequence[Curve]) -> Canvas:
    """1600 x 900: the largest `MOST` providers with something held or a known price, and the `MOST`
    purchases that save most."""
    curves = [one for one in curves if one.held + one.idle + one.bought + one.open > 0]
    shown = sorted(curves, key=lambda one: (-one.total, one.provider))[:MOST]
    deals = sorted(
        ((one, deal) for one in curves for deal in one.deals),
        key=lambda pair: (-pair[1].saving, pair[1].label),
    )
    canvas = Canvas(WIDTH, _HEIGHT)
    _head(canvas, curves, len(curves) - len(shown), deals)
    top = bars(canvas, shown, HEADER + 6)
    drawn = deals[:MOST]
    for (curve, deal), box in zip(drawn, _boxes(len(drawn), top + 14), strict=True):
        _panel(canvas, deal, curve, box)
    if not deals:
        canvas.text(MARGIN, top + 60, "Nothing to buy.", 24, colour=SOFT)
    _foot(canvas, shown, bool(deals))
    return canvas


def _head(
    canvas: Canvas,
    curves: Sequence[Curve],
    hidden: int,
    deals: Sequence[tuple[Curve, DealCurve]],
) -> None:
    currency = curves[0].currency if curves else ""
    saved = sum(deal.saving for _, deal in deals)
    figures = [(f"{saved * HOURS_PER_MONTH:,.0f} {currency}", "saved a month")] if saved else []
    more = f"; {counted(hidden, 'provider')} not shown" if hidden else ""
    if (beyond := len(deals) - MOST) > 0:
        more += f"; {counted(beyond, 'smaller purchase')} not drawn"
    subtitle = f"{currency} an hour at the price on demand; hours of a year by demand{more}"
    header(canvas, "What commitments cover, and could", subtitle.strip(), figures)


def _boxes(count: int, top: float) -> list[Box]:
    """One large, two beside one another, or a grid of four."""
    across, down = (1 if count < 2 else 2), (1 if count < 3 else 2)
    wide = (RIGHT - MARGIN - 50 - (across - 1) * 90) / across
    high = (_HEIGHT - top - _BOTTOM - down * (_ABOVE + 26)) / down
    return [
        Box(
            MARGIN + 50 + (place % across) * (wide + 90),
            top + _ABOVE + (place // across) * (high + _ABOVE + 26),
            wide,
            high,
        )
        for place in range(count)
    ]


def _panel(canvas: Canvas, one: DealCurve, curve: Curve, box: Box) -> None:
    demand = np.sort(one.demand[~np.isnan(one.demand)])[::-1]
    hours = np.linspace(0, _YEAR, len(demand) + 1)
    steps = np.append(demand, demand[-1:])
    top = max(float(demand.max(initial=0.0)), one.bought, 1e-9) * 1.12
    axes = _axes(canvas, box, top)
    _bands(axes, one.bought, hours, steps)
    axes.step(hours, steps, where="post", color=INK, linewidth=1.6)
    axes.axhline(one.bought, color=BOUGHT, linewidth=1.6)
    axes.axvline(one.break_even * _YEAR, color=_LINE, linewidth=1.8, linestyle=(0, (5, 3)))
    if one.best <= top:
        axes.plot([one.break_even * _YEAR], [one.best], "o", color=_LINE, markersize=6)
    _words(canvas, one, curve, box)


def _words(canvas: Canvas, one: DealCurve, curve: Curve, box: Box) -> None:
    saved = f"{one.saving * HOURS_PER_MONTH:,.0f} {curve.currency} a month"
    wide = canvas.measured(saved, 18, bold=True)
    name = f"{curve.provider}: {one.label}"
    left = box.left - 50
    canvas.text(left, box.top - 58, name, 18, bold=True, room=box.right - left - wide - 20)
    canvas.text(box.right, box.top - 58, saved, 18, colour=BOUGHT, bold=True, align="right")
    mean = float(np.nanmean(one.demand))
    told = (
        f"up to {figure(one.bought)} of {figure(mean)} on the mean, used "
        f"{100 * one.utilisation:.3g} %; pays from {one.break_even * _YEAR:,.0f} h a year "
        f"({100 * one.break_even:.0f} %)"
    )
    canvas.text(left, box.top - 30, told, 15, colour=SOFT, room=box.right - left)


def _axes(canvas: Canvas, box: Box, top: float) -> Axes:
    axes = canvas.axes(box)
    axes.set_axis_on()
    axes.set_xlim(0, _YEAR)
    axes.set_ylim(0, top)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        axes.spines[side].set_color(FAINT)
    axes.yaxis.set_major_locator(MaxNLocator(4))
    axes.yaxis.set_major_formatter(StrMethodFormatter("{x:,g}"))
    axes.set_xticks([0, 2190, 4380, 6570, _YEAR])
    labels = axes.set_xticklabels(["0 h", "2,190", "4,380", "6,570", "8,760 h"])
    labels[-1].set_horizontalalignment("right")
    axes.tick_params(colors=SOFT, labelsize=14 * _POINTS_A_PIXEL, length=0, pad=5)
    axes.grid(axis="y", color=FAINT, linewidth=0.8)
    axes.set_axisbelow(True)
    return axes


def _bands(axes: Axes, bought: float, hours: Any, steps: Any) -> None:
    style: dict[str, Any] = {"step": "post", "linewidth": 0}
    axes.fill_between(hours, np.minimum(steps, bought), steps, color=OPEN, **style)
    axes.fill_between(hours, 0, np.minimum(steps, bought), color=BOUGHT, **style)
    axes.fill_between(
        hours, steps, np.maximum(steps, bought), facecolor="none", edgecolor=UNUSED,
        hatch="////", **style,
    )  # fmt: skip


def _foot(canvas: Canvas, shown: Sequence[Curve], panels: bool) -> None:
    middle = _HEIGHT - 30
    left = legend(canvas, shown, middle)
    if not panels:
        return
    canvas.fill(Box(left, middle - 9, 26, 18), "none", hatch="////", edgecolor=UNUSED)
    left += 34 + canvas.text(left + 34, middle, "paid for, not used", 15, colour=SOFT) + 26
    words = "dashed: loses if used less; dot: best so far"
    canvas.text(left, middle, words, 15, colour=_LINE, room=RIGHT - left)
