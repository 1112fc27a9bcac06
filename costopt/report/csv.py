"""The recommendations as CSV, one row each, for spreadsheets: RFC 4180, safe from formulas.

Columns are the JSON's fields with nested names joined by an underscore; they never change order,
new ones stand at the end. `undo_when` is the guards in words; `disputed_samples` and
`instance_type_if_disputed_are_real` are of a size's evidence; of a schedule the week stands in
words (`schedule_runs`) and the dates that differ with their reasons, not each slot's level; of a
purchase its parts stand in one cell, split by semicolons, in the order in which they are bought.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from typing import Any, Final

from costopt.model import Report, WeekPlan
from costopt.report import purchase, risk
from costopt.report.document import recommendation
from costopt.report.safe import csv_cell

_OFFER: Final = (
    "provider_name",
    "region_id",
    "instance_type",
    "vcpus",
    "memory_gib",
    "gpu_model",
    "gpu_count",
    "hourly_price",
    "currency",
    "pricing_category",
)
COLUMNS: Final = (
    "recommendation_id",
    "rule",
    "action_type",
    "resource_id",
    "resource_name",
    "sub_account_id",
    *(f"current_{name}" for name in _OFFER),
    *(f"recommended_{name}" for name in _OFFER),
    "current_monthly_cost",
    "estimated_monthly_cost",
    "estimated_monthly_savings_low",
    "estimated_monthly_savings_target",
    "estimated_monthly_savings_high",
    "estimated_monthly_savings_at_list",
    "estimated_monthly_savings_basis",
    "currency",
    "lookback_start",
    "lookback_end",
    "lookback_days",
    "risk_limit_percent",
    "risk_expected_share",
    "risk_upper_bound",
    "risk_method",
    "implementation_effort",
    "restart_needed",
    "rollback_possible",
    "stranded_commitment",
    "reason",
    "tags",
    "risk_rollback_probability",
    "risk_rollback_probability_upper",
    "risk_horizon_days",
    "risk_confidence",
    "backtest_origins",
    "backtest_rolled_back",
    "backtest_net_savings_percent",
    "undo_when",
    "disputed_samples",
    "instance_type_if_disputed_are_real",
    "replicas",
    "schedule_runs",
    "schedule_time_zone",
    "schedule_slot_minutes",
    "schedule_days",
    "commitment_term",
    "commitment_payment",
    "commitment_ordered",
    "commitment_account",
    "commitment_buy_on",
    "commitment_ends_on",
    "commitment_hourly",
    "commitment_upfront",
    "commitment_break_even_share",
    "commitment_utilisation_share",
    "commitment_bound_over_terms",
    "commitment_lowest_4_weeks_over_terms",
    "commitment_if_demand_falls_over_terms",
    "saved_on_others",
    "assumed_coverage",
    "unreconciled",
)


def render(report: Report) -> bytes:
    """UTF-8 CSV with CRLF line ends; text is quoted, numbers are not, unknown is empty."""
    text = io.StringIO()
    csv.writer(text).writerow(COLUMNS)
    # Text stands in quotes, so that a semicolon in a name starts no cell where Excel splits by it.
    rows = csv.DictWriter(text, COLUMNS, quoting=csv.QUOTE_NONNUMERIC)
    for one in report.recommendations:
        told = {
            "tags": _tags(one.tags),
            "undo_when": risk.stop_rule(one.guards) or None,
            "assumed_coverage": "; ".join(one.assumed_coverage) or None,
        }
        fields = _flat(recommendation(one) | told | _disputed(one.evidence))
        fields |= {"schedule_days": _days(one.schedule)} | purchase.columns(one.evidence)
        rows.writerow({column: _cell(fields.get(column)) for column in COLUMNS})
    return text.getvalue().encode()


def _flat(fields: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in fields.items():
        name = prefix + key
        flat |= _flat(value, f"{name}_") if isinstance(value, dict) else {name: value}
    return flat


def _disputed(evidence: Mapping[str, Any]) -> dict[str, Any]:
    """The CPU spikes that did not size, and the answer with them; none where none were left out."""
    told = evidence.get("disputed")
    if not isinstance(told, Mapping):
        return {}
    real = told.get("instance_type_with")
    return {"disputed_samples": told.get("samples"), "instance_type_if_disputed_are_real": real}


def _days(plan: WeekPlan | None) -> str | None:
    return "; ".join(f"{one.day} {one.reason}" for one in plan.days) if plan else None


def _tags(tags: Mapping[str, str]) -> str:
    return "; ".join(f"{key}={value}" for key, value in sorted(tags.items()))


def _cell(value: Any) -> Any:
    """Numbers stay numbers, also negative ones; every text is made safe."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return csv_cell(value) if isinstance(value, str) else value
