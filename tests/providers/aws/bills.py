"""A bucket with bills in it: what tests put there, and what collecting from it gives."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from itertools import count
from typing import Any

import boto3
import pyarrow as pa
import pyarrow.compute as pc

from costopt import schema
from costopt.model import Window
from costopt.providers.aws import bill
from costopt.providers.aws.access import own_account
from costopt.providers.aws.settings import AwsSettings
from costopt.providers.base import Problem
from costopt.providers.demo import DemoProvider
from tests.fakes import bill_export

CENT = Decimal("0.01")
OCTOBER = datetime(2026, 10, 1, tzinfo=UTC)
MONTHS = ("2026-09", "2026-10", "2026-11")
WHOLE = MONTHS[:2]
"""Months that are over. Before, the demo's support fee follows effective costs and not billed ones,
as AWS's does, and CUR has no column to say so; over a month both are the same."""
NUMBERS = count()


@cache
def demo_bill() -> pa.Table:
    """The demo's AWS bill of September to November."""
    bill = pa.concat_tables(DemoProvider(instances=40).charges(None))
    return bill.filter(pc.equal(bill.column("ProviderName"), "AWS"))


def of_month(table: pa.Table, month: str) -> pa.Table:
    start = pc.strftime(table.column("BillingPeriodStart"), "%Y-%m")
    return table.filter(pc.equal(start, month))


@cache
def items(month: str) -> list[dict[str, Any]]:
    return bill_export.line_items(of_month(demo_bill(), month).to_pylist(maps_as_pydicts="strict"))


@dataclass
class Store:
    """A bucket of its own, and what collecting from it gives."""

    name: str
    client: Any
    settings: Callable[..., AwsSettings]

    def put(self, key: str, content: bytes) -> None:
        self.client.put_object(Bucket=self.name, Key=key, Body=content)

    def collect(
        self, *prefixes: str, held: dict[str, str] | None = None, window: Window | None = None
    ) -> Collected:
        found = Collected([], [], {})
        for table in self.lazily(*prefixes, held=held, window=window, into=found):
            found.tables.append(table)
        return found

    def lazily(
        self,
        *prefixes: str,
        into: Collected,
        held: dict[str, str] | None = None,
        window: Window | None = None,
    ) -> Iterator[pa.Table]:
        addresses = tuple(f"s3://{self.name}/{prefix}" for prefix in prefixes or ("",))
        home = own_account(self.settings(export=addresses))
        return bill.charges(home, held or {}, window, into.problems, into.notes)


@dataclass
class Collected:
    tables: list[pa.Table]
    problems: list[Problem]
    notes: dict[str, str]

    @property
    def bill(self) -> pa.Table:
        return pa.concat_tables([schema.empty(schema.CHARGES), *self.tables])


def bucket(settings: Callable[..., AwsSettings]) -> Store:
    """A new one."""
    client = boto3.client("s3", region_name="us-east-1")
    name = f"bills-{next(NUMBERS)}"
    client.create_bucket(Bucket=name)
    return Store(name, client, settings)


def sums(table: pa.Table, *by: str) -> dict[tuple[Any, ...], tuple[Decimal, Decimal]]:
    found: dict[tuple[Any, ...], list[Decimal]] = defaultdict(lambda: [Decimal(0), Decimal(0)])
    for row in table.to_pylist():
        total = found[tuple(row[name] for name in by)]
        total[0] += row["BilledCost"]
        total[1] += row["EffectiveCost"]
    rounded = {k: (a.quantize(CENT), b.quantize(CENT)) for k, (a, b) in found.items()}
    return {key: pair for key, pair in rounded.items() if any(pair)}


def same_to_the_cent(given: pa.Table, expected: pa.Table) -> None:
    for by in (("BillingPeriodStart",), ("BillingPeriodStart", "ChargeCategory"), ("ResourceId",)):
        assert sums(given, *by) == sums(expected, *by), by


def small(month: str = "2026-09", cost: str = "1.5", account: str = "1") -> list[dict[str, Any]]:
    """One line item of usage on demand."""
    item = next(one for one in items(month) if one["line_item_line_item_type"] == "Usage")
    return [item | {"line_item_unblended_cost": Decimal(cost), "bill_payer_account_id": account}]


def total(table: pa.Table) -> Decimal:
    return sum(table.column("BilledCost").to_pylist(), Decimal(0))
