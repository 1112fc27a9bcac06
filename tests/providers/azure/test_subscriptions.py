"""Which subscriptions are looked into."""

from __future__ import annotations

import pytest

from costopt.errors import ProviderError
from costopt.providers.azure.subscriptions import CALL, subscriptions
from costopt.providers.base import Problem
from tests.fakes.azure_arm import Answer, forbidding, said
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
