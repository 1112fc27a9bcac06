"""What Compute Optimizer recommends, as boto3 reads it from a server that speaks its protocol."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest

from costopt import schema
from costopt.providers.aws import AwsProvider
from costopt.providers.aws.settings import AwsSettings
from costopt.providers.base import Advised
from tests.fakes import aws_account
from tests.fakes.aws_advice import ACCOUNT
from tests.fakes.aws_cloud import Cloud, cloud
from tests.fakes.aws_front import Answer, Call, refused

REGION = "us-east-1"
REFRESHED = datetime.fromtimestamp(1_793_100_000, UTC)


@pytest.fixture(scope="module")
def everything() -> Iterator[Cloud]:
    with cloud(datetime.now(UTC)) as made:
        aws_account.machines(aws_account.own(), REGION, "m6i.4xlarge", 2)
        yield made


@pytest.fixture
def aws(everything: Cloud) -> Cloud:
    everything.ordinary()
    return everything


def provider(**more: object) -> AwsProvider:
    return AwsProvider(AwsSettings(**{"region": (REGION,), "max_attempts": 1, **more}))


def rows(table: pa.Table) -> list[dict[str, Any]]:
    schema.conform(table, schema.VENDOR_RECOMMENDATIONS)
    told: list[dict[str, Any]] = table.to_pylist(maps_as_pydicts="strict")
    return [row for row in told if row["x_RecommendationId"]]


def scopes(table: pa.Table) -> list[str]:
    """Of the rows that say that it was asked."""
    return [row["x_Scope"] for row in table.to_pylist() if row["x_RecommendationId"] is None]


def test_a_machine_the_first_choice_and_the_others(aws: Cloud) -> None:
    aws.optimizer.instance(
        REGION, "i-1", "m6i.4xlarge", "m6i.2xlarge", "r6i.xlarge", saves=280.32,
        effectiveRecommendationPreferences={
            "utilizationPreferences": [
                {"metricName": "MemoryUtilization", "metricParameters": {"headroom": "PERCENT_10"}},
                {"metricName": "CpuUtilization",
                 "metricParameters": {"threshold": "P95", "headroom": "PERCENT_30"}},
            ]
        },
    )  # fmt: skip
    made = provider()
    assert isinstance(made, Advised)
    table = made.advice()
    (row,) = rows(table)
    observed = row.pop("x_ObservedAt")
    assert datetime.now(UTC) >= observed
    assert row == {
        "ProviderName": "AWS",
        "SubAccountId": ACCOUNT,
        "x_Source": "AWS Compute Optimizer",
        "x_Scope": f"{REGION} ec2_instance_recommendations",
        "x_RecommendationId": f"arn:aws:ec2:{REGION}:{ACCOUNT}:instance/i-1#size",
        "ResourceId": "i-1",
        "x_Action": "resize",
        "x_InstanceType": "m6i.2xlarge",
        "x_MonthlySavings": Decimal("280.32"),
        "BillingCurrency": "USD",
        "x_Finding": "Overprovisioned",
        "x_Reasons": ["CPUOverprovisioned"],
        "x_LookbackDays": 14.0,
        "x_UpdatedAt": REFRESHED,
        "x_Attributes": {
            "current_type": "m6i.4xlarge",
            "current_performance_risk": "VeryLow",
            "performance_risk": "1.0",
            "migration_effort": "VeryLow",
            "cpu_threshold": "P95",
            "headroom": "PERCENT_30",
            "savings_after_discounts": "224.26",
            "option_2": "r6i.xlarge, saves 252.29 USD",
        },
    }
    assert scopes(table) == [
        f"{REGION} ec2_instance_recommendations",
        f"{REGION} idle_recommendations",
    ]
    assert made.problems == []


@pytest.mark.parametrize(
    ("finding", "options", "action", "chosen"),
    [
        ("Overprovisioned", ["m6i.xlarge"], "resize", "m6i.xlarge"),
        ("OVER_PROVISIONED", ["r6i.xlarge"], "change-family", "r6i.xlarge"),
        ("Underprovisioned", ["m6i.8xlarge"], "resize", "m6i.8xlarge"),
        ("NOT_OPTIMIZED", [], "other", None),
        ("Optimized", ["m7i.4xlarge"], "keep", None),
    ],
)
def test_its_findings_in_our_words(
    aws: Cloud, finding: str, options: list[str], action: str, chosen: str | None
) -> None:
    aws.optimizer.instance(REGION, "i-1", "m6i.4xlarge", *options, finding=finding)
    (row,) = rows(provider().advice())
    assert (row["x_Action"], row["x_InstanceType"]) == (action, chosen)
    assert (row["x_Finding"], row["x_MonthlySavings"]) == (finding, None)


def test_what_is_idle_has_the_id_that_bills_use(aws: Cloud) -> None:
    arn = f"arn:aws:ec2:{REGION}:{ACCOUNT}"
    database = f"arn:aws:rds:{REGION}:{ACCOUNT}:db:orders"
    aws.optimizer.idle(REGION, f"{arn}:instance/i-1", "EC2Instance", saves=70)
    aws.optimizer.idle(REGION, f"{arn}:volume/vol-1", "EBSVolume", saves=8, finding="Unattached")
    aws.optimizer.idle(REGION, database, "RDSDBInstance", saves=120.5)
    aws.optimizer.idle(REGION, f"{arn}:autoScalingGroup:x:name/g", "AutoScalingGroup", saves=1)
    found = {row["ResourceId"]: row for row in rows(provider().advice())}
    assert {key: row["x_Action"] for key, row in found.items()} == {
        "i-1": "stop",
        "vol-1": "delete",
        database: "stop",
        f"{arn}:autoScalingGroup:x:name/g": "other",
    }
    assert found["vol-1"]["x_MonthlySavings"] == 8
    assert found["vol-1"]["x_Reasons"] == ["EBSVolume did nothing"]


def test_all_pages_are_read_and_told_in_order(aws: Cloud) -> None:
    aws.optimizer.page = 3
    for number in reversed(range(10)):
        aws.optimizer.instance(REGION, f"i-{number}", "m6i.4xlarge", "m6i.xlarge", saves=1)
    ids = [row["ResourceId"] for row in rows(provider().advice())]
    assert ids == [f"i-{number}" for number in range(10)]
    assert aws.front.counted()["compute-optimizer:GetEC2InstanceRecommendations"] == 4


def test_it_is_asked_only_where_there_is_something(aws: Cloud) -> None:
    made = provider(region=(REGION, "eu-west-1"))
    assert {scope.split()[0] for scope in scopes(made.advice())} == {REGION}
    assert {c.region for c in aws.front.calls if c.service == "compute-optimizer"} == {REGION}


def test_an_account_that_never_opted_in_is_told_once(aws: Cloud) -> None:
    aws.optimizer.opted_in = False
    made = provider()
    assert made.advice().num_rows == 0
    (problem,) = made.problems
    assert problem.where == f"{ACCOUNT} compute-optimizer"
    assert "not opted in" in problem.what
    assert not problem.fatal
    (checked,) = {one.passed for one in made.checks() if one.name.startswith("compute-optimizer")}
    assert checked  # nothing is there to be granted


def test_a_call_that_is_refused_leaves_the_other(aws: Cloud) -> None:
    def deny(call: Call) -> Answer | None:
        if call.action != "GetIdleRecommendations":
            return None
        return refused(call, "AccessDeniedException", "not authorized", 400)

    aws.front.rules.insert(0, deny)
    aws.optimizer.instance(REGION, "i-1", "m6i.4xlarge", "m6i.xlarge")
    made = provider()
    table = made.advice()
    assert scopes(table) == [f"{REGION} ec2_instance_recommendations"]
    (problem,) = made.problems
    assert problem.where == f"{ACCOUNT} compute-optimizer:GetIdleRecommendations"
    assert problem.what.endswith("grant it (costopt doctor aws --policy)")
    assert not problem.fatal


def test_what_fails_half_way_is_no_listing(aws: Cloud) -> None:
    """Half a listing would let the other half's earlier advice vanish."""
    aws.optimizer.page = 1
    for name in ("i-1", "i-2"):
        aws.optimizer.instance(REGION, name, "m6i.4xlarge", "m6i.xlarge")

    def later(call: Call) -> Answer | None:
        if b"nextToken" not in call.body:
            return None
        return refused(call, "InternalServerException", "try again later", 500)

    aws.front.rules.insert(0, later)
    made = provider()
    assert scopes(made.advice()) == [f"{REGION} idle_recommendations"]
    assert [problem.fatal for problem in made.problems] == [False]


