"""The demo from the command line, and its advice scored against what the machines truly are."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path

import jsonschema
import numpy as np
import pytest

from costopt import pipeline
from costopt.config import Settings
from costopt.lake.store import Lake
from costopt.model import PURCHASES, ActionType, Recommendation
from costopt.providers.demo import DemoProvider
from costopt.providers.demo.truth import Label, Truth, Wart
from costopt.report import json as json_format
from tests.e2e.command import run
from tests.e2e.conftest import Leave


@pytest.fixture(scope="module")
def analysis(home: Path) -> pipeline.Analysis:
    return pipeline.analyse(Lake(home / ".costopt" / "lake"), Settings(), None)


@pytest.fixture(scope="module")
def advice(analysis: pipeline.Analysis) -> Mapping[str, Recommendation]:
    return {r.resource_id: r for r in analysis.report.recommendations}


@pytest.fixture(scope="module")
def truth() -> Mapping[str, Truth]:
    return DemoProvider().truth()


def ids(truth: Mapping[str, Truth], *labels: Label) -> set[str]:
    return {name for name, t in truth.items() if t.label in labels}


def test_every_forgotten_machine_is_found_and_nothing_in_use_is_stopped(
    advice: Mapping[str, Recommendation], truth: Mapping[str, Truth]
) -> None:
    stopped = {name for name, r in advice.items() if r.action_type is ActionType.STOP}
    judged = {name for name in ids(truth, Label.IDLE, Label.GPU_IDLE) if not truth[name].abstain}
    assert stopped == judged


def test_oversized_machines_are_found(
    advice: Mapping[str, Recommendation], truth: Mapping[str, Truth]
) -> None:
    oversized = {name for name in ids(truth, Label.OVERSIZED) if not truth[name].abstain}
    found = {name for name in oversized if name in advice}
    assert len(found) >= 0.9 * len(oversized)


def test_no_target_is_smaller_than_the_truth_needs(
    advice: Mapping[str, Recommendation], truth: Mapping[str, Truth]
) -> None:
    for name, recommendation in advice.items():
        if recommendation.recommended is None or recommendation.schedule:  # it keeps its size
            continue
        if recommendation.action_type in PURCHASES:  # of no machine
            continue
        target, need = recommendation.recommended, truth[name]
        assert target.vcpus is not None
        assert need.needs_vcpus is not None
        assert target.vcpus >= need.needs_vcpus, name
        assert target.memory_gib is not None
        assert need.needs_memory_gib is not None
        assert target.memory_gib >= need.needs_memory_gib, name
        if not need.memory_measured:
            assert need.memory_gib is not None
            assert target.memory_gib >= need.memory_gib, name


def test_no_fortnight_s_disputed_spikes_alone_set_off_the_guard(
    analysis: pipeline.Analysis, advice: Mapping[str, Recommendation], truth: Mapping[str, Truth]
) -> None:
    """They jump to 86 % and more, over every smaller machine's limit."""
    spiky = [name for name, t in truth.items() if Wart.SPIKES in t.warts and name in advice]
    assert spiky
    for name in spiky:
        disputed, guard = analysis.cases[name].disputed, advice[name].guards[0]
        assert disputed is not None
        times = np.array(disputed.times)
        first, last = times[0], times[-1] - 14 * 86_400
        most = max(
            np.count_nonzero((times >= start) & (times < start + 14 * 86_400))
            for start in range(first, last, 86_400)
        )
        budget = guard.samples - guard.allowed_disputed - guard.allowed_today
        assert budget == 21 <= most < guard.samples


def test_where_data_are_too_bad_there_is_no_advice_but_a_reason(
    analysis: pipeline.Analysis, advice: Mapping[str, Recommendation], truth: Mapping[str, Truth]
) -> None:
    abstain = {name for name, t in truth.items() if t.abstain}
    assert abstain
    assert not abstain & advice.keys()
    assert abstain <= {skip.resource_id for skip in analysis.report.skips}


