"""CUR 2.0 and the legacy Cost and Usage Report as FOCUS columns.

Where AWS's own FOCUS exports say how, we follow them; costs are explained in costs.py. Of CUR's
some two hundred columns those are read that FOCUS has a place for; what an item was (line item
type, operation, machine type, invoice, cost categories) is kept in x_Attributes.

Source: AWS Data Exports user guide, table dictionaries of CUR 2.0 and "FOCUS 1.2 with AWS columns";
the FinOps Foundation's converter rules for CUR (columns that are only renamed).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from costopt.errors import InputError
from costopt.frame.intake import Misread
from costopt.providers.aws.bill.costs import KINDS, NEGATION, OTHER, Costs, Kind, costs
from costopt.providers.aws.bill.items import Items, is_named
from costopt.providers.aws.bill.services import categories, units
from costopt.providers.bills.items import plain, required
from costopt.providers.bills.reading import Columns
from costopt.schema import COST

_ZERO: Final = pa.scalar(Decimal(0), COST)

REQUIRED: Final = (
    "line_item_line_item_type",
    "line_item_unblended_cost",
    "line_item_currency_code",
    "line_item_usage_start_date",
    "line_item_usage_end_date",
)
_COLUMNS: Final = """
    bill_payer_account_id bill_payer_account_name bill_billing_period_start_date
    bill_billing_period_end_date bill_invoicing_entity bill_invoice_id bill_bill_type
    line_item_usage_account_id line_item_usage_account_name line_item_line_item_description
    line_item_legal_entity line_item_product_code line_item_usage_type line_item_operation
    line_item_availability_zone line_item_resource_id line_item_usage_amount
    line_item_unblended_rate line_item_net_unblended_cost
    pricing_public_on_demand_cost pricing_public_on_demand_rate pricing_unit pricing_rate_code
    pricing_term product product_product_name product_servicename product_servicecode
    product_product_family product_instance_type product_region_code product_region
    product_location product_location_type product_sku
    reservation_reservation_a_r_n reservation_availability_zone
    reservation_effective_cost reservation_net_effective_cost
    reservation_unused_amortized_upfront_fee_for_billing_period
    reservation_net_unused_amortized_upfront_fee_for_billing_period
    reservation_unused_recurring_fee reservation_net_unused_recurring_fee
    reservation_unused_quantity
    savings_plan_savings_plan_a_r_n savings_plan_offering_type
    savings_plan_savings_plan_effective_cost
    savings_plan_net_savings_plan_effective_cost savings_plan_total_commitment_to_date
    savings_plan_used_commitment savings_plan_recurring_commitment_for_billing_period
    savings_plan_net_recurring_commitment_for_billing_period
    savings_plan_amortized_upfront_commitment_for_billing_period
    savings_plan_net_amortized_upfront_commitment_for_billing_period
    resource_tags cost_category
"""
_READ: Final = frozenset(plain(name) for name in (*REQUIRED, *_COLUMNS.split()))
_TYPE_OF_ID: Final = (
    # ARNs say what they name; EC2's own ids begin with it.
    (r"^arn:[^:]*:(?P<service>[^:]*):[^:]*:[^:]*:(?P<kind>[a-z][a-z0-9-]*)[/:]", None),
    (r"^i-[0-9a-f]", "instance"),
    (r"^vol-[0-9a-f]", "volume"),
)


@dataclass(frozen=True, slots=True)
class Converted:
    """FOCUS's columns of a batch."""

    columns: Mapping[str, pa.Array]
    net: tuple[pa.Array, pa.Array] | None  # BilledCost and EffectiveCost after discounts
    left: Decimal  # of covered usage that no negation takes back; over a whole bill 0
    unread: tuple[Misread, ...]  # amounts that cannot be read


def chosen(names: Sequence[str]) -> list[str]:
    """Those of a file's columns that are read.

    Raises:
        InputError: some are lacking without which there is no bill.
    """
    lacking = required(names, REQUIRED)
    if lacking:
        raise InputError(
            f"the export lacks {', '.join(lacking)}", hint="export all columns of the table"
        )
    return [name for name in names if plain(name) in _READ or is_named(name)]


