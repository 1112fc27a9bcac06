"""Moves on a screen: a row a group, what it saves, what going there takes, and when it has paid."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from itertools import groupby
from typing import Final

from costopt.model import Report
from costopt.report import text, words
from costopt.report.move.rows import Row, rows
from costopt.report.safe import terminal
from costopt.report.screen import (
    GAP,
    HEAD,
    MARGIN,
    MONEY,
    PLAIN,
    QUIET,
    STRONG,
    WARN,
    Column,
    Screen,
    Span,
    cells_of,
)
from costopt.units import counted

WIDTH: Final = text.WIDTH
_TITLES: Final = ("Saves/month", "Group", "Once", "Paid by", "In today's money")
_GROUP: Final = 1
_LEGEND: Final = (
    "Saves: a month, once all has settled; low: with every price at its unfavourable end. Once: "
    "data, people's time, both places at once. In today's money: what is saved over {months:g} "
    "months with all of that taken off; at least: with every price off the wrong way."
)


def render(
    report: Report,
    *,
    width: int = WIDTH,
    colour: bool = False,
    skips: bool = False,
    options: str = "",
) -> bytes:
    """UTF-8 text; arguments as of report.text.render."""
    screen = Screen(width, colour=colour)
    shown = rows(report.recommendations)
    _headline(screen, report)
    for head, section in groupby(shown, key=lambda row: row.head):
        _section(screen, head, list(section))
    _legend(screen, shown)
    (text.all_skips if skips else text.skip_counts)(screen, report)
    screen.notes(report.notes)
    _next_steps(screen, report, shown, skips=skips, options=options)
    return screen.text().encode()


def _headline(screen: Screen, report: Report) -> None:
    summary, currency = report.summary, report.currency
    screen.blank()
    screen.line(
        ("Where it should run, as of ", PLAIN),
        (f"{report.as_of:%Y-%m-%d %H:%M} UTC", STRONG),
        (f", looking back {counted(report.window.days, 'day', ',.4g')}", PLAIN),
    )
    screen.blank()
    if not summary.recommendations:
        screen.line(("Everything is where it costs least, of all places that it may be at.", STRONG)
                    if summary.well_sized else ("Nothing moves.", STRONG))  # fmt: skip
    columns = [Column(26), Column(14, right=True), Column(len(currency))]
    for label, amount, style in (
        ("Spend a month, plan done", words.amount(summary.monthly_spend), STRONG),
        ("Saved by moves and spot", words.amount(summary.monthly_savings), MONEY),
        ("Would remain", words.amount(summary.monthly_spend_after), STRONG),
    ):
        cells = ((label, PLAIN), (amount, style), (currency, style))
        screen.grid(columns, [(cell,) for cell in cells])
    screen.blank()
    facts = [
        counted(summary.resources, "machine"),
        f"{summary.recommendations:,} should go elsewhere or on spot",
        f"{summary.well_sized:,} cost least where they are",
    ]
    screen.paragraph(" · ".join(facts), QUIET)
    screen.blank()


def _section(screen: Screen, head: str, section: Sequence[Row]) -> None:
    screen.line((head, STRONG))
    screen.blank()
    cells = [_cells(row) for row in section]
    titles = _TITLES if any(row.once is not None for row in section) else _TITLES[: _GROUP + 1]
    widths = [
        max(cells_of(title), *(cells_of(line) for row in cells for line, _ in row[place]))
        for place, title in enumerate(titles)
    ]
    rest = sum(widths) - widths[_GROUP] + (len(titles) - 1) * GAP
    widths[_GROUP] = screen.width - 2 * MARGIN - rest
    columns = [Column(wide, right=place != _GROUP) for place, wide in enumerate(widths)]
    screen.grid(columns, [((title, HEAD),) for title in titles])
    screen.rule()
    for row, stacks in zip(section, cells, strict=True):
        screen.grid(columns, stacks[: len(titles)])
        for words_ in _below(row):
            screen.paragraph(words_, QUIET, indent=MARGIN + widths[0] + GAP)
        screen.blank()


def _cells(row: Row) -> list[Sequence[Span]]:
    low = (f"low {words.amount(row.low)}", WARN if row.low < 0 else QUIET)
    group: list[Span] = [
        (f"{row.group}, {row.machines}", STRONG),
        (row.where, PLAIN),
        *((kind, QUIET) for kind in row.types),
    ]
    stacks: list[Sequence[Span]] = [[(words.amount(row.saves), MONEY), low], group]
    if row.once is None:
        return [*stacks, [], [], []]
    at_least = row.told("net_present_saving_low")
    return [
        *stacks,
        [(f"{row.once:,.0f}", PLAIN)],
        [(str(row.told("break_even_on")), PLAIN)],
        [
            (f"{row.told('net_present_saving'):,.0f}", STRONG),
            (f"at least {at_least:,.0f}", WARN if at_least < 0 else QUIET),
        ],
    ]


def _below(row: Row) -> list[str]:
    """What is said under a row."""
    if row.once is None:
        return [row.first.reason]
    part = "once and in today's money are of the whole group" if row.is_part else ""
    stranded = f"{row.stranded:,.0f} of commitments that end unused" if row.stranded >= 1 else ""
    return [text for text in ("; ".join([*filter(None, [part, stranded]), *row.cautions]),) if text]


def _legend(screen: Screen, shown: Sequence[Row]) -> None:
    months = next((m for row in shown if (m := row.told("horizon_months"))), None)
    if months:
        screen.paragraph(_LEGEND.format(months=months), QUIET)
        screen.blank()


def _next_steps(
    screen: Screen, report: Report, shown: Sequence[Row], *, skips: bool, options: str
) -> None:
    command = f"costopt move {options}".rstrip()
    screen.title("Next")
    if shown:
        group = shlex.quote(terminal(shown[0].group))
        screen.line(("one group: both places side by side, and why not elsewhere", QUIET))
        screen.command(f"{command} --explain {group}")
    screen.line(("spend by provider and region, before and after, as a picture, too", QUIET))
    screen.command(f"{command} --picture moves.png")
    if report.skips and not skips:
        screen.line(("everything that stays for a reason, and why", QUIET))
        screen.command(f"{command} --skips")
    screen.line(("to any provider whose prices are known", QUIET))
    screen.command(f"{command} --to any")
    screen.line(("the same for machines, and for spreadsheets", QUIET))
    screen.command(f"{command} --format json -o moves.json")
    screen.command(f"{command} --format csv -o moves.csv")
