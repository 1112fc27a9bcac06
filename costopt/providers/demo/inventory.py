"""The inventory that the provider shows, and the truth behind it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final

import pyarrow as pa

from costopt import schema
from costopt.model import Shape
from costopt.providers.demo import focus
from costopt.providers.demo.commitments import Commitment, attributes
from costopt.providers.demo.company import Site
from costopt.providers.demo.machines import Leftover, Machine
from costopt.providers.demo.truth import Label, Truth

SERVICE: Final = {
    "AWS": "Amazon Elastic Compute Cloud",
    "GCP": "Compute Engine",
    "Azure": "Virtual Machines",
    "OnPrem": "Amsterdam Data Centre",
}
_MACHINE_TYPE: Final = {
    "AWS": "Instance",
    "GCP": "Instance",
    "Azure": "Virtual machine",
    "OnPrem": "VM",
}


def resources(
    fleet: Iterable[Machine],
    loose: Iterable[Leftover],
    commitments: Iterable[Commitment],
    now: datetime,
) -> pa.Table:
    """The inventory (schema.RESOURCES): machines with their history, disks, addresses, and what is
    committed to, with its term and end."""
    rows: list[dict[str, Any]] = []
    for machine in fleet:
        rows += _machine_rows(machine, now)
        if machine.disk_id != machine.resource_id:
            rows.append(_disk_row(machine))
    rows += [_loose_row(left) for left in loose]
    rows += [_commitment_row(one, now) for one in commitments]
    return pa.Table.from_pylist(rows, schema=schema.RESOURCES)


def _machine_rows(machine: Machine, now: datetime) -> list[dict[str, Any]]:
    role, site = machine.role, machine.site
    stopped = machine.stopped_at is not None and machine.stopped_at <= now
    row = {
        **_common(site, machine.account_id, machine.resource_id, machine.name),
        "ResourceType": _MACHINE_TYPE[site.provider],
        "ServiceName": SERVICE[site.provider],
        "Tags": machine.tags or None,
        **_shape_columns(machine.shape),
        "x_OperatingSystem": role.system,
        "x_PricingCategory": "Dynamic" if role.spot else "Standard",
        "x_State": "stopped" if stopped else "running",
        "x_LaunchedAt": machine.launched_at,
        "x_ScalingGroup": f"asg-{role.app}" if role.group else None,
        "x_TimeZone": role.clock,
        "x_Attributes": _place(machine),
    }
    if machine.old_shape is None:
        return [row]
    before = {**row, **_shape_columns(machine.old_shape), "x_ObservedAt": machine.launched_at}
    return [before, {**row, "x_ObservedAt": machine.resized_at}]


def _place(machine: Machine) -> dict[str, str]:
    """Zone and network, under the names that the provider's collector gives attributes."""
    zone = machine.site.zone
    network, subnet = machine.network_id, machine.subnet_id
    return {
        "AWS": {"availability_zone": zone, "subnet_id": subnet, "vpc_id": network},
        "GCP": {"network": network, "subnetwork": subnet, "zone": zone},
        "Azure": {"subnet": subnet, "virtual_network": network, "zones": zone[-1]},
        "OnPrem": {"network": network, "zone": zone},
    }[machine.site.provider]


def _shape_columns(shape: Shape) -> dict[str, Any]:
    return {
        "x_InstanceType": shape.instance_type,
        "x_vCPUs": shape.vcpus,
        "x_MemoryGiB": shape.memory_gib,
        "x_GPUModel": shape.gpu_model,
        "x_GPUCount": shape.gpu_count or None,
        "x_GPUMemoryGiB": shape.gpu_memory_gib,
        "x_Architecture": shape.architecture,
    }


def _common(site: Site, account: str, unique: str, name: str) -> dict[str, Any]:
    return {
        "ProviderName": site.provider,
        "SubAccountId": account,
        "RegionId": site.region,
        "ResourceId": unique,
        "ResourceName": name,
    }


def _disk_row(machine: Machine) -> dict[str, Any]:
    row = _common(machine.site, machine.account_id, machine.disk_id, machine.key)
    return row | {
        "ResourceType": "Disk",
        "Tags": machine.tags or None,
        "x_State": "in-use",
        "x_LaunchedAt": machine.launched_at,
        "x_Attributes": {
            "attached_to": machine.resource_id,
            "size_gib": str(machine.role.disk_gib),
        },
    }


def _loose_row(left: Leftover) -> dict[str, Any]:
    loose = left.loose
    row = _common(loose.site, left.account_id, left.resource_id, left.key)
    if not loose.disk_gib:
        address = f"203.0.113.{sum(left.key.encode()) % 254 + 1}"  # RFC 5737: of nobody
        return row | {
            "ResourceType": "IP address",
            "x_State": "unassociated",
            "x_Attributes": {"public_ip": address},
        }
    return row | {
        "ResourceType": "Disk",
        "Tags": {"team": loose.team},
        "x_State": "available",
        "x_Attributes": {"size_gib": str(loose.disk_gib)},
    }


def _commitment_row(one: Commitment, now: datetime) -> dict[str, Any]:
    terms = one.terms
    return {
        "ProviderName": terms.provider,
        "SubAccountId": focus.payer(terms.provider),
        "RegionId": terms.region or None,
        "ResourceId": focus.commitment_id(one),
        "ResourceName": terms.key,
        "ResourceType": terms.kind,
        "x_State": "active",
        "x_Attributes": attributes(terms, now),
    }


_SLEEPING: Final = frozenset({"dev", "night"})
"""Rhythms whose level is 0 for most of the week, at the same hours."""


def truth(fleet: Iterable[Machine], loose: Iterable[Leftover]) -> dict[str, Truth]:
    """What every resource really is, by ResourceId."""
    found = {}
    for machine in fleet:
        role = machine.role
        found[machine.resource_id] = Truth(
            resource_id=machine.resource_id,
            label=role.label,
            vcpus=machine.shape.vcpus,
            memory_gib=machine.shape.memory_gib,
            needs_vcpus=role.needs_vcpus,
            needs_memory_gib=role.needs_memory_gib,
            memory_measured=role.agent,
            warts=frozenset({role.wart} if role.wart else ()),
            sleeps=role.rhythm in _SLEEPING,
            placement=role.placement,
        )
        if machine.disk_id != machine.resource_id:
            found[machine.disk_id] = _thing(machine.disk_id, Label.ATTACHED)
    found |= {left.resource_id: _thing(left.resource_id, Label.UNATTACHED) for left in loose}
    return found


def _thing(unique: str, label: Label) -> Truth:
    return Truth(unique, label, None, None, None, None, memory_measured=False)
