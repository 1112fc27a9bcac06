"""A report on a part of the fleet, or the head of one: what is left out is said, never hidden."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal

from costopt.model import Report, Summary
from costopt.rules.base import Case, Outcome, well_sized
from costopt.rules.plan import extra_cost


def narrow(
    report: Report,
    cases: Mapping[str, Case],
    outcomes: Mapping[str, Sequence[Outcome]],
    chosen_by: str,
) -> Report:
    """The report on those cases alone, with totals of their own.

    Spend is what these resources cost, so that the saving stands against it; what share of the bill
    is reconciled is a question to the whole fleet and becomes None.

    Args:
        cases: of the chosen resources.
        outcomes: of at least these resources.
        chosen_by: how they were chosen, for the note.
    """
    costs = (case.cost for case in cases.values() if case.cost)
    spend = sum((c.monthly for c in costs if c.currency == report.currency), Decimal(0))
    chosen = tuple(r for r in report.recommendations if r.resource_id in cases)
    saved = sum((r.estimated_monthly_savings.target for r in chosen), Decimal(0))
    skips = tuple(skip for skip in report.skips if skip.resource_id in cases)
    note = f"{len(cases):,} of {report.summary.resources:,} resources, chosen by {chosen_by}"
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
        findings=tuple(f for f in report.findings if f.resource_id in cases),
        notes=(*report.notes, note),
    )


def first(report: Report, limit: int) -> Report:
    """The report with its `limit` largest recommendations; 0 = all. Totals stay the whole's."""
    return replace(report, recommendations=report.recommendations[: limit or None])