def test_what_it_cannot_say_of_one_thing_is_told(aws: Cloud) -> None:
    error = {"identifier": "i-9", "code": "MEMBER_ACCOUNTS_NOT_ENABLED", "message": "no"}
    aws.optimizer.errors.append(error)
    made = provider()
    made.advice()
    assert {problem.what for problem in made.problems} == {"i-9: MEMBER_ACCOUNTS_NOT_ENABLED no"}


@pytest.mark.parametrize(
    "odd",
    [
        {"lastRefreshTimestamp": "yesterday"},
        {"lastRefreshTimestamp": 1e300},
        {"instanceArn": None},
    ],
)
def test_an_answer_that_cannot_be_read_is_told_and_leaves_the_other(
    aws: Cloud, odd: dict[str, Any]
) -> None:
    aws.optimizer.instance(REGION, "i-1", "m6i.4xlarge", "m6i.xlarge", **odd)
    made = provider()
    assert scopes(made.advice()) == [f"{REGION} idle_recommendations"]
    (problem,) = made.problems
    assert problem.where.endswith(f"{REGION} compute-optimizer:GetEC2InstanceRecommendations")
    assert not problem.fatal


@pytest.mark.parametrize("value", [1e300, float("nan"), float("inf")])
def test_an_amount_without_bounds_is_not_stated(aws: Cloud, value: float) -> None:
    aws.optimizer.instance(REGION, "i-1", "m6i.4xlarge", "m6i.xlarge", saves=value)
    aws.optimizer.instance(REGION, "i-2", "m6i.4xlarge", "m6i.xlarge", saves=1)
    made = provider()
    found = {row["ResourceId"]: row for row in rows(made.advice())}
    assert (found["i-1"]["x_MonthlySavings"], found["i-1"]["BillingCurrency"]) == (None, None)
    assert "savings_after_discounts" not in found["i-1"]["x_Attributes"]
    assert found["i-2"]["x_MonthlySavings"] == 1
    assert made.problems == []


@pytest.mark.parametrize("more", [{"skip": ("advice",)}, {"dry_run": True}])
def test_it_can_be_left_out(aws: Cloud, more: dict[str, object]) -> None:
    made = provider(**more)
    assert made.advice().num_rows == 0
    assert aws.front.calls == []
    assert made.problems == []
