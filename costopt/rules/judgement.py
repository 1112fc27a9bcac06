"""Rules asked one by one, and what they said summed up: cases in, a Report out."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import replace
from types import MappingProxyType
from typing import Final

from costopt import registry
from costopt.config import Settings
from costopt.frame.cost import FleetCost
from costopt.model import (
    Finding,
    Recommendation,
    Report,
    Skip,
    Summary,
    Window,
    is_stopped,
)
from costopt.pricing.catalogue import Catalogue
from costopt.rules import sunk
from costopt.rules.base import Case, Outcome, Rule, RuleSettings, well_sized
from costopt.rules.commit.settings import CommitSettings
from costopt.rules.move.settings import MoveSettings
from costopt.rules.plan import Plan
from costopt.rules.prices import dated
from costopt.rules.ranking import extra_cost, order
from costopt.schema import PUBLISHED
from costopt.units import counted

OF_FLEETS: Final[Mapping[str, type[RuleSettings]]] = MappingProxyType(
    {"commit": CommitSettings, "move": MoveSettings}
)
"""Rules that judge no single resource, with their settings."""


def judges_of(names: Sequence[str], settings: Settings) -> list[Rule]:
    """The rules of those names, with their settings."""
    for unknown in settings.rules.keys() - {*registry.names("rule"), *OF_FLEETS}:
        registry.find("rule", unknown)  # says that there is none, and the nearest
    rules = [registry.find("rule", name) for name in names]
    return [rule(settings.of_rule(rule.code, rule.Settings)) for rule in rules]


def judge(
    case: Case, barred: Skip | None, judges: Sequence[Rule], currency: str
) -> tuple[Outcome, ...]:
    """What each rule says of a case; where the gate bars it, what the gate says."""
    if barred and not is_stopped(case.resource):  # that has no samples for a good reason
        return (barred,)
    said = (sunk.told(case, judge.judge(case)) for judge in judges)
    return tuple(
        _in_currency(dated(one, case) if isinstance(one, Recommendation) else one, currency)
        for one in said
    )


def _in_currency(outcome: Outcome, currency: str) -> Outcome:
    """Amounts of another currency cannot stand in the same sum."""
    if not isinstance(outcome, Recommendation) or outcome.currency == currency:
        return outcome
    saving = f"{outcome.estimated_monthly_savings.target} {outcome.currency}"
    detail = (
        f"would save {saving} a month, but amounts here are in {currency}: "
        f'set currency = "{outcome.currency}" to see it'
    )
    return Skip(outcome.resource_id, outcome.rule, "other-currency", detail)


def refused_prices(catalogue: Catalogue) -> tuple[str, ...]:
    """Notes on the prices that the sanity gate did not take: the user's own, and those that a
    provider itself gave."""
    own = [one for one in catalogue.refusals if one.price.source not in PUBLISHED]
    listed = [one for one in catalogue.refusals if one.price.source in PUBLISHED]
    return tuple(
        f"{counted(len(refused), 'price')} {whose} refused, first: {refused[0].detail}"
        for whose, refused in (("of yours", own), ("of the provider's", listed))
        if refused
    )


def shown_budget(cases: Iterable[Case]) -> tuple[str, ...]:
    """A note on the risk budget: what the fleet's past shows of it, and what that makes of advice;
    none where there is no budget."""
    outlooks = (case.outlook for case in cases)
    shown = next((one.fleet_budget for one in outlooks if one and one.fleet_budget), None)
    if shown is None:
        return ()
    budget = f"risk budget {100 * shown.budget:g} %"
    past = f"the past of {counted(shown.machines, 'machine')}"
    bound = f"{100 * shown.bound:.3g} %"
    if math.isinf(shown.rollback_cost):
        return (f"{budget}: {past} can show {bound} at best, so nothing is made smaller",)
    cost = counted(shown.rollback_cost, "window", ".3g")
    return (f"{budget}: {past} shows {bound} with a rollback as dear as {cost}",)


def summed_up(
    window: Window,
    outcomes: Mapping[str, tuple[Outcome, ...]],
    found: Plan,
    *,
    findings: Mapping[str, tuple[Finding, ...]],
    spend: FleetCost,
    notes: tuple[str, ...],
) -> Report:
    """The plan, what was skipped and why, and totals that add up."""
    advice, saved = found.recommendations, found.monthly_savings
    skips = (*_skips(outcomes, {r.resource_id for r in advice}), *found.skips)
    summary = Summary(
        monthly_spend=spend.monthly,
        monthly_savings=saved,
        monthly_spend_after=spend.monthly - saved,
        reconciled_percent=spend.reconciled_percent,
        resources=len(outcomes),
        well_sized=sum(well_sized(said) for said in outcomes.values()),
        recommendations=len(advice),
        skips=dict(sorted(Counter(skip.reason for skip in skips).items())),
        monthly_extra_cost=extra_cost(advice),
    )
    return Report(
        as_of=window.end,
        window=window,
        currency=spend.currency,
        summary=summary,
        recommendations=advice,
        skips=skips,
        findings=tuple(f for of_it in findings.values() for f in of_it),
        steps=found.steps,
        notes=notes,
    )


def independent(report: Report, outcomes: Iterable[Sequence[Outcome]]) -> Report:
    """The report with all that rules advise in place of the plan, each as if it stood alone."""
    every = [one for said in outcomes for one in said if isinstance(one, Recommendation)]
    note = (
        "each recommendation as if it stood alone: several on one resource, or on machines of one "
        "commitment, do not add up; the totals are the plan's"
    )
    return replace(
        report,
        recommendations=tuple(sorted(every, key=order)),
        steps=(),
        notes=(*report.notes, note),
        independent=True,
    )


def _skips(outcomes: Mapping[str, tuple[Outcome, ...]], advised: Set[str]) -> tuple[Skip, ...]:
    """Every abstention on resources without advice; one reason is told once a resource."""
    found: dict[tuple[str, str], Skip] = {}
    for resource_id, said in outcomes.items():
        for skip in said:
            if isinstance(skip, Skip) and resource_id not in advised:
                found.setdefault((resource_id, skip.reason), skip)
    return tuple(found[key] for key in sorted(found))
