"""A bill of Azure in a container or a folder, and what collecting from it gives."""

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
from costopt.providers.azure import bill
from costopt.providers.azure.access import Access
from costopt.providers.base import Problem
from costopt.providers.demo import DemoProvider

CENT = Decimal("0.01")
MONTHS = ("2026-09", "2026-10", "2026-11")


@cache
def demo_bill() -> pa.Table:
    """The demo's bill of Azure, September to November, before the reseller's tax: that has two
    amounts, which two exports of Azure's own cannot tell."""
    whole = pa.concat_tables(DemoProvider(instances=40).charges(None))
    mine = pc.equal(whole.column("ProviderName"), "Microsoft")
    return whole.filter(pc.and_(mine, pc.not_equal(whole.column("ChargeCategory"), "Tax")))


def of_month(table: pa.Table, month: str) -> pa.Table:
    return table.filter(pc.equal(pc.strftime(table.column("BillingPeriodStart"), "%Y-%m"), month))


@cache
def charged(month: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = of_month(demo_bill(), month).to_pylist(maps_as_pydicts="strict")
    return found


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

    def total(self, column: str = "BilledCost") -> Decimal:
        return sum(self.bill.column(column).to_pylist(), Decimal(0))

    def said(self) -> str:
        return "; ".join(f"{one.where}: {one.what}" for one in self.problems)


def collect(
    access: Access, held: Mapping[str, str] | None = None, *, window: Window | None = None
) -> Collected:
    found = Collected()
    found.tables += bill.charges(access, held or {}, window, found.problems, found.notes)
    return found


def sums(table: pa.Table, column: str, *by: str) -> dict[tuple[Any, ...], Decimal]:
    """To the cent."""
    found: dict[tuple[Any, ...], Decimal] = defaultdict(Decimal)
    for row in table.to_pylist():
        found[tuple(row[name] for name in by)] += row[column] or Decimal(0)
    return {key: cents for key, value in found.items() if (cents := value.quantize(CENT))}


def same_to_the_cent(given: pa.Table, expected: pa.Table) -> None:
    for column in ("BilledCost", "EffectiveCost"):
        for by in (
            ("BillingPeriodStart",),
            ("BillingPeriodStart", "ChargeCategory"),
            ("ResourceId",),
        ):
            assert sums(given, column, *by) == sums(expected, column, *by), (column, by)
