"""What advice does to the meters of a bill."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import reduce

import numpy as np

from costopt.frame.cost import resource_key
from costopt.model import ActionType, Recommendation, WeekPlan
from costopt.model.bill import Amounts, Metered, Usage
from costopt.pricing import sustained
from costopt.pricing.scenario import Change
from costopt.rules import sorts
from costopt.rules.base import Case, Outcome
from costopt.rules.groups import group_of
from costopt.units import provider_key


def of_plan(
    recommendations: Iterable[Recommendation], outcomes: Iterable[Sequence[Outcome]]
) -> list[Recommendation]:
    """What a plan does, as the rules advised it; what saves nothing is not done.

    Args:
        recommendations: the plan's.
        outcomes: what the rules said: the prices of other machines are in their own estimates, not
            in the plan's, which hold what freed commitments save elsewhere.
    """
    done = {
        one.recommendation_id for one in recommendations if one.estimated_monthly_savings.target
    }
    every = [one for said in outcomes for one in said if isinstance(one, Recommendation)]
    return [one for one in every if one.recommendation_id in done]


def changes_of(
    done: Iterable[Recommendation], cases: Mapping[str, Case], bills: Mapping[str, Metered]
) -> dict[str, dict[str, Change]]:
    """What advice changes of each provider's meters, by provider and then by resource.

    Args:
        bills: by `provider_key`, of any span.
    """
    found: dict[str, dict[str, Change]] = {}
    for one in done:
        provider = provider_key(one.current.provider_name)
        if provider in bills:
            made = found.setdefault(provider, {})
            for meter, change in change_of(one, cases, bills[provider]).items():
                made[meter] = made[meter].then(change) if meter in made else change
    return found


def merged(steps: Iterable[Mapping[str, Change]]) -> dict[str, Change]:
    """Changes one after the other, by the bill's resource."""

    def both(one: dict[str, Change], more: Mapping[str, Change]) -> dict[str, Change]:
        return one | {key: one[key].then(c) if key in one else c for key, c in more.items()}

    return reduce(both, steps, {})


def change_of(
    advice: Recommendation, cases: Mapping[str, Case], bill: Metered
) -> dict[str, Change]:
    """The change of each resource that it concerns, by the id that the bill's meters have.

    Empty where the bill has no meter of one of them.
    """
    keys = _meant(advice, cases)
    if not {usage.resource_id for usage in bill.usages}.issuperset(keys):
        return {}
    if advice.schedule:
        return _in_time(advice, advice.schedule, keys, bill)
    return dict.fromkeys(keys, _change(advice, cases[advice.resource_id]))


def _meant(advice: Recommendation, cases: Mapping[str, Case]) -> list[str]:
    """The machine itself; of a scaling group its members."""
    if advice.replicas is None:
        return [resource_key(advice.resource_id)]
    return [
        resource_key(key)
        for key, case in sorted(cases.items())
        if case.replicas is None and group_of(case.resource) == advice.resource_id
    ]


def _change(advice: Recommendation, case: Case) -> Change:
    if advice.action_type in (ActionType.STOP, ActionType.DELETE):
        return Change(keep=0.0)
    if advice.action_type in (ActionType.MOVE_REGION, ActionType.MOVE_PROVIDER,
                              ActionType.REPATRIATE):  # fmt: skip
        return Change(keep=0.0)
    if advice.action_type is ActionType.SPOT:
        return _on_spot(advice)
    # Of another machine the advice has reckoned the price as it is billed: sustained use and all.
    saved, cost = advice.estimated_monthly_savings.high, case.cost
    spent = min(cost.compute, cost.monthly) if cost else Decimal(0)
    price = 1 - saved / spent if spent > 0 else Decimal(1)
    target = advice.recommended.instance_type if advice.recommended else None
    units, memory = sorts.units(advice, case)
    return Change(price=float(price), moves=True, to=target or "", units=units, memory=memory)


def _on_spot(advice: Recommendation) -> Change:
    """At the price expected, of what is on demand; no commitment covers it any more."""
    after = advice.estimated_monthly_cost
    before = after + advice.estimated_monthly_savings.target
    return Change(price=float(after / before) if before else 1.0, alone=True)


def _in_time(
    advice: Recommendation, plan: WeekPlan, keys: Iterable[str], bill: Metered
) -> dict[str, Change]:
    """Hour by hour what the plan still runs, and on average what it does in a year to come.

    A month of bill has four weekends or five, and none of the holidays ahead; so the hours that
    stay, or end, are all made a little more or less, until as much stays as the advice says.
    """
    keep = _kept(plan, advice.replicas or 1, bill)
    told = advice.evidence.get("schedule", {})
    today, then = (told.get(name) for name in ("hours_a_week_today", "hours_a_week"))
    kind = advice.current.instance_type or ""
    meters: dict[str, list[Usage]] = {key: [] for key in keys}
    for usage in bill.usages:
        if usage.resource_id in meters:
            meters[usage.resource_id].append(usage)
    found = {}
    for key, usages in meters.items():
        ran = sum((usage.quantity for usage in usages), np.zeros(len(keep)))
        share = float(keep @ ran / ran.sum()) if ran.any() else 1.0
        wanted = then / today if today else share
        found[key] = Change(
            keep=_at(keep, share, wanted),
            dearer=_dearer(kind, usages, wanted) if bill.provider == "gcp" else 1.0,
        )
    return found


def _at(keep: Amounts, share: float, wanted: float) -> Amounts:
    """The same hours, of which on the whole `wanted` stays instead of `share`."""
    if wanted <= share:
        return keep * (wanted / share) if share else keep
    return 1 - (1 - keep) * ((1 - wanted) / (1 - share)) if share < 1 else keep


def _dearer(instance_type: str, usages: Sequence[Usage], kept: float) -> float:
    """By what Google charges more for an hour that stays, as fewer do."""
    paid = np.array([float((usage.quantity * usage.rate).sum()) for usage in usages])
    off = float(paid @ [usage.reduced for usage in usages] / paid.sum()) if paid.any() else 0.0
    return sustained.dearer(instance_type, off, kept)


def _kept(plan: WeekPlan, replicas: int, bill: Metered) -> Amounts:
    """The share of each period's hours that the plan still runs."""
    lengths = bill.lengths
    starts = [datetime.fromtimestamp(start, UTC) for start in bill.starts.tolist()]
    hours = np.array([
        plan.replica_hours(start, start + timedelta(hours=length))
        for start, length in zip(starts, lengths.tolist(), strict=True)
    ])  # fmt: skip
    return np.minimum(1.0, hours / (lengths * replicas))
