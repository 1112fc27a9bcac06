"""External addresses, forwarding rules (load balancers) and Cloud NAT gateways."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from google.cloud.compute_v1 import AddressesClient, ForwardingRulesClient, RoutersClient

from costopt.providers.gcp.inventory.place import NETWORKING, Place, names, tags
from costopt.providers.gcp.names import full_name, moment, referred
from costopt.providers.rows import Row, attributes

ADDRESSES: Final = "compute.addresses.list"
FORWARDING_RULES: Final = "compute.forwardingRules.list"
ROUTERS: Final = "compute.routers.list"

_STATES: Final = {"IN_USE": "associated", "RESERVED": "unassociated"}
_NO_BALANCER: Final = re.compile(
    r"all-apis|vpc-sc|.*/(?:serviceAttachments|targetVpnGateways|targetInstances)/.*"
)
"""What a rule may lead to that is no load balancer: Google's APIs or another network's service
(Private Service Connect), a VPN, one machine (protocol forwarding)."""


def addresses(place: Place) -> Iterator[Row]:
    """Every static external address; internal ones cost nothing."""
    for scope, one in place.everywhere(AddressesClient, "addresses", ADDRESSES):
        if one.address_type == "INTERNAL":
            continue
        yield place.row(
            scope,
            "addresses",
            one,
            ResourceType="IP address",
            Tags=tags(one.labels),
            x_State=_STATES.get(one.status, one.status.lower()),
            x_LaunchedAt=moment(one.creation_timestamp),
            x_Attributes=attributes(
                attached_to=names(one.users),
                network_tier=one.network_tier.lower(),
                public_ip=one.address,
                purpose=one.purpose.lower(),
            ),
        )


def forwarding_rules(place: Place) -> Iterator[Row]:
    """Every rule: by them load balancers are billed, whether anything stands behind or not."""
    for scope, one in place.everywhere(ForwardingRulesClient, "forwarding_rules", FORWARDING_RULES):
        leads_to = one.target or one.backend_service
        other = _NO_BALANCER.fullmatch(leads_to)
        yield place.row(
            scope,
            "forwardingRules",
            one,
            ResourceType="Forwarding rule" if other else "Load balancer",
            ServiceName=NETWORKING,
            Tags=tags(one.labels),
            x_LaunchedAt=moment(one.creation_timestamp),
            x_Attributes=attributes(
                ip=one.I_p_address,
                scheme=one.load_balancing_scheme.lower().replace("_", "-"),
                target=referred(leads_to),
            ),
        )


def nat_gateways(place: Place) -> Iterator[Row]:
    """Every gateway of every Cloud Router; it has no name of its own but below its router's."""
    project = place.project.project_id
    for scope, router in place.everywhere(RoutersClient, "routers", ROUTERS):
        for one in router.nats:
            yield place.row(
                scope,
                "routers",
                one,
                ResourceId=full_name(project, scope, "routers", f"{router.name}/nats/{one.name}"),
                ResourceType="NAT gateway",
                ServiceName=NETWORKING,
                x_LaunchedAt=moment(router.creation_timestamp),
                x_Attributes=attributes(
                    connectivity=one.type_.lower(),
                    public_ips=names(one.nat_ips),
                    router=router.name,
                ),
            )
