"""CUR line items as FOCUS rows: each type of line, money to the last digit, real samples."""

from __future__ import annotations

import csv
import gzip
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from costopt.errors import InputError
from costopt.frame import bill
from costopt.providers.aws.bill import cur
from costopt.providers.aws.bill.items import Items
from costopt.providers.aws.bill.spool import Spool
from costopt.providers.bills import reading
from tests.fakes.bill_export import CUR_TYPES

D = Decimal
RI = "arn:aws:ec2:eu-west-1:1:reserved-instances/11-aa"
PLAN = "arn:aws:savingsplans::1:savingsplan/22-bb"
RESERVED = {"reservation_reservation_a_r_n": RI}
PLANNED = {"savings_plan_savings_plan_a_r_n": PLAN}


def item(kind: str = "Usage", cost: str = "0.192", **more: Any) -> dict[str, Any]:
    return {
        "bill_payer_account_id": "9",
        "bill_bill_type": "Anniversary",
        "bill_billing_period_start_date": "2026-09-01T00:00:00Z",
        "bill_billing_period_end_date": "2026-10-01T00:00:00Z",
        "line_item_usage_account_id": "1",
        "line_item_line_item_type": kind,
        "line_item_usage_start_date": "2026-09-02T03:00:00Z",
        "line_item_usage_end_date": "2026-09-02T04:00:00Z",
        "line_item_product_code": "AmazonEC2",
        "line_item_usage_type": "EU-BoxUsage:m6i.xlarge",
        "line_item_resource_id": "i-0abc",
        "line_item_usage_amount": "1",
        "line_item_currency_code": "USD",
        "line_item_unblended_cost": cost,
        "line_item_unblended_rate": "0.192",
        "line_item_availability_zone": "eu-west-1b",
        "pricing_unit": "Hrs",
        "pricing_public_on_demand_cost": "0.214",
        "pricing_public_on_demand_rate": "0.214",
        **more,
    }


def focus(*items: dict[str, Any]) -> list[dict[str, Any]]:
    names = list(dict.fromkeys(name for one in items for name in one))
    columns = {name: pa.array([one.get(name) for one in items]) for name in names}
    return listed(bill.normalise(cur.converted(columns).columns).table)


def listed(table: pa.Table) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = table.to_pylist(maps_as_pydicts="strict")
    return rows


def costs(row: dict[str, Any]) -> tuple[object, ...]:
    return row["ListCost"], row["ContractedCost"], row["EffectiveCost"], row["BilledCost"]


def test_usage_on_demand() -> None:
    (row,) = focus(item())
    assert costs(row) == (D("0.214"), D("0.192"), D("0.192"), D("0.192"))
    assert row["ChargeCategory"] == "Usage"
    assert row["PricingCategory"] == "Standard"
    assert (row["PricingQuantity"], row["PricingUnit"]) == (1, "Hours")
    assert (row["ConsumedQuantity"], row["ConsumedUnit"]) == (1, "Hours")
    assert (row["ListUnitPrice"], row["ContractedUnitPrice"]) == (D("0.214"), D("0.192"))
    assert (row["ResourceId"], row["ResourceType"]) == ("i-0abc", "instance")
    assert (row["RegionId"], row["AvailabilityZone"]) == ("eu-west-1", "eu-west-1b")
    assert (row["BillingAccountId"], row["SubAccountId"]) == ("9", "1")
    assert row["ServiceCategory"] == "Compute"
    assert row["CommitmentDiscountId"] is None


def test_usage_that_a_plan_covers_bills_nothing_and_its_negation_is_gone() -> None:
    covered = item(
        "SavingsPlanCoveredUsage", savings_plan_savings_plan_effective_cost="0.14", **PLANNED
    )
    negation = item("SavingsPlanNegation", "-0.192", line_item_resource_id=None, **PLANNED)
    (row,) = focus(covered, negation)
    assert costs(row) == (D("0.214"), D("0.192"), D("0.14"), 0)
    assert row["PricingCategory"] == "Committed"
    assert row["CommitmentDiscountId"] == PLAN
    assert row["CommitmentDiscountStatus"] == "Used"
    assert row["CommitmentDiscountCategory"] == "Spend"
    assert row["CommitmentDiscountType"] == "Savings Plan"
    assert (row["CommitmentDiscountQuantity"], row["CommitmentDiscountUnit"]) == (D("0.14"), "USD")


