"""Commitments on a screen: what each saves, what it costs, when it pays, and its worst case."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Final

from costopt.model import Recommendation, Report
from costopt.report import text, words
from costopt.report.purchase import ordered
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
)
from costopt.units import counted

WIDTH: Final = text.WIDTH
_TITLES: Final = ("Saves/month", "Commitment", "An hour", "Used", "Low/month")
_LEGEND: Final = (
    "Saves: on the mean of the bill so far, once the last part is bought. An hour: what is "
    "committed, and what it replaces on demand. Used: so far, and from where on it pays. Low: a "
    "month's saving in the lowest 4 weeks seen, which is not the worst that can be: see what it "
    "binds."
)


def render(
    report: Report,
    *,
    width: int = WIDTH,
    colour: bool = False,
    skips: bool = False,
    limit: int = 0,
    options: str = "",
) -> bytes:
    """UTF-8 text; arguments as of report.text.render."""
    screen = Screen(width, colour=colour)
    _headline(screen, report)
    shown = report.recommendations[: limit or None]
    if shown:
        _table(screen, shown)
        if hidden := len(report.recommendations) - len(shown):
            screen.paragraph(f"and {hidden:,} more: --limit 0 shows all", QUIET)
        screen.paragraph(_LEGEND, QUIET)
    else:
        screen.line(("Nothing to buy.", STRONG))
    screen.blank()
    (text.all_skips if skips else text.skip_counts)(screen, report)
    screen.notes(report.notes)
    _next_steps(screen, report, skips=skips, options=options)
    return screen.text().encode()


def _headline(screen: Screen, report: Report) -> None:
    screen.blank()
    screen.line(
        ("Commitments as of ", PLAIN),
        (f"{report.as_of:%Y-%m-%d %H:%M} UTC", STRONG),
        (f", on {counted(report.window.days, 'day', ',.4g')} of bill", PLAIN),
    )
    amount = f"{words.amount(report.summary.monthly_savings)} {report.currency}"
    screen.line(
        (f"{counted(report.summary.recommendations, 'purchase')} worth ", PLAIN),
        (amount, MONEY),
        (f" a month, of {words.amount(report.summary.monthly_spend)} spent", PLAIN),
    )
    if report.recommendations:
        full = max(one.evidence["saves_in_full_from"] for one in report.recommendations)
        screen.line((f"in full from {full} on, once the last part is bought", QUIET))
    screen.blank()


def _table(screen: Screen, shown: Sequence[Recommendation]) -> None:
    rows = [_cells(one) for one in shown]
    widths = [
        max(len(title), *(len(line) for row in rows for line, _ in row[place]))
        for place, title in enumerate(_TITLES)
    ]
    widths[1] = screen.width - 2 * MARGIN - 4 * GAP - sum(widths) + widths[1]
    columns = [Column(wide, right=place != 1) for place, wide in enumerate(widths)]
    screen.grid(columns, [((title, HEAD),) for title in _TITLES])
    screen.rule()
    for one, row in zip(shown, rows, strict=True):
        screen.grid(columns, row)
        indent = MARGIN + widths[0] + GAP
        for part in one.evidence["tranches"]:
            screen.paragraph(tranche(part, one.currency), indent=indent)
        screen.paragraph(f"{one.resource_id}; {bound(one)}", QUIET, indent=indent)
        screen.blank()


def _cells(one: Recommendation) -> list[Sequence[Span]]:
    saving, told = one.estimated_monthly_savings, one.evidence
    used = f"{100 * float(told['utilisation_share']):.3g} %"
    pays = f"pays from {100 * float(told['break_even_utilisation_share']):.3g} %"
    low = words.amount(Decimal(told["lowest_4_weeks_a_month"]))
    name = words.name(one).replace(f" in {one.current.region_id}", "")  # which stands below
    later = told.get("saves_a_month_from_then_on")
    saves: list[Span] = [(words.amount(saving.target), MONEY)]
    if later is not None:
        saves.append((f"then {words.amount(later)}", QUIET))
    return [
        saves,
        [(name, STRONG), (words.place(one.current), QUIET)],
        [(hourly(told["hourly_commitment"]), PLAIN), (hourly(told["replaced_hourly"]), QUIET)],
        [(used, PLAIN), (pays, QUIET)],
        [(low, WARN if low.startswith("-") else PLAIN)],
    ]


def bound(one: Recommendation) -> str:
    """What it binds in all, of that at once, and what comes of it if demand falls."""
    told = one.evidence
    falls, share = told["if_demand_falls_over_terms"], 100 * told["feared_yearly_fall_share"]
    upfront = f", {words.amount(told['upfront'])} of it upfront" if told["upfront"] else ""
    where = f"; buy in account {told['buy_in_account']}" if "buy_in_account" in told else ""
    return (
        f"binds {words.amount(told['bound_over_terms'])} {one.currency} in all{upfront}; "
        f"{'saves' if falls >= 0 else 'loses'} {words.amount(abs(falls))} over its terms if demand "
        f"falls by {share:g} % a year{where}"
    )


def hourly(value: Any) -> str:
    """Money an hour with four decimals at most."""
    return f"{float(value):,.4g}"


def tranche(part: Any, currency: str) -> str:
    """One purchase: `2026-11-02  3 x m5.large, 0.664 USD an hour, 1yr (no-upfront), until ...`."""
    what, upfront = f"{ordered(part)}, " if "reserved" in part else "", ""
    if part["upfront"]:
        rest = hourly(part["hourly_after_upfront"])
        upfront = f": {words.amount(part['upfront'])} upfront, then {rest} an hour"
    return (
        f"{part['buy_on']}  {what}{hourly(part['hourly_commitment'])} {currency} an hour, "
        f"{part['term']} ({part['payment']}), until {part['ends_on']}{upfront}"
    )


def _next_steps(screen: Screen, report: Report, *, skips: bool, options: str) -> None:
    command = f"costopt commit {options}".rstrip()
    screen.title("Next")
    if report.recommendations:
        scope = shlex.quote(terminal(report.recommendations[0].resource_id))
        screen.line(("the figures behind one purchase", QUIET))
        screen.command(f"{command} --explain {scope}")
        screen.line(("demand against what is held and to be bought, as a picture", QUIET))
        screen.command(f"{command} --picture coverage.png")
    if report.skips and not skips:
        screen.line(("everything that is not bought, and why", QUIET))
        screen.command(f"{command} --skips")
    screen.line(("the same for machines, and for spreadsheets", QUIET))
    screen.command(f"{command} --format json -o commitments.json")
    screen.command(f"{command} --format csv -o commitments.csv")