def is_cur(names: Sequence[str]) -> bool:
    """Whether these are the columns of a Cost and Usage Report."""
    return not required(names, ("line_item_line_item_type", "line_item_unblended_cost"))


def converted(columns: Columns) -> Converted:
    """Line items as FOCUS rows: one each, negations none, fees with unused commitment two."""
    items = Items(columns)
    types = items.text("line_item_line_item_type")
    cost = costs(items, types, net=False)
    net = costs(items, types, net=True) if items.has("line_item_net_unblended_cost") else None
    focus = _focus(items, types, cost)
    kept = pc.invert(pc.fill_null(pc.equal(types, NEGATION), False))
    unused = pc.fill_null(pc.not_equal(cost.unused, _ZERO), False)
    rows = {name: column.filter(kept) for name, column in focus.items()}
    idle = {name: column.filter(unused) for name, column in _as_unused(focus, items, cost).items()}
    joined = {name: pa.concat_arrays([rows[name], idle[name]]) for name in rows}
    offset = pc.is_in(types, pa.array([NEGATION, "SavingsPlanCoveredUsage"]))
    left = pc.sum(items.amount("line_item_unblended_cost").filter(offset)).as_py()
    return Converted(joined, _net(net, kept, unused), left or Decimal(0), tuple(items.unread()))


def _net(net: Costs | None, kept: pa.Array, unused: pa.Array) -> tuple[pa.Array, pa.Array] | None:
    if net is None:
        return None
    nothing = pa.repeat(_ZERO, len(kept)).filter(unused)
    return (
        pa.concat_arrays([net.billed.filter(kept), nothing]),
        pa.concat_arrays([net.effective.filter(kept), net.unused.filter(unused)]),
    )


def _focus(items: Items, types: pa.Array, cost: Costs) -> Columns:
    kinds = [KINDS.get(name or "", OTHER) for name in types.to_pylist()]
    usage = pa.array([kind.category == "Usage" and not kind.discount for kind in kinds])
    return {
        "BilledCost": cost.billed,
        "EffectiveCost": cost.effective,
        "BillingPeriodStart": items.text("bill_billing_period_start_date"),
        "BillingPeriodEnd": items.text("bill_billing_period_end_date"),
        "ChargePeriodStart": items.text("line_item_usage_start_date"),
        "ChargePeriodEnd": items.text("line_item_usage_end_date"),
        "BillingAccountId": items.text("bill_payer_account_id"),
        "BillingAccountName": items.text("bill_payer_account_name"),
        "SubAccountId": items.text("line_item_usage_account_id"),
        "SubAccountName": items.text("line_item_usage_account_name"),
        "BillingCurrency": items.text("line_item_currency_code"),
        "ChargeDescription": items.text("line_item_line_item_description"),
        "ChargeCategory": pa.array([kind.category for kind in kinds]),
        "ChargeFrequency": _frequency(items, types, kinds),
        "InvoiceIssuerName": items.text("bill_invoicing_entity", "line_item_legal_entity"),
        "ProviderName": pa.repeat("AWS", items.rows),
        "PublisherName": items.text("line_item_legal_entity"),
        "Tags": items.tags(),
        **_sold(items),
        **_priced(items, types, usage),
        **_place(items),
        **_commitment(items, types, cost),
        **_attributes(items, types),
    }


def _frequency(items: Items, types: pa.Array, kinds: Sequence[Kind]) -> pa.Array:
    """A Fee on the monthly bill is a subscription (support, say); another was bought once."""
    said = pa.array([kind.frequency for kind in kinds])
    monthly = pc.equal(items.text("bill_bill_type"), "Anniversary")
    subscribed = pc.fill_null(pc.and_(pc.equal(types, "Fee"), monthly), False)
    return pc.if_else(subscribed, "Recurring", said)


def _sold(items: Items) -> Columns:
    code = items.text("line_item_product_code")
    usage_type = items.text("line_item_usage_type")
    name = pc.coalesce(items.product("product_name"), items.product("servicename"), code)
    return {
        "ServiceName": name,
        "ServiceCategory": categories(code, items.product("product_family"), usage_type),
        "SkuId": items.product("sku"),
        "SkuPriceId": items.text("pricing_rate_code"),
        "SkuMeter": usage_type,  # as AWS's FOCUS 1.2 does
    }


