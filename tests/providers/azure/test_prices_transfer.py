"""What goes wrong between the Retail Prices API and us: nothing of it becomes a price."""

from __future__ import annotations

import email.utils
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import httpx
import pytest

from costopt.errors import ConfigError, ProviderError
from costopt.providers import answers
from costopt.providers.azure.prices import source
from costopt.providers.azure.prices.source import OVERRIDE, Item, RetailPrices
from tests.fakes.azure_arm import Answer, Call, Door, serve
from tests.fakes.azure_retail import PATH, PREVIEW, Retail, item, retail
from tests.fakes.loopback import Quiet, served

WANTED = "serviceName eq 'Virtual Machines' and armRegionName eq 'westeurope'"


@pytest.fixture
def prices(monkeypatch: pytest.MonkeyPatch) -> Iterator[Retail]:
    monkeypatch.setattr(answers, "_BACKOFF", 0.001)
    with retail() as running:
        monkeypatch.setenv(OVERRIDE, running.url)
        yield running


def read(region: str = "westeurope", currency: str = "USD", **more: Any) -> list[Item]:
    with RetailPrices(**more) as way:
        return [one for page in way.machines(region, currency) for one in page.items]


def sizes(*numbers: int) -> list[Item]:
    return [item(f"Standard_D{n}s_v5", 0.05 * n) for n in numbers]


def names(items: list[Item]) -> list[str]:
    return [one["armSkuName"] for one in items]


def after_page(answer: Callable[[Call], Answer | None], skip: str = "2") -> Callable[..., Any]:
    """A rule for the second page only."""
    return lambda call: answer(call) if call.query.get("$skip") == skip else None


def page(items: list[Any], link: object = None, **more: Any) -> Answer:
    document = {"BillingCurrency": "USD", "Items": items, "NextPageLink": link, **more}
    return Answer(200, json.dumps(document).encode())


# -- pages ----------------------------------------------------------------------------------------


def test_pages_are_followed_to_the_end(prices: Retail) -> None:
    prices.items, prices.page = sizes(*range(1, 8)), 3
    assert names(read()) == [f"Standard_D{n}s_v5" for n in range(1, 8)]
    assert len(prices.asked) == 3


def test_each_page_is_asked_for_with_all_parameters(prices: Retail) -> None:
    """The API's links forget the version and the currency."""
    plan = {"savingsPlan": [{"retailPrice": 0.1, "unitPrice": 0.1, "term": "1 Year"}]}
    prices.items = [one | plan for one in sizes(1, 2, 3)]
    prices.page, prices.rates = 1, {"EUR": 0.9}
    found = read(currency="EUR")
    assert {one["currencyCode"] for one in found} == {"EUR"}
    assert all(one["savingsPlan"][0]["retailPrice"] == Decimal("0.09") for one in found)
    for call in prices.asked:
        assert call.query["api-version"] == PREVIEW
        assert call.query["currencyCode"] == "EUR"
        assert call.query["$filter"] == WANTED
    assert [call.query.get("$skip") for call in prices.asked] == [None, "1", "2"]


def test_filters_know_upper_and_lower_case(prices: Retail) -> None:
    """2023-01-01-preview: 'virtual machines' finds nothing."""
    prices.items = [*sizes(1), item("Standard_D2s_v5", 0.1, serviceName="virtual machines")]
    assert names(read()) == ["Standard_D1s_v5"]


def test_count_is_not_heeded(prices: Retail) -> None:
    prices.door.rules.append(lambda call: page(sizes(1, 2, 3), Count=0))
    assert len(read()) == 3


def test_numbers_are_as_they_are_written(prices: Retail) -> None:
    prices.items = [item("Standard_D1s_v5", 0.1)]
    price = read()[0]["retailPrice"]
    assert isinstance(price, Decimal)
    assert str(price) == "0.1"


def test_a_page_is_given_before_the_next_is_asked_for(prices: Retail) -> None:
    """So that a list takes the memory of a page."""
    prices.items, prices.page = sizes(*range(1, 8)), 3
    with RetailPrices() as way:
        pages = way.machines("westeurope", "USD")
        next(pages)
        assert len(prices.asked) == 1


@pytest.mark.parametrize(
    ("link", "skip"),
    [
        (f"https://prices.azure.com:443{PATH}?$filter=a eq 'b' and c&$skip=1000", "1000"),
        (f"https://prices.azure.com{PATH}?$filter=a%20eq%20%27b%27&$skip=2000", "2000"),
        (f"{PATH}?$skip=3", "3"),
    ],
)
def test_links_as_the_api_writes_them(link: str, skip: str) -> None:
    with RetailPrices("https://prices.azure.com") as way:
        asked = way._next(link, {"currencyCode": "EUR", "$filter": "x"})
    assert asked == {"currencyCode": "EUR", "$filter": "x", "$skip": skip}


