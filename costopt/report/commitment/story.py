"""One purchase, or one commitment that is held, with every figure behind it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from costopt.model import Recommendation, Report, Skip
from costopt.optimize.commitment import Action, Choice
from costopt.report import evidence, words
from costopt.report.commitment.text import bound, tranche
from costopt.report.screen import HEAD, MARGIN, MONEY, PLAIN, QUIET, STRONG, WARN, Screen
from costopt.rules.commit import Commitments
from costopt.rules.commit.over import ended
from costopt.rules.commit.told import Told, sentence

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
    held = [
        holding.told_of(one)
        for holding in found.holdings
        for one in holding.in_force
        if wanted in (one.commitment_id, one.name)
    ]
    over = [one for one in found.over if wanted in (one.commitment_id, one.name)]
    for one in advice:
        _purchase(screen, one)
    for skip in skips:
        _skip(screen, skip)
    for told in held:
        _held(screen, told, report.currency)
    for gone in over:
        _title(screen, gone.name, gone.commitment_id)
        screen.paragraph(f"{ended(gone, report.currency)}.")
    return screen.text() if advice or skips or held or over else None


def known(found: Commitments, report: Report) -> list[str]:
    """All that has a story, by the name that people would type."""
    held = [one.name for holding in found.holdings for one in holding.in_force]
    over = [one.name for one in found.over]
    told = {one.resource_id for one in report.recommendations}
    told |= {skip.resource_id for skip in report.skips}
    return [*sorted(told), *sorted({*held, *over})]


def _title(screen: Screen, name: str, its_id: str) -> None:
    """The id on a line of its own, whole: it is there to be copied."""
    screen.blank()
    if its_id != name:
        screen.line((name, STRONG))
    screen.command(its_id, STRONG if its_id == name else QUIET, indent=MARGIN)


def _purchase(screen: Screen, one: Recommendation) -> None:
    saving, currency = one.estimated_monthly_savings, one.currency
    _title(screen, words.name(one), one.resource_id)
    screen.paragraph(f"{one.reason}.")
    screen.blank()
    screen.title("A month")
    for label, amount, style in (
        ("Expected", saving.target, MONEY),
        ("Lowest 4 weeks", saving.low, WARN if saving.low < 0 else PLAIN),
        ("At best", saving.high, PLAIN),
    ):
        screen.labelled(label, f"{words.amount(amount)} {currency}", style)
    screen.paragraph(f"It {bound(one)}.", QUIET)
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
    screen.command(skip.resource_id, STRONG, indent=MARGIN)
    screen.line((f"no advice: {skip.reason}", WARN))
    screen.paragraph(skip.detail)


def _held(screen: Screen, told: Told, currency: str) -> None:
    _title(screen, told.name, told.commitment_id)
    unknown = "" if told.ends else "; the inventory does not say when it ends"
    screen.paragraph(f"{sentence(told, currency)}{unknown}.")
    screen.blank()
    screen.title("What can be done with it")
    heads = [("Action", HEAD), ("How much", HEAD), ("Used", HEAD), ("Brings", HEAD), ("Over", HEAD)]
    rows = [heads, *([(cell, PLAIN) for cell in row] for row in _rows(told, currency))]
    screen.table(rows, [False, True, True, True, True])
    screen.paragraph(
        "Brings: against keeping it as it is; of renewing, against not renewing. Paid upfront is "
        "paid either way and counts in neither.",
        QUIET,
    )


def _rows(told: Told, currency: str) -> Sequence[Sequence[str]]:
    return [
        (
            one.action.value + (f" for {one.into}" if one.into else ""),
            told.part(one.quantity),
            f"{100 * round(one.utilisation, 4):.3g} %",
            f"{one.gain:,.0f} {currency}",
            _span(told, one),
        )
        for one in told.choices
        # What takes its place is a purchase, and more careful than a renewal of all that was used.
        if told.bought_anew is None or one.action is not Action.RENEW
    ]


def _span(told: Told, one: Choice) -> str:
    if one.hours >= 8760 and one.action.value in ("renew", "lapse"):
        return "1 year"
    return "1 month" if told.months_left is None else f"{told.months_left:.1f} months"
