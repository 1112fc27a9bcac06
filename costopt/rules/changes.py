"""What advice does to the meters of a bill."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import numpy as np

from costopt.frame.cost import resource_key
from costopt.model import ActionType, Recommendation, WeekPlan
from costopt.model.bill import Amounts, Metered
from costopt.pricing.scenario import Change
from costopt.rules.base import Case
from costopt.rules.groups import group_of


def change_of(
    advice: Recommendation, cases: Mapping[str, Case], bill: Metered
) -> dict[str, Change]:
    """The change of each resource that it concerns, by the id that the bill's meters have.

    Empty where the bill has no meters of its own for one of them, or a price is not known: then the
    advice's own estimate is all that can be said.
    """
    keys = [resource_key(name) for name in _meant(advice, cases)]
    metered = {usage.resource_id for usage in bill.usages}
    change = _change(advice, bill)
    if change is None or not keys or not metered.issuperset(keys):
        return {}
    return dict.fromkeys(keys, change)


def _meant(advice: Recommendation, cases: Mapping[str, Case]) -> list[str]:
    """The machine itself; of a scaling group its members, unless it is billed as one."""
    if advice.replicas is None:
        billed_as = cases[advice.resource_id].resource.attributes.get("billed_as")
        return [] if billed_as else [advice.resource_id]
    members = [
        key
        for key, case in sorted(cases.items())
        if case.replicas is None and group_of(case.resource) == advice.resource_id
    ]
    if any(cases[key].resource.attributes.get("billed_as") for key in members):
        return [advice.resource_id]
    return members


def _change(advice: Recommendation, bill: Metered) -> Change | None:
    if advice.action_type in (ActionType.STOP, ActionType.DELETE):
        return Change(keep=0.0)
    if advice.action_type is ActionType.SCHEDULE:
        if advice.schedule is None:
            return None
        return Change(keep=_kept(advice.schedule, advice.replicas or 1, bill))
    before, after = advice.current, advice.recommended
    if after is None or not before.hourly_price or after.hourly_price is None:
        return None
    if before.currency != after.currency:
        return None
    return Change(price=float(after.hourly_price / before.hourly_price), moves=True)


def _kept(plan: WeekPlan, replicas: int, bill: Metered) -> Amounts:
    """The share of each period's hours that the plan still runs."""
    span = timedelta(hours=bill.hours)
    starts = [datetime.fromtimestamp(start, UTC) for start in bill.starts.tolist()]
    hours = np.array([plan.replica_hours(start, start + span) for start in starts])
    return np.minimum(1.0, hours / (bill.hours * replicas))
