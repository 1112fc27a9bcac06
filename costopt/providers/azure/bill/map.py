"""Azure's cost exports as FOCUS columns: ActualCost, AmortizedCost, and older usage details.

Both have one column of costs. In ActualCost it is what is invoiced: commitments when they are
bought, and nothing for what they cover. In AmortizedCost it is what a thing costs: commitments
where they are used, and what of them was not. Which of them a file is, its columns do not tell; so
a row gets the one cost twice here, and combine.py, which sees all of a month, makes them two.

Agreements (EA, MCA, pay as you go) and versions spell columns in ways of their own.

Source: Cost Management, "Understand usage details fields" (by agreement) and "Cost and usage data
updates"; Microsoft's FinOps toolkit; FOCUS 1.2.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from costopt.errors import InputError
from costopt.frame import bill
from costopt.frame.intake import told
from costopt.frame.values import Read
from costopt.providers.azure.bill.days import Days
from costopt.providers.azure.bill.services import categories, regions, units
from costopt.providers.bills.calendar import months
from costopt.providers.bills.items import Items, plain, refused
from costopt.providers.bills.part import Batch
from costopt.providers.bills.reading import Columns
from costopt.schema import COST, TIMESTAMP

COSTS: Final = ("CostInBillingCurrency", "Cost", "PreTaxCost")
_DATES: Final = ("Date", "UsageDateTime", "UsageDate")
_CURRENCIES: Final = ("BillingCurrency", "BillingCurrencyCode", "Currency")
_SPELLINGS: Final = {
    "costs (CostInBillingCurrency, Cost or PreTaxCost)": COSTS,
    "days (Date, UsageDateTime or UsageDate)": _DATES,
    "currencies (BillingCurrency, BillingCurrencyCode or Currency)": _CURRENCIES,
}
_CATEGORY: Final = {
    "usage": "Usage",
    "unusedreservation": "Usage",
    "unusedsavingsplan": "Usage",
    "purchase": "Purchase",
    "refund": "Purchase",
    "tax": "Tax",
}
_UNUSED: Final = ("unusedreservation", "unusedsavingsplan")
_FREQUENCY: Final = {"usagebased": "Usage-Based", "recurring": "Recurring", "onetime": "One-Time"}
_PRICING: Final = {
    "ondemand": "Standard",
    "spot": "Dynamic",
    "reservation": "Committed",
    "savingsplan": "Committed",
    "savingsplans": "Committed",
}
_PERIODS: Final = ("BillingPeriodStartDate", "BillingPeriodEndDate")
_A_DAY: Final = timedelta(days=1)
_ZERO: Final = pa.scalar(Decimal(0), COST)


class Costs:
    """The layout of those exports."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self._days = Days()

    def chosen(self, names: Sequence[str]) -> Sequence[str]:
        """All: they are few.

        Raises:
            InputError: some are lacking without which there is no bill.
        """
        there = {plain(name) for name in names}
        lacking = [
            what
            for what, spellings in _SPELLINGS.items()
            if not there & {plain(name) for name in spellings}
        ]
        if lacking:
            hint = "export ActualCost, AmortizedCost or FocusCost with all of their columns"
            raise InputError(f"the export lacks {' and '.join(lacking)}", hint=hint)
        return names

    def batch(self, columns: Columns) -> Batch:
        """Rows as charges; their one cost is both billed and effective.

        Raises:
            InputError: days are written in two orders.
        """
        items = Items(columns)
        cost_column = _named(items, COSTS)
        cost = items.amount(cost_column)
        day_column = _named(items, _DATES)
        read = self._read(items, day_column)
        intake = bill.normalise(
            _focus(items, cost, pc.floor_temporal(read.values, unit="day"), self._days)
        )
        unread = [one for one in items.unread() if one.column == cost_column]
        if read.misread is not None:
            what = "is not a day"
            unread.append(told(day_column, what, read.misread, items.column(day_column)))
        names = {
            "EffectiveCost": cost_column,
            "BillingCurrency": _named(items, _CURRENCIES),
            "ChargePeriodStart": day_column,
        }
        others = [one for one in items.unread() if one.column != cost_column]
        return Batch(intake, unread or refused(intake, names), others)

    def _read(self, items: Items, name: str) -> Read:
        """The day of each row."""
        self._days.see(*map(items.column, (name, *_PERIODS)))
        column = items.column(name)
        assert column is not None
        return self._days.read(column)


def _named(items: Items, spellings: Sequence[str]) -> str:
    """Which of them the file has."""
    return next(name for name in spellings if items.has(name))


