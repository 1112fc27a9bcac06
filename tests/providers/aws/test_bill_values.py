"""Values of a bill that cannot be read: told, never taken as zero."""

from __future__ import annotations

import gzip
import io
import json
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.fakes import bill_export
from tests.providers.aws.bills import (
    Store,
    demo_bill,
    items,
    of_month,
    same_to_the_cent,
    small,
    total,
)


def test_rows_that_cannot_be_used_are_told_and_counted(store: Store) -> None:
    rows = [*small(), *small(), *small(cost="2")]
    rows[0] = rows[0] | {"line_item_line_item_type": "DiscountedUsage"}  # without effective cost
    bill_export.data_export(store.put, "v", "2026-09", [bill_export.cur_csv(rows)])
    found = store.collect("v")
    assert total(found.bill) == Decimal("3.5")
    (problem,) = found.problems
    assert problem.fatal
    assert problem.what == "EffectiveCost is missing: row left out"
    assert problem.count == 1


FOCUS_HEADER = (
    "BilledCost,EffectiveCost,BillingCurrency,ChargePeriodStart,ChargePeriodEnd,"
    "BillingPeriodStart,BillingPeriodEnd\n"
)


def focus_csv(*costs: tuple[str, str]) -> bytes:
    when = "2026-09-01T00:00:00Z,2026-09-02T00:00:00Z,2026-09-01T00:00:00Z,2026-10-01T00:00:00Z"
    rows = [f"{billed},{effective},USD,{when}\n" for billed, effective in costs]
    return gzip.compress((FOCUS_HEADER + "".join(rows)).encode())


@pytest.mark.parametrize("text", ["Infinity", "-inf", "1e300", "9e15", "NaN", "=cmd()", "12,5x"])
@pytest.mark.parametrize("column", ["BilledCost", "EffectiveCost"])
def test_a_cost_that_cannot_be_read_costs_its_month(store: Store, text: str, column: str) -> None:
    quoted = f'"{text}"'
    bad = (quoted, "1") if column == "BilledCost" else ("1", quoted)
    content = [focus_csv(("1", "1")), focus_csv(("2", "2"), bad, bad)]
    bill_export.data_export(store.put, "e", "2026-09", content, suffix="csv.gz")
    found = store.collect("e")
    assert (found.tables, found.notes) == ([], {})
    (problem,) = found.problems
    assert problem.fatal
    assert problem.where.endswith("e-00002.csv.gz")
    assert f"{column} cannot be read in 2 rows ({text!r}, say)" in problem.what
    assert "the month is left out" in problem.what


def test_a_nan_in_parquet_is_no_missing_cost(store: Store) -> None:
    row = of_month(demo_bill(), "2026-09").slice(0, 2)
    table = pq.read_table(io.BytesIO(bill_export.focus_parquet(row)))
    at = table.schema.get_field_index("BilledCost")
    table = table.set_column(at, "BilledCost", pa.array([1.0, float("nan")]))
    sink = io.BytesIO()
    pq.write_table(table, sink)
    bill_export.data_export(store.put, "i", "2026-09", [sink.getvalue()])
    (problem,) = store.collect("i").problems
    assert problem.fatal
    assert "BilledCost cannot be read in 1 row" in problem.what


def test_amounts_of_cur_that_cannot_be_read(store: Store) -> None:
    fee = small()[0] | {"line_item_line_item_type": "RIFee", "reservation_unused_recurring_fee": 1}
    for column in ("line_item_unblended_cost", "reservation_unused_recurring_fee"):
        content = bill_export.cur_csv([fee, fee | {column: "1e300"}])
        bill_export.data_export(store.put, column, "2026-09", [content])
        found = store.collect(column)
        assert found.tables == []
        (problem,) = found.problems
        assert problem.fatal
        assert f"{column} cannot be read in 1 row ('1e300', say)" in problem.what


def test_a_quantity_that_cannot_be_read_is_told_and_missing(store: Store) -> None:
    content = bill_export.cur_csv([small()[0] | {"line_item_usage_amount": "lots"}])
    bill_export.data_export(store.put, "g", "2026-09", [content])
    found = store.collect("g")
    assert total(found.bill) == Decimal("1.5")
    (problem,) = found.problems
    assert problem.what == "line_item_usage_amount 'lots' cannot be read: taken as missing"
    assert not problem.fatal


