"""What policies judge, as tables: a column a field of policy/fields.py, called by its path."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

import pyarrow as pa

from costopt.model import (
    Profile,
    Recommendation,
    Report,
    is_billed,
    is_machine,
    is_stopped,
)
from costopt.policy.expression import Kind, paths
from costopt.policy.fields import VARIABLES
from costopt.rules.base import Case
from costopt.units import SECONDS_PER_DAY

_METRICS: Final = {
    "cpu": "cpu_utilization",
    "memory": "memory_utilization",
    "gpu": "gpu_utilization",
    "sm": "gpu_sm_active",
    "gpu_memory": "gpu_memory_utilization",
    "network_in": "network_in",
    "network_out": "network_out",
    "requests": "request_rate",
}
"""Field of `profile` -> metric."""
_HELD: Final = frozenset({"Disk", "IP address"})
"""Types of resources that something holds, or nothing."""
ID: Final = "id"
NAME: Final = "name"
"""Columns of what is judged as a whole, which policies do not read."""


def resources(cases: Mapping[str, Case], report: Report) -> pa.Table:
    """Every resource, by id; with the fleet's figures beside each."""
    advice: dict[str, list[Recommendation]] = {}
    for one in report.recommendations:
        advice.setdefault(one.resource_id, []).append(one)
    kinds = paths(VARIABLES["resource"])
    rows = [
        {
            **_resource(case, report.as_of),
            **_profile(case),
            **_charges(case),
            **_advised(advice.get(resource_id, [])),
        }
        for resource_id, case in sorted(cases.items())
    ]
    columns = {
        path: column([row.get(path) for row in rows], field.kind)
        for path, field in kinds.items()
        if not path.startswith("fleet.")
    }
    whole = fleet(report)
    for path in set(whole.column_names) - {ID, NAME}:
        columns[path] = pa.repeat(whole.column(path)[0], len(rows))
    return pa.table(columns)


def fleet(report: Report) -> pa.Table:
    """One row: the whole fleet."""
    summary = report.summary
    row = {
        "fleet.resources": summary.resources,
        "fleet.monthly_spend": summary.monthly_spend,
        "fleet.monthly_savings": summary.monthly_savings,
        "fleet.currency": report.currency,
    }
    kinds = paths(VARIABLES["fleet"])
    columns = {path: column([row[path]], kinds[path].kind) for path in row}
    return pa.table({ID: [""], NAME: ["the whole fleet"], **columns})


def column(values: Sequence[Any], kind: Kind) -> pa.Array:
    """Values of one field; None = not known. Numbers of any kind, tags as a mapping."""
    if kind is Kind.NUMBER:
        values = [None if value is None else float(value) for value in values]
    elif kind is Kind.TAGS:
        values = [None if value is None else sorted(value.items()) for value in values]
    return pa.array(values, kind.arrow)


def _resource(case: Case, as_of: datetime) -> dict[str, Any]:
    one, shape = case.resource, case.shape
    attributes, machine = one.attributes, is_machine(one)
    held = one.resource_type in _HELD
    launched = one.launched_at
    found = {
        "id": one.resource_id,
        "name": one.resource_name or one.resource_id,
        "type": one.resource_type,
        "service": one.service_name,
        "provider": one.provider_name,
        "account": one.sub_account_id,
        "region": one.region_id,
        "state": one.state,
        "group": one.scaling_group,
        "instance_type": one.instance_type,
        "operating_system": one.operating_system,
        "pricing": one.pricing_category,
        "volume_type": attributes.get("type") if one.resource_type == "Disk" else None,
        "size_gib": _number(attributes.get("size_gib")),
        "age_days": (as_of - launched).total_seconds() / SECONDS_PER_DAY if launched else None,
        "machine": machine,
        "stopped": is_stopped(one) if machine else None,
        "billed": is_billed(one) if machine else None,
        # adapters leave away what is empty: who tells nothing at all does not know
        "attached": bool(attributes.get("attached_to")) if held and attributes else None,
        "tags": one.tags,
    }
    if shape is not None:
        found |= {
            "family": shape.family,
            "vcpus": shape.vcpus,
            "memory_gib": shape.memory_gib,
            "gpu_model": shape.gpu_model,
            "gpu_count": case.gpu_count,
            "architecture": shape.architecture,
            "current_generation": shape.current_generation,
            "burstable": shape.burstable_baseline_percent is not None,
        }
    return {f"resource.{name}": value for name, value in found.items()}


def _number(text: str | None) -> float | None:
    try:
        return float(text) if text else None
    except ValueError:
        return None


def _profile(case: Case) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, metric in _METRICS.items():
        if profile := case.profile(metric):
            found |= {f"profile.{name}.{field}": value for field, value in _demand(profile)}
    cpu = case.profile("cpu_utilization")
    return found | {"profile.days": cpu.days if cpu else None}


def _demand(profile: Profile) -> Iterable[tuple[str, float | None]]:
    return (
        ("mean", profile.mean),
        ("p50", profile.p50),
        ("p95", profile.p95),
        ("p99", profile.p99),
        ("p99_5", profile.p99_5),
        ("max", profile.max),
        ("under_5", profile.share_under_5),
    )


def _charges(case: Case) -> dict[str, Any]:
    cost = case.cost
    if cost is None:
        return {}
    return {
        "charges.monthly": cost.monthly,
        "charges.compute": cost.compute,
        "charges.list": cost.compute_list,
        "charges.hourly": cost.hourly_effective,
        "charges.running_share": cost.running_share,
        "charges.committed_share": cost.committed_share,
        "charges.currency": cost.currency,
        "charges.basis": cost.basis,
    }


def _advised(advice: Sequence[Recommendation]) -> dict[str, Any]:
    """What the plan says of it; nothing where it says nothing."""
    if not advice:
        return {}
    first = max(advice, key=lambda one: one.estimated_monthly_savings.target)
    saved = sum((one.estimated_monthly_savings.target for one in advice), Decimal(0))
    chances = [one.risk.rollback_probability for one in advice if one.risk]
    known = [chance for chance in chances if chance is not None]
    return {
        "recommendation.action": first.action_type.value,
        "recommendation.rule": first.rule,
        "recommendation.target": first.recommended.instance_type if first.recommended else None,
        "recommendation.monthly_savings": saved,
        "recommendation.undo_risk": max(known, default=None),
    }
