"""The list of SKUs as it comes: which are decoded, each once, and what is no list."""

from __future__ import annotations

import pytest
from google.protobuf.json_format import ParseError

from costopt.providers.gcp.access import FAILURES
from costopt.providers.gcp.prices import skus
from costopt.providers.gcp.prices.descriptions import Part
from costopt.providers.gcp.prices.rates import read
from tests.fakes.gcp_catalogue import NAME, SERVICE, Catalogue
from tests.fakes.gcp_cloud import Cloud
from tests.fakes.gcp_rest import Answer
from tests.providers.gcp.conftest import Opened

BELGIUM, IOWA = "europe-west1", "us-central1"


@pytest.fixture
def catalogue(gcp: Cloud) -> Catalogue:
    made = gcp.catalogue
    for place, region in (("Belgium", BELGIUM), ("Iowa", IOWA)):
        made.add(f"N2 Instance Core running in {place}", "0.03", region)
        made.add(f"N1 Predefined Instance Ram running in {place}", "0.004", region)
        made.add(f"Nvidia Tesla T4 GPU running in {place}", "0.35", region)
    made.add("C4 Instance Local SSD running in Iowa", "0.1", IOWA)
    return made


def described(opened: Opened, regions: set[str] | None = None) -> list[str]:
    return [sku.description for sku in skus.listed(opened(), regions, lambda _: None)]


def test_what_is_of_no_machine_is_not_decoded(catalogue: Catalogue, opened: Opened) -> None:
    egress = catalogue.add("Network Internet Egress from Americas", "0.1", IOWA)
    egress["category"] |= {"resourceFamily": "Network", "resourceGroup": "PremiumInternetEgress"}
    found = described(opened)
    assert len(found) == 7
    assert "C4 Instance Local SSD running in Iowa" in found  # whose family is Storage
    assert egress["description"] not in found


def test_what_counts_in_its_own_regions_only_is_not_decoded_elsewhere(
    catalogue: Catalogue, opened: Opened
) -> None:
    assert [one for one in described(opened, {BELGIUM}) if "Iowa" in one] == [
        "Nvidia Tesla T4 GPU running in Iowa",
        "C4 Instance Local SSD running in Iowa",
    ]
    catalogue.skus[0]["serviceRegions"] = []  # then the taxonomy has them
    assert "N2 Instance Core running in Belgium" in described(opened, {BELGIUM})


def test_prices_of_a_region_are_the_same_whether_others_are_wanted_or_not(
    catalogue: Catalogue, opened: Opened
) -> None:
    every, some = read(opened()), read(opened(), regions={BELGIUM})
    assert (every.regions(), some.has_own_disks("c4")) == ([BELGIUM, IOWA], True)
    for kind, of in (("core", "n2"), ("ram", "n1"), ("gpu", "nvidia-tesla-t4"), ("ssd", "c4")):
        for usage in ("OnDemand", "Preemptible"):
            part = Part(kind, of)
            assert some.of(part, usage, BELGIUM) == every.of(part, usage, BELGIUM)


def test_each_comes_once_though_a_page_expired(
    gcp: Cloud, catalogue: Catalogue, opened: Opened
) -> None:
    catalogue.page = 3
    gcp.expire(NAME)
    found = described(opened)
    assert len(found) == len(set(found)) == 7
    assert gcp.rest.counted()[NAME] > 3


def test_only_what_is_read_is_asked_for(gcp: Cloud, catalogue: Catalogue, opened: Opened) -> None:
    described(opened)
    (call,) = gcp.rest.calls
    assert call.parts["service"] == SERVICE
    assert call.query["fields"].startswith("nextPageToken,skus(skuId,description,category,")
    assert (call.query["pageSize"], call.query["currencyCode"]) == ("5000", "USD")


@pytest.mark.parametrize(
    "body",
    [[], {"skus": {}}, {"skus": ["n2"]}, {"skus": [{"category": {"resourceFamily": "Compute"},
                                                    "pricingInfo": 3}]}],
)  # fmt: skip
def test_another_document_is_no_list(gcp: Cloud, opened: Opened, body: object) -> None:
    gcp.rest.rules.append(lambda call: Answer(200, body) if call.name == NAME else None)
    with pytest.raises(ParseError):
        described(opened)


def test_a_proxy_s_page_is_a_failure_among_others(gcp: Cloud, opened: Opened) -> None:
    gcp.rest.rules.append(lambda call: Answer(200, b"<html>") if call.name == NAME else None)
    with pytest.raises(FAILURES):
        described(opened)
