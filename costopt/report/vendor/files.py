"""The comparison for programs, spreadsheets and pull requests: JSON of its published schema, CSV,
Markdown."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Sequence
from dataclasses import replace
from importlib.resources import files
from typing import Any, Final

from costopt.report import words
from costopt.report.document import moment, number, plain, recommendation
from costopt.report.safe import csv_cell, markdown, markdown_code
from costopt.report.vendor.advice import Advice
from costopt.report.vendor.judging import Judged
from costopt.report.vendor.sides import Compared, Comparison
from costopt.report.vendor.text import LEGEND, in_line, ours, theirs
from costopt.units import counted

SCHEMA_VERSION: Final = "1"
_OURS: Final = ("recommendation_id", "rule", "action_type", "currency", "reason")
COLUMNS: Final = (
    "verdict", "resource_id", "resource_name", "provider_name", "sub_account_id", "region_id",
    "instance_type", "our_action", "our_instance_type", "our_monthly_savings", "our_currency",
    "our_undo_risk", "vendor", "vendor_action", "vendor_instance_type", "vendor_monthly_savings",
    "vendor_currency", "vendor_finding", "vendor_lookback_days", "vendor_updated_at",
    "vendor_undo_risk", "supported_monthly_savings", "supported_currency", "why",
)  # fmt: skip


def first(comparison: Comparison, limit: int) -> Comparison:
    """Its rows with the `limit` largest savings; 0 = all. Totals stay the whole's, and a note says
    what is left out."""
    hidden = len(comparison.rows) - limit
    if not limit or hidden <= 0:
        return comparison
    note = f"not shown, by --limit {limit}: {counted(hidden, 'resource')}"
    return replace(comparison, rows=comparison.rows[:limit], notes=(*comparison.notes, note))


def schema() -> bytes:
    """The published JSON Schema (draft 2020-12) that `as_json` keeps to."""
    return files("costopt.report").joinpath("schema/compare-vendor-1.json").read_bytes()


def as_json(comparison: Comparison) -> bytes:
    """UTF-8 JSON, indented, ending with a newline; ASCII, so that no screen is fooled."""
    totals = comparison.totals
    document = {
        "schema_version": SCHEMA_VERSION,
        "as_of": moment(comparison.as_of),
        "currency": comparison.currency,
        "asked": dict(comparison.asked),
        "totals": {
            "our_monthly_savings": number(totals.ours),
            "claimed_monthly_savings": number(totals.claimed),
            "supported_monthly_savings": number(totals.supported),
            "unjudged_monthly_savings": number(totals.unjudged),
        },
        "verdicts": {verdict.value: count for verdict, count in comparison.counts.items()},
        "compared": [_compared(row) for row in comparison.rows],
        "notes": list(comparison.notes),
    }
    return (json.dumps(document, allow_nan=False, indent=2) + "\n").encode()


def as_csv(comparison: Comparison) -> bytes:
    """UTF-8 CSV with CRLF line ends, a row a resource; text is quoted, unknown is empty."""
    text = io.StringIO()
    csv.writer(text).writerow(COLUMNS)
    rows = csv.DictWriter(text, COLUMNS, quoting=csv.QUOTE_NONNUMERIC)
    for row in comparison.rows:
        fields = _flat(row)
        rows.writerow({column: _cell(fields.get(column)) for column in COLUMNS})
    return text.getvalue().encode()


def as_markdown(comparison: Comparison) -> bytes:
    """GitHub-flavoured Markdown: totals, a table with the reasons, notes."""
    totals, currency = comparison.totals, comparison.currency
    sources = markdown(" and ".join((*comparison.asked, "costopt")))
    blocks = [
        f"## {sources}",
        f"The vendors claim {words.amount(totals.claimed)} {currency} a month on the resources "
        f"below; of it costopt's own model supports **{words.amount(totals.supported)}**, and "
        f"{words.amount(totals.unjudged)} cannot be judged. costopt's own advice on them saves "
        f"**{words.amount(totals.ours)}**. As of {comparison.as_of:%Y-%m-%d %H:%M} UTC.",
    ]
    if comparison.rows:
        blocks += [_table(comparison.rows), markdown(LEGEND)]
    if comparison.notes:
        blocks.append("\n".join(f"- {markdown(note)}" for note in comparison.notes))
    return ("\n\n".join(blocks) + "\n").encode()


# -- one row ---------------------------------------------------------------------------------


def _compared(row: Compared) -> dict[str, Any]:
    resource = row.resource
    return {
        "verdict": row.verdict.value,
        "resource_id": resource.resource_id,
        "resource_name": resource.resource_name,
        "provider_name": resource.provider_name,
        "sub_account_id": resource.sub_account_id,
        "region_id": resource.region_id,
        "instance_type": resource.instance_type,
        "why": row.why,
        "supported_monthly_savings": number(row.supported),
        "ours": _ours(row),
        "vendor": _vendor(row.theirs),
        "vendor_judged": _judged(row.judged),
    }


def _ours(row: Compared) -> dict[str, Any] | None:
    if row.ours is None:
        return None
    told = recommendation(row.ours)
    risk = told["risk"] or {}
    return {
        **{name: told[name] for name in _OURS},
        "instance_type": told["recommended"]["instance_type"],
        "monthly_savings": told["estimated_monthly_savings"]["target"],
        "undo_risk": risk.get("rollback_probability"),
    }


def _vendor(theirs: Advice | None) -> dict[str, Any] | None:
    if theirs is None:
        return None
    return {
        "source": theirs.source,
        "recommendation_id": theirs.recommendation_id,
        "action": theirs.action,
        "instance_type": theirs.instance_type,
        "monthly_savings": number(theirs.monthly_savings),
        "currency": theirs.currency,
        "finding": theirs.finding,
        "lookback_days": plain(theirs.lookback_days),
        "updated_at": moment(theirs.updated_at) if theirs.updated_at else None,
    }


def _judged(one: Judged | None) -> dict[str, Any] | None:
    if one is None:
        return None
    expected = one.expected_hourly
    return {
        "holds": one.holds,
        "obstacles": list(one.obstacles),
        "hourly_price": number(one.hourly),
        "expected_hourly": plain(expected) if math.isfinite(expected) else None,
        "today_hourly": number(one.today_hourly),
        "currency": one.currency,
        "undo_risk": plain(one.undo_risk),
        "monthly_savings": number(one.monthly_savings),
    }


def _flat(row: Compared) -> dict[str, Any]:
    told = _compared(row)
    mine, their = told["ours"] or {}, told["vendor"] or {}
    return told | {
        "our_action": mine.get("action_type"),
        "our_instance_type": mine.get("instance_type"),
        "our_monthly_savings": mine.get("monthly_savings"),
        "our_currency": mine.get("currency"),
        "our_undo_risk": mine.get("undo_risk"),
        **{f"vendor_{name}": value for name, value in their.items()},
        "vendor": their.get("source"),
        "supported_currency": None if row.supported is None else their.get("currency"),
        "vendor_undo_risk": (told["vendor_judged"] or {}).get("undo_risk"),
    }


def _cell(value: Any) -> Any:
    if value is None:
        return ""
    return csv_cell(value) if isinstance(value, str) else value


def _table(rows: Sequence[Compared]) -> str:
    head = ("Verdict", "Resource", "costopt", "Vendor", "Why")
    lines = [head, ("---",) * len(head), *map(_cells, rows)]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def _cells(row: Compared) -> tuple[str, ...]:
    name = row.resource.resource_name or row.resource.resource_id
    return (
        markdown(row.verdict.value),
        markdown_code(name),
        markdown(in_line(ours(row))),
        markdown(in_line(theirs(row.theirs))),
        markdown(row.why),
    )
