"""Demand of the past weeks against the planned capacity, Monday to Sunday, on a slide."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from costopt.model.week import WEEKDAYS
from costopt.report import words
from costopt.report.heatmap.canvas import Box, Canvas
from costopt.report.heatmap.palette import FAINT, INK, NO_DATA, SOFT, STOPS
from costopt.report.heatmap.parts import HEADER, MARGIN, RIGHT, WIDTH, header
from costopt.report.schedule import words as said
from costopt.report.schedule.data import Array, Week
from costopt.units import cents, counted

MOST: Final = 5
"""Weeks of one picture: more are not read on a slide."""
_HEIGHT: Final = 720
_PLAN, _PLANNED = "#0077bb", "#d9e9f4"  # P. Tol's "bright" blue (palette.HUES), and its tint
_USUAL, _HIGH, _PEAK = STOPS[6], STOPS[2], STOPS[11]
"""Of the heatmaps' ramp: ink is demand."""
_POINTS_A_PIXEL: Final = 0.72
_LEFT: Final = MARGIN + 46  # of the axes; before it the ticks' figures
_ABOVE: Final = 1.06  # of the highest line, what an axis shows
_PANEL, _BETWEEN = 150, 84
_LINE: Final = 26  # of the legend
_LONGEST, _LONGEST_OF_SEVERAL = 90, 64  # characters of a subtitle that are surely seen whole
_DOTTED, _DASHED = (0, (1, 1.5)), (0, (5, 4))
_REFUSED: Final = (0, (4, 2))


def draw(weeks: Sequence[Week]) -> Canvas:
    """1600 x 720 for one week; for several 1600 wide, the first five below one another."""
    return _one(weeks[0]) if len(weeks) == 1 else _several(weeks)


def _one(week: Week) -> Canvas:
    canvas = Canvas(WIDTH, _HEIGHT)
    header(canvas, week.name, _subtitle(week), _figures(week))
    box = Box(_LEFT, HEADER + 34, RIGHT - _LEFT, _HEIGHT - HEADER - 34 - 130)
    canvas.text(MARGIN, box.top - 26, _axis(week), 15, colour=SOFT)
    _panel(canvas, week, box, hours=True)
    _legend(canvas, [week], box.bottom + 74)
    foot = said.dates(week.plan)
    if foot:
        canvas.text(
            MARGIN, canvas.height - 28, f"But: {foot}", 15, colour=SOFT, room=RIGHT - MARGIN
        )
    return canvas


def _several(weeks: Sequence[Week]) -> Canvas:
    shown, hidden = weeks[:MOST], len(weeks) - MOST
    canvas = Canvas(WIDTH, HEADER + len(shown) * (_PANEL + _BETWEEN) + 86)
    more = f"; {counted(hidden, 'smaller one')} not shown" if hidden > 0 else ""
    told = f"{counted(len(weeks), 'resource')}, each on its own clock{more}"
    header(canvas, "Demand against the plan, Monday to Sunday", told)
    for number, week in enumerate(shown):
        top = HEADER + number * (_PANEL + _BETWEEN) + 30
        box = Box(_LEFT, top, RIGHT - _LEFT, _PANEL)
        figures = ", ".join(f"{value} {what}" for value, what in _figures(week))
        wide = canvas.text(RIGHT, top - 22, figures, 15, align="right")
        wide = RIGHT - wide - 24 - MARGIN
        used = canvas.text(MARGIN, top - 22, week.name, 18, bold=True, room=wide * 0.45)
        rest = wide - used - 14
        subtitle = _subtitle(week, _LONGEST_OF_SEVERAL)
        canvas.text(MARGIN + used + 14, top - 22, subtitle, 15, colour=SOFT, room=rest)
        _panel(canvas, week, box, hours=False)
    _legend(canvas, shown, canvas.height - 24 - 2 * _LINE)
    return canvas


def _subtitle(week: Week, longest: int = _LONGEST) -> str:
    """When it runs; where that is too long for the line, how much, for the picture shows when."""
    if week.advice is None:
        return f"not advised: {said.refused(week)}"
    weeks = f"from {counted(week.found.weeks, 'whole week')}"
    told = f"{said.when(week.plan)}, {weeks}"
    if len(told) <= longest:
        return told
    least, most = min(week.plan.levels), max(week.plan.levels)
    size = "on at times" if week.replicas is None else f"{least:,} to {most:,} replicas"
    return f"{size} ({week.plan.time_zone}), {weeks}"


def _figures(week: Week) -> list[tuple[str, str]]:
    if week.advice is None:
        return []
    saving, currency = week.advice.estimated_monthly_savings, week.advice.currency
    money = (words.amount(saving.target), f"{currency} a month saved")
    if not cents(saving.target) and week.advice.stranded_commitment:
        money = (f"≤ {words.amount(saving.high)}", f"{currency} a month, once uncommitted")
    return [
        (said.hours_off(week.advice), "off a week"),
        (said.missed(week.advice), "of held-out hours missed"),
        money,
    ]


def _axis(week: Week) -> str:
    if week.replicas is None:
        return "share of the past weeks"
    kind = words.machine(week.found.case.replica or week.found.case.current)
    return f"replicas ({kind})"


# -- one week --------------------------------------------------------------------------------


