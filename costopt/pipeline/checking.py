"""Check: every policy asked of everything in the lake."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from itertools import chain

from costopt.model.check import SEVERITIES, Check, Verdict, Waiver
from costopt.pipeline.analysing import Analysis
from costopt.policy import subjects
from costopt.policy.evaluate import Judged, judged
from costopt.policy.pack import Policy
from costopt.policy.waivers import known, of_nothing, waived
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
    asked = {
        over: [policy for policy in policies if policy.text.over == over]
        for over in ("resource", "fleet")
    }
    resources = subjects.resources(analysis.cases, analysis.report)
    found: list[Judged] = [
        judged(asked["resource"], resources, "resource.id", "resource.name"),
        judged(asked["fleet"], subjects.fleet(analysis.report), subjects.ID, subjects.NAME),
    ]
    every = waived(chain.from_iterable(one.verdicts for one in found), waivers, today)
    large = [one for one in every if one.monthly is None or one.monthly >= min_monthly]
    notes = of_nothing(every, waivers)
    if small := len(every) - len(large):
        amount = f"{min_monthly:,.2f} {analysis.report.currency}"
        notes.append(f"{counted(small, 'finding')} of less than {amount} a month left out")
    return Check(
        as_of=analysis.as_of,
        currency=analysis.report.currency,
        policies=tuple(policy.about for policy in policies if policy.text.over in asked),
        verdicts=tuple(sorted(known(large, baseline), key=_order)),
        unjudged=tuple(chain.from_iterable(one.unjudged for one in found)),
        passed={name: count for one in found for name, count in one.passed.items()},
        resources=len(resources),
        notes=(*notes, *analysis.report.notes),
    )


def _order(one: Verdict) -> tuple[int, Decimal, str, str]:
    """The most severe first, then the dearest."""
    return SEVERITIES.index(one.severity), -(one.monthly or Decimal(0)), one.policy, one.subject