def _priced(items: Items, types: pa.Array, usage: pa.Array) -> Columns:
    """Prices and quantities; discounts have none, lest a resource's hours count twice."""
    unblended = items.amount("line_item_unblended_cost")
    public = items.amount("pricing_public_on_demand_cost")
    # In Parquet a public cost that is not known is 0, as for support and the marketplace.
    known = pc.fill_null(pc.not_equal(public, _ZERO), False)
    listed = pc.if_else(known, public, unblended)
    reduction = pc.is_in(
        types, pa.array(["Credit", *(name for name, kind in KINDS.items() if kind.discount)])
    )
    # What a reservation covers has no cost of its own: its price on demand is the contract's.
    reserved = pc.fill_null(pc.equal(types, "DiscountedUsage"), False)
    amount = items.amount("line_item_usage_amount")
    unit = units(items.text("pricing_unit"))
    rate = items.amount("pricing_public_on_demand_rate")
    own_rate = items.amount("line_item_unblended_rate")
    metered = pc.or_(usage, pc.is_in(types, pa.array(["RIFee", "SavingsPlanRecurringFee"])))
    return {
        "ListCost": pc.if_else(reduction, _ZERO, listed),
        "ContractedCost": pc.if_else(reduction, _ZERO, pc.if_else(reserved, listed, unblended)),
        "ListUnitPrice": pc.if_else(usage, rate, None),
        "ContractedUnitPrice": pc.if_else(usage, pc.if_else(reserved, rate, own_rate), None),
        "PricingQuantity": pc.if_else(metered, amount, None),
        "PricingUnit": unit,
        "ConsumedQuantity": pc.if_else(usage, amount, None),
        "ConsumedUnit": pc.if_else(usage, unit, None),
    }


def _place(items: Items) -> Columns:
    zone = pc.coalesce(items.text("line_item_availability_zone"), _zone_of_fee(items))
    of_zone = pc.replace_substring_regex(zone, r"^([a-z]{2}(-[a-z]+)+-\d+)[a-z]$", r"\1")
    region = pc.coalesce(items.product("region_code", "region"), of_zone)
    is_region = pc.equal(items.product("location_type"), "AWS Region")
    location = items.product("location")
    resource = pc.coalesce(
        items.text("line_item_resource_id"),
        pc.if_else(_is_fee(items), _commitment_id(items), None),
    )
    return {
        "RegionId": region,
        "RegionName": pc.if_else(pc.fill_null(is_region, False), location, None),
        "AvailabilityZone": zone,
        "ResourceId": resource,
        "ResourceType": _type_of(resource, items.text("line_item_product_code")),
    }


def _zone_of_fee(items: Items) -> pa.Array:
    """The zone that a reservation is bound to; of one that is not, CUR names the region here."""
    said = items.text("reservation_availability_zone")
    return pc.if_else(pc.match_substring_regex(said, r"\d[a-z]$"), said, None)


def _is_fee(items: Items) -> pa.Array:
    """Fees of commitments: what they are for is the commitment."""
    types = items.text("line_item_line_item_type")
    names = [n for n, kind in KINDS.items() if kind.commitment and kind.category == "Purchase"]
    return pc.is_in(types, pa.array([*names, "Fee"]))


def _type_of(resource: pa.Array, code: pa.Array) -> pa.Array:
    found = pc.if_else(pc.equal(code, "AmazonS3"), "bucket", None)
    found = pc.if_else(pc.is_valid(resource), found, None)
    for pattern, name in _TYPE_OF_ID:
        if name is None:
            said = pc.struct_field(pc.extract_regex(resource, pattern), "kind")
        else:
            said = pc.if_else(pc.match_substring_regex(resource, pattern), name, None)
        found = pc.coalesce(found, said)
    return found


def _commitment_id(items: Items) -> pa.Array:
    return items.text("savings_plan_savings_plan_a_r_n", "reservation_reservation_a_r_n")