def _focus(items: Items, cost: pa.Array, days: pa.Array, written: Days) -> Columns:
    kind = _folded(items.text("ChargeType"))
    category = _of(kind, _CATEGORY, "Adjustment", absent="Usage")
    usage = pc.equal(category, "Usage")
    refund = pc.fill_null(pc.equal(kind, "refund"), False)
    meter = items.text("MeterCategory")
    commitment = _commitment(items, kind, category)
    return {
        "BilledCost": cost,
        "EffectiveCost": cost,
        **_priced(items, usage),
        **_when(items, days, written),
        # FOCUS means what is invoiced: of a customer agreement each profile is.
        "BillingAccountId": items.text("BillingProfileId", "BillingAccountId"),
        "BillingAccountName": items.text("BillingProfileName", "BillingAccountName"),
        "SubAccountId": pc.utf8_lower(items.text("SubscriptionId", "SubscriptionGuid")),
        "SubAccountName": items.text("SubscriptionName"),
        "BillingCurrency": items.text(*_CURRENCIES),
        "ChargeCategory": category,
        "ChargeClass": pc.if_else(refund, "Correction", pa.scalar(None, pa.string())),
        "ChargeDescription": items.text("ProductName", "Product", "MeterName"),
        "ChargeFrequency": _of(
            _folded(items.text("Frequency")), _FREQUENCY, "Usage-Based", absent="Usage-Based"
        ),
        "InvoiceIssuerName": pc.coalesce(items.text("ResellerName"), "Microsoft"),
        "ProviderName": pa.repeat("Microsoft", items.rows),
        "PublisherName": pc.coalesce(items.text("PublisherName"), "Microsoft"),
        "ServiceName": meter,
        "ServiceCategory": categories(meter, items.text("ServiceFamily")),
        "ServiceSubcategory": items.text("MeterSubCategory"),
        "SkuId": items.text("ProductId", "PartNumber"),
        "SkuPriceId": items.text("PartNumber"),
        "SkuMeter": items.text("MeterName"),
        **_place(items),
        **commitment,
        "Tags": items.column("Tags") if items.has("Tags") else pa.nulls(items.rows, pa.string()),
        **_attributes(items),
    }


def _priced(items: Items, usage: pa.Array) -> Columns:
    """Quantities, and prices where they are in the currency of the costs."""
    quantity = items.amount("Quantity") if items.has("Quantity") else items.amount("UsageQuantity")
    currency = items.text("PricingCurrency", "PricingCurrencyCode")
    same = pc.or_kleene(pc.is_null(currency), pc.equal(currency, items.text(*_CURRENCIES)))
    listed = _price(items.amount("PayGPrice"), same)
    own = _price(items.amount("UnitPrice"), same)
    said = items.amount("PaygCostInBillingCurrency")
    known = pc.if_else(pc.not_equal(said, _ZERO), said, None)
    unit = units(items.text("UnitOfMeasure"), items.text("MeterCategory"))
    return {
        "ListCost": pc.coalesce(known, _times(quantity, listed)),
        "ContractedCost": _times(quantity, own),
        "ListUnitPrice": listed,
        "ContractedUnitPrice": own,
        "PricingQuantity": quantity,
        "PricingUnit": unit,
        "ConsumedQuantity": pc.if_else(usage, quantity, None),
        "ConsumedUnit": pc.if_else(usage, unit, None),
    }


def _price(price: pa.Array, same: pa.Array) -> pa.Array:
    """A price of 0 says that there is none: of what a reservation covers, say."""
    there = pc.and_(same, pc.not_equal(price, _ZERO))
    return pc.if_else(pc.fill_null(there, False), price, None)


def _times(quantity: pa.Array, price: pa.Array) -> pa.Array:
    found = [
        None if one is None or each is None else (one * each).quantize(Decimal("1e-12"))
        for one, each in zip(quantity.to_pylist(), price.to_pylist(), strict=True)
    ]
    return pa.array(found, COST)


def _when(items: Items, days: pa.Array, written: Days) -> Columns:
    told_start = items.column("BillingPeriodStartDate")
    said = pa.nulls(items.rows, TIMESTAMP)
    if told_start is not None:
        said = written.read(told_start).values
    month, following = months(said, days)
    return {
        "BillingPeriodStart": month,
        "BillingPeriodEnd": following,
        "ChargePeriodStart": days,
        "ChargePeriodEnd": pc.add(days, pa.scalar(_A_DAY)).cast(TIMESTAMP),
    }


