"""A report as plain values, in the field names of the published JSON Schema.

The one place that decides what a field is called and how a value is written for machines; JSON and
CSV are both made of it. Money and prices become numbers with their exact decimals.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from typing import Any, Final

from costopt.model import (
    Finding,
    Guard,
    Offer,
    Reckoned,
    Recommendation,
    Report,
    Risk,
    Skip,
    WeekPlan,
    Window,
)
from costopt.model.spoken_week import in_words
from costopt.model.week import WEEKDAYS
from costopt.report import words

SCHEMA_VERSION: Final = "1"
_DECIMALS: Final = 10  # as many as a unit price has (schema.UNIT_PRICE)
_EXACT_INTEGERS: Final = 2**53  # JSON readers hold larger ones only approximately
_REPLAYED: Final = (
    "origins",
    "rolled_back",
    "net_savings_percent",
    "train_days",
    "test_days",
    "this_size",
    "decisions",
)


def document(report: Report) -> dict[str, Any]:
    """The whole report as JSON-ready values (schema/recommendations-1.json), nothing left out."""
    summary = report.summary
    return {
        "schema_version": SCHEMA_VERSION,
        "as_of": moment(report.as_of),
        "window": {"start": moment(report.window.start), "end": moment(report.window.end)},
        "currency": report.currency,
        "summary": {
            "monthly_spend": number(summary.monthly_spend),
            "monthly_savings": number(summary.monthly_savings),
            "monthly_extra_cost": number(summary.monthly_extra_cost),
            "monthly_spend_after": number(summary.monthly_spend_after),
            "reconciled_percent": plain(summary.reconciled_percent),
            "resources": summary.resources,
            "well_sized": summary.well_sized,
            "recommendations": summary.recommendations,
            "skips": dict(sorted(summary.skips.items())),
        },
        "steps": [
            {
                "kind": step.kind,
                "monthly_savings": number(step.monthly_savings),
                "recommendations": step.recommendations,
            }
            for step in report.steps
        ],
        "recommendations": [recommendation(one) for one in report.recommendations],
        "skips": [_skip(one) for one in report.skips],
        "findings": [_finding(one) for one in report.findings],
        "notes": list(report.notes),
        "bills": [_bill(one) for one in report.bills],
        "own_machines": [plain(asdict(one)) for one in report.own_machines],
    }


def _bill(one: Reckoned) -> dict[str, Any]:
    return {
        "provider": one.provider,
        "monthly_cost": number(one.monthly_cost),
        "residue_percent": plain(one.residue_percent),
        "reconciled": one.reconciled,
        "left_out": [
            {"reason": reason, "monthly_cost": number(cost)} for reason, cost in one.left_out
        ],
    }


def recommendation(one: Recommendation) -> dict[str, Any]:
    """One recommendation's fields, in the schema's names and order."""
    savings = one.estimated_monthly_savings
    return {
        "recommendation_id": one.recommendation_id,
        "rule": one.rule,
        "action_type": one.action_type.value,
        "resource_id": one.resource_id,
        "resource_name": one.resource_name,
        "sub_account_id": one.sub_account_id,
        "current": _offer(one.current),
        "recommended": _offer(one.recommended or nothing_runs(one.current)),
        "alternatives": [_offer(offer) for offer in one.alternatives],
        "replicas": one.replicas,
        "schedule": _schedule(one.schedule),
        "current_monthly_cost": number(words.cost_today(one)),
        "estimated_monthly_cost": number(one.estimated_monthly_cost),
        "estimated_monthly_savings": {
            "low": number(savings.low),
            "target": number(savings.target),
            "high": number(savings.high),
            "at_list": number(savings.at_list),
            "basis": savings.basis,
        },
        "currency": one.currency,
        "lookback": _lookback(one.lookback),
        "risk": _risk(one.risk),
        "backtest": _backtest(one.backtest),
        "guards": [_guard(guard) for guard in one.guards],
        "implementation_effort": one.implementation_effort.value,
        "restart_needed": one.restart_needed,
        "rollback_possible": one.rollback_possible,
        "reason": one.reason,
        "evidence": plain(one.evidence),
        "stranded_commitment": number(one.stranded_commitment),
        "tags": dict(sorted(one.tags.items())),
        "saved_on_others": number(one.saved_on_others),
        "paid_elsewhere": number(one.paid_elsewhere),
        "assumed_coverage": list(one.assumed_coverage),
        "unreconciled": one.unreconciled,
    }


def nothing_runs(current: Offer) -> Offer:
    """What a Stop or Delete leaves behind: no machine, for nothing, in the same place.

    Every recommendation then has a `recommended` of one shape, which a consumer can subtract.
    """
    return Offer(
        provider_name=current.provider_name,
        region_id=current.region_id,
        instance_type=None,
        vcpus=0.0,
        memory_gib=0.0,
        hourly_price=Decimal(0),
        currency=current.currency,
        pricing_category=None,
    )


def _offer(offer: Offer) -> dict[str, Any]:
    return {
        "provider_name": offer.provider_name,
        "region_id": offer.region_id,
        "instance_type": offer.instance_type,
        "vcpus": plain(offer.vcpus),
        "memory_gib": plain(offer.memory_gib),
        "gpu_model": offer.gpu_model,
        "gpu_count": offer.gpu_count,
        "hourly_price": number(offer.hourly_price),
        "currency": offer.currency,
        "pricing_category": offer.pricing_category,
    }


def _schedule(plan: WeekPlan | None) -> dict[str, Any] | None:
    """The week by its slots and by its changes, which say the same, and in words."""
    if plan is None:
        return None
    return {
        "time_zone": plan.time_zone,
        "slot_minutes": plan.slot_minutes,
        "runs": in_words(plan),
        "levels": list(plan.levels),
        "changes": [
            {
                "weekday": WEEKDAYS[one.weekday],
                "time": f"{one.minute // 60:02d}:{one.minute % 60:02d}",
                "level": one.level,
            }
            for one in plan.changes()
        ],
        "days": [
            {"date": one.day.isoformat(), "reason": one.reason, "levels": list(one.levels)}
            for one in plan.days
        ],
    }


def _lookback(window: Window) -> dict[str, Any]:
    return {
        "start": moment(window.start),
        "end": moment(window.end),
        "days": round(window.days, 6),
    }


def _risk(risk: Risk | None) -> dict[str, Any] | None:
    if risk is None:
        return None
    return {
        "limit_percent": plain(risk.limit_percent),
        "expected_share": plain(risk.expected_share),
        "upper_bound": plain(risk.upper_bound),
        "method": risk.method,
        "rollback_probability": plain(risk.rollback_probability),
        "rollback_probability_upper": plain(risk.rollback_probability_upper),
        "horizon_days": plain(risk.horizon_days),
        "confidence": risk.confidence,
    }


def _backtest(found: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """The replay of the rules (rules/replay.py); its `memory` is null where none was seen."""
    if found is None:
        return None
    told = {name: plain(found[name]) for name in _REPLAYED}
    for decision in told["decisions"]:
        decision["origin"] = moment(datetime.fromisoformat(decision["origin"]))
    return told | {"memory": plain(found.get("memory"))}


def _guard(guard: Guard) -> dict[str, Any]:
    return {
        "metric_name": guard.metric_name,
        "limit_percent": plain(guard.limit_percent),
        "samples": guard.samples,
        "period_seconds": guard.period_seconds,
        "horizon_days": plain(guard.horizon_days),
        "until": moment(guard.until),
        "allowed_today": guard.allowed_today,
        "allowed_disputed": guard.allowed_disputed,
    }


def _skip(skip: Skip) -> dict[str, Any]:
    return {
        "resource_id": skip.resource_id,
        "rule": skip.rule,
        "reason": skip.reason,
        "detail": skip.detail,
    }


def _finding(finding: Finding) -> dict[str, Any]:
    return {
        "resource_id": finding.resource_id,
        "metric_name": finding.metric_name,
        "check": finding.check,
        "level": finding.level.value,
        "count": finding.count,
        "example": finding.example,
        "detail": finding.detail,
    }


def moment(value: datetime) -> str:
    """RFC 3339 in UTC, with Z: 2026-11-01T00:00:00Z."""
    return value.isoformat().replace("+00:00", "Z")


def number(value: Decimal | None) -> int | float | None:
    """The amount as the number whose shortest decimal spelling is exactly it.

    A float spells back up to 15 significant digits, so amounts are exact to the millionth up to a
    billion; beyond the float's reach digits behind the 15th are lost, never the cents of a bill.
    """
    if value is None:
        return None
    exact = round(value, _DECIMALS)
    return int(exact) if exact == exact.to_integral_value() else float(exact)


def plain(value: Any) -> Any:
    """Evidence as JSON-ready values: what is not a number (NaN, infinity) is null.

    Floats keep ten significant digits: what comes after is noise of their sums.
    """
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return _scalar(value)


def _scalar(value: Any) -> Any:
    if isinstance(value, float):
        return _float(value)
    if isinstance(value, Decimal):
        return number(value) if value.is_finite() else None
    if isinstance(value, datetime):
        return moment(value)
    if isinstance(value, date):
        return value.isoformat()
    return value.value if isinstance(value, Enum) else value


def _float(value: float) -> int | float | None:
    short = float(f"{value:.10g}")
    if not math.isfinite(short):
        return None
    return int(short) if short.is_integer() and abs(short) < _EXACT_INTEGERS else short
