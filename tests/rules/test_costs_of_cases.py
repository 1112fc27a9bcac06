"""What each machine of a fleet costs, where the bill names something else than the inventory."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pyarrow as pa

from costopt import schema
from costopt.frame.cost import fleet_cost, read_bill
from costopt.model import Cost, Resource, Window
from costopt.pricing.catalogue import Catalogue
from costopt.rules.cases import build
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
