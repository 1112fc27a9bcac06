"""The prices that a collect brings: those of the sizes in use and of their families.

The list says nothing of a single size more quickly than of its region, so a region's list is read
and what is in use is kept: on demand, spot, reservations and savings plans, with and without
Windows. All of it is public and free.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Final, NamedTuple

import pyarrow as pa

from costopt import schema
from costopt.errors import ProviderError
from costopt.model import Price
from costopt.parallel import in_threads
from costopt.pricing import azure_sizes
from costopt.pricing.catalogue import Catalogue
from costopt.pricing.layer import region_key, type_key
from costopt.providers import listed
from costopt.providers.azure.access import Access
from costopt.providers.azure.prices import rows
from costopt.providers.azure.prices.refresh import CHINA, is_chinas
from costopt.providers.azure.prices.source import PATH, Item, RetailPrices
from costopt.providers.azure.settings import AzureSettings
from costopt.providers.base import Problem
from costopt.providers.held import Held
from costopt.units import provider_key

_COLUMNS: Final = ("ProviderName", "RegionId", "x_InstanceType")


class _Use(NamedTuple):
    """What is in use in a region."""

    region: str
    kinds: frozenset[str]  # of the sizes, see _Families


def in_use(
    access: Access,
    resources: pa.Table,
    held: Held,
    settings: AzureSettings,
    problems: list[Problem],
    *,
    now: datetime,
) -> pa.Table:
    """Prices of the sizes among the resources and of their families, in the regions they are in,
    that are new to the lake (schema.PRICES), sorted.

    Where a price of the user's own holds, none is given. What fails becomes a problem.

    Args:
        access: says where the list is, if not with Azure.
        resources: in schema.RESOURCES columns.
        held: what the lake has.
        settings: `currency`, and how often and how much at a time is asked.
        now: when it is asked (UTC). A list holds what is sold today, up to whenever samples go.
    """
    families = _Families()
    uses = _uses(resources, families)
    if not uses:
        return schema.empty(schema.PRICES)
    found: list[Price] = []
    with RetailPrices(access.settings.endpoint, settings.max_attempts) as source:

        def prices(use: _Use) -> tuple[list[Price], list[Problem]]:
            where = f"{use.region} {source.host}{PATH}"
            if is_chinas(use.region):
                return [], [Problem(where, CHINA)]
            try:
                items = _items(source, use, families, settings.currency)
                told = rows.read(items, use.region, settings.currency, now).prices
            except ProviderError as error:
                return [], [Problem(where, error.what, fatal=True)]
            what = f"the list holds no price of the sizes in use, in {settings.currency}"
            return told, [] if told else [Problem(where, what)]

        for some, failures in in_threads(prices, uses, settings.max_concurrency):
            found += some
            problems += failures
    return listed.table(held.sift(found).fresh)


def _uses(resources: pa.Table, families: _Families) -> list[_Use]:
    """By region, sorted."""
    regions: dict[str, set[str]] = {}
    for row in resources.select(_COLUMNS).to_pylist():
        size, region = row["x_InstanceType"], row["RegionId"]
        if size and region and provider_key(row["ProviderName"]) == "azure":
            regions.setdefault(region_key(region), set()).update(families.kinds(size))
    return [_Use(region, frozenset(kinds)) for region, kinds in sorted(regions.items())]


class _Families:
    """Which sizes belong together, whatever their spelling."""

    def __init__(self) -> None:
        self._catalogue = Catalogue.load()

    def kinds(self, size: str) -> set[str]:
        """The size itself and, where it is known or its name tells it, its family."""
        known = self._catalogue.shape(azure_sizes.PROVIDER, size) or azure_sizes.parse(size)
        family = known.family if known else None
        return {type_key(size), f"family {family}"} if family else {type_key(size)}


def _items(source: RetailPrices, use: _Use, families: _Families, currency: str) -> Iterator[Item]:
    for page in source.machines(use.region, currency):
        for item in page.items:
            size = item.get("armSkuName")
            if isinstance(size, str) and use.kinds & families.kinds(size):
                yield item
