"""Which objects are a month of an export, by their keys and times alone."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from costopt.providers.aws.bill.layout import Month, Stored, listed, months, unfinished

NOON = datetime(2026, 10, 5, 12, tzinfo=UTC)


def stored(key: str, minutes: float = 0, etag: str = "e") -> Stored:
    return Stored(key, etag, 10, NOON + timedelta(minutes=minutes))


def only(*objects: Stored) -> Month:
    (month,) = months("b", objects)
    return month


@pytest.mark.parametrize(
    ("key", "export", "start"),
    [
        (
            "a/b/daily/data/BILLING_PERIOD=2026-09/daily-00001.snappy.parquet",
            "a/b/daily",
            "2026-09",
        ),
        ("daily/data/BILLING_PERIOD=2026-09/daily-00001.csv.gz", "daily", "2026-09"),
        ("p/daily/data/BILLING_PERIOD=2026-09/20260910T0102-ab12/d-1.csv.gz", "p/daily", "2026-09"),
        ("p/rep/20260901-20261001/rep-1.csv.gz", "p/rep", "2026-09"),
        ("p/rep/20260901-20261001/0b1c/rep-1.csv.zip", "p/rep", "2026-09"),
        ("p/rep/rep/year=2026/month=9/rep-00001.snappy.parquet", "p/rep", "2026-09"),
        ("p/rep/year=2026/month=12/x.parquet", "p/rep", "2026-12"),
        ("data/data/BILLING_PERIOD=2026-09/data-00001.csv.gz", "data", "2026-09"),
    ],
)
def test_layouts(key: str, export: str, start: str) -> None:
    month = only(stored(key))
    assert (month.export, f"{month.start:%Y-%m}") == (export, start)
    assert [one.key for one in month.newest] == [key]


@pytest.mark.parametrize(
    "key",
    [
        "p/daily/data/readme.txt",
        "p/daily/data/BILLING_PERIOD=2026-13/daily-00001.csv.gz",
        "p/rep/20260901-20261001/rep-create-table.sql",
        "p/rep/20260901-20261001/rep-RedshiftManifest.json",
        "p/rep/cost_and_usage_data_status/x.parquet",
        "aws-programmatic-access-test-object",
    ],
)
def test_what_is_no_part_of_a_bill(key: str) -> None:
    assert months("b", [stored(key)]) == []


def test_the_manifest_of_a_legacy_report_for_athena_belongs_to_its_files() -> None:
    month = only(
        stored("p/rep/rep/year=2026/month=9/rep-00001.snappy.parquet"),
        stored("p/rep/20260901-20261001/rep-Manifest.json"),
    )
    assert month.manifest is not None


def test_the_newest_manifest_counts_whatever_its_runs_name() -> None:
    path = "d/metadata/BILLING_PERIOD=2026-09"
    newer = stored(f"{path}/run-a/d-Manifest.json", 5)
    assert only(stored(f"{path}/run-b/d-Manifest.json"), newer).manifest == newer


def test_of_a_legacy_reports_two_copies_the_one_that_is_always_overwritten_counts() -> None:
    outer = stored("r/20260901-20261001/r-Manifest.json")
    inner = stored("r/20260901-20261001/zz/r-Manifest.json")
    assert only(inner, outer).manifest == outer


def test_without_a_manifest_the_run_that_was_written_last_counts() -> None:
    path = "d/data/BILLING_PERIOD=2026-09"
    last = [stored(f"{path}/run-a/d-{n}.csv.gz", 9) for n in (1, 2)]
    assert only(stored(f"{path}/run-b/d-1.csv.gz"), *last).newest == last


def test_the_digest_changes_with_the_bill_and_not_with_old_runs() -> None:
    path = "d/data/BILLING_PERIOD=2026-09"
    manifest = stored("d/metadata/BILLING_PERIOD=2026-09/run-b/d-Manifest.json", 6)
    old, new = stored(f"{path}/run-a/d-1.csv.gz"), stored(f"{path}/run-b/d-1.csv.gz", 5)
    digest = only(old, new, manifest).digest
    assert only(new, manifest).digest == digest
    rewritten = stored(new.key, 5, etag="f")
    assert only(old, rewritten, manifest).digest != digest
    again = stored(manifest.key, 7, etag="f")
    assert only(old, new, again).digest != digest


@pytest.mark.parametrize(
    ("manifest_at", "file_at", "now_at", "others", "expected"),
    [
        pytest.param(1, 0, 2, True, False, id="the manifest came last"),
        pytest.param(0, 0, 0, True, False, id="in the same second"),
        pytest.param(0, 1, 2, True, True, id="files newer than the manifest"),
        pytest.param(0, 1, 90, True, False, id="copied in another order, long ago"),
        pytest.param(None, 0, 1, True, True, id="the other months have a manifest"),
        pytest.param(None, 0, 1, False, False, id="an export without manifests"),
        pytest.param(None, 0, 90, True, False, id="no manifest will come"),
    ],
)
def test_deliveries_under_way(
    manifest_at: float | None, file_at: float, now_at: float, others: bool, expected: bool
) -> None:
    file = stored("d/data/BILLING_PERIOD=2026-09/d-1.csv.gz", file_at)
    objects = [file]
    if manifest_at is not None:
        objects.append(stored("d/metadata/BILLING_PERIOD=2026-09/d-Manifest.json", manifest_at))
    now = NOON + timedelta(minutes=now_at)
    assert unfinished(only(*objects), [file], now, manifests=others) is expected


def test_manifests_list_keys_or_addresses() -> None:
    assert listed(json.dumps({"dataFiles": ["s3://b/x/1.gz", "x/2.gz"]}).encode()) == [
        "x/1.gz",
        "x/2.gz",
    ]
    assert listed(json.dumps({"reportKeys": ["/p/r-1.csv.gz"]}).encode()) == ["p/r-1.csv.gz"]
    assert listed(b'{"columns": []}') is None
    for none in (b"[1]", b"[]", b"null", b'{"dataFiles": [1]}', b'{"reportKeys": "a"}'):
        with pytest.raises(ValueError, match="no "):
            listed(none)
    with pytest.raises(ValueError, match="Expecting"):
        listed(b"{")
