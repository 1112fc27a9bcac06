"""Check: every policy asked of everything in the lake, or of what a plan would change."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from itertools import chain

from costopt.lake.store import Lake
from costopt.model.check import SEVERITIES, Check, PlannedCost, Verdict, Waiver
from costopt.pipeline.analysing import Analysis
from costopt.policy import subjects
from costopt.policy.evaluate import Judged, judged
from costopt.policy.pack import Policy
from costopt.policy.planned import table
from costopt.policy.planned.priced import priced
from costopt.policy.planned.terraform import Plan
from costopt.policy.waivers import known, of_nothing, waived
from costopt.pricing.catalogue import Catalogue
from costopt.units import counted


def check(
    analysis: Analysis,
    policies: Sequence[Policy],
    *,
    today: date,
    waivers: Sequence[Waiver] = (),
    baseline: frozenset[str] = frozenset(),
    min_monthly: Decimal = Decimal(0),
) -> Check:
    """What the policies say of the fleet.

    Args:
        today: by which waivers end.
        baseline: findings that were there before.
        min_monthly: findings of less a month are left out; those of which no amount is known stay.
    """
    asked = [policy for policy in policies if not of_plans(policy)]
    resources = subjects.resources(analysis.cases, analysis.report)
    found = [
        judged(_over("resource", asked), resources, "resource.id", "resource.name"),
        judged(_over("fleet", asked), subjects.fleet(analysis.report), subjects.ID, subjects.NAME),
    ]
    verdicts, notes = _counted(
        found,
        analysis.report.currency,
        today=today,
        waivers=waivers,
        baseline=baseline,
        min_monthly=min_monthly,
    )
    return Check(
        as_of=analysis.as_of,
        currency=analysis.report.currency,
        policies=tuple(policy.about for policy in asked),
        verdicts=verdicts,
        unjudged=tuple(chain.from_iterable(one.unjudged for one in found)),
        passed={name: count for one in found for name, count in one.passed.items()},
        resources=len(resources),
        notes=(*notes, *analysis.report.notes),
    )


def check_plan(
    plan: Plan,
    lake: Lake,
    policies: Sequence[Policy],
    *,
    analysis: Analysis | None,
    currency: str,
    moment: datetime,
    waivers: Sequence[Waiver] = (),
    baseline: frozenset[str] = frozenset(),
    min_monthly: Decimal = Decimal(0),
) -> Check:
    """What the policies over changes, and those over all that is planned, say of a plan.

    Args:
        lake: its prices stand above the shipped ones.
        analysis: of what runs, which the changes are joined with; None = nothing is known of it.
        currency: of the amounts, where no analysis says it.
        moment: that it speaks from; waivers end by its day.
    Raises:
        InputError: the plan holds an attribute that is of another kind than its provider has it.
    """
    asked = [policy for policy in policies if of_plans(policy)]
    currency = analysis.report.currency if analysis else currency
    running = subjects.resources(analysis.cases, analysis.report) if analysis else None
    catalogue = Catalogue.load(lake.read("prices"), lake.read("shapes"), lake.read("rates"))
    costs = priced(plan, catalogue, currency)
    changes, whole = (of(costs, currency, running) for of in (table.changes, table.fleet))
    found = [
        judged(_over("change", asked), changes, "change.address", "change.address"),
        judged(_over("fleet", asked), whole, subjects.ID, subjects.NAME),
    ]
    verdicts, notes = _counted(
        found,
        currency,
        today=moment.date(),
        waivers=waivers,
        baseline=baseline,
        min_monthly=min_monthly,
    )
    return Check(
        as_of=moment,
        currency=currency,
        policies=tuple(policy.about for policy in asked),
        verdicts=verdicts,
        unjudged=tuple(chain.from_iterable(one.unjudged for one in found)),
        passed={name: count for one in found for name, count in one.passed.items()},
        resources=len(costs),
        notes=tuple(notes),
        planned=tuple(
            PlannedCost(
                one.planned.address,
                one.planned.action,
                one.planned.kind,
                one.monthly_before,
                one.monthly,
                one.unpriced,
            )
            for one in costs
        ),
    )


def of_plans(policy: Policy) -> bool:
    """Whether it is asked of a plan, not of what runs."""
    planned = any(path.startswith("fleet.planned_") for path in policy.fields)
    return policy.text.over == "change" or (policy.text.over == "fleet" and planned)


def _over(what: str, policies: Sequence[Policy]) -> list[Policy]:
    return [policy for policy in policies if policy.text.over == what]


def _counted(
    found: Sequence[Judged],
    currency: str,
    *,
    today: date,
    waivers: Sequence[Waiver],
    baseline: frozenset[str],
    min_monthly: Decimal,
) -> tuple[tuple[Verdict, ...], list[str]]:
    """The findings that are told, the most severe first, and notes of those that are not."""
    every = waived(chain.from_iterable(one.verdicts for one in found), waivers, today)
    large = [one for one in every if one.monthly is None or one.monthly >= min_monthly]
    notes = of_nothing(every, waivers)
    if small := len(every) - len(large):
        amount = f"{min_monthly:,.2f} {currency}"
        notes.append(f"{counted(small, 'finding')} of less than {amount} a month left out")
    return tuple(sorted(known(large, baseline), key=_order)), notes


def _order(one: Verdict) -> tuple[int, Decimal, str, str]:
    """The most severe first, then the dearest."""
    return SEVERITIES.index(one.severity), -(one.monthly or Decimal(0)), one.policy, one.subject
