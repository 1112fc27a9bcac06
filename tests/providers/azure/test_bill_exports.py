"""Cost Management exports out of blobs: the newest whole run of each month, once."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from costopt.model import Window
from costopt.providers.azure.access import Access
from tests.fakes import azure_export
from tests.fakes.azure_arm import BLOBS, forbidding
from tests.fakes.azure_cloud import Tenant
from tests.fakes.azure_export import RESERVED, cost_csv, delivered, row
from tests.fakes.blobs import Blobs
from tests.providers.azure.bills import (
    MONTHS,
    charged,
    collect,
    demo_bill,
    of_month,
    same_to_the_cent,
    sums,
)

Open = Callable[..., Access]
SEPTEMBER = "2026-09"


@pytest.fixture
def bills(azure: Tenant) -> Blobs:
    return Blobs.of(azure.door)


@pytest.fixture
def way(access: Open, bills: Blobs) -> Callable[[], Access]:
    return lambda: access(export=(bills.address(),))


@pytest.mark.parametrize(
    ("written", "suffix"),
    [
        (azure_export.cost_csv, "csv"),
        (azure_export.cost_gzip, "csv.gz"),
        (azure_export.cost_parquet, "parquet"),
    ],
)
def test_the_demo_comes_back_to_the_cent_from_both_exports(
    way: Callable[[], Access],
    bills: Blobs,
    written: Callable[[azure_export.Rows], bytes],
    suffix: str,
) -> None:
    for month in MONTHS:
        for kind, rows in (
            ("ActualCost", azure_export.actual(charged(month))),
            ("AmortizedCost", azure_export.amortized(charged(month))),
        ):
            parts = [rows[:100], rows[100:]]
            delivered(
                bills.put,
                f"exports/{kind}",
                month,
                [written(part) for part in parts],
                kind=kind,
                rows=[len(part) for part in parts],
                suffix=suffix,
            )
    found = collect(way())
    assert found.problems == []
    same_to_the_cent(found.bill, demo_bill())


def test_the_demo_comes_back_from_focus(way: Callable[[], Access], bills: Blobs) -> None:
    for month in MONTHS:
        content = azure_export.focus_parquet(of_month(demo_bill(), month))
        delivered(bills.put, "focus", month, [content], kind="FocusCost", suffix="snappy.parquet")
    found = collect(way())
    assert found.problems == []
    same_to_the_cent(found.bill, demo_bill())


def test_unchanged_months_are_not_read_again(way: Callable[[], Access], bills: Blobs) -> None:
    for month in MONTHS[:2]:
        delivered(bills.put, "actual", month, [_csv(month)])
    first = collect(way())
    bills.door.reset()
    again = collect(way(), first.notes)
    assert again.tables == []
    read = {call.path.rpartition("/")[2] for call in bills.door.calls if "comp" not in call.query}
    assert read == {"manifest.json"}


def _csv(month: str, cost: str = "1.5", **more: str) -> bytes:
    start = f"{month[5:]}/01/{month[:4]}"
    return cost_csv([row(cost, Date=start, BillingPeriodStartDate=start, **more)])


def test_a_restated_month_is_read_alone_and_old_runs_do_not_count(
    way: Callable[[], Access], bills: Blobs
) -> None:
    for month in MONTHS[:2]:
        delivered(bills.put, "actual", month, [_csv(month)])
    first = collect(way())
    delivered(bills.put, "actual", MONTHS[1], [_csv(MONTHS[1], "9")], run="run-2")
    again = collect(way(), first.notes)
    assert again.total() == Decimal(9)
    assert collect(way(), {**first.notes, **again.notes}).tables == []


def test_a_run_without_its_manifest_is_one_under_way(
    way: Callable[[], Access], bills: Blobs
) -> None:
    delivered(bills.put, "actual", SEPTEMBER, [_csv(SEPTEMBER)])
    folder = f"actual/{azure_export.period(SEPTEMBER)}/run-2"
    bills.put(f"{folder}/part_0_0001.csv", _csv(SEPTEMBER, "99"))
    assert collect(way()).total() == Decimal("1.5")


def test_a_manifest_that_lists_more_than_is_there_is_not_whole(
    way: Callable[[], Access], bills: Blobs
) -> None:
    delivered(bills.put, "actual", SEPTEMBER, [_csv(SEPTEMBER), _csv(SEPTEMBER)])
    del bills.held[f"actual/{azure_export.period(SEPTEMBER)}/run-1/part_1_0001.csv"]
    found = collect(way())
    assert found.tables == []
    assert "delivered" in found.said()
    assert found.problems[0].fatal


def test_a_file_of_fewer_rows_than_the_manifest_says_costs_its_month(
    way: Callable[[], Access], bills: Blobs
) -> None:
    delivered(bills.put, "actual", SEPTEMBER, [_csv(SEPTEMBER)], rows=[2])
    delivered(bills.put, "actual", MONTHS[1], [_csv(MONTHS[1], "4")], rows=[1])
    found = collect(way())
    assert found.total() == Decimal(4)
    assert "holds 1 rows, and its manifest says 2" in found.said()
    assert found.problems[0].fatal


@pytest.mark.parametrize("cost", ["NaN", "inf", "-Infinity", "1.2.3", "none"])
def test_a_cost_that_is_none_costs_its_month(
    way: Callable[[], Access], bills: Blobs, cost: str
) -> None:
    good, bad = row(), row(cost)
    delivered(bills.put, "actual", SEPTEMBER, [cost_csv([good]), cost_csv([good, bad])])
    delivered(bills.put, "actual", MONTHS[1], [_csv(MONTHS[1], "4")])
    found = collect(way())
    assert found.total() == Decimal(4)
    assert "CostInBillingCurrency cannot be read in 1 row" in found.said()


def test_one_file_a_run_as_exports_were_before(way: Callable[[], Access], bills: Blobs) -> None:
    folder = f"old/{azure_export.period(SEPTEMBER)}"
    bills.put(f"{folder}/old_1.csv", _csv(SEPTEMBER, "1"))
    bills.put(f"{folder}/old_0.csv", _csv(SEPTEMBER, "2"))  # written later
    assert collect(way()).total() == Decimal(2)


def test_focus_counts_where_all_three_are_exported(way: Callable[[], Access], bills: Blobs) -> None:
    content = azure_export.focus_parquet(of_month(demo_bill(), SEPTEMBER))
    delivered(bills.put, "f", SEPTEMBER, [content], kind="FocusCost", suffix="parquet")
    for kind, rows in (
        ("ActualCost", azure_export.actual(charged(SEPTEMBER))),
        ("AmortizedCost", azure_export.amortized(charged(SEPTEMBER))),
    ):
        delivered(bills.put, kind, SEPTEMBER, [cost_csv(rows)], kind=kind)
    found = collect(way())
    same_to_the_cent(found.bill, of_month(demo_bill(), SEPTEMBER))
    for problem in found.problems:
        assert f" as {bills.address()}/f, which counts" in problem.what
    assert len(found.problems) == 2


def test_one_export_alone_says_what_is_missing(way: Callable[[], Access], bills: Blobs) -> None:
    covered = row("0", **RESERVED)
    bought = row("30", ChargeType="Purchase", Frequency="Recurring", **RESERVED)
    delivered(bills.put, "a", SEPTEMBER, [cost_csv([row(), covered, bought])])
    found = collect(way())
    assert found.total() == found.total("EffectiveCost") == Decimal("31.5")
    assert "ActualCost alone" in found.said()
    bills.held.clear()
    covered = row("20", **RESERVED)
    unused = row("10", ChargeType="UnusedReservation", **RESERVED)
    rows = [row(), covered, unused]
    delivered(bills.put, "b", SEPTEMBER, [cost_csv(rows)], kind="AmortizedCost")
    found = collect(way())
    assert found.total() == Decimal("1.5")
    assert found.total("EffectiveCost") == Decimal("31.5")
    assert "AmortizedCost alone" in found.said()


def test_without_commitments_one_export_is_enough(way: Callable[[], Access], bills: Blobs) -> None:
    delivered(bills.put, "b", SEPTEMBER, [_csv(SEPTEMBER)], kind="AmortizedCost")
    assert collect(way()).problems == []


def test_purchases_of_commitments_that_older_files_do_not_name_as_such(
    way: Callable[[], Access], bills: Blobs
) -> None:
    sold = row("7", ChargeType="Purchase", ProductName="SaaS", PricingModel="", ResourceId="")
    order = {"PricingModel": "", "ProductOrderId": "ord-1", "ResourceId": ""}
    bought = row("50", ChargeType="Purchase", ProductName="Reserved VM Instance", **order)
    delivered(bills.put, "a", SEPTEMBER, [cost_csv([row("100"), sold, sold, bought])])
    rows = [row("100"), sold, sold, row("1.6", **RESERVED)]
    delivered(bills.put, "b", SEPTEMBER, [cost_csv(rows)], kind="AmortizedCost")
    found = collect(way())
    assert found.problems == []
    assert found.total() == Decimal(164)
    assert found.total("EffectiveCost") == Decimal("115.6")


def test_exports_that_do_not_add_up_are_told(way: Callable[[], Access], bills: Blobs) -> None:
    delivered(bills.put, "a", SEPTEMBER, [cost_csv([row("5")])])
    delivered(bills.put, "b", SEPTEMBER, [cost_csv([row("4")])], kind="AmortizedCost")
    found = collect(way())
    assert "bills 5.00 EUR" in found.said()
    assert found.total() == Decimal(4)


def test_other_exports_and_parts_of_months_are_passed_over(
    way: Callable[[], Access], bills: Blobs
) -> None:
    delivered(bills.put, "a", SEPTEMBER, [_csv(SEPTEMBER)])
    delivered(bills.put, "prices", SEPTEMBER, [b"a,b\n1,2\n"], kind="PriceSheet")
    bills.put("weekly/20260907-20260913/r/part_0_0001.csv", _csv(SEPTEMBER, "7"))
    bills.put("notes/readme.csv", b"who,what\nme,this\n")
    found = collect(way())
    assert found.total() == Decimal("1.5")
    assert sorted(one.what.split(":")[0] for one in found.problems) == [
        "no bill of a kind that is known",
        "not a whole month",
    ]


def test_a_blob_that_is_overwritten_meanwhile_is_left_for_the_next_time(
    way: Callable[[], Access], bills: Blobs
) -> None:
    delivered(bills.put, "a", SEPTEMBER, [_csv(SEPTEMBER)])
    first = collect(way())
    delivered(bills.put, "a", SEPTEMBER, [_csv(SEPTEMBER, "2")])

    def changes(call: object) -> None:
        if "part_0" in getattr(call, "path", ""):
            bills.put(f"a/{azure_export.period(SEPTEMBER)}/run-1/part_0_0001.csv", b"x")

    bills.door.rules.append(changes)
    found = collect(way(), first.notes)
    assert found.tables == []
    (problem,) = found.problems
    assert "overwritten" in problem.what
    assert not problem.fatal  # the lake has the month as it was


def test_what_is_refused_is_told_without_secrets(way: Callable[[], Access], bills: Blobs) -> None:
    delivered(bills.put, "a", SEPTEMBER, [_csv(SEPTEMBER)])
    bills.door.rules.append(forbidding(action=BLOBS))
    found = collect(way())
    assert found.tables == []
    assert found.problems[0].fatal
    assert "blobs/read" in found.problems[0].where
    assert "?" not in found.said()


def test_a_window_reads_its_months(way: Callable[[], Access], bills: Blobs) -> None:
    for month in MONTHS:
        delivered(bills.put, "a", month, [_csv(month)])
    window = Window(datetime(2026, 10, 3, tzinfo=UTC), datetime(2026, 10, 4, tzinfo=UTC))
    found = collect(way(), window=window)
    (start,) = {one["BillingPeriodStart"] for one in found.rows}
    assert start == datetime(2026, 10, 1, tzinfo=UTC)


def test_a_folder_of_downloads(access: Open, tmp_path: Path) -> None:
    (tmp_path / "ActualCost_sep.csv").write_bytes(_csv(SEPTEMBER))
    (tmp_path / "ActualCost_oct.csv").write_bytes(_csv(MONTHS[1], "2"))
    way = access(export=(str(tmp_path),))
    found = collect(way)
    assert found.total() == Decimal("3.5")
    assert collect(way, found.notes).tables == []
    (tmp_path / "ActualCost_oct.csv").write_bytes(_csv(MONTHS[1], "22"))
    assert collect(way, found.notes).total() == Decimal(22)


@pytest.mark.parametrize("folders", [("b-guid", "a-guid"), ("202609101200/b", "202609301200/a")])
def test_exports_copied_to_a_disk_are_as_old_as_they_say(
    access: Open, tmp_path: Path, folders: tuple[str, str]
) -> None:
    told = ("2026-09-10T12:00:00.1234567Z", "2026-09-30T12:00:00.1234567Z")
    for number, (folder, submitted) in enumerate(zip(folders, told, strict=True)):
        by_folder = "/" in folder

        def put(name: str, content: bytes, age: int = number) -> None:
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
            os.utime(path, (1e9 - age, 1e9 - age))  # the newest run was copied first

        content = _csv(SEPTEMBER, "10" if number == 0 else "35")
        written = "" if by_folder else submitted
        delivered(put, "exp", SEPTEMBER, [content], run=folder, submitted=written)
    assert collect(access(export=(str(tmp_path),))).total() == Decimal(35)


def test_a_month_without_costs_is_no_delivery_under_way(
    way: Callable[[], Access], bills: Blobs
) -> None:
    delivered(bills.put, "actual", SEPTEMBER, [])
    found = collect(way())
    assert (found.tables, found.problems) == ([], [])
    delivered(bills.put, "actual", MONTHS[1], [_csv(MONTHS[1], "4")])
    found = collect(way())
    assert (found.total(), found.problems) == (Decimal(4), [])


def test_a_download_that_was_saved_twice_counts_once(access: Open, tmp_path: Path) -> None:
    for name in ("ActualCost.csv", "ActualCost (1).csv"):
        (tmp_path / name).write_bytes(_csv(SEPTEMBER, "10"))
    found = collect(access(export=(str(tmp_path),)))
    assert found.total() == Decimal(10)
    assert "count once" in found.said()


COVERED = row("0", ResourceId="/x/covered", **RESERVED)
BOUGHT = row("50", ChargeType="Purchase", ResourceId="", **RESERVED)
USED = row("1.6", ResourceId="/x/covered", **RESERVED)
UNUSED = row("0.1", ResourceId="", **{**RESERVED, "ChargeType": "UnusedReservation"})


def test_halves_of_the_costs_are_told_apart_by_their_rows(access: Open, tmp_path: Path) -> None:
    (tmp_path / "detail1.csv").write_bytes(cost_csv([row("100"), COVERED, BOUGHT]))
    way = access(export=(str(tmp_path),))
    alone = collect(way)
    assert (alone.total(), alone.total("EffectiveCost")) == (Decimal(150), Decimal(150))
    (tmp_path / "detail2.csv").write_bytes(cost_csv([row("100"), USED, UNUSED]))
    found = collect(way, alone.notes)
    assert (found.total(), found.total("EffectiveCost")) == (Decimal(150), Decimal("101.7"))
    assert found.problems == []
    assert collect(way, {**alone.notes, **found.notes}).tables == []


def test_a_part_of_an_export_is_of_the_kind_of_the_others(access: Open, tmp_path: Path) -> None:
    (tmp_path / "part1.csv").write_bytes(cost_csv([row("100", ResourceId="/x/1")]))
    (tmp_path / "part2.csv").write_bytes(cost_csv([row("5"), USED, UNUSED]))
    found = collect(access(export=(str(tmp_path),)))
    assert (found.total(), found.total("EffectiveCost")) == (Decimal(105), Decimal("106.7"))
    assert "AmortizedCost alone" in found.said()


@pytest.mark.parametrize(
    ("files", "why"),
    [
        ([[row("5"), BOUGHT], [row("5"), USED], [row("7")]], "which of ActualCost and Amortized"),
        ([[row("5"), BOUGHT, USED]], "name it by what it is"),
    ],
)
def test_what_may_be_of_either_half_is_left_out_and_told(
    access: Open, tmp_path: Path, files: list[azure_export.Rows], why: str
) -> None:
    for number, rows in enumerate(files):
        (tmp_path / f"{number}.csv").write_bytes(cost_csv(rows))
    found = collect(access(export=(str(tmp_path),)))
    assert found.tables == []
    assert why in found.said()
    assert found.problems[0].fatal


def test_a_zip_of_several_files_is_read_whole(access: Open, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "usage.zip", "w") as archive:
        archive.writestr("part_1.csv", _csv(SEPTEMBER, "10"))
        archive.writestr("part_2.csv", _csv(SEPTEMBER, "90", ResourceId="/x/y"))
    way = access(export=(str(tmp_path),))
    assert collect(way).total() == Decimal(100)
    with zipfile.ZipFile(tmp_path / "usage.zip", "a") as archive:
        focus = "EffectiveCost,BillingCurrency,ChargePeriodStart,ChargePeriodEnd\n"
        archive.writestr("part_3.csv", focus)
    found = collect(way)
    assert found.tables == []
    assert "several kinds" in found.said()


def test_two_subscriptions_exports_add_up(way: Callable[[], Access], bills: Blobs) -> None:
    delivered(bills.put, "one", SEPTEMBER, [_csv(SEPTEMBER)])
    delivered(bills.put, "two", SEPTEMBER, [_csv(SEPTEMBER, "2", SubscriptionId="other")])
    delivered(bills.put, "one-again", SEPTEMBER, [_csv(SEPTEMBER)])
    found = collect(way())
    assert found.total() == Decimal("3.5")
    assert sums(found.bill, "BilledCost", "SubAccountId").keys() == {
        ("00000000-0000-0000-0000-000000000001",),
        ("other",),
    }
    assert "the same bill of" in found.said()
