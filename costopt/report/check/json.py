"""A check as one JSON object of the published schema."""

from __future__ import annotations

from importlib.resources import files
from typing import Any

from costopt.model.check import Check, PlannedCost, Verdict
from costopt.report.document import moment, number
from costopt.report.json import written


def render(check: Check) -> bytes:
    """UTF-8 JSON (report/schema/check-1.json): the same check, the same bytes."""
    planned = {} if check.planned is None else {"planned": [_planned(one) for one in check.planned]}
    return written(
        {
            "schema_version": "1",
            "as_of": moment(check.as_of),
            "currency": check.currency,
            "resources": check.resources,
            "policies": [
                {
                    "id": one.id,
                    "title": one.title,
                    "severity": one.severity,
                    "pack": one.pack,
                    "path": one.path,
                    "line": one.line,
                    "passed": check.passed.get(one.id, 0),
                    "findings": sum(verdict.policy == one.id for verdict in check.verdicts),
                }
                for one in check.policies
            ],
            "findings": [_finding(one) for one in check.verdicts],
            "unjudged": [
                {"policy": one.policy, "unknown": list(one.fields), "subjects": list(one.subjects)}
                for one in check.unjudged
            ],
            "notes": list(check.notes),
            **planned,
        }
    )


def _planned(one: PlannedCost) -> dict[str, Any]:
    return {
        "address": one.address,
        "action": one.action,
        "kind": one.kind,
        "monthly_before": number(one.before),
        "monthly": number(one.after),
        "monthly_difference": number(one.difference),
        "unpriced": list(one.unpriced),
    }


def _finding(one: Verdict) -> dict[str, Any]:
    return {
        "finding_id": one.finding_id,
        "policy": one.policy,
        "severity": one.severity,
        "status": status(one),
        "subject": one.subject,
        "name": one.name,
        "message": one.message,
        "remediation": " ".join(one.remediation.split()),
        "monthly": number(one.monthly),
        "waiver": None
        if one.waiver is None
        else {
            "owner": one.waiver.owner,
            "reason": one.waiver.reason,
            "until": one.waiver.until.isoformat(),
        },
    }


def status(one: Verdict) -> str:
    """open, lapsed (its waiver is over), waived, or known (in the baseline)."""
    if one.open:
        return "lapsed" if one.lapsed else "open"
    return "waived" if one.waiver else "known"


def schema() -> bytes:
    """The published JSON Schema (draft 2020-12) that `render` keeps to."""
    return files("costopt.report").joinpath("schema/check-1.json").read_bytes()
