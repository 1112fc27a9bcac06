"""What there is on Google Cloud, over all projects and regions, by free calls.

x_Attributes, all of them text, each only where it is known:

    Instance       cpu_platform, created_at (ISO, UTC; x_LaunchedAt is the last start), instance_id
                   (the number that metrics carry), licences (of its disks, project/name),
                   local_ssd_gib, provisioning (spot, preemptible, ...), status (Google's own word),
                   stopped_at, suspended_at, tenancy (sole-tenant), threads_per_core, visible_cores,
                   zone
    Disk           attached_to (instances), detached_at, disk_id, iops, replica_zones, size_gib,
                   storage_pool, throughput_mib_per_second, type (pd-ssd, hyperdisk-balanced, ...),
                   zone
    Snapshot       automatic, description, size_gib (of its disk), snapshot_id, source_disk,
                   stored_gib, tier
    IP address     attached_to, network_tier, public_ip, purpose
    Load balancer  ip, scheme, target (also of a Forwarding rule)
    NAT gateway    connectivity (public, private), public_ips, router
    Committed use discount    accelerators, auto_renew, commitment_id, end, licence, licences,
                   local_ssd_gib, memory_gib, term, type, vcpus
    Reservation    accelerators, commitment, count, in_use, instance_type, zone
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

import pyarrow as pa

from costopt import schema
from costopt.parallel import in_threads
from costopt.providers.base import Problem
from costopt.providers.gcp.access import FAILURES, Access, not_enabled, said
from costopt.providers.gcp.inventory import commitments, disks, machines, network
from costopt.providers.gcp.inventory.place import Place
from costopt.providers.gcp.projects import Project
from costopt.providers.gcp.shapes import MachineTypes, Use
from costopt.providers.rows import Row


class Kind(NamedTuple):
    """One kind of things, and the permission to list them."""

    call: str
    rows: Callable[[Place], Iterator[Row]]


KINDS: Final = (
    Kind(machines.CALL, machines.instances),
    Kind(disks.DISKS, disks.disks),
    Kind(disks.SNAPSHOTS, disks.snapshots),
    Kind(network.ADDRESSES, network.addresses),
    Kind(network.FORWARDING_RULES, network.forwarding_rules),
    Kind(network.ROUTERS, network.nat_gateways),
    Kind(commitments.COMMITMENTS, commitments.commitments),
    Kind(commitments.RESERVATIONS, commitments.reservations),
)

_API: Final = "compute.googleapis.com"
_OF_A_TYPE: Final = (
    "x_vCPUs",
    "x_MemoryGiB",
    "x_GPUModel",
    "x_GPUCount",
    "x_GPUMemoryGiB",
    "x_Architecture",
)


def resources(
    access: Access, projects: Sequence[Project], types: MachineTypes, problems: list[Problem]
) -> pa.Table:
    """Everything the projects have in the regions asked for (schema.RESOURCES), by ResourceId.

    What is refused in one project is missing there only. A project whose Compute Engine is not
    enabled has nothing, which is told without being a failure.

    Args:
        types: learns the machine types in use.
        problems: what is missing is added, by project, region and call.
    """
    places = [Place(access, project) for project in projects]
    rows: dict[str, Row] = {}
    off: list[str] = []
    for place, found in in_threads(_found, places, access.settings.max_concurrency):
        if found is None:
            off.append(place.project.project_id)
        for row in found or ():
            rows.setdefault(row["ResourceId"], row)
    for place in places:
        problems += place.problems
    if off:
        what = f"not enabled, so nothing there, in: {', '.join(off)}"
        problems.append(Problem(_API, what[:300], len(off)))
    by_id = [row for _, row in sorted(rows.items())]
    _describe_types(types, by_id)
    return pa.Table.from_pylist(by_id, schema=schema.RESOURCES)


def _found(place: Place) -> tuple[Place, list[Row] | None]:
    """Everything there is at the place; what is listed before a call fails is kept. None: Compute
    Engine is not enabled."""
    rows: list[Row] = []
    refused: list[Problem] = []
    for kind in KINDS:
        try:
            rows.extend(kind.rows(place))
        except FAILURES as error:
            if not_enabled(error, place.project.project_id, place.project.number):
                return place, None
            refused.append(Problem(place.where(kind.call), said(error), fatal=True))
    if len(refused) == len(KINDS):  # one line, not 8
        what = f"every call is refused ({refused[0].what})"
        refused = [Problem(place.where(), what, len(refused), fatal=True)]
    place.problems.extend(refused)
    return place, rows


def _describe_types(types: MachineTypes, rows: Iterable[Row]) -> None:
    """Add vCPUs, memory and so on to the machines; vCPUs that are switched off stay off."""
    machines_ = [row for row in rows if row.get("x_InstanceType")]
    types.learn(
        Use(row["SubAccountId"], row["x_Attributes"]["zone"], row["x_InstanceType"])
        for row in machines_
    )
    for row in machines_:
        shape = types.of(row["x_InstanceType"])
        row["x_vCPUs"] = _visible(row["x_Attributes"], shape)
        for name in _OF_A_TYPE:
            if row.get(name) is None:
                row[name] = shape.get(name)


def _visible(attributes: Mapping[str, str], shape: Mapping[str, Any]) -> float | None:
    """vCPUs that the guest sees, where the user asked for fewer cores or one thread a core.

    Source: Compute Engine, "Set the number of threads per core", "Customize the number of visible
    CPU cores"."""
    vcpus: float | None = shape.get("x_vCPUs")
    whole: float | None = shape.get("x_PhysicalCores")
    if vcpus is None or whole is None:
        return None
    cores = float(attributes.get("visible_cores", whole))
    threads = float(attributes.get("threads_per_core", vcpus / whole))
    return min(vcpus, max(1.0, cores * threads))
