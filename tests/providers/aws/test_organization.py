"""Which accounts are looked into, and which refuse."""

from __future__ import annotations

import boto3
import pytest

from costopt.errors import ProviderError
from costopt.providers.aws import organization
from costopt.providers.base import Problem
from tests.fakes import aws_account
from tests.fakes.aws_front import Answer, Call, refused

NAMES = [f"team-{number:02}" for number in range(1, 10)]


@pytest.fixture(scope="module")
def members(aws_server: str) -> dict[str, str]:
    """9 members beside the management account; the last one is suspended. Ids by name."""
    made = aws_account.organization(NAMES)
    boto3.client("organizations").close_account(AccountId=made[NAMES[-1]])
    return made


def _only_own(settings) -> None:
    problems: list[Problem] = []
    (own,) = organization.accounts(settings(), problems)
    assert own.account_id == aws_account.MANAGEMENT
    assert problems == []


def test_without_organization_it_is_the_own_account(members, front, settings) -> None:
    _only_own(settings)
    assert front.counted() == {"sts:GetCallerIdentity": 1}


def test_an_organization_is_walked_in_the_order_of_ids(members, front, settings) -> None:
    problems: list[Problem] = []
    found = organization.accounts(settings(organization=True), problems)
    active = {members[name]: name for name in NAMES[:-1]}
    assert [one.account_id for one in found] == sorted([aws_account.MANAGEMENT, *active])
    named = {one.account_id: one.name for one in found if one.account_id in active}
    assert named == active
    assert problems == []
    for one in found[:3]:
        assert one.client("sts").get_caller_identity()["Account"] == one.account_id


def test_entering_takes_one_call_a_member(members, front, settings) -> None:
    organization.accounts(settings(organization=True, max_concurrency=3), [])
    listed = front.counted().pop("organizations:ListAccounts")
    assert front.counted() == {
        "sts:GetCallerIdentity": 1,
        "organizations:ListAccounts": listed,
        "sts:AssumeRole": 8,  # not the own account, and not the suspended one
    }
    assert front.most_at_once <= 3


def test_a_list_of_pages_is_read_to_its_end(members, front, settings) -> None:
    pages = {
        "": '{"Accounts":[{"Id":"111111111111","Name":"a","State":"ACTIVE"}],"NextToken":"2"}',
        "2": '{"Accounts":[{"Id":"222222222222","Name":"b","Status":"ACTIVE"},'
        '{"Id":"333333333333","Name":"c","State":"PENDING_CLOSURE","Status":"ACTIVE"}]}',
    }

    def paged(call: Call) -> Answer | None:
        if call.action != "ListAccounts":
            return None
        page = pages["2" if b'"NextToken"' in call.body else ""]
        return Answer(200, page.encode(), "application/x-amz-json-1.1")

    front.rules.append(paged)
    found = organization.accounts(settings(organization=True), [])
    assert [one.account_id for one in found] == [
        "111111111111",
        aws_account.MANAGEMENT,
        "222222222222",
    ]
    (home,) = (one for one in found if one.is_home)
    assert home.organization == {
        "111111111111": "ACTIVE",
        "222222222222": "ACTIVE",
        "333333333333": "PENDING_CLOSURE",
    }


def test_a_member_that_refuses_is_told_and_the_rest_go_on(members, front, settings) -> None:
    closed = {members["team-07"], members["team-03"]}

    def refusing(call: Call) -> Answer | None:
        if call.action == "AssumeRole" and call.fields["RoleArn"].split(":")[4] in closed:
            return refused(call, "AccessDenied", "not authorized to perform: sts:AssumeRole")
        return None

    front.rules.append(refusing)
    problems: list[Problem] = []
    found = organization.accounts(settings(organization=True, role_name="reader"), problems)
    assert {one.account_id for one in found} == (
        {aws_account.MANAGEMENT, *(members[name] for name in NAMES[:-1])} - closed
    )
    names = {members[name]: name for name in NAMES}
    assert problems == [
        Problem(
            f"{one} {names[one]} role reader",
            "AccessDenied: not authorized to perform: sts:AssumeRole",
            fatal=True,
        )
        for one in sorted(closed)
    ]


def test_who_may_not_list_the_members_is_told_what_to_do(members, front, settings) -> None:
    front.rules.append(
        lambda call: (
            refused(call, "AccessDeniedException", "no") if call.action == "ListAccounts" else None
        )
    )
    with pytest.raises(ProviderError, match="AccessDeniedException") as caught:
        organization.accounts(settings(organization=True), [])
    assert "organizations:ListAccounts" in caught.value.where
    assert "management account" in caught.value.hint
    _only_own(settings)
