"""The machines that Cloud Monitoring measures, of all that was listed. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import pyarrow as pa

from costopt.providers.gcp import machine_types
from costopt.providers.gcp.metrics.catalogue import Entry

DISKS: Final = 4
"""File systems that a machine is taken to have, with those in memory: requests are packed, and
their cost is told, by it; nothing is left out."""

_READ: Final = (
    "SubAccountId",
    "ResourceId",
    "x_InstanceType",
    "x_GPUCount",
    "x_State",
    "x_Attributes",
)


@dataclass(frozen=True, slots=True)
class Target:
    """One machine."""

    project: str
    resource_id: str
    instance_id: str  # Google's number of it
    gpus: int = 0
    silent_since: int | None = None
    """Seconds since 1970: stopped then, so that nothing was measured since. None = it runs."""
    reserved: float = 1.0
    """vCPUs that its type reserves for each that it sees: less of a shared core."""

    def series(self, entry: Entry) -> int:
        """How many it has of a query's, about; 0 = none."""
        return {"machine": 1, "disks": DISKS, "gpus": self.gpus}[entry.of]


def targets(resources: pa.Table) -> list[Target]:
    """Every machine of the table (schema.RESOURCES) whose number is known, by project and id."""
    found = {}
    for row in resources.select(_READ).to_pylist():
        attributes = dict(row["x_Attributes"] or ())
        number = attributes.get("instance_id", "")
        if number.isdecimal() and row["SubAccountId"]:
            found[row["ResourceId"]] = _target(row, number, attributes)
    return sorted(found.values(), key=lambda one: (one.project, one.resource_id))


def _target(row: dict[str, Any], number: str, attributes: dict[str, str]) -> Target:
    return Target(
        row["SubAccountId"],
        row["ResourceId"],
        number,
        row["x_GPUCount"] or 0,
        _silent_since(row["x_State"], attributes),
        _reserved(row["x_InstanceType"]),
    )


def _reserved(instance_type: str | None) -> float:
    baseline = machine_types.baseline_percent(instance_type) if instance_type else None
    return 1.0 if baseline is None else baseline / 100


def _silent_since(state: str | None, attributes: dict[str, str]) -> int | None:
    stopped = attributes.get("stopped_at")
    if stopped is None or (state or "").lower() not in {"stopped", "terminated", "suspended"}:
        return None
    return int(datetime.fromisoformat(stopped).timestamp())
