"""Exports of several scopes and kinds that tell one bill: the lake holds each charge once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from itertools import count
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from costopt import schema
from costopt.lake.store import Lake
from costopt.providers.azure.access import Access
from costopt.providers.base import Problem
from tests.fakes.azure_cloud import Tenant
from tests.fakes.azure_export import RESERVED, cost_csv, delivered, focus_parquet, row
from tests.fakes.blobs import Blobs
from tests.providers.azure.bills import collect, sums

MONTH = "2026-09"
ACCOUNT = "40500611"
ONE, TWO = ("00000000-0000-0000-0000-00000000000" + last for last in "12")
RUNS = count()
Row = dict[str, Any]
Costs = dict[str | None, tuple[int, int]]  # by subscription: billed, effective


def of(subscription: str, cost: str, group: str = "rg", **more: str) -> Row:
    thing = f"/subscriptions/{subscription}/resourceGroups/{group}/providers/T/k/{group}-1"
    return row(cost, SubscriptionId=subscription, ResourceId=thing, **more)


BOUGHT = row("30", ChargeType="Purchase", SubscriptionId="", ResourceId="", **RESERVED)
ACTUAL = [of(ONE, "5"), of(ONE, "0", "web", **RESERVED), of(TWO, "7"), BOUGHT]
AMORTIZED = [of(ONE, "5"), of(ONE, "30", "web", **RESERVED), of(TWO, "7")]
BOTH: Costs = {ONE: (5, 35), TWO: (7, 7), None: (30, 0)}


@dataclass
class Collects:
    """Collects into one lake, as the pipeline does them."""

    bills: Blobs
    access: Callable[..., Access]
    lake: Lake

    def put(self, name: str, kind: str, *content: bytes, suffix: str = "csv") -> None:
        run = f"run-{next(RUNS):04}"
        delivered(self.bills.put, name, MONTH, content, kind=kind, run=run, suffix=suffix)

    def actual(self, name: str, *rows: Row) -> None:
        self.put(name, "ActualCost", cost_csv(rows))

    def amortized(self, name: str, *rows: Row) -> None:
        self.put(name, "AmortizedCost", cost_csv(rows))

    def focus(self, name: str, told: Costs) -> None:
        """FocusCost, with ids as it spells them."""
        self.put(name, "FocusCost", focus(told), suffix="parquet")

    def collect(self, *names: str) -> list[Problem]:
        places = tuple(self.bills.address(name) for name in names or ("",))
        found = collect(self.access(export=places), self.lake.notes("azure"))
        self.lake.append_charges(found.tables, whole_periods=True)
        self.lake.note("azure", found.notes)
        return found.problems

    def held(self) -> Costs:
        """Of each subscription what was billed and what it cost, however it is spelled."""
        table = self.lake.read_charges()
        found: dict[str | None, list[int]] = defaultdict(lambda: [0, 0])
        for place, column in enumerate(("BilledCost", "EffectiveCost")):
            for (account,), cost in sums(table, column, "SubAccountId").items():
                found[account and account.rpartition("/")[2]][place] += int(cost)
        return {account: (billed, cost) for account, (billed, cost) in found.items()}


def focus(told: Costs) -> bytes:
    month = datetime(2026, 9, 1, tzinfo=UTC)
    rows = [
        {
            "ProviderName": "Microsoft",
            "BillingAccountId": f"/providers/Microsoft.Billing/billingAccounts/{ACCOUNT}",
            "SubAccountId": account and f"/subscriptions/{account}",
            "BillingCurrency": "EUR",
            "BillingPeriodStart": month,
            "BillingPeriodEnd": month.replace(month=10),
            "ChargePeriodStart": month.replace(day=14),
            "ChargePeriodEnd": month.replace(day=15),
            "ChargeCategory": "Usage" if account else "Purchase",
            "BilledCost": Decimal(billed),
            "EffectiveCost": Decimal(cost),
        }
        for account, (billed, cost) in told.items()
    ]
    return focus_parquet(pa.Table.from_pylist(rows, schema=schema.CHARGES))


@pytest.fixture
def collects(azure: Tenant, access: Callable[..., Access], tmp_path: Path) -> Collects:
    return Collects(Blobs.of(azure.door), access, Lake(tmp_path / "lake"))


def test_a_billing_accounts_export_counts_for_the_subscriptions_in_it(collects: Collects) -> None:
    collects.actual("a-two", of(TWO, "7"))
    assert collects.collect() == []
    assert collects.held() == {TWO: (7, 7)}
    collects.actual("z-account", *ACTUAL)
    collects.amortized("z-amortized", *AMORTIZED)
    (problem,) = collects.collect()
    assert problem.where.endswith("/a-two, 2026-09")
    assert f"the same bill of {TWO} as" in problem.what
    assert "counts from now on" in problem.what
    assert not problem.fatal
    assert collects.held() == BOTH
    collects.actual("a-two", of(TWO, "8"))  # restated alone, it does not win
    (problem,) = collects.collect()
    assert f"{TWO} (8.00 EUR)" in problem.what
    assert collects.held() == BOTH
    assert collects.collect() == []


def test_a_subscriptions_older_export_names_no_billing_account(collects: Collects) -> None:
    collects.actual("two", of(TWO, "7", BillingAccountId=""))
    collects.collect()
    collects.actual("z-account", *ACTUAL)
    collects.amortized("z-amortized", *AMORTIZED)
    collects.collect()
    assert collects.held() == BOTH


@pytest.mark.parametrize("names", [("f", "a", "m"), ("m", "a", "f")])
@pytest.mark.parametrize("first", ["f", "a", "m"])
def test_focus_counts_where_all_three_are_exported_whichever_comes_first(
    collects: Collects, names: tuple[str, ...], first: str
) -> None:
    told: Costs = {ONE: (5, 33), TWO: (7, 7), None: (30, 0)}
    collects.focus("f", told)
    collects.actual("a", *ACTUAL)
    collects.amortized("m", *AMORTIZED)
    collects.collect(first)
    collects.collect(*names)
    assert {key: one for key, one in collects.held().items() if any(one)} == told
    assert collects.collect() == []


def test_focus_of_one_subscription_beside_the_others_of_the_billing_account(
    collects: Collects,
) -> None:
    collects.focus("f", {ONE: (5, 33)})
    collects.actual("a", *ACTUAL)
    collects.amortized("m", *AMORTIZED)
    said = [one.what for one in collects.collect()]
    assert len([what for what in said if f"same bill of {ONE}" in what]) == 2
    assert collects.held() == {**BOTH, ONE: (5, 33)}


def test_focus_of_other_accounts_when_restated_sweeps_nothing_away(collects: Collects) -> None:
    collects.actual("a", of(ONE, "5"), of(TWO, "7"), row("3", SubscriptionId="", ResourceId=""))
    collects.focus("f", {None: (9, 9)})
    collects.collect()
    assert collects.held() == {ONE: (5, 5), TWO: (7, 7), None: (9, 9)}
    collects.focus("f", {ONE: (6, 4)})
    assert not any(problem.fatal for problem in collects.collect())
    wanted: Costs = {ONE: (6, 4), TWO: (7, 7), None: (3, 3)}
    assert collects.held() == wanted
    assert collects.collect() == []
    assert collects.held() == wanted


def test_actual_first_alone_then_with_amortized(collects: Collects) -> None:
    collects.actual("a", *ACTUAL)
    (problem,) = collects.collect()
    assert "ActualCost alone" in problem.what
    assert collects.held() == {ONE: (5, 5), TWO: (7, 7), None: (30, 30)}
    collects.amortized("m", *AMORTIZED)
    assert collects.collect() == []
    assert collects.held() == BOTH
    collects.amortized("m", *AMORTIZED[:1], *AMORTIZED[2:])  # the reservation was used nowhere
    assert collects.collect() == []
    assert collects.held() == {**BOTH, ONE: (5, 5)}
    collects.actual("a", *ACTUAL, of(TWO, "1"))
    (problem,) = collects.collect()
    assert "are they of one run?" in problem.what


def test_one_subscriptions_amortized_beside_all_of_actual(collects: Collects) -> None:
    collects.actual("account", of(ONE, "5"), of(ONE, "0", "web", **RESERVED), of(TWO, "90"))
    collects.amortized("one", of(ONE, "5"), of(ONE, "30", "web", **RESERVED))
    collects.collect()
    assert collects.held() == {ONE: (5, 35), TWO: (90, 90)}


def test_a_subscription_that_leaves_a_restated_month_is_billed_no_longer(
    collects: Collects,
) -> None:
    collects.actual("a", of(ONE, "5"), of(TWO, "7"))
    collects.collect()
    collects.actual("a", of(ONE, "6"))
    assert collects.collect() == []
    assert collects.held() == {ONE: (6, 6)}
    collects.actual("a", of(ONE, "5"), of(TWO, "7"))  # a return counts as well
    assert collects.collect() == []
    assert collects.held() == {ONE: (5, 5), TWO: (7, 7)}


def test_a_subscription_leaves_both_halves(collects: Collects) -> None:
    collects.actual("a", *ACTUAL)
    collects.amortized("m", *AMORTIZED)
    collects.collect()
    collects.actual("a", *ACTUAL[:2], BOUGHT)
    collects.amortized("m", *AMORTIZED[:2])
    assert collects.collect() == []
    assert collects.held() == {ONE: (5, 35), None: (30, 0)}


def test_resource_groups_exports_add_up_unless_the_subscription_has_one(
    collects: Collects,
) -> None:
    collects.actual("web", of(ONE, "5", "web"))
    collects.actual("db", of(ONE, "2", "db"))
    assert collects.collect() == []
    assert collects.held() == {ONE: (7, 7)}
    collects.actual("db", of(ONE, "3", "db"))  # restated alone, the other stays
    assert collects.collect() == []
    assert collects.held() == {ONE: (8, 8)}
    collects.actual("one", of(ONE, "5", "web"), of(ONE, "3", "db"), of(ONE, "1", "lab"))
    said = [one.what for one in collects.collect()]
    assert len([what for what in said if f"same bill of {ONE} as" in what]) == 2
    assert collects.held() == {ONE: (9, 9)}


def test_downloads_count_once_in_whichever_order_they_are_named(
    access: Callable[..., Access], tmp_path: Path
) -> None:
    files = {
        "account/ActualCost.csv": cost_csv(ACTUAL),
        "account/AmortizedCost.csv": cost_csv(AMORTIZED),
        "two/ActualCost.csv": cost_csv([of(TWO, "7")]),
    }
    for name, content in files.items():
        path = tmp_path / "bills" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    places = [str(tmp_path / "bills" / name) for name in ("account", "two")]
    told = [
        collect(access(export=exports))
        for exports in (places, places[::-1], [str(tmp_path / "bills")])
    ]
    for found in told:
        assert found.total() == found.total("EffectiveCost") == 42
        (problem,) = found.problems
        assert f"the same bill of {TWO} (7.00 EUR)" in problem.what
    assert told[0].rows == told[1].rows == told[2].rows
