"""Schedules on a screen: what each saves, when it runs, and how often it would be missed."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from decimal import Decimal
from typing import Final

from costopt.model import Recommendation, Report
from costopt.report import text, words
from costopt.report.safe import terminal
from costopt.report.schedule import words as said
from costopt.report.screen import (
    GAP,
    HEAD,
    MARGIN,
    MONEY,
    PLAIN,
    QUIET,
    STRONG,
    Column,
    Screen,
    Span,
)
from costopt.units import counted

WIDTH: Final = text.WIDTH
_TITLES: Final = ("Saves/month", "Resource", "Off a week", "Missed")
_MISSED: Final = (
    "Off a week: machine hours that end. Missed: of the held-out weeks' hours, those in which more "
    "was needed than a plan made of the weeks before would have run, and the upper bound."
)

_COMMITTED: Final = (
    "≤ below a saving: what it comes to once the commitment that covers it is used elsewhere, or "
    "ends; only what leaves the bill at once is counted."
)


def render(
    report: Report,
    *,
    width: int = WIDTH,
    colour: bool = False,
    skips: bool = False,
    limit: int = 0,
    options: str = "",
    called: str = "",
) -> bytes:
    """UTF-8 text; arguments as of report.text.render."""
    screen = Screen(width, colour=colour)
    _headline(screen, report)
    shown = report.recommendations[: limit or None]
    if shown:
        _table(screen, shown)
        _more(screen, report, limit)
        screen.paragraph(_MISSED, QUIET)
        if any(one.stranded_commitment for one in shown):
            screen.paragraph(_COMMITTED, QUIET)
        screen.blank()
    else:
        screen.line(("No schedule is advised.", STRONG))
        screen.blank()
    (text.all_skips if skips else text.skip_counts)(screen, report)
    screen.notes(report.notes)
    _next_steps(screen, report, skips=skips, options=options, called=called)
    return screen.text().encode()


def _headline(screen: Screen, report: Report) -> None:
    screen.blank()
    screen.line(
        ("Schedules as of ", PLAIN),
        (f"{report.as_of:%Y-%m-%d %H:%M} UTC", STRONG),
        (f", looking back {counted(report.window.days, 'day', ',.4g')}", PLAIN),
    )
    amount = f"{words.amount(report.summary.monthly_savings)} {report.currency}"
    screen.line(
        (f"{counted(report.summary.recommendations, 'schedule')} worth ", PLAIN),
        (amount, MONEY),
        (" a month", PLAIN),
    )
    screen.blank()


def _table(screen: Screen, shown: Sequence[Recommendation]) -> None:
    rows = [_cells(one) for one in shown]
    widths = [
        max(len(title), *(len(line) for row in rows for line, _ in row[place]))
        for place, title in enumerate(_TITLES)
    ]
    rest = screen.width - 2 * MARGIN - 3 * GAP - sum(widths) + widths[1]
    columns = [
        Column(widths[0], right=True),
        Column(rest),
        Column(widths[2], right=True),
        Column(widths[3], right=True),
    ]
    screen.grid(columns, [((title, HEAD),) for title in _TITLES])
    screen.rule()
    for one, row in zip(shown, rows, strict=True):
        screen.grid(columns, row)
        indent = MARGIN + widths[0] + GAP
        assert one.schedule is not None
        screen.paragraph(said.when(one.schedule), indent=indent)
        if dates := said.dates(one.schedule):
            screen.paragraph(f"but {dates}", QUIET, indent=indent)
        screen.blank()


def _cells(one: Recommendation) -> list[Sequence[Span]]:
    saving = one.estimated_monthly_savings
    money: list[Span] = [(words.amount(saving.target), MONEY)]
    if one.stranded_commitment:
        money.append((f"≤ {words.amount(saving.high)}", QUIET))
    kind = words.machine(one.current)
    what = f"{one.replicas} x {kind}" if one.replicas is not None else kind
    return [
        money,
        [(words.name(one), STRONG), (f"{what} · {words.place(one.current)}", QUIET)],
        [(said.hours_off(one), PLAIN)],
        [(said.missed(one), PLAIN), (said.missed_at_most(one), QUIET)],
    ]


def _more(screen: Screen, report: Report, limit: int) -> None:
    hidden = report.recommendations[limit:] if limit else ()
    if hidden:
        total = sum((one.estimated_monthly_savings.target for one in hidden), Decimal(0))
        worth = f"worth {words.amount(total)} {report.currency} a month"
        screen.paragraph(f"and {len(hidden):,} more, {worth}: --limit 0 shows all", QUIET)
        screen.blank()


def _next_steps(screen: Screen, report: Report, *, skips: bool, options: str, called: str) -> None:
    command = f"costopt schedule {options}".rstrip()
    screen.title("Next")
    if report.recommendations:
        resource = shlex.quote(terminal(called or report.recommendations[0].resource_id))
        screen.line(("a week slot by slot, and its held-out weeks", QUIET))
        screen.command(f"{command} --explain {resource}")
        screen.line(("demand against the plan over the week, as a picture", QUIET))
        screen.command(f"{command} {resource} -o week.png")
        screen.line(("files to deploy, each for its own cloud", QUIET))
        screen.command(f"{command} --emit own -o schedules")
    if report.skips and not skips:
        screen.line(("every resource without a schedule, and why", QUIET))
        screen.command(f"{command} --skips")
    screen.line(("the same for machines", QUIET))
    screen.command(f"{command} --format json -o schedules.json")
