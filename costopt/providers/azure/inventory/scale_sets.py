"""Scale sets, and the instances of uniform ones; those of flexible ones are ordinary machines."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

from azure.core.exceptions import ResourceNotFoundError

from costopt.providers.azure.inventory.machines import columns
from costopt.providers.azure.inventory.place import Place, Thing, at, moment
from costopt.providers.rows import Row, attributes

CALL: Final = "Microsoft.Compute/virtualMachineScaleSets/virtualMachines/read"
SERVICE: Final = "Virtual Machine Scale Sets"
TYPE: Final = "Scale set"


class ScaleSet(NamedTuple):
    """A uniform scale set, whose instances have to be listed apart."""

    place: Place
    thing: Thing

    @property
    def resource_id(self) -> str:
        """As the bill has it."""
        return str(self.thing["id"]).lower()

    @property
    def where(self) -> str:
        """Subscription, call and name, for people."""
        return f"{self.place.subscription.subscription_id} {CALL} {self.thing['name']}"

    @property
    def group(self) -> str:
        """Its resource group."""
        return str(self.thing["id"].split("/")[4])


def scale_sets(place: Place) -> Iterator[tuple[Row, ScaleSet | None]]:
    """Every scale set, and itself where it is uniform.

    Azure bills the instances of a uniform one under the id of the set, so the set has a row, too.
    """
    for thing in place.things(place.compute.virtual_machine_scale_sets.list_all):
        properties = thing.get("properties") or {}
        mode = properties.get("orchestrationMode") or "Uniform"
        row = place.row(
            thing,
            ResourceType=TYPE,
            ServiceName=SERVICE,
            x_State=str(properties.get("provisioningState") or "").lower() or None,
            x_LaunchedAt=moment(properties.get("timeCreated")),
            x_Attributes=attributes(
                capacity=at(thing, "sku.capacity"),
                orchestration=mode.lower(),
                priority=at(properties, "virtualMachineProfile.priority"),
                size=at(thing, "sku.name"),
                zones=", ".join(sorted(thing.get("zones") or ())),
            ),
        )
        yield row, ScaleSet(place, thing) if mode == "Uniform" else None


def instances(scale_set: ScaleSet) -> Iterator[Row]:
    """Every instance of a uniform scale set; none where the set is gone by now."""
    place, thing = scale_set.place, scale_set.thing
    name = thing["name"]
    profile = at(thing, "properties.virtualMachineProfile") or {}

    def listing() -> Iterator[Thing]:
        members = place.compute.virtual_machine_scale_set_vms
        yield from members.list(scale_set.group, name, expand="instanceView")

    try:
        for one in place.listed(listing):
            properties = one.get("properties") or {}
            yield place.row(
                {"location": thing.get("location"), **one},
                **columns(
                    properties,
                    size=at(properties, "hardwareProfile.vmSize") or at(one, "sku.name"),
                    statuses=at(properties, "instanceView.statuses"),
                    priority=profile.get("priority"),
                    zones=one.get("zones"),
                    billed_as=scale_set.resource_id,
                )
                | {"ServiceName": SERVICE},
                x_ScalingGroup=name,
            )
    except ResourceNotFoundError:
        return
