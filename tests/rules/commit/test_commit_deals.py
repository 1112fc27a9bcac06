"""What is sold where, by the catalogue and by the bill itself."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from costopt.model import ActionType, Resource
from costopt.rules.commit import Commitments
from tests.rules.commit.bills import (
    REGION,
    SURE,
    WEEK,
    advise,
    bill,
    bought,
    held,
    machine,
    prices,
    usage,
)

pytestmark = pytest.mark.usefixtures("only_own_lists")
ALWAYS = np.ones(6 * WEEK)


def azure(*terms: tuple[str, str]) -> Commitments:
    usages = [
        usage(f"vm-{n}", ALWAYS, rate=0.2, provider="azure", region="westeurope", sku="d4")
        for n in range(3)
    ]
    listed = prices(
        *(("Standard_D4s_v5", term, price) for term, price in terms),
        region="westeurope",
        provider="Microsoft",
    )
    resources = [machine(one.resource_id or "", "Standard_D4s_v5") for one in usages]
    return advise(bill(usages, provider="azure"), listed, resources=resources)


def test_azure_reserves_by_family_and_plans_over_all() -> None:
    (one,) = azure(("1yr no-upfront", "0.12")).recommendations
    assert one.resource_id == "azure/westeurope/Dsv5/reservation"
    assert one.action_type is ActionType.PURCHASE_RESERVED_INSTANCES
    assert one.evidence["reserved"]["count"] == 3.0
    (one,) = azure(("1yr no-upfront compute-savings-plan", "0.14")).recommendations
    assert one.resource_id == "azure/savings-plan"
    assert one.current.provider_name == "Azure"
    assert float(one.evidence["hourly_commitment"]) == pytest.approx(0.42)


def test_the_cheaper_of_both() -> None:
    found = azure(("1yr no-upfront", "0.12"), ("1yr no-upfront compute-savings-plan", "0.14"))
    assert [one.resource_id for one in found.recommendations] == [
        "azure/westeurope/Dsv5/reservation"
    ]


def test_google_commits_to_a_series_in_a_region_by_its_parts() -> None:
    """8 vCPUs and 32 GiB that cost 0.388472 listed together; committed to, 37 % less."""
    fields = {"provider": "gcp", "region": "us-central1"}
    core = usage("vm", 8 * ALWAYS, unit="hour", sku="core", rate=0.031611, **fields)  # type: ignore[arg-type]
    ram = usage("vm", 32 * ALWAYS, unit="gibibyte hour", sku="ram", rate=0.004237, **fields)  # type: ignore[arg-type]
    listed = prices(
        ("n2-standard-8", "1yr no-upfront", "0.244737"), region="us-central1", provider="GCP"
    )
    found = advise(
        bill([core, ram], provider="gcp"), listed, resources=[machine("vm", "n2-standard-8")]
    )
    (one,) = found.recommendations
    assert one.resource_id == "gcp/us-central1/n2/resource-cud"
    assert one.evidence["break_even_utilisation_share"] == pytest.approx(0.63, abs=0.001)
    paid = (8 * 0.031611 + 32 * 0.004237) * 730
    saved = float(one.estimated_monthly_savings.target)
    assert saved == pytest.approx(0.37 * paid, rel=0.01)
    assert one.evidence["reserved"] == {"vcpus": 8.0, "memory_gib": 32.0}


def test_googles_flexible_commitment_as_held() -> None:
    cud = held("flex", 0.5 * ALWAYS, kind="Spend", provider="gcp")
    usages = [
        usage(f"vm-{n}", ALWAYS, rate=0.5, provider="gcp", uses={"flex": 0.36}) for n in range(4)
    ]
    resources = [*(machine(f"vm-{n}", "n2-standard-8") for n in range(4)), bought("flex")]
    found = advise(bill(usages, [cud], provider="gcp"), prices(), resources=resources)
    (one,) = found.recommendations
    assert one.resource_id == "gcp/flexible-cud"
    assert float(one.evidence["hourly_commitment"]) == pytest.approx(4 * 0.36 - 0.5, abs=0.001)


def test_a_plan_is_offered_for_families_that_it_was_seen_to_cover() -> None:
    plan = held("plan", 0.072 * ALWAYS, kind="Compute Savings Plan")
    usages = [
        usage("i-0", ALWAYS, uses={"plan": 0.072}),
        usage("i-1", ALWAYS),  # of the same family
        usage("i-gpu", ALWAYS, rate=3.0, sku="gpu", uses={"plan": 2.25}, assumed=["plan"]),
    ]
    machines = [machine("i-0"), machine("i-1"), machine("i-gpu", "p3.2xlarge")]
    resources = [*machines, bought("plan")]
    found = advise(bill(usages, [plan]), prices(), resources=resources)
    (one,) = found.recommendations
    assert float(one.evidence["hourly_commitment"]) == pytest.approx(0.072)
    assert [skip.detail.startswith("on demand, USD an hour: p3 3;") for skip in found.skips] == [
        True
    ]


def test_the_inventory_tells_the_term_and_the_payment_of_what_is_held() -> None:
    plan = held("plan", 0.05 * ALWAYS)
    usages = [usage("i-0", ALWAYS, uses={"plan": 0.05}), usage("i-1", ALWAYS, uses={"plan": 0.05})]
    attributes = {"term": "3yr", "payment_option": "All Upfront"}
    own = Resource(resource_id="plan", provider_name="AWS", attributes=attributes)
    resources = [machine("i-0"), machine("i-1"), own]
    settings = SURE.model_copy(update={"least_weeks_long": 4.0})
    found = advise(bill(usages, [plan]), prices(), settings, resources=resources)
    (one,) = found.recommendations
    (part,) = {(p["term"], p["payment"]) for p in one.evidence["tranches"]}
    assert part == ("3yr", "all-upfront")
    # Three years are too long for six weeks of bill.
    assert advise(bill(usages, [plan]), prices(), resources=resources).recommendations == ()


def test_windows_is_reserved_by_its_own_price_and_size() -> None:
    usages = [usage("i-0", ALWAYS, rate=0.188)]
    windows = machine("i-0", operating_system="Windows")
    linux_only = prices(("m5.large", "1yr no-upfront", "0.0576"))
    assert advise(bill(usages), linux_only, resources=[windows]).recommendations == ()


def test_an_unknown_region_or_currency_is_no_price() -> None:
    usages = [usage("i-0", ALWAYS, region="")]
    assert advise(bill(usages), prices(("m5.large", "1yr", "0.05"))).recommendations == ()
    (one,) = advise(
        bill([usage("i-0", ALWAYS)]), prices(("m5.large", "1yr", "0.05"))
    ).recommendations
    assert one.resource_id == f"aws/{REGION}/m5/reserved-instances"


def test_sustained_use_is_lost_to_a_commitment() -> None:
    """20 % off the list by running always; committed to, 37 % off the list is 21 % off the rest."""
    fields = {"provider": "gcp", "region": "us-central1"}
    core = usage("vm", 8 * ALWAYS, unit="hour", sku="core", rate=0.0252888, **fields)  # type: ignore[arg-type]
    ram = usage("vm", 32 * ALWAYS, unit="gibibyte hour", sku="ram", rate=0.0033896, **fields)  # type: ignore[arg-type]
    meters = [replace(core, reduced=0.2), replace(ram, reduced=0.2)]
    listed = prices(
        ("n2-standard-8", "1yr no-upfront", "0.244737"), region="us-central1", provider="GCP"
    )
    found = advise(bill(meters, provider="gcp"), listed, resources=[machine("vm", "n2-standard-8")])
    (one,) = found.recommendations
    assert one.evidence["break_even_utilisation_share"] == pytest.approx(0.63 / 0.8, abs=0.001)
