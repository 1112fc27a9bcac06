"""What each machine of a fleet costs, where the bill names something else than the inventory."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pyarrow as pa

from costopt import schema
from costopt.frame.cost import fleet_cost, read_bill
from costopt.model import Cost, Resource, Shape, Window
from costopt.pricing.catalogue import Catalogue
from costopt.rules.base import Case
from costopt.rules.cases import build
from costopt.rules.prices import priced
from costopt.units import provider_key

END = datetime(2026, 10, 1, tzinfo=UTC)
SET = "/subscriptions/s/resourcegroups/g/providers/microsoft.compute/virtualmachinescalesets/pool"
TYPES = [{"x_InstanceType": "Standard_D4s_v5", "x_vCPUs": 4.0, "x_MemoryGiB": 16.0}]
PRICES = [
    {
        "x_InstanceType": "Standard_D4s_v5",
        "PricingCategory": "Standard",
        "ListUnitPrice": Decimal("0.192"),
        "PricingCurrency": "USD",
    }
]


def costs(resources: list[Resource], cost: str) -> Mapping[str, Cost | None]:
    """Of ten days on which the bill has that much a day under the scale set's id, in capitals."""
    rows = [
        {
            "ProviderName": "Microsoft",
            "ResourceId": SET.upper(),
            "ServiceCategory": "Compute",
            "ChargeCategory": "Usage",
            "ChargePeriodStart": END - timedelta(days=day),
            "ChargePeriodEnd": END - timedelta(days=day - 1),
            "EffectiveCost": Decimal(cost),
            "BillingCurrency": "USD",
            "PricingUnit": "1 Hour",
            "PricingQuantity": Decimal(72),
        }
        for day in range(1, 11)
    ]
    bill = read_bill(pa.Table.from_pylist(rows, schema=schema.CHARGES), END, None)
    prices, types = (
        pa.Table.from_pylist([{"ProviderName": "Azure", **row} for row in given], schema=kind)
        for given, kind in ((PRICES, schema.PRICES), (TYPES, schema.SHAPES))
    )
    cases = build(
        {resource.resource_id: resource for resource in resources},
        {},
        {},
        {},
        bill=bill,
        catalogue=Catalogue.load(prices, types),
        window=Window(END - timedelta(days=60), END),
        min_monthly_savings=5.0,
    )
    found = {resource_id: case.cost for resource_id, case in cases.items()}
    named = [(provider_key("Azure"), cost) for cost in found.values()]
    fleet = fleet_cost(bill, named)
    assert bill is not None
    assert fleet.monthly == bill.spend  # nothing twice
    assert fleet.reconciled_percent == 100
    return found


def instance(number: int, state: str = "running") -> Resource:
    return Resource(
        f"{SET}/virtualmachines/{number}",
        "Azure",
        instance_type="Standard_D4s_v5",
        vcpus=4.0,
        state=state,
        attributes={"billed_as": SET, "power_state": "deallocated"},
    )


def test_the_instances_of_a_scale_set_share_what_it_is_billed_as() -> None:
    scale_set = Resource(SET, "Azure", resource_type="Virtual machine scale set")
    found = costs([scale_set, instance(0), instance(1), instance(2)], "9")
    monthly = Decimal("9") / 24 * 730 / 3  # a day's 9 dollars, at 730 hours a month
    assert [one and one.monthly for one in found.values()] == [None, monthly, monthly, monthly]
    assert all(one.basis == "charges" for one in found.values() if one)


def test_an_instance_that_is_deallocated_has_no_part_of_it() -> None:
    found = costs([instance(0), instance(1, "stopped")], "3")
    running, stopped = found.values()
    assert running
    assert running.monthly == Decimal("91.25")
    assert stopped
    assert stopped.monthly == 0


def test_a_scale_set_without_instances_has_its_own_cost() -> None:
    (alone,) = costs([Resource(SET, "Azure")], "3").values()
    assert alone
    assert alone.monthly == Decimal("91.25")


# -- cards attached to Google's N1 ------------------------------------------------------------


