"""What a region, a call or a page that fails takes with it, and what it leaves."""

from __future__ import annotations

from collections.abc import Callable

import pyarrow as pa
import pytest

from costopt.providers.aws import inventory, organization
from costopt.providers.aws.settings import AwsSettings
from costopt.providers.base import Problem
from tests.fakes import aws_account, aws_wire
from tests.fakes.aws_front import Answer, Call, Front, refused

HERE, THERE = "eu-central-1", "us-east-1"
OWN = aws_account.MANAGEMENT

Collect = Callable[..., tuple[pa.Table, list[Problem]]]


@pytest.fixture(scope="module")
def ids(aws_server: str) -> dict[str, str]:
    aws_account.machines(aws_account.own(), THERE, "m5.large", 2)
    return aws_account.populate(aws_account.own(), HERE)


@pytest.fixture
def collect(ids: dict[str, str], front: Front) -> Collect:
    def collected(**more: object) -> tuple[pa.Table, list[Problem]]:
        problems: list[Problem] = []
        asked = AwsSettings(**{"region": (HERE, THERE), "max_attempts": 1, **more})
        accounts = organization.accounts(asked, problems)
        return inventory.resources(accounts, asked, problems), problems

    return collected


def _refuse(*actions: str, region: str = HERE, code: str = "UnauthorizedOperation"):
    def rule(call: Call) -> Answer | None:
        hit = call.region == region and call.service != "sts"
        return (
            refused(call, code, "no") if hit and (call.action in actions or not actions) else None
        )

    return rule


def _types(table: pa.Table, region: str) -> set[str]:
    rows = table.select(["RegionId", "ResourceType"]).to_pylist()
    return {row["ResourceType"] for row in rows if row["RegionId"] == region}


def test_a_refused_call_loses_its_kind_in_its_region_only(collect, front) -> None:
    whole, _ = collect()
    front.rules.append(_refuse("DescribeVolumes"))
    table, problems = collect()
    assert problems == [
        Problem(f"{OWN} {HERE} ec2:DescribeVolumes", "UnauthorizedOperation: no", fatal=True)
    ]
    assert _types(whole, HERE) - _types(table, HERE) == {"Disk"}
    assert _types(table, THERE) == {"Instance", "Disk", "Snapshot"}  # moto's image has a snapshot


def test_problems_come_in_the_order_of_accounts_regions_and_calls(collect, front) -> None:
    calls = ("DescribeVolumes", "DescribeDBInstances")
    front.rules += [_refuse(*calls), _refuse(*calls, region=THERE)]
    _, problems = collect()
    assert [problem.where for problem in problems] == [
        f"{OWN} {HERE} ec2:DescribeVolumes",
        f"{OWN} {HERE} rds:DescribeDBInstances",
        f"{OWN} {THERE} ec2:DescribeVolumes",
        f"{OWN} {THERE} rds:DescribeDBInstances",
    ]


def test_a_region_that_is_not_enabled_is_tried_once(collect, front) -> None:
    front.rules.append(_refuse(region=HERE, code="AuthFailure"))
    table, problems = collect()
    assert problems == [Problem(f"{OWN} {HERE}", "AuthFailure: no", fatal=True)]
    assert sum(call.region == HERE for call in front.calls) == 1
    assert _types(table, HERE) == set()
    assert "Instance" in _types(table, THERE)


def test_a_forbidden_region_is_one_problem(collect, front) -> None:
    front.rules.append(_refuse(region=HERE))
    table, problems = collect()
    assert problems == [
        Problem(
            f"{OWN} {HERE}",
            "every call is refused (UnauthorizedOperation: no)",
            count=8,
            fatal=True,
        )
    ]
    assert "Instance" in _types(table, THERE)


def test_a_region_that_cannot_be_reached_does_not_stop_others(ids, monkeypatch, settings) -> None:
    asked = settings(region=(HERE, THERE), max_attempts=1)
    problems: list[Problem] = []
    (own,) = organization.accounts(asked, problems)
    own.client("ec2", THERE)  # made before: it talks to moto
    monkeypatch.setenv("AWS_ENDPOINT_URL_EC2", "http://127.0.0.1:9")  # discard: nobody listens
    table = inventory.resources([own], asked, problems)
    assert [problem.where for problem in problems] == [f"{OWN} {HERE}"]
    assert "Could not connect to the endpoint" in problems[0].what
    assert "Instance" in _types(table, THERE)


def test_what_was_listed_before_a_page_failed_is_kept(collect, front) -> None:
    ids = [f"i-{number:017x}" for number in range(1001)]

    def second_page(call: Call) -> Answer | None:
        if call.action == "DescribeInstances" and "NextToken" in call.fields:
            return refused(call, "InternalError", "try later", 500)
        return None

    front.rules += [second_page, aws_wire.paged_instances(ids)]
    table, problems = collect(region=("eu-west-2",))
    assert table.column("ResourceId").to_pylist() == ids[:1000]
    assert problems == [
        Problem(f"{OWN} eu-west-2 ec2:DescribeInstances", "InternalError: try later", fatal=True)
    ]


def test_regions_that_cannot_be_listed_are_a_problem_of_the_account(collect, front) -> None:
    front.rules.append(_refuse("DescribeRegions", region="us-east-1"))
    table, problems = collect(region=())
    assert table.num_rows == 0
    assert problems == [
        Problem(f"{OWN} ec2:DescribeRegions", "UnauthorizedOperation: no", fatal=True)
    ]


def test_load_balancers_stay_where_their_particulars_are_refused(collect, front, ids) -> None:
    front.rules.append(_refuse("DescribeTags", "DescribeTargetGroups", code="AccessDenied"))
    table, problems = collect()
    assert [problem.where.split()[-1] for problem in problems] == [
        "elasticloadbalancing:DescribeTargetGroups",
        "elasticloadbalancing:DescribeTags",
        "elasticloadbalancing:DescribeTags",
    ]
    rows = {row["ResourceId"]: row for row in table.to_pylist(maps_as_pydicts="strict")}
    balancer = rows[ids["balancer"]]
    assert balancer["Tags"] is None
    assert "target_groups" not in balancer["x_Attributes"]  # unknown, not none
    assert rows[ids["classic"]]["x_Attributes"]["instances"] == "1"


def test_machines_are_known_without_describing_types(collect, front, ids) -> None:
    whole, _ = collect()
    front.rules += [
        _refuse("DescribeInstanceTypes"),
        _refuse("DescribeInstanceTypes", region=THERE),
    ]
    front.calls.clear()
    table, problems = collect()
    assert table.equals(whole)  # the built-in shapes stand in
    assert [(one.where, one.fatal) for one in problems] == [
        (f"{OWN} {HERE} ec2:DescribeInstanceTypes", False)
    ]
    assert front.counted()["ec2:DescribeInstanceTypes"] == 1  # who refuses is not asked again
