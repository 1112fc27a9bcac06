"""What comes out of S3 is what went in: every format and layout, each charge once."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any, Literal

import pyarrow as pa
import pytest

from costopt import schema
from costopt.lake.store import Lake
from tests.fakes import bill_export
from tests.providers.aws.bills import (
    CENT,
    MONTHS,
    OCTOBER,
    WHOLE,
    Store,
    demo_bill,
    items,
    of_month,
    same_to_the_cent,
    small,
    total,
)


def test_a_focus_export_reproduces_the_demos_bill(store: Store) -> None:
    for month in MONTHS:
        part = of_month(demo_bill(), month)
        half = part.num_rows // 2
        files = [
            bill_export.focus_parquet(piece) for piece in (part.slice(0, half), part.slice(half))
        ]
        bill_export.data_export(store.put, "exports/focus", month, files)
    found = store.collect("exports")
    assert found.problems == []
    assert found.bill.num_rows == demo_bill().num_rows
    same_to_the_cent(found.bill, demo_bill())
    columns = [name for name in schema.CHARGES.names if name != "x_Attributes"]
    given = found.bill.select(columns).to_pylist()
    assert given == demo_bill().select(columns).to_pylist()  # float64 lost nothing on its way


@pytest.mark.parametrize("write", [bill_export.cur_parquet, bill_export.cur_csv])
def test_a_cur_export_reproduces_the_demos_bill(
    store: Store, write: Callable[[list[dict[str, Any]]], bytes]
) -> None:
    for month in WHOLE:
        files = [write(items(month)[:1000]), write(items(month)[1000:])]
        bill_export.data_export(store.put, "cur2", month, files)
    found = store.collect("cur2")
    assert found.problems == []
    same_to_the_cent(found.bill, pa.concat_tables(of_month(demo_bill(), m) for m in WHOLE))
    unblended = sum((i["line_item_unblended_cost"] for m in WHOLE for i in items(m)), Decimal(0))
    assert total(found.bill).quantize(CENT) == unblended.quantize(CENT)


@pytest.mark.parametrize("layout", ["gzip", "zip", "kept", "athena"])
def test_a_legacy_report_reproduces_the_demos_bill(store: Store, layout: str) -> None:
    rows = items("2026-10")
    if layout == "athena":
        bill_export.athena_export(
            store.put, "old/report", OCTOBER, [bill_export.legacy_parquet(rows)]
        )
    else:
        packed: Literal["zip", "gzip"] = "zip" if layout == "zip" else "gzip"
        files = [bill_export.legacy_csv(part, packed=packed) for part in (rows[:900], rows[900:])]
        assembly = "a-1" if layout == "kept" else ""
        bill_export.legacy_export(store.put, "old/report", OCTOBER, files, assembly=assembly)
    found = store.collect("old")
    assert found.problems == []
    same_to_the_cent(found.bill, of_month(demo_bill(), "2026-10"))
    tagged = {r["ResourceId"]: r["Tags"] for r in found.bill.to_pylist() if r["Tags"]}
    expected = {
        r["ResourceId"]: r["Tags"]
        for r in of_month(demo_bill(), "2026-10").to_pylist()
        if r["Tags"] and r["ResourceId"]
    }
    assert {k: dict(v) for k, v in tagged.items()} == {k: dict(v) for k, v in expected.items()}


def test_the_lake_holds_an_export_once_however_often_it_is_collected(
    store: Store, tmp_path: Any
) -> None:
    bill_export.data_export(store.put, "c", "2026-09", [bill_export.cur_parquet(items("2026-09"))])
    lake = Lake(tmp_path / "lake")
    lake.append_charges(iter(store.collect("c").tables))
    once = lake.read_charges()
    lake.append_charges(iter(store.collect("c").tables))
    assert lake.read_charges().equals(once)


def test_the_same_bill_in_two_exports_counts_once(store: Store) -> None:
    for name in ("a", "b"):
        bill_export.data_export(store.put, f"t/{name}", "2026-09", [bill_export.cur_csv(small())])
    other = [bill_export.cur_csv(small(account="2", cost="4"))]
    bill_export.data_export(store.put, "t/c", "2026-09", other)
    found = store.collect("t", "t/a")
    assert total(found.bill) == Decimal("5.5")
    (problem,) = found.problems
    assert "/t/b, 2026-09" in problem.where
    assert "/t/a" in problem.what
    assert not problem.fatal
