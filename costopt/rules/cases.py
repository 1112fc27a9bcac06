"""From the tables to what the rules judge: one Case a resource, with its shape, price and cost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal

from costopt.frame.cost import Bill, resource_key, shared
from costopt.model import (
    Cost,
    Disputed,
    Finding,
    Price,
    Profile,
    Resource,
    Shape,
    Window,
    is_billed,
    is_machine,
)
from costopt.pricing.catalogue import Catalogue
from costopt.rules.base import Case
from costopt.rules.prices import attached_gpu, unbilled_cost


def build(
    resources: Mapping[str, Resource],
    profiles: Mapping[str, tuple[Profile, ...]],
    findings: Mapping[str, tuple[Finding, ...]],
    disputed: Mapping[str, Disputed],
    *,
    bill: Bill | None,
    catalogue: Catalogue,
    window: Window,
    min_monthly_savings: float,
    currency: str | None = None,
) -> dict[str, Case]:
    """One Case a resource, by id; nothing is judged yet.

    Args:
        currency: of list prices where there is no bill; None = whichever a place is priced in.
    """
    cases = {}
    members = Counter(map(_billed_as, filter(is_billed, resources.values())))
    for resource_id, resource in resources.items():
        billed = _billed(resource, bill, members) if bill else None
        price = _price(resource, catalogue, _currency(billed, bill) or currency)
        cases[resource_id] = Case(
            resource=resource,
            shape=_shape(resource, catalogue),
            price=price,
            profiles=profiles.get(resource_id, ()),
            findings=findings.get(resource_id, ()),
            disputed=disputed.get(resource_id),
            cost=_cost(resource, price, billed),
            catalogue=catalogue,
            window=window,
            as_of=window.end,
            min_monthly_savings=min_monthly_savings,
        )
    return cases


def _shape(resource: Resource, catalogue: Catalogue) -> Shape | None:
    """What it is: the catalogue's shape with the inventory's own figures on top, or those alone."""
    if not is_machine(resource):
        return None
    known = (
        catalogue.shape(resource.provider_name, resource.instance_type)
        if resource.instance_type
        else None
    )
    vcpus = resource.vcpus or (known.vcpus if known else None)
    if vcpus is None:
        return None
    return Shape(
        provider_name=resource.provider_name,
        instance_type=resource.instance_type or "",
        vcpus=vcpus,
        memory_gib=resource.memory_gib or (known.memory_gib if known else None),
        physical_cores=known.physical_cores if known else None,
        architecture=resource.architecture or (known.architecture if known else None),
        gpu_model=resource.gpu_model or (known.gpu_model if known else None),
        gpu_count=resource.gpu_count or (known.gpu_count if known else 0),
        gpu_memory_gib=resource.gpu_memory_gib or (known.gpu_memory_gib if known else None),
        burstable_baseline_percent=known.burstable_baseline_percent if known else None,
        network_gbps=known.network_gbps if known else None,
        local_disk_gib=known.local_disk_gib if known else 0.0,
        family=known.family if known else None,
        current_generation=known.current_generation if known else None,
    )


def _price(resource: Resource, catalogue: Catalogue, currency: str | None) -> Price | None:
    """List price of one running hour: spot for a spot machine, on-demand for every other.

    In the bill's currency where there is such a price. A committed machine's list price is the
    on-demand one; its discount shows in the bill.
    """
    if resource.instance_type is None:
        return _price_of_size(resource, catalogue, currency)
    for wanted in dict.fromkeys((currency, None)):
        price = _price_of(resource.instance_type, resource, catalogue, wanted)
        if price is not None:
            return _with_cards(price, resource, catalogue)
    return None


def _price_of(
    name: str, resource: Resource, catalogue: Catalogue, currency: str | None
) -> Price | None:
    """Of that type, bought as the machine is."""
    return catalogue.price(
        resource.provider_name,
        resource.region_id,
        name,
        operating_system=resource.operating_system,
        pricing_category="Dynamic" if resource.pricing_category == "Dynamic" else "Standard",
        currency=currency,
    )


def _with_cards(price: Price, resource: Resource, catalogue: Catalogue) -> Price | None:
    """The price with that of the GPUs attached to the machine, which its type does not name: they
    are listed by their own; None where they are not."""
    kind = attached_gpu(resource)
    if not kind:
        return price
    card = _price_of(kind, resource, catalogue, price.currency)
    if card is None:
        return None
    whole = price.list_unit_price + resource.gpu_count * card.list_unit_price
    return replace(price, list_unit_price=whole)


def _price_of_size(resource: Resource, catalogue: Catalogue, currency: str | None) -> Price | None:
    """For a machine that names no type: the cheapest type there of exactly its size, if any."""
    if resource.vcpus is None:
        return None
    market = catalogue.market(
        resource.provider_name,
        resource.region_id,
        operating_system=resource.operating_system,
        currency=currency or "USD",
    )
    one_memory = len({shape.memory_gib for shape in market.shapes}) == 1  # then it tells nothing
    for shape, price in zip(market.shapes, market.prices, strict=True):  # cheapest first
        same = one_memory or resource.memory_gib in (None, shape.memory_gib)
        if same and (shape.vcpus, shape.gpu_count) == (resource.vcpus, resource.gpu_count):
            return price
    return None


def _currency(billed: Cost | None, bill: Bill | None) -> str | None:
    """What it is billed in, else what the rest is."""
    return billed.currency if billed else bill.currency if bill else None


def _cost(resource: Resource, price: Price | None, billed: Cost | None) -> Cost | None:
    if billed is None:
        return unbilled_cost(resource, price) if is_machine(resource) else None
    if billed.compute_list or price is None:
        return billed
    return _at_list(billed, price)


def _billed(resource: Resource, bill: Bill, members: Mapping[str, int]) -> Cost | None:
    """What the bill says of it; of a member of a group that is billed as one, its part of that.

    Args:
        members: how many machines share the charges of an id, by `resource_key`.
    """
    own = resource_key(resource.resource_id)
    group = _billed_as(resource)
    if own in bill.costs and not members.get(own):
        return bill.costs[own]
    if group in bill.costs and is_billed(resource):
        return shared(bill.costs[group], members[group])
    return None


def _billed_as(resource: Resource) -> str:
    """Under which id the bill has it; "" = under its own."""
    return resource_key(resource.attributes.get("billed_as", ""))


def _at_list(cost: Cost, price: Price) -> Cost:
    """The cost with list prices from the catalogue, where the bill says 0 or nothing.

    Azure, for one, reports ListCost 0 for some reservation usage (facts: FOCUS exports).
    """
    if cost.hourly_effective is None or not cost.hourly_effective:
        return cost
    hours = cost.compute / cost.hourly_effective
    return Cost(
        monthly=cost.monthly,
        compute=cost.compute,
        compute_list=Decimal(price.list_unit_price * hours),
        hourly_effective=cost.hourly_effective,
        running_share=cost.running_share,
        committed_share=cost.committed_share,
        currency=cost.currency,
        basis=cost.basis,
    )
