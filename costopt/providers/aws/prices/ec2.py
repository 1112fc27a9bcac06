"""The EC2 offer file of a region: on-demand prices, reserved terms, and what the types are.

Of more than a thousand rows a type only few are prices of an ordinary machine. Left out are
dedicated tenancy, hosts, reserved and unused capacity, machines with software or with one's own
licence on top, and everything that is no machine.

Source: AmazonEC2 offer file, columns as of September 2025.
"""

from __future__ import annotations

import sys
from collections import Counter
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final

from costopt import schema
from costopt.model import Price
from costopt.providers import listed
from costopt.providers.aws.prices import offer_csv, rows, specs
from costopt.providers.aws.prices.source import OfferFile
from costopt.providers.aws.prices.systems import BY_OPERATION

SOURCE: Final = schema.AWS_LIST
WANTED: Final = {
    "TermType": ("OnDemand", "Reserved"),
    "Tenancy": ("Shared",),
    "CapacityStatus": ("Used",),
    "Pre Installed S/W": ("NA",),
    "operation": tuple(BY_OPERATION),
    "Product Family": ("Compute Instance", "Compute Instance (bare metal)"),
    "License Model": ("No License required",),
}
_PRICE: Final = (
    "SKU", "OfferTermCode", "EffectiveDate", "Unit", "PricePerUnit", "Currency",
    "LeaseContractLength", "PurchaseOption", "OfferingClass", "usageType", "Region Code",
)  # fmt: skip
_SHAPE: Final = (
    "Instance Type", "Current Generation", "Instance Family", "vCPU", "Physical Processor",
    "Memory", "Storage", "Network Performance", "GPU", "Physical Cores",
)  # fmt: skip
_KINDS: Final = {"standard": "", "convertible": "convertible"}
Row = dict[str, str]


@dataclass
class Offered:
    """What one file gave."""

    published: str
    prices: list[Price] = field(default_factory=list)
    shapes: dict[str, dict[str, Any]] = field(default_factory=dict)  # by type
    left_out: Counter[str] = field(default_factory=Counter)  # rows that cannot be read, by reason


@dataclass
class _Reserved:
    """A reserved term of one product: its two rows stand apart in the file."""

    row: Row
    parts: dict[str, Decimal] = field(default_factory=dict)  # by unit: Quantity (upfront), Hrs


def read(file: OfferFile, region: str, progress: offer_csv.Progress) -> Offered:
    """The prices and shapes of a region's file, in memory of the rows kept.

    Raises:
        ProviderError: the file is not whole, or not laid out as expected.
    """
    offered = Offered(file.published)
    newest = rows.Newest()
    terms: dict[tuple[str, str], _Reserved] = {}
    for row in offer_csv.rows(file, (*_PRICE, *_SHAPE), WANTED, progress):
        if reason := _unfit(row, region):
            offered.left_out[reason] += 1
        elif not row["usageType"].split(":")[0].endswith("BoxUsage"):
            continue  # surcharges and other things under the machine's name
        elif row["TermType"] == "OnDemand":
            newest.add(_price(row, Decimal(row["PricePerUnit"])), row["EffectiveDate"], row["SKU"])
            _describe(offered, row)
        else:
            term = terms.setdefault((row["SKU"], row["OfferTermCode"]), _Reserved(_slim(row)))
            term.parts[row["Unit"]] = Decimal(row["PricePerUnit"])
    for reserved in terms.values():
        price = _settled(reserved)
        if isinstance(price, str):
            offered.left_out[price] += 1
        else:
            newest.add(price, reserved.row["EffectiveDate"], reserved.row["SKU"])
    offered.prices = newest.prices()
    return offered


def _slim(row: Row) -> Row:
    """What a price needs of a row, each text kept once: there are tens of thousands of them."""
    return {name: sys.intern(row[name]) for name in (*_PRICE, "Instance Type", "operation")}


def _unfit(row: Row, region: str) -> str:
    """Why a row cannot be taken; "" = it can."""
    if why := rows.foreign(row["Region Code"], row["Currency"], row["Instance Type"], region):
        return why
    price, reserved = rows.amount(row["PricePerUnit"]), row["TermType"] == "Reserved"
    if price is None or row["Unit"] not in (("Hrs", "Quantity") if reserved else ("Hrs",)):
        return "no price of an hour"
    return "a price of zero" if not price and not reserved else ""


def _price(row: Row, hourly: Decimal, term: str | None = None) -> Price:
    return Price(
        provider_name=rows.PROVIDER,
        region_id=row["Region Code"],
        instance_type=row["Instance Type"],
        list_unit_price=listed.hourly(hourly),
        currency=row["Currency"],
        pricing_category="Committed" if term else "Standard",
        operating_system=BY_OPERATION[row["operation"]].name,
        term=term,
        valid_from=rows.day(row["EffectiveDate"]),
        source=SOURCE,
    )


def _describe(offered: Offered, row: Row) -> None:
    name = row["Instance Type"]
    if name not in offered.shapes:
        shape = specs.shape(row, rows.day(row["EffectiveDate"]))
        if shape is not None:
            offered.shapes[name] = shape


def _settled(reserved: _Reserved) -> Price | str:
    """An hour of a reserved term: its hourly rate and the upfront fee's share; or why not."""
    row, parts = reserved.row, reserved.parts
    length, kind = rows.years(row["LeaseContractLength"]), _KINDS.get(row["OfferingClass"])
    term = rows.term(length, row["PurchaseOption"], kind) if length and kind is not None else None
    if length is None or term is None:
        return "a term of another kind"
    if "Hrs" not in parts or ("no-upfront" not in term and "Quantity" not in parts):
        return "a term without its fee or its hourly rate"
    fee = parts.get("Quantity", Decimal())
    total = parts["Hrs"] + fee / (length * listed.HOURS_PER_YEAR)
    return _price(row, total, term) if total else "a price of zero"
