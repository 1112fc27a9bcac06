"""What goes wrong between the public price list and us: nothing of it becomes a price."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator

import pytest

from costopt import schema
from costopt.errors import ConfigError, ProviderError
from costopt.providers.aws.prices import offer_csv
from costopt.providers.aws.prices.refresh import lists
from costopt.providers.aws.prices.source import OVERRIDE, PriceList
from costopt.providers.held import Held
from costopt.providers.listed import ALL, Memory, Part
from tests.fakes.price_list import PriceListServer, Served, on_demand

INDEX = "/offers/v1.0/aws/AmazonEC2/current/region_index.json"


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[PriceListServer]:
    with PriceListServer() as running:
        monkeypatch.setenv(OVERRIDE, running.url)
        yield running


def silent(_: object, __: int = 0) -> None:
    pass


def update(*regions: str) -> list[Part]:
    held = Held("AWS", schema.empty(schema.PRICES), schema.empty(schema.SHAPES))
    return list(lists(regions or ("eu-west-1",), ["AmazonEC2"], held, Memory(), silent))


def _fails(server: PriceListServer) -> str:
    """What is told of eu-west-1, while another region is read."""
    server.offer([on_demand("m5.large", "0.1", region="us-east-1")], "us-east-1")
    failed, fine = update("eu-west-1", "us-east-1")
    assert len(fine.prices) == 1
    assert not len(failed.prices)
    assert failed.stamp is None
    return failed.failed


MANY = [on_demand(f"m5.{n}xlarge", f"0.{n}") for n in range(100, 400)]


@pytest.mark.parametrize("share", [0.001, 0.3, 0.999])
def test_a_file_cut_short_gives_nothing(server: PriceListServer, share: float) -> None:
    file = server.offer(MANY)
    file.cut_at = int(len(file.data) * share)
    assert "peer closed connection" in _fails(server)


def test_a_file_of_half_a_row_gives_nothing(server: PriceListServer) -> None:
    file = server.offer(MANY)
    file.data = file.data[:-200]
    assert "not whole or not as expected" in _fails(server)


def test_a_file_of_untold_length_is_refused(server: PriceListServer) -> None:
    file = server.offer(MANY)
    file.length_told = False
    assert "its length is not told" in _fails(server)


@pytest.mark.parametrize("status", [304, 403, 404, 500, 503])
def test_errors_of_the_server_are_told(server: PriceListServer, status: int) -> None:
    file = server.offer(MANY)
    file.status = status
    assert f"answers {status}" in _fails(server)


def test_nobody_is_followed_elsewhere_nor_is_it_logged(
    server: PriceListServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with PriceListServer() as other:
        file = server.offer(MANY)
        file.status, file.location = 302, f"{other.url}/elsewhere.csv?X-Amz-Signature=PLANTED"
        assert "sends us to another address" in _fails(server)
        assert other.seen == []
    assert "PLANTED" not in caplog.text


@pytest.mark.parametrize(
    "path",
    [
        "http://127.0.0.1:1/index.json",
        "//127.0.0.1:1/index.json",
        "/offers/../../secret/index.json",
        "/offers/x/index.json?token=1",
        "offers/index.json",
        "/a b/index.json",
        7,
    ],
)
def test_an_index_may_name_only_plain_paths(server: PriceListServer, path: object) -> None:
    index = {"regions": {"eu-west-1": {"regionCode": "eu-west-1", "currentVersionUrl": path}}}
    server.files[INDEX] = Served(json.dumps(index).encode())
    (part,) = update()
    assert "the index names an address of another form" in part.failed


@pytest.mark.parametrize("text", ["", "{}", "[1]", '{"regions": [1]}', '{"regions": {"a": {}}}'])
def test_what_is_no_index_is_told(server: PriceListServer, text: str) -> None:
    server.files[INDEX] = Served(text.encode())
    (part,) = update()
    assert "not an index of regions" in part.failed


@pytest.mark.parametrize("text", [b"", b"<html>\n" * 9, b"PK\x03\x04" + bytes(range(256)) * 9])
def test_what_is_no_offer_file_is_told(server: PriceListServer, text: bytes) -> None:
    file = server.offer(MANY)
    file.data = text
    assert "not an offer file" in _fails(server)


def test_a_layout_of_other_columns_is_told(server: PriceListServer) -> None:
    file = server.offer(MANY)
    file.data = file.data.replace(b'"CapacityStatus"', b'"Status of capacity"')
    assert "CapacityStatus" in _fails(server)


def test_text_in_another_encoding_is_told(server: PriceListServer) -> None:
    file = server.offer(MANY)
    file.data = file.data.replace(b"m5.200xlarge", b"m5.\xff\xfexlarge")
    assert "not whole or not as expected" in _fails(server)


def test_a_list_without_any_machine_is_told(server: PriceListServer) -> None:
    server.offer([on_demand("m5.large", "0.1", Tenancy="Dedicated")])
    assert "no price of an ordinary machine" in _fails(server)


def test_a_region_that_is_not_in_the_list_is_told_with_its_likes(server: PriceListServer) -> None:
    server.offer(MANY)
    (part,) = update("eu-west-l")
    assert part.failed == "no such region in the list; did you mean eu-west-1?"


def test_all_regions_are_those_of_the_index(server: PriceListServer) -> None:
    for region in ("us-east-1", "eu-west-1"):
        server.offer([on_demand("m5.large", "0.1", region=region)], region)
    assert [part.region for part in update(ALL)] == ["eu-west-1", "us-east-1"]


def test_a_proxy_is_used_where_the_environment_names_one(
    server: PriceListServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", server.url)
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    with PriceList("aws", "http://prices.example") as source, pytest.raises(ProviderError):
        source.regions("AmazonEC2")
    assert server.seen == [f"GET http://prices.example{INDEX}"]


def test_without_a_server_every_region_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(OVERRIDE, "http://127.0.0.1:9")
    parts = update("eu-west-1", "us-east-1")
    assert ["no whole answer" in part.failed for part in parts] == [True, True]


@pytest.mark.parametrize(
    "address", ["ftp://example.com", "example.com", "http://", "http://[::", "/"]
)
def test_an_address_that_is_none_is_an_error_of_settings(address: str) -> None:
    with pytest.raises(ConfigError, match=OVERRIDE):
        PriceList("aws", address)


# -- in bounded memory -----------------------------------------------------------------------


def test_a_file_is_read_block_by_block(
    server: PriceListServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first rows are there before the server's last byte was taken."""
    monkeypatch.setattr(offer_csv, "_BLOCK", 1 << 16)
    file = server.offer([on_demand("m5.large", "0.1")] * 20_000)
    size = len(file.data)
    assert size > 10 << 20
    with PriceList("aws") as source:
        path = source.regions("AmazonEC2")["eu-west-1"]
        with source.open(path) as offer:
            assert offer is not None
            rows = offer_csv.rows(offer, (), {"Tenancy": ("Shared",)}, silent)
            assert next(rows) == {"Tenancy": "Shared"}
            assert offer.transfer.read_bytes < size // 2


def test_provider_errors_name_no_query(server: PriceListServer) -> None:
    with PriceList("aws") as source, pytest.raises(ProviderError) as caught:  # noqa: SIM117
        with source.open("/offers/none/index.csv"):
            pass
    assert "?" not in str(caught.value)
