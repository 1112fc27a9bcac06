"""Copies and parts of Google's bill, in files and in BigQuery: the lake holds each charge once."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from costopt.lake.store import Lake
from costopt.providers.base import Problem
from tests.fakes import gcp_cloud, gcp_export
from tests.fakes.bigquery import BigQuery
from tests.fakes.gcp_export import flat_csv, line
from tests.providers.gcp.bills import TABLE, collect
from tests.providers.gcp.conftest import Opened

OCTOBER = {"invoice": {"month": "202610"}}
SUPPORT = line(cost=4.0, project=None, cost_type="regular")


def of(project: str, cost: float, **more: Any) -> gcp_export.Row:
    return line(cost=cost, project=gcp_export.project(project), **more)


@dataclass
class Collects:
    """Collects into one lake, as the pipeline does them."""

    opened: Opened
    folder: Path
    lake: Lake

    def put(self, name: str, *lines: gcp_export.Row) -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(flat_csv(list(lines)))

    def collect(self, *places: str) -> list[Problem]:
        return self._collect(export=tuple(str(self.folder / one) for one in places or ("",)))

    def query(self) -> list[Problem]:
        return self._collect(billing_table=TABLE)

    def _collect(self, **asked: object) -> list[Problem]:
        found = collect(self.opened(**asked), self.lake.notes("gcp"))
        self.lake.append_charges(found.tables, whole_periods=True)
        self.lake.note("gcp", found.notes)
        return found.problems

    def held(self, month: str = "2026-09") -> dict[str | None, Decimal]:
        sums: dict[str | None, Decimal] = defaultdict(Decimal)
        for row in self.lake.read_charges().to_pylist():
            if f"{row['BillingPeriodStart']:%Y-%m}" == month:
                sums[row["SubAccountId"]] += row["EffectiveCost"]
        return {project: cost for project, cost in sums.items() if cost}


@pytest.fixture
def collects(opened: Opened, gcp: gcp_cloud.Cloud, tmp_path: Path) -> Collects:
    return Collects(opened, tmp_path / "bills", Lake(tmp_path / "lake"))


def test_a_billing_accounts_files_count_for_the_projects_in_them(collects: Collects) -> None:
    collects.put("a-shop/202609.csv", of("shop", 2.0))
    assert collects.collect() == []
    collects.put("z-all/202609.csv", of("shop", 2.0), of("lab", 3.0), SUPPORT)
    (problem,) = collects.collect()
    assert problem.where.endswith("a-shop, 2026-09")
    assert "the same bill of shop as" in problem.what
    assert not problem.fatal
    assert collects.held() == {"shop": 2, "lab": 3, None: 4}
    collects.put("a-shop/202609.csv", of("shop", 9.0))  # restated alone, it does not win
    (problem,) = collects.collect()
    assert "shop (9.00 USD)" in problem.what
    assert collects.held() == {"shop": 2, "lab": 3, None: 4}


def test_the_order_of_places_and_files_does_not_matter(collects: Collects) -> None:
    collects.put("a/month=2026-09/1.csv", of("shop", 2.0), of("old", 1.0))
    collects.put("a/month=2026-09/2.csv", of("shop", 0.5))
    collects.put(
        "b/1.csv", of("shop", 2.5), of("lab", 3.0), of("web", 4.0), of("web", 6.0, **OCTOBER)
    )
    wanted = {"shop": Decimal("2.5"), "old": 1, "lab": 3, "web": 4}
    for number, places in enumerate((("a", "b"), ("b", "a"), ("",), ("a", "", "b"))):
        collects.lake = Lake(collects.folder.parent / str(number))
        (problem,) = collects.collect(*places)
        assert "the same bill of shop (2.50 USD)" in problem.what
        assert collects.held() == wanted
        assert collects.held("2026-10") == {"web": 6}


def test_projects_of_two_exports_add_up_beside_charges_of_no_project(collects: Collects) -> None:
    collects.put("a/1.csv", of("shop", 2.0))
    collects.put("b/1.csv", of("lab", 3.0), SUPPORT)
    assert collects.collect() == []
    collects.put("b/1.csv", of("lab", 5.0), SUPPORT)
    assert collects.collect() == []
    assert collects.held() == {"shop": 2, "lab": 5, None: 4}


def test_a_project_that_leaves_a_restated_month_is_billed_no_longer(collects: Collects) -> None:
    collects.put("e/202609.csv", of("shop", 2.0), of("lab", 3.0))
    collects.collect()
    collects.put("e/202609.csv", of("shop", 5.0))
    assert collects.collect() == []
    assert collects.held() == {"shop": 5}
    collects.put("e/202609.csv", of("shop", 2.0), of("lab", 3.0))
    assert collects.collect() == []
    assert collects.held() == {"shop": 2, "lab": 3}


def test_a_month_that_leaves_its_file_is_billed_no_longer(collects: Collects) -> None:
    collects.put("e/bill.csv", of("shop", 2.0), of("shop", 7.0, **OCTOBER))
    collects.collect()
    collects.put("e/bill.csv", of("shop", 7.0, **OCTOBER))
    assert collects.collect() == []
    assert collects.held() == {}
    assert collects.held("2026-10") == {"shop": 7}
    collects.put("e/bill.csv", of("shop", 2.0), of("shop", 7.0, **OCTOBER))
    assert collects.collect() == []
    assert collects.held() == {"shop": 2}


def test_a_file_that_is_deleted_takes_no_month_with_it(collects: Collects) -> None:
    collects.put("e/202609.csv", of("shop", 2.0))
    collects.put("e/202610.csv", of("shop", 7.0, **OCTOBER))
    collects.collect()
    (collects.folder / "e/202609.csv").unlink()
    assert collects.collect() == []
    assert collects.held() == {"shop": 2}


def table(*lines: gcp_export.Row) -> pa.Table:
    return gcp_export.table(list(lines))


def test_a_project_that_leaves_bigquery_is_billed_no_longer(
    collects: Collects, gcp: gcp_cloud.Cloud
) -> None:
    bigquery = BigQuery(gcp.rest)
    bigquery.put(TABLE, table(of("shop", 2.0), of("lab", 3.0), SUPPORT), "_PARTITIONTIME")
    assert collects.query() == []
    assert collects.held() == {"shop": 2, "lab": 3, None: 4}
    bigquery.put(TABLE, table(of("shop", 2.0), SUPPORT), "_PARTITIONTIME")
    assert collects.query() == []
    assert collects.held() == {"shop": 2, None: 4}


def test_files_and_bigquery_by_turns_take_each_others_place(
    collects: Collects, gcp: gcp_cloud.Cloud
) -> None:
    bigquery = BigQuery(gcp.rest)
    lines = [of("shop", 2.0), of("lab", 3.0), SUPPORT]
    bigquery.put(TABLE, table(*lines), "_PARTITIONTIME")
    collects.put("e/202609.csv", *lines)
    for look in (collects.query, collects.collect, collects.query):
        assert look() == []
        assert collects.held() == {"shop": 2, "lab": 3, None: 4}
