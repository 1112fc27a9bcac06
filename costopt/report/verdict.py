"""The advice on one resource, drawn: its arithmetic, its limits, and what would change it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Final

from costopt.model import Effort, Recommendation, Skip
from costopt.report import ladder, words
from costopt.report.behaviour import unknown
from costopt.report.remedies import REMEDIES
from costopt.report.screen import MONEY, PLAIN, QUIET, STRONG, Screen
from costopt.rules.base import Case, Fit, Outcome
from costopt.units import HOURS_PER_MONTH, per_month

_EFFORT: Final = {
    Effort.VERY_LOW: "very little effort",
    Effort.LOW: "little effort",
    Effort.MEDIUM: "some effort",
    Effort.HIGH: "much effort",
}


def headline(outcomes: Sequence[Outcome], advice: Recommendation | None) -> str:
    """The answer in one line."""
    if advice is None:
        return _no_advice(outcomes)
    saving = f"{words.amount(advice.estimated_monthly_savings.target)} {advice.currency}"
    return f"{words.action(advice.action_type)}: {words.change(advice)}, saves {saving} a month"


def draw(
    screen: Screen, case: Case, outcomes: Sequence[Outcome], advice: Recommendation | None
) -> None:
    """What to do, what it saves and how that is reckoned; or that there is nothing to do."""
    if advice is None:
        screen.paragraph(_no_advice(outcomes))
        for outcome in outcomes:
            if isinstance(outcome, Fit):
                ladder.draw(screen, case, outcome.evidence, None)
        return
    screen.line((f"{words.action(advice.action_type)}: ", PLAIN), (words.change(advice), STRONG))
    screen.paragraph(words.size_change(advice), QUIET)
    screen.blank()
    for name, text in _arithmetic(case, advice):
        screen.labelled(name, text, MONEY if name == "Saved" else PLAIN)
    if advice.risk:
        screen.labelled("Over limit", _risk(advice))
    screen.labelled("To do it", _to_do(advice))
    ladder.draw(screen, case, advice.evidence, advice.recommended)
    _alternatives(screen, advice)
    screen.blank()
    screen.line(("What this cannot see", STRONG))
    for text in _blind_spots(case, advice):
        screen.bullet(text)


def _no_advice(outcomes: Sequence[Outcome]) -> str:
    spoken = [outcome for outcome in outcomes if outcome is not None]
    if not spoken:
        return "No advice: no rule concerns this kind of resource."
    if all(isinstance(outcome, Fit) for outcome in spoken):
        return "Well sized: it was judged, and there is nothing to change."
    return "No advice: evidence is missing, or speaks against a change."


# -- the arithmetic --------------------------------------------------------------------------


def _arithmetic(case: Case, advice: Recommendation) -> Iterator[tuple[str, str]]:
    """The saving as sums that a person can redo, one a line."""
    savings, currency = advice.estimated_monthly_savings, advice.currency
    if at_list := _at_list(advice):
        yield "At list", at_list
    if case.cost and case.cost.compute:
        share = savings.high / case.cost.compute
        yield (
            "Ends",
            f"{share * 100:.1f} % of {words.amount(case.cost.compute)} {currency} of compute "
            f"= {words.amount(savings.high)} {currency} a month",
        )
    if stranded := advice.stranded_commitment:
        yield (
            "Commitment",
            f"{words.amount(stranded)} of it waits until the commitment that covers the machine "
            "is used elsewhere, or ends",
        )
    yield "Saved", f"{words.amount(savings.target)} {currency} a month off the bill"
    if case.cost:
        before, left = case.cost.monthly, words.less(case.cost.monthly, savings.target)
        sums = f"{words.amount(before)} - {words.amount(savings.target)} = {left}"
        yield "Left", f"{sums} {currency} a month"


def _at_list(advice: Recommendation) -> str:
    """`0.768 → 0.192 USD an hour (75.0 % less) x 730 h = 560.64 → 140.16 USD a month`."""
    before = advice.current.hourly_price
    after = advice.recommended.hourly_price if advice.recommended else Decimal(0)
    if not before or after is None:
        return ""
    less = (1 - after / before) * 100
    return (
        f"{words.price(before)} → {words.price(after)} {advice.currency} an hour "
        f"({less:.1f} % less) x {HOURS_PER_MONTH} h = {words.amount(per_month(before))} → "
        f"{words.amount(per_month(after))} a month"
    )


def _risk(advice: Recommendation) -> str:
    risk = advice.risk
    assert risk is not None  # the caller looked
    return (
        f"CPU is expected above {words.figure(risk.limit_percent)} % of the new size for "
        f"{words.percent(risk.expected_share)} of the time, {words.at_most(risk.upper_bound)} "
        f"({risk.method})"
    )


def _to_do(advice: Recommendation) -> str:
    restart = "with a restart" if advice.restart_needed else "without a restart"
    back = "can be undone" if advice.rollback_possible else "cannot be undone"
    return f"{_EFFORT[advice.implementation_effort]}, {restart}; {back}"


def _alternatives(screen: Screen, advice: Recommendation) -> None:
    if not advice.alternatives:
        return
    screen.blank()
    screen.line(("Alternatives", STRONG))
    rows = [
        (words.machine(offer), words.size(offer), f"{words.price(offer.hourly_price)} an hour")
        for offer in advice.alternatives
    ]
    screen.table([[(cell, PLAIN) for cell in row] for row in rows], [False, False, False])


# -- its limits ------------------------------------------------------------------------------


def _blind_spots(case: Case, advice: Recommendation) -> Iterator[str]:
    if missing := unknown(case):
        yield f"{', '.join(missing)}."
    yield "Peaks shorter than a sample: what counts are means over each period."
    if advice.estimated_monthly_savings.basis == "list":
        yield "Your discounts and commitments: no bill names it, so the saving is at list price."
    if advice.backtest is None:
        yield "How this advice would have done on held-out weeks: it was not replayed."
    yield "Plans: it takes the weeks that were seen for the weeks to come."


# -- what would change it --------------------------------------------------------------------


def draw_changes(
    screen: Screen, outcomes: Sequence[Outcome], advice: Recommendation | None
) -> None:
    """What would have to be otherwise for another answer."""
    changes = list(dict.fromkeys(_changes(outcomes, advice)))
    for text in changes or ["Nothing that costopt looks at."]:
        screen.bullet(text)


def _changes(outcomes: Sequence[Outcome], advice: Recommendation | None) -> Iterator[str]:
    if advice is not None:
        yield from _against(advice)
        return
    for outcome in outcomes:
        if isinstance(outcome, Skip):
            remedy = REMEDIES.get(outcome.reason)
            yield f"{outcome.rule or 'quality'}: {remedy or outcome.detail}."
        elif isinstance(outcome, Fit):
            yield f"{outcome.rule}: other demand, or other prices, than those above."


def _against(advice: Recommendation) -> Iterator[str]:
    """What would take the advice back."""
    after, before, risk = advice.recommended, advice.current, advice.risk
    if after and risk and after.vcpus and before.vcpus:
        today = risk.limit_percent * after.vcpus / before.vcpus
        yield (
            f"CPU above {today:.3g} % of today's machine (which is "
            f"{words.figure(risk.limit_percent)} % of the new one) more often than that."
        )
    if after is None:
        yield "Any figure above on the other side of its limit: then it is in use."
    least = words.amount(advice.estimated_monthly_savings.high)
    yield f"A smallest saving worth a change above {least} {advice.currency} a month."
