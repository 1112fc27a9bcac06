"""What there is: machines and other things, their shapes and prices."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from types import MappingProxyType
from typing import Final

NOTHING: Final[Mapping[str, str]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Window:
    """A span of time: start inclusive, end exclusive, both UTC."""

    start: datetime
    end: datetime

    def __post_init__(self) -> None:
        for moment in (self.start, self.end):
            if moment.utcoffset() != timedelta(0):
                raise ValueError(f"a window is in UTC, not {moment!r}")
        if self.end < self.start:
            raise ValueError(f"a window ends after it starts: {self.start} .. {self.end}")

    @property
    def days(self) -> float:
        """Length in days of 24 hours."""
        return (self.end - self.start) / timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Shape:
    """A machine type: what one can buy."""

    provider_name: str
    instance_type: str
    vcpus: float
    memory_gib: float | None = None
    physical_cores: float | None = None
    architecture: str | None = None  # x86_64 | arm64
    gpu_model: str | None = None
    gpu_count: int = 0
    gpu_memory_gib: float | None = None  # of one card
    burstable_baseline_percent: float | None = None  # of the whole machine; None = not burstable
    network_gbps: float | None = None
    local_disk_gib: float = 0.0
    family: str | None = None
    current_generation: bool | None = None
    not_offered_in: frozenset[str] = frozenset()  # keys of regions where it cannot be had
    shared_cpu: bool | None = None  # others run on the same CPU time; None = nobody says


@dataclass(frozen=True, slots=True)
class Price:
    """What one machine of a type costs for one hour."""

    provider_name: str
    region_id: str | None  # None = every region
    instance_type: str
    list_unit_price: Decimal
    currency: str = "USD"
    pricing_category: str = "Standard"  # Standard | Dynamic (spot) | Committed
    operating_system: str | None = None
    term: str | None = None
    valid_from: date | None = None
    source: str | None = None


@dataclass(frozen=True, slots=True)
class Resource:
    """One thing on the bill, as it is now; `resized_at` says since when it has this shape."""

    resource_id: str
    provider_name: str
    resource_name: str | None = None
    resource_type: str | None = None
    service_name: str | None = None
    sub_account_id: str | None = None
    region_id: str | None = None
    instance_type: str | None = None
    vcpus: float | None = None
    memory_gib: float | None = None
    gpu_model: str | None = None
    gpu_count: int = 0
    gpu_memory_gib: float | None = None
    architecture: str | None = None
    operating_system: str | None = None
    pricing_category: str | None = None
    state: str | None = None
    launched_at: datetime | None = None
    resized_at: datetime | None = None
    scaling_group: str | None = None
    time_zone: str = "UTC"
    tags: Mapping[str, str] = field(default_factory=lambda: NOTHING)
    attributes: Mapping[str, str] = field(default_factory=lambda: NOTHING)


def is_machine(resource: Resource) -> bool:
    """Whether it is a machine that rules on CPU and memory concern; a disk or an address is not."""
    return resource.instance_type is not None or resource.vcpus is not None


_STOPPED: Final = frozenset(
    {"stopped", "stopping", "terminated", "terminating", "deallocated", "deallocating"}
    | {"suspended", "suspending", "shutting-down", "shutdown", "off", "poweredoff", "powered off"}
    | {"vm stopped", "vm deallocated", "deleted", "inactive"}
    | {"unseen"}  # ours: what it belongs to shows us nothing any more
)
"""The states in which AWS, Azure, GCP and hypervisors report a machine that does not run. A state
not listed is taken as running: its samples say so."""


def is_stopped(resource: Resource) -> bool:
    """Whether the machine does not run now, so that nothing about it can be stopped or measured."""
    return (resource.state or "").strip().casefold().removeprefix("powerstate/") in _STOPPED


def is_billed(resource: Resource) -> bool:
    """Whether its computing costs: an Azure machine that was shut down from inside, and is not
    deallocated, keeps its place and costs as if it ran."""
    kept = resource.state == resource.attributes.get("power_state") == "stopped"
    return kept or not is_stopped(resource)
