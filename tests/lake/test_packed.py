"""Compaction: first write wins, counted once however often sent, and nothing a kill can harm."""

import json
import os
import signal
import subprocess
import sys
import zlib
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from costopt import schema
from costopt.errors import InputError
from costopt.lake.atomic import write_parquet
from costopt.lake.packed import CompactReport, compact, scan
from costopt.lake.store import Lake
from costopt.model import Window

DAY = datetime(2026, 9, 1, tzinfo=UTC)
NAN = float("nan")


def sample(minute: float, value: float | None, **columns: object) -> dict[str, object]:
    return {
        "ResourceId": "vm-1",
        "MetricName": "cpu_utilization",
        "Statistic": "mean",
        "Timestamp": DAY + timedelta(minutes=minute),
        "PeriodSeconds": 300,
        "Value": value,
    } | columns


def metrics(rows: Iterable[dict[str, object]]) -> pa.Table:
    return pa.Table.from_pylist(list(rows), schema=schema.METRICS)


def fleet(seed: int, *, machines: int = 5, days: int = 3) -> pa.Table:
    """Samples of some machines in random order, some twice, some twice and different."""
    rng = np.random.default_rng(seed)
    rows = [
        sample(
            float(rng.integers(days * 288)) * 5,
            float(rng.integers(-200, 10_800)) / 100,
            ResourceId=f"vm-{rng.integers(machines)}",
            MetricName=str(rng.choice(["cpu_utilization", "network_in"])),
            x_Device=str(rng.choice(["", "eth0"])) or None,
        )
        for _ in range(600)
    ]
    return metrics(rows)


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(tmp_path / "lake")


def lake_with(root: Path, *commits: pa.Table, shards: int = 16) -> Lake:
    root.mkdir(parents=True)
    (root / "lake.json").write_text(json.dumps({"format": 1, "shards": shards}))
    lake = Lake(root)
    for table in commits:
        lake.append_metrics("demo", [table])
    return lake


def held(lake: Lake, window: Window | None = None) -> list[dict[str, Any]]:
    rows = [row for table in scan(lake, window) for row in table.to_pylist()]
    return sorted(rows, key=lambda row: [str(row[k]) for k in schema.PACKED.names[:6]])


def percent(row: dict[str, Any]) -> list[float | None]:
    packed = np.frombuffer(row["Samples"], "<u2")
    return [None if p == schema.MISSING_U16 else p / 100 for p in packed.tolist()]


def counts(row: dict[str, Any]) -> dict[str, int]:
    return {name: row[name] for name in schema.PACKED.names[7:] if row[name]}


def test_samples_stand_on_the_grid_and_what_is_missing_stays_missing(lake: Lake) -> None:
    lake.append_metrics("demo", [metrics([sample(0, 12.34), sample(10, 0.0), sample(15, None)])])
    assert compact(lake) == CompactReport(files=1, days=1, samples=2)
    (row,) = held(lake)
    assert row["Day"] == date(2026, 9, 1)
    assert percent(row) == [12.34, None, 0.0] + [None] * 285
    assert counts(row) == {}
    assert lake.pending() == ()


def test_rates_are_kept_as_they_are(lake: Lake) -> None:
    values = [0.1, 1e9, -0.0]
    rows = [
        sample(i * 60, v, MetricName="network_in", PeriodSeconds=3600) for i, v in enumerate(values)
    ]
    lake.append_metrics("demo", [metrics(rows)])
    compact(lake)
    packed = np.frombuffer(held(lake)[0]["Samples"], "<f4")
    assert packed.tobytes()[:12] == np.array([0.1, 1e9, 0.0], "<f4").tobytes()
    assert np.isnan(packed[3:]).all()


@pytest.mark.parametrize(
    ("value", "packed"), [(0.125, 0.13), (0.124, 0.12), (105.0, 105.0), (-0.0, 0.0)]
)
def test_percent_is_rounded_half_up_to_hundredths(lake: Lake, value: float, packed: float) -> None:
    lake.append_metrics("demo", [metrics([sample(0, value)])])
    compact(lake)
    assert percent(held(lake)[0])[0] == packed


def test_what_cannot_be_demand_is_refused_and_counted(lake: Lake) -> None:
    values = [-0.1, 105.1, 200.0, NAN, float("inf"), None, 50.0]
    cpu = [sample(i * 5, v) for i, v in enumerate(values)]
    net = [sample(i * 5, v, MetricName="network_in") for i, v in enumerate(values)]
    lake.append_metrics("demo", [metrics(cpu + net)])
    report = compact(lake)
    on_cpu, on_net = held(lake)
    assert percent(on_cpu)[:7] == [None] * 6 + [50.0]
    assert counts(on_cpu) == {"RefusedLow": 1, "RefusedHigh": 2, "NotFinite": 2}
    assert counts(on_net) == {"RefusedLow": 1, "NotFinite": 2}
    assert (report.samples, report.refused_low, report.not_finite) == (4, 2, 4)


