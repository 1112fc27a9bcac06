"""What there is on Google Cloud, row by row."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from costopt import schema
from costopt.providers.base import Problem
from costopt.providers.gcp.inventory import resources
from costopt.providers.gcp.projects import projects
from costopt.providers.gcp.shapes import MachineTypes
from tests.fakes.gcp_cloud import Cloud, Project
from tests.providers.gcp.conftest import Opened

ROOT = "//compute.googleapis.com/projects/shop-prod-1"
URL = "https://www.googleapis.com/compute/v1/projects"
CREATED = datetime(2026, 1, 31, 9, tzinfo=UTC)
NVIDIA = f"{URL}/shop-prod-1/zones/europe-west1-b/acceleratorTypes"


@pytest.fixture
def shop(gcp: Cloud) -> Project:
    return gcp.project("shop-prod-1")


def rows(opened: Opened, **more: Any) -> dict[str, dict[str, Any]]:
    """By name; nothing may have been refused."""
    access = opened(**{"project": ("shop-prod-1",), **more})
    problems: list[Problem] = []
    types = MachineTypes(access, problems)
    table = resources(access, projects(access, problems), types, problems)
    assert problems == []
    assert table.schema.equals(schema.RESOURCES)
    found = {row["ResourceName"]: row for row in table.to_pylist(maps_as_pydicts="strict")}
    assert len(found) == table.num_rows
    return found


def one(opened: Opened, **more: Any) -> dict[str, Any]:
    (row,) = rows(opened, **more).values()
    return row


def test_a_machine(shop: Project, opened: Opened) -> None:
    made = shop.instance(
        "web-1",
        machine_type="n2-standard-8",
        labels={"team": "web", "env": "prod"},
        lastStartTimestamp="2026-03-01T12:30:00.500+02:00",
    )
    row = one(opened)
    started = datetime(2026, 3, 1, 10, 30, 0, 500_000, tzinfo=UTC)
    assert {name: value for name, value in row.items() if value is not None} == {
        "ProviderName": "GCP",
        "SubAccountId": "shop-prod-1",
        "RegionId": "europe-west1",
        "ResourceId": f"{ROOT}/zones/europe-west1-b/instances/web-1",
        "ResourceName": "web-1",
        "ResourceType": "Instance",
        "ServiceName": "Compute Engine",
        "Tags": {"env": "prod", "team": "web"},
        "x_InstanceType": "n2-standard-8",
        "x_vCPUs": 8.0,
        "x_MemoryGiB": 32.0,
        "x_Architecture": "x86_64",
        "x_OperatingSystem": "Linux",
        "x_PricingCategory": "Standard",
        "x_State": "running",
        "x_LaunchedAt": started,
        "x_Attributes": {
            "cpu_platform": "Intel Ice Lake",
            "created_at": CREATED.isoformat(),
            "instance_id": made["id"],
            "licences": "debian-cloud/debian-12-bookworm",
            "status": "running",
            "zone": "europe-west1-b",
        },
    }


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("RUNNING", "running"),
        ("STAGING", "running"),
        ("PENDING_STOP", "running"),
        ("STOPPING", "stopped"),
        ("TERMINATED", "stopped"),  # it can be started again; its disks are billed
        ("STOPPED", "stopped"),
        ("SUSPENDED", "suspended"),
        ("SUSPENDING", "suspended"),
        ("REPAIRING", "repairing"),
        ("DEPROVISIONING", "terminated"),
    ],
)
def test_states(shop: Project, opened: Opened, status: str, state: str) -> None:
    shop.instance("web-1", status=status, lastStopTimestamp="2026-03-01T10:00:00Z")
    row = one(opened)
    assert row["x_State"] == state
    assert row["x_Attributes"]["status"] == status.lower()
    assert row["x_Attributes"]["stopped_at"] == "2026-03-01T10:00:00+00:00"


@pytest.mark.parametrize(
    ("scheduling", "category", "provisioning"),
    [
        ({"provisioningModel": "SPOT", "preemptible": True}, "Dynamic", "spot"),
        ({"preemptible": True}, "Dynamic", "preemptible"),
        ({"provisioningModel": "STANDARD"}, "Standard", None),
        ({}, "Standard", None),
        ({"provisioningModel": "RESERVATION_BOUND"}, "Standard", "reservation-bound"),
    ],
)
def test_spot(
    shop: Project, opened: Opened, scheduling: Any, category: str, provisioning: str | None
) -> None:
    shop.instance("web-1", scheduling=scheduling)
    row = one(opened)
    assert row["x_PricingCategory"] == category
    assert row["x_Attributes"].get("provisioning") == provisioning


@pytest.mark.parametrize(
    ("machine_type", "vcpus", "memory"),
    [
        ("custom-2-4096", 2.0, 4.0),
        ("n2-custom-4-8192", 4.0, 8.0),
        ("n2-custom-4-65536-ext", 4.0, 64.0),
        ("e2-custom-medium-4096", 2.0, 4.0),
        ("n9-unheard-of-4", None, None),
    ],
)
def test_custom_types(
    shop: Project, opened: Opened, machine_type: str, vcpus: float | None, memory: float | None
) -> None:
    shop.instance("web-1", machine_type=machine_type)
    row = one(opened)
    assert row["x_InstanceType"] == machine_type
    assert (row["x_vCPUs"], row["x_MemoryGiB"]) == (vcpus, memory)


@pytest.mark.parametrize(
    ("machine_type", "features", "vcpus"),
    [
        ("n2-standard-8", {"threadsPerCore": 1}, 4.0),
        ("n2-standard-8", {"threadsPerCore": 2}, 8.0),
        ("n2-standard-8", {"visibleCoreCount": 2}, 4.0),
        ("n2-standard-8", {"visibleCoreCount": 2, "threadsPerCore": 1}, 2.0),
        ("t2d-standard-8", {"threadsPerCore": 1}, 8.0),  # a whole core each
        ("n1-standard-1", {}, 1.0),
    ],
)
def test_cores_that_are_switched_off(
    shop: Project, opened: Opened, machine_type: str, features: Any, vcpus: float
) -> None:
    shop.instance("web-1", machine_type=machine_type, advancedMachineFeatures=features)
    assert one(opened)["x_vCPUs"] == vcpus


@pytest.mark.parametrize(
    ("machine_type", "attached", "gpu"),
    [
        ("n1-standard-8", ("nvidia-tesla-t4", 2), ("T4", 2, 16.0)),
        ("n1-standard-8", ("nvidia-tesla-t4-vws", 1), ("T4", 1, 16.0)),
        ("a2-highgpu-1g", ("nvidia-tesla-a100", 1), ("A100", 1, 40.0)),
        ("a2-ultragpu-2g", None, ("A100", 2, 80.0)),
        ("a3-highgpu-8g", None, ("H100", 8, 80.0)),
        ("g2-standard-24", None, ("L4", 2, 24.0)),
        ("n1-standard-8", ("ct5lp", 4), ("ct5lp", 4, None)),  # unknown: not judged by its CPU
        ("n1-standard-8", None, (None, None, None)),
    ],
)
def test_accelerators(
    shop: Project,
    opened: Opened,
    machine_type: str,
    attached: tuple[str, int] | None,
    gpu: tuple[str | None, int | None, float | None],
) -> None:
    cards = [
        {"acceleratorType": f"{NVIDIA}/{kind}", "acceleratorCount": count}
        for kind, count in ([attached] if attached else [])
    ]
    shop.instance("gpu-1", machine_type=machine_type, guestAccelerators=cards)
    row = one(opened)
    assert (row["x_GPUModel"], row["x_GPUCount"], row["x_GPUMemoryGiB"]) == gpu


@pytest.mark.parametrize(
    ("machine_type", "kind", "attached"),
    [
        ("n1-standard-8", "nvidia-tesla-t4", "nvidia-tesla-t4"),
        # the licence is billed apart
        ("n1-standard-8", "nvidia-tesla-p100-vws", "nvidia-tesla-p100"),
        ("g2-standard-24", "nvidia-l4", None),
        ("a2-highgpu-1g", "nvidia-tesla-a100", None),
    ],
)
def test_which_cards_are_billed_beside_the_type(
    shop: Project, opened: Opened, machine_type: str, kind: str, attached: str | None
) -> None:
    cards = [{"acceleratorType": f"{NVIDIA}/{kind}", "acceleratorCount": 2}]
    shop.instance("gpu-1", machine_type=machine_type, guestAccelerators=cards)
    assert one(opened)["x_Attributes"].get("attached_gpu") == attached


def licence(name: str) -> str:
    project, _, last = name.partition("/")
    return f"{URL}/{project}/global/licenses/{last}"


@pytest.mark.parametrize(
    ("licences", "features", "system"),
    [
        (["windows-cloud/windows-server-2022-dc"], ["WINDOWS"], "Windows"),
        (["windows-sql-cloud/sql-server-2022-web", "windows-cloud/windows-x"], [], "Windows"),
        (["rhel-cloud/rhel-9-server"], [], "RHEL"),
        (["rhel-sap-cloud/rhel-9-sap"], [], "RHEL"),
        (["rhel-byos-cloud/rhel-9-byos"], [], "Linux"),  # the licence is the customer's own
        (["suse-cloud/sles-15"], [], "SUSE"),
        (["ubuntu-os-pro-cloud/ubuntu-pro-2204-lts"], [], "Ubuntu Pro"),
        (["ubuntu-os-cloud/ubuntu-2204-lts"], [], "Linux"),
        ([], ["UEFI_COMPATIBLE", "WINDOWS"], "Windows"),
        ([], [], "Linux"),
    ],
)
def test_systems(
    shop: Project, opened: Opened, licences: list[str], features: list[str], system: str
) -> None:
    boot = {"boot": True, "guestOsFeatures": [{"type": name} for name in features]}
    data = {"licenses": [licence(name) for name in licences]}  # on any disk it is billed
    shop.instance("web-1", disks=[boot, data])
    row = one(opened)
    assert row["x_OperatingSystem"] == system
    assert row["x_Attributes"].get("licences") == (", ".join(sorted(licences)) or None)


def test_groups_nodes_and_local_disks(shop: Project, opened: Opened) -> None:
    group = "projects/123/zones/europe-west1-b/instanceGroupManagers/web-mig"
    scratch = {"type": "SCRATCH", "diskSizeGb": "375"}
    node = {"key": "compute.googleapis.com/node-group-name", "operator": "IN", "values": ["n"]}
    shop.instance(
        "web-1",
        metadata={"items": [{"key": "created-by", "value": group}, {"key": "x", "value": "y"}]},
        disks=[scratch, scratch, {"type": "PERSISTENT", "diskSizeGb": "20"}],
        scheduling={"nodeAffinities": [node]},
    )
    row = one(opened)
    assert row["x_ScalingGroup"] == "web-mig"
    assert row["x_Attributes"]["local_ssd_gib"] == "750"
    assert row["x_Attributes"]["tenancy"] == "sole-tenant"


def test_disks(shop: Project, opened: Opened) -> None:
    web = shop.instance("web-1", status="TERMINATED")
    shop.disk(
        "data",
        users=[shop.reference(web)],
        type=f"{URL}/shop-prod-1/zones/europe-west1-b/diskTypes/hyperdisk-balanced",
        provisionedIops="4000",
        provisionedThroughput="200",
        labels={"team": "web"},
    )
    shop.disk("left", lastDetachTimestamp="2026-02-01T00:00:00Z")
    shop.disk(
        "both",
        scope="regions/europe-west1",
        replicaZones=[f"{URL}/p/zones/europe-west1-{letter}" for letter in "cb"],
    )
    shop.disk("broken", status="FAILED")
    found = rows(opened)
    data, left, both = found["data"], found["left"], found["both"]
    assert data["ResourceId"] == f"{ROOT}/zones/europe-west1-b/disks/data"
    assert data["x_State"] == "in-use"  # a stopped machine's disk is billed like any other
    assert data["Tags"] == {"team": "web"}
    assert data["x_InstanceType"] is None
    attributes = data["x_Attributes"]
    assert attributes.pop("disk_id")
    assert attributes == {
        "attached_to": f"{ROOT}/zones/europe-west1-b/instances/web-1",
        "iops": "4000",
        "size_gib": "100",
        "throughput_mib_per_second": "200",
        "type": "hyperdisk-balanced",
        "zone": "europe-west1-b",
    }
    assert left["x_State"] == "available"
    assert left["x_Attributes"]["detached_at"] == "2026-02-01T00:00:00+00:00"
    assert both["ResourceId"] == f"{ROOT}/regions/europe-west1/disks/both"
    assert both["RegionId"] == "europe-west1"
    assert both["x_Attributes"]["replica_zones"] == "europe-west1-b, europe-west1-c"
    assert found["broken"]["x_State"] == "failed"


def test_snapshots(shop: Project, opened: Opened) -> None:
    shop.snapshot("daily", autoCreated=True, storageBytes=str(3 * 2**29), labels={"a": "b"})
    row = one(opened)
    assert row["ResourceId"] == f"{ROOT}/global/snapshots/daily"
    assert row["RegionId"] == "eu"
    assert row["x_LaunchedAt"] == CREATED
    attributes = row["x_Attributes"]
    assert attributes.pop("snapshot_id")
    assert attributes == {
        "automatic": "true",
        "size_gib": "100",
        "source_disk": f"{ROOT}/zones/europe-west1-b/disks/daily",
        "stored_gib": "1.5",
        "tier": "standard",
    }


def test_addresses_balancers_and_gateways(shop: Project, opened: Opened) -> None:
    web = shop.instance("web-1")
    shop.address("used", status="IN_USE", users=[shop.reference(web)])
    shop.address("spare", scope="global", networkTier="PREMIUM")
    shop.address("inside", addressType="INTERNAL")
    balancer = {"loadBalancingScheme": "EXTERNAL_MANAGED", "IPAddress": "203.0.113.9"}
    proxies = f"{URL}/shop-prod-1/global/targetHttpsProxies"
    shop.add("global", "forwardingRules", "front", target=f"{proxies}/shop", **balancer)
    shop.add("regions/europe-west1", "forwardingRules", "apis", target="all-apis")
    nat = {"name": "out", "type": "PUBLIC"}
    shop.add("regions/europe-west1", "routers", "edge", nats=[nat])
    shop.add("regions/us-east1", "routers", "plain")
    found = rows(opened)
    assert set(found) == {"web-1", "used", "spare", "front", "apis", "out"}
    assert found["used"]["x_State"] == "associated"
    assert found["used"]["x_Attributes"]["attached_to"].endswith("/instances/web-1")
    assert found["spare"]["x_State"] == "unassociated"
    assert found["spare"]["RegionId"] is None
    assert found["spare"]["ResourceId"] == f"{ROOT}/global/addresses/spare"
    assert found["front"]["ResourceType"] == "Load balancer"
    assert found["front"]["x_Attributes"] == {
        "ip": "203.0.113.9",
        "scheme": "external-managed",
        "target": f"{ROOT}/global/targetHttpsProxies/shop",
    }
    assert found["apis"]["ResourceType"] == "Forwarding rule"
    assert found["out"]["ResourceId"] == f"{ROOT}/regions/europe-west1/routers/edge/nats/out"
    assert found["out"]["x_Attributes"] == {"connectivity": "public", "router": "edge"}


def test_commitments_in_force(shop: Project, opened: Opened) -> None:
    given = {
        "plan": "THIRTY_SIX_MONTH",
        "startTimestamp": "2025-06-01T00:00:00.000-07:00",
        "endTimestamp": "2028-06-01T00:00:00.000-07:00",
        "type": "GENERAL_PURPOSE_N2",
        "autoRenew": False,
        "resources": [
            {"type": "VCPU", "amount": "64"},
            {"type": "MEMORY", "amount": str(256 * 1024)},
            {"type": "LOCAL_SSD", "amount": "750"},
        ],
    }
    shop.add("regions/europe-west1", "commitments", "cud-1", status="ACTIVE", **given)
    shop.add("regions/europe-west1", "commitments", "old", status="EXPIRED", **given)
    row = one(opened)
    assert row["ResourceId"] == f"{ROOT}/regions/europe-west1/commitments/cud-1"
    assert row["x_InstanceType"] is None
    assert row["x_State"] == "active"
    assert row["x_LaunchedAt"] == datetime(2025, 6, 1, 7, tzinfo=UTC)
    attributes = row["x_Attributes"]
    assert attributes.pop("commitment_id")
    assert attributes == {
        "auto_renew": "false",
        "end": "2028-06-01T07:00:00+00:00",
        "local_ssd_gib": "750",
        "memory_gib": "256.0",
        "term": "3yr",
        "type": "GENERAL_PURPOSE_N2",
        "vcpus": "64",
    }


def test_reservations(shop: Project, opened: Opened) -> None:
    held = {"count": "10", "inUseCount": "3", "instanceProperties": {"machineType": "c3-highcpu-8"}}
    zone = "zones/europe-west1-b"
    shop.add(zone, "reservations", "peak", status="READY", specificReservation=held)
    row = one(opened)
    assert row["x_InstanceType"] is None  # it is no machine, though it names a type
    assert row["x_Attributes"] == {
        "count": "10",
        "in_use": "3",
        "instance_type": "c3-highcpu-8",
        "zone": "europe-west1-b",
    }


def test_only_the_regions_asked_for(shop: Project, opened: Opened) -> None:
    shop.instance("here")
    shop.instance("there", zone="us-east1-b")
    shop.address("everywhere", scope="global")
    shop.snapshot("of-here")  # it lies in several regions, its disk in this one
    shop.snapshot("of-there", sourceDisk=f"{URL}/shop-prod-1/zones/us-east1-b/disks/x")
    assert set(rows(opened, region=("europe-west1",))) == {"here", "of-here"}
    assert set(rows(opened)) == {"here", "there", "everywhere", "of-here", "of-there"}


def test_a_machine_whose_type_is_not_told_has_none(shop: Project, opened: Opened) -> None:
    del shop.instance("web-1")["machineType"]
    row = one(opened)
    assert (row["x_InstanceType"], row["x_vCPUs"]) == (None, None)


def test_names_are_taken_as_they_are(shop: Project, opened: Opened) -> None:
    shop.instance("web-1", labels={"note": '=HYPERLINK("x")', "empty": ""})
    assert one(opened)["Tags"] == {"empty": "", "note": '=HYPERLINK("x")'}


def test_many_come_in_pages_and_in_one_order(gcp: Cloud, shop: Project, opened: Opened) -> None:
    zones = ("us-east1-b", "europe-west1-b", "us-central1-a")
    for number in range(40):
        shop.instance(f"web-{number:02}", zone=zones[number % 3])
    gcp.page = 7
    table = rows(opened)
    assert len(table) == 40
    assert gcp.rest.counted()["compute.instances.aggregatedList"] == 6
    gcp.expire("compute.instances")
    assert list(rows(opened, max_concurrency=1)) == list(table)  # read anew, and nothing twice
