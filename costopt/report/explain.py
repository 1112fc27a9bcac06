"""The whole story of one resource in plain words, whatever became of it.

What it is, costs and did; what every rule thought of it and on which figures; the advice with its
arithmetic step by step; what this cannot see; and what would change the answer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from costopt.model import Cost, Recommendation, Report, Resource, Skip, is_machine
from costopt.report import behaviour, evidence, verdict, why, words
from costopt.report.screen import MARGIN, MONEY, QUIET, STRONG, WARN, Screen
from costopt.rules import sunk
from costopt.rules.base import Case, Fit, Outcome

WIDTH: Final = 100
_WIDEST: Final = 120  # prose gets hard to read beyond it


def explain(
    case: Case,
    outcomes: Sequence[Outcome],
    report: Report,
    *,
    width: int = WIDTH,
    colour: bool = False,
) -> str:
    """The story of the case's resource.

    Args:
        outcomes: what each rule said of it; None = the rule does not concern it.
        report: what the plan made of it; its recommendation and skips are looked up.
        width: columns of the screen.
        colour: with ANSI colours.
    """
    screen = Screen(min(width, _WIDEST), colour=colour)
    wanted = case.resource.resource_id
    taken = [r for r in report.recommendations if r.resource_id == wanted]
    advice = taken[0] if taken else None
    screen.blank()
    screen.line((case.resource.resource_name or wanted, STRONG))
    good = advice is not None and not words.costs_more(advice)
    screen.paragraph(verdict.headline(outcomes, advice), MONEY if good else WARN)
    for other in taken[1:]:
        screen.paragraph(f"and {verdict.headline(outcomes, other)}", MONEY)
    screen.blank()
    _what_it_is(screen, case)
    _what_it_costs(screen, case)
    if is_machine(case.resource):
        _section(screen, "What it did")
        behaviour.draw(screen, case)
    _section(screen, "What the rules say")
    _rules(screen, outcomes, taken)
    _section(screen, "The advice")
    verdict.draw(screen, case, outcomes, advice)
    _section(screen, "What would change the answer")
    verdict.draw_changes(screen, case, outcomes, advice)
    return screen.text()


def _section(screen: Screen, title: str) -> None:
    screen.blank()
    screen.title(title)


# -- what it is, and costs -------------------------------------------------------------------


def _what_it_is(screen: Screen, case: Case) -> None:
    resource = case.resource
    facts = {
        "Id": resource.resource_id,
        "What": _kind(case),
        "Where": _where(resource),
        "State": resource.state or "",
        "Since": _since(resource),
        "Scaling group": resource.scaling_group or "",
        "Clock": resource.time_zone,
        "Tags": ", ".join(f"{key}={value}" for key, value in sorted(resource.tags.items())),
    }
    for label, text in facts.items():
        if text:
            screen.labelled(label, text)


def _kind(case: Case) -> str:
    resource, offer = case.resource, case.current
    parts = [resource.instance_type, words.size(offer)] if is_machine(resource) else []
    architecture = case.shape.architecture if case.shape else resource.architecture
    parts += [resource.resource_type, resource.service_name, architecture]
    parts += [resource.operating_system, resource.pricing_category]
    return ", ".join(part for part in parts if part) or "unknown"


def _where(resource: Resource) -> str:
    account = f"account {resource.sub_account_id}" if resource.sub_account_id else None
    parts = (resource.provider_name, resource.region_id, account)
    return ", ".join(part for part in parts if part)


def _since(resource: Resource) -> str:
    parts = []
    if resource.launched_at:
        parts.append(f"launched {resource.launched_at:%Y-%m-%d}")
    if resource.resized_at:
        parts.append(f"in this size since {resource.resized_at:%Y-%m-%d}: judged from then on")
    return ", ".join(parts)


def _what_it_costs(screen: Screen, case: Case) -> None:
    _section(screen, "What it costs")
    cost = case.cost
    if cost is None:
        screen.paragraph("Unknown: no bill names it, and no price list either.")
        return
    currency, machine = cost.currency, is_machine(case.resource)
    by = "the bill, after discounts" if cost.basis == "charges" else "the list price"
    screen.labelled("A month", f"{words.amount(cost.monthly)} {currency}, by {by}")
    if machine:
        ends = f"{words.amount(cost.compute)} {currency}, billed by the time it runs"
        screen.labelled("Compute", ends)
    if machine and cost.monthly != cost.compute:
        stays = f"{words.amount(cost.monthly - cost.compute)} {currency}"
        screen.labelled("Bills on", f"{stays} (disks, addresses, traffic, licences, credits)")
    if machine and (hourly := _hourly(case, cost)):
        screen.labelled("An hour", hourly)
    if made_of := sunk.parts(case.resource):
        each = " + ".join(f"{name} {words.price(amount)}" for name, amount in made_of.items())
        screen.labelled("Made of", f"{each} an hour; capital is paid already")
    if machine and cost.basis == "charges":
        committed = f"; {words.percent(cost.committed_share)} of it under a commitment"
        running = f"{words.percent(cost.running_share)} of the time"
        screen.labelled("Billed", running + (committed if cost.committed_share else ""))


def _hourly(case: Case, cost: Cost) -> str:
    parts = []
    if case.price:
        price = f"{words.price(case.price.list_unit_price)} {case.price.currency}"
        since = f" (list price of {case.price.valid_from})" if case.price.valid_from else " (list)"
        parts.append(price + since)
    if cost.basis == "charges" and cost.hourly_effective is not None:
        parts.append(f"{words.rate(cost.hourly_effective)} {cost.currency} (as billed)")
    elif cost.compute != cost.compute_list:
        parts.append("less the sustained use discount of a whole month")
    return ", ".join(parts)


# -- what the rules say ----------------------------------------------------------------------


def _rules(screen: Screen, outcomes: Sequence[Outcome], taken: Sequence[Recommendation]) -> None:
    advice = taken[0] if taken else None
    beside = {one.rule: one for one in taken[1:]}
    spoken = [outcome for outcome in outcomes if outcome is not None]
    if not spoken:
        screen.paragraph("No rule concerns this kind of resource.")
    for number, outcome in enumerate(spoken):
        if number:
            screen.blank()
        screen.line((outcome.rule or "quality gate", STRONG), (f"  {_verdict(outcome)}", QUIET))
        screen.paragraph(_told(outcome), indent=MARGIN + 2)
        if isinstance(outcome, Recommendation) and advice and outcome.rule != advice.rule:
            text = _beside(beside[outcome.rule]) if outcome.rule in beside else _instead(advice)
            screen.paragraph(text, QUIET, indent=MARGIN + 2)
        if not isinstance(outcome, Skip):
            evidence.draw(screen, _unexplained(outcome, advice), indent=MARGIN + 2)


def _instead(advice: Recommendation) -> str:
    return f"Not taken: {advice.rule} saves more, and the same money is saved only once."


def _beside(other: Recommendation) -> str:
    """Of advice that is done as well."""
    return f"Part of the plan as well: beside the other change it {verdict.money(other)}."


def _unexplained(outcome: Recommendation | Fit, advice: Recommendation | None) -> Mapping[str, Any]:
    """Its evidence but for what the advice explains further down."""
    explained = advice is None or advice.rule == outcome.rule
    if explained and why.is_sizing(outcome.evidence):
        return why.untold(outcome.evidence)
    return outcome.evidence


def _verdict(outcome: Recommendation | Skip | Fit) -> str:
    if isinstance(outcome, Recommendation):
        return f"{words.action(outcome.action_type)}: {verdict.money(outcome)}"
    return f"no advice: {outcome.reason}" if isinstance(outcome, Skip) else "nothing to change"


def _told(outcome: Recommendation | Skip | Fit) -> str:
    return outcome.reason if isinstance(outcome, Recommendation) else outcome.detail
