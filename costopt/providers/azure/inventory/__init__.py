"""What there is on Azure, over all subscriptions, by free calls.

ResourceId is the ARM id in lower case. x_Attributes, all of them text, each only where it is known:

    Virtual machine  availability_set, billed_as (the uniform scale set under whose id the bill has
                     this instance), capacity_reservation, ephemeral_os_disk, eviction_policy, host,
                     image (publisher:offer:sku), license_type, os_type, power_state (running;
                     stopped: its computing still costs; deallocated: it does not), priority (Spot,
                     Low), stopped_at (last operation on a deallocated one; ISO, UTC),
                     threads_per_core, vm_id, zones
    Scale set        capacity, orchestration (uniform, flexible), priority, size, zones
    Disk             attached_to (ids), iops, os_type, owner_changed_at (last attached, detached,
                     started or deallocated; ISO, UTC), size_gib, throughput_mb_per_second, tier
                     (P10), type (Premium_LRS), zones
    Snapshot         disk_id, incremental, size_gib (of its disk), type
    IP address       allocation (static, dynamic), attached_to, public_ip, type (Basic, Standard),
                     zones
    NAT gateway      subnets, type
    Load balancer    backends, rules, type
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import Final, NamedTuple

import pyarrow as pa

from costopt import schema
from costopt.parallel import in_threads
from costopt.pricing.layer import type_key
from costopt.providers.azure.access import Access, told
from costopt.providers.azure.inventory import disks, machines, network, scale_sets
from costopt.providers.azure.inventory.place import Place
from costopt.providers.azure.inventory.scale_sets import ScaleSet
from costopt.providers.azure.shapes import Sizes, Use, built_in
from costopt.providers.azure.subscriptions import Subscription
from costopt.providers.base import Problem
from costopt.providers.rows import Row


class Kind(NamedTuple):
    """One kind of things, and the permission to list them."""

    call: str
    rows: Callable[[Place], Iterator[Row]]


KINDS: Final = (
    Kind("Microsoft.Compute/virtualMachines/read", machines.machines),
    Kind("Microsoft.Compute/disks/read", disks.disks),
    Kind("Microsoft.Compute/snapshots/read", disks.snapshots),
    Kind("Microsoft.Network/publicIPAddresses/read", network.addresses),
    Kind("Microsoft.Network/natGateways/read", network.nat_gateways),
    Kind("Microsoft.Network/loadBalancers/read", network.load_balancers),
)
_SETS: Final = "Microsoft.Compute/virtualMachineScaleSets/read"

_OF_A_SIZE: Final = (
    "x_vCPUs",
    "x_MemoryGiB",
    "x_GPUModel",
    "x_GPUCount",
    "x_GPUMemoryGiB",
    "x_Architecture",
)


class _Task(NamedTuple):
    """What one thread does at a time."""

    where: str
    rows: Callable[[], Iterator[Row]]


def resources(
    access: Access,
    subscriptions: Sequence[Subscription],
    sizes: Sizes,
    problems: list[Problem],
) -> pa.Table:
    """Everything the subscriptions have in the regions asked for (schema.RESOURCES), by ResourceId.

    What is refused of one subscription is missing there only.

    Args:
        sizes: what says how large the machines are.
        problems: what is missing is added, by subscription and call.
    """
    places = [Place(access, one) for one in subscriptions]
    sets: list[ScaleSet] = []
    tasks = [
        _Task(f"{place.subscription.subscription_id} {kind.call}", partial(kind.rows, place))
        for place in places
        for kind in (*KINDS, Kind(_SETS, partial(_sets, sets)))
    ]
    met: list[Problem] = []
    rows = _done(tasks, access.settings.max_concurrency, met)
    problems += _in_short(met)
    by_id = sorted(sets, key=lambda one: one.resource_id)
    members = [_Task(one.where, partial(scale_sets.instances, one)) for one in by_id]
    rows |= _done(members, access.settings.max_concurrency, problems)
    found = [row for _, row in sorted(rows.items())]
    _describe_sizes(sizes, found, problems)
    return pa.Table.from_pylist(found, schema=schema.RESOURCES)


def _sets(sets: list[ScaleSet], place: Place) -> Iterator[Row]:
    """The rows of the place's scale sets; the uniform ones are added to `sets`."""
    for row, uniform in scale_sets.scale_sets(place):
        if uniform is not None:
            sets.append(uniform)
        yield row


def _done(tasks: Iterable[_Task], threads: int, problems: list[Problem]) -> dict[str, Row]:
    """Every row that the tasks find, by id; what is listed before a call fails is kept."""
    rows: dict[str, Row] = {}
    for found, refusals in in_threads(_tried, tasks, threads):
        problems += refusals
        for row in found:
            rows.setdefault(row["ResourceId"], row)
    return rows


def _tried(task: _Task) -> tuple[list[Row], list[Problem]]:
    rows: list[Row] = []
    refusals: list[Problem] = []
    with told(refusals, task.where):
        rows.extend(task.rows())
    return rows, refusals


def _in_short(refusals: Sequence[Problem]) -> Iterator[Problem]:
    """The refusals; where a subscription refused every call, one line for all of them."""
    by_subscription: dict[str, list[Problem]] = {}
    for one in refusals:
        by_subscription.setdefault(one.where.split()[0], []).append(one)
    for name, refused in by_subscription.items():
        if len(refused) < len(KINDS) + 1:
            yield from refused
        else:
            what = f"every call is refused ({refused[0].what})"
            yield Problem(name, what, len(refused), fatal=True)


def _describe_sizes(sizes: Sizes, rows: Iterable[Row], problems: list[Problem]) -> None:
    """Add vCPUs, memory and so on to the machines; vCPUs that are switched off stay off."""
    machines_ = [row for row in rows if row.get("x_InstanceType")]
    uses = [
        Use(row["SubAccountId"], row["RegionId"], row["x_InstanceType"])
        for row in machines_
        if row["RegionId"]
    ]
    described = sizes.describe(uses, problems)
    for row in machines_:
        size = described.get(type_key(row["x_InstanceType"])) or built_in(row["x_InstanceType"])
        row["x_InstanceType"] = size.get("x_InstanceType") or row["x_InstanceType"]
        for name in _OF_A_SIZE:
            if row.get(name) is None:
                row[name] = size.get(name)
