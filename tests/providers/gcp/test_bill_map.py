"""Lines of Google's export as FOCUS: what they cost, what they are, and what they are for."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from costopt.providers.gcp.bill.map import Detailed
from costopt.providers.gcp.bill.things import Things
from tests.fakes.gcp_export import Row, credit, line, pairs, project, table, usage

NUMBERED = "//compute.googleapis.com/projects/441570621172/zones/europe-west4-a"
OURS = "//compute.googleapis.com/projects/shop-prod-1/zones/europe-west4-a"


def rows(*given: Row, things: Things | None = None) -> list[dict[str, Any]]:
    made = table(given, partitioned=False)
    columns = {name: made.column(name).combine_chunks() for name in made.column_names}
    batch = Detailed(things or Things()).batch(columns)
    assert (list(batch.unread), list(batch.misread), batch.intake.misread) == ([], [], ())
    found: list[dict[str, Any]] = batch.intake.table.to_pylist(maps_as_pydicts="strict")
    return found


def only(**given: Any) -> dict[str, Any]:
    (found,) = rows(line(**given))
    return found


@pytest.mark.parametrize(
    "kind",
    [
        "SUSTAINED_USAGE_DISCOUNT",
        "COMMITTED_USAGE_DISCOUNT",
        "COMMITTED_USAGE_DISCOUNT_DOLLAR_BASE",
        "DISCOUNT",
        "FREE_TIER",
        "RESELLER_MARGIN",
        "SUBSCRIPTION_BENEFIT",
    ],
)
def test_discounts_come_off_their_line(kind: str) -> None:
    found = only(
        cost=0.3, credits=[credit(kind, -0.1), credit("DISCOUNT", -0.05)], cost_at_list=0.4
    )
    assert found["BilledCost"] == found["EffectiveCost"] == Decimal("0.15")
    assert (found["ContractedCost"], found["ListCost"]) == (Decimal("0.3"), Decimal("0.4"))
    committed = kind.startswith("COMMITTED")
    assert found["PricingCategory"] == ("Committed" if committed else "Standard")
    assert found["CommitmentDiscountStatus"] == ("Used" if committed else None)


def test_a_promotion_is_a_charge_of_its_own() -> None:
    usage_row, gift = rows(line(credits=[credit("PROMOTION", -1.5), credit("FREE_TIER", -0.5)]))
    assert (usage_row["ChargeCategory"], usage_row["EffectiveCost"]) == ("Usage", Decimal(1))
    assert (gift["ChargeCategory"], gift["EffectiveCost"]) == ("Credit", Decimal("-1.5"))
    assert (gift["ListCost"], gift["PricingQuantity"], gift["ConsumedUnit"]) == (0, None, None)
    assert gift["ResourceId"] == usage_row["ResourceId"]


@pytest.mark.parametrize(
    ("cost_type", "category"),
    [
        ("regular", "Usage"),
        ("tax", "Tax"),
        ("adjustment", "Adjustment"),
        ("rounding_error", "Adjustment"),
        (None, "Usage"),
    ],
)
def test_kinds_of_costs(cost_type: str | None, category: str) -> None:
    assert only(cost_type=cost_type)["ChargeCategory"] == category


def test_a_fee_is_a_purchase_that_what_was_used_offsets() -> None:
    fee = {"id": "F", "description": "Commitment - dollar based v1: GCE for 1 Year"}
    found = only(
        sku=fee,
        cost=10.0,
        subscription={"instance_id": "s-1"},
        credits=[credit("FEE_UTILIZATION_OFFSET", -8.0)],
    )
    assert (found["ChargeCategory"], found["ChargeFrequency"]) == ("Purchase", "Recurring")
    assert found["BilledCost"] == Decimal(2)
    assert (found["CommitmentDiscountId"], found["CommitmentDiscountCategory"]) == ("s-1", "Spend")
    assert found["CommitmentDiscountStatus"] is None


def test_what_a_spend_based_commitment_covers_has_its_price() -> None:
    model = {"id": "D97B", "description": "Compute Flexible CUDs 1 Year"}
    found = only(cost=0.7, cost_at_effective_price_default=1.0, consumption_model=model)
    assert (found["EffectiveCost"], found["ContractedCost"]) == (Decimal("0.7"), Decimal(1))
    assert (found["PricingCategory"], found["CommitmentDiscountCategory"]) == ("Committed", "Spend")
    default = {"id": "7754", "description": "Default"}
    assert only(consumption_model=default)["PricingCategory"] == "Standard"


@pytest.mark.parametrize(
    ("month", "start", "end"),
    [("202607", (2026, 7, 1, 7), (2026, 8, 1, 7)), ("202612", (2026, 12, 1, 8), (2027, 1, 1, 8))],
)
def test_invoices_are_of_months_in_pacific_time(month: str, start: Any, end: Any) -> None:
    found = only(invoice={"month": month})
    assert found["BillingPeriodStart"] == datetime(*start, tzinfo=UTC)
    assert found["BillingPeriodEnd"] == datetime(*end, tzinfo=UTC)


@pytest.mark.parametrize(
    ("global_name", "name", "wanted"),
    [
        (f"{NUMBERED}/instances/5731447681477044785", "web-1", f"{OURS}/instances/web-1"),
        (f"{NUMBERED}/disk/5731447681477044785", "web-1", f"{OURS}/disks/web-1"),
        (f"{NUMBERED}/instances/web-1", "web-1", f"{OURS}/instances/web-1"),
        # No name that could be one: what the inventory knows by that number.
        (f"{NUMBERED}/instances/42", None, f"{OURS}/instances/known"),
        (f"{NUMBERED}/instances/42", "projects/1/instances/42", f"{OURS}/instances/known"),
        (f"{NUMBERED}/instances/43", None, f"{NUMBERED}/instances/43"),
        (f"{NUMBERED}/disk/42", None, f"{OURS}/disks/known"),
        ("//storage.googleapis.com/projects/_/buckets/b", "b",
         "//storage.googleapis.com/projects/_/buckets/b"),
        (None, "web-1", None),
    ],
)  # fmt: skip
def test_things_have_the_names_of_the_inventory(
    global_name: str | None, name: str | None, wanted: str | None
) -> None:
    known = {"ResourceId": f"{OURS}/instances/known", "x_Attributes": [("instance_id", "42")]}
    disk = {"ResourceId": f"{OURS}/disks/known", "x_Attributes": [("disk_id", "42")]}
    given = line(resource={"global_name": global_name, "name": name})
    (found,) = rows(given, things=Things([known, disk, {"ResourceId": "x", "x_Attributes": None}]))
    assert found["ResourceId"] == wanted


@pytest.mark.parametrize(
    ("sku", "unit", "wanted", "category"),
    [
        ("N2 Instance Core running in Netherlands", "hour", "vCPU-Hours", "Compute"),
        ("N2 Instance Ram running in Netherlands", "gibibyte hour", "GiB-Hours", "Compute"),
        ("Nvidia Tesla T4 GPU running in Iowa", "hour", "GPU-Hours", "Compute"),
        ("Micro Instance with burstable CPU running in Iowa", "hour", "Hours", "Compute"),
        ("Licensing Fee for Windows Server 2022 (CPU cost)", "hour", "vCPU-Hours", "Compute"),
        ("SSD backed PD Capacity in Netherlands", "gibibyte month", "GiB-Months", "Storage"),
        ("Storage PD Snapshot in Iowa", "gibibyte month", "GiB-Months", "Storage"),
        ("Network Internet Data Transfer Out to EMEA", "gibibyte", "GiB", "Networking"),
        ("Static Ip Charge", "hour", "Unit-Hours", "Networking"),
    ],
)
def test_parts_of_a_machine_are_not_its_hours(
    sku: str, unit: str, wanted: str, category: str
) -> None:
    found = only(sku={"id": "s", "description": sku}, usage=usage("seconds", 1.0, unit, 1.0))
    assert (found["PricingUnit"], found["ServiceCategory"]) == (wanted, category)


def test_spot_is_dynamic() -> None:
    sku = {"id": "s", "description": "Spot Preemptible N2 Instance Core running in Iowa"}
    assert only(sku=sku)["PricingCategory"] == "Dynamic"


def test_labels_of_the_thing_count_before_those_of_its_project() -> None:
    found = only(
        labels=pairs({"team": "shop"}),
        system_labels=pairs({"compute.googleapis.com/cores": "4"}),
        project=project("shop-prod-1", {"team": "platform", "env": "prod"}),
    )
    assert found["Tags"] == {"team": "shop", "env": "prod", "compute.googleapis.com/cores": "4"}


def test_nothing_that_is_missing_becomes_nothing() -> None:
    found = only(cost_at_list=None, usage=None, location=None, project=None)
    for name in ("ListCost", "PricingQuantity", "ConsumedQuantity", "RegionId", "SubAccountId"):
        assert found[name] is None
