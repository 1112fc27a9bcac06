"""What is asked for each metric: the queries, and the recording rules made of them.

Counters are looked at over (t, t+p]: what they gained until t+p was done before. Gauges are
averaged over [t, t+p): `offset 1ms` leaves the sample at t+p to the next period. `without` keeps
every label of the target, so that a machine scraped twice shows as two series, and is never added
up.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from string import Template
from typing import Final, Literal

from costopt.units import GIB

Source = Literal["node", "dcgm", "cadvisor"]
Statistic = Literal["mean", "max"]

# Interfaces whose bytes also pass through a physical one (bridges, tunnels, bonds over their parts,
# VLANs over their trunk), or that never leave the machine.
VIRTUAL_INTERFACES: Final = (
    "lo|dummy.*|ifb.*|veth.*|docker.*|br-.*|br[0-9]+|virbr.*|vmbr.*|fwbr.*|fwln.*|fwpr.*|vnet.*|tap.*"
    "|tun.*|wg.*|sit.*|gre.*|ipip.*|tunl.*|ip6.*|vxlan.*|geneve.*|genev_.*|cni.*|cali.*|flannel.*"
    "|cilium.*|lxc.*|weave.*|eni[0-9a-f]+|azv.*|gke.*|kube-.*|nodelocaldns|antrea.*|ovs-.*|ovn.*|bond.*|team[0-9]+|.+[.][0-9]+"
)
# Partitions, device mapper and RAID stand on disks that are counted themselves; multipath NVMe
# shows each path as nvme0c1n1 beside nvme0n1.
PARTS_OF_DISKS: Final = (
    "(z?ram|loop|fd|sr|dm-|md)[0-9]+.*|(h|s|v|xv)d[a-z]+[0-9]+|nvme[0-9]+n[0-9]+p[0-9]+"
    "|nvme[0-9]+c[0-9]+n[0-9]+|mmcblk[0-9]+(p|boot)[0-9]+"
)
# What dcgm-exporter adds of whoever uses the card just then: the card stays the same.
_USERS: Final = (
    "pod, namespace, container, exported_pod, exported_namespace, exported_container, "
    "DCGM_FI_DRIVER_VERSION, err_code, err_msg"
)


@dataclass(frozen=True, slots=True)
class Measure:
    """One metric's query."""

    metric: str
    source: Source
    template: str  # $p: the period, $also: more matchers, each after a comma
    needs: tuple[str, ...]  # metrics that must be there, one of each line "a|b"
    heavy: str = ""  # selector of what it reads, where that is many series a machine
    statistic: Statistic = "mean"
    highest: float = 1000.0  # more is no measurement but a marker of "not available"
    divided_by: Literal["vcpus", "memory_gib"] | None = None  # of the machine; times 100

    def query(self, period: int, also: str = "") -> str:
        """The PromQL whose value at t+p is that of the period from t on.

        Args:
            also: further matchers, `cluster="prod"`; "" = none.
        """
        more = f",{also}" if also else ""
        return Template(self.template).substitute(p=f"{period}s", also=more)

    def selector(self, also: str = "") -> str:
        """What it reads, to be counted; "" = one series or few a machine."""
        return Template(self.heavy).substitute(also=f",{also}" if also else "")

    def recorded(self, period: int) -> str:
        """The name under which a recording rule keeps it; "" = it needs none."""
        wanted = self.heavy and self.source == "node"
        return f"costopt:{self.metric}:{self.statistic}{period}s" if wanted else ""


def _node_rate(metric: str, counter: str, device: str) -> Measure:
    reads = f'{counter}{{device!~"{device}"$also}}'
    query = f"sum without (device) (rate({reads}[$p]))"
    return Measure(metric, "node", query, (counter,), heavy=reads, highest=1e15)


_CPU: Final = 'node_cpu_seconds_total{mode=~".+"$also}'
_IDLE: Final = 'node_cpu_seconds_total{mode=~"idle|iowait"$also}'
_AVAILABLE: Final = (
    '({agg}_over_time(node_memory_MemAvailable_bytes{{job=~".*"$also}}[$p] offset 1ms)'
    ' or {agg}_over_time(node_memory_MemFree_bytes{{job=~".*"$also}}[$p] offset 1ms)'
    ' + {agg}_over_time(node_memory_Buffers_bytes{{job=~".*"$also}}[$p] offset 1ms)'
    ' + {agg}_over_time(node_memory_Cached_bytes{{job=~".*"$also}}[$p] offset 1ms))'
)
_MEMORY: Final = (
    '100 * (1 - {available} / max_over_time(node_memory_MemTotal_bytes{{job=~".*"$also}}[$p]'
    " offset 1ms))"
)
_DISK_TIME: Final = f'node_disk_io_time_seconds_total{{device!~"{PARTS_OF_DISKS}"$also}}'


def _memory(statistic: Statistic, aggregate: str) -> Measure:
    query = _MEMORY.format(available=_AVAILABLE.format(agg=aggregate))
    needs = (
        "node_memory_MemTotal_bytes",
        "node_memory_MemAvailable_bytes|node_memory_MemFree_bytes",
    )
    return Measure("memory_utilization", "node", query, needs, statistic=statistic)


def _card(metric: str, field: str, scale: int = 1, highest: float = 1000.0) -> Measure:
    """A field of dcgm-exporter, averaged over its samples, whoever used the card."""
    reads = f'{field}{{job=~".*"$also}}[$p] offset 1ms'
    query = (
        f"sum without ({_USERS}) (sum_over_time({reads})) "
        f"/ sum without ({_USERS}) (count_over_time({reads}))"
    )
    scaled = f"{scale} * {query}" if scale != 1 else query
    return Measure(metric, "dcgm", scaled, (field,), highest=highest)


