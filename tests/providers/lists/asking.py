"""A list read from a site of one's own, as its parts give it."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa

from costopt import registry, schema
from costopt.providers.held import Held
from costopt.providers.listed import Memory, Part
from costopt.providers.lists.refresh import Known, lists

NOW = datetime(2026, 11, 20, 9, tzinfo=UTC)


def known(listing: Any, **given: Any) -> Known:
    prices = given.pop("prices", schema.empty(schema.PRICES))
    shapes = given.pop("shapes", schema.empty(schema.SHAPES))
    held = Held(listing.provider_name, prices, shapes)
    rates = given.pop("rates", schema.empty(schema.RATES))
    memory = given.pop("memory", Memory())
    return Known(held, rates, memory, lambda what, size: None, given.pop("now", NOW))


def parts(key: str, currency: str | None = None, **given: Any) -> list[Part]:
    listing = registry.find("price-list", key)
    return list(lists(listing, key, currency or listing.currencies[0], known(listing, **given)))


def part(key: str, currency: str | None = None, **given: Any) -> Part:
    """The only one."""
    (found,) = parts(key, currency, **given)
    return found


def prices(*some: Part) -> dict[tuple[str, str], Decimal]:
    """By region and type, of what is sold on demand."""
    return {
        (row["RegionId"], row["x_InstanceType"]): row["ListUnitPrice"]
        for one in some
        for row in one.prices.to_pylist()
        if row["PricingCategory"] == "Standard"
    }


def shapes(one: Part) -> dict[str, dict[str, Any]]:
    return {row["x_InstanceType"]: row for row in one.shapes.to_pylist()}


def rates(one: Part) -> dict[tuple[str, str | None, float], Decimal]:
    return {
        (row["x_RateKind"], row["RegionId"], row["x_FromGiB"]): row["ListUnitPrice"]
        for row in one.rates.to_pylist()
    }


def table(rows: list[dict[str, Any]], expected: pa.Schema) -> pa.Table:
    return pa.Table.from_pylist(rows, schema=expected)


def rounded(value: Decimal) -> Decimal:
    """As the frame keeps an hour's price: ten decimals."""
    return round(value, 10)
