"""How machines are put together for a picture: by what they belong to, and what each counts by."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from math import isfinite
from typing import Final

from costopt.errors import ConfigError
from costopt.model import Profile, Resource
from costopt.profile.week import Week, machine_week
from costopt.units import provider_key

FLEET: Final = "fleet"
"""The grouping that puts every machine into one group."""
GROUPINGS: Final = ("tag:KEY", "region", "type", "provider", "account")
MACHINES: Final = "machines"
"""The weight by which every machine counts the same."""
_PROVIDERS: Final = {"aws": "AWS", "gcp": "GCP", "azure": "Azure"}
_FIELDS: Final[Mapping[str, Callable[[Resource], str | None]]] = {
    "region": lambda r: r.region_id,
    "type": lambda r: r.instance_type,
    "provider": lambda r: _PROVIDERS.get(provider_key(r.provider_name), r.provider_name),
    "account": lambda r: r.sub_account_id,
    FLEET: lambda r: "Fleet",
}


def measured(
    resources: Mapping[str, Resource],
    profiles: Mapping[str, Sequence[Profile]],
    metric_name: str,
    statistic: str,
) -> Iterator[tuple[Resource, Week]]:
    """Every resource that has the metric, with its week, sorted by id."""
    for resource_id in sorted(resources):
        week = machine_week(profiles.get(resource_id, ()), metric_name, statistic)
        if week is not None:
            yield resources[resource_id], week


def label_of(by: str) -> Callable[[Resource], str]:
    """What tells a resource's group under that grouping; "no KEY" where it has none.

    Raises:
        ConfigError: no such grouping.
    """
    kind, colon, key = by.partition(":")
    nothing = nothing_of(by)
    if kind == "tag" and key:
        return lambda resource: resource.tags.get(key) or nothing
    field = None if colon else _FIELDS.get(kind)
    if field is None:
        listed = ", ".join(GROUPINGS)
        raise ConfigError(f"no grouping named {by!r}", hint=f"one of: {listed} (like tag:team)")
    return lambda resource: field(resource) or nothing


def nothing_of(by: str) -> str:
    """The label of resources that have no such tag, region, ..."""
    return f"no {by.removeprefix('tag:')}"


def name_of(resource: Resource) -> str:
    """The name that people know it by, else its id."""
    return resource.resource_name or resource.resource_id


def weight_of(metric_name: str) -> str:
    """What the metric is a percentage of; MACHINES where it is none, or of nothing one can add."""
    if metric_name == "cpu_utilization":
        return "vCPUs"
    if metric_name == "memory_utilization":
        return "GiB of memory"
    if metric_name == "gpu_memory_utilization":
        return "GiB of GPU memory"
    if metric_name.startswith("gpu_") and metric_name != "gpu_power":
        return "GPUs"
    return MACHINES


def capacity_of(resource: Resource, weight: str) -> float | None:
    """How much of `weight` it has; None = unknown (never taken for zero)."""
    amount = {
        "vCPUs": resource.vcpus,
        "GiB of memory": resource.memory_gib,
        "GiB of GPU memory": resource.gpu_count * (resource.gpu_memory_gib or 0.0),
        "GPUs": float(resource.gpu_count),
        MACHINES: 1.0,
    }[weight]
    return amount if amount is not None and isfinite(amount) and amount > 0 else None
