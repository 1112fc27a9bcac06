"""What the inventory says of each kind of thing, of a moto account that holds one of each."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import boto3
import pyarrow as pa
import pytest

from costopt import schema
from costopt.frame.inventory import present
from costopt.model import is_machine
from costopt.providers.aws import inventory, organization
from costopt.providers.aws.settings import AwsSettings
from costopt.providers.base import Problem
from tests.fakes import aws_account

REGION = "eu-central-1"
EC2 = "Amazon Elastic Compute Cloud"

Found = Callable[[str], dict[str, Any]]


@pytest.fixture(scope="module")
def ids(aws_server: str) -> dict[str, str]:
    return aws_account.populate(aws_account.own(), REGION)


@pytest.fixture(scope="module")
def table(ids: dict[str, str]) -> pa.Table:
    return _collected(REGION, max_concurrency=4)


def _collected(*regions: str, **more: int) -> pa.Table:
    problems: list[Problem] = []
    asked = AwsSettings(region=regions, max_attempts=2, **more)
    table = inventory.resources(organization.accounts(asked, problems), asked, problems)
    assert problems == []
    return table


@pytest.fixture
def found(table, ids) -> Found:
    rows = {row["ResourceId"]: row for row in table.to_pylist(maps_as_pydicts="strict")}
    return lambda nickname: {k: v for k, v in rows[ids[nickname]].items() if v is not None}


def test_the_table_is_in_the_frames_columns_and_order(table, ids) -> None:
    assert table.schema.equals(schema.RESOURCES)
    listed = table.column("ResourceId").to_pylist()
    assert listed == sorted(set(listed))
    assert set(ids.values()) <= set(listed)
    assert set(table.column("ProviderName").to_pylist()) == {"AWS"}
    assert set(table.column("SubAccountId").to_pylist()) == {aws_account.MANAGEMENT}
    assert set(table.column("RegionId").to_pylist()) == {REGION}


def test_only_instances_are_machines(table, ids) -> None:
    seen = present(table, datetime(2100, 1, 1, tzinfo=UTC), "UTC")
    machines = {name for name, one in ids.items() if is_machine(seen[one])}
    assert machines == {"web", "arm", "train", "small", "batch", "gone", "spot"}


def test_an_instance(found, ids) -> None:
    web = found("web")
    launched = web.pop("x_LaunchedAt")
    attributes = web.pop("x_Attributes")
    (told,) = boto3.client("ec2", REGION).describe_instances(InstanceIds=[ids["web"]])[
        "Reservations"
    ]
    assert launched == told["Instances"][0]["LaunchTime"]
    assert web == {
        "ProviderName": "AWS",
        "SubAccountId": aws_account.MANAGEMENT,
        "RegionId": REGION,
        "ResourceId": ids["web"],
        "ResourceName": "web",
        "ResourceType": "Instance",
        "ServiceName": EC2,
        "Tags": {"Name": "web", "aws:autoscaling:groupName": "asg-web"},
        "x_InstanceType": "m5.xlarge",
        "x_vCPUs": 4.0,
        "x_MemoryGiB": 16.0,
        "x_Architecture": "x86_64",
        "x_OperatingSystem": "Linux",
        "x_PricingCategory": "Standard",
        "x_State": "running",
        "x_ScalingGroup": "asg-web",
    }
    assert attributes == {
        "availability_zone": f"{REGION}a",
        "image_id": told["Instances"][0]["ImageId"],
        "monitoring": "basic",
        "tenancy": "default",
    }


def test_instances_of_other_kinds(found) -> None:
    assert found("arm")["x_Architecture"] == "arm64"
    assert found("arm")["x_Attributes"]["monitoring"] == "detailed"
    train = found("train")
    assert (train["x_GPUModel"], train["x_GPUCount"], train["x_GPUMemoryGiB"]) == ("A100", 8, 40.0)
    assert found("spot")["x_PricingCategory"] == "Dynamic"
    assert found("spot")["x_Attributes"]["lifecycle"] == "spot"
    assert found("gone")["x_State"] == "terminated"
    stopped = found("batch")
    assert stopped["x_State"] == "stopped"
    at = datetime.fromisoformat(stopped["x_Attributes"]["stopped_at"])
    assert at.tzinfo == UTC
    assert abs((at - stopped["x_LaunchedAt"]).total_seconds()) < 60


def test_a_disk_says_who_holds_it(found, ids) -> None:
    data = found("data")
    assert data["ResourceType"] == "Disk"
    assert data["x_State"] == "in-use"
    assert data["x_Attributes"] == {
        "attached_to": ids["web"],
        "availability_zone": f"{REGION}a",
        "iops": "4000",
        "size_gib": "200",
        "throughput_mib_per_second": "250",
        "type": "gp3",
    }
    loose = found("loose")
    assert (loose["ResourceName"], loose["x_State"]) == ("forgotten", "available")
    assert "attached_to" not in loose["x_Attributes"]


def test_a_snapshot(found, ids) -> None:
    snapshot = found("snapshot")
    assert (snapshot["ResourceType"], snapshot["ServiceName"]) == ("Snapshot", EC2)
    assert snapshot["x_Attributes"] == {
        "description": "before the move",
        "size_gib": "500",
        "tier": "standard",
        "volume_id": ids["loose"],
    }


def test_addresses_say_whether_they_serve(found, ids) -> None:
    held, spare = found("held"), found("spare")
    assert held["ResourceType"] == spare["ResourceType"] == "IP address"
    assert held["x_State"] == "associated"
    assert held["x_Attributes"]["attached_to"] == ids["web"]
    assert spare["x_State"] == "unassociated"
    assert set(spare["x_Attributes"]) == {"public_ip"}


def test_a_nat_gateway(found) -> None:
    nat = found("nat")
    assert (nat["ResourceType"], nat["x_State"]) == ("NAT gateway", "available")
    assert nat["x_Attributes"]["vpc_id"].startswith("vpc-")


def test_load_balancers_say_what_stands_behind_them(found) -> None:
    new, old = found("balancer"), found("classic")
    assert new["ResourceType"] == old["ResourceType"] == "Load balancer"
    assert (new["ResourceName"], new["Tags"]) == ("shop", {"team": "shop"})
    assert new["x_Attributes"]["target_groups"] == "1"
    assert new["x_Attributes"]["type"] == "application"
    assert old["ResourceName"] == "old"
    assert old["x_Attributes"]["instances"] == "1"
    assert old["x_Attributes"]["type"] == "classic"


def test_a_database_has_a_class_and_no_machine_type(found, ids) -> None:
    database = found("database")
    assert database["ResourceId"] == f"arn:aws:rds:{REGION}:{aws_account.MANAGEMENT}:db:orders"
    assert database["ServiceName"] == "Amazon Relational Database Service"
    assert database["Tags"] == {"team": "shop"}
    attributes = database["x_Attributes"]
    assert attributes["class"] == "db.r5.large"
    assert attributes["engine"] == "postgres"
    assert attributes["multi_az"] == "true"
    assert attributes["size_gib"] == "100"
    assert "x_InstanceType" not in database


def test_it_says_the_same_twice(table) -> None:
    assert _collected(REGION, max_concurrency=1).equals(table)


def test_tags_are_kept_as_they_are(aws_server) -> None:
    hostile = {
        "Name": '=HYPERLINK("http://x")',
        "control": "tab\tline\u0085\u009b31m\u202egnp.exe",
        "html": "<script>alert(1)</script>&amp;\"'",
        "long": "x" * 10_000,
        "empty": "",
        "Ünïcode 🦆": "日本",
    }
    region = "eu-west-2"
    (one,) = aws_account.machines(aws_account.own(), region, "m5.large", 1, hostile)
    rows = _collected(region).to_pylist(maps_as_pydicts="strict")
    row = next(row for row in rows if row["ResourceId"] == one)
    assert row["Tags"] == hostile
    assert list(row["Tags"]) == sorted(hostile)
    assert row["ResourceName"] == hostile["Name"]