def _place(items: Items) -> Columns:
    # MCA's older files have the whole id where others have the name alone.
    told_name = items.text("InstanceName")
    is_id = pc.fill_null(pc.starts_with(told_name, "/"), False)
    identity = pc.coalesce(
        items.text("ResourceId", "InstanceId"), pc.if_else(is_id, told_name, None)
    )
    identity = pc.utf8_lower(identity)
    last = pc.struct_field(pc.extract_regex(identity, r"/(?P<name>[^/]+)$"), "name")
    kind = pc.struct_field(
        pc.extract_regex(identity, r"/providers/(?P<kind>[^/]+/[^/]+)/[^/]+$"), "kind"
    )
    return {
        "RegionId": regions(items.text("ResourceLocation", "Location", "MeterRegion")),
        "RegionName": items.text("Location", "MeterRegion"),
        "AvailabilityZone": items.text("AvailabilityZone"),
        "ResourceId": identity,
        "ResourceName": pc.coalesce(items.text("ResourceName"), last),
        "ResourceType": pc.coalesce(items.text("ResourceType"), kind),
    }


def _commitment(items: Items, kind: pa.Array, category: pa.Array) -> Columns:
    model = _folded(items.text("PricingModel"))
    benefit = pc.utf8_lower(items.text("BenefitId", "ReservationId"))
    pricing = _of(model, _PRICING, "Standard", absent="Standard")
    # Older files name the reservation only.
    by_id = pc.and_(pc.is_null(model), pc.is_valid(benefit))
    committed = pc.or_(pc.equal(pricing, "Committed"), by_id)
    unused = pc.is_in(kind, pa.array(_UNUSED))
    committed = pc.or_(committed, unused)
    usage = pc.equal(category, "Usage")
    plan = pc.or_(
        pc.fill_null(pc.starts_with(model, "savings"), False),
        pc.fill_null(pc.match_substring(benefit, "microsoft.billingbenefits"), False),
    )
    status = pc.if_else(unused, "Unused", "Used")
    priced = pc.if_else(committed, pc.if_else(usage, "Committed", "Standard"), pricing)
    identity = pc.coalesce(benefit, pc.utf8_lower(items.text("ProductOrderId")), "unnamed")
    return {
        "CommitmentDiscountId": _where(committed, identity),
        "CommitmentDiscountName": _where(committed, items.text("BenefitName", "ReservationName")),
        "CommitmentDiscountCategory": _where(committed, pc.if_else(plan, "Spend", "Usage")),
        "CommitmentDiscountType": _where(
            committed, pc.if_else(plan, "Savings Plan", "Reservation")
        ),
        "CommitmentDiscountStatus": _where(pc.and_(committed, usage), status),
        "PricingCategory": _where(pc.is_in(category, pa.array(["Usage", "Purchase"])), priced),
    }


def _attributes(items: Items) -> Columns:
    info = _info(items.text("AdditionalInfo"))
    return {
        "x_ChargeType": items.text("ChargeType"),
        "x_PricingModel": items.text("PricingModel"),
        "x_ResourceGroup": items.text("ResourceGroup", "ResourceGroupName"),
        "x_InvoiceSection": items.text("InvoiceSectionName", "InvoiceSection"),
        "x_CostCenter": items.text("CostCenter"),
        "InvoiceId": items.text("InvoiceId"),
        "x_InstanceType": info["ServiceType"],
        "x_VMName": info["VMName"],
        "x_vCPUs": info["VCPUs"],
    }


def _info(column: pa.Array) -> Columns:
    """What AdditionalInfo says of a machine."""
    names = ("ServiceType", "VMName", "VCPUs")
    coded = column.dictionary_encode()
    found = [_object(text) for text in coded.dictionary.to_pylist()]
    return {
        name: pa.array([_said(one.get(name)) for one in found], pa.string()).take(coded.indices)
        for name in names
    }


def _object(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):  # EA leaves the braces out, and cuts long ones off
        return {}
    return found if isinstance(found, dict) else {}


def _said(value: object) -> str | None:
    return str(value) if isinstance(value, (str, int, float)) and value not in ("", 0) else None


def _folded(text: pa.Array) -> pa.Array:
    return pc.replace_substring_regex(pc.utf8_lower(text), r"[^a-z]", "")


def _of(values: pa.Array, names: dict[str, str], other: str, *, absent: str) -> pa.Array:
    """Each value's name; `other` for those that have none, `absent` where nothing stands."""
    place = pc.index_in(values, pa.array(list(names), pa.string()))
    found = pc.fill_null(pa.array(list(names.values()), pa.string()).take(place), other)
    return pc.if_else(pc.is_valid(values), found, absent)


def _where(mask: pa.Array, values: pa.Array) -> pa.Array:
    return pc.if_else(pc.fill_null(mask, False), values, pa.scalar(None, pa.string()))
