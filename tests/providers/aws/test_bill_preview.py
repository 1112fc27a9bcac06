"""What a dry run says of a bill's exports, without reading any of them."""

from __future__ import annotations

from pathlib import Path

from costopt import pipeline
from costopt.lake.store import Lake
from costopt.providers.aws import AwsProvider
from costopt.providers.base import Estimate
from tests.fakes import bill_export
from tests.fakes.aws_front import Front
from tests.providers.aws.bills import MONTHS, Store, items


def told(store: Store, lake: Lake, *prefixes: str) -> tuple[list[str], list[str]]:
    """The lines about bills, and their problems: moto refuses other things."""
    made: list[Estimate] = []
    export = tuple(f"s3://{store.name}/{prefix}" for prefix in prefixes)
    asked = store.settings(region=("us-east-1",), export=export, skip=("metrics",), dry_run=True)
    found = pipeline.collect(AwsProvider(asked), lake, announce=made.append)
    assert found.rows == {}
    (estimate,) = made
    *lines, last = estimate.lines
    assert last.startswith("dry run: ")
    return lines, [one.what for one in found.problems if one.where.startswith("s3://")]


def put(store: Store, name: str, month: str, size: int) -> None:
    """A month of as many bytes, which is no bill: nobody reads it."""
    where = f"{name}/data/BILLING_PERIOD={month}/{name}-00001.snappy.parquet"
    store.put(where, bytes(size))


def test_months_are_told_with_their_sizes_and_none_is_read(
    store: Store, tmp_path: Path, front: Front
) -> None:
    put(store, "daily", "2026-09", 12_345_678)
    put(store, "daily", "2026-10", 1_700)
    put(store, "hourly", "2026-10", 1_000_000)
    lines, problems = told(store, Lake(tmp_path), "daily", "hourly", "daily")
    place = f"bill s3://{store.name}"
    assert lines == [
        f"{place}/daily: 2 months to read, 12.3 MB: 2026-09 (12.3 MB), 2026-10 (2 kB)",
        f"{place}/hourly: 1 month to read, 1.0 MB: 2026-10 (1.0 MB)",
    ]
    assert problems == []
    asked = [call.path for call in front.calls if store.name in call.path]
    assert len(asked) == 3
    assert all("list-type" in path for path in asked)


def test_what_the_lake_has_is_not_to_be_read_again(store: Store, tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    for month in MONTHS[:2]:
        content = bill_export.cur_parquet(items(month))
        bill_export.data_export(store.put, "daily", month, [content])
    asked = store.settings(
        region=("us-east-1",), export=(f"s3://{store.name}/daily",), skip=("metrics", "prices")
    )
    pipeline.collect(AwsProvider(asked), lake)
    place = f"bill s3://{store.name}/daily"
    assert told(store, lake, "daily") == ([f"{place}: nothing to read, 2 months unchanged"], [])
    content = bill_export.cur_parquet(items(MONTHS[2]))
    bill_export.data_export(store.put, "daily", MONTHS[2], [content])
    ((line,), _) = told(store, lake, "daily")
    assert line.startswith(f"{place}: 1 month to read, ")
    assert line.endswith("; 2 months unchanged")
    assert f": {MONTHS[2]} (" in line


def test_an_address_without_an_export_is_a_problem_of_the_dry_run_too(
    store: Store, tmp_path: Path
) -> None:
    lines, problems = told(store, Lake(tmp_path), "nothing")
    assert lines == []
    assert [what[:34] for what in problems] == ["no bill export below this address:"]
