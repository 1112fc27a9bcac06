"""Rows of cost exports as FOCUS: spellings, days, prices, commitments."""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from costopt.errors import InputError
from costopt.providers.azure.bill.focus import Focus
from costopt.providers.azure.bill.map import Costs
from costopt.providers.bills.part import Batch
from tests.fakes.azure_export import RESERVED, row

NO_PERIOD = {"BillingPeriodStartDate": "", "BillingPeriodEndDate": ""}


def read(given: Mapping[str, Any], *, layout: Costs | Focus | None = None) -> Batch:
    columns = {name: pa.array([value]) for name, value in given.items()}
    chosen = layout or Costs("")
    assert list(chosen.chosen(list(columns))) == list(columns)
    return chosen.batch(columns)


def mapped(**given: Any) -> dict[str, Any]:
    batch = read(row(**given))
    assert (list(batch.unread), list(batch.misread)) == ([], [])
    (found,) = batch.intake.table.to_pylist(maps_as_pydicts="strict")
    return dict(found)


@pytest.mark.parametrize(
    "written",
    ["09/14/2026", "9/14/2026", "2026-09-14", "2026-09-14 00:00:00", "2026-09-14T00:00:00Z"],
)
def test_days_in_every_notation(written: str) -> None:
    found = mapped(Date=written)
    assert found["ChargePeriodStart"] == datetime(2026, 9, 14, tzinfo=UTC)
    assert found["ChargePeriodEnd"] == datetime(2026, 9, 15, tzinfo=UTC)


def several(layout: Costs, *days: str, **more: str) -> list[datetime]:
    """Rows of these days and no billing period."""
    rows = [row(Date=one, **{**NO_PERIOD, **more}) for one in days]
    columns = {name: pa.array([one[name] for one in rows]) for name in rows[0]}
    starts: list[datetime] = layout.batch(columns).intake.table["ChargePeriodStart"].to_pylist()
    return starts


def test_a_day_that_is_none_is_told_and_refuses_the_file() -> None:
    batch = read(row(Date="31/31/2026"))
    assert [(one.column, one.example) for one in batch.unread] == [("Date", "31/31/2026")]


def test_a_cost_that_is_missing_refuses_the_file_by_its_own_name() -> None:
    batch = read(row(""))
    assert [(one.column, one.what) for one in batch.unread] == [
        ("CostInBillingCurrency", "is missing")
    ]


def test_days_first_where_the_billing_period_or_another_day_says_so() -> None:
    third, fourteenth = datetime(2026, 9, 3, tzinfo=UTC), datetime(2026, 9, 14, tzinfo=UTC)
    period = {"BillingPeriodStartDate": "01/09/2026", "BillingPeriodEndDate": "30/09/2026"}
    found = mapped(Date="03/09/2026", **period)
    assert found["ChargePeriodStart"] == third
    assert found["BillingPeriodStart"] == third.replace(day=1)
    assert several(Costs(""), "03/09/2026", "14/09/2026") == [third, fourteenth]
    assert several(Costs(""), "09/03/2026", "09/14/2026") == [third, fourteenth]


def test_days_in_two_orders_refuse_the_file() -> None:
    with pytest.raises(InputError, match="two orders"):
        read(row(Date="14/09/2026"))
    layout = Costs("")
    assert several(layout, "03/09/2026") == [datetime(2026, 3, 9, tzinfo=UTC)]
    with pytest.raises(InputError, match=r"too late \(03/09/2026, then 14/09/2026\)"):
        several(layout, "14/09/2026")


def test_a_billing_period_that_is_no_month_is_that_of_the_day() -> None:
    found = mapped(BillingPeriodStartDate="08/20/2026", BillingPeriodEndDate="09/19/2026")
    assert found["BillingPeriodStart"] == datetime(2026, 9, 1, tzinfo=UTC)
    assert found["BillingPeriodEnd"] == datetime(2026, 10, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("kind", "category", "status"),
    [
        ("Usage", "Usage", "Used"),
        ("UnusedReservation", "Usage", "Unused"),
        ("Purchase", "Purchase", None),
        ("Refund", "Purchase", None),
    ],
)
def test_charges_of_reservations(kind: str, category: str, status: str | None) -> None:
    found = mapped(ChargeType=kind, **RESERVED)
    assert (found["ChargeCategory"], found["CommitmentDiscountStatus"]) == (category, status)
    assert found["CommitmentDiscountId"] == RESERVED["benefitId"].lower()
    assert found["CommitmentDiscountCategory"] == "Usage"
    assert (found["ChargeClass"] == "Correction") == (kind == "Refund")


def test_savings_plans_are_of_spend() -> None:
    plan = {"PricingModel": "SavingsPlan", "benefitId": "/providers/Microsoft.BillingBenefits/x"}
    found = mapped(**plan)
    assert (found["CommitmentDiscountCategory"], found["CommitmentDiscountType"]) == (
        "Spend",
        "Savings Plan",
    )


@pytest.mark.parametrize(
    ("model", "category"), [("OnDemand", "Standard"), ("Spot", "Dynamic"), ("", "Standard")]
)
def test_pricing(model: str, category: str) -> None:
    found = mapped(PricingModel=model)
    assert found["PricingCategory"] == category
    assert found["CommitmentDiscountId"] is None