def test_a_series_of_refusals_alone_is_still_told(lake: Lake) -> None:
    lake.append_metrics("demo", [metrics([sample(0, 400.0), sample(0, None, ResourceId="vm-2")])])
    compact(lake)
    (row,) = held(lake)
    assert row["ResourceId"] == "vm-1"
    assert counts(row) == {"RefusedHigh": 1}


def test_times_off_the_grid_are_floored_and_counted(lake: Lake) -> None:
    rows = [sample(4.99, 1), sample(5, 2), sample(10.0001, 3), sample(1439.9, 4)]
    lake.append_metrics("demo", [metrics(rows)])
    compact(lake)
    (row,) = held(lake)
    assert percent(row)[:3] + percent(row)[-1:] == [1, 2, 3, 4]
    assert counts(row) == {"OffGrid": 3}


def test_the_first_write_wins_and_the_rest_is_counted(lake: Lake) -> None:
    rows = [sample(0, 1), sample(0, 1), sample(0, 1.001), sample(0, 2), sample(5, 7)]
    lake.append_metrics("demo", [metrics(rows)])
    compact(lake)
    lake.append_metrics("demo", [metrics([sample(5, 70), sample(10, 8)])])
    compact(lake)
    (row,) = held(lake)
    assert percent(row)[:3] == [1, 7, 8]
    assert counts(row) == {"Duplicates": 2, "Conflicts": 1}


@pytest.mark.parametrize("refused", [400.0, -5.0, NAN])
@pytest.mark.parametrize("at_once", [True, False])
def test_what_is_refused_is_no_write_but_stays_counted(
    lake: Lake, refused: float, at_once: bool
) -> None:
    """A correction fills the slot, for good; of orders only that of the files matters."""
    for values in ([refused, 9.0], [30.0, 9.0], [2.0, refused], [refused, refused]):
        lake.append_metrics("demo", [metrics(sample(5 * i, v) for i, v in enumerate(values))])
        if not at_once:
            compact(lake)
    compact(lake)
    (row,) = held(lake)
    assert percent(row)[:2] == [30, 9]
    counted = counts(row)
    assert counted.pop("Conflicts") == 1  # the 2 after the 30
    assert list(counted.values()) == [2]  # the file with the most refusals


def test_a_file_sent_again_changes_nothing_not_even_the_files(lake: Lake) -> None:
    lake.append_metrics("demo", [fleet(1)])
    first = compact(lake)
    before = {p: (p.stat().st_mtime_ns, p.stat().st_ino) for p in lake.root.rglob("packed/*")}
    lake.append_metrics("demo", [fleet(1)])
    again = compact(lake)
    assert first.days == len(before) == 3
    assert (again.files, again.days, again.samples) == (1, 0, 0)
    assert before == {p: (p.stat().st_mtime_ns, p.stat().st_ino) for p in before}


def test_files_folded_together_or_one_by_one_give_the_same_days(tmp_path: Path) -> None:
    tables = [fleet(seed) for seed in (1, 2, 1, 3)]
    together = lake_with(tmp_path / "together", *tables)
    compact(together)
    apart = lake_with(tmp_path / "apart")
    for table in tables:
        apart.append_metrics("demo", [table])
        compact(apart)
    assert held(together) == held(apart)


def test_days_that_do_not_fit_in_memory_wait_for_another_pass(tmp_path: Path) -> None:
    tables = [fleet(seed, days=12) for seed in range(3)]
    roomy, tight = (lake_with(tmp_path / name, *tables) for name in ("roomy", "tight"))
    reports = compact(roomy), compact(tight, in_flight_bytes=1)
    assert reports[0] == reports[1]
    assert reports[0].days == 12
    assert held(roomy) == held(tight)


def test_order_of_rows_matters_only_where_samples_disagree(tmp_path: Path) -> None:
    table = metrics(sample(5 * i, (i * 37) % 100, ResourceId=f"vm-{i % 7}") for i in range(2000))
    shuffled = table.take(np.random.default_rng(3).permutation(table.num_rows))
    lakes = [lake_with(tmp_path / str(i), t) for i, t in enumerate((table, shuffled))]
    assert compact(lakes[0]) == compact(lakes[1])
    assert held(lakes[0]) == held(lakes[1])


def test_no_device_and_an_empty_device_are_the_whole_resource(lake: Lake) -> None:
    rows = [sample(0, 1), sample(5, 2, x_Device=""), sample(0, 3, x_Device="gpu-0")]
    lake.append_metrics("demo", [metrics(rows)])
    compact(lake)
    whole, device = held(lake)
    assert (whole["x_Device"], device["x_Device"]) == ("", "gpu-0")
    assert percent(whole)[:2] == [1, 2]


