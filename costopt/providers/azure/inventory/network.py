"""Public addresses, NAT gateways and load balancers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from costopt.providers.azure.inventory.place import Place, Thing, at
from costopt.providers.rows import Row, attributes

ADDRESSES: Final = "Virtual Network"
NAT: Final = "Azure NAT Gateway"
BALANCERS: Final = "Load Balancer"
"""All three as FOCUS exports of Azure have them (finops-toolkit, open-data/Services.csv)."""


def addresses(place: Place) -> Iterator[Row]:
    """Every public address, and what holds it."""
    for thing in place.things(place.network.public_ip_addresses.list_all):
        held = at(thing, "properties.ipConfiguration.id") or at(thing, "properties.natGateway.id")
        yield place.row(
            thing,
            ResourceType="IP address",
            ServiceName=ADDRESSES,
            x_State="associated" if held else "unassociated",
            x_Attributes=attributes(
                allocation=str(at(thing, "properties.publicIPAllocationMethod") or "").lower(),
                attached_to=held.lower() if held else None,
                public_ip=at(thing, "properties.ipAddress"),
                type=at(thing, "sku.name"),
                zones=", ".join(sorted(thing.get("zones") or ())),
            ),
        )


def nat_gateways(place: Place) -> Iterator[Row]:
    """Every NAT gateway; one that no subnet uses serves nothing."""
    for thing in place.things(place.network.nat_gateways.list_all):
        yield place.row(
            thing,
            ResourceType="NAT gateway",
            ServiceName=NAT,
            x_State=_provisioned(thing),
            x_Attributes=attributes(
                subnets=len(at(thing, "properties.subnets") or ()),
                type=at(thing, "sku.name"),
            ),
        )


def load_balancers(place: Place) -> Iterator[Row]:
    """Every load balancer, with the number of its backends and rules; the rules cost."""
    for thing in place.things(place.network.load_balancers.list_all):
        properties = thing.get("properties") or {}
        rules = (properties.get(name) or () for name in ("loadBalancingRules", "outboundRules"))
        yield place.row(
            thing,
            ResourceType="Load balancer",
            ServiceName=BALANCERS,
            x_State=_provisioned(thing),
            x_Attributes=attributes(
                backends=sum(
                    _backends(pool) for pool in properties.get("backendAddressPools") or ()
                ),
                rules=sum(map(len, rules)),
                type=at(thing, "sku.name"),
            ),
        )


def _backends(pool: Thing) -> int:
    """Of a pool: by address, or by network interface."""
    names = ("loadBalancerBackendAddresses", "backendIPConfigurations")
    return max(len(at(pool, f"properties.{name}") or ()) for name in names)


def _provisioned(thing: Thing) -> str | None:
    return str(at(thing, "properties.provisioningState") or "").lower() or None
