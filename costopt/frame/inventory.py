"""The inventory as it stood at a moment: resource observations become `Resource` nouns."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from itertools import takewhile
from typing import Any, Final

import pyarrow as pa

from costopt.model import NOTHING, Resource
from costopt.model.zone import time_zone

_EVER: Final = datetime.min.replace(tzinfo=UTC)
SIZE: Final = ("x_InstanceType", "x_vCPUs", "x_MemoryGiB", "x_GPUModel", "x_GPUCount")
MEASURED: Final = ("measured_vcpus", "measured_memory_gib", "measured_gpus")
"""Keys of x_Attributes: the size that the machine itself shows, where its row's may be a file's."""
_PLAIN: Final = {
    "resource_id": "ResourceId",
    "provider_name": "ProviderName",
    "resource_name": "ResourceName",
    "resource_type": "ResourceType",
    "service_name": "ServiceName",
    "sub_account_id": "SubAccountId",
    "region_id": "RegionId",
    "instance_type": "x_InstanceType",
    "vcpus": "x_vCPUs",
    "memory_gib": "x_MemoryGiB",
    "gpu_model": "x_GPUModel",
    "gpu_memory_gib": "x_GPUMemoryGiB",
    "architecture": "x_Architecture",
    "operating_system": "x_OperatingSystem",
    "pricing_category": "x_PricingCategory",
    "state": "x_State",
    "launched_at": "x_LaunchedAt",
    "scaling_group": "x_ScalingGroup",
}


def present(observations: pa.Table, as_of: datetime, default_zone: str) -> dict[str, Resource]:
    """Each resource as it was at `as_of`, by id, sorted.

    Args:
        observations: schema.RESOURCES; several rows of one id are its history, in any order but
            for rows of one moment, of which the last counts.
        as_of: later observations are not known yet (UTC).
        default_zone: IANA clock of resources that name none, or one that does not exist.
    """
    histories: dict[str, dict[datetime, dict[str, Any]]] = {}
    for row in observations.to_pylist(maps_as_pydicts="lossy"):
        if (since := _observed(row)) <= as_of:  # the last row of one moment corrects the others
            histories.setdefault(row["ResourceId"], {})[since] = row
    return {
        resource_id: _resource([row for _, row in sorted(history.items())], default_zone)
        for resource_id, history in sorted(histories.items())
    }


def newest(observations: pa.Table) -> list[dict[str, Any]]:
    """The present row of each resource (schema.RESOURCES), sorted by id."""
    rows: dict[str, dict[str, Any]] = {}
    for row in observations.to_pylist(maps_as_pydicts="lossy"):
        known = rows.get(row["ResourceId"])
        if known is None or _observed(known) <= _observed(row):
            rows[row["ResourceId"]] = row
    return [row for _, row in sorted(rows.items())]


def _observed(row: Mapping[str, Any]) -> datetime:
    moment: datetime | None = row["x_ObservedAt"]
    return moment or _EVER


def _resource(history: list[dict[str, Any]], default_zone: str) -> Resource:
    row = history[-1]
    plain = {ours: row[theirs] for ours, theirs in _PLAIN.items()}
    return Resource(
        **plain,
        gpu_count=row["x_GPUCount"] or 0,
        resized_at=_resized_at(history),
        time_zone=_zone(row["x_TimeZone"], default_zone),
        tags=row["Tags"] or NOTHING,
        attributes=row["x_Attributes"] or NOTHING,
    )


def resized(before: Mapping[str, Any], after: Mapping[str, Any]) -> bool:
    """Whether a resource has another size in one row than in the other (schema.RESOURCES).

    What either row does not know is no difference: it was not looked up. Of a machine that shows
    its own size in either row, that alone counts: a file that names, prices or describes it
    otherwise does not change it.
    """
    one, other = _measured(before), _measured(after)
    if not one and not other:
        one = {name: before[name] for name in SIZE if before[name] is not None}
        other = {name: after[name] for name in SIZE if after[name] is not None}
    return any(one[name] != other[name] for name in one.keys() & other.keys())


def _measured(row: Mapping[str, Any]) -> dict[str, Any]:
    shown = dict(row.get("x_Attributes") or ())
    return {name: shown[name] for name in MEASURED if name in shown}


def _resized_at(history: list[dict[str, Any]]) -> datetime | None:
    """Since when it has had its present size; None = as long as it is known."""
    same = list(takewhile(lambda row: not resized(row, history[-1]), reversed(history)))
    return _observed(same[-1]) if len(same) < len(history) else None


def _zone(name: str | None, default: str) -> str:
    return (time_zone(name) if name else None) or default
