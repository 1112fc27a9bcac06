"""Exoscale: GET /api/pricing/opencompute, public; what its own price page asks.

An object of prices an hour for each of three currencies, under keys like `running_cpu_extra_large`
(cpu.extra-large); those without a family are standard. It has no zones: prices are the same in all,
and are taken in those that costopt's snapshot has. It says nothing of the machines themselves.
Source: exoscale.com/pricing; keys as the cost tools of SUSE and others read them (2026).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from costopt import schema
from costopt.pricing.catalogue import Catalogue
from costopt.providers.lists.layout import Asked, Item, Listing, Machine, Refused, Told, hourly

_NAME: Final = "Exoscale"
_PATH: Final = "/api/pricing/opencompute"
_KEY: Final = re.compile(
    r"running_(?:(?P<family>[a-z0-9]+)_)?"
    r"(?P<size>micro|tiny|small|medium|large|extra_large|huge|mega|titan|jumbo|colossus)"
)


def _read(asked: Asked) -> Iterator[Told]:
    page = asked.source.page(_PATH, {})
    asked.watch(f"{asked.source.host}{_PATH}", page.size)
    told = page.document.get(asked.currency.lower())
    if not isinstance(told, dict):
        raise asked.source.failure(_PATH, f"not a list of prices: none in {asked.currency}")
    zones = Catalogue.load().regions(_NAME)
    keys = (Item({"key": key, "price": told[key]}) for key in sorted(told))
    return asked.each(keys, lambda one: _machines(one, zones))


def _machines(one: Item, zones: tuple[str, ...]) -> Iterator[Told]:
    found = _KEY.fullmatch(one.text("key"))
    if found is None:  # disks, addresses, licences
        return
    family = found["family"] or "standard"
    if family.startswith("gpu"):
        raise Refused("GPU machines, of which the list does not say where")
    price = hourly(one, "price", None)
    name = f"{family}.{found['size'].replace('_', '-')}"
    yield Machine(name, dict.fromkeys(zones, price))


LISTING: Final = Listing(
    provider_name=_NAME,
    source=schema.EXOSCALE_LIST,
    address="https://portal.exoscale.com",
    tells="on demand, the same in every zone",
    read=_read,
    currencies=("EUR", "CHF", "USD"),
)
