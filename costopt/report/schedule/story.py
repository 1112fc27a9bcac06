"""One schedule's whole story on a screen: the week slot by slot, and how it would have done."""

from __future__ import annotations

from datetime import timedelta
from math import ceil
from typing import Final

import numpy as np

from costopt.model.week import WEEKDAYS
from costopt.report.heatmap.palette import code, colour, ink_on
from costopt.report.schedule import words as said
from costopt.report.schedule.data import Week
from costopt.report.screen import (
    GOOD,
    HEAD,
    MARGIN,
    MONEY,
    PLAIN,
    QUIET,
    STRONG,
    WARN,
    Screen,
    Span,
)
from costopt.units import counted

_BARS: Final = " ▁▂▃▄▅▆▇█"
_NOTHING: Final = "·"
_ON: Final = "━"
_LABEL: Final = 6
_HOURS: Final = range(0, 24, 3)
_TITLES: Final = ("week of", "made of", "hours run", "today", "starts", "missed")


def render(week: Week, *, width: int, colour: bool = False) -> bytes:
    """UTF-8 text: the advice, the week as a strip a day, the held-out weeks."""
    screen = Screen(width, colour=colour)
    screen.blank()
    screen.line((week.name, STRONG))
    _headline(screen, week)
    screen.blank()
    _facts(screen, week)
    screen.blank()
    screen.title("The week")
    _strips(screen, week, coloured=colour)
    screen.blank()
    screen.title("Held-out weeks")
    _held_out(screen, week)
    return screen.text().encode()


def _headline(screen: Screen, week: Week) -> None:
    if week.advice is None:
        screen.paragraph(f"No schedule: {said.refused(week)}.", WARN)
        return
    screen.paragraph(f"Schedule: {said.when(week.plan)}, {said.saving(week.advice)}", MONEY)


def _facts(screen: Screen, week: Week) -> None:
    found = week.found
    if week.advice is None:
        screen.labelled("Would run", said.when(week.plan))
    screen.labelled(
        "Hours a week", f"{found.hours_then:.1f} of {found.hours_today:.1f} machine hours"
    )
    if dates := said.dates(week.plan, len(week.plan.days)):
        screen.labelled("But on", dates)
    screen.labelled("Holidays", said.calendar(week))
    screen.labelled(
        "Made of", f"{counted(found.weeks, 'whole week')}, on the clock of {week.plan.time_zone}"
    )
    if found.habit.weeks:
        screen.labelled(
            "Habit",
            f"the weeks before tell the last {counted(found.habit.weeks, 'week')} "
            f"{100 * found.habit.skill:.0f} % better than their mean does, the worst "
            f"{100 * found.habit.worst:.0f} %",
        )
    if week.advice is not None:
        screen.labelled("Day it differs", str(week.advice.evidence["guard"]))


# -- the week --------------------------------------------------------------------------------


def _strips(screen: Screen, week: Week, *, coloured: bool) -> None:
    _, high, _ = said.legend(week)
    demand = high if week.replicas is None else f"P{100 * week.quantile:g} of demand"
    of_day = week.plan.slots_a_day
    across = max(1, of_day // 24)
    hours = "".join(f"{hour:<{3 * across}}" for hour in _HOURS)
    screen.line((" " * _LABEL + hours.rstrip(), QUIET))
    levels = np.array(week.plan.levels)
    for day, name in enumerate(WEEKDAYS):
        here = slice(day * of_day, (day + 1) * of_day)
        cells = [_cell(value / week.most_today, coloured) for value in week.high[here]]
        screen.line((name.ljust(_LABEL), PLAIN), *cells)
        plan = zip(levels[here], week.uncovered[here], strict=True)
        screen.line((" plan ", QUIET), *(_planned(week, level, bare) for level, bare in plan))
    screen.blank()
    top = "all weeks" if week.replicas is None else f"{week.most_today} replicas, as today"
    screen.line((f"{demand}: ", QUIET), *_scale(coloured), (f" {top}", QUIET))
    if np.isnan(week.high).any():
        screen.line((f"{_NOTHING} never seen: it stays on", QUIET))
    screen.line(("plan: ", QUIET), *_meaning(week))


def _cell(share: float, coloured: bool) -> Span:
    if np.isnan(share):
        return _NOTHING, QUIET
    share = min(max(share, 0.0), 1.0)
    bar = _BARS[min(ceil(share * (len(_BARS) - 1)), len(_BARS) - 1)]
    if not coloured:
        return bar, PLAIN
    back = colour(share)
    return " ", f"{ink_on(back)} on {code(back)}"


def _planned(week: Week, level: int, bare: bool) -> Span:
    style = WARN if bare else GOOD
    if week.replicas is None:
        return (_ON, GOOD) if level else ("!" if bare else " ", style)
    if bare:
        return "!", WARN
    return _BARS[ceil(level / week.most_today * (len(_BARS) - 1))], style


def _scale(coloured: bool) -> list[Span]:
    steps = len(_BARS) - 1
    return [_cell(step / steps, coloured) for step in range(steps + 1)]


def _meaning(week: Week) -> list[Span]:
    on = f"{_ON} on" if week.replicas is None else "bars to today's count"
    told: list[Span] = [(on, GOOD)]
    if week.uncovered.any():
        told.append(("   ! some sample of the past weeks was above it", WARN))
    return told


# -- the held-out weeks ----------------------------------------------------------------------


def _held_out(screen: Screen, week: Week) -> None:
    found = week.found
    if not found.trial.tested:
        screen.paragraph("Not tried: there is no plan worth it, or no week to hold it against.")
        return
    screen.paragraph(
        "Each of the last weeks, by the plan that the weeks before it would have given: "
        f"{said.held_out(week)}."
    )
    table = [[(title, HEAD) for title in _TITLES]]
    for one in found.trial.tested:
        monday = found.weekly.monday + timedelta(weeks=found.whole[one.week])
        texts = (
            f"{monday:%Y-%m-%d}",
            counted(one.trained, "week"),
            f"{one.planned:.1f}",
            f"{one.today:.1f}",
            f"{one.starts}",
            f"{one.missed:.1f} h",
        )
        table.append([(text, WARN if one.missed else PLAIN) for text in texts])
    screen.blank()
    screen.table(table, [False, False, True, True, True, True], indent=MARGIN + 2)
