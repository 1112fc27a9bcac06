"""Which files of an export count: listings, kept runs, manifests."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest

from tests.fakes import bill_export
from tests.providers.aws.bills import (
    Store,
    small,
    total,
)


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
