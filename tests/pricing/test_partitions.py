"""Which regions are open to everybody: by the providers' own names of them."""

from __future__ import annotations

import pytest

from costopt.pricing.catalogue import Catalogue
from costopt.pricing.partitions import may_go, partition

OPEN = [
    ("aws", "us-east-1"), ("aws", "ap-southeast-7"), ("aws", "il-central-1"), ("aws", "us-isle-1"),
    ("azure", "East US"), ("azure", "australiacentral"), ("azure", "germanywestcentral"),
    ("gcp", "me-central1"), ("gcp", "us-central1"), ("hetzner", "fsn1"),
    ("ovh", "cn-1"),
]  # fmt: skip
CLOSED = {
    ("AWS", "us-gov-west-1"): "AWS GovCloud (US)",
    ("Amazon Web Services", "cn-north-1"): "AWS China",
    ("aws", "us-isob-east-1"): "AWS for intelligence services",
    ("aws", "eu-isoe-west-1"): "AWS for intelligence services",
    ("aws", "eusc-de-east-1"): "AWS European Sovereign Cloud",
    ("aws", "us-west-2-lax-1"): "aws us-west-2-lax-1",
    ("aws", "us-east-1-wl1-bos-wlz-1"): "aws us-east-1-wl1-bos-wlz-1",
    ("Microsoft", "US Gov Virginia"): "Azure Government",
    ("azure", "usdodcentral"): "Azure Government",
    ("azure", "chinanorth3"): "Azure China",
    ("azure", "germanynorth"): "azure germanynorth",
    ("gcp", "me-central2"): "gcp me-central2",
}


@pytest.mark.parametrize(("provider", "region"), OPEN)
def test_open_to_everybody(provider: str, region: str) -> None:
    assert partition(provider, region) == ""


@pytest.mark.parametrize(("place", "name"), CLOSED.items())
def test_closed(place: tuple[str, str], name: str) -> None:
    assert partition(*place) == name
    assert not may_go(("aws", "us-east-1"), place)
    assert may_go(place, place)


def test_borders_hold_both_ways_and_a_zones_door_one_way() -> None:
    gov, east = ("aws", "us-gov-west-1"), ("aws", "us-gov-east-1")
    assert may_go(gov, east)
    assert not may_go(gov, ("aws", "us-west-2"))
    assert not may_go(gov, ("azure", "usgovvirginia"))  # another account, another contract
    assert may_go(("aws", "us-west-2-lax-1"), ("aws", "us-west-2"))
    assert not may_go(("aws", "us-west-2-lax-1"), ("aws", "us-west-2-phx-2"))


def test_what_is_closed_of_all_that_have_prices() -> None:
    """A region that is closed by mistake would be lost to everybody."""
    catalogue = Catalogue.load()
    closed = {
        region
        for provider in catalogue.providers()
        for region in catalogue.regions(provider)
        if partition(provider, region)
    }
    assert closed == {
        "cn-north-1", "us-gov-east-1", "us-gov-west-1", "us-west-2-lax-1",
        "usgovarizona", "usgovtexas", "usgovvirginia",
        "australiacentral2", "brazilsoutheast", "francesouth", "germanynorth", "jioindiacentral",
        "jioindiawest", "koreasouth", "norwaywest", "southafricawest", "swedensouth",
        "switzerlandwest", "uaecentral", "me-central2",
    }  # fmt: skip
