"""What a lake holds, by provider: for people who want to know whether a collect did its work."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

import pyarrow as pa
import pyarrow.compute as pc

from costopt.lake.packed import days
from costopt.lake.store import Lake


@dataclass(frozen=True, slots=True)
class Holdings:
    """Counts, and how far the data reach."""

    resources: Mapping[str, int]  # provider -> resources ever seen
    days: tuple[date, ...]  # UTC days with samples, oldest first
    watermarks: Mapping[str, Mapping[str, datetime]]  # source -> metric -> final until (UTC)
    bills: Mapping[str, Mapping[str, int]]  # provider -> month of the charge -> rows
    prices: int  # of the user's own; the built-in ones are not in the lake
    shapes: int


def holdings(lake: Lake) -> Holdings:
    """Everything but the samples themselves; an empty lake holds nothing.

    Raises:
        InputError: a file of the lake is damaged; which.
    """
    seen = lake.read("resources").group_by(["ProviderName", "ResourceId"]).aggregate([])
    return Holdings(
        resources=_counted(seen.column("ProviderName")),
        days=days(lake),
        watermarks=lake.watermarks(),
        bills=_bills(lake.read_charges()),
        prices=lake.read("prices").num_rows,
        shapes=lake.read("shapes").num_rows,
    )


def _bills(charges: pa.Table) -> dict[str, dict[str, int]]:
    months = pc.strftime(charges.column("ChargePeriodStart"), "%Y-%m")
    table = pa.table({"provider": charges.column("ProviderName"), "month": months})
    bills: dict[str, dict[str, int]] = {}
    rows = table.group_by(["provider", "month"]).aggregate([([], "count_all")]).to_pylist()
    for row in sorted(rows, key=lambda row: (row["provider"] or "", row["month"] or "")):
        months_of = bills.setdefault(row["provider"] or "", {})
        months_of[row["month"] or ""] = row["count_all"]
    return bills


def _counted(column: pa.ChunkedArray) -> dict[str, int]:
    counts = {row["values"]: row["counts"] for row in column.value_counts().to_pylist()}
    return dict(sorted(counts.items()))