def test_the_type_of_a_plan_and_the_zone_of_a_reservation_are_kept() -> None:
    kind = {"savings_plan_offering_type": "EC2InstanceSavingsPlans"}
    kind["savings_plan_savings_plan_effective_cost"] = "0.14"
    (row,) = focus(item("SavingsPlanCoveredUsage", **PLANNED | kind))
    assert row["CommitmentDiscountType"] == "EC2InstanceSavingsPlans"
    bare = {"line_item_availability_zone": None}
    zonal, regional = focus(
        item("RIFee", "1", **RESERVED | bare, reservation_availability_zone="eu-west-1b"),
        item("RIFee", "1", **RESERVED | bare, reservation_availability_zone="eu-west-1"),
    )
    assert zonal["AvailabilityZone"] == "eu-west-1b"
    assert regional["AvailabilityZone"] is None


def test_usage_that_a_reservation_covers() -> None:
    (row,) = focus(item("DiscountedUsage", "0", reservation_effective_cost="0.12", **RESERVED))
    assert costs(row) == (D("0.214"), D("0.214"), D("0.12"), 0)
    assert row["CommitmentDiscountId"] == RI
    assert row["CommitmentDiscountCategory"] == "Usage"
    assert (row["CommitmentDiscountQuantity"], row["CommitmentDiscountUnit"]) == (1, "Hours")


def test_a_reservations_fee_is_a_purchase_and_what_nobody_used() -> None:
    fee = item(
        "RIFee",
        "89.28",
        line_item_resource_id=None,
        reservation_unused_amortized_upfront_fee_for_billing_period="3",
        reservation_unused_recurring_fee="2.5",
        reservation_unused_quantity="44",
        **RESERVED,
    )
    paid, unused = focus(fee)
    assert (paid["ChargeCategory"], paid["ChargeFrequency"]) == ("Purchase", "Recurring")
    assert (paid["BilledCost"], paid["EffectiveCost"]) == (D("89.28"), 0)
    assert paid["CommitmentDiscountStatus"] is None
    assert unused["ChargeCategory"] == "Usage"
    assert costs(unused) == (0, 0, D("5.5"), 0)
    assert unused["CommitmentDiscountStatus"] == "Unused"
    assert unused["PricingQuantity"] == 44
    assert {paid["ResourceId"], unused["ResourceId"]} == {RI}


def test_a_plans_fee_that_was_all_used_is_only_a_purchase() -> None:
    amounts = {
        "savings_plan_total_commitment_to_date": "1.5",
        "savings_plan_used_commitment": "1.5",
    }
    (paid,) = focus(item("SavingsPlanRecurringFee", "1.5", **amounts, **PLANNED))
    assert (paid["BilledCost"], paid["EffectiveCost"]) == (D("1.5"), 0)
    amounts["savings_plan_used_commitment"] = "1.2"
    _, unused = focus(item("SavingsPlanRecurringFee", "1.5", **amounts, **PLANNED))
    assert (unused["BilledCost"], unused["EffectiveCost"]) == (0, D("0.3"))
    assert unused["CommitmentDiscountUnit"] == "USD"


@pytest.mark.parametrize(
    ("kind", "more", "category", "effective"),
    [
        ("SavingsPlanUpfrontFee", PLANNED, "Purchase", 0),
        ("Fee", RESERVED, "Purchase", 0),  # an upfront payment
        ("Fee", {}, "Purchase", 7),  # support
        ("Tax", {}, "Tax", 7),
        ("Credit", {}, "Credit", 7),
        ("Refund", {}, "Adjustment", 7),
        ("EdpDiscount", {}, "Usage", 7),
        ("BundledDiscount", {}, "Usage", 7),
        ("SomethingNew", {}, "Adjustment", 7),
    ],
)
def test_what_other_lines_are(
    kind: str, more: dict[str, str], category: str, effective: int
) -> None:
    (row,) = focus(item(kind, "7", **more))
    assert (row["ChargeCategory"], row["EffectiveCost"]) == (category, effective)
    assert row["BilledCost"] == 7


def test_a_discount_belongs_to_its_resource_and_adds_no_hours() -> None:
    usage, discount = focus(item(), item("PrivateRateDiscount", "-0.02"))
    assert discount["ResourceId"] == usage["ResourceId"]
    assert discount["PricingQuantity"] is None
    assert costs(discount) == (0, 0, D("-0.02"), D("-0.02"))


@pytest.mark.parametrize(
    ("family", "use", "category"),
    [
        ("Compute Instance", "EBSOptimized:m4.large", "Compute"),
        ("Storage", "EBS:VolumeUsage.gp3", "Storage"),
        ("", "EUW1-EBS:SnapshotUsage", "Storage"),
        ("NAT Gateway", "NatGateway-Hours", "Networking"),
        ("IP Address", "ElasticIP:IdleAddress", "Networking"),
        ("", "EU-DataTransfer-Out-Bytes", "Networking"),
    ],
)
def test_only_machines_of_what_ec2_sells_are_compute(family: str, use: str, category: str) -> None:
    (row,) = focus(item(product_product_family=family, line_item_usage_type=use))
    assert row["ServiceCategory"] == category


