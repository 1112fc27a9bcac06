"""Many regions at once have what each has by itself, whoever's prices stand above."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest

from costopt import schema
from costopt.pricing.catalogue import Catalogue


def own(*rows: dict[str, Any]) -> pa.Table:
    common = {"ProviderName": "AWS", "PricingCategory": "Standard", "PricingCurrency": "USD"}
    return pa.Table.from_pylist([{**common, **row} for row in rows], schema=schema.PRICES)


def price(name: str, hourly: str, region: str | None = None, **more: Any) -> dict[str, Any]:
    listed = {"x_InstanceType": name, "ListUnitPrice": Decimal(hourly), "RegionId": region}
    return {**listed, **more}


MINE = own(
    price("m5.large", "0.09", "us-east-1"),
    price("m5.large", "0.08"),  # everywhere
    price("m5.xlarge", "0.18", "us-east-1", x_OperatingSystem="Linux"),
    price("m5.xlarge", "0.17", "us-east-1"),  # of any system: behind Linux's own
    price("m5.2xlarge", "0.30", "us-east-1", x_OperatingSystem="Windows"),
    price("m5.4xlarge", "0.60", "us-east-1", PricingCategory="Dynamic"),
    price("c5.large", "0.08", "eu-west-1", PricingCurrency="EUR"),
)
LEFT = pa.Table.from_pylist(
    [
        {"ProviderName": "AWS", "x_InstanceType": "r5.large", "x_vCPUs": 2.0, "x_MemoryGiB": 16.0,
         "x_NotOfferedIn": "us-east-1"},
    ],
    schema=schema.SHAPES,
)  # fmt: skip


@pytest.mark.parametrize("extra", [(None, None), (MINE, LEFT)], ids=["built-in", "own above"])
@pytest.mark.parametrize(("provider", "currency"), [("aws", "USD"), ("aws", "EUR"), ("gcp", "USD")])
def test_as_the_market_of_each(
    provider: str, currency: str, extra: tuple[pa.Table | None, pa.Table | None]
) -> None:
    catalogue = Catalogue.load(*extra)
    regions = (*catalogue.regions(provider)[:6], "us-east-1")
    regions = tuple(dict.fromkeys(regions))
    found = catalogue.listing(provider, regions, currency)
    told: dict[tuple[str, str], tuple[Any, ...]] = {}
    for position, (shape, region, day) in enumerate(
        zip(found.shape.tolist(), found.region.tolist(), found.days.tolist(), strict=True)
    ):
        one = found.price(position) if position % 40 == 0 else None
        key = (regions[region], found.shapes[shape].instance_type)
        told[key] = (float(found.hourly[position]), day, one)
    expected = 0
    for region in regions:
        market = catalogue.market(provider, region, currency=currency)
        for shape_, listed in zip(market.shapes, market.prices, strict=True):
            hourly, day, one = told[region, shape_.instance_type]
            assert hourly == pytest.approx(float(listed.list_unit_price))
            assert one is None or one == listed
            assert (day != day) == (listed.valid_from is None)
            expected += 1
    assert expected == len(told)


def test_what_cannot_be_had_there_is_not_listed() -> None:
    found = Catalogue.load(None, LEFT).listing("aws", ("us-east-1", "us-west-2"), "USD")
    at = [
        found.region[position]
        for position in range(len(found.row))
        if found.shapes[found.shape[position]].instance_type == "r5.large"
    ]
    assert at == [1]


def test_nobody_sells_anything() -> None:
    assert not len(Catalogue.load().listing("aws", ("nowhere",), "USD").row)
    assert not len(Catalogue.load().listing("nobody", ("nowhere",), "USD").row)