def _card_memory(statistic: Statistic) -> Measure:
    """Used of used and free (MiB); a marker in either (above 100 TiB) leaves the period out."""
    used, free = (
        f"(max without ({_USERS}) ({statistic_of}_over_time("
        f'{field}{{job=~".*"$also}}[$p] offset 1ms)) < 1e8)'
        for field, statistic_of in (
            ("DCGM_FI_DEV_FB_USED", "avg" if statistic == "mean" else "max"),
            ("DCGM_FI_DEV_FB_FREE", "avg" if statistic == "mean" else "min"),
        )
    )
    needs = ("DCGM_FI_DEV_FB_USED", "DCGM_FI_DEV_FB_FREE")
    query = f"100 * {used} / ({used} + {free})"
    return Measure("gpu_memory_utilization", "dcgm", query, needs, statistic=statistic)


def _root_rate(metric: str, way: str) -> Measure:
    counter = f"container_network_{way}_bytes_total"
    reads = f'{counter}{{id="/",interface!~"{VIRTUAL_INTERFACES}"$also}}'
    query = f"sum without (interface) (rate({reads}[$p]))"
    return Measure(metric, "cadvisor", query, (counter,), heavy=reads, highest=1e15)


MEASURES: Final = (
    # A ratio of rates: a machine that starts or stops within the period, or a scrape that failed,
    # lowers both alike. Waiting for disks is idle time; stolen time is not: the machine wanted it.
    Measure(
        "cpu_utilization",
        "node",
        f"100 * (1 - sum without (cpu, mode) (rate({_IDLE}[$p]))"
        f" / sum without (cpu, mode) (rate({_CPU}[$p])))",
        ("node_cpu_seconds_total",),
        heavy=_CPU,
    ),
    _memory("mean", "avg"),
    _memory("max", "min"),
    _node_rate("network_in", "node_network_receive_bytes_total", VIRTUAL_INTERFACES),
    _node_rate("network_out", "node_network_transmit_bytes_total", VIRTUAL_INTERFACES),
    _node_rate("disk_read", "node_disk_read_bytes_total", PARTS_OF_DISKS),
    _node_rate("disk_write", "node_disk_written_bytes_total", PARTS_OF_DISKS),
    # The busiest disk's share of time with work on it.
    Measure(
        "disk_utilization",
        "node",
        f"100 * max without (device) (rate({_DISK_TIME}[$p]))",
        ("node_disk_io_time_seconds_total",),
        heavy=_DISK_TIME,
    ),
    _card("gpu_utilization", "DCGM_FI_DEV_GPU_UTIL"),
    _card("gpu_sm_active", "DCGM_FI_PROF_SM_ACTIVE", 100),
    _card("gpu_tensor_active", "DCGM_FI_PROF_PIPE_TENSOR_ACTIVE", 100),
    _card("gpu_memory_bandwidth", "DCGM_FI_PROF_DRAM_ACTIVE", 100),
    _card_memory("mean"),
    _card_memory("max"),
    _card("gpu_power", "DCGM_FI_DEV_POWER_USAGE", highest=1e5),
    _card("x_gpu_engine_active", "DCGM_FI_PROF_GR_ENGINE_ACTIVE", 100),
    _card("x_gpu_sm_occupancy", "DCGM_FI_PROF_SM_OCCUPANCY", 100),
    _card("x_gpu_memory_copy_utilization", "DCGM_FI_DEV_MEM_COPY_UTIL"),
    Measure(
        "cpu_utilization",
        "cadvisor",
        'sum without (cpu) (rate(container_cpu_usage_seconds_total{id="/"$also}[$p]))',
        ("container_cpu_usage_seconds_total",),
        divided_by="vcpus",
        highest=1e6,
    ),
    Measure(
        "memory_utilization",
        "cadvisor",
        f'avg_over_time(container_memory_working_set_bytes{{id="/"$also}}[$p] offset 1ms) / {GIB}',
        ("container_memory_working_set_bytes",),
        divided_by="memory_gib",
        highest=1e6,
    ),
    _root_rate("network_in", "receive"),
    _root_rate("network_out", "transmit"),
)
"""In the order in which they are collected: what sizes rest on comes first."""

ANCHORS: Final[Mapping[Source, str]] = {
    "node": "node_memory_MemTotal_bytes{$also}",
    "dcgm": '{__name__=~"DCGM_FI_DEV_(GPU_UTIL|FB_USED)|DCGM_FI_PROF_GR_ENGINE_ACTIVE"$also}',
    "cadvisor": 'container_cpu_usage_seconds_total{id="/"$also}',
}
"""Few series a machine that say which machines a source knows."""


def anchor(source: Source, also: str = "") -> str:
    """The selector of that source's machines."""
    more = f",{also}" if also else ""
    return Template(ANCHORS[source]).substitute(also=more).replace("{,", "{")


def paced(source: Source, also: str = "") -> str:
    """The selector of one metric alone, by whose samples the scrapes are counted."""
    if source != "dcgm":
        return anchor(source, also)
    return f"DCGM_FI_DEV_FB_USED{{{also}}}"


def needed_names() -> frozenset[str]:
    """Every metric that a measure needs."""
    return frozenset(n for m in MEASURES for line in m.needs for n in line.split("|"))


def present(measure: Measure, names: frozenset[str]) -> bool:
    """Whether the server has what the measure reads."""
    return all(not names.isdisjoint(line.split("|")) for line in measure.needs)
