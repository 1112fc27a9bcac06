"""The prices that a collect brings: those of the sizes in use and of their families.

The list says nothing of a single size more quickly than of its region, so a region's list is read
and what is in use is kept: on demand, spot, reservations and savings plans, with and without
Windows. All of it is public and free.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final, NamedTuple

import pyarrow as pa

from costopt import schema
from costopt.errors import ProviderError
from costopt.model import Price
from costopt.parallel import in_threads
from costopt.pricing import azure_sizes
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
    names: frozenset[str]  # `_kinds` of the sizes


def in_use(
    access: Access,
    resources: pa.Table,
    held: Held,
    settings: AzureSettings,
    problems: list[Problem],
) -> pa.Table:
    """Prices of the sizes among the resources and of their families, in the regions they are in,
    that are new to the lake (schema.PRICES), sorted.

    Where a price of the user's own holds, none is given. What fails becomes a problem.

    Args:
        access: says where the list is, if not with Azure.
        resources: in schema.RESOURCES columns.
        held: what the lake has.
        settings: `currency`, and how often and how much at a time is asked.
    """
    uses = _uses(resources)
    if not uses:
        return schema.empty(schema.PRICES)
    moment = settings.until or datetime.now(UTC)
    found: list[Price] = []
    with RetailPrices(access.settings.endpoint, settings.max_attempts) as source:

        def prices(use: _Use) -> tuple[list[Price], list[Problem]]:
            where = f"{use.region} {source.host}{PATH}"
            if is_chinas(use.region):
                return [], [Problem(where, CHINA)]
            try:
                items = _items(source, use, settings.currency)
                told = rows.read(items, use.region, settings.currency, moment).prices
            except ProviderError as error:
                return [], [Problem(where, error.what, fatal=True)]
            what = f"the list holds no price of the sizes in use, in {settings.currency}"
            return told, [] if told else [Problem(where, what)]

        for some, failures in in_threads(prices, uses, settings.max_concurrency):
            found += some
            problems += failures
    return listed.table(held.sift(found).fresh)


def _uses(resources: pa.Table) -> list[_Use]:
    """By region, sorted."""
    regions: dict[str, set[str]] = {}
    for row in resources.select(_COLUMNS).to_pylist():
        if (
            row["RegionId"]
            and row["x_InstanceType"]
            and provider_key(row["ProviderName"]) == "azure"
        ):
            names = regions.setdefault(region_key(row["RegionId"]), set())
            names |= _kinds(row["x_InstanceType"])
    return [_Use(region, frozenset(names)) for region, names in sorted(regions.items())]


def _kinds(size: str) -> set[str]:
    """By what sizes belong together: the family, where the name tells it, and the size itself."""
    name = azure_sizes.parse(size)
    return {type_key(size)} | ({f"family {name.family}"} if name else set())


def _items(source: RetailPrices, use: _Use, currency: str) -> Iterator[Item]:
    for page in source.machines(use.region, currency):
        for item in page.items:
            size = item.get("armSkuName")
            if isinstance(size, str) and use.names & _kinds(size):
                yield item
