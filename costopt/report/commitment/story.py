"""One purchase, or one commitment that is held, with every figure behind it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from costopt.model import Recommendation, Report, Skip
from costopt.optimize.commitment import Choice
from costopt.report import evidence, words
from costopt.report.commitment.text import tranche
from costopt.report.screen import HEAD, MONEY, PLAIN, QUIET, STRONG, WARN, Screen
from costopt.rules.commit import Commitments
from costopt.rules.commit_held import Told, sentence

_DRAWN_APART: Final = ("tranches",)


def story(
    wanted: str, found: Commitments, report: Report, *, width: int, colour: bool = False
) -> str | None:
    """The story of a scope, of a recommendation's id, or of a held commitment's id or name.

    Returns:
        None where nothing is called so.
    """
    screen = Screen(width, colour=colour)
    advice = [
        one for one in report.recommendations if wanted in (one.resource_id, one.recommendation_id)
    ]
    skips = [skip for skip in report.skips if skip.resource_id == wanted]
    held = [one for one in found.held if wanted in (one.commitment_id, one.name)]
    for one in advice:
        _purchase(screen, one)
    for skip in skips:
        _skip(screen, skip)
    for told in held:
        _held(screen, told, report.currency)
    return screen.text() if advice or skips or held else None


def _purchase(screen: Screen, one: Recommendation) -> None:
    saving, currency = one.estimated_monthly_savings, one.currency
    screen.blank()
    screen.line((words.name(one), STRONG), (f"  {one.resource_id}", QUIET))
    screen.paragraph(f"{one.reason}.")
    screen.blank()
    screen.title("A month")
    for label, amount, style in (
        ("Expected", saving.target, MONEY),
        ("At worst", saving.low, WARN if saving.low < 0 else PLAIN),
        ("At best", saving.high, PLAIN),
    ):
        screen.labelled(label, f"{words.amount(amount)} {currency}", style)
    screen.blank()
    screen.title("What to buy, and when")
    for part in one.evidence["tranches"]:
        screen.bullet(tranche(part, currency))
    screen.blank()
    screen.title("On which figures")
    evidence.draw(screen, _rest(one.evidence), indent=2)


def _rest(told: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in told.items() if name not in _DRAWN_APART}


def _skip(screen: Screen, skip: Skip) -> None:
    screen.blank()
    screen.line((skip.resource_id, STRONG), (f"  no advice: {skip.reason}", WARN))
    screen.paragraph(skip.detail)


def _held(screen: Screen, told: Told, currency: str) -> None:
    screen.blank()
    screen.line((told.name, STRONG), (f"  {told.commitment_id}", QUIET))
    screen.paragraph(f"{sentence(told, currency)}.")
    screen.blank()
    screen.title("What can be done with it")
    heads = [("Action", HEAD), ("Share", HEAD), ("Used", HEAD), ("Brings", HEAD), ("Over", HEAD)]
    rows = [heads, *([(cell, PLAIN) for cell in row] for row in _rows(told, currency))]
    screen.table(rows, [False, True, True, True, True])
    screen.paragraph(
        "Brings: against keeping it as it is; of renewing, against not renewing. Paid upfront is "
        "paid either way and counts in neither.",
        QUIET,
    )


def _rows(told: Told, currency: str) -> Sequence[Sequence[str]]:
    whole = max(one.quantity for one in told.choices) if told.choices else 1.0
    return [
        (
            one.action.value + (f" for {one.into}" if one.into else ""),
            f"{100 * one.quantity / whole:.0f} %",
            f"{100 * one.utilisation:.3g} %",
            f"{one.gain:,.0f} {currency}",
            _span(told, one),
        )
        for one in told.choices
    ]


def _span(told: Told, one: Choice) -> str:
    if one.hours >= 8760 and one.action.value in ("renew", "lapse"):
        return "1 year"
    return "1 month" if told.months_left is None else f"{told.months_left:.1f} months"
