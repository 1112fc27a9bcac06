"""The plan: of all rules' advice the best per resource, so that no saving counts twice.

Every recommendation saves at most its resource's own compute cost (rules/savings.py), and the plan
holds one a resource: their sum never exceeds what the resources cost.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

from costopt.model import Recommendation
from costopt.rules.base import Outcome
from costopt.units import cents


def plan(outcomes: Mapping[str, Sequence[Outcome]]) -> tuple[Recommendation, ...]:
    """One recommendation a resource, the largest saving first, then by resource.

    What else the rules advised on that resource is kept as an alternative, and told in the
    evidence under `instead_of`.

    Args:
        outcomes: what each rule said, by resource.
    """
    chosen = []
    for said in outcomes.values():
        advice = sorted((o for o in said if isinstance(o, Recommendation)), key=rank)
        if advice:
            chosen.append(with_losers(advice[0], advice[1:]))
    return tuple(sorted(chosen, key=order))


def extra_cost(advice: Iterable[Recommendation]) -> Decimal:
    """What the advice to take larger machines costs more a month, above 0."""
    return sum((-_saving(one) for one in advice if _saving(one) < 0), Decimal(0))


def order(advice: Recommendation) -> tuple[Decimal, Decimal, str]:
    """The largest saving first, then by resource."""
    savings = advice.estimated_monthly_savings
    return (-savings.target, -savings.high, advice.resource_id)


def rank(advice: Recommendation) -> tuple[Decimal, Decimal, str, str]:
    """Of one resource: the largest saving first."""
    savings = advice.estimated_monthly_savings
    return (-savings.target, -savings.high, advice.rule, advice.recommendation_id)


def _saving(advice: Recommendation) -> Decimal:
    return advice.estimated_monthly_savings.target


def with_losers(best: Recommendation, others: Sequence[Recommendation]) -> Recommendation:
    """The advice with what else there was as alternatives."""
    if not others:
        return best
    told: list[dict[str, Any]] = [
        {
            "rule": other.rule,
            "action_type": other.action_type.value,
            "instance_type": other.recommended.instance_type if other.recommended else None,
            "monthly_savings": str(cents(_saving(other))),
            "reason": other.reason,
        }
        for other in others
    ]
    offers = tuple(other.recommended for other in others if other.recommended)
    return replace(
        best,
        alternatives=best.alternatives + offers,
        evidence={**best.evidence, "instead_of": told},
    )
