"""Load balancers: application, network and gateway ones (ELB v2), and classic ones (ELB)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from costopt.providers.aws.access import under
from costopt.providers.aws.inventory.place import Place
from costopt.providers.rows import Row, attributes

SERVICE: Final = "Elastic Load Balancing"
TYPE: Final = "Load balancer"
_PAGE: Final = 400
_TAGGED_AT_ONCE: Final = 20
"""The most that DescribeTags takes, of both services."""

_TAGS: Final = "elasticloadbalancing:DescribeTags"


def current(place: Place) -> Iterator[Row]:
    """Every load balancer of ELB v2, with the number of its target groups.

    How many targets there are would take a call a group; that there is no group shows that it
    serves nothing.
    """
    found = list(place.pages("elbv2", "describe_load_balancers", "LoadBalancers", _PAGE))
    names = [one["LoadBalancerArn"] for one in found]
    groups = _target_groups(place) if found else None
    tags = _tags(place, "elbv2", "ResourceArns", "ResourceArn", names)
    for one in found:
        arn = one["LoadBalancerArn"]
        yield place.row(
            arn,
            tags.get(arn, []),
            ResourceName=one["LoadBalancerName"],
            ResourceType=TYPE,
            ServiceName=SERVICE,
            x_State=one.get("State", {}).get("Code"),
            x_LaunchedAt=one.get("CreatedTime"),
            x_Attributes=attributes(
                scheme=one.get("Scheme"),
                target_groups=None if groups is None else groups[arn],
                type=one.get("Type"),
                vpc_id=one.get("VpcId"),
            ),
        )


def classic(place: Place) -> Iterator[Row]:
    """Every classic load balancer, with the number of its instances; its id is the bill's ARN."""
    found = list(place.pages("elb", "describe_load_balancers", "LoadBalancerDescriptions", _PAGE))
    names = [one["LoadBalancerName"] for one in found]
    tags = _tags(place, "elb", "LoadBalancerNames", "LoadBalancerName", names)
    partition = place.account.session.get_partition_for_region(place.region)
    prefix = f"arn:{partition}:elasticloadbalancing:{place.region}:{place.account.account_id}"
    for one in found:
        name = one["LoadBalancerName"]
        yield place.row(
            f"{prefix}:loadbalancer/{name}",
            tags.get(name, []),
            ResourceName=name,
            ResourceType=TYPE,
            ServiceName=SERVICE,
            x_State="active",  # it has no other
            x_LaunchedAt=one.get("CreatedTime"),
            x_Attributes=attributes(
                instances=len(one.get("Instances", [])),
                scheme=one.get("Scheme"),
                type="classic",
                vpc_id=one.get("VPCId"),
            ),
        )


def _target_groups(place: Place) -> Counter[str] | None:
    """How many each load balancer has; None = they cannot be listed."""
    with place.told("elasticloadbalancing:DescribeTargetGroups"):
        listed = list(place.pages("elbv2", "describe_target_groups", "TargetGroups", _PAGE))
        return Counter(arn for group in listed for arn in group.get("LoadBalancerArns", []))
    return None


def _tags(
    place: Place, service: str, asked: str, told: str, names: Sequence[str]
) -> dict[str, list[Mapping[str, str]]]:
    """Tags by name or ARN; without those that cannot be had."""
    tags: dict[str, list[Mapping[str, Any]]] = {}
    with place.told(_TAGS):
        for start in range(0, len(names), _TAGGED_AT_ONCE):
            client = place.account.client(service, place.region)
            answer = client.describe_tags(**{asked: names[start : start + _TAGGED_AT_ONCE]})
            tags |= {one[told]: one["Tags"] for one in under(answer, "TagDescriptions")}
    return tags
