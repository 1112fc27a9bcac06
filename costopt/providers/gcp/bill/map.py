"""Google's detailed export as FOCUS columns.

A line costs its `cost` and its credits together: that is what the invoice adds up. Google tells no
amortised cost. What a resource-based commitment covers is therefore free, and its fee a line of its
own; what a spend-based one covers stands at the price that it gives, and its fee at what of it was
not used. So the sums are the invoice's, month by month.

An invoice's month is one of Pacific time, whose first day begins at 07:00 or 08:00 UTC.

Source: Cloud Billing, "Structure of Detailed data export" and its guide to committed use discounts;
Google's FOCUS view of that export; FOCUS 1.2.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Final
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.compute as pc

from costopt.errors import InputError
from costopt.frame import bill
from costopt.frame.intake import Misread
from costopt.frame.tags import tags
from costopt.providers.bills.calendar import following, starts
from costopt.providers.bills.items import Items, plain, refused, required
from costopt.providers.bills.part import Batch
from costopt.providers.bills.reading import Columns
from costopt.providers.gcp.bill.credits import COMMITTED, SPEND, Credits, credits_of
from costopt.providers.gcp.bill.lists import as_json
from costopt.providers.gcp.bill.services import categories, consumed, units
from costopt.providers.gcp.bill.things import Things
from costopt.schema import COST, STRING_MAP, TIMESTAMP

REQUIRED: Final = (
    "billing_account_id",
    "cost",
    "currency",
    "usage_start_time",
    "usage_end_time",
    "invoice.month",
)
_NAMES: Final = {
    "EffectiveCost": "cost",
    "BillingCurrency": "currency",
    "ChargePeriodStart": "usage_start_time",
    "ChargePeriodEnd": "usage_end_time",
}
OPTIONAL: Final = (
    "service.id",
    "service.description",
    "sku.id",
    "sku.description",
    "project.id",
    "project.name",
    "project.labels",
    "labels",
    "system_labels",
    "tags",
    "location.region",
    "location.location",
    "location.zone",
    "resource.name",
    "resource.global_name",
    "price.effective_price",
    "price.list_price",
    "price.pricing_unit_quantity",
    "subscription.instance_id",
    "usage.amount",
    "usage.unit",
    "usage.amount_in_pricing_units",
    "usage.pricing_unit",
    "credits",
    "credits.amount",
    "credits.type",
    "credits.id",
    "credits.name",
    "credits.full_name",
    "cost_type",
    "adjustment_info.mode",
    "adjustment_info.type",
    "cost_at_list",
    "cost_at_effective_price_default",
    "consumption_model.id",
    "consumption_model.description",
    "transaction_type",
    "seller_name",
)
_READ: Final = frozenset(plain(name) for name in (*REQUIRED, *OPTIONAL))
_ROOTS: Final = frozenset(plain(name.split(".")[0]) for name in (*REQUIRED, *OPTIONAL))
_PACIFIC: Final = ZoneInfo("America/Los_Angeles")
_ZERO: Final = pa.scalar(Decimal(0), COST)
_LABELS: Final = ("labels", "tags", "project.labels", "system_labels")
"""In the order in which they count, where two say the same key."""
_FEE: Final = r"(?i)^commitment\b"
_SPOT: Final = r"(?i)\b(spot|preemptible)\b"


class Detailed:
    """The layout of that export: flat or nested columns, of whichever age."""

    kind = ""

    def __init__(self, things: Things) -> None:
        self._things = things

    def chosen(self, names: Sequence[str]) -> list[str]:
        """Those of a file's columns that are read.

        Raises:
            InputError: some are lacking without which there is no bill.
        """
        # Of nested ones only the outer name is told here.
        outer = {plain(name) for name in names}
        lacking = [name for name in REQUIRED if plain(name.split(".")[0]) not in outer]
        lacking = required(names, lacking)
        if not outer & {"credits", "creditsamount"}:
            lacking.append("credits")
        if lacking:
            hint = "save all columns of the table gcp_billing_export_resource_v1_..."
            raise InputError(f"the export lacks {', '.join(lacking)}", hint=hint)
        return [name for name in names if plain(name) in _READ or plain(name) in _ROOTS]

    def batch(self, columns: Columns) -> Batch:
        """Lines as FOCUS rows, one each; a promotion that was spent on it is one more."""
        items = Items(_flat(columns))
        taken = credits_of(items, items.column("credits"))
        cost = items.amount("cost")
        rows = _focus(items, taken, cost, self._things)
        gift = pc.not_equal(taken.granted, _ZERO)
        granted = _as_credit(rows, taken)
        joined = {
            name: pa.concat_arrays([column, granted[name].filter(gift)])
            for name, column in rows.items()
        }
        unread = [one for one in (*items.unread(), *taken.unread) if _counts(one)]
        misread = [one for one in items.unread() if not _counts(one)]
        intake = bill.normalise(joined)
        return Batch(intake, unread or refused(intake, _NAMES), misread)


def _counts(misread: Misread) -> bool:
    return misread.column in {"cost", "credits", "credits.amount"}


def _flat(columns: Columns) -> Columns:
    """Structs as columns `outer.inner`."""
    found: Columns = {}
    for name, column in columns.items():
        if pa.types.is_struct(column.type):
            inner = zip((field.name for field in column.type), column.flatten(), strict=True)
            found |= _flat({f"{name}.{part}": values for part, values in inner})
        else:
            found[name] = column
    return found


def _focus(items: Items, taken: Credits, cost: pa.Array, things: Things) -> Columns:
    kind = pc.fill_null(pc.utf8_lower(items.text("cost_type")), "regular")
    regular = pc.equal(kind, "regular")
    sku = items.text("sku.description")
    fee = pc.and_(regular, _says(sku, _FEE))
    net = pc.add(cost, taken.discount).cast(COST)
    category = pc.if_else(regular, "Usage", "Adjustment")
    category = pc.if_else(pc.equal(kind, "tax"), "Tax", category)
    category = pc.if_else(fee, "Purchase", category)
    default = items.amount("cost_at_effective_price_default")
    return {
        "BilledCost": net,
        "EffectiveCost": net,
        "ListCost": items.amount("cost_at_list"),
        "ContractedCost": pc.coalesce(default, cost),
        **_when(items),
        "BillingAccountId": items.text("billing_account_id"),
        "SubAccountId": items.text("project.id"),
        "SubAccountName": items.text("project.name"),
        "BillingCurrency": items.text("currency"),
        "ChargeCategory": category,
        "ChargeClass": _class(items),
        "ChargeDescription": sku,
        "ChargeFrequency": pc.if_else(
            fee, "Recurring", pc.if_else(regular, "Usage-Based", "One-Time")
        ),
        "InvoiceIssuerName": pa.repeat("Google Cloud", items.rows),
        "ProviderName": pa.repeat("Google Cloud", items.rows),
        "PublisherName": pc.coalesce(items.text("seller_name"), "Google Cloud"),
        "SkuId": items.text("sku.id"),
        "SkuMeter": sku,
        **_sold(items, regular, sku),
        **_place(items, things),
        **_commitment(items, taken, regular, fee),
        "Tags": _tags(items),
        "x_CostType": kind,
        "x_ServiceId": items.text("service.id"),
        "x_ConsumptionModel": items.text("consumption_model.description"),
        "x_TransactionType": items.text("transaction_type"),
    }


def _when(items: Items) -> Columns:
    month = pc.replace_substring(items.text("invoice.month"), "-", "")
    coded = month.dictionary_encode()
    names = [_month(text) for text in coded.dictionary.to_pylist()]
    first = [None if one is None else starts(one, _PACIFIC) for one in names]
    last = [None if one is None else starts(following(one), _PACIFIC) for one in names]
    return {
        "BillingPeriodStart": pa.array(first, TIMESTAMP).take(coded.indices),
        "BillingPeriodEnd": pa.array(last, TIMESTAMP).take(coded.indices),
        "ChargePeriodStart": _time(items, "usage_start_time"),
        "ChargePeriodEnd": _time(items, "usage_end_time"),
    }


def _month(text: str) -> str | None:
    found = len(text) == 6 and text.isdecimal() and text.isascii() and "01" <= text[4:] <= "12"
    return f"{text[:4]}-{text[4:]}" if found and text[:4] > "2000" else None


def _time(items: Items, name: str) -> pa.Array:
    column = items.column(name)
    if column is None or not pa.types.is_string(column.type):
        return pa.nulls(items.rows, TIMESTAMP) if column is None else column
    return pc.replace_substring_regex(column, r"\s*UTC$", "Z")


def _class(items: Items) -> pa.Array:
    """What corrects a line of an earlier invoice names how it does so."""
    named = pc.coalesce(items.text("adjustment_info.mode"), items.text("adjustment_info.type"))
    return pc.if_else(pc.is_valid(named), "Correction", pa.scalar(None, pa.string()))


def _sold(items: Items, regular: pa.Array, sku: pa.Array) -> Columns:
    service = items.text("service.description")
    unit = units(items.text("usage.pricing_unit"), service, sku)
    amount = items.amount("usage.amount_in_pricing_units")
    used, used_unit = items.amount("usage.amount"), consumed(items.text("usage.unit"))
    effective = _each(items, "price.effective_price")
    return {
        "ServiceName": service,
        "ServiceCategory": categories(service, sku),
        "PricingQuantity": pc.if_else(regular, amount, None),
        "PricingUnit": pc.if_else(regular, unit, None),
        "ConsumedQuantity": pc.if_else(regular, used, None),
        "ConsumedUnit": pc.if_else(regular, used_unit, None),
        "ListUnitPrice": pc.if_else(regular, _each(items, "price.list_price"), None),
        "ContractedUnitPrice": pc.if_else(regular, effective, None),
    }


def _each(items: Items, name: str) -> pa.Array:
    """The price of one unit; Google names that of so many, and it is one mostly."""
    of = items.amount("price.pricing_unit_quantity")
    single = pc.or_kleene(pc.is_null(of), pc.equal(of, pa.scalar(Decimal(1), COST)))
    return pc.if_else(single, items.amount(name), None)


def _place(items: Items, things: Things) -> Columns:
    name, zone = items.text("resource.name"), items.text("location.zone")
    ids, types = things.named(items.text("resource.global_name"), name, items.text("project.id"))
    return {
        "RegionId": items.text("location.region"),
        "RegionName": items.text("location.location"),
        "AvailabilityZone": zone,
        "ResourceId": ids,
        "ResourceName": name,
        "ResourceType": types,
    }


def _commitment(items: Items, taken: Credits, regular: pa.Array, fee: pa.Array) -> Columns:
    model = items.text("consumption_model.description")
    by_price = pc.and_(_says(model, r"(?i)\bcud|commit"), pc.invert(fee))
    covered = pc.or_(pc.and_(_in(taken.kind, COMMITTED), pc.invert(fee)), by_price)
    covered = pc.and_(covered, regular)
    concerned = pc.or_(covered, fee)
    by_spend = pc.or_(
        pc.or_(_in(taken.kind, SPEND), by_price),
        _says(items.text("sku.description"), r"(?i)dollar"),
    )
    identity = pc.coalesce(
        items.text("subscription.instance_id"), taken.identity, items.text("consumption_model.id")
    )
    spot = _says(items.text("sku.description"), _SPOT)
    pricing = pc.if_else(covered, "Committed", pc.if_else(spot, "Dynamic", "Standard"))
    kind = pc.if_else(
        by_spend,
        "Spend-Based Committed Use Discount",
        "Resource-Based Committed Use Discount",
    )
    return {
        "CommitmentDiscountId": pc.if_else(concerned, identity, None),
        "CommitmentDiscountName": pc.if_else(concerned, pc.coalesce(taken.name, model), None),
        "CommitmentDiscountCategory": _where(concerned, pc.if_else(by_spend, "Spend", "Usage")),
        "CommitmentDiscountType": _where(concerned, kind),
        "CommitmentDiscountStatus": _where(covered, pa.repeat("Used", items.rows)),
        "PricingCategory": _where(regular, pricing),
    }


def _as_credit(rows: Columns, taken: Credits) -> Columns:
    """The same lines as what was given towards them."""
    count = len(taken.granted)
    nothing = pa.repeat(_ZERO, count)
    said: Columns = {
        "BilledCost": taken.granted,
        "EffectiveCost": taken.granted,
        "ListCost": nothing,
        "ContractedCost": nothing,
        "ChargeCategory": pa.repeat("Credit", count),
        "ChargeFrequency": pa.repeat("One-Time", count),
        "PricingCategory": pa.repeat("Other", count),
    }
    empty = ("Quantity", "Unit", "UnitPrice", "CommitmentDiscountStatus")
    return {
        name: said[name]
        if name in said
        else pa.nulls(count, column.type)
        if name.endswith(empty)
        else column
        for name, column in rows.items()
    }


def _tags(items: Items) -> pa.Array:
    there = [column for name in _LABELS if (column := items.column(name)) is not None]
    read = [tags(as_json(column)).values for column in there]
    if not read:
        return pa.nulls(items.rows, STRING_MAP)
    known: dict[tuple[tuple[tuple[str, str], ...], ...], list[tuple[str, str]] | None] = {}
    found = []
    for row in zip(*(values.to_pylist() for values in read), strict=True):
        key = tuple(tuple(said or ()) for said in row)
        if key not in known:
            merged = dict(pair for said in reversed(key) for pair in said)
            known[key] = sorted(merged.items()) or None
        found.append(known[key])
    return pa.array(found, STRING_MAP)


def _says(text: pa.Array, pattern: str) -> pa.Array:
    return pc.fill_null(pc.match_substring_regex(text, pattern), False)


def _in(values: pa.Array, names: Sequence[str]) -> pa.Array:
    return pc.is_in(values, pa.array(list(names)))


def _where(mask: pa.Array, values: pa.Array) -> pa.Array:
    return pc.if_else(mask, values, pa.scalar(None, pa.string()))
