"""Real files of Azure (Microsoft's toolkit, FinOps converters, Koku) come out as FOCUS.

Their sums are taken here by Python's csv and decimal, from the files' own columns.
"""

from __future__ import annotations

import csv
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest

from costopt.providers.azure.access import Access
from tests.providers.azure.bills import collect

Open = Callable[..., Access]
TOOLKIT = "billing/finops_toolkit/src/powershell/Tests/assets"
CONVERTERS = "billing/focus_converters/focus_converter_base/tests/provider_config_tests/azure"
COST = "CostInBillingCurrency"
KOKU = "billing/koku/koku/masu/test/data/azure"


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def total(given: list[dict[str, str]], cost: str = "Cost") -> Decimal:
    """To twelve digits after the point, each row by itself: more of them a bill does not keep."""
    return sum((Decimal(row[cost]).quantize(Decimal("1e-12")) for row in given), Decimal(0))


@pytest.mark.parametrize(
    ("name", "cost", "identity"),
    [
        (f"{TOOLKIT}/EA_ActualCost_Small.csv", "Cost", "ResourceId"),
        (f"{CONVERTERS}/sample-anonymous-ea-export-dataset.csv", COST, "ResourceId"),
        (f"{KOKU}/azure_camelCased.csv", "preTaxCost", "resourceId"),
        (f"{KOKU}/azure_version_2.csv", "CostInBillingCurrency", "ResourceId"),
        (f"{KOKU}/camel_azure_version_2.csv", "costInBillingCurrency", "InstanceName"),
        (
            f"{KOKU}/costreport_a243c6f2-199f-4074-9a2c-40e671cf1584.csv",
            "PreTaxCost",
            "InstanceId",
        ),
    ],
)
def test_what_is_billed_comes_out_whole(
    access: Open, real_data: Path, name: str, cost: str, identity: str
) -> None:
    path = real_data / name
    found = collect(access(export=(str(path),)))
    given = rows(path)
    assert [one.what for one in found.problems if one.fatal] == []
    assert len(found.rows) == len(given)
    assert found.total() == total(given, cost)
    ids = sorted(row[identity].lower() for row in given if row[identity])
    assert sorted(one["ResourceId"] for one in found.rows if one["ResourceId"]) == ids
    for one in found.rows:
        assert one["ChargePeriodStart"] >= one["BillingPeriodStart"]
        assert one["ChargePeriodEnd"] <= one["BillingPeriodEnd"]
        assert one["ServiceName"]
        assert one["ProviderName"] == "Microsoft"


def test_amortised_costs_bill_nothing_for_what_is_reserved(access: Open, real_data: Path) -> None:
    path = real_data / TOOLKIT / "EA_AmortizedCost_Small.csv"
    found = collect(access(export=(str(path),)))
    given = rows(path)
    own = [row for row in given if row["PricingModel"] not in {"Reservation", "SavingsPlan"}]
    assert len(own) < len(given)
    assert found.total("EffectiveCost") == total(given)
    assert found.total() == total(own)
    assert [one.what.split(":")[0] for one in found.problems] == ["AmortizedCost alone"]


def test_actual_and_amortised_costs_of_one_account_are_one_bill(
    access: Open, real_data: Path
) -> None:
    folder = real_data / TOOLKIT
    places = [folder / f"EA_{kind}_Small.csv" for kind in ("ActualCost", "AmortizedCost")]
    found = collect(access(export=tuple(map(str, places))))
    actual, amortized = map(rows, places)
    assert found.total("EffectiveCost") == total(amortized)
    bought = [row for row in actual if row["ChargeType"] == "Purchase" and row["ReservationId"]]
    assert len(found.rows) == len(amortized) + len(bought)
    # The two are samples, not of the same rows: that their sums differ is told.
    assert "are they of one run?" in found.said()


@pytest.mark.parametrize("name", [f"{TOOLKIT}/EA_NoRows.csv", f"{KOKU}/empty_frame.csv"])
def test_a_bill_without_rows_is_empty(access: Open, real_data: Path, name: str) -> None:
    found = collect(access(export=(str(real_data / name),)))
    assert found.tables == []
    assert found.problems == []


def test_tags_and_machines_are_read_as_an_enterprise_agreement_writes_them(
    access: Open, real_data: Path
) -> None:
    path = real_data / TOOLKIT / "EA_AmortizedCost_Small.csv"
    (first, *_) = collect(access(export=(str(path),))).rows
    assert first["Tags"]["aks-managed-poolName"] == "agentpool"
    assert first["Tags"]["env"] == "prod"
    assert first["x_Attributes"]["x_InstanceType"] == "Standard_DS2_v2"
    assert first["CommitmentDiscountName"] == "ProdDS1VMReservation"
    assert (first["CommitmentDiscountType"], first["PricingCategory"]) == (
        "Reservation",
        "Committed",
    )
