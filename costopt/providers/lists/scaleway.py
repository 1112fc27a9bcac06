"""Scaleway: GET /instance/v1/zones/{zone}/products/servers, public; in euros, without VAT.

An object of types by name, in pages. Of a region's zones the cheapest price of a type counts, as a
machine can be had there. Left out are Windows, bare metal, and what is no longer sold. Source:
scaleway.com/en/developers/api/instances ("List Instance types"), Scaleway's SDK
(instance/v1/types).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from costopt import schema
from costopt.model import Shape
from costopt.providers.lists.layout import (
    Asked,
    Item,
    Listing,
    Machine,
    Refused,
    Told,
    card,
    hourly,
    needed,
)
from costopt.providers.lists.transfer import Document, Query
from costopt.units import GIB

_NAME: Final = "Scaleway"
_ZONES: Final = {
    "fr-par": ("fr-par-1", "fr-par-2", "fr-par-3"),
    "it-mil": ("it-mil-1",),
    "nl-ams": ("nl-ams-1", "nl-ams-2", "nl-ams-3"),
    "pl-waw": ("pl-waw-1", "pl-waw-2", "pl-waw-3"),
}
_PER_PAGE: Final = 100
_FAMILY: Final = re.compile(r"(.+?)(?:-[AX]?\d+C-\d+G|-[A-Z]+|-\d+)$")
_ARCHITECTURES: Final = {"x86_64": "x86_64", "arm64": "arm64"}
_SHARED: Final = {
    **dict.fromkeys(("DEV1", "GP1", "PLAY2", "PRO2", "STARDUST1"), True),
    "POP2": False,
}
"""Cost-Optimized and Learning are shared, Production-Optimized is not (Scaleway's documentation,
"Understanding the differences between Instance types")."""


def _read(asked: Asked) -> Iterator[Told]:
    for zone in _ZONES[asked.part]:
        yield from asked.each(_types(asked, zone), lambda one: _machines(one, asked.part))


def _types(asked: Asked, zone: str) -> Iterator[Item]:
    """A type's own name stands beside it, as the key."""
    path = f"/instance/v1/zones/{zone}/products/servers"
    query: Query = {"per_page": _PER_PAGE}

    def following(document: Document, so_far: int) -> Query | None:
        full = len(document.get("servers") or ()) >= _PER_PAGE
        return {**query, "page": so_far + 1} if full else None

    for page in asked.source.pages(path, query, following):
        asked.watch(f"{asked.source.host}{path}", page.size)
        found = page.document.get("servers")
        if not isinstance(found, dict) or not all(isinstance(one, dict) for one in found.values()):
            raise asked.source.failure(path, "not a list of prices: no 'servers'")
        yield from (Item({**one, "name": name}) for name, one in found.items())


def _machines(one: Item, region: str) -> Iterator[Told]:
    name = one.name("name")
    if name.endswith("-WIN") or one.value("baremetal") is True:
        return
    if one.value("end_of_service") is True:
        raise Refused("no longer sold")
    yield Machine(name, {region: hourly(one, "hourly_price", None)}, shape=_shape(one, name))


def _shape(one: Item, name: str) -> Shape | None:
    count, info = int(one.number("gpu") or 0), one.at("gpu_info")
    model = card(info.text("gpu_name").partition("-")[0])
    memory = info.number("gpu_memory")
    if one.value("mig_profile") or (count and not (model and memory)):
        return None  # a part of a card, or one that is not named
    arm = one.text("arch") == "arm64"
    vcpus = needed(one.number("ncpus"), "number of vCPUs")
    bandwidth = one.at("network").number("sum_internet_bandwidth")
    family = _FAMILY.match(name)
    return Shape(
        provider_name=_NAME,
        instance_type=name,
        vcpus=vcpus,
        memory_gib=round(needed(one.number("ram"), "memory") / GIB, 2),
        physical_cores=vcpus if arm else None,  # Ampere Altra runs one thread on a core
        architecture=_ARCHITECTURES.get(one.text("arch")),
        gpu_model=model if count else None,
        gpu_count=count,
        gpu_memory_gib=memory / GIB if count and memory else None,
        network_gbps=bandwidth / 1e9 if bandwidth else None,
        family=family[1] if family else name,
        current_generation=True,
        shared_cpu=_SHARED.get(name.partition("-")[0]),
    )


LISTING: Final = Listing(
    provider_name=_NAME,
    source=schema.SCALEWAY_LIST,
    address="https://api.scaleway.com",
    tells="on demand by region",
    read=_read,
    currencies=("EUR",),
    parts=tuple(_ZONES),
)
