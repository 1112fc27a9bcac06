"""The detailed export out of buckets and folders: nested, flat, JSON; month by month."""

from __future__ import annotations

import csv
import gzip
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest

from tests.fakes import gcp_cloud, gcp_export
from tests.fakes.gcp_export import flat_csv, json_lines, line, parquet
from tests.fakes.gcp_rest import error
from tests.fakes.gcs import Storage
from tests.providers.gcp.bills import collect, demo_bill, lines, sums
from tests.providers.gcp.conftest import Opened

PLACE = ("gs://bills/export",)
OCTOBER = {"invoice": {"month": "202610"}}


@pytest.fixture
def storage(gcp: gcp_cloud.Cloud) -> Storage:
    return Storage(gcp.rest)


@pytest.mark.parametrize(
    ("written", "suffix"),
    [
        (parquet, "parquet"),
        (flat_csv, "csv"),
        (lambda rows: gzip.compress(flat_csv(rows)), "csv.gz"),
        (json_lines, "json"),
        (lambda rows: gzip.compress(b"\xef\xbb\xbf" + json_lines(rows)), "json.gz"),
    ],
)
def test_the_demo_comes_back_to_the_cent(
    opened: Opened,
    storage: Storage,
    written: Callable[[list[gcp_export.Row]], bytes],
    suffix: str,
) -> None:
    for number, start in enumerate(range(0, len(lines()), 700)):
        content = written(lines()[start : start + 700])
        storage.put("bills", f"export/part-{number}.{suffix}", content)
    found = collect(opened(export=PLACE))
    assert found.problems == []
    for by in ("BillingPeriodStart", "ResourceId"):
        wanted = sums(demo_bill(), "EffectiveCost", by)
        assert sums(found.bill, "EffectiveCost", by) == wanted


def test_months_are_those_of_the_lines_and_only_changed_ones_are_read(
    opened: Opened, storage: Storage
) -> None:
    storage.put("bills", "export/a.csv", flat_csv([line(), line(**OCTOBER)]))
    storage.put("bills", "export/b.csv", flat_csv([line(cost=10.0)]))
    first = collect(opened(export=PLACE))
    assert sums(first.bill, "BilledCost", "BillingPeriodStart") == {
        ("2026-09",): Decimal("11.50"),
        ("2026-10",): Decimal("1.50"),
    }
    storage.rest.calls.clear()
    assert collect(opened(export=PLACE), first.notes).tables == []
    assert not [call for call in storage.rest.calls if "download" in call.path]
    storage.put("bills", "export/c.csv", flat_csv([line(cost=100.0)]))
    again = collect(opened(export=PLACE), first.notes)
    # September is whole: with what the old files have of it, and without their October.
    assert sums(again.bill, "BilledCost", "BillingPeriodStart") == {("2026-09",): Decimal("111.50")}
    assert collect(opened(export=PLACE), {**first.notes, **again.notes}).tables == []


