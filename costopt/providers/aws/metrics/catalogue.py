"""What CloudWatch measures of each kind of thing, and what we call it.

Names are ours (schema.METRIC_CATALOGUE); what has no name there takes x_. CloudWatch's unit and
meaning: the User Guides of EC2, EBS, RDS, VPC, Elastic Load Balancing and the CloudWatch agent.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal, NamedTuple

from costopt.providers.aws.metrics.formulas import (
    Formula,
    a_second,
    an_hour,
    as_it_is,
    peak_a_second,
    percent_not_free,
    percent_of,
)

Kind = Literal[
    "machine", "nitro", "burstable", "volume", "database", "nat", "alb", "nlb", "gwlb", "clb"
]


class Raw(NamedTuple):
    """What one query asks for."""

    name: str  # CloudWatch's
    stat: str


class Made(NamedTuple):
    """One series of ours, and what it is made of."""

    name: str
    statistic: str  # mean | max
    formula: Formula
    inputs: tuple[Raw, ...]


@dataclass(frozen=True)
class Entry:
    """Queries that are asked together: a metric with all its statistics is billed once."""

    namespace: str
    made: tuple[Made, ...]

    @property
    def raws(self) -> tuple[Raw, ...]:
        """The queries, each once."""
        return tuple(dict.fromkeys(raw for made in self.made for raw in made.inputs))

    @property
    def names(self) -> tuple[str, ...]:
        """CloudWatch's names, each once: what is billed."""
        return tuple(dict.fromkeys(raw.name for raw in self.raws))


@dataclass(frozen=True)
class AgentEntry(Entry):
    """Measured by the CloudWatch agent, whose dimensions are found by ListMetrics."""

    device: tuple[str, ...] = ()
    """Dimensions that name the device, the best first."""


def _level(namespace: str, name: str, ours: str) -> Entry:
    return Entry(namespace, _mean_and_max(name, ours))


def _mean_and_max(name: str, ours: str) -> tuple[Made, ...]:
    return (
        Made(ours, "mean", as_it_is, (Raw(name, "Average"),)),
        Made(ours, "max", as_it_is, (Raw(name, "Maximum"),)),
    )


def _mean(namespace: str, name: str, ours: str) -> Entry:
    return Entry(namespace, (Made(ours, "mean", as_it_is, (Raw(name, "Average"),)),))


def _rate(namespace: str, name: str, ours: str) -> Entry:
    return Entry(namespace, (Made(ours, "mean", a_second, (Raw(name, "Sum"),)),))


def _bytes(namespace: str, name: str, ours: str) -> Entry:
    total = Raw(name, "Sum")
    peak = (Raw(name, "Maximum"), Raw(name, "SampleCount"), total)
    made = (Made(ours, "mean", a_second, (total,)), Made(ours, "max", peak_a_second, peak))
    return Entry(namespace, made)


ENTRIES: Final[Mapping[Kind, tuple[Entry, ...]]] = MappingProxyType(
    {
        "machine": (
            _level("AWS/EC2", "CPUUtilization", "cpu_utilization"),
            _bytes("AWS/EC2", "NetworkIn", "network_in"),
            _bytes("AWS/EC2", "NetworkOut", "network_out"),
        ),
        # Traffic with EBS, which has a bandwidth of its own. Instance store (DiskReadBytes) is not
        # added: it does not pass that bandwidth, and the largest of a sum is no sum of largest.
        "nitro": (
            _bytes("AWS/EC2", "EBSReadBytes", "disk_read"),
            _bytes("AWS/EC2", "EBSWriteBytes", "disk_write"),
        ),
        "burstable": (
            _mean("AWS/EC2", "CPUCreditBalance", "x_cpu_credit_balance"),
            Entry(
                "AWS/EC2",
                (
                    Made(  # credits an hour
                        "x_cpu_surplus_credits_charged",
                        "mean",
                        an_hour,
                        (Raw("CPUSurplusCreditsCharged", "Sum"),),
                    ),
                ),
            ),
        ),
        "volume": (
            _bytes("AWS/EBS", "VolumeReadBytes", "disk_read"),
            _bytes("AWS/EBS", "VolumeWriteBytes", "disk_write"),
        ),
        "database": (
            _level("AWS/RDS", "CPUUtilization", "cpu_utilization"),
            _mean("AWS/RDS", "FreeableMemory", "x_freeable_memory"),  # bytes
            _level("AWS/RDS", "DatabaseConnections", "x_database_connections"),
        ),
        "nat": (_rate("AWS/NATGateway", "BytesOutToDestination", "network_out"),),
        "alb": (_rate("AWS/ApplicationELB", "RequestCount", "request_rate"),),
        "nlb": (_rate("AWS/NetworkELB", "ProcessedBytes", "x_processed_bytes"),),  # B/s
        "gwlb": (_rate("AWS/GatewayELB", "ProcessedBytes", "x_processed_bytes"),),
        "clb": (_rate("AWS/ELB", "RequestCount", "request_rate"),),
    }
)

DIMENSION: Final[Mapping[Kind, str]] = MappingProxyType(
    {
        "machine": "InstanceId",
        "nitro": "InstanceId",
        "burstable": "InstanceId",
        "volume": "VolumeId",
        "database": "DBInstanceIdentifier",
        "nat": "NatGatewayId",
        "alb": "LoadBalancer",
        "nlb": "LoadBalancer",
        "gwlb": "LoadBalancer",
        "clb": "LoadBalancerName",
    }
)

AGENT: Final = "CWAgent"
_GPU: Final = ("index", "uuid", "name")


def _agent(*made: Made, device: tuple[str, ...] = ()) -> AgentEntry:
    return AgentEntry(AGENT, made, device=device)


def _gpu(field: str, ours: str) -> AgentEntry:
    return _agent(*_mean_and_max(f"nvidia_smi_{field}", ours), device=_GPU)


def _gpu_memory() -> AgentEntry:
    """Occupancy from the two sizes; `utilization_memory` is how busy the memory's bus is."""
    used, whole = "nvidia_smi_memory_used", Raw("nvidia_smi_memory_total", "Average")
    return _agent(
        Made("gpu_memory_utilization", "mean", percent_of, (Raw(used, "Average"), whole)),
        Made("gpu_memory_utilization", "max", percent_of, (Raw(used, "Maximum"), whole)),
        device=_GPU,
    )


def _windows_disk() -> AgentEntry:
    """The agent of Windows tells what is free; the least that is free is the most that is used."""
    name = "LogicalDisk % Free Space"
    return _agent(
        Made("x_disk_space_used", "mean", percent_not_free, (Raw(name, "Average"),)),
        Made("x_disk_space_used", "max", percent_not_free, (Raw(name, "Minimum"),)),
        device=("instance",),
    )


AGENT_ENTRIES: Final = (
    _agent(*_mean_and_max("mem_used_percent", "memory_utilization")),
    _agent(*_mean_and_max("Memory % Committed Bytes In Use", "memory_utilization")),
    _agent(*_mean_and_max("disk_used_percent", "x_disk_space_used"), device=("path",)),
    _windows_disk(),
    _gpu("utilization_gpu", "gpu_utilization"),
    _gpu("utilization_memory", "gpu_memory_bandwidth"),
    _gpu("power_draw", "gpu_power"),
    _gpu_memory(),
)
