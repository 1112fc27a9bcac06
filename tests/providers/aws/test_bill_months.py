"""New and restated months only, and each whole or not at all."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from costopt.errors import InputError
from costopt.model import Window
from costopt.providers.aws.bill.fetch import Bucket, Changed
from costopt.providers.aws.bill.layout import SETTLED, months
from tests.fakes import bill_export
from tests.providers.aws.bills import (
    MONTHS,
    Collected,
    Store,
    items,
    small,
    total,
)


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


def test_a_file_that_the_manifest_lists_and_is_gone(store: Store) -> None:
    bill_export.data_export(store.put, "g", "2026-09", [bill_export.cur_csv(small())] * 2)
    store.client.delete_object(
        Bucket=store.name, Key="g/data/BILLING_PERIOD=2026-09/g-00002.csv.gz"
    )
    bucket = Bucket(store.client, f"s3://{store.name}/g")
    (month,) = months(store.name, bucket.objects())
    with pytest.raises(Changed):
        bucket.files(month, manifests=True)
    bucket.now += SETTLED + timedelta(minutes=1)
    with pytest.raises(InputError, match=r"lists 1 file not there, such as .*g-00002\.csv\.gz"):
        bucket.files(month, manifests=True)


@pytest.mark.parametrize("manifest", [b'{"dataFiles": [1]}', b"[]"])
def test_a_manifest_whose_list_cannot_be_read_costs_its_month(
    store: Store, manifest: bytes
) -> None:
    bill_export.data_export(store.put, "u", "2026-09", [bill_export.cur_csv(small())])
    store.put("u/metadata/BILLING_PERIOD=2026-09/u-Manifest.json", manifest)
    found = store.collect("u")
    assert (found.tables, found.notes) == ([], {})
    (problem,) = found.problems
    assert problem.fatal
    assert "no manifest: " in problem.what
    assert problem.where.endswith("u-Manifest.json")


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
