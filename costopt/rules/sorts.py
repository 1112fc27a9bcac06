"""What machines are as commitments tell them apart: by the inventory and the catalogue.

Sources (read 2026-11): AWS, EC2 User Guide, "How Reserved Instance discounts are applied" (size
flexibility: Linux without a licence on shared tenancy, by normalization factors; not of the
families named here); Microsoft, "Virtual machine size flexibility with Azure Reserved VM
Instances" (ratios of a series follow vCPUs, but for burstable ones); Google Cloud, "Resource-based
committed use discounts" (vCPUs and memory of a series).
"""

from __future__ import annotations

from collections.abc import Iterable

from costopt.frame.cost import resource_key
from costopt.frame.reach import aws_weight
from costopt.model import Recommendation, Resource, Shape
from costopt.model.bill import Known, Sort
from costopt.pricing.layer import system_key
from costopt.rules.base import Case
from costopt.rules.families import OF_ONE_SIZE, family
from costopt.units import provider_key


def known(cases: Iterable[Case], currency: str) -> Known:
    """What the inventory and the price list add to a bill.

    Args:
        cases: of machines and of commitments.
        currency: the bill's.
    """
    cases = [case for case in cases if case.replicas is None]
    attributes = {resource_key(c.resource.resource_id): c.resource.attributes for c in cases}
    return Known(
        sorts={_key(case): sort(case.resource, case.shape) for case in cases if case.shape},
        rates={
            _key(case): float(case.price.list_unit_price)
            for case in cases
            if case.price and case.price.currency == currency and _on_demand(case)
        },
        plans={key: told["plan_type"] for key, told in attributes.items() if "plan_type" in told},
        zonal={
            key: "zone" in told["scope"].casefold()
            for key, told in attributes.items()
            if "scope" in told
        },
    )


def _key(case: Case) -> str:
    return resource_key(case.resource.resource_id)


def _on_demand(case: Case) -> bool:
    return case.price is not None and case.price.pricing_category in (None, "Standard")


def sort(resource: Resource, shape: Shape) -> Sort:
    """What it is; of another type of machine than it is today, with that one's shape."""
    provider, zone = (
        provider_key(shape.provider_name),
        resource.attributes.get("availability_zone", ""),
    )
    name = family(shape)
    match provider:
        case "aws":
            size = aws_weight(shape.instance_type.partition(".")[2])
            return Sort(name, size, _flexible(resource, name), zone)
        case "azure":
            plain = shape.burstable_baseline_percent is None
            return Sort(name, shape.vcpus if plain else 0.0, plain, zone)
        case "gcp":
            return Sort(name.partition("-")[0], shape.vcpus, flexible=True, zone=zone)
    return Sort(name, zone=zone)


def _flexible(resource: Resource, name: str) -> bool:
    """Whether AWS's regional reservations of other sizes cover it."""
    system = system_key(resource.operating_system or "")
    tenancy = resource.attributes.get("tenancy") or "default"
    return system == "linux" and tenancy == "default" and name not in OF_ONE_SIZE


def units(advice: Recommendation, case: Case) -> tuple[float, float | None]:
    """What the machine advised takes of commitments bound to today's family, of what today's takes;
    of Google's meters of memory the second. 0 = it is of another family, or not known.
    """
    target = advice.recommended
    name = target.instance_type if target else None
    after = case.catalogue.shape(target.provider_name, name) if target and name else None
    if case.shape is None or after is None or target is None:
        return 0.0, None
    here, there = case.resource.region_id, target.region_id
    one, other = sort(case.resource, case.shape), sort(case.resource, after)
    alike = provider_key(target.provider_name) == provider_key(case.resource.provider_name)
    if not alike or (there and here and there != here) or one.family != other.family:
        return 0.0, None
    if not (one.family and one.size and other.size):
        return 0.0, None
    memory = None
    if provider_key(target.provider_name) == "gcp" and case.shape.memory_gib and after.memory_gib:
        memory = after.memory_gib / case.shape.memory_gib
    return other.size / one.size, memory
