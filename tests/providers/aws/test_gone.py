"""What is known and no longer listed: gone, unless something was refused where it stood."""

from __future__ import annotations

from typing import Any

import pytest

from costopt.providers.aws.inventory.gone import gone
from costopt.providers.base import Problem

HERE = ("123456789012", "eu-west-1")
RDS = "arn:aws:rds:eu-west-1:123456789012:db:orders"


def row(resource_id: str, place: tuple[str, str] = HERE, **more: Any) -> dict[str, Any]:
    account, region = place
    return {
        "ResourceId": resource_id,
        "SubAccountId": account,
        "RegionId": region,
        "x_State": "running",
        "x_ObservedAt": "then",
        **more,
    }


def found(*known: dict[str, Any], listed: tuple[str, ...] = (), problems: Any = ()) -> list[Any]:
    return list(gone(known, listed, {HERE}, problems))


def test_what_is_not_listed_is_terminated_and_otherwise_as_it_was() -> None:
    old = row("i-0a", x_InstanceType="m5.large")
    assert found(old) == [old | {"x_State": "terminated", "x_ObservedAt": None}]
    assert [one["ResourceId"] for one in found(row("vol-0b"), row(RDS))] == ["vol-0b", RDS]


@pytest.mark.parametrize(
    "known",
    [
        row("i-0a", ("123456789012", "us-east-1")),  # not looked into
        row("i-0a", ("210987654321", "eu-west-1")),
        row("i-0a", x_State="terminated"),  # told before
        row("arn:aws:eks:eu-west-1:123456789012:cluster/web"),  # of a kind that is not listed
        row("my-own-server"),
    ],
)
def test_of_others_nothing_is_said(known: dict[str, Any]) -> None:
    assert found(known) == []


def test_what_is_listed_is_there() -> None:
    assert found(row("i-0a"), listed=("i-0a",)) == []


def test_where_anything_was_refused_nothing_is_gone() -> None:
    refused = Problem(" ".join((*HERE, "ec2:DescribeInstances")), "AccessDenied", fatal=True)
    assert found(row("i-0a"), problems=[refused]) == []
    elsewhere = Problem("123456789012 us-east-1 ec2:DescribeInstances", "AccessDenied", fatal=True)
    assert len(found(row("i-0a"), problems=[elsewhere])) == 1
    told = Problem(" ".join((*HERE, "an agent")), "sends no InstanceId")
    assert len(found(row("i-0a"), problems=[told])) == 1
