"""EC2 instances."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from costopt.providers.aws.inventory.place import Place
from costopt.providers.rows import Row, attributes

SERVICE: Final = "Amazon Elastic Compute Cloud"
"""As FOCUS exports of AWS have it; disks, snapshots and NAT gateways are billed under it, too."""

_STATES: Final = {"pending": "running", "stopping": "stopped", "shutting-down": "terminated"}
_GROUP_TAG: Final = "aws:autoscaling:groupName"
_STOPPED_AT: Final = re.compile(r"\((\d{4}-\d\d-\d\d \d\d:\d\d:\d\d) (?:GMT|UTC)\)")

# PlatformDetails begins so -> the system in the words of AWS's price list. The longest that fits.
# Source: EC2 User Guide, "AMI billing information fields".
_SYSTEMS: Final = {
    "Red Hat Enterprise Linux with HA": "Red Hat Enterprise Linux with HA",
    "Red Hat Enterprise Linux": "RHEL",
    "Red Hat BYOL Linux": "Linux",  # the licence is the customer's own
    "SUSE Linux": "SUSE",
    "Ubuntu Pro": "Ubuntu Pro",
    "Windows": "Windows",
    "Linux": "Linux",
}


def instances(place: Place) -> Iterator[Row]:
    """Every instance that EC2 still knows: terminated ones for about an hour."""
    for reservation in place.pages("ec2", "describe_instances", "Reservations", 1000):
        for instance in reservation["Instances"]:
            yield _row(place, instance)


def _row(place: Place, instance: Mapping[str, Any]) -> Row:
    state = instance["State"]["Name"]
    cores, threads = _cpu_options(instance)
    tags = instance.get("Tags", [])
    details = instance.get("PlatformDetails")
    lifecycle = instance.get("InstanceLifecycle")
    placement = instance.get("Placement", {})
    detailed = instance.get("Monitoring", {}).get("State") in ("enabled", "pending")
    return place.row(
        instance["InstanceId"],
        tags,
        ResourceType="Instance",
        ServiceName=SERVICE,
        x_InstanceType=instance["InstanceType"],
        x_vCPUs=float(cores * threads) if cores and threads else None,
        x_OperatingSystem=operating_system(details, instance.get("Platform")),
        x_PricingCategory="Dynamic" if lifecycle == "spot" else "Standard",
        x_State=_STATES.get(state, state),
        x_LaunchedAt=instance.get("LaunchTime"),
        x_ScalingGroup=next((tag["Value"] for tag in tags if tag["Key"] == _GROUP_TAG), None),
        x_Attributes=attributes(
            availability_zone=placement.get("AvailabilityZone"),
            cores=cores,
            image_id=instance.get("ImageId"),
            lifecycle=lifecycle,
            monitoring="detailed" if detailed else "basic",
            platform=details,
            stopped_at=stopped_at(instance.get("StateTransitionReason", "")),
            tenancy=placement.get("Tenancy"),
            threads_per_core=threads,
        ),
    )


def operating_system(details: str | None, platform: str | None) -> str:
    """The system whose price holds: PlatformDetails names it, else Platform, else it is Linux.

    A licence on top (SQL Server) and Windows under one's own licence are told by the attribute
    `platform` only: no price list of ours knows them.
    """
    text = details or (platform or "Linux").title()
    return next((ours for start, ours in _SYSTEMS.items() if text.startswith(start)), text)


def stopped_at(reason: str) -> datetime | None:
    """When it stopped, by StateTransitionReason: "User initiated (2026-01-31 09:00:00 GMT)"."""
    found = _STOPPED_AT.search(reason)
    return datetime.fromisoformat(found[1]).replace(tzinfo=UTC) if found else None


def _cpu_options(instance: Mapping[str, Any]) -> tuple[int | None, int | None]:
    """Cores and threads a core; fewer than the type has where the user asked for fewer."""
    options = instance.get("CpuOptions", {})
    return options.get("CoreCount"), options.get("ThreadsPerCore")