def test_each_wart_is_seen(analysis: pipeline.Analysis, truth: Mapping[str, Truth]) -> None:
    """A wart that changes the data must be in the findings of its resource, under its name."""
    told = {
        Wart.DUPLICATES: {"duplicates"},
        Wart.POISONED: {"conflicts"},
        Wart.OUT_OF_RANGE: {"out-of-range"},
        Wart.FRACTION: {"unit"},
        Wart.STUCK: {"stuck"},
        Wart.STALE: {"stale"},
        Wart.HOURLY: {"hourly-only"},
        Wart.NEW: {"short-history"},
        Wart.WEEKEND_GAP: {"week-coverage"},
        Wart.SPIKES: {"disputed-spikes"},
        # A shift as old as the window shows only where the clock repeats an hour (DST).
        Wart.CLOCK_SHIFT: {"clock-shift", "conflicts"},
        Wart.OFF_GRID: {"off-grid"},
    }
    for name, true in truth.items():
        seen = {finding.check for finding in analysis.findings.get(name, ())}
        for wart in true.warts & told.keys():
            assert told[wart] & seen, f"{name}: {wart} shows as {sorted(seen)}"


def test_the_totals_add_up(analysis: pipeline.Analysis) -> None:
    summary = analysis.report.summary
    total = sum(
        (r.estimated_monthly_savings.target for r in analysis.report.recommendations), Decimal(0)
    )
    assert summary.monthly_savings == total
    assert 0 < total < summary.monthly_spend
    assert summary.reconciled_percent is not None
    assert summary.reconciled_percent > 90


def test_what_the_demo_writes_keeps_to_the_schema(home: Path) -> None:
    told = json.loads((home / "costopt-demo" / "recommendations.json").read_text())
    jsonschema.validate(told, json.loads(json_format.schema()))
    kinds = ["stop", "schedule", "size", "grow", "spot", "move", "commit"]
    assert [step["kind"] for step in told["steps"]] == kinds


def test_the_demo_says_where_everything_lies(home: Path) -> None:
    said = (home / "said.txt").read_text()
    for name in ("recommendations.json", "recommendations.md", "overview.png", "teams.svg"):
        assert f"costopt-demo/{name}" in said
        assert (home / "costopt-demo" / name).stat().st_size > 1000
    assert (home / "costopt-demo" / "overview.png").read_bytes().startswith(b"\x89PNG")
    assert said.endswith("    costopt backtest --baseline all -o backtest.png\n")


def test_the_demo_names_the_backtest_with_its_home_and_where_there_is_a_past(
    leave: Leave,
) -> None:
    few = ("demo", "--instances", "5", "--home", "here")
    assert "    costopt backtest --home here\n" in leave(*few, "--days", "28").stdout
    assert "costopt backtest" not in leave(*few, "--days", "27").stdout


def test_the_demo_twice_gives_the_same_bytes(home: Path) -> None:
    first = (home / "costopt-demo" / "recommendations.json").read_bytes()
    again = run("recommend", "--format", "json", cwd=home)
    assert again.stdout.encode() == first
    assert json.loads(first)["summary"]["recommendations"] > 30


def test_the_demo_never_replaces_data_of_ones_own(tmp_path: Path, leave: Leave) -> None:
    (tmp_path / "r.csv").write_text("ProviderName,ResourceId,x_vCPUs\nOnPrem,mine,4\n")
    assert leave("collect", "files", "--resources", "r.csv").returncode == 0
    refused = leave("demo", "--instances", "5", "--days", "8")
    assert refused.returncode == 2
    assert "data of your own" in refused.stderr
    lake = Lake(tmp_path / ".costopt" / "lake")
    assert lake.read("resources").column("ResourceId").to_pylist() == ["mine"]


def test_ones_own_data_are_never_mixed_with_the_demo(home: Path) -> None:
    (home / "r.csv").write_text("ProviderName,ResourceId,x_vCPUs\nOnPrem,mine,4\n")
    refused = run("collect", "files", "--resources", "r.csv", cwd=home)
    assert refused.returncode == 2
    assert "holds the demo fleet" in refused.stderr
    held = Lake(home / ".costopt" / "lake").read("resources")
    assert "mine" not in held["ResourceId"].to_pylist()


def test_a_killed_demo_leaves_what_was_there(tmp_path: Path, leave: Leave) -> None:
    assert leave("demo", "--instances", "5", "--days", "8").returncode == 0
    before = leave("recommend", "--format", "json").stdout
    making = tmp_path / ".costopt" / "lake.demo-in-making"
    command = [sys.executable, "-m", "costopt", "demo", "--instances", "400"]
    with subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.DEVNULL) as process:
        while process.poll() is None and not any(making.rglob("*.parquet")):
            time.sleep(0.01)
        os.kill(process.pid, signal.SIGKILL)
    assert process.returncode == -signal.SIGKILL
    assert making.exists()
    assert leave("recommend", "--format", "json").stdout == before
    assert leave("demo", "--instances", "6", "--days", "8").returncode == 0
    assert not making.exists()