def test_a_damaged_file_costs_its_month(opened: Opened, storage: Storage) -> None:
    whole = parquet([line()] * 50)
    storage.put("bills", "export/month=2026-09/a.parquet", whole[: len(whole) // 2])
    storage.put("bills", "export/month=2026-09/b.csv", flat_csv([line(cost=2.0)]))
    storage.put("bills", "export/month=2026-10/c.csv", flat_csv([line(cost=4.0, **OCTOBER)]))
    found = collect(opened(export=PLACE))
    assert found.total == Decimal(4)
    (problem,) = found.problems
    assert problem.fatal
    assert "a.parquet" in problem.where
    assert "2026-09 is left out" in problem.what
    storage.put("bills", "export/month=2026-09/a.parquet", whole)
    assert collect(opened(export=PLACE), found.notes).total == Decimal(77)


def test_a_damaged_file_of_who_knows_which_month_costs_them_all(
    opened: Opened, storage: Storage
) -> None:
    storage.put("bills", "export/a.csv.gz", gzip.compress(flat_csv([line()] * 99))[:-9])
    storage.put("bills", "export/b.csv", flat_csv([line(**OCTOBER)]))
    found = collect(opened(export=PLACE))
    assert found.tables == []
    assert "the bill is left out" in found.said()


@pytest.mark.parametrize("cost", [float("nan"), float("inf")])
def test_a_cost_that_is_none_costs_its_month(opened: Opened, storage: Storage, cost: float) -> None:
    bad = line(credits=[gcp_export.credit("DISCOUNT", cost)])
    for written, suffix in ((parquet, "parquet"), (flat_csv, "csv"), (json_lines, "json")):
        storage.objects.clear()
        storage.put("bills", f"export/202609.{suffix}", written([line(), bad]))
        found = collect(opened(export=PLACE))
        assert found.tables == [], suffix
        assert "credits" in found.said()


def test_a_line_without_a_cost_is_told_at_each_collect(opened: Opened, storage: Storage) -> None:
    storage.put("bills", "export/202609.parquet", parquet([line(), line(cost=None)]))
    first = collect(opened(export=PLACE))
    for found in (first, collect(opened(export=PLACE), first.notes)):
        assert found.tables == []
        assert "cost is missing in 1 row" in found.said()
        assert found.problems[0].fatal


def test_what_is_overwritten_meanwhile_is_left_for_the_next_time(
    opened: Opened, storage: Storage
) -> None:
    storage.put("bills", "export/202609.csv", flat_csv([line()]))
    first = collect(opened(export=PLACE))
    storage.put("bills", "export/202609.csv", flat_csv([line(cost=2.0)]))

    def changes(call: object) -> None:
        if "/download/" in getattr(call, "path", ""):
            storage.put("bills", "export/202609.csv", flat_csv([line(cost=3.0)]))

    storage.rest.rules.append(changes)
    found = collect(opened(export=PLACE), first.notes)
    assert found.tables == []
    (problem,) = found.problems
    assert not problem.fatal  # the lake has the month as it was
    storage.rest.rules.clear()
    assert collect(opened(export=PLACE), {**first.notes, **found.notes}).total == Decimal(3)


def test_pages_throttling_and_refusals(
    opened: Opened, storage: Storage, gcp: gcp_cloud.Cloud, waits: list[float]
) -> None:
    for number in range(8):  # three a page
        storage.put("bills", f"export/{number}.csv", flat_csv([line(cost=number)]))
    gcp.fail("storage.", error(429, "slow down", "rateLimitExceeded"), times=2)
    assert collect(opened(export=PLACE)).total == Decimal(28)
    assert len(waits) == 2
    gcp.fail("storage.objects.list", error(403, "no access", "forbidden"), times=9)
    found = collect(opened(export=PLACE))
    assert found.problems[0].fatal
    assert "storage.objects.list" in found.problems[0].where


def test_one_bill_in_two_formats_or_as_snapshots_counts_once(
    opened: Opened, tmp_path: Path
) -> None:
    rows = [line(cost=0.1 * n, credits=[gcp_export.credit("DISCOUNT", -0.01)]) for n in range(10)]
    for name, content in (
        ("a.parquet", parquet(rows)),
        ("a.csv", flat_csv(rows)),
        ("2026-09-20/export.json", json_lines([*rows, line(cost=7.0)])),
    ):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(content)
    found = collect(opened(export=(str(tmp_path),)))
    assert found.total == Decimal("4.5") - Decimal("0.1") + 7
    assert [one.where.rpartition("/")[2] for one in found.problems] == ["a.csv", "a.parquet"]


def test_two_copies_of_the_bill_count_once(opened: Opened, tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "202609.csv").write_bytes(flat_csv([line()]))
    found = collect(opened(export=(str(tmp_path / "a"), str(tmp_path / "b"))))
    assert found.total == Decimal("1.5")
    assert "the same bill of" in found.said()


def test_what_is_no_bill_or_lacks_columns_is_named(opened: Opened, tmp_path: Path) -> None:
    (tmp_path / "other.csv").write_bytes(b"who,what\nme,this\n")
    flat = flat_csv([line()]).replace(b"credits", b"vouchers").replace(b"currency,", b"coin,", 1)
    (tmp_path / "lacking.csv").write_bytes(flat)
    said = collect(opened(export=(str(tmp_path),))).said()
    assert "no bill of a kind that is known" in said
    assert "lacks currency, credits" in said


def test_koku_s_files_come_out_whole(opened: Opened, real_data: Path) -> None:
    folder = real_data / "billing/koku/koku/masu/test/data/gcp"
    for path in sorted(folder.glob("*.csv")):
        found = collect(opened(export=(str(path),)))
        with path.open(newline="") as file:
            given = list(csv.DictReader(file))
        assert found.problems == []
        taken = [eval(row["credits"]) for row in given]
        usage = [row for row in found.rows if row["ChargeCategory"] == "Usage"]
        assert len(usage) == len(given)
        cost = sum(Decimal(row["cost"]) for row in given)
        gifts = sum(Decimal(repr(one["amount"])) for each in taken for one in each)
        assert sum(row["BilledCost"] for row in usage) == cost
        assert found.total == cost + gifts
        assert {row["BillingAccountId"] for row in usage} == {
            row["billing_account_id"] for row in given
        }
    assert {row["Tags"]["goog-resource-type"] for row in usage if row["Tags"]} <= {
        "bigquery_resource"
    }
