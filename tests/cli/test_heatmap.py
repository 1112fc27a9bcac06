"""`costopt heatmap` on a small fleet in a real lake: targets, formats, errors."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from costopt import pipeline
from costopt.cli.heatmap import heatmap
from costopt.errors import ConfigError, CostoptError, InputError, InsufficientData
from costopt.lake.store import Lake
from tests.fakes.fleet import FakeFleet, Machine, steady
from tests.profile.weeks import office

SVG_TEXT = "{http://www.w3.org/2000/svg}text"


def rhythm(days: int) -> np.ndarray:
    """Five-minute samples of an office week that end on a Monday's midnight."""
    week = np.repeat(office(80), 12)
    return np.tile(week, days // 7 + 1)[-days * 288 :]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("project")
    gaps = steady(14, 40)
    gaps.reshape(14, 288)[:, :12] = np.nan  # never measured between 00 and 01 UTC
    machines = [
        Machine("vm-1", 16, rhythm(14), columns={"ResourceName": "web-1", "Tags": {"team": "web"}}),
        Machine("vm-2", 4, gaps, columns={"ResourceName": "=cmd", "Tags": {"team": "data"}}),
        # Its size is known from its type alone.
        Machine(
            "vm-3", 8, steady(14, 10, seed=3), columns={"x_vCPUs": None, "Tags": {"team": "data"}}
        ),
    ]
    pipeline.collect(FakeFleet(machines), Lake(folder / "lake"))
    return folder


def run(home: Path, *arguments: str) -> Result:
    return CliRunner().invoke(heatmap, ["--home", str(home), *arguments])


def text(home: Path, *arguments: str) -> str:
    result = run(home, *arguments)
    assert result.exit_code == 0, result.exception
    assert "\x1b" not in result.stdout  # a pipe gets no colours
    return result.stdout


def refused(home: Path, *arguments: str) -> CostoptError:
    result = run(home, *arguments)
    assert isinstance(result.exception, CostoptError), result.output
    return result.exception


def test_one_machine_by_name_or_id(home: Path) -> None:
    shown = text(home, "web-1")
    assert shown == text(home, "vm-1")
    assert "web-1" in shown.splitlines()[0]
    assert "peak 80 % Tue 11:00" in shown
    assert "coverage 100 %" in shown


def test_the_fleet_is_weighted_by_size(home: Path) -> None:
    (week,) = json.loads(text(home, "--format", "json"))["maps"]
    assert (week["label"], week["weight"], week["capacity"]) == ("Fleet", "vCPUs", 28)
    monday = week["values"][0]
    quiet = office(80)[0]
    assert monday[0] == pytest.approx((16 * quiet + 8 * 10) / 24, abs=0.1)  # vm-2 is not in it
    assert monday[1] == pytest.approx((16 * quiet + 4 * 40 + 8 * 10) / 28, abs=0.1)


def test_groups(home: Path) -> None:
    shown = text(home, "--group-by", "tag:team")
    assert shown.index("web (team)") < shown.index("data (team)")
    assert "2 machines, 12 vCPUs" in shown
    lines = list(csv.DictReader(io.StringIO(text(home, "--group-by", "type", "--format", "csv"))))
    assert {line["group"] for line in lines} == {"g16", "g4", "g8"}
    assert len(lines) == 3 * 168


def test_a_missing_hour_is_empty_not_zero(home: Path) -> None:
    lines = list(csv.DictReader(io.StringIO(text(home, "vm-2", "--format", "csv"))))
    missing = [line for line in lines if line["hour"] == "0"]
    assert {(line["value"], line["coverage"]) for line in missing} == {("", "0.0")}
    assert {line["group"] for line in lines} == {"'=cmd"}
    assert all(float(line["value"]) > 30 for line in lines if line["hour"] != "0")


def test_the_overview(home: Path) -> None:
    assert "3 machines over the week" in text(home, "--overview")
    document = json.loads(text(home, "--overview", "--format", "json", "--group-by", "type"))
    assert [row["groups"]["type"] for row in document["rows"]].count("g16") == 1
    assert document["machines"] == 3


@pytest.mark.parametrize("arguments", [["web-1"], ["--group-by", "tag:team"], ["--overview"], []])
@pytest.mark.parametrize(("ending", "start"), [("png", b"\x89PNG"), ("svg", b"<?xml")])
def test_pictures_by_the_ending_of_the_file(
    home: Path, tmp_path: Path, arguments: list[str], ending: str, start: bytes
) -> None:
    file = tmp_path / f"picture.{ending}"
    result = run(home, *arguments, "--output", str(file))
    assert result.exit_code == 0
    assert result.stdout == ""
    assert f"wrote {file}" in result.stderr
    assert file.read_bytes().startswith(start)


def test_a_picture_to_a_pipe(home: Path) -> None:
    result = run(home, "--format", "png")
    assert result.stdout_bytes.startswith(b"\x89PNG")


def test_another_clock(home: Path) -> None:
    shown = text(home, "vm-1", "--time-zone", "Asia/Tokyo")
    assert "peak 80 % Tue 20:00" in shown
    assert "Asia/Tokyo time, moved from local clocks" in " ".join(shown.split())


def test_p95_and_other_metrics(home: Path) -> None:
    assert "P95 of each hour" in text(home, "web-1", "--statistic", "p95")
    error = refused(home, "--metric", "gpu_utilization")
    assert isinstance(error, InsufficientData)
    assert "cpu_utilization" in error.hint


def test_fit(home: Path) -> None:
    assert "100 %" in text(home, "vm-3").splitlines()[-2]
    assert "15 %" in text(home, "vm-3", "--fit").splitlines()[-2]
    assert "15 %" in text(home, "vm-3", "--fit", "--format", "svg")
    assert text(home, "--overview", "--fit") != text(home, "--overview")


def test_as_of_looks_back(home: Path) -> None:
    assert "31 Aug" not in text(home, "web-1", "--as-of", "2026-09-28")
    assert isinstance(refused(home, "web-1", "--as-of", "2025-01-01"), InsufficientData)


def test_errors_say_what_to_do(home: Path, tmp_path: Path) -> None:
    assert "did you mean web-1" in refused(home, "web-2").hint
    assert isinstance(refused(home, "--group-by", "colour"), ConfigError)
    assert isinstance(refused(home, "--time-zone", "Mars"), InputError)
    assert isinstance(refused(tmp_path / "empty"), InsufficientData)


@pytest.mark.parametrize("other", [["--group-by", "region"], ["--overview"]])
def test_one_thing_at_a_time(home: Path, other: list[str]) -> None:
    result = run(home, "web-1", *other)
    assert result.exit_code == 2
    assert "not both" in result.stderr