def test_a_row_group_a_shard_each_sorted(tmp_path: Path) -> None:
    lake = lake_with(tmp_path / "lake", fleet(5, machines=9), shards=4)
    compact(lake)
    for path in (lake.root / "packed").iterdir():
        file = pq.ParquetFile(path)
        assert file.num_row_groups == 4
        for shard in range(4):
            rows = file.read_row_group(shard).to_pylist()
            assert {zlib.crc32(row["ResourceId"].encode()) % 4 for row in rows} <= {shard}
            keys = [tuple(row[name] for name in schema.PACKED.names[:5]) for row in rows]
            assert keys == sorted(keys)


@pytest.mark.parametrize("table_bytes", [1, 30_000, 8 << 20])
@pytest.mark.parametrize("shards", [1, 3, 64])
def test_scan_gives_every_row_once_whatever_the_shards(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, shards: int, table_bytes: int
) -> None:
    monkeypatch.setattr("costopt.lake.packed._TABLE_BYTES", table_bytes)
    lake = lake_with(tmp_path / "lake", fleet(5, machines=9), shards=shards)
    other = lake_with(tmp_path / "other", fleet(5, machines=9))
    compact(lake)
    compact(other)
    assert held(lake) == held(other)
    tables = list(scan(lake))
    assert all(table.schema == schema.PACKED for table in tables)
    owners = [set(table.column("ResourceId").to_pylist()) for table in tables]
    assert sum(map(len, owners)) == len(set().union(*owners)) == 9


def test_scan_reads_the_days_that_touch_the_window(lake: Lake) -> None:
    lake.append_metrics("demo", [metrics(sample(1440 * day, 1) for day in range(5))])
    compact(lake)
    window = Window(DAY + timedelta(days=1, hours=5), DAY + timedelta(days=3))
    assert [row["Day"].day for row in held(lake, window)] == [2, 3]


def test_an_empty_lake_is_empty_and_stays_untouched(lake: Lake) -> None:
    assert compact(lake) == CompactReport()
    assert list(scan(lake)) == []
    assert not lake.root.exists()


def test_a_new_day_rewrites_no_other(lake: Lake) -> None:
    lake.append_metrics("demo", [metrics([sample(0, 1)])])
    compact(lake)
    (first,) = (lake.root / "packed").iterdir()
    written = first.stat().st_mtime_ns
    lake.append_metrics("demo", [metrics([sample(1440, 1)])])
    assert compact(lake).days == 1
    assert first.stat().st_mtime_ns == written


@pytest.mark.parametrize("period", [57, 0, -300, 100_000, 172_800])
def test_a_period_without_a_grid_is_refused_before_it_is_kept(lake: Lake, period: int) -> None:
    with pytest.raises(InputError, match="does not divide a day"):
        lake.append_metrics("demo", [metrics([sample(0, 1, PeriodSeconds=period)])])
    assert lake.pending() == ()


@pytest.mark.parametrize("microseconds", [-1, 7_258_118_400_000_000, 10**18])
def test_a_time_of_a_mistaken_unit_is_refused_before_it_is_kept(
    lake: Lake, microseconds: int
) -> None:
    table = metrics([sample(0, 1)])
    times = pa.array([microseconds]).cast(schema.TIMESTAMP)
    place = table.schema.get_field_index("Timestamp")
    with pytest.raises(InputError, match="before 1970 or after 2199"):
        lake.append_metrics(
            "demo", [table.set_column(place, schema.METRICS.field("Timestamp"), times)]
        )
    assert lake.pending() == ()


def long_file(lake: Lake, table: pa.Table) -> Path:
    path = lake.root / "metrics" / "demo" / f"{0:020d}-by-hand.parquet"
    path.parent.mkdir(parents=True)
    write_parquet(path, [table])
    return path


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"PeriodSeconds": 57}, "does not divide a day"),
        ({"Timestamp": datetime(1960, 1, 1, tzinfo=UTC)}, "before 1970"),
        ({"Timestamp": datetime(2300, 1, 1, tzinfo=UTC)}, "after 2199"),
    ],
)
def test_a_long_file_that_cannot_be_folded_is_named(
    lake: Lake, columns: dict[str, object], message: str
) -> None:
    path = long_file(lake, metrics([sample(0, 1, **columns)]))
    with pytest.raises(InputError, match=message) as caught:
        compact(lake)
    assert str(path) in str(caught.value)
    assert path.exists()


