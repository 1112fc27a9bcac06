"""Linode (Akamai): GET /v4/linode/types, /v4/regions, /v4/volumes/types and
/v4/network-transfer/prices, all public.

A month costs at most its monthly price; a plan without one is billed by the hour. `region_prices`
has what differs in a region. A type is sold in the regions that have its capability. Of traffic,
the allowance that comes with each machine differs by type and is not counted. Source:
techdocs.akamai.com/ linode-api ("List types", "List regions", "List volume types", "List network
transfer prices").
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from typing import Final

from costopt import schema
from costopt.model import RateKind, Shape
from costopt.providers.lists.layout import (
    MIB_PER_GIB,
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

_NAME: Final = "Linode"
_QUERY: Final[Query] = {"page_size": 500}
_CAPABILITIES: Final = {
    "gpu": "GPU Linodes",
    "premium": "Premium Plans",
    "accelerated": "NETINT Quadra T1U",
}
_SHARED: Final = {"nanode": True, "standard": True, "dedicated": False, "premium": False}


def _is_last(document: Document, so_far: int) -> bool:
    pages = document.get("pages")
    return not isinstance(pages, int) or so_far >= pages


def _list(asked: Asked, path: str) -> Iterator[Item]:
    return asked.items(path, "data", _QUERY, numbered(_is_last, _QUERY))


def _read(asked: Asked) -> Iterator[Told]:
    regions = [
        (region.text("id"), frozenset(region.texts("capabilities")))
        for region in _list(asked, "/v4/regions")
        if is_region(region.text("id")) and region.text("site_type") in ("", "core")
    ]
    yield from asked.each(_list(asked, "/v4/linode/types"), lambda one: _machines(one, regions))
    yield from asked.each(_list(asked, "/v4/volumes/types"), _storage)
    yield from asked.each(_list(asked, "/v4/network-transfer/prices"), _traffic)


def _machines(one: Item, regions: Sequence[tuple[str, frozenset[str]]]) -> Iterator[Told]:
    capability = _CAPABILITIES.get(one.text("class"), "Linodes")
    where = [region for region, capabilities in regions if capability in capabilities]
    prices = _by_region(one, lambda price: hourly(price, "hourly", "monthly"))
    usual = prices.pop(None)
    hours = {region: prices.get(region, usual) for region in where}
    yield Machine(one.name("id"), hours, shape=_shape(one))


def _by_region(one: Item, read: Callable[[Item], Decimal]) -> dict[str | None, Decimal]:
    """Prices by region; None = elsewhere."""
    found: dict[str | None, Decimal] = {None: read(one.at("price"))}
    return found | {region.text("id"): read(region) for region in one.each("region_prices")}


def _shape(one: Item) -> Shape | None:
    family = one.text("class")
    if one.number("gpus") or one.number("accelerated_devices"):
        return None  # the card stands in the label only, and its memory nowhere
    network = one.number("network_out")
    return Shape(
        provider_name=_NAME,
        instance_type=one.name("id"),
        vcpus=needed(one.number("vcpus"), "number of vCPUs"),
        memory_gib=needed(one.number("memory"), "memory") / MIB_PER_GIB,
        architecture="x86_64",
        network_gbps=network / 1000 if network else None,
        local_disk_gib=(one.number("disk") or 0.0) / MIB_PER_GIB,
        family=one.name("id").rpartition("-")[0] or None,
        current_generation=not one.text("successor"),
        shared_cpu=_SHARED.get(family),
    )


def _storage(one: Item) -> Iterator[Told]:
    if one.text("id") == "volume":
        yield from _charges(one, RateKind.BLOCK_STORAGE, "monthly")


def _traffic(one: Item) -> Iterator[Told]:
    if one.text("id") == "network_transfer":
        yield from _charges(
            one, RateKind.EGRESS_INTERNET, "hourly"
        )  # of a GB: a misnomer of theirs


def _charges(one: Item, kind: RateKind, name: str) -> Iterator[Told]:
    def amount(price: Item) -> Decimal:
        found = price.money(name)
        if found is None:
            raise Refused("no rate")
        return found

    for region, price in _by_region(one, amount).items():
        if region is None or is_region(region):
            yield Charge(kind, price, region)


LISTING: Final = Listing(
    provider_name=_NAME,
    source=schema.LINODE_LIST,
    address="https://api.linode.com",
    tells="on demand by region, volumes and traffic",
    read=_read,
)
