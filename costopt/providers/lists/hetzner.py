"""Hetzner Cloud: GET /v1/server_types and /v1/pricing, with a token (read is enough); net of VAT.

Prices are by location. A month costs at most its monthly price. Traffic beyond what comes with each
server is charged by the TB (of 1,024 GiB); the allowance is taken as for one server, the least of
its location. Source: docs.hetzner.cloud ("Server Types", "Pricing").
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from decimal import Decimal
from typing import Final

from costopt import schema
from costopt.model import RateKind, Shape
from costopt.providers.lists.layout import (
    GB_PER_GIB,
    Asked,
    Charge,
    Item,
    Listing,
    Machine,
    Refused,
    Told,
    hourly,
    is_region,
    needed,
    numbered,
)
from costopt.providers.lists.transfer import Document, Query
from costopt.units import GIB

_NAME: Final = "Hetzner"
_QUERY: Final[Query] = {"per_page": 50}
_GIB_PER_TB: Final = 1024
_ARCHITECTURES: Final = {"x86": "x86_64", "arm": "arm64"}


def _is_last(document: Document, so_far: int) -> bool:
    return not Item(document).at("meta").at("pagination").number("next_page")


def _read(asked: Asked) -> Iterator[Told]:
    pricing = Item(asked.source.page("/v1/pricing", {}).document).at("pricing")
    if pricing.text("currency") != asked.currency:
        raise asked.source.failure("/v1/pricing", f"not a list of prices in {asked.currency}")
    types = list(
        asked.items("/v1/server_types", "server_types", _QUERY, numbered(_is_last, _QUERY))
    )
    yield from asked.each(iter(types), _machines)
    yield from asked.each(iter([pricing]), _storage)
    yield from _traffic(types)


def _machines(one: Item) -> Iterator[Told]:
    if one.value("deprecated") is True:
        raise Refused("no longer sold")
    prices = {
        price.text("location"): hourly(_net(price), "hour", "month")
        for price in one.each("prices")
        if is_region(price.text("location"))
    }
    yield Machine(one.name("name"), prices, shape=_shape(one))


def _net(price: Item) -> Item:
    """Its amounts without VAT."""
    hour, month = (price.at(name).value("net") for name in ("price_hourly", "price_monthly"))
    return Item({"hour": hour, "month": month})


def _shape(one: Item) -> Shape:
    name, vcpus = one.name("name"), needed(one.number("cores"), "number of vCPUs")
    arm = one.text("architecture") == "arm"
    return Shape(
        provider_name=_NAME,
        instance_type=name,
        vcpus=vcpus,
        memory_gib=needed(one.number("memory"), "memory"),
        physical_cores=vcpus if arm else None,  # Ampere Altra runs one thread on a core
        architecture=_ARCHITECTURES.get(one.text("architecture")),
        local_disk_gib=round((one.number("disk") or 0.0) / GB_PER_GIB, 1),
        family=name.rstrip("0123456789"),
        current_generation=True,
        shared_cpu={"shared": True, "dedicated": False}.get(one.text("cpu_type")),
    )


def _storage(pricing: Item) -> Iterator[Told]:
    amount = pricing.at("volume").at("price_per_gb_month").money("net")
    if amount is None:
        raise Refused("no rate of volumes")
    yield Charge(RateKind.BLOCK_STORAGE, amount)


def _traffic(types: list[Item]) -> Iterator[Told]:
    """What is included, and what a GiB beyond it costs, by location."""
    included: dict[str, list[float]] = defaultdict(list)
    rates: dict[str, list[Decimal]] = defaultdict(list)
    for price in (price for one in types for price in one.each("prices")):
        location, allowance = price.text("location"), price.number("included_traffic")
        rate = _rate(price)
        if is_region(location) and allowance is not None and rate is not None:
            included[location].append(allowance / GIB)
            rates[location].append(rate)
    for location in sorted(rates):
        allowance = min(included[location])
        if allowance:
            yield Charge(RateKind.EGRESS_INTERNET, Decimal(0), location)
        yield Charge(
            RateKind.EGRESS_INTERNET, max(rates[location]), location, Decimal(str(allowance))
        )


def _rate(price: Item) -> Decimal | None:
    try:
        amount = price.at("price_per_tb_traffic").money("net")
    except Refused:  # told of the type's price already, where that is no amount either
        return None
    return None if amount is None else amount / _GIB_PER_TB


LISTING: Final = Listing(
    provider_name=_NAME,
    source=schema.HETZNER_LIST,
    address="https://api.hetzner.cloud",
    tells="on demand by location, volumes and traffic",
    read=_read,
    currencies=("EUR", "USD"),
    tokens=("HCLOUD_TOKEN",),
)
