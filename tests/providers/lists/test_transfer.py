"""What goes wrong between a list and us: nothing of it becomes a price."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from costopt.errors import ConfigError
from costopt.providers import answers
from costopt.providers.lists import transfer
from costopt.providers.lists.refresh import override
from tests.fakes.simple_lists import Answer, Call, Site, site, vultr_plan
from tests.providers.lists.asking import part, prices
from tests.providers.lists.conftest import TOKEN

PLANS = [vultr_plan(f"vc2-{n}c-{n}gb", n, n * 1024, n * 7.3) for n in range(1, 5)]


@pytest.fixture
def plans(here: Site) -> Site:
    here.vultr(PLANS)
    return here


def first(times: int, answer: Answer) -> Callable[[Call], Answer | None]:
    """A rule for the first calls only."""
    left = [answer] * times
    return lambda call: left.pop() if left else None


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
def test_throttling_and_failures_on_their_side_are_waited_for(plans: Site, status: int) -> None:
    plans.rules.append(first(3, Answer(status, headers={"Retry-After": "0"})))
    assert len(prices(part("vultr"))) == 8
    assert len(plans.calls) == 4


def test_patience_has_an_end(plans: Site) -> None:
    plans.rules.append(lambda call: Answer(503))
    found = part("vultr")
    assert found.failed == "127.0.0.1: the server answers 503".replace(": ", "/v2/plans: ")
    assert len(plans.calls) == answers.ATTEMPTS
    assert found.prices.num_rows == 0
    assert found.stamp is None


def test_an_hours_wait_is_told_instead(plans: Site) -> None:
    plans.rules.append(lambda call: Answer(429, headers={"Retry-After": "3600"}))
    assert "the server answers 429" in part("vultr").failed
    assert len(plans.calls) == 1


@pytest.mark.parametrize("status", [400, 401, 403, 404])
def test_what_does_not_help_is_not_tried_again(plans: Site, status: int) -> None:
    plans.rules.append(lambda call: Answer(status))
    assert f"the server answers {status}" in part("vultr").failed
    assert len(plans.calls) == 1


def test_a_redirect_to_another_host_is_not_followed(plans: Site) -> None:
    with site() as other:
        other.vultr(PLANS)
        target = f"{other.url}/v2/plans"
        plans.rules.append(lambda call: Answer(302, headers={"Location": target}))
        assert "it sends us to another address" in part("vultr").failed
        assert other.calls == []


def test_a_cut_answer_is_asked_for_again_and_is_no_price(plans: Site) -> None:
    plans.rules.append(lambda call: Answer(200, b'{"plans": [', cut=100))
    assert "no whole answer" in part("vultr").failed
    assert len(plans.calls) == answers.ATTEMPTS


def test_an_oversized_answer_is_no_price(plans: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transfer, "_LARGEST", 1000)
    assert "too large to be a list of prices" in part("vultr").failed


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"<html>", "not JSON"),
        (b'{"plans": NaN}', "not JSON"),
        (b"[" * 200_000, "not JSON"),
        (b"[]", "not a list of prices"),
        (b'{"prices": []}', "no 'plans'"),
        (b'{"plans": ["vc2-1c-1gb"]}', "no 'plans'"),
        (b'{"plans": []}', "the list holds no price of a machine, in USD"),
    ],
)
def test_another_layout_is_no_price(plans: Site, body: bytes, why: str) -> None:
    plans.rules.append(lambda call: Answer(200, body))
    found = part("vultr")
    assert why in found.failed
    assert (found.prices.num_rows, found.stamp) == (0, None)


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"monthly_cost": "seven", "hourly_cost": None}, "no price of an hour (4)"),
        ({"monthly_cost": True, "hourly_cost": None}, "no price of an hour (4)"),
        ({"monthly_cost": 0, "hourly_cost": 0}, "a price of zero (4)"),
        ({"monthly_cost": -7.3}, "a price below zero (4)"),
        ({"monthly_cost": 1e12, "hourly_cost": 1e12}, "no price of an hour (4)"),
        ({"id": "vc2\x1b[2J"}, "no type's name (4)"),
        ({"vcpu_count": "two"}, "no number of vCPUs (4)"),
        ({"ram": None}, "no memory (4)"),
    ],
)
def test_renamed_fields_are_counted_and_are_no_price(
    here: Site, changed: dict[str, object], why: str
) -> None:
    here.vultr([plan | changed for plan in PLANS])
    found = part("vultr")
    assert found.failed.endswith(f"in USD: {why}")
    assert found.stamp is None


def test_pages_that_repeat_or_never_end_are_no_price(
    here: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    again = {"plans": PLANS, "meta": {"links": {"next": "again"}}}
    here.says("/v2/plans", again)
    assert "a page comes a second time" in part("vultr").failed
    count = iter(range(1000))
    here.replies["/v2/plans"] = lambda call: again | {"total": next(count)}
    monkeypatch.setattr(transfer, "_MOST_PAGES", 5)
    assert "no end to it after 5 pages" in part("vultr").failed


def test_nobody_answering_is_told_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    with site() as gone:
        address = gone.url
    monkeypatch.setattr(answers, "_BACKOFF", 0.001)
    monkeypatch.setenv(override("vultr"), address)
    assert "ConnectError" in part("vultr").failed


def test_a_proxy_is_taken_from_the_environment(
    plans: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(override("vultr"), "http://prices.invalid")
    monkeypatch.setenv("HTTP_PROXY", plans.url)
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    assert len(prices(part("vultr"))) == 8
    assert {call.headers["host"] for call in plans.calls} == {"prices.invalid"}


@pytest.mark.parametrize("address", ["prices.example.com", "ftp://prices.example.com", "http://"])
def test_what_is_no_address_is_told(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    monkeypatch.setenv(override("vultr"), address)
    with pytest.raises(ConfigError, match="COSTOPT_VULTR_PRICE_LIST: not an address"):
        part("vultr")


# -- tokens --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "hint"),
    [
        ("hetzner", "set HCLOUD_TOKEN"),
        ("digitalocean", "set DIGITALOCEAN_TOKEN or DIGITALOCEAN_ACCESS_TOKEN"),
    ],
)
def test_without_a_token_nothing_is_asked(here: Site, key: str, hint: str) -> None:
    with pytest.raises(ConfigError, match="no token") as caught:
        part(key)
    assert hint in caught.value.hint
    assert here.calls == []


def test_a_wrong_token_is_told_and_not_repeated(
    here: Site, token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HCLOUD_TOKEN", "wrong-0123456789")
    found = part("hetzner")
    assert "401: no right token" in found.failed
    assert "wrong-0123456789" not in json.dumps(found.failed)


@pytest.mark.parametrize("bad", ["short", "with blank 0123456789", "line\nbreak-0123456789"])
def test_what_is_no_token_is_not_sent(
    here: Site, bad: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HCLOUD_TOKEN", bad)
    with pytest.raises(ConfigError, match="is no token") as caught:
        part("hetzner")
    assert bad not in str(caught.value)
    assert here.calls == []


def test_a_token_goes_over_https_or_loopback_only(
    here: Site, token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(override("hetzner"), "http://prices.example.com")
    with pytest.raises(ConfigError, match="a token is sent over https only"):
        part("hetzner")


def test_public_lists_get_no_token(plans: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HCLOUD_TOKEN", TOKEN)
    part("vultr")
    assert all("authorization" not in call.headers for call in plans.calls)
