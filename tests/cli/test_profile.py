"""`costopt profile` on a small fleet in a real lake: the list, one machine, the data, errors."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner, Result

from costopt import pipeline, schema
from costopt.cli.profile import profile
from costopt.errors import ConfigError, CostoptError, InsufficientData
from costopt.lake.store import Lake
from tests.fakes.fleet import FakeFleet, Machine, steady


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("project")
    gaps = steady(14, 40)
    gaps.reshape(14, 288)[:, :96] = np.nan  # never measured between 00 and 08 UTC
    machines = [
        Machine("vm-2", 4, gaps, columns={"ResourceName": "=cmd|' /C calc'!A0"}),
        Machine("vm-1", 16, steady(14, 20), columns={"ResourceName": "web-1"}),
        Machine(
            "vm-3",
            8,
            steady(14, 10, seed=3),
            memory=steady(14, 50, seed=4),
            network=steady(14, 90, seed=5) * 1e4,
            columns={"ResourceName": "a-\x1b[31mdb"},
        ),
        Machine("disk-1", 8, np.full(288, np.nan), columns={"ResourceName": "web-1"}),
    ]
    pipeline.collect(FakeFleet(machines), Lake(folder / "lake"))
    return folder


def run(home: Path, *arguments: str) -> Result:
    return CliRunner().invoke(profile, ["--home", str(home), *arguments])


def text(home: Path, *arguments: str) -> str:
    result = run(home, *arguments)
    assert result.exit_code == 0, result.exception
    assert "\x1b" not in result.stdout  # neither our colours in a pipe nor a name's
    return result.stdout


def refused(home: Path, *arguments: str) -> CostoptError:
    result = run(home, *arguments)
    assert isinstance(result.exception, CostoptError), result.output
    return result.exception


def test_the_list_has_a_line_a_series_by_machine_name(home: Path) -> None:
    head, *lines = text(home).splitlines()
    assert head.split()[:4] == ["machine", "metric", "mean", "P95"]
    assert [line.split()[0] for line in lines] == [
        "=cmd|'",
        "a-db",
        "Memory",
        "Network",
        "Network",
        "web-1",
    ]
    assert "20 %" in lines[-1]
    assert "100.0 %" in lines[-1]


def test_hours_never_measured_are_dots_not_zeros(home: Path) -> None:
    strip = text(home, "vm-2").splitlines()
    (monday,) = (line for line in strip if line.endswith("Monday"))
    assert monday.split()[0] == "·" * 8 + "█" * 16
    assert text(home).splitlines()[1].endswith(" " + "·██" * 7)


def test_one_machine_in_full_by_id_or_measured_name(home: Path) -> None:
    by_name = text(home, "web-1")  # a disk has the same name, and no metrics
    assert by_name == text(home, "VM-1")
    assert "4,032 of 4,032 (100.0 %)" in by_name
    assert "Generic  g16" in by_name
    assert all(name in by_name for name in ("P50", "P99.5", "deviation", "Sunday"))


def test_a_metric_alone(home: Path) -> None:
    _, line = text(home, "--metric", "memory_utilization").splitlines()
    assert line.split()[:2] == ["a-db", "Memory"]
    assert "Network" not in text(home, "vm-3", "--metric", "cpu_utilization")


def test_limit_says_what_it_leaves_out(home: Path) -> None:
    result = run(home, "--limit", "2")
    assert len(result.stdout.splitlines()) == 3
    assert "2 of 6 series" in result.stderr


def test_json_has_every_column_and_null_where_nothing_was_measured(home: Path) -> None:
    (row,) = json.loads(text(home, "vm-2", "--format", "json"))["profiles"]
    assert list(row) == schema.PROFILES.names
    assert row["week_mean"][:8] == [None] * 8
    assert row["week_count"][:9] == [0] * 8 + [24]
    assert sum(row["histogram"]) == row["count"] == 14 * 192


def test_csv_cannot_run_a_formula_and_has_no_lists(home: Path) -> None:
    rows = list(csv.DictReader(io.StringIO(text(home, "--format", "csv"))))
    assert [row["ResourceId"] for row in rows][:2] == ["vm-1", "vm-2"]
    assert "week_mean" not in rows[0]
    assert float(rows[0]["p50"]) == pytest.approx(20, abs=1)
    assert rows[-1]["histogram" if "histogram" in rows[0] else "share_under_1"] == ""


def test_parquet_is_the_table(home: Path, tmp_path: Path) -> None:
    result = run(home, "--format", "parquet", "--output", str(tmp_path / "p.parquet"))
    assert result.stdout == ""
    table = pq.read_table(tmp_path / "p.parquet")
    assert table.schema.equals(schema.PROFILES)
    assert table.num_rows == 6


def test_what_is_not_there_is_said(home: Path, tmp_path: Path) -> None:
    assert isinstance(refused(home, "vm-9"), ConfigError)
    unmeasured = refused(home, "disk-1")
    assert isinstance(unmeasured, InsufficientData)
    metric = refused(home, "--metric", "gpu_power")
    assert "cpu_utilization, memory_utilization" in metric.hint
    assert isinstance(refused(tmp_path), InsufficientData)
