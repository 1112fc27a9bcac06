"""Own machines on a slide: what the break-even hangs on, and how soon they pay at which use and
cloud price, with the fleet's own point.

Left, a tornado: a bar that crosses the dashed line of the measured use would turn the answer round.
Right, a map: below the curve own machines never pay within their life, with what going takes.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap
from matplotlib.ticker import FuncFormatter, MaxNLocator

from costopt.optimize.own import (
    Swing,
    break_even,
    cost_per_used_hour,
    months_grid,
    pays_back_from,
)
from costopt.report.heatmap.canvas import Box, Canvas
from costopt.report.heatmap.palette import FAINT, INK, SOFT, STOPS
from costopt.report.heatmap.parts import HEADER, MARGIN, RIGHT, WIDTH, header
from costopt.report.move.own_inputs import WORDS, told
from costopt.report.move.race import Race

_HEIGHT: Final = 900
_LOWER, _HIGHER = "#0077bb", "#ee7733"  # of palette.HUES
_LINE: Final = "#bf3d7b"
_NEVER: Final = "#eceef1"
_POINTS_A_PIXEL: Final = 0.72
MOST: Final = 10
"""Inputs of a tornado: the smaller ones do not matter."""
_STEPS: Final = 480  # of the map, either way
_TOP: Final = HEADER + 62
_BOTTOM: Final = _HEIGHT - 150


def draw(race: Race) -> Canvas:
    """1600 x 900."""
    canvas = Canvas(WIDTH, _HEIGHT)
    first = race.prices[0]
    share = float(break_even(race.own, first.hourly))
    subtitle = f"{race.name} against {race.against}, {first.words}"
    header(canvas, _title(race, share), subtitle, _figures(race, share))
    left = Box(MARGIN + 210, _TOP, 480, _BOTTOM - _TOP)
    right = Box(RIGHT - 600, _TOP, 600, _BOTTOM - _TOP)
    _tornado(canvas, race, share, left)
    _map(canvas, race, right)
    _legend(canvas, race, right)
    return canvas


def _title(race: Race, share: float) -> str:
    if share > 1:
        return "Own machines do not pay, however much they are used"
    if race.used is None:
        return f"Own machines pay from {_percent(share)} use on"
    if race.used >= share and math.isinf(race.month):
        return "Own machines cost less, but never pay for going there"
    verb = "pay" if race.used >= share else "do not pay"
    return f"Own machines {verb} at the measured use"


def _figures(race: Race, share: float) -> list[tuple[str, str]]:
    found = [(_percent(share) if share <= 1 else "over 100 %", "break-even use")]
    if race.used is not None:
        found.append((_percent(race.used), "measured use"))
        when = "never" if math.isinf(race.month) else f"month {race.month:.0f}"
        found.append((when, "paid back"))
    return found


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"


# -- what it hangs on ------------------------------------------------------------------------


def _tornado(canvas: Canvas, race: Race, share: float, box: Box) -> None:
    shown = race.swings[:MOST]
    canvas.text(MARGIN, box.top - 34, "What the break-even hangs on", 20, bold=True)
    if math.isinf(share):
        words = "an hour of the cloud costs less than its power here"
        canvas.text(MARGIN, box.top + 20, words, 16, colour=SOFT)
        return
    axes = _axes(canvas, box)
    axes.set_xlim(*_span(race, share, shown))
    axes.set_ylim(max(len(shown), 1), 0)
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    axes.grid(axis="x", color=FAINT, linewidth=0.8)
    axes.xaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 5, 10]))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{100 * value:.0f} %"))
    pitch = box.height / max(len(shown), 1)
    for row, one in enumerate(shown):
        place = Box(box.left, box.top + row * pitch, box.width, pitch)
        _bar(canvas, axes, one, share, place, row=row)
    axes.axvline(share, color=INK, linewidth=2)
    if race.used is not None:
        axes.axvline(race.used, color=_LINE, linewidth=2, linestyle=(0, (5, 3)))
    canvas.text(
        box.left + box.width / 2, box.bottom + 48, "break-even use", 16, colour=SOFT, align="center"
    )
    _tornado_legend(canvas, race)


def _span(race: Race, share: float, shown: Sequence[Swing]) -> tuple[float, float]:
    """The axis: every end, with room for the figures beside; what is far beyond full use is cut."""
    ends = [end for one in shown for end in (one.at_low, one.at_high)]
    ends += [share] if race.used is None else [share, race.used]
    low, high = min(ends), min(max(ends), _cut(share))
    room = max(0.17 * (high - low), 0.01)
    return low - room, high + room


def _cut(share: float) -> float:
    """Beyond it an end is drawn no further: no machine is used that much."""
    return max(1.3 * share, 1.5)


def _bar(canvas: Canvas, axes: Axes, one: Swing, share: float, box: Box, *, row: int) -> None:
    """One input: its name at the left, a bar to either end, and the figures that make it so."""
    middle = box.top + box.height / 2
    canvas.text(
        box.left - 16, middle, WORDS[one.name], 16, align="right", room=box.left - MARGIN - 16
    )
    low, high = axes.get_xlim()
    ends = sorted([(one.at_low, one.low, _LOWER), (one.at_high, one.high, _HIGHER)])
    for align, (end, value, colour) in zip(("right", "left"), ends, strict=True):
        stop = min(end, _cut(share))
        axes.barh(row + 0.5, stop - share, left=share, height=0.56, color=colour, zorder=2)
        outer = min(stop, share) if align == "right" else max(stop, share)
        at = box.left + (outer - low) / (high - low) * box.width
        words = told(one.name, value) + (" (never)" if math.isinf(end) else "")
        if align == "right":
            canvas.text(at - 8, middle, words, 14, colour=SOFT, align="right")
        else:
            canvas.text(at + 8, middle, words, 14, colour=SOFT)


def _tornado_legend(canvas: Canvas, race: Race) -> None:
    left, middle = float(MARGIN), _HEIGHT - 40
    for colour, words in ((_LOWER, "input at its low"), (_HIGHER, "at its high")):
        canvas.fill(Box(left, middle - 9, 26, 18), colour)
        left += 34 + canvas.text(left + 34, middle, words, 15, colour=SOFT) + 24
    if race.used is not None:
        canvas.text(left, middle, "dashed: measured use", 15, colour=_LINE)


# -- how soon --------------------------------------------------------------------------------


def _map(canvas: Canvas, race: Race, box: Box) -> None:
    wide = canvas.text(box.left - 62, box.top - 34, "How soon own machines pay", 20, bold=True)
    left = box.left - 62 + wide + 16
    words = "with going there; below the line never"
    canvas.text(left, box.top - 34, words, 16, colour=SOFT, room=RIGHT - left)
    low, high = _price_span(race)
    prices = np.linspace(low, high, _STEPS)
    uses = np.linspace(0.005, 1, _STEPS)
    years = np.ceil(months_grid(race.own, prices, uses, race.going) / 12)
    colours = _colours(race)
    axes = _axes(canvas, box)
    axes.set_facecolor(_NEVER)
    axes.imshow(
        np.where(np.isfinite(years), years, np.nan), origin="lower", aspect="auto",
        extent=(low, high, 0, 1), cmap=ListedColormap(colours), vmin=0.5,
        vmax=len(colours) + 0.5, interpolation="nearest", zorder=1,
    )  # fmt: skip
    axes.set_ylim(0, 1)
    axes.set_xlim(low, high)
    edge = pays_back_from(race.own, prices, race.going)
    axes.plot(prices, np.where(edge <= 1, edge, np.nan), color=INK, linewidth=2.2, zorder=3)
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{100 * value:.0f} %"))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,g}"))
    axes.xaxis.set_major_locator(MaxNLocator(6))
    words = f"cloud price of one machine, {race.currency} an hour"
    canvas.text(box.left + box.width / 2, box.bottom + 48, words, 16, colour=SOFT, align="center")
    _marks(canvas, axes, race, box)


def _price_span(race: Race) -> tuple[float, float]:
    """Around every price shown, and the one from which on own machines pay at full use."""
    told = [one.hourly for one in race.prices]
    told += [end for one in race.swings if one.name == "price" for end in (one.low, one.high)]
    told.append(float(cost_per_used_hour(race.own, 1.0)))
    return 0.6 * min(told), 1.2 * max(told)


def _marks(canvas: Canvas, axes: Axes, race: Race, box: Box) -> None:
    """Each price at the measured use; a line from top to bottom where the use is not known."""
    low, high = axes.get_xlim()
    for number, one in enumerate(race.prices):
        x = box.left + (one.hourly - low) / (high - low) * box.width
        words = f"{one.words}, {one.hourly:,.4g}"
        if race.used is None:
            axes.axvline(one.hourly, color=_LINE, linewidth=2, linestyle=(0, (5, 3)), zorder=4)
            _label(canvas, words, x, box.bottom - 28 - 34 * number, box)
            continue
        # labels below one another, away from the nearer edge, each on a line from its point
        away = (-1 if race.used > 0.5 else 1) * (34 + 34 * number)
        axes.plot(
            [one.hourly] * 2, [race.used, race.used + away / box.height], color=INK, linewidth=1.2,
            zorder=4,
        )  # fmt: skip
        axes.plot(
            [one.hourly], [race.used], "o", markersize=15 if number == 0 else 11, color=_LINE,
            markeredgecolor="#ffffff", markeredgewidth=2.5, zorder=5, clip_on=False,
        )  # fmt: skip
        _label(canvas, words, x, box.bottom - race.used * box.height - away, box)


def _label(canvas: Canvas, words: str, x: float, middle: float, box: Box) -> None:
    """On white, so that it is read on any colour."""
    wide = canvas.measured(words, 15, bold=True)
    left = min(max(x - wide / 2, box.left + 8), box.right - wide - 8)
    canvas.fill(Box(left - 7, middle - 13, wide + 14, 26), "#ffffff", alpha=0.92)
    canvas.text(left, middle, words, 15, bold=True)


def _colours(race: Race) -> list[str]:
    """One a year of life, the first year darkest: steps of the heatmaps' ramp."""
    years = max(1, math.ceil(float(np.asarray(race.own.life_years))))
    places = np.linspace(12, 1, years) if years > 1 else np.array([12.0])
    return [STOPS[round(float(place))] for place in places]


def _legend(canvas: Canvas, race: Race, box: Box) -> None:
    left, middle = box.left - 62, _HEIGHT - 40
    colours = _colours(race)
    shown = [(colour, str(year)) for year, colour in enumerate(colours, start=1)]
    left += canvas.text(left, middle, "paid back in year", 15, colour=SOFT) + 12
    for colour, words in shown:
        canvas.fill(Box(left, middle - 9, 22, 18), colour)
        left += 28 + canvas.text(left + 28, middle, words, 15, colour=SOFT) + 12
    canvas.fill(Box(left + 4, middle - 9, 22, 18), _NEVER)
    canvas.text(left + 32, middle, "never", 15, colour=SOFT)


def _axes(canvas: Canvas, box: Box) -> Axes:
    axes = canvas.axes(box)
    axes.set_axis_on()
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        axes.spines[side].set_color(FAINT)
    axes.tick_params(colors=SOFT, labelsize=15 * _POINTS_A_PIXEL, length=0, pad=6)
    axes.set_axisbelow(True)
    return axes
