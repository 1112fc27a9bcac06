"""DigitalOcean: GET /v2/sizes, with a token (read is enough).

A month costs at most its monthly price. Source: docs.digitalocean.com/reference/api ("List All
Droplet Sizes").
"""

from __future__ import annotations

from collections.abc import Iterator
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
    card,
    hourly,
    is_region,
    needed,
    numbered,
)
from costopt.providers.lists.transfer import Document, Query

_NAME: Final = "DigitalOcean"
_QUERY: Final[Query] = {"per_page": 200}


def _is_last(document: Document, so_far: int) -> bool:
    return not Item(document).at("links").at("pages").text("next")


def _read(asked: Asked) -> Iterator[Told]:
    sizes = asked.items("/v2/sizes", "sizes", _QUERY, numbered(_is_last, _QUERY))
    return asked.each(sizes, _machines)


def _machines(size: Item) -> Iterator[Told]:
    if size.value("available") is False:
        return
    price = hourly(size, "price_hourly", "price_monthly")
    regions = [region for region in size.texts("regions") if is_region(region)]
    yield Machine(size.name("slug"), dict.fromkeys(regions, price), shape=_shape(size))


def _shape(size: Item) -> Shape | None:
    slug, gpu = size.name("slug"), size.at("gpu_info")
    count, memory = int(gpu.number("count") or 0), gpu.at("vram").number("amount")
    model = card(gpu.text("model").replace("_", " "))
    if size.value("gpu_info") and not (count and model and memory):
        return None
    return Shape(
        provider_name=_NAME,
        instance_type=slug,
        vcpus=needed(size.number("vcpus"), "number of vCPUs"),
        memory_gib=needed(size.number("memory"), "memory") / MIB_PER_GIB,
        architecture="x86_64",
        gpu_model=model if count else None,
        gpu_count=count,
        gpu_memory_gib=memory if count else None,
        local_disk_gib=round((size.number("disk") or 0.0) / GB_PER_GIB, 1),
        family=slug.partition("-")[0],
        current_generation=True,
        shared_cpu=slug.startswith("s-"),  # Basic Droplets; all others have CPUs of their own
    )


LISTING: Final = Listing(
    provider_name=_NAME,
    source=schema.DIGITALOCEAN_LIST,
    address="https://api.digitalocean.com",
    tells="on demand by region",
    read=_read,
    tokens=("DIGITALOCEAN_TOKEN", "DIGITALOCEAN_ACCESS_TOKEN"),
)
