"""What Azure Monitor measures of a machine, and what we call it. Pure.

Names are ours (schema.METRIC_CATALOGUE); what has no name there takes x_. Names, units and grains:
"Supported metrics for Microsoft.Compute/virtualMachines" and ".../virtualMachineScaleSets/
virtualMachines" (Azure Monitor reference), which are the same for what is asked here.

Left out, for nothing is decided by it: what the agents of the guest send to the namespaces
azure.vm.linux.guestmetrics, azure.vm.windows.guestmetrics and "Virtual Machine Guest". The batch
endpoint does not take them, so that each machine would cost calls of its own, on top of two to find
out what there is; memory, which used to be their use, is a platform metric by now; and of GPUs they
send nothing unless made to. The diagnostics extension, which sent the first two, was announced to
end on 31 March 2026. (New agents send to an Azure Monitor workspace: the Prometheus provider reads
those.)
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Final, Literal, NamedTuple

from costopt.providers.azure.metrics.formulas import (
    Formula,
    a_second,
    as_it_is,
    measured,
    nearest_limit,
    peak_a_second,
    percent,
    percent_of,
    percent_of_both,
    used_percent,
)

Aggregation = Literal["average", "minimum", "maximum", "total", "count"]


class Raw(NamedTuple):
    """One aggregation of one of Azure's metrics."""

    name: str
    aggregation: Aggregation


class Made(NamedTuple):
    """One series of ours, and what it is made of."""

    name: str
    statistic: str  # mean | max
    formula: Formula
    inputs: tuple[Raw, ...]


@dataclass(frozen=True, eq=False)
class Entry:
    """Series that are read together, and broken together."""

    made: tuple[Made, ...]

    @cached_property
    def name(self) -> str:
        """Ours."""
        return self.made[0].name

    @cached_property
    def raws(self) -> tuple[Raw, ...]:
        """What it is made of, each once."""
        return tuple(dict.fromkeys(raw for made in self.made for raw in made.inputs))

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Azure's names, each once."""
        return tuple(dict.fromkeys(raw.name for raw in self.raws))


def _level(name: str, ours: str, formula: Formula = as_it_is) -> Entry:
    return Entry(
        (
            Made(ours, "mean", formula, (Raw(name, "average"),)),
            Made(ours, "max", formula, (Raw(name, "maximum"),)),
        )
    )


def _bytes(name: str, ours: str) -> Entry:
    total = Raw(name, "total")
    peak = (Raw(name, "maximum"), Raw(name, "count"), total)
    return Entry((Made(ours, "mean", a_second, (total,)), Made(ours, "max", peak_a_second, peak)))


FREE_PERCENT: Final = Raw("Available Memory Percentage", "average")
FREE_BYTES: Final = Raw("Available Memory Bytes", "average")


def _memory() -> Entry:
    """The percentage, or the bytes against the shape: not every cloud and size has both."""
    means, ours = (FREE_PERCENT, FREE_BYTES), "memory_utilization"
    least = tuple(Raw(one.name, "minimum") for one in means)
    return Entry((Made(ours, "mean", used_percent, means), Made(ours, "max", used_percent, least)))


def _disk_limits() -> Entry:
    """How much of what the size may do with its disks is used: bytes or operations, whichever is
    nearer to its limit. Sizes that take no premium storage have none of it."""
    shares = tuple(f"VM Uncached {of} Consumed Percentage" for of in ("Bandwidth", "IOPS"))
    ours = "disk_utilization"
    means = tuple(Raw(name, "average") for name in shares)
    most = tuple(Raw(name, "maximum") for name in shares)
    return Entry((Made(ours, "mean", nearest_limit, means), Made(ours, "max", nearest_limit, most)))


MACHINE: Final = (
    _level("Percentage CPU", "cpu_utilization"),
    _memory(),
    _bytes("Network In Total", "network_in"),
    _bytes("Network Out Total", "network_out"),
    _bytes("Disk Read Bytes", "disk_read"),
    _bytes("Disk Write Bytes", "disk_write"),
    _disk_limits(),
)
"""Of every machine."""

BURSTABLE: Final = (
    Entry(
        (
            Made(
                "x_cpu_credit_balance", "mean", as_it_is, (Raw("CPU Credits Remaining", "average"),)
            ),
        )
    ),
)
"""Of those of the B series besides."""


@dataclass(frozen=True)
class Custom:
    """What a collector of NVIDIA's figures sends to a namespace of its own."""

    namespace: tuple[str, ...]  # of which one is part of the namespace's name, in lower case
    dimension: str  # which tells the cards apart
    entries: tuple[Entry, ...]


def _share(used: str, whole: str) -> Entry:
    ours, known = "gpu_memory_utilization", Raw(whole, "average")
    return Entry(
        (
            Made(ours, "mean", percent_of, (Raw(used, "average"), known)),
            Made(ours, "max", percent_of, (Raw(used, "maximum"), known)),
        )
    )


def _share_of_both(used: str, free: str) -> Entry:
    ours = "gpu_memory_utilization"
    mean, most, left = Raw(used, "average"), Raw(used, "maximum"), Raw(free, "average")
    return Entry(
        (
            Made(ours, "mean", percent_of_both, (mean, mean, left)),
            Made(ours, "max", percent_of_both, (most, mean, left)),
        )
    )


CUSTOM: Final = (
    Custom(  # DCGM's fractions are 0-1; what a telegraf reads from dcgm-exporter keeps its names
        ("dcgm", "prometheus"),
        "gpu",
        (
            _level("DCGM_FI_DEV_GPU_UTIL", "gpu_utilization", measured),
            _share_of_both("DCGM_FI_DEV_FB_USED", "DCGM_FI_DEV_FB_FREE"),
            _level("DCGM_FI_PROF_SM_ACTIVE", "gpu_sm_active", percent),
            _level("DCGM_FI_PROF_PIPE_TENSOR_ACTIVE", "gpu_tensor_active", percent),
            _level("DCGM_FI_PROF_DRAM_ACTIVE", "gpu_memory_bandwidth", percent),
            _level("DCGM_FI_DEV_MEM_COPY_UTIL", "x_gpu_memory_copy_utilization", measured),
            _level("DCGM_FI_DEV_POWER_USAGE", "gpu_power", measured),
        ),
    ),
    Custom(  # telegraf's input nvidia_smi, under the namespace Telegraf/nvidia_smi
        ("nvidia_smi", "nvidia-smi"),
        "index",
        (
            _level("utilization_gpu", "gpu_utilization", measured),
            _share("memory_used", "memory_total"),
            _level("utilization_memory", "gpu_memory_bandwidth", measured),
            _level("power_draw", "gpu_power", measured),
        ),
    ),
)
"""GPUs are no platform metric: they are read where somebody sends them, the richer source first.
Source: telegraf, plugins/outputs/azure_monitor ("written to a separate namespace, prefixed with
Telegraf/; the field name is the metric name; tags are dimensions"), plugins/inputs/nvidia_smi."""
