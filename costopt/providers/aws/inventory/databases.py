"""RDS instances, and those of Aurora, DocumentDB and Neptune, which the same call lists."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from costopt.providers.aws.inventory.place import Place
from costopt.providers.rows import Row, attributes

SERVICE: Final = "Amazon Relational Database Service"
_SERVICES: Final = {
    "docdb": "Amazon DocumentDB (with MongoDB compatibility)",
    "neptune": "Amazon Neptune",
}
_SHARED_STORAGE: Final = ("aurora", "docdb", "neptune")
"""Engines whose storage is the cluster's: the 1 GiB that is told of an instance means nothing."""


def databases(place: Place) -> Iterator[Row]:
    """Every database instance. Its class is an attribute, as no EC2 type may be compared with it:
    with x_InstanceType it would be sized as a machine."""
    for one in place.pages("rds", "describe_db_instances", "DBInstances", 100):
        engine = one["Engine"]
        own_storage = not engine.startswith(_SHARED_STORAGE)
        yield place.row(
            one["DBInstanceArn"],
            one.get("TagList", []),
            ResourceName=one["DBInstanceIdentifier"],
            ResourceType="Database",
            ServiceName=_SERVICES.get(engine, SERVICE),
            x_State=one.get("DBInstanceStatus"),
            x_LaunchedAt=one.get("InstanceCreateTime"),
            x_Attributes=attributes(
                availability_zone=one.get("AvailabilityZone"),
                **{"class": one["DBInstanceClass"]},
                cluster=one.get("DBClusterIdentifier"),
                engine=engine,
                engine_version=one.get("EngineVersion"),
                iops=one.get("Iops") if own_storage else None,
                license=one.get("LicenseModel"),
                multi_az=one.get("MultiAZ"),
                replica_of=one.get("ReadReplicaSourceDBInstanceIdentifier"),
                size_gib=one.get("AllocatedStorage") if own_storage else None,
                storage_type=one.get("StorageType"),
            ),
        )
