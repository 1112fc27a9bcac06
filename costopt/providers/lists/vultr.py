"""Vultr: GET /v2/plans, public.

An hour costs 1/672 of the month's price, and no more than 672 hours of a month are charged, so a
machine that runs all month costs 1/730 of it an hour; a plan that is billed by the hour only says
so (`invoice_type`). `location_cost` has what differs at a location. Source: vultr.com/api, "List
Plans"; fields not in it as gpuhunt and Spare Cores read them (2026).
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Final

from costopt import schema
from costopt.model import Shape
from costopt.providers.lists.layout import (
    GB_PER_GIB,
    MIB_PER_GIB,
    Asked,
    Item,
    Listing,
    Machine,
    Told,
    hourly,
    is_region,
    needed,
)
from costopt.providers.lists.transfer import Document, Query

_NAME: Final = "Vultr"
_PATH: Final = "/v2/plans"
_QUERY: Final[Query] = {"type": "all", "per_page": 500}
_SHARED: Final = {"vc2": True, "vhf": True, "vhp": True, "vdc": False, "voc": False}
"""By `type`: Cloud Compute, High Frequency and High Performance share CPUs (docs.vultr.com)."""


def _next(document: Document, so_far: int) -> Query | None:
    cursor = Item(document).at("meta").at("links").text("next")
    return {**_QUERY, "cursor": cursor} if cursor else None


def _read(asked: Asked) -> Iterator[Told]:
    return asked.each(asked.items(_PATH, "plans", _QUERY, _next), _machines)


def _machines(plan: Item) -> Iterator[Told]:
    if plan.value("deploy_ondemand") is not False:
        yield Machine(plan.name("id"), _prices(plan, ""), shape=_shape(plan))
    if plan.value("deploy_preemptible") is True:
        yield Machine(plan.name("id"), _prices(plan, "_preemptible"), "Dynamic", _shape(plan))


def _prices(plan: Item, suffix: str) -> dict[str, Decimal]:
    capped = None if plan.text("invoice_type") == "hourly" else f"monthly_cost{suffix}"
    costs = plan.at("location_cost")
    return {
        region: hourly(_here(plan, costs.at(region)), f"hourly_cost{suffix}", capped)
        for region in plan.texts("locations")
        if is_region(region)
    }


def _here(plan: Item, location: Item) -> Item:
    return location if location.value("monthly_cost") is not None else plan


def _shape(plan: Item) -> Shape | None:
    family = plan.text("type")
    if family == "vcg":  # of a GPU machine it does not say how many cards, of how much memory
        return None
    disk = (plan.number("disk") or 0.0) * (plan.number("disk_count") or 1.0)
    return Shape(
        provider_name=_NAME,
        instance_type=plan.name("id"),
        vcpus=needed(plan.number("vcpu_count"), "number of vCPUs"),
        memory_gib=needed(plan.number("ram"), "memory") / MIB_PER_GIB,
        architecture="arm64" if plan.text("cpu_vendor") in ("Ampere", "ARM") else "x86_64",
        local_disk_gib=round(disk / GB_PER_GIB, 1) if disk > 1 else 0.0,  # 1 = block storage
        family=family or None,
        current_generation=True,
        shared_cpu=_SHARED.get(family),
    )


LISTING: Final = Listing(
    provider_name=_NAME,
    source=schema.VULTR_LIST,
    address="https://api.vultr.com",
    tells="on demand and preemptible, by location",
    read=_read,
)