def _of_plan(items: Items) -> pa.Array:
    """Savings plans, also where only the line's type says so."""
    named = pc.starts_with(items.text("line_item_line_item_type"), "SavingsPlan")
    told = pc.is_valid(items.text("savings_plan_savings_plan_a_r_n"))
    return pc.or_(pc.fill_null(named, False), told)


def _commitment(items: Items, types: pa.Array, cost: Costs) -> Columns:
    plan = _of_plan(items)
    identity = _commitment_id(items)
    covered = pc.is_in(types, pa.array(["SavingsPlanCoveredUsage", "DiscountedUsage"]))
    by_plan = pc.fill_null(pc.equal(types, "SavingsPlanCoveredUsage"), False)
    # EC2InstanceSavingsPlans or ComputeSavingsPlans: what it may cover hangs on it.
    kind = pc.coalesce(items.text("savings_plan_offering_type"), "Savings Plan")
    quantity = pc.if_else(by_plan, cost.effective, items.amount("line_item_usage_amount"))
    return {
        "CommitmentDiscountId": identity,
        "CommitmentDiscountCategory": _where(identity, pc.if_else(plan, "Spend", "Usage")),
        "CommitmentDiscountType": _where(identity, pc.if_else(plan, kind, "Reserved Instance")),
        "CommitmentDiscountStatus": pc.if_else(covered, "Used", pa.scalar(None, pa.string())),
        "CommitmentDiscountQuantity": pc.if_else(covered, quantity, None),
        "CommitmentDiscountUnit": pc.if_else(covered, _commitment_unit(items, plan), None),
        "PricingCategory": _pricing(items, types, covered),
    }


def _commitment_unit(items: Items, plan: pa.Array) -> pa.Array:
    unit = units(items.text("pricing_unit"))
    return pc.if_else(plan, items.text("line_item_currency_code"), unit)


def _where(present: pa.Array, values: pa.Array) -> pa.Array:
    return pc.if_else(pc.is_valid(present), values, None)


def _pricing(items: Items, types: pa.Array, covered: pa.Array) -> pa.Array:
    spot = pc.or_(
        pc.fill_null(pc.match_substring(items.text("line_item_usage_type"), "SpotUsage"), False),
        pc.fill_null(pc.equal(items.text("pricing_term"), "Spot"), False),
    )
    found = pc.if_else(spot, "Dynamic", pa.repeat("Standard", items.rows))
    found = pc.if_else(covered, "Committed", found)
    found = pc.if_else(pc.is_in(types, pa.array(["Credit", "Refund"])), "Other", found)
    return pc.if_else(pc.fill_null(pc.equal(types, "Tax"), False), None, found)


def _attributes(items: Items, types: pa.Array) -> Columns:
    """Columns that FOCUS does not know, under the names of AWS's own FOCUS exports."""
    found = {
        "x_LineItemType": types,
        "x_Operation": items.text("line_item_operation"),
        "x_ServiceCode": items.product("servicecode"),
        "x_InstanceType": items.product("instance_type"),
        "InvoiceId": items.text("bill_invoice_id"),
    }
    said = items.cost_categories()
    return found if said is None else {**found, "x_CostCategories": said}


def _as_unused(focus: Columns, items: Items, cost: Costs) -> Columns:
    """The same rows as what nobody used of the commitment: billed and listed at nothing."""
    rows = items.rows
    plan = _of_plan(items)
    left = pc.if_else(plan, cost.unused, items.amount("reservation_unused_quantity"))
    said: Columns = {
        **{name: pa.repeat(_ZERO, rows) for name in ("BilledCost", "ListCost", "ContractedCost")},
        "EffectiveCost": cost.unused,
        "ChargeCategory": pa.repeat("Usage", rows),
        "ChargeFrequency": pa.repeat("Usage-Based", rows),
        "PricingCategory": pa.repeat("Committed", rows),
        "CommitmentDiscountStatus": pa.repeat("Unused", rows),
        "PricingQuantity": left,
        "CommitmentDiscountQuantity": left,
        "CommitmentDiscountUnit": _commitment_unit(items, plan),
    }
    return {name: said.get(name, column) for name, column in focus.items()}
