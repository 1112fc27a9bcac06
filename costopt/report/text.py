"""The report for the terminal: headline, recommendations with their reasons, skips, next steps.

Wide screens get columns, narrow ones the same facts stacked. Without colour it is plain UTF-8 text.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from decimal import Decimal
from typing import Final

from costopt.model import Recommendation, Report, Skip
from costopt.report import risk, rows, words
from costopt.report.remedies import remedy
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
)
from costopt.units import counted

WIDTH: Final = 100
_BAR: Final = 24


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
    """UTF-8 text.

    Args:
        width: columns of the screen.
        colour: with ANSI colours.
        skips: list every skip instead of counting them by reason.
        limit: show so many recommendations that save, and so many that cost more; 0 = all.
        options: what the commands under "Next" need to find the same data, like `--home X`.
        called: what names the first recommendation's resource and no other; "" = its id.
    """
    screen = Screen(width, colour=colour)
    _headline(screen, report)
    _recommendations(screen, report, limit)
    (all_skips if skips else skip_counts)(screen, report)
    screen.notes(report.notes)
    _next_steps(screen, report, skips=skips, options=options, called=called)
    return screen.text().encode()


# -- the parts -------------------------------------------------------------------------------


def _headline(screen: Screen, report: Report) -> None:
    summary = report.summary
    screen.blank()
    screen.line(
        ("Advice as of ", PLAIN),
        (f"{report.as_of:%Y-%m-%d %H:%M} UTC", STRONG),
        (f", looking back {counted(report.window.days, 'day', ',.4g')}", PLAIN),
    )
    screen.blank()
    if report.independent:
        screen.paragraph(words.INDEPENDENT, WARN)
        screen.blank()
    _amounts(screen, report)
    if told := words.steps(report):
        screen.paragraph(told[0].upper() + told[1:], QUIET)
    if told := risk.gambled(report.recommendations):
        screen.paragraph(f"Of what can be saved, {told}", WARN)
    screen.blank()
    facts = [
        counted(summary.resources, "resource"),
        counted(summary.recommendations, "recommendation"),
        f"{summary.well_sized:,} well sized",
    ]
    if summary.reconciled_percent is not None:
        facts.append(f"{summary.reconciled_percent:.1f} % of the bill on known resources")
    screen.paragraph(" · ".join(facts), QUIET)
    screen.blank()


def _amounts(screen: Screen, report: Report) -> None:
    summary, share = report.summary, words.saved_share(report)
    bar = f"{_bar(share)}  {words.percent(share)}"
    lines = [
        ("Spend a month", words.amount(summary.monthly_spend), STRONG, ""),
        ("Can be saved", words.amount(words.saved(report)), MONEY, bar),
        ("Would remain", words.remaining(report), STRONG, ""),
    ]
    if summary.monthly_extra_cost:
        extra = words.amount(summary.monthly_extra_cost)
        small = counted(len(words.parted(report.recommendations)[1]), "machine")
        lines.insert(2, ("To be added", extra, WARN, f"for {small} too small"))
    columns = [
        Column(13),
        Column(max(len(value) for _, value, _, _ in lines), right=True),
        Column(len(report.currency)),
        Column(_BAR + 9),
    ]
    for label, value, style, rest in lines:
        cells = ((label, PLAIN), (value, style), (report.currency, style), (rest, style))
        screen.grid(columns, [(cell,) for cell in cells])


def _bar(share: float) -> str:
    """A bar of `_BAR` cells, filled by eighths."""
    eighths = round(min(1.0, max(0.0, share)) * _BAR * 8)
    full, rest = divmod(eighths, 8)
    return ("█" * full + " ▏▎▍▌▋▊▉"[rest].strip()).ljust(_BAR, "░")


def _recommendations(screen: Screen, report: Report, limit: int) -> None:
    if not report.recommendations:
        screen.line((words.nothing(report), STRONG))
        screen.blank()
        return
    saving, adding = words.parted(report.recommendations)
    if saving:
        now, later = words.by_when(saving[: limit or None])
        if now:
            _table(screen, now, "Saves/month")
        if later:
            screen.line((words.LATER, HEAD))
            screen.blank()
            _table(screen, later, "Saves/month")
        _more(screen, saving[limit:] if limit else [], f"worth {{}} {report.currency}")
        _legend(screen, saving[: limit or None])
    if adding:
        screen.line(("Too small: a larger machine costs more", HEAD))
        screen.blank()
        _table(screen, adding[: limit or None], "Adds/month")
        _more(screen, adding[limit:] if limit else [], f"for {{}} {report.currency}")


def _table(screen: Screen, shown: Sequence[Recommendation], money: str) -> None:
    titles, columns = rows.columns(shown, screen.width, money)
    screen.grid(columns, [((title, HEAD),) for title in titles])
    screen.rule()
    indent = MARGIN + sum(column.width + GAP for column in columns[: rows.WHO])
    for one, why in zip(shown, words.reasons(shown), strict=True):
        screen.grid(columns, rows.cells(one, screen.width, columns))
        screen.paragraph(why, indent=indent)
        if remarks := risk.remarks(one):
            screen.paragraph(remarks, risk.tone(one), indent=indent)
        screen.blank()


def _more(screen: Screen, hidden: Sequence[Recommendation], worth: str) -> None:
    """What --limit hides; `worth` says what the sum is."""
    if not hidden:
        return
    total = sum((one.estimated_monthly_savings.target for one in hidden), Decimal(0))
    told = worth.format(words.amount(abs(total)))
    screen.paragraph(f"and {len(hidden):,} more, {told} a month: --limit 0 shows all", QUIET)
    screen.blank()


def _legend(screen: Screen, shown: Sequence[Recommendation]) -> None:
    savings = [one.estimated_monthly_savings for one in shown]
    told = []
    if any(saving.target < saving.high for saving in savings):
        told.append(
            "≤ below a saving: what it comes to once the commitment that covers the machine is "
            "used elsewhere, or ends; only what leaves the bill at once is counted."
        )
    if days := sorted(
        {one.risk.horizon_days for one in shown if one.risk and one.risk.horizon_days}
    ):
        spans = " or ".join(counted(span, "day", ",.4g") for span in days)
        told.append(
            f"Undo risk: the chance that demand outgrows the new size within {spans}, so that "
            "the change must be undone, and its upper bound."
        )
    for text in told:
        screen.paragraph(text, QUIET)
    if told:
        screen.blank()


def skip_counts(screen: Screen, report: Report) -> None:
    """How many resources have no advice, by reason, with an example each; none: nothing."""
    counts = sorted(report.summary.skips.items(), key=lambda item: (-item[1], item[0]))
    if not counts:
        return
    screen.title("No advice")
    examples = {
        skip.reason: f"e.g. {words.short_id(skip.resource_id)}: {skip.detail}"
        for skip in reversed(report.skips)
    }
    number = max(len(f"{count:,}") for _, count in counts)
    code = min(max(len(reason) for reason, _ in counts), screen.width // 3)
    example = screen.width - 2 * MARGIN - number - code - 2 * GAP
    columns = [Column(number, right=True), Column(code), Column(example)]
    for reason, count in counts:
        told = [(line, QUIET) for line in screen.wrapped(examples.get(reason, ""), example)]
        screen.grid(columns, [((f"{count:,}", STRONG),), ((reason, WARN),), told])
    screen.blank()


def all_skips(screen: Screen, report: Report) -> None:
    """Every resource without advice, by reason, and what would help; none: nothing."""
    if not report.skips:
        return
    screen.title("No advice")
    alike: dict[tuple[str, str], list[Skip]] = {}  # by reason and remedy
    for skip in report.skips:
        alike.setdefault((skip.reason, remedy(skip) or ""), []).append(skip)
    for (reason, helps), skips in sorted(alike.items(), key=lambda item: (-len(item[1]), item[0])):
        screen.line((reason, WARN), (f"  {len(skips):,}", STRONG))
        if helps:
            screen.paragraph(f"What would help: {helps}.", QUIET, indent=MARGIN + 2)
        for skip in skips:
            screen.line((skip.resource_id, STRONG), (f"  {skip.rule}", QUIET), indent=MARGIN + 2)
            screen.paragraph(skip.detail, indent=MARGIN + 4)
        screen.blank()


def _next_steps(screen: Screen, report: Report, *, skips: bool, options: str, called: str) -> None:
    command = f"costopt recommend {options}".rstrip()
    screen.title("Next")
    if report.recommendations:
        resource = shlex.quote(terminal(called or report.recommendations[0].resource_id))
        screen.line(("the whole story of one resource", QUIET))
        screen.command(f"{command} --explain {resource}")
    if report.skips and not skips:
        screen.line(("every resource without advice, and why", QUIET))
        screen.command(f"{command} --skips")
    if any(one.guards for one in report.recommendations):
        screen.line(("alarms that say when to undo a change", QUIET))
        screen.command(f"{command} --emit alarms -o alarms")
    if any(risk.replayed_in_full(one.backtest) for one in report.recommendations):
        screen.line(("what such sizes, and the vendors' rules, would have done before", QUIET))
        screen.command(f"costopt backtest {options}".rstrip())
    screen.line(("the same for machines, and for spreadsheets", QUIET))
    screen.command(f"{command} --format json -o advice.json")
    screen.command(f"{command} --format csv -o advice.csv")
