"""Bills out of S3: every layout, new and restated months only, a month whole or not at all."""

from __future__ import annotations

import gzip
import io
import json
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from itertools import count
from typing import Any, Literal

import boto3
import httpx
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from costopt import schema
from costopt.lake.store import Lake
from costopt.model import Window
from costopt.providers.aws import bill
from costopt.providers.aws.access import own_account
from costopt.providers.aws.settings import AwsSettings
from costopt.providers.base import Problem
from costopt.providers.demo import DemoProvider
from tests.fakes import bill_export

CENT = Decimal("0.01")
SEPTEMBER = datetime(2026, 9, 1, tzinfo=UTC)
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


@pytest.fixture
def store(aws_server: str, settings: Callable[..., AwsSettings]) -> Store:
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


# -- what comes in is what went out ----------------------------------------------------------------


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
        bill_export.athena_export(store.put, "old/report", OCTOBER, [bill_export.cur_parquet(rows)])
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


# -- which files count -----------------------------------------------------------------------------


def test_listings_of_more_than_a_page_are_read_to_the_end(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MOTO_S3_DEFAULT_MAX_KEYS", "5")  # real S3: 1,000
    for number in range(12):
        store.put(f"x/{number:04d}.txt", b"-")
    bill_export.data_export(store.put, "x/z", "2026-09", [bill_export.cur_csv(small())])
    assert total(store.collect("x").bill) == Decimal("1.5")


def test_of_kept_runs_only_the_newest_counts(store: Store) -> None:
    for run, cost in (("20260910T01-b", "7"), ("20260911T01-a", "9")):
        content = [bill_export.cur_csv(small(cost=cost))]
        bill_export.data_export(store.put, "k", "2026-09", content, run=run)
    assert total(store.collect("k").bill) == Decimal(9)


def test_a_file_that_no_manifest_lists_is_left_behind_by_a_larger_run(store: Store) -> None:
    two = [bill_export.cur_csv(small(cost="4")), bill_export.cur_csv(small(cost="5"))]
    bill_export.data_export(store.put, "o", "2026-09", two)
    bill_export.data_export(store.put, "o", "2026-09", [bill_export.cur_csv(small(cost="6"))])
    assert total(store.collect("o").bill) == Decimal(6)


def manifest(store: Store, name: str, month: str, content: bytes) -> None:
    store.put(f"{name}/metadata/BILLING_PERIOD={month}/{name}-Manifest.json", content)


def test_a_file_that_a_manifest_lists_again_counts_once(store: Store) -> None:
    bill_export.data_export(store.put, "b", "2026-09", [bill_export.cur_csv(small())])
    key = "b/data/BILLING_PERIOD=2026-09/b-00001.csv.gz"
    names = [key, f"s3://{store.name}/{key}", key]
    manifest(store, "b", "2026-09", json.dumps({"dataFiles": names}).encode())
    found = store.collect("b")
    assert found.problems == []
    assert total(found.bill) == Decimal("1.5")


@pytest.mark.parametrize("listing", ["dataFiles", "reportKeys"])
def test_a_manifest_that_lists_nothing_beside_data_is_told(store: Store, listing: str) -> None:
    bill_export.data_export(store.put, "j", "2026-09", [bill_export.cur_csv(small())])
    bill_export.data_export(store.put, "j", "2026-10", [bill_export.cur_csv(small("2026-10"))])
    manifest(store, "j", "2026-09", json.dumps({listing: []}).encode())
    found = store.collect("j")
    assert [name[-7:] for name in found.notes] == ["2026-10"]
    assert total(found.bill) == Decimal("1.5")
    (problem,) = found.problems
    assert problem.fatal
    assert problem.where.endswith("BILLING_PERIOD=2026-09/j-Manifest.json")
    assert "lists no data file" in problem.what


@pytest.mark.parametrize(
    ("content", "what"),
    [
        pytest.param(b"[" * 200_000, "nested too deeply", id="nested"),
        pytest.param(b'{"dataFiles": [', "Expecting value", id="breaks off"),
        pytest.param(b"\xff\xfe\xfa", "decode", id="no text"),
        pytest.param(b" " * (1 << 20) + b"{}", "larger than", id="large"),
    ],
)
def test_a_manifest_that_cannot_be_read_costs_its_month_and_no_other(
    store: Store, content: bytes, what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("costopt.providers.aws.bill.fetch._LARGEST_MANIFEST", 1 << 20)
    for month in ("2026-09", "2026-10"):
        bill_export.data_export(store.put, "z", month, [bill_export.cur_csv(small(month))])
    manifest(store, "z", "2026-09", content)
    found = store.collect("z")
    assert [name[-7:] for name in found.notes] == ["2026-10"]
    (problem,) = found.problems
    assert problem.fatal
    assert problem.where.endswith("BILLING_PERIOD=2026-09/z-Manifest.json")
    assert what in problem.what


def test_without_a_manifest_every_file_of_the_month_counts(store: Store) -> None:
    for number, cost in enumerate(("1", "2")):
        key = f"n/data/BILLING_PERIOD=2026-09/n-{number}.csv.gz"
        store.put(key, bill_export.cur_csv(small(cost=cost)))
    found = store.collect("n")
    assert found.problems == []
    assert total(found.bill) == Decimal(3)


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


# -- new and restated months only ------------------------------------------------------------------


def test_only_new_and_restated_months_are_read(store: Store) -> None:
    for month in ("2026-09", "2026-10"):
        content = [bill_export.cur_csv(small(month, cost="1"))]
        bill_export.data_export(store.put, "r", month, content)
    first = store.collect("r")
    assert total(first.bill) == 2
    assert len(first.notes) == 2
    again = store.collect("r", held=first.notes)
    assert (again.tables, again.problems, again.notes) == ([], [], {})
    restated = [bill_export.cur_csv(small("2026-10", cost="3"))]
    bill_export.data_export(store.put, "r", "2026-10", restated)
    third = store.collect("r", held=first.notes)
    assert total(third.bill) == 3
    assert list(third.notes) == [f"bill s3://{store.name}/r 2026-10"]


def test_only_months_that_touch_the_window_are_read(store: Store) -> None:
    for month in MONTHS:
        bill_export.data_export(store.put, "w", month, [bill_export.cur_csv(small(month))])
    window = Window(datetime(2026, 10, 31, tzinfo=UTC), datetime(2026, 11, 1, tzinfo=UTC))
    found = store.collect("w", window=window)
    assert [name[-7:] for name in found.notes] == ["2026-10"]


def test_a_month_is_noted_when_its_last_table_was_taken(store: Store) -> None:
    bill_export.data_export(store.put, "l", "2026-09", [bill_export.cur_csv(small())])
    found = Collected([], [], {})
    tables = store.lazily("l", into=found)
    next(tables)
    assert found.notes == {}
    assert list(tables) == []
    assert len(found.notes) == 1


# -- whole or not at all ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "damaged",
    [
        pytest.param(lambda whole: whole[: len(whole) // 2], id="breaks off"),
        pytest.param(lambda whole: whole[:-8] + b"\0\0\0\0" + whole[-4:], id="checksum"),
        pytest.param(lambda whole: gzip.compress(gzip.decompress(whole)[:-40]), id="half a row"),
        pytest.param(lambda whole: b"", id="empty"),
        pytest.param(lambda whole: b"PAR1" + whole, id="no Parquet"),
    ],
)
def test_a_damaged_file_costs_its_month_and_no_other(
    store: Store, damaged: Callable[[bytes], bytes]
) -> None:
    good = bill_export.cur_csv(items("2026-09")[:500])
    bill_export.data_export(store.put, "d", "2026-09", [good, damaged(good)], suffix="csv.gz")
    bill_export.data_export(store.put, "d", "2026-10", [bill_export.cur_csv(small("2026-10"))])
    found = store.collect("d")
    assert total(found.bill) == Decimal("1.5")
    assert [name[-7:] for name in found.notes] == ["2026-10"]
    (problem,) = found.problems
    assert problem.fatal
    assert "d-00002.csv.gz" in problem.where
    assert "the month is left out" in problem.what


def test_a_file_that_the_manifest_lists_and_is_not_there_yet(store: Store) -> None:
    bill_export.data_export(store.put, "h", "2026-09", [bill_export.cur_csv(small())] * 2)
    store.client.delete_object(
        Bucket=store.name, Key="h/data/BILLING_PERIOD=2026-09/h-00002.csv.gz"
    )
    found = store.collect("h")
    assert (found.tables, found.notes) == ([], {})
    assert "being delivered" in found.problems[0].what
    assert found.problems[0].fatal
    # Where the lake has the month as it was, nothing is missing.
    known = store.collect("h", held={f"bill s3://{store.name}/h 2026-09": "older"})
    assert [problem.fatal for problem in known.problems] == [False]


def test_a_month_that_is_overwritten_while_we_read_comes_next_time(store: Store) -> None:
    for month in ("2026-09", "2026-10"):
        bill_export.data_export(store.put, "m", month, [bill_export.cur_csv(small(month))])
    found = Collected([], [], {})
    tables = store.lazily("m", into=found)
    next(tables)  # both months are listed, the first is read
    restated = [bill_export.cur_csv(small("2026-10", cost="8"))]
    bill_export.data_export(store.put, "m", "2026-10", restated)
    assert list(tables) == []
    assert "overwritten" in found.problems[0].what
    assert total(store.collect("m", held=found.notes).bill) == 8


def test_nothing_of_the_months_files_stays_on_this_machine(
    store: Store, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    bill_export.data_export(store.put, "q", "2026-09", [bill_export.cur_csv(small())])
    found = Collected([], [], {})
    tables = store.lazily("q", into=found)
    next(tables)
    assert list(tmp_path.iterdir())
    tables.close()  # type: ignore[attr-defined]
    assert list(tmp_path.iterdir()) == []


# -- what cannot be had ----------------------------------------------------------------------------


def test_an_address_without_exports_says_what_to_do(store: Store) -> None:
    store.put("elsewhere/readme.txt", b"-")
    found = store.collect("elsewhere")
    (problem,) = found.problems
    assert problem.fatal
    assert "no bill export below this address" in problem.what
    assert problem.where == f"s3://{store.name}/elsewhere"


def test_an_address_that_is_refused_does_not_stop_the_others(
    store: Store, settings: Callable[..., AwsSettings]
) -> None:
    bill_export.data_export(store.put, "p", "2026-09", [bill_export.cur_csv(small())])
    home = own_account(settings(export=("s3://no-such-bucket/x", f"s3://{store.name}/p")))
    problems: list[Problem] = []
    tables = list(bill.charges(home, {}, None, problems, {}))
    assert total(pa.concat_tables(tables)) == Decimal("1.5")
    (problem,) = problems
    assert problem.where == "s3://no-such-bucket/x s3:ListObjectsV2"
    assert problem.what.startswith("NoSuchBucket")
    assert problem.fatal


def test_without_permission_it_is_told(store: Store, aws_server: str) -> None:
    bill_export.data_export(store.put, "f", "2026-09", [bill_export.cur_csv(small())])
    found = Collected([], [], {})
    tables = store.lazily("f", into=found)
    httpx.post(f"{aws_server}/moto-api/reset-auth", content="0").raise_for_status()
    try:
        assert list(tables) == []
    finally:
        httpx.post(f"{aws_server}/moto-api/reset-auth", content="inf").raise_for_status()
    assert found.problems[0].fatal
    assert found.notes == {}
    assert "testing" not in str(found.problems)


def test_exports_of_something_else_are_left_out(store: Store) -> None:
    text = gzip.compress(b"recommendation_id,action_type\n1,Stop\n")
    bill_export.data_export(store.put, "s", "2026-09", [text])
    (problem,) = store.collect("s").problems
    assert "neither FOCUS nor a Cost and Usage Report" in problem.what
    assert not problem.fatal


def test_an_export_that_lacks_a_column_says_which(store: Store) -> None:
    text = b"line_item_line_item_type,line_item_unblended_cost\nUsage,1\n"
    bill_export.data_export(store.put, "u", "2026-09", [gzip.compress(text)])
    (problem,) = store.collect("u").problems
    assert "line_item_currency_code, line_item_usage_start_date" in problem.what
    assert problem.fatal


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
    rows = [small()[0] | {"resource_tags": {"a": "\ud800", "b": "c"}}]
    bill_export.data_export(store.put, "su", "2026-09", [bill_export.cur_csv(rows)])
    found = store.collect("su")
    assert found.problems == []
    (row,) = found.bill.to_pylist(maps_as_pydicts="strict")
    assert row["Tags"] == {"a": "\ufffd", "b": "c"}


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