def with_cards(*listed: str, **more: Any) -> Case:
    """n1-standard-8 with two T4 in Iowa, where these are listed at Google's prices."""
    rows = [
        {
            "ProviderName": "GCP",
            "RegionId": "us-central1",
            "x_InstanceType": kind,
            "x_OperatingSystem": "Linux",
            "PricingCategory": category,
            "ListUnitPrice": Decimal(price),
            "PricingCurrency": "USD",
        }
        for kind, category, price in (
            ("n1-standard-8", "Standard", "0.38"),
            ("n1-standard-8", "Dynamic", "0.08"),
            ("nvidia-tesla-t4", "Standard", "0.35"),
            ("nvidia-tesla-t4", "Dynamic", "0.11"),
        )
        if kind in listed
    ]
    resource = Resource(
        "train",
        "GCP",
        region_id="us-central1",
        instance_type="n1-standard-8",
        gpu_model="T4",
        gpu_count=2,
        attributes={"attached_gpu": "nvidia-tesla-t4"},
        **more,
    )
    cases = build(
        {"train": resource},
        {},
        {},
        {},
        bill=None,
        catalogue=Catalogue.load(pa.Table.from_pylist(rows, schema=schema.PRICES)),
        window=Window(END - timedelta(days=60), END),
        min_monthly_savings=5.0,
    )
    return cases["train"]


def test_a_machine_costs_its_type_and_its_cards() -> None:
    found = with_cards("n1-standard-8", "nvidia-tesla-t4")
    assert found.current.hourly_price == Decimal("1.08")  # 0.38 + 2 x 0.35
    assert found.cost is not None
    assert found.cost.compute_list == Decimal("788.4")
    # 30 % off vCPUs, memory and T4 alike, in a whole month
    assert found.cost.compute == Decimal("551.88")


def test_cards_of_a_spot_machine_are_spot() -> None:
    found = with_cards("n1-standard-8", "nvidia-tesla-t4", pricing_category="Dynamic")
    assert found.cost is not None
    assert found.cost.compute == Decimal("219")  # (0.08 + 2 x 0.11) x 730


def test_without_a_price_of_its_cards_a_machine_has_none() -> None:
    found = with_cards("n1-standard-8")
    assert (found.price, found.cost) == (None, None)
    refused = priced(found, Shape("GCP", "n1-standard-8", 8.0, 30.0))
    assert isinstance(refused, tuple)
    assert "no list price of it with its nvidia-tesla-t4 cards" in refused[1]


def test_a_machine_billed_in_another_currency_is_not_taken_for_unbilled() -> None:
    """Its cost is the bill's, and so is the currency of its list price, where there is one."""
    rows = [
        {
            "ProviderName": "Microsoft",
            "ResourceId": name,
            "ServiceCategory": "Compute",
            "ChargeCategory": "Usage",
            "ChargePeriodStart": END - timedelta(days=day),
            "ChargePeriodEnd": END - timedelta(days=day - 1),
            "EffectiveCost": Decimal("2.4"),
            "BillingCurrency": currency,
            "PricingUnit": "1 Hour",
            "PricingQuantity": Decimal(24),
        }
        for day in range(1, 11)
        for name, currency in (("a", "USD"), ("b", "USD"), ("euro", "EUR"))
    ]
    bill = read_bill(pa.Table.from_pylist(rows, schema=schema.CHARGES), END, None)
    both = [
        {"ProviderName": "Azure", **PRICES[0], "PricingCurrency": currency}
        for currency in ("USD", "EUR")
    ]
    machine = Resource("euro", "Azure", instance_type="Standard_D4s_v5")
    (case,) = build(
        {"euro": machine},
        {},
        {},
        {},
        bill=bill,
        catalogue=Catalogue.load(pa.Table.from_pylist(both, schema=schema.PRICES)),
        window=Window(END - timedelta(days=10), END),
        min_monthly_savings=5,
    ).values()
    assert case.cost
    assert (case.cost.basis, case.cost.currency, case.cost.monthly) == ("charges", "EUR", 73)
    assert case.price
    assert case.price.currency == "EUR"
