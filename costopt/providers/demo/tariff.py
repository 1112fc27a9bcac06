"""What things cost: machines at the catalogue's list prices, the rest at rates named here."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from functools import cache
from typing import Final

import pyarrow as pa

from costopt import schema
from costopt.errors import ProviderError
from costopt.model import Shape
from costopt.pricing.catalogue import Catalogue
from costopt.providers.demo.company import SITES

_SOURCE: Final = "demo: Windrose Travel's own data centre, internal showback"
_SINCE: Final = date(2026, 1, 1)

# Host classes of the company's own data centre: vCPUs, GiB, USD an hour. The rates are made up,
# about half of a cloud's on-demand price; every class costs the same per vCPU and GiB.
_HOSTS: Final[Mapping[str, tuple[int, int, str]]] = {
    "cpu.4c8g": (4, 8, "0.072"),
    "cpu.8c16g": (8, 16, "0.144"),
    "mem.4c32g": (4, 32, "0.144"),
    "mem.8c64g": (8, 64, "0.288"),
    "std.2c8g": (2, 8, "0.048"),
    "std.4c16g": (4, 16, "0.096"),
    "std.8c32g": (8, 32, "0.192"),
    "std.16c64g": (16, 64, "0.384"),
}

# Public rates of the providers' price pages, rounded, to make a believable bill; nothing is
# advised from them. Disks: USD a GiB-month (gp3, pd-balanced, Premium SSD).
DISK: Final[Mapping[str, Decimal]] = {
    "us-east-1": Decimal("0.08"),
    "us-west-1": Decimal("0.096"),
    "us-west-2": Decimal("0.08"),
    "eu-central-2": Decimal("0.1047"),
    "eu-west-1": Decimal("0.088"),
    "us-central1": Decimal("0.10"),
    "europe-west4": Decimal("0.11"),
    "eastus": Decimal("0.135"),
    "westeurope": Decimal("0.15"),
    "ams-dc1": Decimal("0.05"),
}
ADDRESS: Final[Mapping[str, Decimal]] = {  # USD an hour, reserved and unused
    "AWS": Decimal("0.005"),
    "GCP": Decimal("0.01"),
    "Azure": Decimal("0.005"),
}
TRANSFER: Final[Mapping[str, Decimal]] = {  # USD a GB to the internet
    "AWS": Decimal("0.09"),
    "GCP": Decimal("0.12"),
    "Azure": Decimal("0.08"),
}
BETWEEN_REGIONS: Final[Mapping[str, Decimal]] = {"AWS": Decimal("0.02")}  # USD a GB
BETWEEN_ZONES: Final[Mapping[str, Decimal]] = {"AWS": Decimal("0.01")}  # USD a GB, on each side
WINDOWS: Final = Decimal("0.046")  # USD a vCPU-hour; Google Cloud bills it as a line of its own
CONTRACT: Final[Mapping[str, Decimal]] = {"Azure": Decimal("0.95")}
"""Contracted share of list price on machines, by provider: a negotiated discount."""


def onprem_prices() -> pa.Table:
    """The data centre's rates (schema.PRICES); the catalogue cannot know them."""
    rows = [
        {
            "ProviderName": "OnPrem",
            "RegionId": SITES["ams"].region,
            "x_InstanceType": name,
            "PricingCategory": "Standard",
            "ListUnitPrice": Decimal(hourly),
            "PricingCurrency": "USD",
            "x_ValidFrom": _SINCE,
            "x_Source": _SOURCE,
        }
        for name, (_, _, hourly) in _HOSTS.items()
    ]
    return pa.Table.from_pylist(rows, schema=schema.PRICES)


def onprem_shapes() -> pa.Table:
    """The data centre's host classes (schema.SHAPES)."""
    rows = [
        {
            "ProviderName": "OnPrem",
            "x_InstanceType": name,
            "x_vCPUs": float(vcpus),
            "x_PhysicalCores": vcpus / 2,
            "x_MemoryGiB": float(memory_gib),
            "x_Architecture": "x86_64",
            "x_NetworkGbps": 10.0,
            "x_LocalDiskGiB": 0.0,
            "x_Family": name.partition(".")[0],
            "x_CurrentGeneration": True,
            "x_ValidFrom": _SINCE,
            "x_Source": _SOURCE,
        }
        for name, (vcpus, memory_gib, _) in _HOSTS.items()
    ]
    return pa.Table.from_pylist(rows, schema=schema.SHAPES)


@cache
def _catalogue() -> Catalogue:
    return Catalogue.load(onprem_prices(), onprem_shapes())


@cache
def shape(provider: str, instance_type: str) -> Shape:
    """What that machine type is.

    Raises:
        ProviderError: the catalogue has lost a type that the demo uses.
    """
    found = _catalogue().shape(provider, instance_type)
    if found is None:
        raise ProviderError(f"the catalogue has no {provider} type {instance_type}")
    return found


@cache
def hourly(provider: str, region: str, instance_type: str, *, spot: bool = False) -> Decimal:
    """List price of one Linux machine for an hour, USD; spot: the catalogue's spot price.

    Raises:
        ProviderError: the catalogue has lost a price that the demo uses.
    """
    category = "Dynamic" if spot else "Standard"
    found = _catalogue().price(provider, region, instance_type, pricing_category=category)
    if found is None:
        raise ProviderError(f"the catalogue has no {category} price of {instance_type} in {region}")
    return found.list_unit_price.normalize()
