"""What a purchase of commitments binds, for a spreadsheet: parts in one cell each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from costopt.report.document import plain

_WHOLE: Final = {
    "commitment_hourly": "hourly_commitment",
    "commitment_upfront": "upfront",
    "commitment_break_even_share": "break_even_utilisation_share",
    "commitment_utilisation_share": "utilisation_share",
    "commitment_bound_over_terms": "bound_over_terms",
    "commitment_lowest_4_weeks_over_terms": "lowest_4_weeks_over_terms",
    "commitment_if_demand_falls_over_terms": "if_demand_falls_over_terms",
    "commitment_account": "buy_in_account",
}


def columns(evidence: Mapping[str, Any]) -> dict[str, Any]:
    """The commitment_* columns of a CSV; none of what is no purchase."""
    parts = evidence.get("tranches")
    if not parts:
        return {}
    return {
        **{column: plain(evidence.get(name)) for column, name in _WHOLE.items()},
        "commitment_term": _each(parts, "term"),
        "commitment_payment": _each(parts, "payment"),
        "commitment_buy_on": _each(parts, "buy_on"),
        "commitment_ends_on": _each(parts, "ends_on"),
        "commitment_ordered": "; ".join(map(ordered, parts)),
    }


def _each(parts: Sequence[Mapping[str, Any]], name: str) -> str:
    return "; ".join(str(part[name]) for part in parts)


def ordered(part: Mapping[str, Any]) -> str:
    """As what a part is ordered: `3 x m5.large`, `4 vCPUs and 16 GiB`, `0.5 an hour`."""
    what = part.get("reserved")
    if what is None:
        return f"{float(part['hourly_commitment']):,.4g} an hour"
    if "instance_type" in what:
        return f"{what['count']:g} x {what['instance_type']}"
    return f"{what['vcpus']:,g} vCPUs and {what['memory_gib']:,g} GiB"
