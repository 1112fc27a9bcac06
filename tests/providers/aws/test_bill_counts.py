"""Several exports that tell one bill, and exports restated: the lake holds each charge once."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pytest

from costopt import schema
from costopt.lake.store import Lake
from costopt.providers.base import Problem
from tests.fakes import bill_export
from tests.providers.aws.bills import OCTOBER, Store, small

PAYER = "999900000000"


def focus(told: dict[str, int]) -> bytes:
    """An export's file: of each account one charge."""
    start = OCTOBER + timedelta(days=2)
    rows = [
        {
            "ProviderName": "AWS",
            "BillingAccountId": PAYER,
            "SubAccountId": account,
            "BillingCurrency": "USD",
            "BillingPeriodStart": OCTOBER,
            "BillingPeriodEnd": datetime(2026, 11, 1, tzinfo=UTC),
            "ChargeCategory": "Usage",
            "ServiceCategory": "Compute",
            "ServiceName": "Amazon Elastic Compute Cloud",
            "ChargePeriodStart": start,
            "ChargePeriodEnd": start + timedelta(days=1),
            **dict.fromkeys(("BilledCost", "EffectiveCost", "ListCost"), Decimal(cost)),
        }
        for account, cost in told.items()
    ]
    return bill_export.focus_parquet(pa.Table.from_pylist(rows, schema=schema.CHARGES))


@dataclass
class Collects:
    """Collects into one lake, as the pipeline does them."""

    store: Store
    lake: Lake

    def put(self, name: str, **told: int) -> None:
        """An export of October; accounts as a111=100."""
        file = focus({account[1:]: cost for account, cost in told.items()})
        bill_export.data_export(self.store.put, name, "2026-10", [file])

    def put_cur(self, name: str, account: str, cost: str) -> None:
        items = [
            one | {"line_item_usage_account_id": account}
            for one in small("2026-10", cost=cost, account=PAYER)
        ]
        bill_export.data_export(self.store.put, name, "2026-10", [bill_export.cur_csv(items)])

    def collect(self, *prefixes: str) -> list[Problem]:
        found = self.store.collect(*prefixes, held=self.lake.notes("aws"))
        self.lake.append_charges(found.tables, whole_periods=True)
        self.lake.note("aws", found.notes)
        return found.problems

    def held(self) -> dict[str, Decimal]:
        sums: dict[str, Decimal] = defaultdict(Decimal)
        for row in self.lake.read_charges().to_pylist():
            sums[row["SubAccountId"]] += row["BilledCost"]
        return {account: cost for account, cost in sums.items() if cost}


@pytest.fixture
def collects(store: Store, tmp_path: Path) -> Collects:
    return Collects(store, Lake(tmp_path / "lake"))


def test_the_export_that_covers_another_counts_whatever_their_names(collects: Collects) -> None:
    collects.put("a-member/d", a222=50)
    collects.put("z-payer/d", a111=100, a222=50, a333=1000)
    (problem,) = collects.collect()
    assert collects.held() == {"111": 100, "222": 50, "333": 1000}
    assert "a-member/d, 2026-10" in problem.where
    assert "222 (50.00 USD)" in problem.what
    assert "z-payer/d, which counts" in problem.what
    assert not problem.fatal
    collects.put("a-member/d", a222=60)  # restated alone, it does not win
    (problem,) = collects.collect()
    assert collects.held() == {"111": 100, "222": 50, "333": 1000}
    assert "222 (60.00 USD)" in problem.what
    assert collects.collect() == []


def test_an_export_that_covers_others_may_come_later(collects: Collects) -> None:
    collects.put("a-member/d", a222=50)
    assert collects.collect() == []
    collects.put("z-payer/d", a111=100, a222=50)
    (problem,) = collects.collect()
    assert "a-member/d, 2026-10" in problem.where
    assert "222 as" in problem.what
    assert "counts from now on" in problem.what
    assert collects.held() == {"111": 100, "222": 50}


def test_of_exports_that_overlap_only_the_shared_accounts_of_one_are_dropped(
    collects: Collects,
) -> None:
    collects.put("a/d", a111=1, a222=2)
    collects.put("b/d", a222=2, a333=30, a444=400)
    (problem,) = collects.collect()
    assert collects.held() == {"111": 1, "222": 2, "333": 30, "444": 400}
    assert "a/d, 2026-10" in problem.where
    assert "of 222 (2.00 USD) as" in problem.what
    collects.put("b/d", a333=30)  # and what it tells no longer, the other does
    assert collects.collect() == []
    assert collects.held() == {"111": 1, "222": 2, "333": 30}


def test_of_two_alike_the_same_counts_also_where_the_other_is_restated(collects: Collects) -> None:
    for name in ("a/d", "b/d"):
        collects.put(name, a111=100)
    (problem,) = collects.collect()
    assert "b/d, 2026-10" in problem.where
    collects.put("b/d", a111=120)
    (problem,) = collects.collect()
    assert "111 (120.00 USD)" in problem.what
    assert collects.held() == {"111": 100}


def test_exports_that_are_collected_by_turns_take_each_others_place(collects: Collects) -> None:
    collects.put("a/d", a111=100)
    collects.put("b/d", a111=100, a222=5)
    for prefix in ("a", "b", "a", "b"):
        assert collects.collect(prefix) == []
    assert collects.held() == {"111": 100, "222": 5}
    collects.put("b/d", a222=6)
    collects.collect("b")
    assert collects.held() == {"222": 6}
    collects.collect("a", "b")
    assert collects.held() == {"111": 100, "222": 6}


def test_focus_counts_before_cur(collects: Collects) -> None:
    collects.put_cur("a-cur/d", "111", "7")
    collects.put("z-focus/d", a111=9)
    (problem,) = collects.collect()
    assert "a-cur/d, 2026-10" in problem.where
    assert collects.held() == {"111": 9}


def test_an_account_that_leaves_a_restated_month_is_billed_no_longer(collects: Collects) -> None:
    collects.put("e/d", a111=100, a222=50)
    assert collects.collect() == []
    collects.put("e/d", a111=150)
    assert collects.collect() == []
    assert collects.held() == {"111": 150}
    collects.put("e/d")
    assert collects.collect() == []
    assert collects.held() == {}
    collects.put("e/d", a111=100, a222=50)  # a return counts as well
    assert collects.collect() == []
    assert collects.held() == {"111": 100, "222": 50}


@pytest.mark.parametrize("prefixes", [("a", "z"), ("z", "a")])
def test_the_order_of_addresses_does_not_matter(
    collects: Collects, prefixes: tuple[str, str]
) -> None:
    collects.put("a/d", a222=50, a333=7)
    collects.put("z/d", a111=100, a222=60)
    (problem,) = collects.collect(*prefixes)
    assert "z/d, 2026-10" in problem.where
    assert collects.held() == {"111": 100, "222": 50, "333": 7}


def test_an_export_that_cannot_be_read_keeps_what_it_told(collects: Collects) -> None:
    collects.put("a/d", a222=50)
    collects.put("z/d", a111=100, a222=50)
    collects.collect()
    bill_export.data_export(collects.store.put, "z/d", "2026-10", [b"PAR1"])
    collects.put("a/d", a222=60)
    problems = collects.collect()
    assert [problem.fatal for problem in problems] == [True, False]
    assert collects.held() == {"111": 100, "222": 50}