def test_ids_and_tags_with_control_characters_come_through_as_they_are(store: Store) -> None:
    identity = "i-\u202e\x1b[2J\r\n\x00x"
    tags = {"a\u0000": "\u202e\n"}
    rows = [small()[0] | {"line_item_resource_id": identity, "resource_tags": tags}]
    for name, content in (
        ("ids", bill_export.cur_csv(rows)),
        ("pq", bill_export.cur_parquet(rows)),
    ):
        bill_export.data_export(store.put, name, "2026-09", [content])
        found = store.collect(name)
        assert found.problems == []
        (row,) = found.bill.to_pylist(maps_as_pydicts="strict")
        assert (row["ResourceId"], row["Tags"]) == (identity, tags)


def test_half_a_character_in_a_tag_costs_no_month(store: Store) -> None:
    half = {"a": "\ud800", "b": "c"}
    columns = dict.fromkeys(("resource_tags", "cost_category", "product"), half)
    bill_export.data_export(
        store.put, "su", "2026-09", [bill_export.cur_csv([small()[0] | columns])]
    )
    found = store.collect("su")
    assert found.problems == []
    (row,) = found.bill.to_pylist(maps_as_pydicts="strict")
    whole = {"a": "\ufffd", "b": "c"}
    assert row["Tags"] == whole
    assert json.loads(row["x_Attributes"]["x_CostCategories"]) == whole


def test_covered_usage_without_its_negation_is_told(store: Store) -> None:
    rows = [row for row in items("2026-09") if "Negation" not in row["line_item_line_item_type"]]
    bill_export.data_export(store.put, "y", "2026-09", [bill_export.cur_csv(rows)])
    found = store.collect("y")
    same_to_the_cent(found.bill, of_month(demo_bill(), "2026-09"))
    covered = sum(
        row["line_item_unblended_cost"]
        for row in rows
        if row["line_item_line_item_type"] == "SavingsPlanCoveredUsage"
    )
    (problem,) = found.problems
    assert f"differ by {covered:.2f}" in problem.what


FIGURES = (
    "ListCost",
    "ContractedCost",
    "ListUnitPrice",
    "ContractedUnitPrice",
    "PricingQuantity",
    "ConsumedQuantity",
    "CommitmentDiscountQuantity",
)


@pytest.mark.parametrize("text", ["NaN", "nan", "Infinity", "-inf", "1e999", "9e15", "N/A", "lots"])
def test_a_figure_of_focus_that_is_none_is_told_and_missing(store: Store, text: str) -> None:
    line = gzip.decompress(focus_csv(("1", "1"))).decode().splitlines()[1]
    rows = [f"{line},{','.join([value] * len(FIGURES))}" for value in ("2", text, "", text)]
    header = f"{FOCUS_HEADER.strip()},{','.join(FIGURES)}"
    content = gzip.compress("\n".join([header, *rows, ""]).encode())
    bill_export.data_export(store.put, "fi", "2026-09", [content])
    found = store.collect("fi")
    for name in FIGURES:
        assert found.bill.column(name).to_pylist() == [2, None, None, None], name
    assert total(found.bill) == 4
    told = {problem.what: problem.count for problem in found.problems}
    assert told == {f"{name} {text!r} cannot be read: taken as missing": 2 for name in FIGURES}


@pytest.mark.parametrize("text", ["NaN", "inf", "1e999", "lots"])
def test_a_figure_of_cur_that_is_none_is_told_and_missing(store: Store, text: str) -> None:
    figures = {
        "line_item_usage_amount": "PricingQuantity",
        "line_item_unblended_rate": "ContractedUnitPrice",
        "pricing_public_on_demand_rate": "ListUnitPrice",
        "pricing_public_on_demand_cost": None,  # then the cost is the list cost
    }
    rows = [small()[0] | dict.fromkeys(figures, text)]
    for name, content in (
        ("cc", bill_export.cur_csv(rows)),
        ("cl", bill_export.legacy_csv(rows)),
    ):
        bill_export.data_export(store.put, name, "2026-09", [content], suffix="csv.gz")
        found = store.collect(name)
        assert total(found.bill) == Decimal("1.5")
        for ours in filter(None, figures.values()):
            assert found.bill.column(ours).to_pylist() == [None]
        assert {problem.what for problem in found.problems} == {
            f"{theirs} {text!r} cannot be read: taken as missing" for theirs in figures
        }
