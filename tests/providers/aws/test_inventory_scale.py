"""Several regions and accounts, and many machines: nothing lost, and no call more than it takes."""

from __future__ import annotations

import pytest

from costopt.providers.aws import inventory, organization, shapes
from tests.fakes import aws_account, aws_wire

LISTED = {
    "ec2:DescribeInstances": 1,
    "ec2:DescribeVolumes": 1,
    "ec2:DescribeSnapshots": 1,
    "ec2:DescribeAddresses": 1,
    "ec2:DescribeNatGateways": 1,
    "elasticloadbalancing:DescribeLoadBalancers": 2,  # of both services
    "rds:DescribeDBInstances": 1,
}
"""The calls that an empty region takes."""


@pytest.fixture(scope="module")
def fleet(aws_server: str) -> dict[tuple[str, str], set[str]]:
    """Instance ids by account and region."""
    (shop,) = aws_account.organization(["shop"]).values()
    wanted = {
        (aws_account.MANAGEMENT, "us-east-1"): ("m5.large", 5),
        (aws_account.MANAGEMENT, "eu-west-1"): ("m5.xlarge", 2),
        (shop, "us-east-1"): ("c5.large", 3),
        (shop, "eu-west-1"): ("m5.large", 1),
    }
    clients = {shop: aws_account.member(shop), aws_account.MANAGEMENT: aws_account.own()}
    return {
        (account, region): set(aws_account.machines(clients[account], region, kind, count))
        for (account, region), (kind, count) in wanted.items()
    }


def test_every_machine_of_every_account_and_region_is_there_once(fleet, front, settings) -> None:
    asked = settings(organization=True, region=("us-east-1", "eu-west-1", "eu-west-2"))
    problems = []
    accounts = organization.accounts(asked, problems)
    table = inventory.resources(accounts, asked, problems)
    assert problems == []
    found: dict[tuple[str, str], list[str]] = {}
    for row in table.to_pylist():
        if row["ResourceType"] == "Instance":
            found.setdefault((row["SubAccountId"], row["RegionId"]), []).append(row["ResourceId"])
    assert {place: sorted(ids) for place, ids in fleet.items()} == found
    assert 1 < front.most_at_once <= asked.max_concurrency
    assert front.counted() == {
        **{name: count * 2 * 3 for name, count in LISTED.items()},  # accounts, regions
        "sts:GetCallerIdentity": 1,
        "organizations:ListAccounts": 1,
        "sts:AssumeRole": 1,
        "ec2:DescribeInstanceTypes": 2,  # m5 where it is met first, c5 where it is met first
    }
    described = shapes.shapes(accounts, table, problems)
    assert {"m5.24xlarge", "c5.24xlarge"} <= set(described.column("x_InstanceType").to_pylist())
    assert front.counted()["ec2:DescribeInstanceTypes"] == 2  # known already


def test_pages_of_a_thousand_are_read_to_the_end(fleet, front, settings) -> None:
    ids = [f"i-{number:017x}" for number in range(2001)]
    front.rules.append(aws_wire.paged_instances(ids))
    asked = settings(region=("eu-west-2",))
    table = inventory.resources(organization.accounts(asked, []), asked, [])
    assert table.column("ResourceId").to_pylist() == ids
    assert front.counted() == LISTED | {
        "sts:GetCallerIdentity": 1,
        "ec2:DescribeInstances": 3,
        "ec2:DescribeInstanceTypes": 1,
    }


def test_without_a_region_all_that_are_enabled_are_looked_into(fleet, front, settings) -> None:
    front.rules.append(aws_wire.regions("us-east-1", "eu-west-1"))
    asked = settings()
    (own,) = organization.accounts(asked, [])
    table = inventory.resources([own], asked, [])
    assert set(table.column("RegionId").to_pylist()) == {"us-east-1", "eu-west-1"}
    assert front.counted()["ec2:DescribeRegions"] == 1


def test_tags_of_load_balancers_are_asked_for_twenty_at_a_time(aws_server, front, settings) -> None:
    region = "ap-south-1"
    client = aws_account.own()("elb", region)
    listener = {"Protocol": "http", "LoadBalancerPort": 80, "InstancePort": 80}
    for number in range(41):
        client.create_load_balancer(
            LoadBalancerName=f"lb-{number}",
            Listeners=[listener],
            AvailabilityZones=[f"{region}a"],
            Tags=[{"Key": "number", "Value": str(number)}],
        )
    front.reset()
    asked = settings(region=(region,))
    table = inventory.resources(organization.accounts(asked, []), asked, [])
    rows = [row for row in table.to_pylist() if row["ResourceType"] == "Load balancer"]
    assert {row["ResourceName"]: row["Tags"] for row in rows} == {
        f"lb-{number}": [("number", str(number))] for number in range(41)
    }
    assert front.counted()["elasticloadbalancing:DescribeTags"] == 3
