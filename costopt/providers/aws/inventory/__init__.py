"""What there is on AWS, over all accounts and regions, by free calls.

x_Attributes, all of them text, each only where it is known:

    Instance       availability_zone, cores, image_id, lifecycle (spot, scheduled, capacity-block),
                   monitoring (basic: a sample in five minutes; detailed: one a minute), platform
                   (system and licences in AWS's words), stopped_at (ISO, UTC), tenancy,
                   threads_per_core
    Disk           attached_to (instances), availability_zone, iops, size_gib,
                   throughput_mib_per_second, type (gp3, io2, ...)
    Snapshot       description, size_gib (of its volume), tier, volume_id
    IP address     attached_to (instance or network interface), public_ip
    NAT gateway    connectivity (public, private), subnet_id, vpc_id
    Load balancer  instances (classic), scheme, target_groups (the others), type, vpc_id
    Database       availability_zone, class, cluster, engine, engine_version, iops, license,
                   multi_az, replica_of, size_gib (not where storage is the cluster's), storage_type
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Final, NamedTuple

import pyarrow as pa
from botocore.exceptions import ClientError
from botocore.exceptions import ConnectionError as NoConnection

from costopt import schema
from costopt.parallel import in_threads
from costopt.providers.aws import shapes
from costopt.providers.aws.access import FAILURES, Account, said, told
from costopt.providers.aws.inventory import balancers, databases, disks, machines, network
from costopt.providers.aws.inventory.place import Place
from costopt.providers.aws.settings import AwsSettings
from costopt.providers.base import Problem
from costopt.providers.rows import Row


class Kind(NamedTuple):
    """One kind of things, and the permission to list them."""

    call: str
    rows: Callable[[Place], Iterator[Row]]


KINDS: Final = (
    Kind("ec2:DescribeInstances", machines.instances),
    Kind("ec2:DescribeVolumes", disks.volumes),
    Kind("ec2:DescribeSnapshots", disks.snapshots),
    Kind("ec2:DescribeAddresses", network.addresses),
    Kind("ec2:DescribeNatGateways", network.nat_gateways),
    Kind("elasticloadbalancing:DescribeLoadBalancers", balancers.current),
    Kind("elasticloadbalancing:DescribeLoadBalancers", balancers.classic),
    Kind("rds:DescribeDBInstances", databases.databases),
)

_SHUT: Final = frozenset(
    {"AuthFailure", "ExpiredToken", "InvalidClientTokenId", "OptInRequired", "RequestExpired"}
    | {"UnrecognizedClientException"}
)
"""AWS's words where credentials do not count: in a region that is not enabled every call is refused
so, and none but the first need be tried."""

_OF_A_TYPE: Final = (
    "x_vCPUs",
    "x_MemoryGiB",
    "x_GPUModel",
    "x_GPUCount",
    "x_GPUMemoryGiB",
    "x_Architecture",
)


def resources(
    accounts: Iterable[Account], settings: AwsSettings, problems: list[Problem]
) -> pa.Table:
    """Everything the accounts have in the regions asked for (schema.RESOURCES), by ResourceId.

    What is refused in one account and region is missing there only.

    Args:
        problems: what is missing is added, by account, region and call.
    """
    entered = list(accounts)
    looked_at: list[Place] = []
    for places, refusals in in_threads(_places, entered, settings.max_concurrency):
        looked_at += places
        problems += refusals
    rows: dict[str, Row] = {}
    for found in in_threads(_found, looked_at, settings.max_concurrency):
        for row in found:
            rows.setdefault(row["ResourceId"], row)
    for place in looked_at:
        problems += place.problems
    by_id = [row for _, row in sorted(rows.items())]
    _describe_types(entered, by_id, problems)
    return pa.Table.from_pylist(by_id, schema=schema.RESOURCES)


def _places(account: Account) -> tuple[list[Place], list[Problem]]:
    """The account's regions; none, and why, where it does not say."""
    refusals: list[Problem] = []
    with told(refusals, f"{account.account_id} ec2:DescribeRegions"):
        return [Place(account, region) for region in account.regions()], refusals
    return [], refusals


def _found(place: Place) -> list[Row]:
    """Everything there is at the place; what is listed before a call fails is kept."""
    rows: list[Row] = []
    refused = 0
    for kind in KINDS:
        try:
            rows.extend(kind.rows(place))
        except FAILURES as error:
            if _shut(error):
                place.problems[:] = [Problem(place.where(), said(error), fatal=True)]
                break
            place.problems.append(Problem(place.where(kind.call), said(error), fatal=True))
            refused += 1
    if refused == len(KINDS):  # an organization's policy forbids the region, say: one line, not 8
        what = f"every call is refused ({place.problems[0].what})"
        place.problems[:] = [Problem(place.where(), what, refused, fatal=True)]
    return rows


def _shut(error: Exception) -> bool:
    """Whether it is the region that does not answer, rather than the call that is refused."""
    if isinstance(error, ClientError):
        return error.response.get("Error", {}).get("Code") in _SHUT
    return isinstance(error, NoConnection)


def _describe_types(
    accounts: Iterable[Account], rows: Iterable[Row], problems: list[Problem]
) -> None:
    """Add vCPUs, memory and so on to the machines; vCPUs that are switched off stay off."""
    machines_ = [row for row in rows if row.get("x_InstanceType")]
    uses = {
        shapes.Use(row["SubAccountId"], row["RegionId"], row["x_InstanceType"]) for row in machines_
    }
    described = shapes.describe(accounts, uses, problems)
    for row in machines_:
        kind = row["x_InstanceType"]
        shape = described.get(kind) or shapes.built_in(kind)
        for name in _OF_A_TYPE:
            if row.get(name) is None:
                row[name] = shape.get(name)
