"""What a CUR line item costs: billed as the invoice has it, effective as amortised.

CUR tells commitments in a way of its own. Usage that a savings plan covers stands at its on-demand
price and is taken back by a SavingsPlanNegation; FOCUS says it billed nothing, and knows no
negation. A fee (RIFee, SavingsPlanRecurringFee) is what was paid, and holds what of it nobody used;
FOCUS says so in two rows, a Purchase whose effective cost is 0 and an Unused one that billed
nothing. The sums stay: of BilledCost that of the unblended cost, of EffectiveCost the amortised.

Source: AWS's CUR query library and its CUDOS views (`amortized_cost`); FOCUS 1.2, columns
BilledCost and EffectiveCost.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from types import MappingProxyType
from typing import Final, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from costopt.providers.aws.bill.items import Items
from costopt.schema import COST

AMOUNTS: Final = frozenset(
    f"{kind}_{net}{name}"
    for net in ("", "net_")
    for kind, name in (
        ("line_item", "unblended_cost"),
        ("savings_plan", "savings_plan_effective_cost"),
        ("savings_plan", "total_commitment_to_date"),
        ("savings_plan", "used_commitment"),
        ("savings_plan", "recurring_commitment_for_billing_period"),
        ("savings_plan", "amortized_upfront_commitment_for_billing_period"),
        ("reservation", "effective_cost"),
        ("reservation", "unused_amortized_upfront_fee_for_billing_period"),
        ("reservation", "unused_recurring_fee"),
    )
)
"""The columns that costs are made of: one that cannot be read leaves the bill without its sum."""
_ZERO: Final = pa.scalar(Decimal(0), COST)


@dataclass(frozen=True, slots=True)
class Kind:
    """What FOCUS calls a type of line item."""

    category: str
    frequency: str
    discount: bool = False  # takes off other lines: no usage of its own
    commitment: bool = False  # used commitment, or its purchase


_DISCOUNT: Final = Kind("Usage", "Usage-Based", discount=True)
_COVERED: Final = Kind("Usage", "Usage-Based", commitment=True)
KINDS: Final[Mapping[str, Kind]] = MappingProxyType(
    {
        "Usage": Kind("Usage", "Usage-Based"),
        "DiscountedUsage": _COVERED,
        "SavingsPlanCoveredUsage": _COVERED,
        "RIFee": Kind("Purchase", "Recurring", commitment=True),
        "SavingsPlanRecurringFee": Kind("Purchase", "Recurring", commitment=True),
        "SavingsPlanUpfrontFee": Kind("Purchase", "One-Time", commitment=True),
        "Fee": Kind("Purchase", "One-Time"),
        "Tax": Kind("Tax", "One-Time"),
        "Credit": Kind("Credit", "One-Time"),
        "Refund": Kind("Adjustment", "One-Time"),
        # Discounts come as lines of their own. They belong to the usage they come off, so that a
        # resource's cost is what it costs after them.
        "Discount": _DISCOUNT,
        "BundledDiscount": _DISCOUNT,
        "EdpDiscount": _DISCOUNT,
        "PrivateRateDiscount": _DISCOUNT,
        "RiVolumeDiscount": _DISCOUNT,
        "SppDiscount": _DISCOUNT,
    }
)
"""By line_item_line_item_type. SavingsPlanNegation has no row; any other type is an Adjustment."""
OTHER: Final = Kind("Adjustment", "One-Time")
NEGATION: Final = "SavingsPlanNegation"


class Costs(NamedTuple):
    """FOCUS's costs of line items, and of what they hold of unused commitment."""

    billed: pa.Array
    effective: pa.Array
    unused: pa.Array  # 0 = none; a row of its own where not


def costs(items: Items, types: pa.Array, *, net: bool) -> Costs:
    """The costs of each item.

    Args:
        types: line_item_line_item_type.
        net: by the columns after discounts (which exist where an account has any).
    """
    n = "net_" if net else ""
    unblended = items.amount(f"line_item_{n}unblended_cost")
    covered = pc.equal(types, "SavingsPlanCoveredUsage")
    discounted = pc.equal(types, "DiscountedUsage")
    plan = items.amount(f"savings_plan_{n}savings_plan_effective_cost")
    reserved = items.amount(f"reservation_{n}effective_cost")
    paid_ahead = pc.or_(_is(types, "RIFee", "SavingsPlanRecurringFee"), _upfront(items, types))
    nothing = pc.or_(paid_ahead, pc.equal(types, NEGATION))
    effective = pc.if_else(nothing, _ZERO, unblended)
    effective = pc.if_else(covered, plan, effective)
    effective = pc.if_else(discounted, reserved, effective)
    billed = pc.if_else(covered, _ZERO, unblended)
    return Costs(billed, effective, _unused(items, types, net=net))


def _is(types: pa.Array, *names: str) -> pa.Array:
    return pc.is_in(types, pa.array(names))


def _upfront(items: Items, types: pa.Array) -> pa.Array:
    """Upfront payments: a Fee that names a reservation is one, others are subscriptions."""
    reservation = pc.is_valid(items.text("reservation_reservation_a_r_n"))
    fee = pc.and_(pc.equal(types, "Fee"), reservation)
    return pc.or_(pc.fill_null(fee, False), _is(types, "SavingsPlanUpfrontFee"))


def _unused(items: Items, types: pa.Array, *, net: bool) -> pa.Array:
    """What a fee paid for and nobody used, at its amortised cost."""
    n = "net_" if net else ""
    upfront = items.amount(f"reservation_{n}unused_amortized_upfront_fee_for_billing_period")
    recurring = items.amount(f"reservation_{n}unused_recurring_fee")
    of_reservation = pc.add(pc.fill_null(upfront, _ZERO), pc.fill_null(recurring, _ZERO))
    total = items.amount("savings_plan_total_commitment_to_date")
    used = items.amount("savings_plan_used_commitment")
    of_plan = pc.subtract(pc.fill_null(total, _ZERO), pc.fill_null(used, _ZERO)).cast(COST)
    if net and pc.any(pc.equal(types, "SavingsPlanRecurringFee")).as_py():
        of_plan = _discounted(items, of_plan)
    found = pc.if_else(_is(types, "RIFee"), of_reservation.cast(COST), _ZERO)
    return pc.if_else(_is(types, "SavingsPlanRecurringFee"), of_plan, found).cast(COST)


def _discounted(items: Items, unused: pa.Array) -> pa.Array:
    """Unused commitment after discounts: CUR has no net column, so at the ratio of the fees."""
    fees = [
        items.amount(f"savings_plan_{n}{name}_commitment_for_billing_period").to_pylist()
        for n in ("", "net_")
        for name in ("recurring", "amortized_upfront")
    ]
    found = []
    for value, *parts in zip(unused.to_pylist(), *fees, strict=True):
        whole = sum((part or Decimal(0) for part in parts[:2]), Decimal(0))
        rest = sum((part or Decimal(0) for part in parts[2:]), Decimal(0))
        ratio = rest / whole if whole and rest else Decimal(1)
        found.append((value * ratio).quantize(Decimal("1e-12")))
    return pa.array(found, COST)
