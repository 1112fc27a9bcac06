"""Real traces as machines' histories: what benchmarks and scripts/fit_prior.py learn and judge by.

The files are not part of the project; each reader says where it looks.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from costopt import schema
from costopt.backtest.series import CPU, MEMORY, History, Subject
from costopt.backtest.windows import Timetable, timetable
from costopt.optimize.features import hundredths
from costopt.schema import MISSING_U16, PERCENT_LIMIT

DATA = Path(__file__).parents[2] / "shared" / "data"
PERIOD = 300
SLOTS = 288


class Fleet(NamedTuple):
    """Machines of one trace, and when decisions on them are replayed."""

    name: str
    title: str
    machines: tuple[History, ...]
    table: Timetable
    vcpus: Mapping[str, int] = MappingProxyType({})  # by resource; empty = not known


def bitbrains(data: Path = DATA) -> Fleet:
    """300 machines of a hosting provider, 62 days of July and August 2013, CPU and memory.

    A sample over 105 % is a busy machine here, and counts as 105 %; a capacity of zero is a machine
    switched off, and a missing sample.
    """
    trace = pd.read_parquet(_found(data / "bitbrains" / "dev_300vms_jul_aug.parquet"))
    trace = trace[trace.cpu_capacity_mhz > 0].drop_duplicates(["vm_id", "ts_unix_s"])
    start = int(pd.Timestamp("2013-07-01", tz="UTC").timestamp())
    slot = ((trace.ts_unix_s - start) // PERIOD).to_numpy()
    names, row = np.unique(trace.vm_id.to_numpy(), return_inverse=True)
    cpu = _grid(row, slot, trace.cpu_usage_pct.to_numpy(), 62 * SLOTS)
    memory = (100 * trace.mem_used_kb / trace.mem_capacity_kb).to_numpy(copy=True)
    memory[(memory < 0) | (memory > PERCENT_LIMIT)] = np.nan
    used = _grid(row, slot, memory, 62 * SLOTS)
    machines = tuple(
        _machine(f"bitbrains-{name}", cpu[i], used[i])
        for i, name in enumerate(names)
        if (cpu[i] != MISSING_U16).any()
    )
    cores = trace.groupby("vm_id").cores.max()
    vcpus = {f"bitbrains-{name}": int(cores[name]) for name in names}
    return Fleet("bitbrains", "Bitbrains, 300 machines", machines, timetable(62), vcpus)


BITBRAINS_START = datetime(2013, 7, 1, tzinfo=UTC)


def bitbrains_samples(data: Path = DATA) -> Iterator[pa.Table]:
    """The same machines as a collector would send them (schema.METRICS): as they were measured,
    beyond 105 % too, some twice; a table for thirty machines."""
    trace = pd.read_parquet(_found(data / "bitbrains" / "dev_300vms_jul_aug.parquet"))
    trace = trace[trace.cpu_capacity_mhz > 0]
    trace["memory"] = 100 * trace.mem_used_kb / trace.mem_capacity_kb
    for _, some in trace.groupby(trace.vm_id % 10):
        for name, column in (
            ("cpu_utilization", "cpu_usage_pct"),
            ("memory_utilization", "memory"),
        ):
            yield schema.conform(
                pa.table(
                    {
                        "ResourceId": pa.array("bitbrains-" + some.vm_id.astype(str), pa.string()),
                        "MetricName": pa.repeat(name, len(some)),
                        "Statistic": pa.repeat("mean", len(some)),
                        "Timestamp": pa.array(some.ts_unix_s.to_numpy(np.int64) * 1_000_000),
                        "PeriodSeconds": pa.repeat(pa.scalar(PERIOD, pa.int32()), len(some)),
                        "Value": pa.array(some[column].to_numpy(np.float32), from_pandas=True),
                        "x_Device": pa.nulls(len(some), pa.string()),
                    }
                ),
                schema.METRICS,
            )


def planetlab(data: Path = DATA) -> Fleet:
    """Machines of a research network with at least eight measured days in March and April 2011.

    The first four and the last four days that a machine was measured, one after the other: four to
    decide on and four to judge by.
    """
    trace = pd.read_parquet(_found(data / "planetlab" / "planetlab_cpu.parquet"))
    machines = []
    for name, of_machine in trace.groupby("vm", observed=True):
        by_day = of_machine.sort_values(["day", "slot"]).cpu_pct.to_numpy(np.float64)
        days = by_day.reshape(-1, SLOTS)
        if len(days) >= 8:
            cpu = hundredths(np.concatenate([days[:4].ravel(), days[-4:].ravel()]))
            machines.append(_machine(f"planetlab-{name}", cpu))
    found = timetable(8, train_days=4, test_days=4)
    return Fleet("planetlab", f"PlanetLab, {len(machines)} machines", tuple(machines), found)


def _machine(
    name: str, cpu: npt.NDArray[np.uint16], memory: npt.NDArray[np.uint16] | None = None
) -> History:
    series = {CPU: cpu} if memory is None else {CPU: cpu, MEMORY: memory}
    return History(Subject(name, PERIOD), series, np.zeros(0, np.int64))


def _grid(
    row: npt.NDArray[np.int64],
    slot: npt.NDArray[np.int64],
    values: npt.NDArray[np.float64],
    slots: int,
) -> npt.NDArray[np.uint16]:
    """(machines, slots) hundredths of a percent."""
    grid = np.full((row.max() + 1, slots), MISSING_U16, np.uint16)
    inside = (slot >= 0) & (slot < slots) & ~(values < 0)
    grid[row[inside], slot[inside]] = hundredths(values[inside])
    return grid


def _found(path: Path) -> Path:
    if not path.exists():
        sys.exit(f"no trace at {path}: this needs the data folder beside the checkout")
    return path
