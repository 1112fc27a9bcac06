"""The machines that Azure Monitor measures, of all that was listed. Pure."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, NamedTuple

import pyarrow as pa

from costopt.pricing import azure_sizes
from costopt.providers.azure.metrics.catalogue import BURSTABLE, MACHINE, Entry
from costopt.units import GIB


class Place(NamedTuple):
    """What one batch must share, but for the type."""

    subscription: str
    region: str


@dataclass(frozen=True, slots=True)
class Target:
    """One machine."""

    place: Place
    namespace: str  # its type, which is the namespace of its platform metrics
    resource_id: str  # in lower case
    memory: float  # bytes; NaN = unknown
    gpus: int = 0
    burstable: bool = False
    silent_since: int | None = None
    """Seconds since 1970: deallocated then, so that nothing was measured since. None = it runs, or
    it is not known."""

    @property
    def entries(self) -> tuple[Entry, ...]:
        """What Azure itself measures of it."""
        return (*MACHINE, *BURSTABLE) if self.burstable else MACHINE


_ARM: Final = r"/subscriptions/[^/]+/resourcegroups/[^/]+/providers/microsoft\.compute"
_FORMS: Final = (
    (re.compile(rf"{_ARM}/virtualmachines/[^/]+"), "Microsoft.Compute/virtualMachines"),
    (
        re.compile(rf"{_ARM}/virtualmachinescalesets/[^/]+/virtualmachines/[^/]+"),
        "Microsoft.Compute/virtualMachineScaleSets/virtualMachines",
    ),
)
"""What a thing is, by the form of its id."""
_REGION: Final = re.compile(r"[a-z0-9]+")
"""It becomes part of the address that is shown a token."""


def targets(resources: pa.Table) -> list[Target]:
    """Every machine of the table (schema.RESOURCES), by place and id."""
    wanted = ["SubAccountId", "RegionId", "ResourceId", "x_InstanceType", "x_MemoryGiB"]
    wanted += ["x_GPUCount", "x_State", "x_Attributes"]
    rows = resources.select(wanted).to_pylist()
    found = {one.resource_id: one for row in rows if (one := _target(row)) is not None}
    return sorted(found.values(), key=lambda one: (one.place, one.namespace, one.resource_id))


def _target(row: dict[str, Any]) -> Target | None:
    for form, namespace in _FORMS:
        placed = row["SubAccountId"] and _REGION.fullmatch(row["RegionId"] or "")
        if placed and form.fullmatch(row["ResourceId"]):
            size = azure_sizes.parse(row["x_InstanceType"] or "")
            return Target(
                Place(row["SubAccountId"], row["RegionId"]),
                namespace,
                row["ResourceId"],
                math.nan if row["x_MemoryGiB"] is None else row["x_MemoryGiB"] * GIB,
                row["x_GPUCount"] or 0,
                size is not None and size.letters == "B",
                _silent_since(row["x_State"], dict(row["x_Attributes"] or ())),
            )
    return None


def _silent_since(state: str | None, attributes: dict[str, str]) -> int | None:
    stopped = attributes.get("stopped_at")
    if state != "stopped" or stopped is None or attributes.get("power_state") != "deallocated":
        return None
    return int(datetime.fromisoformat(stopped).timestamp())