@pytest.mark.parametrize(
    "link",
    [
        "https://evil.example/api/retail/prices?$skip=1",
        "https://prices.azure.com.evil.example:443/api/retail/prices?$skip=1",
        "https://prices.azure.com@evil.example/api/retail/prices?$skip=1",
        "http://prices.azure.com/api/retail/prices?$skip=1",
        "https://prices.azure.com:8443/api/retail/prices?$skip=1",
        "https://prices.azure.com/other?$skip=1",
        "//evil.example/api/retail/prices?$skip=1",
        "file:///etc/passwd",
        7,
    ],
)
def test_a_link_that_leads_elsewhere_is_refused(link: object) -> None:
    with RetailPrices("https://prices.azure.com") as way, pytest.raises(ProviderError) as caught:
        way._next(link, {})
    assert "leads to another address" in caught.value.what


def test_a_link_elsewhere_in_the_middle_ends_the_list(prices: Retail) -> None:
    with retail() as other:
        prices.items, prices.page = sizes(1, 2, 3), 2
        prices.link = lambda _, call, skip: f"{other.url}{PATH}?$skip={skip}"
        with pytest.raises(ProviderError, match="leads to another address"):
            read()
        assert other.asked == []


def test_a_link_that_leads_back_is_an_error(prices: Retail) -> None:
    prices.items, prices.page = sizes(*range(1, 6)), 2
    prices.link = lambda running, call, skip: f"{running.url}{PATH}?$skip={2 if skip > 2 else skip}"
    with pytest.raises(ProviderError, match="leads back"):
        read()


def test_a_page_that_comes_twice_is_an_error(prices: Retail) -> None:
    prices.items, prices.page = sizes(1, 2, 3, 4), 2
    prices.door.rules.append(after_page(lambda call: page(sizes(1, 2))))
    with pytest.raises(ProviderError, match="comes a second time"):
        read()


def test_an_empty_page_in_the_middle_is_not_the_end(prices: Retail) -> None:
    prices.items, prices.page = sizes(1, 2, 3, 4), 2
    link = f"{prices.url}{PATH}?$skip=2&more=1"
    prices.door.rules.append(
        lambda call: page([], link) if call.query.get("$skip") == "2" and "more" not in call.query
        else None
    )  # fmt: skip
    assert len(read()) == 4


def test_pages_without_end_are_an_error(prices: Retail, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source, "_MOST_PAGES", 20)
    prices.door.rules.append(
        lambda call: page(
            sizes(int(call.query.get("$skip", 0)) + 1),
            f"{prices.url}{PATH}?$skip={int(call.query.get('$skip', 0)) + 1}",
        )
    )
    with pytest.raises(ProviderError, match="no end to it after 20 pages"):
        read()


def test_a_currency_that_is_not_had_is_told(prices: Retail) -> None:
    prices.items = sizes(1)
    with pytest.raises(ProviderError, match="prices in XXX were asked for, these are in USD"):
        read(currency="XXX")


# -- regions --------------------------------------------------------------------------------------


def test_regions_are_where_common_sizes_are_sold(prices: Retail) -> None:
    prices.items = [
        item("Standard_B2s", 0.1, "westeurope"),
        item("Standard_B2s", 0.1, "usgovvirginia"),  # the government's stand in the same list
        item("Standard_D2s_v5", 0.1, "newzealandnorth"),
        item("Standard_B2s", 0.1, "Global"),
        item("Standard_B2s", 0.1, ""),
        item("Standard_M1", 0.1, "nowhere"),
    ]
    with RetailPrices() as way:
        assert way.regions() == ["newzealandnorth", "usgovvirginia", "westeurope"]


@pytest.mark.parametrize("region", ["West Europe", "a' or 'b' eq 'b", "", "x" * 60, "westeurope'"])
def test_what_is_no_region_stands_in_no_filter(prices: Retail, region: str) -> None:
    with pytest.raises(ProviderError, match="not a region's name"):
        read(region)
    assert prices.asked == []


# -- refusals -------------------------------------------------------------------------------------


def failing(times: int, status: int, **headers: str) -> Callable[[Call], Answer | None]:
    left = [None] * times

    def rule(_: Call) -> Answer | None:
        if not left:
            return None
        left.pop()
        return Answer(status, b"", {name.replace("_", "-"): text for name, text in headers.items()})

    return rule


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
def test_what_may_pass_is_tried_again(prices: Retail, status: int) -> None:
    prices.items = sizes(1)
    prices.door.rules.append(failing(2, status, Retry_After="0"))
    assert len(read()) == 1
    assert len(prices.asked) == 3


