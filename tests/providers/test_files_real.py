"""The real traces load with the mappings that the documentation ships, sample for sample."""

from __future__ import annotations

import csv
import gzip
import math
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from costopt.providers.files import FilesProvider, FilesSettings
from tests.conftest import ROOT

MAPPINGS = ROOT / "docs" / "examples" / "mappings"


def provider(metrics: Path, mapping: str) -> FilesProvider:
    return FilesProvider(FilesSettings(metrics=metrics, mapping=MAPPINGS / f"{mapping}.yml"))


def samples(files: FilesProvider) -> pa.Table:
    return pa.concat_tables(files.metrics(None))


def by_metric(table: pa.Table) -> dict[str, pa.Table]:
    names = pc.unique(table.column("MetricName")).to_pylist()
    return {name: table.filter(pc.equal(table.column("MetricName"), name)) for name in names}


@pytest.fixture(scope="module")
def bitbrains(real_data: Path) -> Path:
    return real_data / "bitbrains" / "dev_300vms_jul_aug.parquet"


@pytest.fixture(scope="module")
def trace(bitbrains: Path) -> pd.DataFrame:
    """The trace read by pandas, powered-off rows left out."""
    frame = pd.read_parquet(bitbrains)
    return frame[frame["cpu_capacity_mhz"] > 0]


def test_bitbrains_parquet_samples(bitbrains: Path, trace: pd.DataFrame) -> None:
    files = provider(bitbrains, "bitbrains-parquet")
    found = by_metric(samples(files))
    assert set(found) == {"cpu_utilization", "x_memory_active"}
    cpu = found["cpu_utilization"]
    assert cpu.num_rows == len(trace) == 4_818_223
    assert np.array_equal(
        np.sort(cpu.column("Value").to_numpy()), np.sort(trace["cpu_usage_pct"].to_numpy())
    )
    counts = trace.groupby("vm_id").size()
    ours = pc.value_counts(cpu.column("ResourceId")).to_pylist()
    assert {row["values"]: row["counts"] for row in ours} == {
        f"bitbrains-{vm}": count for vm, count in counts.items()
    }
    assert pc.min(cpu.column("Timestamp")).as_py() == datetime.fromtimestamp(
        int(trace["ts_unix_s"].min()), UTC
    )
    with_memory = trace[trace["mem_capacity_kb"] > 0]
    share = (with_memory["mem_used_kb"] / with_memory["mem_capacity_kb"] * 100).to_numpy()
    memory = found["x_memory_active"].column("Value").to_numpy()
    assert len(memory) == len(with_memory)
    assert np.allclose(np.sort(memory), np.sort(share), rtol=1e-6)
    assert pc.unique(cpu.column("PeriodSeconds")).to_pylist() == [300]
    assert files.problems == []


def test_bitbrains_parquet_resources(bitbrains: Path, trace: pd.DataFrame) -> None:
    rows = provider(bitbrains, "bitbrains-parquet").resources().to_pylist()
    latest = {row["ResourceId"]: row for row in rows}
    assert len(latest) == trace["vm_id"].nunique() == 300
    usual = trace.groupby("vm_id")["cores"].agg(lambda cores: cores.mode().iloc[0])
    resized = {row["ResourceId"] for row in rows if row is not latest[row["ResourceId"]]}
    assert resized == {"bitbrains-286"}
    for vm, cores in usual.items():
        row = latest[f"bitbrains-{vm}"]
        assert row["x_vCPUs"] == cores
        assert row["x_TimeZone"] == "Europe/Amsterdam"
    changed = [row for row in rows if row["ResourceId"] == "bitbrains-286"]
    assert [row["x_vCPUs"] for row in changed] == [1, 2, 1]
    vm = trace[trace["vm_id"] == 286].sort_values("ts_unix_s")
    grown = int(vm.loc[vm["cores"] == 2, "ts_unix_s"].min())
    assert changed[1]["x_ObservedAt"] == datetime.fromtimestamp(grown, UTC)


