"""Compute Engine instances."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from google.cloud.compute_v1 import InstancesClient

from costopt.providers.gcp import machine_types
from costopt.providers.gcp.inventory.place import Place, tags
from costopt.providers.gcp.inventory.systems import licences, operating_system
from costopt.providers.gcp.names import last, moment
from costopt.providers.rows import Row, attributes

CALL: Final = "compute.instances.list"
_STATES: Final = {
    "PENDING": "running",
    "PROVISIONING": "running",
    "STAGING": "running",
    "PENDING_STOP": "running",  # shuts down at leisure, and is billed until it is done
    "STOPPING": "stopped",
    "TERMINATED": "stopped",  # Google's word for a machine that can be started again
    "SUSPENDING": "suspended",
    "DEPROVISIONING": "terminated",
}
"""Others in lower case: running, stopped, suspended, repairing.
Source: Compute Engine, "VM instance lifecycle"."""

_GROUP: Final = re.compile(r".*/instanceGroupManagers/([^/]+)")
_NODE_GROUP: Final = "compute.googleapis.com/node"
"""So begin the keys of affinities to sole-tenant nodes."""


def instances(place: Place) -> Iterator[Row]:
    """Every instance; one that is deleted is not listed any more."""
    for scope, one in place.everywhere(InstancesClient, "instances", CALL):
        yield _row(place, scope, one)


def _row(place: Place, scope: str, one: Any) -> Row:
    paid = licences(one.disks)
    kind, count = _attached(one)
    gpus = machine_types.accelerators(kind, count)
    created, started = moment(one.creation_timestamp), moment(one.last_start_timestamp)
    spot = one.scheduling.provisioning_model == "SPOT" or one.scheduling.preemptible
    features = one.advanced_machine_features
    return place.row(
        scope,
        "instances",
        one,
        ResourceType="Instance",
        Tags=tags(one.labels),
        x_InstanceType=last(one.machine_type) or None,
        x_GPUModel=gpus.model,
        x_GPUCount=gpus.cards or None,
        x_GPUMemoryGiB=gpus.card_gib,
        x_OperatingSystem=operating_system(paid, _boot_features(one.disks)),
        x_PricingCategory="Dynamic" if spot else "Standard",
        x_State=_STATES.get(one.status, one.status.lower()),
        x_LaunchedAt=started or created,
        x_ScalingGroup=_scaling_group(one.metadata),
        x_Attributes=attributes(
            attached_gpu=machine_types.attachable(kind),
            cpu_platform=one.cpu_platform,
            created_at=created,
            instance_id=str(one.id),
            licences=", ".join(paid),
            local_ssd_gib=_local_ssd_gib(one.disks),
            provisioning=_provisioning(one.scheduling),
            status=one.status.lower(),
            stopped_at=moment(one.last_stop_timestamp),
            suspended_at=moment(one.last_suspended_timestamp),
            tenancy="sole-tenant" if _on_own_node(one.scheduling) else None,
            threads_per_core=features.threads_per_core or None,
            visible_cores=features.visible_core_count or None,
            zone=last(scope),
        ),
    )


def _attached(one: Any) -> tuple[str, int]:
    """The accelerator type and how many are attached; of a type that brings its own along (A2, G2)
    Compute Engine tells them so, too."""
    attached = [(last(a.accelerator_type), a.accelerator_count) for a in one.guest_accelerators]
    return attached[0] if attached else ("", 0)


def _boot_features(disks: Any) -> set[str]:
    return {feature.type_ for disk in disks if disk.boot for feature in disk.guest_os_features}


def _local_ssd_gib(disks: Any) -> int | None:
    return sum(disk.disk_size_gb for disk in disks if disk.type_ == "SCRATCH") or None


def _provisioning(scheduling: Any) -> str | None:
    """spot, preemptible (which ends after a day), reservation-bound, ...; None: standard."""
    model = scheduling.provisioning_model.lower().replace("_", "-")
    if scheduling.preemptible and model != "spot":
        return "preemptible"
    return model if model != "standard" else None


def _scaling_group(metadata: Any) -> str | None:
    """The managed instance group that made it."""
    makers = (item.value for item in metadata.items if item.key == "created-by")
    found = (_GROUP.fullmatch(maker) for maker in makers)
    return next((match[1] for match in found if match), None)


def _on_own_node(scheduling: Any) -> bool:
    return any(one.key.startswith(_NODE_GROUP) for one in scheduling.node_affinities)
