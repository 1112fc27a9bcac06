"""Single prices by GetProducts: for a type or two, where a region's whole file would be too much.

Free of charge. Source: AWS Price List Query API, GetProducts.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from costopt.model import Price
from costopt.providers import listed
from costopt.providers.aws.access import Account
from costopt.providers.aws.prices import ec2, rows
from costopt.providers.aws.prices.systems import System

_ENDPOINTS: Final = {"aws": "us-east-1", "cn": "cn-northwest-1"}
_ASKED: Final = {"tenancy": "Shared", "capacitystatus": "Used", "preInstalledSw": "NA"}


def price(account: Account, instance_type: str, region: str, system: System) -> Price | None:
    """The on-demand price of an hour; None where the list has none.

    Raises:
        ClientError, BotoCoreError: AWS does not say.
    """
    asked = _ASKED | {
        "instanceType": instance_type,
        "regionCode": region,
        "operation": system.operation,
    }
    client = account.client("pricing", _ENDPOINTS["cn" if region.startswith("cn-") else "aws"])
    pages = client.get_paginator("get_products").paginate(
        ServiceCode="AmazonEC2",
        FormatVersion="aws_v1",
        Filters=[
            {"Type": "TERM_MATCH", "Field": name, "Value": value} for name, value in asked.items()
        ],
    )
    newest = rows.Newest()
    for page in pages:
        for text in page["PriceList"]:
            for found, effective, sku in _offers(text, asked, system):
                newest.add(found, effective, sku)
    return next(iter(newest.prices()), None)


def _offers(
    text: str, asked: Mapping[str, str], system: System
) -> Iterator[tuple[Price, str, str]]:
    """On-demand prices of a product, with when they took effect and its SKU.

    What does not hold what was asked for is passed over: filters of this API have been known to
    be taken loosely.
    """
    offer = json.loads(text)
    product = offer["product"]
    attributes: Mapping[str, str] = product["attributes"]
    usage = attributes.get("usagetype", "").split(":")[0]
    if not usage.endswith("BoxUsage") or any(
        attributes.get(name) != value for name, value in asked.items()
    ):
        return
    for term in offer["terms"].get("OnDemand", {}).values():
        for rate in term["priceDimensions"].values():
            found = _price(asked, system, term["effectiveDate"], rate)
            if found is not None:
                yield found, term["effectiveDate"], product["sku"]


def _price(
    asked: Mapping[str, str], system: System, effective: str, rate: Mapping[str, Any]
) -> Price | None:
    currency = rows.currency_of(asked["regionCode"])
    value = rows.amount(rate["pricePerUnit"].get(currency, ""))
    if not value or rate["unit"] != "Hrs":
        return None
    return Price(
        provider_name=rows.PROVIDER,
        region_id=asked["regionCode"],
        instance_type=asked["instanceType"],
        list_unit_price=listed.hourly(value),
        currency=currency,
        pricing_category="Standard",
        operating_system=system.name,
        valid_from=rows.day(effective),
        source=ec2.SOURCE,
    )
