"""What is known and no longer listed: gone, unless something was refused where it stood."""

from __future__ import annotations

from typing import Any

import boto3
import pytest

from costopt.providers.aws.access import Account
from costopt.providers.aws.inventory.departed import departed, noted
from costopt.providers.aws.inventory.gone import gone
from costopt.providers.aws.settings import AwsSettings
from costopt.providers.base import Known, Problem

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


OWN, MEMBER = "999999999999", HERE[0]


def _home(**states: str) -> Account:
    account = Account(OWN, "", boto3.Session(), AwsSettings(), is_home=True)
    account.organization = {name.lstrip("a"): state for name, state in states.items()}
    return account


def _departed(
    home: Account, *known: dict[str, Any], notes: Any = ()
) -> tuple[list[Any], list[Any]]:
    problems: list[Problem] = []
    rows = list(departed(home, Known(resources=known, notes=dict(notes)), problems))
    return [one["ResourceId"] for one in rows if one["x_State"] == "terminated"], problems


@pytest.mark.parametrize("state", ["SUSPENDED", "PENDING_CLOSURE", "CLOSED"])
def test_what_a_closed_account_had_is_not_there_any_more(state: str) -> None:
    home = _home(**{f"a{MEMBER}": state, f"a{OWN}": "ACTIVE"})
    lived = row("i-0a"), row("i-0b", ("210987654321", "eu-west-1")), row("my-own-server")
    found, problems = _departed(home, *lived)
    assert found == ["i-0a"]
    (told,) = problems
    assert told.where == MEMBER
    assert state in told.what
    assert not told.fatal


def test_who_left_the_organization_is_told_once() -> None:
    home = _home(**{f"a{OWN}": "ACTIVE"})
    member = Account(MEMBER, "", boto3.Session(), AwsSettings())
    before = noted(_home(**{f"a{MEMBER}": "ACTIVE", f"a{OWN}": "ACTIVE"}), [home, member], Known())
    found, problems = _departed(home, row("i-0a"), notes=before)
    assert found == ["i-0a"]
    assert "no longer in the organization" in problems[0].what
    after = noted(home, [home], Known(notes=before))
    assert _departed(home, row("i-0a"), notes=after) == ([], [])


def test_without_organization_and_of_others_nothing_is_said() -> None:
    before = {"organization members": f'["{MEMBER}"]'}
    assert _departed(_home(), row("i-0a"), notes=before) == ([], [])
    assert noted(_home(), [], Known(notes=before)) == {}
    refused = _home(**{f"a{MEMBER}": "ACTIVE", f"a{OWN}": "ACTIVE"})
    assert _departed(refused, row("i-0a"), notes=before) == ([], [])
    assert noted(refused, [refused], Known(notes=before)) == before  # it refused only this time
    never = _home(**{f"a{OWN}": "ACTIVE"})
    assert _departed(never, row("i-0a")) == ([], [])
    assert _departed(never, row("i-0a"), notes={"organization members": "{"}) == ([], [])
