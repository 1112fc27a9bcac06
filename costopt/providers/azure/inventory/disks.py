"""Managed disks and their snapshots."""

from __future__ import annotations

from collections.abc import Iterator

from costopt.providers.azure.inventory.machines import SERVICE
from costopt.providers.azure.inventory.place import Place, Thing, at, moment
from costopt.providers.rows import Row, attributes


def disks(place: Place) -> Iterator[Row]:
    """Every managed disk; its state is attached, reserved (its machine is deallocated),
    unattached or another of Azure's words."""
    for thing in place.things(place.compute.disks.list):
        properties = thing.get("properties") or {}
        yield place.row(
            thing,
            ResourceType="Disk",
            ServiceName=SERVICE,
            x_State=str(properties.get("diskState") or "").lower() or None,
            x_LaunchedAt=moment(properties.get("timeCreated")),
            x_Attributes=attributes(
                attached_to=", ".join(holders(thing)),
                iops=properties.get("diskIOPSReadWrite"),
                os_type=properties.get("osType"),
                owner_changed_at=moment(properties.get("LastOwnershipUpdateTime")),
                size_gib=properties.get("diskSizeGB"),
                throughput_mb_per_second=properties.get("diskMBpsReadWrite"),
                tier=properties.get("tier"),
                type=at(thing, "sku.name"),
                zones=", ".join(sorted(thing.get("zones") or ())),
            ),
        )


def holders(disk: Thing) -> list[str]:
    """Ids of the machines that hold it, in lower case; several where it is shared."""
    named = [disk.get("managedBy"), *(disk.get("managedByExtended") or ())]
    return sorted({one.lower() for one in named if one})


def snapshots(place: Place) -> Iterator[Row]:
    """Every snapshot; the size is the disk's, what is stored may be less."""
    for thing in place.things(place.compute.snapshots.list):
        properties = thing.get("properties") or {}
        source = at(properties, "creationData.sourceResourceId")
        yield place.row(
            thing,
            ResourceType="Snapshot",
            ServiceName=SERVICE,
            x_State=str(properties.get("provisioningState") or "").lower() or None,
            x_LaunchedAt=moment(properties.get("timeCreated")),
            x_Attributes=attributes(
                disk_id=source.lower() if source else None,
                incremental=properties.get("incremental"),
                size_gib=properties.get("diskSizeGB"),
                type=at(thing, "sku.name"),
            ),
        )