@pytest.mark.parametrize("content", [b"", b"PAR1 no, not really PAR1"])
def test_a_damaged_long_file_is_named(lake: Lake, content: bytes) -> None:
    path = long_file(lake, metrics([sample(0, 1)]))
    path.write_bytes(content)
    with pytest.raises(InputError, match="damaged lake file") as caught:
        compact(lake)
    assert str(path) in str(caught.value)


def test_a_damaged_day_is_named_by_reader_and_writer(lake: Lake) -> None:
    lake.append_metrics("demo", [metrics([sample(0, 1)])])
    compact(lake)
    (path,) = (lake.root / "packed").iterdir()
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(InputError, match="damaged packed day") as caught:
        list(scan(lake))
    assert str(path) in str(caught.value)
    lake.append_metrics("demo", [metrics([sample(5, 1)])])
    with pytest.raises(InputError, match="damaged packed day"):
        compact(lake)


@pytest.mark.parametrize("rows", ["twice", "short"])
def test_a_day_that_cannot_be_merged_with_is_named(lake: Lake, rows: str) -> None:
    lake.append_metrics("demo", [metrics([sample(0, 1)])])
    compact(lake)
    (path,) = (lake.root / "packed").iterdir()
    with pq.ParquetFile(path) as file:
        shards = [file.read_row_group(number) for number in range(16)]
    with pq.ParquetWriter(path, schema.PACKED) as writer:
        for shard in shards:
            short = pa.array([b"12"] * shard.num_rows, pa.binary())
            broken = shard.set_column(6, schema.PACKED.field("Samples"), short)
            twice = pa.concat_tables([shard, shard])
            writer.write_table(twice if rows == "twice" else broken)
    lake.append_metrics("demo", [metrics([sample(5, 1)])])
    with pytest.raises(InputError, match="damaged packed day") as caught:
        compact(lake)
    assert str(path) in str(caught.value)


def test_a_day_of_another_shard_count_is_not_misread(tmp_path: Path) -> None:
    lake = lake_with(tmp_path / "lake", fleet(1), shards=4)
    compact(lake)
    (lake.root / "lake.json").write_text(json.dumps({"format": 1, "shards": 8}))
    with pytest.raises(InputError, match="4 row groups, not 8 shards"):
        list(scan(lake))


class Interrupted(BaseException):
    """What a dying machine does to us, as far as a test process survives it."""


def test_interrupted_anywhere_it_ends_as_if_undisturbed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commits = [fleet(seed) for seed in (1, 2)]
    calm = lake_with(tmp_path / "calm", *commits)
    compact(calm)
    for point in range(1, 100):
        lake = lake_with(tmp_path / str(point), *commits)
        with monkeypatch.context() as patch:
            left = interrupt_at(patch, point)
            try:
                compact(lake)
            except Interrupted:
                pass
            else:
                break
        assert left[0] == 0
        compact(lake)
        assert held(lake) == held(calm), f"interrupted at step {point}"
        assert lake.pending() == ()
        assert not list(lake.root.rglob(".tmp-*"))
    assert point > 12  # three days of sync, rename, sync; two files removed; their folder synced


def interrupt_at(patch: pytest.MonkeyPatch, point: int) -> list[int]:
    """Raise at the point-th step that reaches the disk."""
    left = [point]

    def dying(step: Any) -> Any:
        def call(*args: Any, **kwargs: Any) -> Any:
            left[0] -= 1
            if left[0] == 0:
                raise Interrupted
            return step(*args, **kwargs)

        return call

    patch.setattr(os, "fsync", dying(os.fsync))
    patch.setattr(Path, "replace", dying(Path.replace))
    removes = dying(Path.unlink)
    keeps = Path.unlink
    patch.setattr(
        Path,
        "unlink",
        lambda path, missing_ok=False: (
            keeps(path, missing_ok) if path.name.startswith(".tmp-") else removes(path)
        ),
    )
    return left


KILLED = """
import os, signal, sys
from pathlib import Path
from costopt.lake import packed, store

left = int(sys.argv[2])
def dying(step):
    def call(*args, **kwargs):
        global left
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return step(*args, **kwargs)
    return call
os.fsync = dying(os.fsync)
Path.replace = dying(Path.replace)
packed.compact(store.Lake(Path(sys.argv[1])))
"""


@pytest.mark.parametrize("point", [1, 2, 5, 9])
def test_killed_it_ends_as_if_undisturbed(tmp_path: Path, point: int) -> None:
    calm, lake = (lake_with(tmp_path / n, fleet(1), fleet(2)) for n in ("calm", "killed"))
    compact(calm)
    run = subprocess.run(
        [sys.executable, "-c", KILLED, str(lake.root), str(point)], check=False, timeout=120
    )
    assert run.returncode == -signal.SIGKILL
    assert len(lake.pending()) == 2
    compact(lake)
    assert held(lake) == held(calm)
    assert not list(lake.root.rglob(".tmp-*"))
