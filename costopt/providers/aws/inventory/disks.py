"""EBS volumes and their snapshots."""

from __future__ import annotations

from collections.abc import Iterator

from costopt.providers.aws.inventory.machines import SERVICE
from costopt.providers.aws.inventory.place import Place
from costopt.providers.rows import Row, attributes


def volumes(place: Place) -> Iterator[Row]:
    """Every volume; its state is in-use where an instance holds it, else available."""
    for volume in place.pages("ec2", "describe_volumes", "Volumes", 500):
        holders = [
            one["InstanceId"] for one in volume.get("Attachments", []) if "InstanceId" in one
        ]
        yield place.row(
            volume["VolumeId"],
            volume.get("Tags", []),
            ResourceType="Disk",
            ServiceName=SERVICE,
            x_State=volume["State"],
            x_LaunchedAt=volume.get("CreateTime"),
            x_Attributes=attributes(
                attached_to=", ".join(sorted(holders)),
                availability_zone=volume.get("AvailabilityZone"),
                iops=volume.get("Iops"),
                size_gib=volume["Size"],
                throughput_mib_per_second=volume.get("Throughput"),
                type=volume["VolumeType"],
            ),
        )


def snapshots(place: Place) -> Iterator[Row]:
    """The account's own snapshots; the size is the volume's, what is stored may be less."""
    asked = {"OwnerIds": ["self"]}
    for snapshot in place.pages("ec2", "describe_snapshots", "Snapshots", 1000, **asked):
        yield place.row(
            snapshot["SnapshotId"],
            snapshot.get("Tags", []),
            ResourceType="Snapshot",
            ServiceName=SERVICE,
            x_State=snapshot.get("State"),
            x_LaunchedAt=snapshot.get("StartTime"),
            x_Attributes=attributes(
                description=snapshot.get("Description"),
                size_gib=snapshot.get("VolumeSize"),
                tier=snapshot.get("StorageTier"),
                volume_id=snapshot.get("VolumeId"),
            ),
        )
