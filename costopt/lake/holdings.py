"""What a lake holds, by provider: for people who want to know whether a collect did its work."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

import pyarrow as pa
import pyarrow.compute as pc

from costopt import schema
from costopt.lake.packed import days
from costopt.lake.store import Lake


@dataclass(frozen=True, slots=True)
class Holdings:
    """Counts, and how far the data reach."""

    resources: Mapping[str, int]  # provider -> resources ever seen
    days: tuple[date, ...]  # UTC days with samples, oldest first
    watermarks: Mapping[str, Mapping[str, datetime]]  # source -> metric -> final until (UTC)
    bills: Mapping[str, Mapping[str, int]]  # provider -> month of the charge -> rows
    prices: int  # the built-in ones are not in the lake
    shapes: int
    own_prices: int  # of these the user's own; the others a provider itself gave
    own_shapes: int


def holdings(lake: Lake) -> Holdings:
    """Everything but the samples themselves; an empty lake holds nothing.

    Raises:
        InputError: a file of the lake is damaged; which.
    """
    prices, shapes = lake.read("prices"), lake.read("shapes")
    seen = lake.read("resources").group_by(["ProviderName", "ResourceId"]).aggregate([])
    return Holdings(
        resources=_counted(seen.column("ProviderName")),
        days=days(lake),
        watermarks=lake.watermarks(),
        bills=_bills(lake.read_charges()),
        prices=prices.num_rows,
        shapes=shapes.num_rows,
        own_prices=_own(prices),
        own_shapes=_own(shapes),
    )


def _own(table: pa.Table) -> int:
    return int(table.num_rows) - int(pc.sum(schema.published(table), min_count=0).as_py())


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
