"""What advice does to the meters of a bill."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import numpy as np

from costopt.frame.cost import resource_key
from costopt.model import ActionType, Cost, Recommendation, WeekPlan
from costopt.model.bill import Amounts, Metered
from costopt.pricing.scenario import Change
from costopt.rules.base import Case, Outcome
from costopt.rules.groups import group_of
from costopt.units import provider_key


def of_plan(
    recommendations: Iterable[Recommendation],
    outcomes: Iterable[Sequence[Outcome]],
    cases: Mapping[str, Case],
    bills: Mapping[str, Metered],
) -> dict[str, dict[str, Change]]:
    """What a plan changes of each provider's meters, by provider and then by resource; what saves
    nothing is not done.

    Args:
        recommendations: the plan's.
        outcomes: what the rules said: the prices of other machines are in their own estimates, not
            in the plan's, which hold what freed commitments save elsewhere.
        bills: by `provider_key`, of any span.
    """
    done = {
        one.recommendation_id for one in recommendations if one.estimated_monthly_savings.target
    }
    every = [one for said in outcomes for one in said if isinstance(one, Recommendation)]
    found: dict[str, dict[str, Change]] = {}
    for one in every:
        provider = provider_key(one.current.provider_name)
        if one.recommendation_id in done and provider in bills:
            made = found.setdefault(provider, {})
            for meter, change in change_of(one, cases, bills[provider]).items():
                made[meter] = made[meter].then(change) if meter in made else change
    return found


def change_of(
    advice: Recommendation, cases: Mapping[str, Case], bill: Metered
) -> dict[str, Change]:
    """The change of each resource that it concerns, by the id that the bill's meters have.

    Empty where the bill has no meter of one of them.
    """
    keys = _meant(advice, cases)
    if not {usage.resource_id for usage in bill.usages}.issuperset(keys):
        return {}
    return dict.fromkeys(keys, _change(advice, cases[advice.resource_id].cost, bill))


def _meant(advice: Recommendation, cases: Mapping[str, Case]) -> list[str]:
    """The machine itself; of a scaling group its members."""
    if advice.replicas is None:
        return [resource_key(advice.resource_id)]
    return [
        resource_key(key)
        for key, case in sorted(cases.items())
        if case.replicas is None and group_of(case.resource) == advice.resource_id
    ]


def _change(advice: Recommendation, cost: Cost | None, bill: Metered) -> Change:
    if advice.action_type in (ActionType.STOP, ActionType.DELETE):
        return Change(keep=0.0)
    if advice.schedule:
        return Change(keep=_kept(advice.schedule, advice.replicas or 1, bill))
    # Of another machine the advice has reckoned the price as it is billed: sustained use and all.
    saved = advice.estimated_monthly_savings.high
    spent = min(cost.compute, cost.monthly) if cost else Decimal(0)
    price = 1 - saved / spent if spent > 0 else Decimal(1)
    return Change(price=float(price), moves=True)


def _kept(plan: WeekPlan, replicas: int, bill: Metered) -> Amounts:
    """The share of each period's hours that the plan still runs."""
    span = timedelta(hours=bill.hours)
    starts = [datetime.fromtimestamp(start, UTC) for start in bill.starts.tolist()]
    hours = np.array([plan.replica_hours(start, start + span) for start in starts])
    return np.minimum(1.0, hours / (bill.hours * replicas))
