"""Price and shape tables for tests, from the few figures that matter."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

import pyarrow as pa

from costopt import schema


def price(kind: str, hourly: str, **more: Any) -> dict[str, Any]:
    """One row of schema.PRICES: on-demand, in USD, of every region and system."""
    return {
        "ProviderName": "Generic",
        "x_InstanceType": kind,
        "PricingCategory": "Standard",
        "ListUnitPrice": Decimal(hourly),
        "PricingCurrency": "USD",
        **more,
    }


def prices(*rows: dict[str, Any]) -> pa.Table:
    return pa.Table.from_pylist(list(rows), schema=schema.PRICES)


def shapes(*rows: dict[str, Any]) -> pa.Table:
    return pa.Table.from_pylist(
        [{"ProviderName": "Generic", **row} for row in rows], schema=schema.SHAPES
    )


SIZES = (1, 2, 4, 8, 16, 32, 64)


def ladder(sizes: Iterable[int] = SIZES, rate: str = "0.04") -> tuple[pa.Table, pa.Table]:
    """The generic ladder g1 .. g64: price proportional to vCPUs, memory unknown."""
    return (
        prices(*(price(f"g{n}", str(Decimal(rate) * n)) for n in sizes)),
        shapes(*({"x_InstanceType": f"g{n}", "x_vCPUs": float(n)} for n in sizes)),
    )