def test_spot_is_dynamic_and_tax_has_no_pricing() -> None:
    spot, tax = focus(item(line_item_usage_type="EU-SpotUsage:m5.large"), item("Tax", "1"))
    assert spot["PricingCategory"] == "Dynamic"
    assert tax["PricingCategory"] is None


def test_a_list_price_that_is_not_known_is_the_price_paid() -> None:
    (row,) = focus(item(pricing_public_on_demand_cost="0"))
    assert row["ListCost"] == D("0.192")


def test_currencies_stay_apart() -> None:
    rows = focus(item(), item(line_item_currency_code="CNY"))
    assert [row["BillingCurrency"] for row in rows] == ["USD", "CNY"]


def test_tags_lose_the_prefix_that_the_user_did_not_write() -> None:
    flat = {"resourceTags/user:team": "web", "resourceTags/aws:createdBy": "me"}
    (row,) = focus(item(**flat))
    assert row["Tags"] == {"team": "web", "aws:createdBy": "me"}
    (row,) = focus(item(resource_tags='{"user_team": "web", "aws_created_by": "me"}'))
    assert row["Tags"] == {"team": "web", "aws:createdBy": "me"}
    (row,) = focus(item(resource_tags_user_team="web", resource_tags_aws_created_by="me"))
    assert row["Tags"] == {"team": "web", "aws:createdBy": "me"}


def test_what_focus_has_no_column_for_is_kept() -> None:
    more = {
        "line_item_operation": "RunInstances",
        "product_instance_type": "m6i.xlarge",
        "cost_category": '{"unit": "shop"}',
    }
    (row,) = focus(item(**more))
    assert row["x_Attributes"] == {
        "x_LineItemType": "Usage",
        "x_Operation": "RunInstances",
        "x_InstanceType": "m6i.xlarge",
        "x_CostCategories": '{"unit": "shop"}',
    }


def test_the_product_map_of_cur_2() -> None:
    product = '{"product_name": "Amazon Elastic Compute Cloud", "region": "eu-central-1"}'
    (row,) = focus(item(product=product))
    assert row["ServiceName"] == "Amazon Elastic Compute Cloud"
    assert row["RegionId"] == "eu-central-1"


@given(st.decimals(-(10**9), 10**9, places=6))
def test_float64_of_parquet_is_money_to_the_last_digit(amount: Decimal) -> None:
    columns = {"line_item_unblended_cost": pa.array([float(amount)])}
    (found,) = Items(columns).amount("line_item_unblended_cost").to_pylist()
    assert found == amount


def test_times_may_be_timestamps_as_in_parquet() -> None:
    start = pa.array([datetime(2026, 9, 2, 3, tzinfo=UTC)], CUR_TYPES["line_item_usage_start_date"])
    columns = {name: pa.array([value]) for name, value in item().items()}
    columns["line_item_usage_start_date"] = start
    (row,) = bill.normalise(cur.converted(columns).columns).table.to_pylist()
    assert row["ChargePeriodStart"] == datetime(2026, 9, 2, 3, tzinfo=UTC)


def test_columns_without_which_there_is_no_bill() -> None:
    with pytest.raises(InputError, match="lacks line_item_currency_code"):
        cur.chosen([name for name in item() if name != "line_item_currency_code"])


# -- costs after discounts -------------------------------------------------------------------------


def kept(tmp_path: Path, *items: dict[str, Any]) -> list[dict[str, Any]]:
    columns = {name: pa.array([one[name] for one in items]) for name in items[0]}
    found = cur.converted(columns)
    with Spool(tmp_path / "spool") as spool:
        spool.add(bill.normalise(found.columns).table, found.net)
    return listed(pa.concat_tables(spool.tables()))


def test_net_costs_count_where_they_add_up_to_the_bill(tmp_path: Path) -> None:
    usage = item(cost="100", line_item_net_unblended_cost="90")
    discount = item("EdpDiscount", "-10", line_item_net_unblended_cost="0")
    rows = kept(tmp_path, usage, discount)
    assert [(row["BilledCost"], row["EffectiveCost"]) for row in rows] == [(90, 90), (0, 0)]


