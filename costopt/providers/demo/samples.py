"""The metrics table: each UTC day of each machine's demand, as its collector sends it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from costopt import schema
from costopt.model import Window
from costopt.providers.demo.clock import HOURS, SLOT_SECONDS, SLOTS, midnight
from costopt.providers.demo.demand import Demand, demand
from costopt.providers.demo.gpu import gpu_series
from costopt.providers.demo.machines import Machine
from costopt.providers.demo.truth import Wart
from costopt.providers.demo.warts import Day, Series, spoil

_CHUNK: Final = 200
"""Machines in one table: some 350,000 samples of a day, 40 MB."""
_DECIMALS: Final = 3
"""Samples are rounded as monitoring services round theirs; what processors disagree on is lost."""


def samples(
    fleet: Sequence[Machine], window: Window, end: datetime, seed: int
) -> Iterator[pa.Table]:
    """Samples stamped inside the window, day after day (schema.METRICS).

    A sample depends on seed, machine and moment only: any split of a window gives the same rows.

    Args:
        end: of the fleet's data; what goes wrong does so some time before it (UTC midnight).
    """
    # A clock ahead of UTC stamps a day's last samples on the next day.
    shifted = [m for m in fleet if m.role.wart is Wart.CLOCK_SHIFT]
    day = window.start.date() - timedelta(days=1)
    while midnight(day) < window.end:
        concerned = fleet if day >= window.start.date() else shifted
        for first in range(0, len(concerned), _CHUNK):
            chunk = concerned[first : first + _CHUNK]
            yield _table(_series(chunk, day, end, seed), window)
        day += timedelta(days=1)


def _series(fleet: Sequence[Machine], day: date, end: datetime, seed: int) -> list[Series]:
    wanted = demand(fleet, day, seed)
    stamps = int(midnight(day).timestamp()) + SLOT_SECONDS * np.arange(SLOTS)
    found: list[Series] = []
    for row, machine in enumerate(fleet):
        running = _running(machine, day)
        if not running.any():
            continue
        whole = [
            Series(machine.resource_id, metric, statistic, device, stamps, values).only(running)
            for metric, statistic, device, values in _measured(machine, wanted, row, day, seed)
        ]
        found += spoil(whole, Day(machine, day, seed, end))
    return found


def _running(machine: Machine, day: date) -> npt.NDArray[np.bool_]:
    hours = np.zeros(HOURS, bool)
    for begin, end, _ in machine.runs(day):
        hours[begin:end] = True
    return hours.repeat(SLOTS // HOURS)


_Measured = tuple[str, str, str, npt.NDArray[np.float64]]


def _measured(
    machine: Machine, wanted: Demand, row: int, day: date, seed: int
) -> Iterator[_Measured]:
    """Metric, statistic, device and the day's 288 values, of all that is collected there."""
    role = machine.role
    yield "cpu_utilization", "mean", "", wanted.cpu[row]
    if role.cpu_max:
        yield "cpu_utilization", "max", "", wanted.cpu_max[row]
    if role.agent:
        yield "memory_utilization", "mean", "", wanted.memory[row]
    yield "network_in", "mean", "", wanted.network_in[row]
    yield "network_out", "mean", "", wanted.network_out[row]
    if role.disk_mb:
        yield "disk_read", "mean", "", wanted.disk_read[row]
        yield "disk_write", "mean", "", wanted.disk_write[row]
    if role.gpu_watts:
        for card in gpu_series(machine, day, wanted.level[row], seed):
            yield card.metric, "mean", card.device, card.values


def _table(series: Sequence[Series], window: Window) -> pa.Table:
    """One table of the samples that are stamped inside the window."""
    if not series:
        return schema.empty(schema.METRICS)
    lengths = np.array([one.stamps.size for one in series])
    owner = np.repeat(np.arange(len(series)), lengths)
    stamps = np.concatenate([one.stamps for one in series])
    values = np.concatenate([one.values for one in series]).round(_DECIMALS).astype(np.float32)
    start, end = window.start.timestamp(), window.end.timestamp()
    inside = (stamps >= start) & (stamps < end)
    owner, stamps, values = owner[inside], stamps[inside], values[inside]
    constants = pa.table(
        {
            "ResourceId": [one.resource_id for one in series],
            "MetricName": [one.metric for one in series],
            "Statistic": [one.statistic for one in series],
            "PeriodSeconds": pa.array([one.period_seconds for one in series], pa.int32()),
            "x_Device": pa.array([one.device or None for one in series], pa.string()),
        }
    ).take(pa.array(owner))
    columns = {
        **dict(zip(constants.column_names, constants.columns, strict=True)),
        "Timestamp": pa.array(stamps * 1_000_000).cast(schema.TIMESTAMP),
        "Value": pa.array(values, from_pandas=True),
    }
    return pa.table([columns[name] for name in schema.METRICS.names], schema=schema.METRICS)
