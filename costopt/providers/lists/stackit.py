"""STACKIT: GET /v1/skus of its product information, public.

An item names its region, the machine type (`attributes.flavor`) and the price of a unit and of a
month, in text. That the unit is an hour is taken from the two together: a month is some 720 or 730
of them. Machines kept in several zones at once (`attributes.metro`) cost more, and are left out.
Source: pim.api.stackit.cloud; fields as stackit-pricing and SWAO read them (2026).
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Final

from costopt import schema
from costopt.providers.lists.layout import (
    Asked,
    Item,
    Listing,
    Machine,
    Refused,
    Told,
    hourly,
    is_region,
)

_MONTHS: Final = (Decimal(670), Decimal(745))  # hours of the shortest month and of the longest
_PRODUCTS: Final = ("Server", "GPU Server")


def _read(asked: Asked) -> Iterator[Told]:
    return asked.each(
        asked.items("/v1/skus", "services"), lambda one: _machines(one, asked.currency)
    )


def _machines(one: Item, currency: str) -> Iterator[Told]:
    if one.text("product") not in _PRODUCTS or one.text("deprecated").casefold() == "yes":
        return
    attributes = one.at("attributes")
    if str(attributes.value("metro")).casefold() == "true":
        return
    if one.text("currency") != currency:
        raise Refused(f"not in {currency}")
    region = one.text("region").casefold()
    if not is_region(region):
        raise Refused("no region's name")
    price, month = hourly(one, "price", None), one.money("monthlyPrice")
    if month is None or not price * _MONTHS[0] <= month <= price * _MONTHS[1]:
        raise Refused("no price of an hour")
    yield Machine(attributes.name("flavor"), {region: price})


LISTING: Final = Listing(
    provider_name="STACKIT",
    source=schema.STACKIT_LIST,
    address="https://pim.api.stackit.cloud",
    tells="on demand by region, in one zone",
    read=_read,
    currencies=("EUR",),
)
