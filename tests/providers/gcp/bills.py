"""A bill of Google in BigQuery, in a bucket and in a folder, and what collecting from it gives."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cache
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from costopt import schema
from costopt.model import Window
from costopt.providers.base import Problem
from costopt.providers.demo import DemoProvider
from costopt.providers.gcp import bill
from costopt.providers.gcp.access import Access
from tests.fakes import gcp_export

TABLE = "shop.billing.gcp_billing_export_resource_v1_01F00D"
CENT = Decimal("0.01")


@cache
def demo_bill() -> pa.Table:
    """The demo's bill of Google, September to November."""
    whole = pa.concat_tables(DemoProvider(instances=40).charges(None))
    return whole.filter(pc.equal(whole.column("ProviderName"), "Google Cloud"))


@cache
def lines() -> list[gcp_export.Row]:
    """The same as lines of the detailed export."""
    return gcp_export.lines(demo_bill().to_pylist(maps_as_pydicts="strict"))


@dataclass
class Collected:
    """What one collect gave."""

    tables: list[pa.Table] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    notes: dict[str, str] = field(default_factory=dict)

    @property
    def bill(self) -> pa.Table:
        return pa.concat_tables([schema.empty(schema.CHARGES), *self.tables])

    @property
    def rows(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.bill.to_pylist(maps_as_pydicts="strict")
        return found

    @property
    def total(self) -> Decimal:
        return sum(self.bill.column("EffectiveCost").to_pylist(), Decimal(0))

    def said(self) -> str:
        return "; ".join(f"{one.where}: {one.what}" for one in self.problems)


def collect(
    access: Access,
    held: Mapping[str, str] | None = None,
    *,
    window: Window | None = None,
    resources: list[dict[str, Any]] | None = None,
    most: str = "10",
) -> Collected:
    found = Collected()
    found.tables += bill.charges(
        access,
        held or {},
        window,
        found.problems,
        found.notes,
        resources=resources or (),
        most=Decimal(most),
    )
    return found


def sums(table: pa.Table, column: str, *by: str) -> dict[tuple[Any, ...], Decimal]:
    """To the cent; months by their names, since Google's begin in Pacific time."""
    found: dict[tuple[Any, ...], Decimal] = defaultdict(Decimal)
    for row in table.to_pylist():
        key = tuple(f"{row[n]:%Y-%m}" if n == "BillingPeriodStart" else row[n] for n in by)
        found[key] += row[column]
    return {key: cents for key, value in found.items() if (cents := value.quantize(CENT))}
