"""Samples for the benchmarks: a fleet of machines with daily and weekly rhythm, on disk once.

Long Parquet as a collector would have appended it: a file a day, in it machine after machine,
metric after metric, a sample every five minutes; two in a thousand are missing.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa

from costopt import schema
from costopt.lake.atomic import write_parquet

START: Final = datetime(2026, 10, 1, tzinfo=UTC)
METRICS: Final = ("cpu_utilization", "memory_utilization")
PERIOD: Final = 300
SLOTS: Final = 288
_VERSION: Final = 1  # of what is generated; older folders are left alone


def generate(folder: Path, machines: int, days: int) -> list[Path]:
    """The long files, a day each, made where they are not there yet."""
    place = folder / f"long-v{_VERSION}-{machines}x{days}"
    place.mkdir(parents=True, exist_ok=True)
    files = [place / f"{number:04d}.parquet" for number in range(days)]
    for number, path in enumerate(files):
        if not path.exists():
            write_parquet(path, [_day(machines, number)])
    return files


def _day(machines: int, number: int) -> pa.Table:
    values = _values(machines, number)
    rng = np.random.default_rng([machines, number])
    at = np.flatnonzero(rng.random(values.size, dtype="f4") > 0.002)
    ids = pa.array([f"i-{machine * 2654435761 % 2**32:017x}" for machine in range(machines)])
    midnight = int((START + timedelta(days=number)).timestamp()) * 1_000_000
    columns = {
        "ResourceId": ids.take(pa.array(at // (SLOTS * len(METRICS)))),
        "MetricName": pa.array(METRICS).take(pa.array(at // SLOTS % len(METRICS))),
        "Statistic": pa.repeat("mean", len(at)),
        "Timestamp": pa.array(midnight + at % SLOTS * (PERIOD * 1_000_000)),
        "PeriodSeconds": pa.array(np.full(len(at), PERIOD, "i4")),
        "Value": pa.array(values.ravel()[at]),
        "x_Device": pa.nulls(len(at), pa.string()),
    }
    return schema.conform(pa.table(columns), schema.METRICS)


def _values(machines: int, number: int) -> np.ndarray:
    """Float32 (machines, metrics, slots), percent."""
    fleet = np.random.default_rng(1)
    base = fleet.gamma(2, 6, (machines, 1)).astype("f4")
    swing = fleet.gamma(1.5, 8, (machines, 1)).astype("f4")
    dawn = fleet.integers(0, SLOTS, (machines, 1))
    memory = fleet.uniform(15, 85, (machines, 1)).astype("f4")
    rng = np.random.default_rng([2, number])
    sun = np.maximum(0, np.sin((np.arange(SLOTS) - dawn) * (2 * np.pi / SLOTS))).astype("f4")
    if (START + timedelta(days=number)).weekday() >= 5:
        sun *= np.float32(0.3)
    noise = rng.standard_normal((2, machines, SLOTS), dtype="f4")
    cpu = base + swing * sun + noise[0] * (1 + swing / 6)
    return np.clip(np.stack([cpu, memory + 3 * sun + noise[1] * np.float32(0.4)], axis=1), 0, 100)