def test_attempts_are_bounded(prices: Retail) -> None:
    prices.door.rules.append(failing(100, 503))
    with pytest.raises(ProviderError, match="the server answers 503"):
        read(attempts=4)
    assert len(prices.asked) == 4


@pytest.mark.parametrize("status", [304, 400, 401, 403, 404])
def test_what_will_not_pass_is_told_at_once(prices: Retail, status: int) -> None:
    prices.door.rules.append(failing(100, status))
    with pytest.raises(ProviderError, match=f"the server answers {status}"):
        read()
    assert len(prices.asked) == 1


def test_nobody_is_followed_elsewhere(prices: Retail) -> None:
    with retail() as other:
        prices.door.rules.append(failing(1, 302, Location=f"{other.url}{PATH}"))
        with pytest.raises(ProviderError, match="sends us to another address"):
            read()
        assert other.asked == []


def test_more_patience_than_there_is_is_told_instead(prices: Retail) -> None:
    prices.door.rules.append(failing(100, 429, Retry_After="3600"))
    with pytest.raises(ProviderError, match="the server answers 429"):
        read()
    assert len(prices.asked) == 1


def test_how_long_it_asks_to_be_left_alone() -> None:
    def asked(told: str) -> float:
        return answers._patience(httpx.Response(429, headers={"Retry-After": told}), 7.0)

    assert asked("12") == 12
    soon = email.utils.format_datetime(datetime.now(UTC) + timedelta(seconds=90), usegmt=True)
    assert 60 < asked(soon) <= 90
    assert asked("Wed, 21 Oct 2015 07:28:00 GMT") == 0
    assert asked("Wed, 21 Oct 2015 07:28:00 -0000") == 0
    assert asked("later") == asked("") == asked("-1") == asked("9" * 30) == 7


def test_without_a_server_few_attempts_are_made(monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[float] = []
    monkeypatch.setattr(answers.time, "sleep", pauses.append)
    with pytest.raises(ProviderError, match="no whole answer: ConnectError"):
        read(address="http://127.0.0.1:9", attempts=50)
    assert pauses == [0.5, 1.0]


def test_half_an_answer_is_asked_for_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answers, "_BACKOFF", 0.001)
    whole = page(sizes(1)).body
    cut = [None, None]

    class Handler(Quiet):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", str(len(whole)))
            self.end_headers()
            self.wfile.write(whole[:50] if cut else whole)
            self.close_connection = True
            cut[:1] = []

    with served(Handler) as address:
        assert len(read(address=address)) == 1
        cut[:] = [None] * 9
        with pytest.raises(ProviderError, match="no whole answer: RemoteProtocolError"):
            read(address=address, attempts=2)


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"<html>",
        b"[]",
        b"{}",
        b'{"Items": {}}',
        b'{"Items": [1]}',
        b'{"BillingCurrency": "USD", "Items": [{"retailPrice": NaN}]}',
        b'{"BillingCurrency": "USD", "Items": [{"retailPrice": 1e99999999999999999999}]}',
        b'{"Items": ' + b"[" * 100_000,
        b'{"BillingCurrency": "USD", "Items": [], "NextPageLink": "https://a b:c"}',
        b"\xff\xfe\x00",
    ],
)
def test_what_is_no_list_is_told(prices: Retail, text: bytes) -> None:
    prices.door.rules.append(lambda call: Answer(200, text))
    with pytest.raises(ProviderError) as caught:
        read()
    assert caught.value.where == f"127.0.0.1{PATH}"
    assert "?" not in str(caught.value)


def test_a_page_too_large_is_refused(prices: Retail, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source, "_LARGEST_PAGE", 10_000)
    prices.items = sizes(*range(1, 100))
    with pytest.raises(ProviderError, match="too large"):
        read()


def test_a_proxy_is_used_where_the_environment_names_one(
    prices: Retail, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", prices.url)
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    prices.items = sizes(1)
    assert len(read(address="http://prices.example")) == 1


@pytest.mark.parametrize(
    "address", ["ftp://example.com", "example.com", "http://", "http://[::", "/"]
)
def test_an_address_that_is_none_is_an_error_of_settings(address: str) -> None:
    with pytest.raises(ConfigError, match=OVERRIDE):
        RetailPrices(address)


def test_a_gateway_may_stand_below_a_path() -> None:
    asked: list[str] = []

    def gateway(call: Call) -> Answer:
        asked.append(call.path)
        return page(sizes(1))

    with serve(Door(services=[gateway])) as door:
        assert len(read(address=f"{door.url}/azure/")) == 1
    assert asked == [f"/azure{PATH}"]


def test_no_credentials_are_shown(prices: Retail) -> None:
    prices.items = sizes(1)
    read()
    assert "authorization" not in prices.asked[0].headers
