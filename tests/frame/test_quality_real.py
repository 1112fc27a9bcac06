"""The gate on real machines: it must tell what is odd and leave most of them usable."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from costopt.frame.quality import gate_skips
from costopt.model import FindingLevel, Window
from tests.frame.packs import Gated, Rows, gate, pack, resource, shard

BITBRAINS = Window(datetime(2013, 8, 3, tzinfo=UTC), datetime(2013, 8, 31, tzinfo=UTC))


def on_grid(seconds: np.ndarray, values: np.ndarray, window: Window) -> np.ndarray:
    """Five-minute slots of the window: floored, the first write wins, NaN = missing."""
    slots = (seconds - int(window.start.timestamp())) // 300
    grid = np.full(round(window.days * 288), np.nan)
    inside = (slots >= 0) & (slots < len(grid))
    slots, first = np.unique(slots[inside], return_index=True)
    grid[slots] = values[inside][first]
    return grid


def packed(name: str, metric: str, grid: np.ndarray, window: Window) -> Rows:
    """Rows with utilization above 105 % refused and counted."""
    refused = grid > 105
    rows = pack(name, metric, np.where(refused, np.nan, grid), start=window.start)
    for row, day in zip(rows, refused.reshape(-1, 288), strict=True):
        row["RefusedHigh"] = int(day.sum())
    return rows


@pytest.fixture(scope="module")
def bitbrains(real_data: Path) -> Gated:
    """Three hundred VMs over four weeks: CPU, and active memory as the only witness."""
    path = real_data / "bitbrains" / "dev_300vms_jul_aug.parquet"
    columns = ["vm_id", "ts_unix_s", "cpu_usage_pct", "mem_capacity_kb", "mem_used_kb"]
    start = int(BITBRAINS.start.timestamp())
    table = pq.read_table(path, columns=columns, filters=pc.field("ts_unix_s") >= start)
    fleet = table.to_pandas()
    fleet = fleet[fleet.mem_capacity_kb > 0]
    rows: Rows = []
    for vm, one in fleet.groupby("vm_id"):
        memory = (100.0 * one.mem_used_kb / one.mem_capacity_kb).to_numpy(np.float64)
        cpu = one.cpu_usage_pct.to_numpy(np.float64)
        for metric, values in (("cpu_utilization", cpu), ("memory_utilization", memory)):
            grid = on_grid(one.ts_unix_s.to_numpy(), values, BITBRAINS)
            rows += packed(f"vm-{vm}", metric, grid, BITBRAINS)
    names = {row["ResourceId"] for row in rows}
    known = {n: resource(n, time_zone="Europe/Amsterdam") for n in sorted(names)}
    return gate(shard(rows), resources=known, window=BITBRAINS)


def test_nine_of_ten_real_machines_pass(bitbrains: Gated) -> None:
    machines = len(bitbrains.findings)
    unusable = {
        name
        for name, findings in bitbrains.findings.items()
        for f in findings
        if f.level is FindingLevel.GATE and f.metric_name in ("", "cpu_utilization")
    }
    assert machines >= 290
    assert len(unusable) <= 0.1 * machines
    assert len(gate_skips(bitbrains.findings)) <= 0.03 * machines


def test_what_bars_real_machines_is_what_is_wrong_with_them(bitbrains: Gated) -> None:
    gates = Counter(
        f.check
        for findings in bitbrains.findings.values()
        for f in findings
        if f.level is FindingLevel.GATE
    )
    assert gates.keys() <= {"out-of-range", "stale", "coverage", "no-metrics", "short-history"}
    assert gates["out-of-range"] > 0  # machines that run at 105 % and more of their capacity


def test_real_machines_are_seldom_disputed_and_their_clocks_stand(bitbrains: Gated) -> None:
    assert len(bitbrains.signals.shifts) <= 0.02 * len(bitbrains.findings)
    cpu = {
        name: p
        for name, profiles in bitbrains.profiles.items()
        for p in profiles
        if p.metric_name == "cpu_utilization"
    }
    disputed = bitbrains.signals.disputed
    lowered = [n for n, d in disputed.items() if d.p99_5 < 0.8 * cpu[n].p99_5]
    assert len(lowered) <= 0.02 * len(cpu)
    assert len(disputed) <= 0.03 * len(cpu)
    samples = sum(d.samples for d in disputed.values())
    assert samples <= 0.0005 * sum(p.count for p in cpu.values())


def nab(real_data: Path, name: str) -> pd.DataFrame:
    path = real_data / "nab" / "data" / "realAWSCloudwatch" / f"{name}.csv"
    return pd.read_csv(path, parse_dates=["timestamp"])


NAB_CPU = (
    "ec2_cpu_utilization_24ae8d",
    "ec2_cpu_utilization_53ea38",
    "ec2_cpu_utilization_5f5533",
    "ec2_cpu_utilization_77c1ca",
    "ec2_cpu_utilization_825cc2",
    "ec2_cpu_utilization_ac20cd",
    "ec2_cpu_utilization_c6585a",
    "ec2_cpu_utilization_fe7f93",
    "rds_cpu_utilization_cc0c53",
    "rds_cpu_utilization_e47b3b",
)


@pytest.mark.parametrize("name", NAB_CPU)
def test_two_weeks_of_cloudwatch_are_usable(real_data: Path, name: str) -> None:
    series = nab(real_data, name)
    last = series.timestamp.iloc[-1].to_pydatetime().replace(tzinfo=UTC)
    start = series.timestamp.iloc[0].to_pydatetime().replace(tzinfo=UTC, hour=0, minute=0)
    window = Window(start, start + timedelta(days=15))
    seconds = series.timestamp.to_numpy().astype("datetime64[s]").astype(np.int64)
    grid = on_grid(seconds, series.value.to_numpy(), window)
    rows = packed("m-1", "cpu_utilization", grid, window)
    seen = gate(shard(rows), window=Window(start, last + timedelta(minutes=5)))
    assert not gate_skips(seen.findings), seen.findings
