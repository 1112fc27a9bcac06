"""OVHcloud: GET /v1/order/catalog/public/cloud, public; net of VAT, in the subsidiary's currency.

Machines are `addons` of the product publiccloud-instance. Money is in units of 1e-8. Of the plans
of a type the plain hourly one (b3-8.consumption) is what a machine in a region of one zone costs;
the others (.LZ of local zones, .3AZ of regions of three, .monthly) are not taken. Where the hourly
plan does not name its regions, those of another plan of the type hold, else those that costopt's
snapshot has. Region codes with a number are one data centre's (GRA11 is gra). Source:
api.ovh.com/console (order/catalog/public/cloud); fields as Spare Cores and ovh_pricelist read them
(2026).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Final

from costopt import schema
from costopt.model import Shape
from costopt.pricing.catalogue import Catalogue
from costopt.providers.lists.layout import (
    GB_PER_GIB,
    Asked,
    Item,
    Listing,
    Machine,
    Refused,
    Told,
    card,
    is_region,
    needed,
    sound,
)

_NAME: Final = "OVHcloud"
_PATH: Final = "/v1/order/catalog/public/cloud"
_SUBSIDIARIES: Final = {"EUR": "DE", "GBP": "GB", "PLN": "PL"}
_UNIT: Final = Decimal("1e-8")
_PLAN: Final = re.compile(r"(?P<name>[a-z0-9]+(?:-[a-z0-9]+)+)\.consumption")
_CENTRE: Final = re.compile(r"([A-Za-z]{2,3})\d+")
_SHARED: Final = {"d2": True}


def _read(asked: Asked) -> Iterator[Told]:
    query = {"ovhSubsidiary": _SUBSIDIARIES[asked.currency]}
    page = asked.source.page(_PATH, query)
    asked.watch(f"{asked.source.host}{_PATH}", page.size)
    document = Item(page.document)
    if document.at("locale").text("currencyCode") != asked.currency:
        raise asked.source.failure(_PATH, f"not a list of prices in {asked.currency}")
    plans = [one for one in document.each("addons") if _is_machine(one)]
    regions = _regions(plans)
    return asked.each(iter(plans), lambda one: _machines(one, regions))


def _is_machine(plan: Item) -> bool:
    technical = plan.at("blobs").at("technical")
    return (
        plan.text("product") == "publiccloud-instance"
        and technical.at("cpu").value("cores") is not None
    )


def _type(plan: Item) -> str:
    return plan.text("planCode").partition(".")[0]


def _regions(plans: Sequence[Item]) -> dict[str, frozenset[str]]:
    """By type, as its monthly plan has them."""
    return {
        _type(plan): named
        for plan in plans
        if ".monthly" in plan.text("planCode") and (named := _named(plan))
    }


def _named(plan: Item) -> frozenset[str]:
    values = (
        value
        for one in plan.each("configurations")
        if one.text("name") == "region"
        for value in one.texts("values")
    )
    return frozenset(filter(is_region, map(_region, values)))


def _region(code: str) -> str:
    found = _CENTRE.fullmatch(code)
    return (found[1] if found else code).casefold()


def _machines(plan: Item, regions: Mapping[str, frozenset[str]]) -> Iterator[Told]:
    found = _PLAN.fullmatch(plan.text("planCode"))
    technical = plan.at("blobs").at("technical")
    if found is None or technical.at("os").text("family").casefold() == "windows":
        return
    name = found["name"]
    if name.startswith("win-"):
        return
    where = _named(plan) or regions.get(name) or _before(name)
    if not where:
        raise Refused("the list does not name its regions")
    yield Machine(name, dict.fromkeys(sorted(where), _hourly(plan)), shape=_shape(name, technical))


def _before(name: str) -> frozenset[str]:
    """Where costopt's snapshot has the type."""
    return frozenset(one.region_id for one in Catalogue.load().prices(_NAME, name) if one.region_id)


def _hourly(plan: Item) -> Decimal:
    for pricing in plan.each("pricings"):
        if pricing.text("intervalUnit") == "hour" and not pricing.number("commitment"):
            amount = pricing.money("price")
            if amount is not None:
                return sound(amount * _UNIT)
    raise Refused("no price of an hour")


def _shape(name: str, technical: Item) -> Shape | None:
    gpu = technical.at("gpu")
    count, model = int(gpu.number("number") or 0), card(gpu.text("model"))
    memory = gpu.at("memory").number("size")
    if count and not (model and memory):
        return None
    disks = (
        (disk.number("capacity") or 0.0) * (disk.number("number") or 1.0)
        for disk in technical.at("storage").each("disks")
    )
    family = name.rpartition("-")[0]
    return Shape(
        provider_name=_NAME,
        instance_type=name,
        vcpus=needed(technical.at("cpu").number("cores"), "number of vCPUs"),
        memory_gib=needed(technical.at("memory").number("size"), "memory"),
        architecture="x86_64",
        gpu_model=model if count else None,
        gpu_count=count,
        gpu_memory_gib=memory if count else None,
        local_disk_gib=round(sum(disks) / GB_PER_GIB, 1),
        family=family,
        current_generation=True,
        shared_cpu=_SHARED.get(family),
    )


LISTING: Final = Listing(
    provider_name=_NAME,
    source=schema.OVH_LIST,
    address="https://eu.api.ovh.com",
    tells="on demand by region, of one zone",
    read=_read,
    currencies=tuple(_SUBSIDIARIES),
)
