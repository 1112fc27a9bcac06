"""The advice on one resource, drawn: its arithmetic, its limits, and what would change it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Final

from costopt.model import Effort, Recommendation, Skip
from costopt.report import assurance, ladder, why, words
from costopt.report.behaviour import unknown
from costopt.report.remedies import remedy
from costopt.report.screen import MONEY, PLAIN, QUIET, STRONG, WARN, Screen
from costopt.rules import sunk
from costopt.rules.base import Case, Fit, Outcome
from costopt.units import HOURS_PER_MONTH, cents, counted, per_month

_EFFORT: Final = {
    Effort.VERY_LOW: "very little effort",
    Effort.LOW: "little effort",
    Effort.MEDIUM: "some effort",
    Effort.HIGH: "much effort",
}
_STYLES: Final = {"Saved": MONEY, "Costs more": WARN, "Unreconciled": WARN, "Assumed": WARN}


def headline(outcomes: Sequence[Outcome], advice: Recommendation | None) -> str:
    """The answer in one line."""
    if advice is None:
        return _no_advice(outcomes)
    return f"{words.action(advice.action_type)}: {words.change(advice)}, {money(advice)}"


def money(advice: Recommendation) -> str:
    """`saves 239.25 USD a month`, or `costs 66.58 USD a month more`."""
    amount = words.amount(abs(advice.estimated_monthly_savings.target))
    if words.costs_more(advice):
        return f"costs {amount} {advice.currency} a month more"
    return f"saves {amount} {advice.currency} a month"


def draw(
    screen: Screen, case: Case, outcomes: Sequence[Outcome], advice: Recommendation | None
) -> None:
    """What to do, what it saves and how that is reckoned; or that there is nothing to do."""
    if advice is None:
        screen.paragraph(_no_advice(outcomes))
        for outcome in outcomes:
            if isinstance(outcome, Fit) and why.is_sizing(outcome.evidence):
                why.draw(screen, case, outcome.evidence, None)
        return
    screen.line((f"{words.action(advice.action_type)}: ", PLAIN), (words.change(advice), STRONG))
    screen.paragraph(words.size_change(advice), QUIET)
    screen.blank()
    for name, text in _arithmetic(case, advice):
        screen.labelled(name, text, _STYLES.get(name, PLAIN))
    screen.labelled("To do it", _to_do(advice))
    assurance.draw(screen, advice)
    sized = why.is_sizing(advice.evidence) and why.draw(screen, case, advice.evidence, advice)
    if not sized:
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
        # What falls on others' bills ends nothing of its own.
        own = min(abs(savings.high) - advice.saved_on_others, case.cost.compute)
        yield (
            "Adds" if words.costs_more(advice) else "Ends",
            f"{own / case.cost.compute * 100:.1f} % of {words.amount(case.cost.compute)} "
            f"{currency} of compute = {words.amount(own)} {currency} a month",
        )
    if stranded := advice.stranded_commitment:
        yield (
            "Commitment",
            f"{words.amount(stranded)} of it waits until the commitment that covers the machine "
            "is used elsewhere, or ends",
        )
    if advice.saved_on_others:
        yield (
            "On others",
            f"{words.amount(advice.saved_on_others)} {currency} a month more than it costs itself: "
            "what it frees of a commitment covers other machines",
        )
    change = words.amount(abs(savings.target))
    if words.costs_more(advice):
        yield "Costs more", f"{change} {currency} a month on the bill"
    elif sunk.parts(case.resource):
        yield "Saved", f"{change} {currency} a month of what it costs to own, capital among it"
    else:
        yield "Saved", f"{change} {currency} a month off the bill"
    if advice.unreconciled:
        yield "Unreconciled", "its bill reckoned anew is too far off what was billed; see the notes"
    if advice.assumed_coverage:
        yield "Assumed", f"{'; '.join(advice.assumed_coverage)}: never seen to"
    if case.cost:
        own = savings.target - advice.saved_on_others
        planned = advice.current_monthly_cost is not None  # what else is done comes before it
        left = advice.estimated_monthly_cost if planned else case.cost.monthly - own
        before = words.amount(cents(left) + cents(own))
        sign = "+" if words.costs_more(advice) else "-"
        yield (
            "Then",
            f"{before} {sign} {words.amount(abs(own))} = {words.amount(left)} {currency} a month",
        )


def _at_list(advice: Recommendation) -> str:
    """`0.768 → 0.192 USD an hour (75.0 % less) x 730 h = 560.64 → 140.16 USD a month`; "" where
    the price stays, and the hours do not."""
    if advice.schedule:
        return ""
    current, target = advice.current, advice.recommended
    before, after = current.hourly_price, target.hourly_price if target else Decimal(0)
    if not before or after is None or (target and target.currency != current.currency):
        return ""
    less = (1 - after / before) * 100
    than = "less" if less >= 0 else "more"
    return (
        f"{words.price(before)} → {words.price(after)} {current.currency} an hour "
        f"({abs(less):.1f} % {than}) x {HOURS_PER_MONTH} h = {words.amount(per_month(before))} → "
        f"{words.amount(per_month(after))} a month"
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
        (words.machine(offer), words.size(offer), f"{words.rate(offer.hourly_price)} an hour")
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
    if words.costs_more(advice):
        yield (
            "What it would use if it could: demand is cut off at today's size. This is one step "
            "up; look again once it has run there."
        )
    elif advice.backtest is None:
        yield "How this advice would have done on held-out weeks: it was not replayed."
    yield "Plans: it takes the weeks that were seen for the weeks to come."


# -- what would change it --------------------------------------------------------------------


def draw_changes(
    screen: Screen, case: Case, outcomes: Sequence[Outcome], advice: Recommendation | None
) -> None:
    """What would have to be otherwise for another answer."""
    changes = list(dict.fromkeys(_changes(case, outcomes, advice)))
    for text in changes or ["Nothing that costopt looks at."]:
        screen.bullet(text)


def _changes(
    case: Case, outcomes: Sequence[Outcome], advice: Recommendation | None
) -> Iterator[str]:
    if advice is not None:
        yield from _against(advice)
        return
    for outcome in outcomes:
        if isinstance(outcome, Skip):
            yield f"{outcome.rule or 'quality'}: {remedy(outcome) or outcome.detail}."
        elif isinstance(outcome, Fit):
            yield from _instead(case, outcome)


def _instead(case: Case, fit: Fit) -> Iterator[str]:
    """What would have to be otherwise for advice: for a size, the rollback cost among it."""
    if not why.is_sizing(fit.evidence):
        yield f"{fit.rule}: other demand, or other prices, than those above."
        return
    cost = fit.evidence.get("rollback_cost", {})
    if cost.get("windows") is None:
        yield (
            f"{fit.rule}: a larger risk budget (--risk-budget), or a longer past that shows it "
            "would be kept."
        )
    else:
        yield f"{fit.rule}: other demand, or other prices, than those above."
        now = f"--rollback-cost, now {words.figure(cost['windows'])}"
        even = ladder.break_even(case, fit.evidence)
        if even is None:
            yield f"{fit.rule}: no other rollback cost ({now}) makes a size above the better one."
        elif even[0] < cost["windows"]:
            yield (
                f"{fit.rule}: a cheaper rollback: where one costs less than "
                f"{counted(even[0], 'window', '.3g')} ({now}), {even[1]} is expected to cost less "
                "than today's machine."
            )
    if not fit.evidence.get("memory", {}).get("measured"):
        yield f"{fit.rule}: samples of memory_utilization: unmeasured, as much as today is kept."


def _against(advice: Recommendation) -> Iterator[str]:
    """What would take the advice back."""
    after, before, risk = advice.recommended, advice.current, advice.risk
    if words.costs_more(advice):
        yield "Less demand: CPU less often at its limit than in the weeks seen."
        return
    if advice.schedule:
        yield "Use at other hours than in the weeks seen."
    elif after and risk and after.vcpus and before.vcpus:
        today, limit = risk.limit_percent * after.vcpus / before.vcpus, risk.limit_percent
        yield (
            f"CPU above {today:.3g} % of today's machine ({words.figure(limit)} % of the new one) "
            "more often than in the weeks seen."
        )
    if flip := _flip(advice):
        yield flip
    if after is None:
        yield "Any figure above on the other side of its limit: then it is in use."
    saving = advice.estimated_monthly_savings
    least = words.amount(saving.target or saving.high)
    yield f"A smallest saving worth a change above {least} {advice.currency} a month."


def _flip(advice: Recommendation) -> str:
    """The rollback cost at which another size is the answer; "" where none is known."""
    cost = advice.evidence["rollback_cost"] if why.is_sizing(advice.evidence) else {}
    if cost.get("windows") is None or cost.get("flips_at") is None:
        return ""
    horizon = advice.risk.horizon_days if advice.risk else None
    days = f" of {counted(horizon, 'day', ',.4g')}" if horizon else ""
    now = f"--rollback-cost, now {words.figure(cost['windows'])}"
    return (
        "A dearer rollback: this stays the answer until one costs more than "
        f"{counted(cost['flips_at'], 'window', '.3g')}{days} ({now}); then {cost['flips_to']} is."
    )
