"""A bill read as meters and commitments: by hand-written rows, and read back from made ones."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from costopt import schema
from costopt.frame.metered import COLUMNS, read
from costopt.model import Window
from costopt.model.bill import Held, Known, Metered, Sort, Usage
from costopt.pricing.commitments import apply, replay, residue

START = datetime(2026, 9, 1, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
MONTHS = Window(START, START + 62 * DAY)
RESERVED = {
    "PricingCategory": "Committed",
    "CommitmentDiscountId": "ri",
    "CommitmentDiscountCategory": "Usage",
    "CommitmentDiscountType": "Reserved Instance",
    "CommitmentDiscountStatus": "Used",
}
PLAN = RESERVED | {
    "CommitmentDiscountId": "plan",
    "CommitmentDiscountCategory": "Spend",
    "CommitmentDiscountType": "Compute Savings Plan",
}
UNUSED = {"ResourceId": None, "SkuId": None, "CommitmentDiscountStatus": "Unused"}


def row(at: int, cost: str | None, quantity: str | None = "1", **columns: Any) -> dict[str, Any]:
    """One hour of one machine of 1 USD, the `at`-th of the month."""
    start = START + at * HOUR
    amount = None if quantity is None else Decimal(quantity)
    return {
        "ProviderName": "AWS",
        "BillingCurrency": "USD",
        "ChargeCategory": "Usage",
        "ChargePeriodStart": start,
        "ChargePeriodEnd": start + HOUR,
        "ContractedCost": amount,
        "EffectiveCost": None if cost is None else Decimal(cost),
        "ListCost": amount,
        "PricingCategory": "Standard",
        "PricingQuantity": amount,
        "PricingUnit": "Hours",
        "RegionId": "us-east-1",
        "ResourceId": "i-1",
        "ServiceCategory": "Compute",
        "ServiceName": "Amazon EC2",
        "SkuId": "M",
        "SubAccountId": "1",
    } | columns


def table(rows: Iterable[dict[str, Any]]) -> pa.Table:
    fields = pa.schema([schema.CHARGES.field(name) for name in COLUMNS])
    return pa.Table.from_pylist(list(rows), schema=fields)


def every(*rows: dict[str, Any]) -> dict[str, Metered]:
    return read(table(rows), MONTHS, "USD")


def metered(*rows: dict[str, Any]) -> Metered:
    (found,) = every(*rows).values()
    return found


def reasons(bill: Metered) -> dict[str, Decimal]:
    assert sum((one.cost for one in bill.left_out), Decimal(0)) == bill.rest
    return {one.reason: one.cost for one in bill.left_out}


def of(bill: Metered, resource: str) -> Usage:
    (found,) = [usage for usage in bill.usages if usage.resource_id == resource]
    return found


# -- meters and rates ------------------------------------------------------------------------------


def test_a_machine_on_demand() -> None:
    bill = metered(row(0, "1"), row(2, "2", "2"))
    (usage,) = bill.usages
    assert bill.starts.tolist() == [START.timestamp(), (START + 2 * HOUR).timestamp()]
    assert (bill.hours, bill.currency, bill.provider) == (1, "USD", "aws")
    assert (usage.resource_id, usage.account, usage.region) == ("i-1", "1", "us-east-1")
    assert (usage.quantity.tolist(), usage.rate.tolist()) == ([1, 2], [1, 1])
    assert bill.actual.tolist() == replay(bill).tolist() == [1, 2]
    assert bill.left_out == ()


def test_no_charges_are_no_bill() -> None:
    assert every() == {}
    assert every(row(0, "1", BillingCurrency="EUR")) == {}


def test_providers_are_apart_whatever_they_are_called() -> None:
    names = ["AWS", "Amazon Web Services", "Microsoft", "OnPrem"]
    found = every(*(row(0, "1", ProviderName=name) for name in names))
    assert {name: bill.actual.sum() for name, bill in found.items()} == {
        "aws": 2,
        "azure": 1,
        "onprem": 1,
    }


def test_a_rate_may_change_with_time() -> None:
    """Hour 2 runs under a reservation; what it would cost then, its contracted cost says."""
    bill = metered(
        row(0, "1"), row(1, "1.5"), row(2, "0.6", ContractedCost=Decimal("1.2"), **RESERVED)
    )
    assert bill.usages[0].rate.tolist() == [1, 1.5, 1.2]
    assert residue(bill) == 0


def test_what_is_covered_costs_on_demand_what_its_sku_does() -> None:
    """Azure contracts some reserved usage at 0, which is no price."""
    none = {"ContractedCost": Decimal(0), "ListCost": Decimal(0), "ProviderName": "Microsoft"}
    bill = metered(
        row(0, "0.6", **RESERVED | none), row(0, "0.9", ResourceId="i-2", ProviderName="Microsoft")
    )
    assert of(bill, "i-1").rate.tolist() == [0.9]


def test_covered_usage_without_any_price_on_demand_is_not_reckoned() -> None:
    none = {"ContractedCost": None, "ListCost": None}
    bill = metered(row(0, "0.6", **RESERVED | none), row(0, "1", ResourceId="i-2", SkuId="L"))
    assert [usage.resource_id for usage in bill.usages] == ["i-2"]
    (reason,) = reasons(bill).items()
    assert reason == (
        "covered, but the bill nowhere tells the price on demand",
        Decimal("0.6"),
    )


def test_sustained_use_is_off_the_rate_and_told() -> None:
    bill = metered(
        row(0, "1", ProviderName="Google Cloud"),
        row(1, "0.6", ProviderName="Google Cloud"),
    )
    assert bill.usages[0].rate.tolist() == [1, 0.6]
    assert bill.usages[0].reduced == pytest.approx(0.2)


# -- what is left out ------------------------------------------------------------------------------


def test_whatever_is_not_reckoned_is_told_by_reason() -> None:
    fee = RESERVED | {"ChargeCategory": "Purchase", "CommitmentDiscountStatus": None}
    bill = metered(
        row(0, "1"),
        row(0, "3", **fee),
        row(0, "5", ChargeCategory="Tax"),
        row(0, "-7", ChargeCategory="Credit"),
        row(0, "-0.5", ChargeClass="Correction"),
        row(0, "11", PricingUnit="GiB-Months"),
        row(0, "13", ServiceCategory="Storage"),
        row(0, "17", None),
        row(0, None),
        row(0, "-19"),
        row(0, "23", ChargeCategory=None),
    )
    assert bill.actual.sum() == 1
    assert reasons(bill) == {
        "charges of no known category": 23,
        "machines' time at a negative cost": -19,
        "storage, traffic and whatever else is not machines' time": 24,
        "machines' time without a quantity": 17,
        "credits": -7,
        "tax": 5,
        "commitments' own fees, paid whatever runs": 3,
        "corrections of earlier charges": Decimal("-0.5"),
        "charges without a cost": 0,
    }
    assert [abs(one.cost) for one in bill.left_out] == sorted(
        (abs(one.cost) for one in bill.left_out), reverse=True
    )


def test_a_discount_of_its_own_comes_off_what_it_is_for() -> None:
    off = {"PricingUnit": None, "ListCost": None, "ContractedCost": None}
    bill = metered(
        row(0, "1"),
        row(0, "-0.1", None, **off),
        row(1, "0.6", **RESERVED),
        row(2, "-0.3", "0", **off),
    )
    assert bill.usages[0].rate.tolist() == pytest.approx([0.9, 0.9])  # the contract is the same
    assert bill.usages[0].reduced == pytest.approx(0.1)
    assert reasons(bill) == {
        "discounts and refunds of more than was on demand then": Decimal("-0.3")
    }


def test_a_refund_of_more_than_a_machine_cost_then_makes_no_negative_rate() -> None:
    off = {"PricingUnit": None, "ListCost": None, "ContractedCost": None}
    bill = metered(
        row(0, "1"), row(0, "-5", None, **off), row(1, "1"), row(1, "-1", "0", **off), row(2, "1")
    )
    assert bill.usages[0].rate.tolist() == [1, 0, 1]
    assert bill.actual.tolist() == [1, 0, 1]
    assert reasons(bill) == {"discounts and refunds of more than was on demand then": Decimal(-5)}


def test_what_a_commitment_covers_besides_machines_is_reckoned_with_it() -> None:
    database = {"ServiceCategory": "Databases", "ServiceName": "RDS", "ResourceId": "db-1"}
    bill = metered(row(0, "0.6", **RESERVED | database), row(1, "1", **database), row(0, "1"))
    assert {usage.resource_id for usage in bill.usages} == {"db-1", "i-1"}
    assert bill.rest == 0


# -- periods ---------------------------------------------------------------------------------------


def test_shorter_periods_are_added_up_and_longer_ones_left_out() -> None:
    half = START + HOUR / 2
    bill = metered(
        row(0, "1"),
        row(1, "1"),
        row(0, "0.5", "0.5", ChargePeriodEnd=half),
        row(0, "0.25", "0.25", ChargePeriodStart=half),
        row(0, "0.9", ResourceId="i-2", ChargePeriodEnd=START + DAY),
    )
    assert bill.usages[0].quantity.tolist() == [1.75, 1]
    assert bill.actual.tolist() == [1.75, 1]
    assert reasons(bill) == {"billed by a longer period than most of the bill": Decimal("0.9")}


def test_the_length_that_most_money_is_billed_by_counts() -> None:
    day = row(0, "100", "24", ChargePeriodEnd=START + DAY, ResourceId="i-2")
    bill = metered(day, *(row(at, "1") for at in range(24)))
    assert (bill.hours, len(bill.starts), bill.actual.sum()) == (24, 1, 124)


def test_days_of_local_time_and_months_are_of_one_length() -> None:
    bill = metered(
        row(0, "24", "24", ChargePeriodEnd=START + DAY),
        row(24, "25", "25", ChargePeriodEnd=START + 49 * HOUR),
    )
    assert (bill.hours, bill.actual.tolist()) == (24, [24, 25])
    bill = metered(
        row(0, "720", "720", ChargePeriodEnd=START + 30 * DAY),
        row(720, "744", "744", ChargePeriodEnd=START + 61 * DAY),
    )
    assert (bill.hours, bill.actual.tolist()) == (730, [720, 744])


# -- commitments -----------------------------------------------------------------------------------


def test_a_commitment_is_what_it_covered_and_what_it_left() -> None:
    bill = metered(
        row(0, "0.7", **PLAN),
        row(1, "0.4", **PLAN | UNUSED, PricingUnit="USD"),
        row(2, "1"),
    )
    (plan,) = bill.held
    assert (plan.commitment_id, plan.order, plan.by_spend) == ("plan", 2, True)
    assert plan.amount.tolist() == pytest.approx([0.7, 0.4, 0])  # ends before hour 2
    assert plan.cost.tolist() == pytest.approx([0.7, 0.4, 0])
    assert bill.usages[0].uses == {"plan": pytest.approx(0.7)}
    assert residue(bill) == 0


@pytest.mark.parametrize(
    ("kind", "category", "order", "by_spend"),
    [
        ("Reserved Instance", "Usage", 0, False),
        ("Reservation", "Usage", 0, False),
        ("Resource-Based Committed Use Discount", "Usage", 0, False),
        ("EC2InstanceSavingsPlans", "Spend", 1, True),
        ("Compute Savings Plan", "Spend", 2, True),
        ("Spend-Based Committed Use Discount", "Spend", 2, True),
        ("Savings Plan", None, 2, True),
        ("Reserved", None, 0, False),
    ],
)
def test_the_order_of_application(
    kind: str, category: str | None, order: int, by_spend: bool
) -> None:
    told = {"CommitmentDiscountType": kind, "CommitmentDiscountCategory": category}
    (one,) = metered(row(0, "0.6", **RESERVED | told)).held
    assert (one.order, one.by_spend) == (order, by_spend)


def test_the_owner_is_who_pays() -> None:
    fee = RESERVED | {"ChargeCategory": "Purchase", "SubAccountId": "9", "ResourceId": None}
    (one,) = metered(row(0, "0.6", **RESERVED), row(0, "0", **fee)).held
    assert one.account == "9"
    (one,) = metered(row(0, "0.6", **RESERVED)).held
    assert one.account is None


def test_sizes_count_by_what_the_commitment_took_of_itself() -> None:
    """FOCUS, "Commitment Discount Flexibility": a large machine is three normalized hours, one of
    which is covered."""
    large = {"ResourceId": "large", "SkuId": "L", "ContractedCost": Decimal(1), "ListCost": None}
    one = {"CommitmentDiscountQuantity": Decimal(1)}
    bill = metered(
        row(0, "0.5", "0.333333333333", **RESERVED | large | one),
        row(0, "2", "0.666666666667", **large | {"ContractedCost": Decimal(2)}),
    )
    assert of(bill, "large").uses["ri"] == pytest.approx(3)
    assert bill.held[0].amount.tolist() == [pytest.approx(1)]
    assert residue(bill) == pytest.approx(0)


def test_sizes_are_weighed_by_cost_where_the_bill_counts_plain_hours() -> None:
    """CUR: a reservation of two large machines covers one of them and half of an xlarge one. When
    the large one stops, it covers all of the xlarge one."""
    xlarge = {"ResourceId": "i-x", "SkuId": "X"}
    bill = metered(
        row(0, "0.6", **RESERVED),
        row(0, "0.6", "0.5", **RESERVED | xlarge),
        row(0, "1", "0.5", **xlarge | {"ContractedCost": Decimal(1)}),
        row(1, "0.9", **RESERVED | UNUSED, CommitmentDiscountQuantity=Decimal("1.5")),
        row(1, "0.3", "0.5", **RESERVED),
    )
    assert bill.held[0].amount.tolist() == [pytest.approx(1.2)] * 2
    assert (of(bill, "i-1").uses["ri"], of(bill, "i-x").uses["ri"]) == (0.6, 1.2)
    assert residue(bill) == pytest.approx(0)
    stopped = [usage for usage in bill.usages if usage.resource_id == "i-x"]
    assert apply(stopped, bill.held).on_demand[stopped[0].key][0] == pytest.approx(0)


def test_what_is_unused_without_a_quantity_is_told_by_its_cost() -> None:
    bill = metered(row(0, "0.6", **RESERVED), row(1, "1.2", None, **RESERVED | UNUSED))
    assert bill.held[0].amount.tolist() == [1, pytest.approx(2)]


def test_what_was_covered_at_no_cost_stays_so() -> None:
    """Google's resource commitments: their fee is a charge of its own. What one row covers in part
    is on demand for the rest of it."""
    google = {"ProviderName": "Google Cloud", "PricingUnit": "vCPU-Hours"}
    fee = RESERVED | {"ChargeCategory": "Purchase", "CommitmentDiscountStatus": None}
    bill = metered(
        row(0, "0", "4", **RESERVED | google),
        row(1, "2", "8", **RESERVED | google),
        row(0, "3", **fee | google),
    )
    assert bill.held[0].amount.tolist() == [4, 6]
    assert bill.usages[0].quantity.tolist() == [4, 8]
    assert replay(bill).tolist() == bill.actual.tolist() == [0, 2]
    assert bill.rest == 3


def test_several_sizes_of_days_leave_nothing_to_cover_more_with() -> None:
    """On demand and unused on one day: the hours of both are not the same."""
    day = {"ChargePeriodEnd": START + DAY}
    bill = metered(
        row(0, "6", "10", **RESERVED | day),
        row(0, "2", "2", **day),
        row(0, "8.4", "14", **RESERVED | UNUSED | day),
    )
    assert (bill.held[0].amount.tolist(), bill.held[0].cost.tolist()) == ([10], [14.4])
    assert residue(bill) == 0


def test_what_a_month_leaves_unused_was_left_hour_by_hour() -> None:
    """A reservation of two machines, 0.6 each: one ran four hours, the other two of them. Of the
    month of four hours, two machine-hours were left: where only one ran."""
    month = {"ChargePeriodEnd": START + 30 * DAY, "CommitmentDiscountQuantity": Decimal(2)}
    other = {"ResourceId": "i-2"}
    bill = metered(
        *(row(at, "0.6", **RESERVED) for at in range(4)),
        *(row(at, "0.6", **RESERVED | other) for at in (1, 2)),
        row(0, "1.2", None, **RESERVED | UNUSED | month),
    )
    (one,) = bill.held
    assert one.amount.tolist() == pytest.approx([2, 2, 2, 2])
    assert one.cost.tolist() == pytest.approx([1.2] * 4)
    assert bill.actual.sum() == pytest.approx(4.8)
    assert bill.rest == 0
    assert residue(bill) == pytest.approx(0)


def test_of_a_month_that_began_before_the_bill_the_part_inside_counts() -> None:
    """Four days of it lie before: a seventh of what 28 days left is left in four."""
    month = {"ChargePeriodStart": START - 24 * DAY, "ChargePeriodEnd": START + 4 * DAY}
    rows = [
        *(row(24 * n, "12", "24", ChargePeriodEnd=START + (n + 1) * DAY) for n in range(4)),
        row(0, "70", None, **RESERVED | UNUSED | month),
    ]
    bill = metered(*rows)
    assert bill.held[0].cost.tolist() == pytest.approx([2.5] * 4)


# -- what may be covered, though it never was ------------------------------------------------------


def test_another_machine_of_the_sku_may_be_covered() -> None:
    bill = metered(
        row(0, "0.6", **RESERVED),
        row(0, "1", ResourceId="i-2"),
        row(0, "2", ResourceId="i-3", SkuId="L"),
        row(0, "0.3", ResourceId="i-4", PricingCategory="Dynamic"),
    )
    assert of(bill, "i-2").uses == {"ri": 0.6 / 0.6}
    assert of(bill, "i-2").assumed == {"ri"}
    assert not of(bill, "i-3").uses  # another SKU
    assert not of(bill, "i-4").uses  # spot


def test_money_may_cover_what_else_its_service_runs() -> None:
    """At which discount is not known of a family that it never covered: it may be none."""
    bill = metered(
        row(0, "0.7", **PLAN),
        row(0, "1", ResourceId="i-5"),
        row(0, "2", ResourceId="i-2", SkuId="L", ContractedCost=Decimal(2)),
        row(0, "2", ResourceId="i-3", ServiceName="Fargate"),
        row(0, "0.3", ResourceId="i-4", PricingCategory="Dynamic"),
    )
    assert of(bill, "i-5").uses == {"plan": pytest.approx(0.7)}
    assert of(bill, "i-2").uses == {"plan": pytest.approx(2)}
    assert not of(bill, "i-3").uses
    assert not of(bill, "i-4").uses


def test_a_flexible_commitment_gives_all_the_same_discount() -> None:
    google = {"ProviderName": "Google Cloud"}
    flexible = PLAN | google | {"CommitmentDiscountType": "Flexible Committed Use Discount"}
    bill = metered(
        row(0, "0.72", **flexible),
        row(0, "2", ResourceId="i-2", SkuId="L", ContractedCost=Decimal(2), **google),
    )
    assert of(bill, "i-2").uses == {"plan": pytest.approx(1.44)}


INSTANCE = PLAN | {"CommitmentDiscountType": "EC2InstanceSavingsPlans"}


def of_type(name: str) -> dict[str, Any]:
    return {"SkuId": name, "SkuMeter": f"BoxUsage:{name}", "ResourceId": name}


@pytest.mark.parametrize("kind", ["EC2InstanceSavingsPlans", "Savings Plan"])
def test_a_plan_of_one_family_covers_no_other_and_no_other_region(kind: str) -> None:
    """An unknown plan that was seen to cover one family may be of that one only."""
    bill = metered(
        row(0, "0.7", **INSTANCE | of_type("m5.large") | {"CommitmentDiscountType": kind}),
        row(0, "2", **of_type("m5.xlarge") | {"ContractedCost": Decimal(2)}),
        row(0, "1", **of_type("r5.large")),
        row(0, "1", **of_type("m5.2xlarge") | {"RegionId": "us-west-2"}),
    )
    assert bill.held[0].bound == "family"
    assert of(bill, "m5.xlarge").uses == {"plan": pytest.approx(1.4)}
    assert not of(bill, "r5.large").uses
    assert not of(bill, "m5.2xlarge").uses


def test_a_plan_of_unknown_type_that_covers_two_families_covers_any() -> None:
    unknown = INSTANCE | {"CommitmentDiscountType": "Savings Plan"}
    bill = metered(
        row(0, "0.7", **unknown | of_type("m5.large")),
        row(0, "0.8", **unknown | of_type("c5.large")),
        row(0, "1", **of_type("r5.large")),
    )
    assert bill.held[0].bound == ""
    assert of(bill, "r5.large").uses == {"plan": pytest.approx(1)}


def test_a_reservation_stays_in_the_zones_where_it_was_seen() -> None:
    """Whether it is bound to its zone neither this bill nor an inventory says."""
    rows = [
        row(0, "0.6", **RESERVED, AvailabilityZone="us-east-1a"),
        row(0, "1", ResourceId="i-2", AvailabilityZone="us-east-1b"),
        row(0, "1", ResourceId="i-3", AvailabilityZone="us-east-1a"),
    ]
    bill = metered(*rows)
    assert not of(bill, "i-2").uses
    assert of(bill, "i-3").assumed == {"ri"}
    assert bill.held[0].bound == "type"
    regional = read(table(rows), MONTHS, "USD", Known(zonal={"ri": False}))["aws"]
    assert of(regional, "i-2").assumed == {"ri"}
    third = {"ResourceId": "i-9", "AvailabilityZone": "us-east-1c"}
    twice = metered(*rows, row(0, "0.6", **RESERVED | third))
    assert of(twice, "i-2").assumed == {"ri"}  # in two zones: bound to none


def test_a_regional_reservation_covers_other_sizes_by_their_weights() -> None:
    sorts = {
        "i-1": Sort("m5", 4, flexible=True),
        "i-2": Sort("m5", 16, flexible=True),
        "i-3": Sort("m5", 16),  # Windows
        "i-4": Sort("c5", 16, flexible=True),
    }
    rows = [
        row(0, "0.6", **RESERVED),
        *(row(0, "4", ResourceId=f"i-{n}", SkuId=f"L{n}") for n in (2, 3, 4)),
    ]
    bill = read(table(rows), MONTHS, "USD", Known(sorts=sorts, zonal={"ri": False}))["aws"]
    assert bill.held[0].bound == "family"
    assert of(bill, "i-2").uses == {"ri": pytest.approx(4)}
    assert of(bill, "i-2").assumed == {"ri"}
    assert not of(bill, "i-3").uses
    assert not of(bill, "i-4").uses


def test_a_price_list_tells_what_covered_hours_cost_on_demand_where_no_bill_does() -> None:
    none = {"ContractedCost": Decimal(0), "ListCost": Decimal(0), "ProviderName": "Microsoft"}
    rows = [row(0, "0.6", **RESERVED | none)]
    bill = read(table(rows), MONTHS, "USD", Known(rates={"i-1": 0.9}))["azure"]
    assert of(bill, "i-1").rate.tolist() == [0.9]
    assert bill.rest == 0


def test_who_was_on_demand_while_something_was_left_is_not_covered() -> None:
    left = row(0, "0.6", **RESERVED | UNUSED)
    bill = metered(row(1, "0.6", **RESERVED), left, row(0, "1", ResourceId="i-2"))
    assert not of(bill, "i-2").uses
    by_plan = row(0, "0.7", **PLAN, ResourceId="i-2")
    bill = metered(row(1, "0.6", **RESERVED), left, by_plan)
    assert set(of(bill, "i-2").uses) == {"plan"}  # reservations go first: it had its chance


# -- there and back --------------------------------------------------------------------------------


def rows_of(usages: list[Usage], commitments: list[Held]) -> list[dict[str, Any]]:
    """The FOCUS bill of those, as a provider writes it."""
    applied = apply(usages, commitments)
    found = []
    for usage in usages:
        account, region, resource, service, sku, unit, _ = usage.key.split("\x1f")
        told = {
            "SubAccountId": account,
            "RegionId": region,
            "ResourceId": resource,
            "ServiceName": service,
            "SkuId": sku,
            "PricingUnit": unit,
        }
        for at, (free, rate) in enumerate(
            zip(applied.on_demand[usage.key], usage.rate, strict=True)
        ):
            if free > 0:
                found.append(_priced(at, free, free * rate, rate, told))
            for one in commitments:
                units = applied.covered.get((usage.key, one.commitment_id), np.zeros(at + 1))[at]
                taken = units * usage.uses.get(one.commitment_id, 0.0)
                if units > 0:
                    cost = taken * one.cost[at] / one.amount[at]
                    found.append(_priced(at, units, cost, rate, told | _told(one, taken)))
    for one in commitments:
        for at, left in enumerate(applied.unused[one.commitment_id]):
            fee = _told(one, one.amount[at]) | {"ChargeCategory": "Purchase"}
            found.append(row(at, "0", **fee, SubAccountId=one.account, ResourceId=None))
            if left > 0:
                told = _told(one, left) | UNUSED | {"SubAccountId": one.account}
                found.append(row(at, _text(left * one.cost[at] / one.amount[at]), **told))
    return found


def _priced(
    at: int, units: float, cost: float, rate: float, told: dict[str, Any]
) -> dict[str, Any]:
    contracted = Decimal(_text(units * rate))
    return row(at, _text(cost), _text(units), **told, ContractedCost=contracted)


def _told(one: Held, taken: float) -> dict[str, Any]:
    return RESERVED | {
        "CommitmentDiscountId": one.commitment_id,
        "CommitmentDiscountCategory": "Spend" if one.by_spend else "Usage",
        "CommitmentDiscountType": one.kind,
        "CommitmentDiscountQuantity": Decimal(_text(taken)),
    }


def _text(value: float) -> str:
    return f"{value:.12f}"


KINDS = ("Reserved Instance", "EC2 Instance Savings Plan", "Compute Savings Plan")
quarters = st.integers(0, 12).map(lambda n: n / 4)


@st.composite
def worlds(draw: st.DrawFn) -> tuple[list[Usage], list[Held]]:
    hours = draw(st.integers(1, 4))
    commitments = []
    for at in range(draw(st.integers(0, 3))):
        order = draw(st.integers(0, 2))
        amount = np.array(draw(st.lists(quarters, min_size=hours, max_size=hours))) + 0.25
        account = draw(st.sampled_from(["1", "2"]))
        cost = amount * (1 if order else 0.5)
        commitments.append(
            Held(f"c{at}", "", "aws", KINDS[order], order, order > 0, account, amount, cost)
        )
    usages = []
    for at in range(draw(st.integers(1, 4))):
        rate = draw(st.sampled_from([0.5, 1.0, 2.0]))
        takes = {
            one.commitment_id: draw(st.sampled_from([0.25, 0.5, 0.75]))
            * (rate if one.by_spend else 4)
            for one in commitments
            if draw(st.booleans())
        }
        quantity = np.array(draw(st.lists(quarters, min_size=hours, max_size=hours)))
        account, sku = draw(st.sampled_from("12")), draw(st.sampled_from("MLX"))
        key = "\x1f".join([account, "r", f"i-{at}", "EC2", sku, "Hours", ""])
        rates = np.full(hours, rate)
        usages.append(Usage(key, f"i-{at}", "aws", account, "r", quantity, rates, takes))
    return usages, commitments


@settings(max_examples=80)
@given(worlds())
def test_a_bill_made_by_commitments_is_read_back_and_comes_to_the_same(
    world: tuple[list[Usage], list[Held]],
) -> None:
    usages, commitments = world
    rows = rows_of(usages, commitments)
    for bill in every(*rows).values():
        assert residue(bill) < 1e-9
        assert bill.rest == 0
        starts = {datetime.fromtimestamp(at, UTC): n for n, at in enumerate(bill.starts)}
        by_hand = np.zeros(len(starts))
        for one in rows:
            if one["EffectiveCost"]:
                by_hand[starts[one["ChargePeriodStart"]]] += float(one["EffectiveCost"])
        assert bill.actual == pytest.approx(by_hand)


@settings(max_examples=25)
@given(worlds(), st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_matter(
    world: tuple[list[Usage], list[Held]], random: Random
) -> None:
    rows = rows_of(*world)
    shuffled = list(rows)
    random.shuffle(shuffled)
    one, other = every(*rows), every(*shuffled)
    assert one.keys() == other.keys()
    for name, bill in one.items():
        assert bill.actual.tolist() == other[name].actual.tolist()
        assert replay(bill).tolist() == replay(other[name]).tolist()
        assert [u.uses for u in bill.usages] == [u.uses for u in other[name].usages]
