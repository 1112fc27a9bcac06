"""Savings Plans rates of a region, from the public offer file (no credentials needed).

The rate is what an hour costs under the plan whatever the way of payment: what is paid upfront is
in it. DescribeSavingsPlansOfferingRates tells the same rates to who has credentials.

Source: AWSComputeSavingsPlan offer file, columns as of September 2025.
"""

from __future__ import annotations

from collections import Counter
from typing import Final

from costopt import schema
from costopt.model import Price
from costopt.providers import listed
from costopt.providers.aws.prices import offer_csv, rows
from costopt.providers.aws.prices.source import OfferFile
from costopt.providers.aws.prices.systems import BY_OPERATION

SOURCE: Final = schema.AWS_SAVINGS_PLANS
_KINDS: Final = {
    "ComputeSavingsPlans": "compute-savings-plan",
    "EC2InstanceSavingsPlans": "instance-savings-plan",
}
WANTED: Final = {
    "DiscountedServiceCode": ("AmazonEC2",),
    "DiscountedOperation": tuple(BY_OPERATION),
    "Product Family": tuple(_KINDS),
    "Unit": ("Hrs",),
}
_COLUMNS: Final = (
    "SKU", "EffectiveDate", "DiscountedRate", "Currency", "DiscountedUsageType", "PurchaseOption",
    "LeaseContractLength", "LeaseContractLengthUnit", "DiscountedRegionCode",
    "DiscountedInstanceType",
)  # fmt: skip


def read(
    file: OfferFile, region: str, progress: offer_csv.Progress
) -> tuple[list[Price], Counter[str]]:
    """The rates of ordinary machines, and rows left out by reason.

    Raises:
        ProviderError: the file is not whole, or not laid out as expected.
    """
    newest = rows.Newest()
    left_out: Counter[str] = Counter()
    for row in offer_csv.rows(file, _COLUMNS, WANTED, progress):
        # DedicatedUsage, UnusedBox, HostUsage are other things under the machine's name.
        if not row["DiscountedUsageType"].split(":")[0].endswith("BoxUsage"):
            continue
        price = _price(row, region)
        if isinstance(price, str):
            left_out[price] += 1
        else:
            newest.add(price, row["EffectiveDate"], row["SKU"])
    return newest.prices(), left_out


def _price(row: dict[str, str], region: str) -> Price | str:
    """The row as a price, or why it is none."""
    name, currency = row["DiscountedInstanceType"], row["Currency"]
    if why := rows.foreign(row["DiscountedRegionCode"], currency, name, region):
        return why
    rate = rows.amount(row["DiscountedRate"])
    if not rate:
        return "no price of an hour" if rate is None else "a price of zero"
    length = rows.years(f"{row['LeaseContractLength']} {row['LeaseContractLengthUnit']}")
    kind = _KINDS[row["Product Family"]]
    term = rows.term(length, row["PurchaseOption"], kind) if length else None
    if term is None:
        return "a term of another kind"
    return Price(
        provider_name=rows.PROVIDER,
        region_id=region,
        instance_type=name,
        list_unit_price=listed.hourly(rate),
        currency=currency,
        pricing_category="Committed",
        operating_system=BY_OPERATION[row["DiscountedOperation"]].name,
        term=term,
        valid_from=rows.day(row["EffectiveDate"]),
        source=SOURCE,
    )
