"""Rows of an inventory and of machine types, as every cloud's provider gives them."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from costopt.model import Shape

Row = dict[str, Any]
"""Columns of schema.RESOURCES; those left out are null."""


def attributes(**values: str | float | bool | datetime | None) -> dict[str, str] | None:
    """x_Attributes: what is known of the values, as text; truth as true or false, times as ISO."""
    return {name: _text(value) for name, value in values.items() if value not in (None, "")} or None


def _text(value: str | float | bool | datetime) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return value.isoformat() if isinstance(value, datetime) else str(value)


def of_shape(shape: Shape, source: str, valid_from: date | None = None) -> dict[str, Any]:
    """The shape as a row of schema.SHAPES."""
    return {
        "ProviderName": shape.provider_name,
        "x_InstanceType": shape.instance_type,
        "x_vCPUs": shape.vcpus,
        "x_PhysicalCores": shape.physical_cores,
        "x_MemoryGiB": shape.memory_gib,
        "x_Architecture": shape.architecture,
        "x_GPUModel": shape.gpu_model,
        "x_GPUCount": shape.gpu_count or None,
        "x_GPUMemoryGiB": shape.gpu_memory_gib,
        "x_BurstableBaselinePercent": shape.burstable_baseline_percent,
        "x_NetworkGbps": shape.network_gbps,
        "x_LocalDiskGiB": shape.local_disk_gib,
        "x_Family": shape.family,
        "x_CurrentGeneration": shape.current_generation,
        "x_SharedCPU": shape.shared_cpu,
        "x_ValidFrom": valid_from,
        "x_Source": source,
    }
