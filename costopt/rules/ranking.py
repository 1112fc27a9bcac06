"""Advice beside advice: what comes first, and what is told of the rest."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

from costopt.model import Recommendation
from costopt.units import cents


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
