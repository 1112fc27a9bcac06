"""What there is on Azure, and what is told of it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from costopt import schema
from costopt.providers.azure.inventory import place
from tests.fakes.azure_cloud import REGION, populate, usual_sizes

COMPUTE = "Microsoft.Compute"


@pytest.fixture
def shop(azure):
    """A subscription with one of each thing: its id, and the ids of the things in lower case."""
    name = azure.subscription("shop")
    return name, {nick: one.lower() for nick, one in populate(azure, name).items()}


def test_one_of_each_thing(azure, shop, look) -> None:
    name, ids = shop
    found = look()
    assert found.problems == []
    assert found.table.schema.equals(schema.RESOURCES)
    members = {f"{ids['pool']}/virtualmachines/{number}" for number in range(3)}
    assert set(found.rows) == {*ids.values(), *members}
    assert found.table.column("ResourceId").to_pylist() == sorted(found.rows)
    assert {row["ProviderName"] for row in found.rows.values()} == {"Azure"}
    assert {row["SubAccountId"] for row in found.rows.values()} == {name}
    kinds = {nick: found.rows[one]["ResourceType"] for nick, one in ids.items()}
    assert {kinds[nick] for nick in ("web", "off", "spot", "member")} == {"Virtual machine"}
    assert {kinds[nick] for nick in ("pool", "flexible")} == {"Scale set"}
    assert kinds["data"] == "Disk"
    assert kinds["snapshot"] == "Snapshot"
    assert kinds["held"] == "IP address"
    assert kinds["nat"] == "NAT gateway"
    assert kinds["balancer"] == "Load balancer"


def test_a_machine(shop, look) -> None:
    name, ids = shop
    assert look().rows[ids["web"]] == {
        "ProviderName": "Azure",
        "SubAccountId": name,
        "RegionId": REGION,
        "ResourceId": f"/subscriptions/{name}/resourcegroups/shop-rg/providers/"
        "microsoft.compute/virtualmachines/web-1",
        "ResourceName": "Web-1",
        "ResourceType": "Virtual machine",
        "ServiceName": "Virtual Machines",
        "Tags": {"Env": "", "team": "shop"},
        "x_InstanceType": "Standard_D4s_v5",
        "x_vCPUs": 4.0,
        "x_MemoryGiB": 16.0,
        "x_GPUModel": None,
        "x_GPUCount": None,
        "x_GPUMemoryGiB": None,
        "x_Architecture": "x86_64",
        "x_OperatingSystem": "Linux",
        "x_PricingCategory": "Standard",
        "x_State": "running",
        "x_LaunchedAt": datetime(2026, 1, 5, 8, 30, 0, 123456, tzinfo=UTC),
        "x_ScalingGroup": None,
        "x_TimeZone": None,
        "x_ObservedAt": None,
        "x_Attributes": {
            "image": "Canonical:ubuntu-24_04-lts:server",
            "os_type": "Linux",
            "power_state": "running",
            "vm_id": "00000000-0000-0000-0000-000000000099",
            "zones": "1",
        },
    }


@pytest.mark.parametrize(
    ("power", "state"),
    [
        ("starting", "running"),
        ("running", "running"),
        ("stopping", "stopped"),
        ("stopped", "stopped"),
        ("deallocating", "stopped"),
        ("deallocated", "stopped"),
        ("unknown", None),
    ],
)
def test_stopped_is_told_from_deallocated(azure, look, power: str, state: str | None) -> None:
    one = azure.machine(azure.subscription("shop"), "vm", "Standard_D2s_v5", power=power)
    row = look().rows[one.lower()]
    assert row["x_State"] == state
    assert row["x_Attributes"]["power_state"] == power


def test_what_a_machine_is_paid_as(shop, look) -> None:
    _, ids = shop
    rows = look().rows
    assert rows[ids["spot"]]["x_PricingCategory"] == "Dynamic"
    assert rows[ids["spot"]]["x_Attributes"]["eviction_policy"] == "Deallocate"
    assert rows[ids["windows"]]["x_OperatingSystem"] == "Windows"
    # under Azure Hybrid Benefit it costs what Linux costs
    hybrid = rows[ids["hybrid"]]
    assert hybrid["x_OperatingSystem"] == "Linux"
    assert hybrid["x_Attributes"]["os_type"] == "Windows"
    assert hybrid["x_Attributes"]["license_type"] == "Windows_Server"
    assert hybrid["x_InstanceType"] == "Standard_D2s_v5"  # asked for in lower case


def test_instances_of_a_uniform_scale_set_are_machines_billed_as_the_set(shop, look) -> None:
    _, ids = shop
    rows = look().rows
    one = rows[f"{ids['pool']}/virtualmachines/1"]
    assert one["ResourceName"] == "aks-pool-vmss_1"
    assert one["x_InstanceType"] == "Standard_D4s_v5"
    assert one["x_PricingCategory"] == "Dynamic"  # the set says so
    assert one["x_State"] == "running"
    assert one["x_ScalingGroup"] == "aks-pool-vmss"
    assert one["x_Attributes"]["billed_as"] == ids["pool"]
    pool = rows[ids["pool"]]
    assert pool["x_InstanceType"] is None  # no machine itself
    assert pool["x_Attributes"]["capacity"] == "3"
    assert rows[ids["member"]]["x_ScalingGroup"] == "flex"
    assert "billed_as" not in rows[ids["member"]]["x_Attributes"]


def test_disks_and_what_hangs_on_them(shop, look) -> None:
    _, ids = shop
    rows = look().rows
    assert rows[ids["data"]]["x_State"] == "attached"
    assert rows[ids["data"]]["x_Attributes"] == {
        "attached_to": ids["web"],
        "iops": "500",
        "size_gib": "128",
        "throughput_mb_per_second": "100",
        "tier": "P10",
        "type": "Premium_LRS",
    }
    assert rows[ids["loose"]]["x_State"] == "unattached"
    assert rows[ids["loose"]]["x_Attributes"]["owner_changed_at"] == "2026-02-01T00:00:00+00:00"
    assert rows[ids["snapshot"]]["x_Attributes"] == {
        "disk_id": ids["loose"],
        "incremental": "true",
        "size_gib": "512",
        "type": "Standard_LRS",
    }


def test_the_network(shop, look) -> None:
    _, ids = shop
    rows = look().rows
    assert rows[ids["held"]]["x_State"] == "associated"
    assert rows[ids["held"]]["x_Attributes"]["public_ip"] == "203.0.113.7"
    assert rows[ids["spare"]]["x_State"] == "unassociated"
    assert rows[ids["nat"]]["x_Attributes"] == {"subnets": "2", "type": "Standard"}
    assert rows[ids["balancer"]]["x_Attributes"] == {
        "backends": "3",
        "rules": "2",
        "type": "Standard",
    }


def test_only_the_regions_asked_for_by_whatever_name(azure, look) -> None:
    name = azure.subscription("shop")
    here = azure.machine(name, "here", "Standard_D2s_v5", location="West Europe")
    azure.machine(name, "there", "Standard_D2s_v5", location="eastus")
    azure.add(name, f"{COMPUTE}/disks", "far", location="eastus", properties={})
    found = look(region=("West Europe",))
    assert set(found.rows) == {here.lower()}
    assert found.rows[here.lower()]["RegionId"] == "westeurope"


def test_vcpus_that_are_switched_off_stay_off(azure, look) -> None:
    name = azure.subscription("shop")
    azure.sizes[REGION] = usual_sizes()
    chosen = {"vCPUsAvailable": 2, "vCPUsPerCore": 1}
    hardware = {"vmSize": "Standard_D8s_v5", "vmSizeProperties": chosen}
    one = azure.machine(name, "vm", "-", properties={"hardwareProfile": hardware})
    row = look().rows[one.lower()]
    assert (row["x_vCPUs"], row["x_MemoryGiB"]) == (2.0, 32.0)
    assert row["x_Attributes"]["threads_per_core"] == "1"


def test_a_machine_of_which_hardly_anything_is_told(azure, look) -> None:
    name = azure.subscription("shop")
    bare = azure.add(name, f"{COMPUTE}/virtualMachines", "bare", properties={"vmId": "x"})
    row = look().rows[bare.lower()]
    assert row["x_State"] is None
    assert row["x_InstanceType"] is None
    assert row["x_LaunchedAt"] is None
    assert row["x_Attributes"] == {"vm_id": "x"}


def test_twice_is_the_same_whatever_order_the_answers_come_in(azure, shop, look) -> None:
    populate(azure, azure.subscription("other"))
    one = look(max_concurrency=1).table
    azure.things = dict(reversed(azure.things.items()))
    assert look(max_concurrency=8).table.equals(one)


def test_no_more_calls_at_a_time_than_allowed(azure, shop, look) -> None:
    for number in range(4):
        azure.scale_set(shop[0], f"pool{number}", "Standard_D2s_v5", count=1)
    look(max_concurrency=2)
    assert azure.door.most_at_once <= 2


def test_an_empty_tenant(azure, look) -> None:
    azure.subscription("empty")
    found = look()
    assert found.table.num_rows == 0
    assert found.problems == []


def test_moments_that_are_none_are_missing() -> None:
    assert place.moment("2026-13-01") is None
    assert place.moment(None) is None
    assert place.moment("2026-01-05T10:00:00+02:00") == datetime(2026, 1, 5, 8, tzinfo=UTC)
