"""Persistent disks and Hyperdisks, of a zone or a region, and their snapshots."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from google.cloud.compute_v1 import DisksClient, SnapshotsClient

from costopt.providers.gcp.inventory.place import Place, names, tags
from costopt.providers.gcp.names import last, moment, referred, region
from costopt.providers.rows import Row, attributes
from costopt.units import GIB

DISKS: Final = "compute.disks.list"
SNAPSHOTS: Final = "compute.snapshots.list"


def disks(place: Place) -> Iterator[Row]:
    """Every disk; in-use where an instance holds it, running or not, else available."""
    for scope, one in place.everywhere(DisksClient, "disks", DISKS):
        yield place.row(
            scope,
            "disks",
            one,
            ResourceType="Disk",
            Tags=tags(one.labels),
            x_State=_state(one),
            x_LaunchedAt=moment(one.creation_timestamp),
            x_Attributes=attributes(
                attached_to=names(one.users),
                detached_at=moment(one.last_detach_timestamp),
                disk_id=str(one.id),
                iops=one.provisioned_iops or None,
                replica_zones=", ".join(sorted(map(last, one.replica_zones))),
                size_gib=one.size_gb,
                storage_pool=referred(one.storage_pool),
                throughput_mib_per_second=one.provisioned_throughput or None,
                type=last(one.type_),
                zone=last(scope) if scope.startswith("zones/") else None,
            ),
        )


def _state(one: Any) -> str:
    if one.users:
        return "in-use"
    state: str = one.status.lower()
    return "available" if state == "ready" else state


def snapshots(place: Place) -> Iterator[Row]:
    """Every snapshot; `size_gib` is its disk's, `stored_gib` what is billed.

    It lies in a region or in several (eu), and with regions asked for it counts to that of its disk
    as well.
    """
    for one in place.everything(SnapshotsClient, SNAPSHOTS):
        lies = one.storage_locations[0] if one.storage_locations else None
        if not (place.covers(lies) or place.covers(region(one.source_disk))):
            continue
        yield place.row(
            "global",
            "snapshots",
            one,
            RegionId=lies,
            ResourceType="Snapshot",
            Tags=tags(one.labels),
            x_State=one.status.lower() or None,
            x_LaunchedAt=moment(one.creation_timestamp),
            x_Attributes=attributes(
                automatic=one.auto_created or None,
                description=one.description,
                size_gib=one.disk_size_gb,
                snapshot_id=str(one.id),
                source_disk=referred(one.source_disk),
                stored_gib=round(one.storage_bytes / GIB, 3) if "storage_bytes" in one else None,
                tier=one.snapshot_type.lower(),
            ),
        )
