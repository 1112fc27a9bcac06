"""Which subscriptions are looked into."""

from __future__ import annotations

import pytest

from costopt.errors import ProviderError
from costopt.providers.azure.subscriptions import CALL, subscriptions, unseen
from costopt.providers.base import Problem
from tests.fakes.azure_arm import Answer, forbidding, refusal, said
from tests.fakes.azure_cloud import guid


def test_all_visible_ones_in_use_on_however_many_pages(azure, access) -> None:
    shop = azure.subscription("shop")
    azure.subscription("closed", "Disabled")
    late = azure.subscription("late", "PastDue")
    azure.subscription("warned", "Warned")
    web = azure.subscription("web")
    problems: list[Problem] = []
    found = subscriptions(access(), problems)
    assert [(one.subscription_id, one.name) for one in found] == [
        (shop, "shop"),
        (late, "late"),
        (web, "web"),
    ]
    assert problems == []
    assert azure.door.counted() == {CALL: 3}  # five, two a page


def test_those_named_whatever_their_state_and_once(azure, access) -> None:
    shop = azure.subscription("shop")
    closed = azure.subscription("closed", "Disabled")
    found = subscriptions(access(subscription=(closed, shop, closed.upper())), [])
    assert [one.name for one in found] == ["shop", "closed"]
    assert azure.door.counted() == {CALL: 2}


def test_one_that_refuses_is_told_and_the_rest_go_on(azure, access) -> None:
    shut, shop = azure.subscription("shut"), azure.subscription("shop")
    azure.door.rules.append(forbidding(shut))
    problems: list[Problem] = []
    found = subscriptions(access(subscription=(shop, shut, guid(9))), problems)
    assert [one.subscription_id for one in found] == [shop]
    assert [(one.where, one.what.partition(":")[0], one.fatal) for one in problems] == [
        (f"{shut} {CALL}", "AuthorizationFailed", True),
        (f"{guid(9)} {CALL}", "SubscriptionNotFound", True),
    ]


def test_none_is_an_error_with_what_to_do(azure, access) -> None:
    with pytest.raises(ProviderError, match="none at all") as empty:
        subscriptions(access(), [])
    assert "az login" in empty.value.hint
    azure.subscription("closed", "Disabled")
    with pytest.raises(ProviderError, match="only such as are Disabled"):
        subscriptions(access(), [])
    with pytest.raises(ProviderError, match="no subscription lets us in: SubscriptionNotFound"):
        subscriptions(access(subscription=(guid(9),)), [])
    azure.door.rules.append(forbidding())
    with pytest.raises(ProviderError, match="cannot be listed: AuthorizationFailed"):
        subscriptions(access(), [])


@pytest.mark.parametrize(
    "answer", [Answer(200, b"<html/>", {"Content-Type": "text/html"}), said({"value": [{}]})]
)
def test_a_list_that_is_none_is_an_error(azure, access, answer: Answer) -> None:
    azure.door.rules.append(lambda call: answer)
    with pytest.raises(ProviderError, match="cannot be listed: Unreadable"):
        subscriptions(access(), [])


def test_of_those_that_are_known_and_not_listed_each_is_asked_for(azure, access) -> None:
    shop, old = azure.subscription("shop"), azure.subscription("old", "Disabled")
    shut, foreign, busy = (azure.subscription(one) for one in ("shut", "foreign", "busy"))
    for name in (shut, foreign, busy):  # they are not listed
        azure.hidden.add(name)
    refusals = {shut: (403, "AuthorizationFailed"), busy: (500, "InternalServerError"),
                foreign: (401, "InvalidAuthenticationTokenTenant")}  # fmt: skip
    azure.door.rules.append(
        lambda call: (
            refusal(*refusals[call.subscription], "No.") if call.subscription in refusals else None
        )
    )
    problems: list[Problem] = []
    let_in = subscriptions(access(), problems)
    assert [one.subscription_id for one in let_in] == [shop]
    known = {shop, old, shut, foreign, busy, guid(9)}
    assert unseen(access(), known, let_in, problems) == {old, shut, guid(9)}
    assert {(one.where.split()[0], one.what.split(":")[0], one.fatal) for one in problems} == {
        (old, "is Disabled", False),
        (shut, "no longer visible", True),
        (busy, "no longer visible", True),
        (guid(9), "no longer visible", True),
    }


def test_of_those_that_are_named_only_these_are_asked_for_and_told_once(azure, access) -> None:
    shop, other = azure.subscription("shop"), azure.subscription("other")
    way = access(subscription=(shop, guid(9)))
    problems: list[Problem] = []
    let_in = subscriptions(way, problems)
    assert unseen(way, {shop, other, guid(8), guid(9)}, let_in, problems) == {guid(9)}
    assert [(one.where, one.fatal) for one in problems] == [(f"{guid(9)} {CALL}", True)]
