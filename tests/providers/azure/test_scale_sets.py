"""A uniform scale set, as AKS's node pools are: what is listed, measured and billed joins."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pyarrow as pa

from costopt import pipeline
from costopt.lake import packed
from costopt.lake.store import Lake
from costopt.providers.azure import AzureProvider
from costopt.providers.azure.settings import AzureSettings
from tests.fakes.azure_cloud import REGION, Tenant, usual_sizes
from tests.fakes.azure_export import cost_csv, delivered, row
from tests.fakes.azure_monitor import Monitor
from tests.fakes.blobs import Blobs

NOW = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
"""Azure Monitor keeps 93 days: a fixed moment would be gone some day."""


def _pool(azure: Tenant) -> tuple[str, list[str]]:
    """A set with three instances, one of them deallocated; ids as the list spells them."""
    shop = azure.subscription("shop")
    azure.sizes[REGION] = usual_sizes()
    pool = azure.scale_set(shop, "aks-pool-vmss", "Standard_D4s_v5", count=3)
    members = [thing for key, thing in azure.things.items() if "/virtualmachines/" in key]
    members[2]["properties"]["instanceView"]["statuses"][1]["code"] = "PowerState/deallocated"
    return pool, [str(one["id"]) for one in members]


def _bill(azure: Tenant, pool: str) -> str:
    """As real ones: the set's id, its resource group in capitals, and the instance in
    AdditionalInfo alone (finops-toolkit, EA_AmortizedCost_Small.csv)."""
    bills = Blobs.of(azure.door)
    rows = [
        row(
            "4.5",
            ResourceId=pool.replace("Shop-RG", "SHOP-RG"),
            SubscriptionId=pool.split("/")[2],
            AdditionalInfo=f'{{"VMName":"aks-pool-vmss_{number}"}}',
        )
        for number in (0, 1)
    ]
    delivered(bills.put, "exports/daily", "2026-09", [cost_csv(rows)], kind="ActualCost")
    return bills.address("exports")


def test_inventory_samples_and_bill_join(azure: Tenant, tmp_path: Path) -> None:
    pool, members = _pool(azure)
    monitor = Monitor(NOW)
    azure.door.services.insert(0, monitor.service)
    for one in members[:2]:
        monitor.add(one)
    monitor.add(members[2], died=0)  # nothing was ever measured of it
    settings = AzureSettings(
        endpoint=azure.url,
        export=(_bill(azure, pool),),
        until=NOW - timedelta(hours=1),
        days=1,
        skip=("prices", "advice"),
        max_attempts=1,
    )
    lake = Lake(tmp_path)
    done = pipeline.collect(AzureProvider(settings), lake)
    assert not [one for one in done.problems if one.fatal]

    listed = {
        one["ResourceId"]: one for one in lake.read("resources").to_pylist(maps_as_pydicts="strict")
    }
    ids = [one.lower() for one in members]
    assert set(listed) == {pool.lower(), *ids}
    assert {listed[one]["x_Attributes"]["billed_as"] for one in ids} == {pool.lower()}
    assert [listed[one]["x_State"] for one in ids] == ["running", "running", "stopped"]

    samples = pa.concat_tables(packed.scan(lake))
    assert set(samples.column("ResourceId").to_pylist()) == set(ids[:2])
    assert "cpu_utilization" in samples.column("MetricName").to_pylist()
    asked = {(one.namespace.lower(), one.batch) for one in monitor.calls()}
    assert asked == {("microsoft.compute/virtualmachinescalesets/virtualmachines", True)}

    charges = lake.read_charges().to_pylist()
    assert {one["ResourceId"] for one in charges} == {pool.lower()}
    assert sum(one["BilledCost"] for one in charges) == Decimal(9)