def _panel(canvas: Canvas, week: Week, box: Box, *, hours: bool) -> None:
    """The week over the box: x in slots, y in replicas."""
    slots = len(week.plan.levels)
    group = week.replicas is not None
    highest = max(float(np.nanmax(week.most, initial=0.0)), *week.plan.levels, week.most_today)
    top = highest * _ABOVE
    axes = canvas.axes(box)
    axes.set_xlim(0, slots)
    axes.set_ylim(0, top)
    _grid(canvas, axes, week, box, top, hours=hours)
    edges = np.arange(slots + 1, dtype=np.float64)
    _stairs(axes, edges, np.array(week.plan.levels), color=_PLANNED, fill=True, zorder=1)
    for slot in np.flatnonzero(np.isnan(week.most)).tolist():
        axes.axvspan(slot, slot + 1, facecolor=NO_DATA, linewidth=0, zorder=1.5)
    (_band if group else _bars)(axes, edges, week)
    style = "-" if week.advice else _REFUSED
    _stairs(
        axes,
        edges,
        np.array(week.plan.levels),
        color=_PLAN,
        lw=_points(3),
        ls=style,
        baseline=None,
        zorder=5,
    )


def _grid(canvas: Canvas, axes: Axes, week: Week, box: Box, top: float, *, hours: bool) -> None:
    of_day = week.plan.slots_a_day
    if week.replicas is None:
        ticks = [(share, f"{100 * share:.0f} %") for share in (0.0, 0.5, 1.0)]
    else:
        found = MaxNLocator(5 if hours else 3, integer=True).tick_values(0, top)
        ticks = [(float(tick), f"{tick:g}") for tick in found if 0 <= tick <= top]
    for value, told in ticks:
        axes.axhline(value, color=FAINT, lw=_points(1), zorder=0)
        at = box.bottom - value / top * box.height
        canvas.text(box.left - 10, at, told, 15, colour=SOFT, align="right")
    for day, name in enumerate(WEEKDAYS):
        axes.axvline(day * of_day, color=FAINT, lw=_points(2), zorder=0)
        width = box.width / 7
        left = box.left + day * width
        below = 44 if hours else 20
        canvas.text(left + width / 2, box.bottom + below, name, 17, align="center")
        for hour in (6, 12, 18) if hours else ():
            axes.axvline((day + hour / 24) * of_day, color=FAINT, lw=_points(0.6), zorder=0)
            at = left + hour / 24 * width
            canvas.text(at, box.bottom + 16, str(hour), 14, colour=SOFT, align="center")
    axes.axvline(7 * of_day, color=FAINT, lw=_points(2), zorder=0)


def _bars(axes: Axes, edges: Array, week: Week) -> None:
    """Of a machine: in how many weeks it was in use then, and for how much of the time."""
    _stairs(axes, edges, np.nan_to_num(week.high), color=_HIGH, fill=True, zorder=2)
    _stairs(axes, edges, np.nan_to_num(week.usual), color=_USUAL, fill=True, zorder=3)


def _band(axes: Axes, edges: Array, week: Week) -> None:
    """Of a group: from the median to the quantile, and the highest; today's count."""
    low, high = np.nan_to_num(week.usual), np.nan_to_num(week.high)
    _stairs(axes, edges, high, baseline=low, color=_HIGH, fill=True, zorder=2)
    _stairs(axes, edges, week.usual, color=_USUAL, lw=_points(2.5), baseline=None, zorder=4)
    _stairs(
        axes, edges, week.most, color=_PEAK, lw=_points(1.2), ls=_DOTTED, baseline=None,
        zorder=4,
    )  # fmt: skip
    axes.axhline(week.most_today, color=INK, lw=_points(1.5), ls=_DASHED, zorder=4)


def _stairs(axes: Axes, edges: Array, values: Any, **style: Any) -> None:
    if style.get("fill"):
        style["linewidth"] = 0
    axes.stairs(values, edges, **{"baseline": 0, **style})


def _points(pixels: float) -> float:
    return pixels * _POINTS_A_PIXEL


# -- what it means ---------------------------------------------------------------------------


def _legend(canvas: Canvas, weeks: Sequence[Week], middle: float) -> None:
    left: float = MARGIN
    for colour, thick, style, told in _entries(weeks):
        if left > MARGIN and left + 34 + canvas.measured(told, 15) > RIGHT:
            left, middle = MARGIN, middle + _LINE
        if style:
            axes = canvas.axes(Box(left, middle - 8, 26, 16))
            axes.axhline(8, color=colour, lw=_points(thick), ls=style)
        else:
            canvas.fill(Box(left, middle - thick / 2, 26, thick), colour)
        left += 34
        left += canvas.text(left, middle, told, 15, colour=SOFT) + 26


def _entries(weeks: Sequence[Week]) -> list[tuple[str, float, Any, str]]:
    """Colour, thickness, the dashes of a line, and what it means: as the picture draws each."""
    plan = "plan" if all(week.advice for week in weeks) else "plan (dashed: not advised)"
    entries: list[tuple[str, float, Any, str]] = [(_PLAN, 4, None, plan)]
    for machine in (True, False):
        found = next((week for week in weeks if (week.replicas is None) is machine), None)
        if found is None:
            continue
        usual, high, most = said.legend(found)
        if machine:
            entries += [(_USUAL, 16, None, usual), (_HIGH, 16, None, high)]
        else:
            entries += [
                (_USUAL, 3, None, usual),
                (_HIGH, 16, None, high),
                (_PEAK, 1.6, _DOTTED, most),
                (INK, 1.5, _DASHED, "today"),
            ]
    if any(np.isnan(week.most).any() for week in weeks):
        entries.append((NO_DATA, 16, None, "never seen: stays on"))
    return entries