def test_a_price_of_nothing_is_missing_and_not_free() -> None:
    found = mapped(PayGPrice="0", UnitPrice="0.5")
    assert (found["ListCost"], found["ListUnitPrice"]) == (None, None)
    assert found["ContractedCost"] == Decimal(12)


def test_prices_in_another_currency_than_the_costs_are_not_used() -> None:
    found = mapped(PayGPrice="2", UnitPrice="1", pricingCurrency="USD")
    assert (found["ListCost"], found["ContractedCost"]) == (None, None)
    found = mapped(PayGPrice="2", pricingCurrency="USD", paygCostInBillingCurrency="44.5")
    assert found["ListCost"] == Decimal("44.5")


@pytest.mark.parametrize(
    ("written", "region"),
    [
        ("EU West", "westeurope"),
        ("US East 2", "eastus2"),
        ("US South Central", "southcentralus"),
        ("EastUS2", "eastus2"),
        ("West Europe", "westeurope"),
        ("UK South", "uksouth"),
        ("AP Southeast", "southeastasia"),
        ("IN Central", "centralindia"),
        ("JA East", "japaneast"),
        ("US Gov Virginia", "usgovvirginia"),
        ("uswest2", "westus2"),
        ("Unassigned", None),
    ],
)
def test_regions(written: str, region: str | None) -> None:
    assert mapped(ResourceLocation=written)["RegionId"] == region


def test_every_region_that_a_code_names_is_microsoft_s_own(real_data: Path) -> None:
    path = real_data / "billing/finops_toolkit/src/open-data/Regions.csv"
    with path.open(encoding="utf-8-sig") as file:
        written = {row["OriginalValue"]: row["RegionId"] for row in csv.DictReader(file)}
    codes = {one: region for one, region in written.items() if re.match(r"[a-z]{2} ", one)}
    assert len(codes) > 80
    assert {one: mapped(ResourceLocation=one)["RegionId"] for one in codes} == codes


def test_hours_of_licences_are_no_machines() -> None:
    assert mapped()["PricingUnit"] == "Hours"
    assert mapped(MeterCategory="Virtual Machines Licenses")["PricingUnit"] == "Licence-Hours"


def test_what_lacks_is_named() -> None:
    given = {name: value for name, value in row().items() if "Cost" not in name and name != "Date"}
    with pytest.raises(InputError, match=r"lacks costs .* and days"):
        read(given)


FOCUS = {
    "BilledCost": "0",
    "EffectiveCost": "3",
    "ListCost": "0",
    "ContractedCost": "0",
    "BillingCurrency": "EUR",
    "BillingPeriodStart": "2026-09-01T00:00Z",
    "ChargePeriodStart": "2026-09-02T00:00:00Z",
    "ChargePeriodEnd": "2026-09-03T00:00:00Z",
    "CommitmentDiscountStatus": "Used",
    "ResourceId": "/subscriptions/S/VM",
    "x_SkuMeterId": "m",
}


def focus(**given: str) -> dict[str, Any]:
    batch = read(FOCUS | given, layout=Focus())
    assert list(batch.unread) == []
    (found,) = batch.intake.table.to_pylist(maps_as_pydicts="strict")
    return dict(found)


def test_focus_of_azure_lists_at_nothing_what_it_has_no_price_for() -> None:
    found = focus()
    assert (found["ListCost"], found["ContractedCost"]) == (None, None)
    assert found["ResourceId"] == "/subscriptions/s/vm"
    assert found["x_Attributes"] == {"x_SkuMeterId": "m"}
    sold = focus(BilledCost="3", CommitmentDiscountStatus="", PublisherName="Fortinet")
    assert (sold["ListCost"], sold["ContractedCost"]) == (None, None)
    assert focus(CommitmentDiscountStatus="", EffectiveCost="0")["ListCost"] == 0


def test_focus_has_the_ids_of_the_other_exports() -> None:
    account = "/providers/Microsoft.Billing/billingAccounts/8611537"
    found = focus(BillingAccountId=account, SubAccountId="/subscriptions/AB-1")
    assert (found["BillingAccountId"], found["SubAccountId"]) == ("8611537", "ab-1")
    profile = f"{account}/billingProfiles/PROF-1"
    assert focus(BillingAccountId=profile)["BillingAccountId"] == "PROF-1"
    assert focus(BillingAccountId="8611537")["BillingAccountId"] == "8611537"


def test_focus_s_words_for_nothing_are_nothing() -> None:
    found = focus(RegionId="Unassigned", SkuId="-2", x_AccountName="Unassigned", ListCost="-2")
    assert (found["RegionId"], found["SkuId"], found["ListCost"]) == (None, None, -2)
    assert found["x_Attributes"] == {"x_SkuMeterId": "m"}


def test_a_focus_billing_period_that_is_no_month_is_that_of_the_charge() -> None:
    found = focus(BillingPeriodStart="2026-08-20T00:00Z", BillingPeriodEnd="2026-09-20T00:00Z")
    assert found["BillingPeriodStart"] == datetime(2026, 9, 1, tzinfo=UTC)
    assert found["BillingPeriodEnd"] == datetime(2026, 10, 1, tzinfo=UTC)