def test_bitbrains_raw(real_data: Path) -> None:
    folder = real_data / "bitbrains" / "sample_raw_csv"
    expected: dict[str, list[float]] = {}
    written = 0.0
    for path in sorted(folder.glob("*.csv.gz")):
        with gzip.open(path, "rt") as file:
            rows = [[field.strip() for field in row] for row in csv.reader(file, delimiter=";")][1:]
        on = [row for row in rows if float(row[2]) > 0]
        number = path.name.split("_")[1].removesuffix(".csv.gz")
        expected[f"bitbrains-{number}"] = [float(row[4]) for row in on]
        written += math.fsum(float(row[8]) * 1024 for row in on)
    files = provider(folder, "bitbrains-raw")
    found = by_metric(samples(files))
    cpu = found["cpu_utilization"]
    assert cpu.num_rows == sum(map(len, expected.values())) == 43_219
    for resource, values in expected.items():
        mine = cpu.filter(pc.equal(cpu.column("ResourceId"), resource)).column("Value")
        assert np.array_equal(mine.to_numpy(), np.array(values, np.float32)), resource
    # The header says ms: 2013, not 1970, is where the samples must stand.
    assert pc.min(cpu.column("Timestamp")).as_py() == datetime(2013, 7, 31, 22, 2, 56, tzinfo=UTC)
    disk = found["disk_write"].column("Value")
    assert pc.sum(disk.cast(pa.float64())).as_py() == pytest.approx(written, rel=1e-6)
    assert files.problems == []
    rows = files.resources().to_pylist()
    assert {row["ResourceId"]: row["x_vCPUs"] for row in rows} == {
        "bitbrains-1": 2, "bitbrains-101": 2, "bitbrains-103": 4,
        "bitbrains-20": 1, "bitbrains-237": 2, "bitbrains-47": 8,
    }  # fmt: skip


def test_nab(real_data: Path) -> None:
    folder = real_data / "nab" / "data"
    paths = sorted(folder.rglob("*cpu_utilization*.csv"))
    expected = {}
    for path in paths:
        with path.open(newline="") as file:
            rows = list(csv.DictReader(file))
        name = path.stem.split("cpu_utilization_")[1]
        expected[name] = [
            (datetime.fromisoformat(row["timestamp"]).replace(tzinfo=UTC), float(row["value"]))
            for row in rows
        ]
    files = provider(folder, "nab")
    found = samples(files)
    assert found.num_rows == sum(map(len, expected.values()))
    assert len(expected) == len(paths) == 11
    for name, rows in expected.items():
        mine = found.filter(pc.equal(found.column("ResourceId"), name))
        assert mine.column("Timestamp").to_pylist() == [moment for moment, _ in rows]
        assert np.array_equal(
            mine.column("Value").to_numpy(), np.array([v for _, v in rows], np.float32)
        )
    kinds = {row["ResourceId"]: row["ResourceType"] for row in files.resources().to_pylist()}
    assert kinds["24ae8d"] == "ec2"
    assert kinds["cc0c53"] == "rds"
    assert kinds["asg_misconfiguration"] is None
    assert files.problems == []


def test_planetlab(real_data: Path) -> None:
    path = real_data / "planetlab" / "planetlab_cpu.parquet"
    frame = pd.read_parquet(path)
    files = provider(path, "planetlab")
    found = samples(files)
    assert found.num_rows == len(frame) == 11_746 * 288
    assert pc.sum(found.column("Value").cast(pa.float64())).as_py() == frame["cpu_pct"].sum()
    assert pc.count_distinct(found.column("ResourceId")).as_py() == frame["vm"].nunique()
    some = frame.iloc[1_234_567]
    day = datetime.strptime(some["day"], "%Y%m%d").replace(tzinfo=UTC)
    moment = day + timedelta(seconds=300 * int(some["slot"]))
    here = found.slice(1_234_567, 1).to_pylist()[0]
    assert (here["ResourceId"], here["Timestamp"], here["Value"]) == (
        (some["vm"], moment, some["cpu_pct"])
    )
    assert files.resources().num_rows == frame["vm"].nunique()
    assert files.problems == []


def test_the_focus_sample_as_a_file(real_data: Path) -> None:
    folder = real_data / "billing" / "focus_sample"
    files = FilesProvider(FilesSettings(charges=folder))
    [bill] = files.charges(None)
    assert bill.num_rows == 1000
    [problem] = files.problems
    assert "breaks 19 rules of FOCUS" in problem.what
    assert not problem.fatal