@pytest.mark.parametrize("net", ["0", None, "95"])
def test_net_costs_that_do_not_are_left_aside(tmp_path: Path, net: str | None) -> None:
    usage = item(cost="100", line_item_net_unblended_cost=net)
    discount = item("EdpDiscount", "-10", line_item_net_unblended_cost="0")
    rows = kept(tmp_path, usage, discount)
    assert [(row["BilledCost"], row["EffectiveCost"]) for row in rows] == [(100, 100), (-10, -10)]


def test_a_plans_unused_part_after_discounts_is_at_the_ratio_of_its_fees(tmp_path: Path) -> None:
    fee = item(
        "SavingsPlanRecurringFee",
        "10",
        line_item_net_unblended_cost="9",
        savings_plan_total_commitment_to_date="10",
        savings_plan_used_commitment="6",
        savings_plan_recurring_commitment_for_billing_period="10",
        savings_plan_net_recurring_commitment_for_billing_period="9",
        **PLANNED,
    )
    discount = (
        item("EdpDiscount", "-1", line_item_net_unblended_cost="0")
        | dict.fromkeys(set(fee) - set(item()), None)
        | {"line_item_net_unblended_cost": "0"}
    )
    rows = kept(tmp_path, fee, discount)
    assert [(row["BilledCost"], row["EffectiveCost"]) for row in rows] == [
        (9, 0),
        (0, 0),
        (0, D("3.6")),
    ]


# -- real bills ------------------------------------------------------------------------------------

CONVERTERS = "billing/focus_converters/focus_converter_base/tests/provider_config_tests/aws"
KOKU = "billing/koku/koku/masu/test/data/aws"


def read(path: Path) -> list[dict[str, Any]]:
    tables = [
        bill.normalise(cur.converted(columns).columns).table
        for columns in reading.batches(path, str(path), cur.chosen)
    ]
    return listed(pa.concat_tables(tables))


def test_a_real_report_keeps_its_sum(real_data: Path) -> None:
    path = real_data / CONVERTERS / "sample-anonymous-aws-export-dataset.csv"
    rows = read(path)
    with path.open(newline="") as file:
        theirs = list(csv.DictReader(file))
    assert len(rows) == len(theirs) == 1281
    unblended = sum((D(one["lineItem/UnblendedCost"]) for one in theirs), D(0))
    assert sum((row["BilledCost"] for row in rows), D(0)) == unblended
    assert sum((row["EffectiveCost"] for row in rows), D(0)) == unblended  # no commitments in it
    taxes = [row for row in rows if row["ChargeCategory"] == "Tax"]
    assert len(taxes) == 12
    codes = {row["x_Attributes"].get("x_ServiceCode") for row in rows}
    assert "AWSDataTransfer" in codes


def test_a_real_reports_covered_usage(real_data: Path) -> None:
    rows = read(real_data / KOKU / "2023-06-01.csv")
    assert [row["EffectiveCost"] for row in rows] == [D("0.1")] * 3
    assert {row["BillingCurrency"] for row in rows} == {"NOK"}
    assert {row["RegionName"] for row in rows} == {"US West (N. California)"}


def test_a_real_report_in_athenas_spelling(real_data: Path) -> None:
    first, *_ = read(real_data / KOKU / "2022-07-01-alt-columns.csv")
    assert first["ServiceName"] == "Red Hat® Enterprise Linux®"
    assert first["ResourceType"] == "instance"
    assert first["Tags"] == {"aws:createdBy": "IAMUser:fake:and"}


def test_a_damaged_fixture_is_refused(real_data: Path) -> None:
    path = real_data / "billing/koku/koku/masu/test/data/test_cur.csv"  # rows lack a column
    with pytest.raises(InputError, match="damaged or incomplete file: CSV parse error"):
        read(path)


# -- what unpacks to more than a bill --------------------------------------------------------------


def test_a_header_without_an_end_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    path = tmp_path / "bomb.csv.gz"
    # The end of the file is damaged: a reader that unpacked it all would say so instead.
    path.write_bytes(gzip.compress(b"x" * (32 << 20), compresslevel=1)[:-8] + b"damaged!")
    with pytest.raises(InputError, match="its first line is no header"):
        list(reading.batches(path, "s3://b/bomb", lambda names: names))


@pytest.mark.parametrize("start", [b"1,", b'1,"\n'], ids=["a row", "a quoted value"])
def test_a_row_without_an_end_is_refused(tmp_path: Path, start: bytes) -> None:
    path = tmp_path / "bomb.csv.gz"
    content = b"a,b\n" + start + b"x" * (32 << 20)
    path.write_bytes(gzip.compress(content, compresslevel=1))
    with pytest.raises(InputError, match="straddling"):
        list(reading.batches(path, "s3://b/bomb", lambda names: names))
