"""The comparison for the terminal, and its part of one resource's story."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Final

from costopt.report import risk, words
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
from costopt.report.vendor.advice import Advice
from costopt.report.vendor.sides import Compared, Comparison, Verdict
from costopt.units import counted

WIDTH: Final = 100
_STYLES: Final = {Verdict.AGREE: MONEY, Verdict.OPPOSITE: WARN, Verdict.ONLY_THEM: WARN}
_VERDICT: Final = max(len(verdict) for verdict in Verdict)
_NARROWEST: Final = 16
_MOST_LINES: Final = 3


def as_text(
    comparison: Comparison, *, width: int = WIDTH, colour: bool = False, limit: int = 0
) -> bytes:
    """UTF-8 text.

    Args:
        width: columns of the screen.
        colour: with ANSI colours.
        limit: show so many resources, those with the largest savings; 0 = all.
    """
    screen = Screen(width, colour=colour)
    _head(screen, comparison)
    shown = comparison.rows[: limit or None]
    if shown:
        _rows(screen, shown)
    if hidden := len(comparison.rows) - len(shown):
        screen.paragraph(f"and {hidden:,} more: --limit 0 shows all", QUIET)
        screen.blank()
    _notes(screen, comparison)
    return screen.text().encode()


def story(row: Compared, *, width: int = WIDTH, colour: bool = False) -> str:
    """What the vendor says of one resource, to stand below its story."""
    screen = Screen(width, colour=colour)
    screen.blank()
    screen.title("What the vendor says")
    if row.theirs:
        screen.labelled(row.theirs.source.split()[0], in_line(theirs(row.theirs)))
    screen.labelled("Verdict", row.verdict, _STYLES.get(row.verdict, PLAIN))
    screen.paragraph(row.why)
    return screen.text()


# -- the parts -------------------------------------------------------------------------------


def _head(screen: Screen, comparison: Comparison) -> None:
    screen.blank()
    asked = [
        f"{source} ({counted(accounts, 'account')})"
        for source, accounts in comparison.asked.items()
    ]
    beside = f"beside that of {', '.join(asked)}" if asked else "No vendor was asked about these."
    screen.line((f"Advice as of {comparison.as_of:%Y-%m-%d %H:%M} UTC", STRONG))
    screen.paragraph(beside, PLAIN)
    screen.blank()
    totals = comparison.totals
    lines = [
        ("costopt saves", totals.ours, MONEY, "on the resources below"),
        ("Vendors claim", totals.claimed, STRONG, "at their own prices"),
        ("Supported", totals.supported, MONEY, "of it, by costopt's own model"),
    ]
    if totals.unjudged:
        lines.append(("Not judged", totals.unjudged, WARN, "of it: see why below"))
    amounts = [words.amount(amount) for _, amount, _, _ in lines]
    columns = [
        Column(13),
        Column(max(len(amount) for amount in amounts), right=True),
        Column(len(comparison.currency)),
        Column(34),
    ]
    for (label, _, style, rest), amount in zip(lines, amounts, strict=True):
        cells = ((label, PLAIN), (amount, style), (comparison.currency, style), (rest, QUIET))
        screen.grid(columns, [(cell,) for cell in cells])
    screen.blank()
    told = [f"{number:,} {verdict}" for verdict, number in comparison.counts.items() if number]
    screen.paragraph(" · ".join(told) or "Neither has advice on any resource.", QUIET)
    screen.blank()


def _rows(screen: Screen, rows: Sequence[Compared]) -> None:
    rest = screen.width - 2 * MARGIN - _VERDICT - 3 * GAP
    widest = max(cells_of(text) for row in rows for text, _ in (*ours(row), *theirs(row.theirs)))
    each = min(max(_NARROWEST, widest), rest * 3 // 10)
    columns = [Column(_VERDICT), Column(rest - 2 * each), Column(each), Column(each)]
    titles = ("Verdict", "Resource", "costopt", "Vendor")
    screen.grid(columns, [((title, HEAD),) for title in titles])
    screen.rule()
    for row in rows:
        verdict = ((row.verdict.value, _STYLES.get(row.verdict, PLAIN)),)
        said = [_wrapped(screen, lines, each) for lines in (ours(row), theirs(row.theirs))]
        screen.grid(columns, [verdict, _who(row), *said])
        screen.paragraph(row.why, indent=MARGIN + _VERDICT + GAP)
        screen.blank()


def _who(row: Compared) -> Sequence[Span]:
    resource = row.resource
    name = resource.resource_name or resource.resource_id
    now = resource.instance_type or resource.resource_type or ""
    place = " ".join(filter(None, (resource.provider_name, resource.region_id)))
    lines = [(name, STRONG), (now, PLAIN), (place, QUIET)]
    if name != resource.resource_id:
        lines.append((resource.resource_id, QUIET))
    return [line for line in lines if line[0]]


def _wrapped(screen: Screen, lines: Sequence[Span], width: int) -> Sequence[Span]:
    """A vendor's finding may be a sentence: it goes on for a few lines, and is cut then."""
    wrapped: list[Span] = []
    for text, style in lines:
        parts = screen.wrapped(text, width)
        rest = " ".join(parts[_MOST_LINES - 1 :])
        wrapped += ((part, style) for part in (*parts[: _MOST_LINES - 1], rest) if part)
    return wrapped


def ours(row: Compared) -> Sequence[Span]:
    """What costopt advises, a fact a line."""
    if row.ours is None:
        return (("no advice", QUIET),)
    one, saving = row.ours, row.ours.estimated_monthly_savings.target
    lines = [
        (words.action(one.action_type), PLAIN),
        (words.machine(one.recommended) if one.recommended else "", PLAIN),
        (_amount(saving, one.currency), WARN if saving < 0 else MONEY),
    ]
    if saving < (most := one.estimated_monthly_savings.high):
        lines.append((f"≤ {words.amount(most)}", QUIET))
    if risk.probability(one) is not None:
        lines.append((f"undo risk {risk.chance(one)}", risk.tone(one)))
    return [line for line in lines if line[0]]


def theirs(advice: Advice | None) -> Sequence[Span]:
    """What the vendor advises, a fact a line."""
    if advice is None:
        return (("no advice", QUIET),)
    money = "saving not stated"
    if advice.monthly_savings is not None:
        money = _amount(advice.monthly_savings, advice.currency or "")
    lines = [
        (advice.action.capitalize(), PLAIN),
        (advice.instance_type or "", PLAIN),
        (money, STRONG),
        (advice.finding or "", QUIET),
        (f"as of {advice.updated_at:%Y-%m-%d}" if advice.updated_at else "", QUIET),
    ]
    return [line for line in lines if line[0]]


def in_line(lines: Sequence[Span]) -> str:
    """The facts one after the other."""
    return ", ".join(text for text, _ in lines)


def _amount(saving: Decimal, currency: str) -> str:
    sign = "+" if saving < 0 else ""
    return f"{sign}{words.amount(abs(saving))} {currency}"


LEGEND: Final = (
    "Vendor: its own words and amounts, of a month, at its own prices, and when it last looked. "
    "costopt: what leaves the bill; ≤ once a commitment that covers it is used elsewhere. "
    "+ costs more."
)


def _notes(screen: Screen, comparison: Comparison) -> None:
    if comparison.notes:
        screen.title("Please note")
        for note in comparison.notes:
            screen.bullet(note)
        screen.blank()
    if comparison.rows:
        screen.paragraph(LEGEND, QUIET)
