"""Elastic addresses and NAT gateways."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from costopt.providers.aws.access import under
from costopt.providers.aws.inventory.machines import SERVICE
from costopt.providers.aws.inventory.place import Place
from costopt.providers.rows import Row, attributes

VPC: Final = "Amazon Virtual Private Cloud"
"""Public addresses are billed under it; NAT gateways are not (both seen in FOCUS exports)."""


def addresses(place: Place) -> Iterator[Row]:
    """Every elastic address, in one call: EC2 does not page them."""
    answer = place.account.client("ec2", place.region).describe_addresses()
    for address in under(answer, "Addresses"):
        held = address.get("InstanceId") or address.get("NetworkInterfaceId")
        yield place.row(
            address.get("AllocationId") or address["PublicIp"],
            address.get("Tags", []),
            ResourceType="IP address",
            ServiceName=VPC,
            x_State="associated" if address.get("AssociationId") or held else "unassociated",
            x_Attributes=attributes(attached_to=held, public_ip=address.get("PublicIp")),
        )


def nat_gateways(place: Place) -> Iterator[Row]:
    """Every NAT gateway; a deleted one for about an hour."""
    for gateway in place.pages("ec2", "describe_nat_gateways", "NatGateways", 1000):
        yield place.row(
            gateway["NatGatewayId"],
            gateway.get("Tags", []),
            ResourceType="NAT gateway",
            ServiceName=SERVICE,
            x_State=gateway["State"],
            x_LaunchedAt=gateway.get("CreateTime"),
            x_Attributes=attributes(
                connectivity=gateway.get("ConnectivityType"),
                subnet_id=gateway.get("SubnetId"),
                vpc_id=gateway.get("VpcId"),
            ),
        )
