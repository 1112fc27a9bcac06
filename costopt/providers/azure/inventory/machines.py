"""Virtual machines, those of flexible scale sets among them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any, Final

from azure.core.exceptions import AzureError

from costopt.providers.azure.access import arm_id
from costopt.providers.azure.inventory.place import Place, Thing, at, moment
from costopt.providers.rows import Row, attributes

SERVICE: Final = "Virtual Machines"
"""As FOCUS exports of Azure have it, of disks and snapshots, too (finops-toolkit, open-data/
Services.csv)."""
TYPE: Final = "Virtual machine"

_POWER: Final = "PowerState/"
_STATES: Final = {
    "starting": "running",
    "running": "running",
    "stopping": "stopped",
    "stopped": "stopped",
    "deallocating": "stopped",
    "deallocated": "stopped",
}
_LICENSED: Final = ("Windows_Server", "Windows_Client")
"""Licences of the customer's own (Azure Hybrid Benefit): the machine costs what Linux costs.
Source: "Azure Hybrid Benefit for Windows VMs", learn.microsoft.com/azure/virtual-machines."""
_SPOT: Final = ("Spot", "Low")


def machines(place: Place) -> Iterator[Row]:
    """Every virtual machine, with its power state.

    The list has either what a machine is or how it runs, so it is asked for twice; a machine that
    came between the two has no state, nor has any where that list is refused, which is
    raised at the end.
    """
    states: dict[str, Iterable[Thing] | None] = {}
    refusal: AzureError | None = None
    virtual_machines = place.compute.virtual_machines
    try:
        for thing in place.listed(lambda: virtual_machines.list_all(status_only="true")):
            states[arm_id(thing).lower()] = at(thing, "properties.instanceView.statuses")
    except AzureError as error:
        refusal = error
    for thing in place.things(virtual_machines.list_all):
        yield _row(place, thing, states.get(arm_id(thing).lower()))
    if refusal is not None:
        raise refusal


def _row(place: Place, thing: Thing, statuses: Iterable[Thing] | None) -> Row:
    properties = thing.get("properties") or {}
    return place.row(
        thing,
        **columns(
            properties,
            size=at(properties, "hardwareProfile.vmSize"),
            statuses=statuses,
            priority=properties.get("priority"),
            zones=thing.get("zones"),
        ),
        x_ScalingGroup=last(at(properties, "virtualMachineScaleSet.id")),
    )


def columns(
    properties: Thing,
    *,
    size: str | None,
    statuses: Iterable[Thing] | None,
    priority: str | None,
    zones: Iterable[str] | None,
    **more: str | None,
) -> Row:
    """What the properties of a machine say of it; an instance of a scale set has the same ones.

    Args:
        statuses: of its instance view; None = not known.
        more: attributes besides.
    """
    chosen = at(properties, "hardwareProfile.vmSizeProperties.vCPUsAvailable")
    power = power_state(statuses)
    return {
        "ResourceType": TYPE,
        "ServiceName": SERVICE,
        "x_InstanceType": size,
        "x_vCPUs": float(chosen) if chosen else None,
        "x_OperatingSystem": operating_system(properties),
        "x_PricingCategory": "Dynamic" if priority in _SPOT else "Standard",
        "x_State": _STATES.get(power or ""),
        "x_LaunchedAt": moment(properties.get("timeCreated")),
        "x_Attributes": attributes(
            availability_set=last(at(properties, "availabilitySet.id")),
            capacity_reservation=last(
                at(properties, "capacityReservation.capacityReservationGroup.id")
            ),
            ephemeral_os_disk=bool(at(properties, "storageProfile.osDisk.diffDiskSettings"))
            or None,
            eviction_policy=properties.get("evictionPolicy"),
            host=last(at(properties, "host.id")),
            image=image(at(properties, "storageProfile.imageReference")),
            license_type=properties.get("licenseType"),
            os_type=at(properties, "storageProfile.osDisk.osType"),
            power_state=power,
            priority=priority,
            stopped_at=None if priority in _SPOT else deallocated_at(statuses),
            threads_per_core=at(properties, "hardwareProfile.vmSizeProperties.vCPUsPerCore"),
            vm_id=properties.get("vmId"),
            zones=", ".join(sorted(zones or ())),
            **more,
        ),
    }


def power_state(statuses: Iterable[Thing] | None) -> str | None:
    """running, stopped (its computing still costs), deallocated (it does not) and so on."""
    codes = [str(status.get("code") or "") for status in statuses or ()]
    return next((code.removeprefix(_POWER) for code in codes if code.startswith(_POWER)), None)


def deallocated_at(statuses: Iterable[Thing] | None) -> datetime | None:
    """When the last operation on a deallocated machine ended: mostly that which deallocated it, or
    a later one. Where Azure itself took it away, as it does with Spot, the time is an older one."""
    told = {str(one.get("code") or "").partition("/")[0]: one for one in statuses or ()}
    if power_state(told.values()) != "deallocated":
        return None
    return moment(told.get("ProvisioningState", {}).get("time"))


def operating_system(properties: Thing) -> str | None:
    """The system whose price holds: Windows under a licence of one's own costs as Linux does."""
    system: str | None = at(properties, "storageProfile.osDisk.osType")
    return "Linux" if properties.get("licenseType") in _LICENSED else system


def image(reference: Thing | None) -> str | None:
    """publisher:offer:sku of a marketplace's image, the name of one's own."""
    parts = [at(reference, name) for name in ("publisher", "offer", "sku")]
    return ":".join(parts) if all(parts) else last(at(reference, "id"))


def last(resource_id: Any) -> str | None:
    """The name that an id ends in."""
    return str(resource_id).rstrip("/").rpartition("/")[2] if resource_id else None
