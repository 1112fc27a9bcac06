"""What Cloud Monitoring measures of a machine, and what we call it.

Names are ours (schema.METRIC_CATALOGUE); what has no name there takes x_. Metric types, kinds and
labels: "Google Cloud metrics" (compute), "Ops Agent metrics" (agent), "Metrics from third-party
applications: DCGM" (workload). Units where the pages do not say: the Ops Agent multiplies NVML's
utilization by 100, and passes DCGM's fractions on, under the names of its version 1 and 2
(GoogleCloudPlatform/ops-agent, apps/hostmetrics.go and apps/dcgm.go).

Left out: instance/memory/balloon/ram_used of e2 machines, which counts the page cache as used; GPU
power, which there is only as energy since the start (gpu.dcgm.energy_consumption), whose aligners
interpolate; DCGM's occupancy and PCIe traffic, which no rule reads.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal, NamedTuple

from costopt.providers.gcp.metrics.formulas import (
    Formula,
    a_second,
    as_it_is,
    either_percent,
    peak_a_second,
    percent_of,
    percent_of_seen,
    used_percent,
)

Of = Literal["machine", "disks", "gpus"]
"""What a machine has one series of: itself, each of its disks, each of its cards."""
Aligner = Literal["ALIGN_MEAN", "ALIGN_MAX", "ALIGN_SUM"]


class Query(NamedTuple):
    """What one request asks for."""

    metric: str  # Google's type
    aligner: Aligner
    labels: tuple[tuple[str, str], ...] = ()
    summed: bool = False
    """Whether Google adds up the series of a machine (disks, traffic balanced or not), minute by
    minute, before it takes the largest: the largest of a sum is no sum of the largest."""


class Made(NamedTuple):
    """One series of ours, and what it is made of."""

    name: str
    statistic: str  # mean | max
    formula: Formula
    inputs: tuple[Query, ...]


Device = Callable[[dict[str, str]], str | None]
"""The labels of a metric -> the device, "" = the whole machine; None = not to be kept."""


@dataclass(frozen=True)
class Entry:
    """Series that are read together."""

    name: str
    of: Of
    made: tuple[Made, ...]
    device: Device
    agent: bool = True  # measured by an agent, so that not every project has it

    @property
    def queries(self) -> tuple[Query, ...]:
        """Each once."""
        return tuple(dict.fromkeys(query for made in self.made for query in made.inputs))


def whole(labels: dict[str, str]) -> str | None:
    """The machine, whatever the labels tell apart."""
    return ""


def card(labels: dict[str, str]) -> str | None:
    """The GPU by its number: a machine gets another card with another uuid at each start."""
    return labels.get("gpu_number") or labels.get("uuid") or None


_DISK: Final = re.compile(r"/dev/(?!loop|zram|ram).+|[A-Z]:")


def disk(labels: dict[str, str]) -> str | None:
    """The file system's device; those in memory and those of packages are none."""
    device = labels.get("device", "")
    return device if _DISK.fullmatch(device) else None


def _level(metric: str, ours: str, of: Of, device: Device, **labels: str) -> Entry:
    pairs = tuple(labels.items())
    return Entry(
        ours,
        of,
        (
            Made(ours, "mean", as_it_is, (Query(metric, "ALIGN_MEAN", pairs),)),
            Made(ours, "max", as_it_is, (Query(metric, "ALIGN_MAX", pairs),)),
        ),
        device,
    )


def _bytes(metric: str, ours: str) -> Entry:
    metric = f"compute.googleapis.com/instance/{metric}"
    return Entry(
        ours,
        "machine",
        (
            Made(ours, "mean", a_second, (Query(metric, "ALIGN_SUM", summed=True),)),
            Made(ours, "max", peak_a_second, (Query(metric, "ALIGN_MAX", summed=True),)),
        ),
        whole,
        agent=False,
    )


def _dcgm(first: str, second: str, ours: str, **labels: str) -> Entry:
    """From version 1 or 2 of the agent's receiver; a machine has one of them."""
    pairs = tuple(labels.items())
    names = (f"workload.googleapis.com/{first}", f"workload.googleapis.com/{second}")
    means = tuple(Query(name, "ALIGN_MEAN", pairs) for name in names)
    peaks = tuple(Query(name, "ALIGN_MAX", pairs) for name in names)
    made = (Made(ours, "mean", either_percent, means), Made(ours, "max", either_percent, peaks))
    return Entry(ours, "gpus", made, card)


def _cpu() -> Entry:
    metric, ours = "compute.googleapis.com/instance/cpu/utilization", "cpu_utilization"
    made = (
        Made(ours, "mean", percent_of_seen, (Query(metric, "ALIGN_MEAN"),)),
        Made(ours, "max", percent_of_seen, (Query(metric, "ALIGN_MAX"),)),
    )
    return Entry(ours, "machine", made, whole, agent=False)


def _gpu_memory() -> Entry:
    metric, ours = "agent.googleapis.com/gpu/memory/bytes_used", "gpu_memory_utilization"
    used = Query(metric, "ALIGN_MEAN", (("memory_state", "used"),))
    free = Query(metric, "ALIGN_MEAN", (("memory_state", "free"),))
    peak = Query(metric, "ALIGN_MAX", (("memory_state", "used"),))
    made = (
        Made(ours, "mean", used_percent, (used, free)),
        Made(ours, "max", percent_of, (peak, used, free)),
    )
    return Entry(ours, "gpus", made, card)


_AGENT: Final = "agent.googleapis.com"
_PROFILING: Final = "dcgm.gpu.profiling"

ENTRIES: Final = (
    _cpu(),
    _bytes("network/received_bytes_count", "network_in"),
    _bytes("network/sent_bytes_count", "network_out"),
    _bytes("disk/read_bytes_count", "disk_read"),
    _bytes("disk/write_bytes_count", "disk_write"),
    _level(f"{_AGENT}/memory/percent_used", "memory_utilization", "machine", whole, state="used"),
    _level(f"{_AGENT}/disk/percent_used", "x_disk_space_used", "disks", disk, state="used"),
    _level(f"{_AGENT}/gpu/utilization", "gpu_utilization", "gpus", card),
    _gpu_memory(),
    _dcgm(f"{_PROFILING}.sm_utilization", "gpu.dcgm.sm.utilization", "gpu_sm_active"),
    _dcgm(
        f"{_PROFILING}.pipe_utilization",
        "gpu.dcgm.pipe.utilization",
        "gpu_tensor_active",
        pipe="tensor",
    ),
    _dcgm(
        f"{_PROFILING}.dram_utilization",
        "gpu.dcgm.memory.bandwidth_utilization",
        "gpu_memory_bandwidth",
    ),
)
