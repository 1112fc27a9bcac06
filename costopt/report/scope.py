"""A report on a part of the fleet, or the head of one: what is left out is said, never hidden."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal

from costopt.model import PURCHASES, Cost, Recommendation, Report, Summary
from costopt.report import words
from costopt.rules.base import Case, Outcome, well_sized
from costopt.rules.groups import by_group
from costopt.rules.plan import steps_of
from costopt.rules.ranking import extra_cost
from costopt.units import counted, provider_key


def narrow(
    report: Report,
    cases: Mapping[str, Case],
    outcomes: Mapping[str, Sequence[Outcome]],
    chosen_by: str,
    *,
    providers: Collection[str] = (),
) -> Report:
    """The report on those cases alone, with totals of their own.

    Spend is what these resources cost, so that the saving stands against it; what share of the bill
    is reconciled is a question to the whole fleet and becomes None.

    Args:
        cases: of the chosen resources.
        outcomes: of at least these resources.
        chosen_by: how they were chosen, for the note.
        providers: `provider_key`s whose purchases, which serve a whole bill, belong to it.
    """
    spend = sum((c.monthly for c in _costs(cases) if c.currency == report.currency), Decimal(0))
    whole = {
        one.resource_id
        for one in report.recommendations
        if one.action_type in PURCHASES and provider_key(one.current.provider_name) in providers
    }
    chosen = tuple(
        one
        for one in report.recommendations
        if one.resource_id in cases or one.resource_id in whole
    )
    saved = sum((r.estimated_monthly_savings.target for r in chosen), Decimal(0))
    skips = tuple(skip for skip in report.skips if skip.resource_id in cases)
    note = (
        f"{len(cases):,} of {counted(report.summary.resources, 'resource')}, chosen by {chosen_by}"
    )
    return replace(
        report,
        summary=Summary(
            monthly_spend=spend,
            monthly_savings=saved,
            monthly_spend_after=spend - saved,
            reconciled_percent=None,
            resources=len(cases),
            well_sized=sum(well_sized(outcomes[resource_id]) for resource_id in cases),
            recommendations=len(chosen),
            skips=dict(sorted(Counter(skip.reason for skip in skips).items())),
            monthly_extra_cost=extra_cost(chosen),
        ),
        recommendations=chosen,
        skips=skips,
        steps=steps_of(chosen),
        bills=tuple(one for one in report.bills if not providers or one.provider in providers),
        findings=tuple(f for f in report.findings if f.resource_id in cases),
        notes=(*report.notes, note),
    )


def _costs(cases: Mapping[str, Case]) -> Iterator[Cost]:
    """What each costs; of a scaling group and its members only the members, which it is made of."""
    made_of = by_group(cases.values())
    for resource_id, case in cases.items():
        if case.cost and not (case.replicas is not None and resource_id in made_of):
            yield case.cost


def first(report: Report, limit: int) -> Report:
    """The report with its `limit` largest savings and as many larger machines; 0 = all.

    Totals stay the whole's, and a note says what is left out.
    """
    if not limit:
        return report
    saving, adding = words.parted(report.recommendations)
    left_out = [
        f"{counted(len(hidden), what)} {worth} {_sum(hidden)} {report.currency} a month"
        for hidden, what, worth in (
            (saving[limit:], "recommendation", "worth"),
            (adding[limit:], "larger machine", "for"),
        )
        if hidden
    ]
    if not left_out:
        return report
    note = f"not shown, by --limit {limit}: {', and '.join(left_out)}"
    shown = (*saving[:limit], *adding[:limit])
    return replace(report, recommendations=shown, notes=(*report.notes, note))


def _sum(advice: Sequence[Recommendation]) -> str:
    return words.amount(abs(sum((r.estimated_monthly_savings.target for r in advice), Decimal(0))))
