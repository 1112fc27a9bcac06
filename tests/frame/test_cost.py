"""What a resource costs a month: by hand-computed bills."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pyarrow as pa
import pytest

from costopt import schema
from costopt.frame.cost import Bill, fleet_cost, list_cost, read_bill, resource_key
from costopt.model import Cost, Price, Resource

END = datetime(2026, 10, 1, tzinfo=UTC)


def charge(day: int, cost: str, **columns: object) -> dict[str, object]:
    """One machine-day: 24 hours of compute, `day` days before END."""
    start = END - timedelta(days=day)
    return {
        "ProviderName": "AWS",
        "BillingCurrency": "USD",
        "ChargeCategory": "Usage",
        "ServiceCategory": "Compute",
        "ChargePeriodStart": start,
        "ChargePeriodEnd": start + timedelta(days=1),
        "ResourceId": "i-1",
        "PricingUnit": "Hrs",
        "PricingQuantity": Decimal(24),
        "EffectiveCost": Decimal(cost),
        "ListCost": Decimal(cost),
    } | columns


def bill(*rows: dict[str, object], end: datetime = END, currency: str | None = None) -> Bill:
    read = read_bill(pa.Table.from_pylist(list(rows), schema=schema.CHARGES), end, currency)
    assert read is not None
    return read


def test_a_correction_is_no_cost_of_the_machine() -> None:
    """240 of ten days are 730 a month; 80 given back of an earlier bill come off the whole."""
    correction = charge(1, "-80", ChargeClass="Correction")
    read = bill(*(charge(day, "24") for day in range(1, 11)), correction)
    cost = read.costs["i-1"]
    assert (cost.monthly, cost.compute, cost.compute_list) == (730, 730, 730)
    assert cost.running_share == 1
    assert (read.spend, read.credited) == (730, Decimal("-243.333333"))


def test_no_charges_is_no_bill() -> None:
    assert read_bill(schema.empty(schema.CHARGES), END, None) is None


def test_ten_days_at_one_dollar_an_hour_are_730_a_month() -> None:
    cost = bill(*(charge(day, "24") for day in range(1, 11))).costs["i-1"]
    assert cost.monthly == cost.compute == cost.compute_list == 730
    assert cost.hourly_effective == 1
    assert cost.running_share == pytest.approx(1)
    assert cost.committed_share == 0


def test_only_compute_time_stops_with_the_machine() -> None:
    cost = bill(
        charge(1, "24"),
        charge(1, "2.4", ServiceCategory="Storage", PricingUnit="GB-Mo"),
        charge(1, "1.2", PricingUnit="GB-Mo"),  # AWS files EBS under Compute
        charge(1, "0.12", ServiceCategory="Networking"),
        charge(1, "0.5", ChargeCategory="Tax", PricingUnit=None, PricingQuantity=None),
    ).costs["i-1"]
    assert cost.compute == 730
    assert cost.monthly == (Decimal("28.22") / 24 * 730).quantize(Decimal("0.000001"))


def test_a_machine_that_runs_half_the_time_costs_half() -> None:
    nights_off = [charge(day, "12", PricingQuantity=Decimal(12)) for day in range(1, 11)]
    cost = bill(*nights_off).costs["i-1"]
    assert cost.compute == 365
    assert cost.hourly_effective == 1
    assert cost.running_share == pytest.approx(0.5)


def test_units_that_count_cores_take_the_hours_from_the_periods() -> None:
    rows = [
        charge(1, "6", PricingUnit="vCPU-Hours", PricingQuantity=Decimal(96)),
        charge(1, "2", PricingUnit="GiB-Hours", PricingQuantity=Decimal(384)),
    ]
    cost = bill(*rows).costs["i-1"]
    assert cost.hourly_effective == (Decimal(8) / 24).quantize(Decimal("0.000001"))


def test_a_commitment_covers_its_share_of_the_money() -> None:
    committed = {"CommitmentDiscountId": "ri-1", "ListCost": Decimal(24)}
    cost = bill(charge(1, "12", **committed), charge(2, "24")).costs["i-1"]
    assert cost.committed_share == pytest.approx(12 / 36)
    assert cost.compute_list == 730
    assert cost.compute == (Decimal(36) / 48 * 730).quantize(Decimal("0.000001"))


def test_the_share_does_not_need_a_list_cost() -> None:
    azure = {"CommitmentDiscountId": "r", "ListCost": Decimal(0)}
    cost = bill(charge(1, "6", **azure), charge(2, "18", ListCost=Decimal(0))).costs["i-1"]
    assert cost.committed_share == pytest.approx(0.25)


def test_each_provider_counts_as_far_as_its_own_bill_goes() -> None:
    late = [charge(day, "24", ProviderName="Microsoft", ResourceId="vm") for day in (6, 7, 8)]
    costs = bill(charge(1, "24"), charge(2, "24"), *late).costs
    assert costs["vm"].monthly == costs["i-1"].monthly == 730


def test_spend_counts_what_names_no_resource() -> None:
    read = bill(charge(1, "24"), charge(1, "2.4", ResourceId=None, ServiceCategory="Other"))
    assert read.spend == Decimal("803")


def test_what_comes_after_the_end_is_not_known() -> None:
    read = bill(charge(1, "24"), charge(-3, "9999"))
    assert read.spend == 730


def test_old_months_do_not_count() -> None:
    newest = [charge(day, "24") for day in range(1, 32)]
    assert bill(*newest, charge(90, "9999")).spend == 730


def test_parts_add_up_to_the_whole_whatever_comes_and_goes() -> None:
    """A node a day, each another: a month of one node, not thirty months of thirty nodes."""
    churn = bill(*(charge(day, "24", ResourceId=f"i-{day}") for day in range(1, 21)))
    assert churn.spend == 730
    assert sum(cost.monthly for cost in churn.costs.values()) == 730
    bought = charge(1, "100", ChargeCategory="Purchase", ResourceId="licence", PricingUnit=None)
    once = bill(*(charge(day, "24") for day in range(1, 21)), bought)
    assert once.spend == 730 + (Decimal(100) / 480 * 730).quantize(Decimal("0.000001"))


def test_credits_stand_beside_the_spend() -> None:
    credit = charge(1, "-500", ChargeCategory="Credit", ResourceId=None)
    refunded = charge(1, "-90", ResourceId="i-2")
    read = bill(*(charge(day, "24") for day in range(1, 11)), credit, refunded)
    assert read.spend == 730
    assert read.credited == -(Decimal(590) / 240 * 730).quantize(Decimal("0.000001"))
    assert any("credits of" in note for note in fleet_cost(read, []).notes)


def test_a_machine_costs_what_it_costs_while_a_promotion_pays_for_it() -> None:
    days = range(1, 11)
    promotion = (charge(day, "-23", ChargeCategory="Credit", PricingUnit=None) for day in days)
    read = bill(*(charge(day, "24") for day in days), *promotion)
    assert (read.costs["i-1"].monthly, read.spend, read.credited) == (
        730,
        730,
        Decimal("-699.583333"),
    )
    fleet = fleet_cost(read, [("aws", read.costs["i-1"])])
    assert fleet.reconciled_percent == 100
    assert any("credits of 699.58 USD" in note for note in fleet.notes)


@pytest.mark.parametrize("unit", ["Days", "1 Month", "Months", "Instance Months", "Hrs", "h"])
def test_compute_by_any_unit_of_time_stops(unit: str) -> None:
    assert bill(charge(1, "24", PricingUnit=unit)).costs["i-1"].compute == 730


@pytest.mark.parametrize("unit", ["GB-Mo", "GiB-Month", "GB-Months", "Requests", "IOPS-Mo"])
def test_compute_by_other_units_bills_on(unit: str) -> None:
    assert bill(charge(1, "24", PricingUnit=unit)).costs["i-1"].compute == 0


def test_a_month_long_row_counts_for_the_part_inside_the_span() -> None:
    support = charge(
        41,
        "4.1",
        ResourceId=None,
        ServiceCategory="Other",
        ChargePeriodEnd=END,
        PricingUnit="Month",
    )
    machine = [charge(day, "24") for day in range(1, 41)]
    read = bill(*machine, support)
    assert read.costs["i-1"].monthly == 730
    assert read.spend == 730 + (Decimal("0.1") / 24 * 730).quantize(Decimal("0.000001"))


def test_a_tax_on_the_month_so_far_does_not_make_the_bill_longer() -> None:
    """Half a month of usage; its tax names the whole month, and is on what was used so far."""
    machine = [charge(day, "24") for day in range(16, 31)]
    tax = charge(
        30, "36", ChargeCategory="Tax", ResourceId=None, ServiceCategory="Other",
        ChargePeriodEnd=END,
    )  # fmt: skip
    read = bill(*machine, tax)
    assert read.costs["i-1"].monthly == 730
    assert read.costs["i-1"].running_share == pytest.approx(1)
    assert read.spend == 730 + (Decimal(36) / 360 * 730).quantize(Decimal("0.000001"))


def test_support_for_the_whole_month_counts_for_the_days_there_are() -> None:
    machine = [charge(day, "24") for day in range(16, 31)]
    fee = charge(
        30, "60", ChargeCategory="Purchase", ResourceId=None, ServiceCategory="Other",
        ChargePeriodEnd=END,
    )  # fmt: skip
    read = bill(*machine, fee)
    assert read.spend == 730 + (Decimal(30) / 360 * 730).quantize(Decimal("0.000001"))


def test_a_hole_in_the_bill_counts_neither_as_cost_nor_as_time() -> None:
    """Ten of thirty days lack; a long weekend off does not."""
    read = bill(*(charge(day, "24") for day in range(1, 31) if not 10 < day <= 20))
    assert read.costs["i-1"].monthly == 730
    assert read.costs["i-1"].running_share == pytest.approx(1)
    assert read.missing == {"aws": 240}
    assert any("the bill of aws lacks 10 days" in note for note in fleet_cost(read, []).notes)
    weekend = bill(*(charge(day, "24") for day in range(1, 31) if not 10 < day <= 14))
    assert weekend.costs["i-1"].running_share == pytest.approx(26 / 30)
    assert weekend.missing == {}


def test_a_short_row_of_no_resource_is_not_stretched_to_a_month() -> None:
    machine = [charge(day, "24") for day in range(1, 11)]
    read = bill(*machine, charge(1, "10", ResourceId=None, ServiceCategory="Other"))
    assert read.spend == 730 + (Decimal(10) / 240 * 730).quantize(Decimal("0.000001"))


def test_one_currency_is_summed_and_the_rest_is_told() -> None:
    rows = [charge(1, "24"), charge(2, "24"), charge(1, "9", BillingCurrency="EUR")]
    assert bill(*rows).other_spend == {"EUR": Decimal("273.75")}
    assert bill(*rows, currency="EUR").spend == Decimal("273.75")
    assert bill(*rows, currency="EUR").other_spend == {"USD": 730}


def test_what_is_billed_in_another_currency_keeps_its_own_cost() -> None:
    dollars = [charge(day, "24") for day in (1, 2, 3)]
    euros = [charge(day, "12", ResourceId="i-2", BillingCurrency="EUR") for day in (2, 3)]
    read = bill(*dollars, *euros)
    assert read.currency == "USD"
    assert read.spend == 730
    assert (read.costs["i-2"].monthly, read.costs["i-2"].currency) == (365, "EUR")
    told = fleet_cost(read, [("aws", cost) for cost in read.costs.values()])
    assert told.monthly == 730
    assert told.reconciled_percent == 100
    assert any("365.00 EUR a month" in note for note in told.notes)
    assert not any("on no bill" in note for note in told.notes)


def test_a_currency_that_nothing_is_billed_in() -> None:
    read = bill(charge(1, "24"), currency="GBP")
    assert (read.currency, read.spend, read.other_spend) == ("GBP", 0, {"USD": 730})
    assert read.costs["i-1"].currency == "USD"


def test_bills_and_inventories_spell_ids_differently() -> None:
    assert resource_key("arn:aws:ec2:eu-west-1:1:instance/i-0AB") == "i-0ab"
    assert resource_key("/subscriptions/S/resourceGroups/RG/x") == resource_key(
        "/SUBSCRIPTIONS/s/resourcegroups/rg/X"
    )
    assert bill(charge(1, "24", ResourceId="ARN:aws:ec2:r:1:instance/I-1")).costs["i-1"]


PRICE = Price("AWS", None, "m6i.large", Decimal("0.096"))


def test_without_a_bill_a_running_machine_costs_its_list_price() -> None:
    cost = list_cost(Resource("i-1", "AWS"), PRICE)
    assert cost is not None
    assert cost.monthly == Decimal("70.08")
    assert cost.basis == "list"
    stopped = list_cost(Resource("i-1", "AWS", state="stopped"), PRICE)
    assert stopped is not None
    assert stopped.compute == 0
    assert list_cost(Resource("i-1", "AWS"), None) is None


@pytest.mark.parametrize(
    ("state", "power", "billed"),
    [
        ("running", "running", True),
        ("stopped", "stopped", True),  # shut down from inside: Azure keeps its place
        ("stopped", "deallocated", False),
        ("terminated", "stopped", False),
    ],
)
def test_an_azure_machine_costs_till_it_is_deallocated(
    state: str, power: str, billed: bool
) -> None:
    machine = Resource("/vm", "Azure", state=state, attributes={"power_state": power})
    cost = list_cost(machine, PRICE)
    assert cost is not None
    assert (cost.compute > 0) is billed
    assert cost.running_share == float(billed)


def of_aws(*costs: Cost | None) -> list[tuple[str, Cost | None]]:
    return [("aws", cost) for cost in costs]


def test_the_fleet_costs_its_bill_plus_what_no_bill_names() -> None:
    read = bill(charge(1, "24"), charge(1, "24", ResourceId="i-unknown"))
    unbilled = list_cost(Resource("i-2", "AWS"), PRICE)
    fleet = fleet_cost(read, of_aws(read.costs["i-1"], unbilled, None), "USD")
    assert fleet.monthly == 1460 + Decimal("70.08")
    assert fleet.reconciled_percent == pytest.approx(50)
    assert any("1 resource on no bill: the list price" in note for note in fleet.notes)


def test_a_refund_beyond_what_a_machine_cost_is_no_part_of_the_spend_found() -> None:
    back = charge(1, "-5000", ResourceId="i-2")
    read = bill(charge(1, "24"), charge(1, "24", ResourceId="i-2"), back)
    fleet = fleet_cost(read, of_aws(*read.costs.values()), "USD")
    assert (fleet.monthly, fleet.reconciled_percent) == (730, 100)


def test_machines_are_part_of_a_bill_that_names_no_resources() -> None:
    read = bill(charge(1, "24", ResourceId=None))
    machine = list_cost(Resource("i-2", "AWS"), PRICE)
    fleet = fleet_cost(read, of_aws(*[machine] * 3), "USD")
    assert fleet.monthly == read.spend == 730
    assert any("part of the computing that the bill names no" in note for note in fleet.notes)
    dearer = fleet_cost(read, of_aws(*[machine] * 20), "USD")
    assert dearer.monthly == 20 * Decimal("70.08")  # the bill cannot hold them all
    elsewhere = fleet_cost(read, [("gcp", machine)], "USD")
    assert elsewhere.monthly == 730 + Decimal("70.08")


def test_a_fleet_without_a_bill_speaks_the_currency_of_its_prices() -> None:
    euros = list_cost(
        Resource("vm", "Hetzner"), Price("Hetzner", None, "cx", Decimal("0.1"), "EUR")
    )
    dollars = list_cost(Resource("i-2", "AWS"), PRICE)
    assert fleet_cost(None, of_aws(euros, euros, dollars)).currency == "EUR"
    assert fleet_cost(None, of_aws(euros, euros, dollars)).monthly == 146
    assert fleet_cost(None, of_aws(euros, euros, dollars), "USD").monthly == Decimal("70.08")
    assert fleet_cost(None, of_aws(None)).currency == "USD"


def test_a_fleet_without_a_bill_says_so() -> None:
    fleet = fleet_cost(None, of_aws(list_cost(Resource("i-2", "AWS"), PRICE)), "USD")
    assert fleet.reconciled_percent is None
    assert "no bill" in fleet.notes[0]
