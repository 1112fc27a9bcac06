"""Storage and traffic: the shipped table against its sources, tiers, overriding, and the gate."""

from __future__ import annotations

import gzip
import json
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from costopt import schema
from costopt.model import Rate, RateKind
from costopt.pricing import rates
from costopt.pricing.catalogue import Catalogue
from costopt.pricing.exchange_gate import is_currency
from costopt.pricing.rates import Rates
from costopt.units import provider_key

DATA = Path(__file__).parents[2].joinpath("../shared/data/prices")
INTERNET, REGION, ZONE = (
    RateKind.EGRESS_INTERNET, RateKind.EGRESS_REGION, RateKind.EGRESS_ZONE,
)  # fmt: skip
BLOCK = RateKind.BLOCK_STORAGE


def tiers(found: tuple[Rate, ...]) -> list[tuple[float, float]]:
    return [(float(one.from_gib), float(one.list_unit_price)) for one in found]


def own(*rows: dict[str, Any]) -> pa.Table:
    usual = {"ProviderName": "AWS", "x_RateKind": "egress-internet", "PricingCurrency": "USD"}
    return pa.Table.from_pylist(
        [{**usual, **row, "ListUnitPrice": Decimal(row["price"])} for row in rows],
        schema=schema.RATES,
    )


# -- the shipped table -----------------------------------------------------------------------


def test_every_row_has_a_source_and_mostly_a_day() -> None:
    rows = rates.builtin()
    assert len(rows) > 700
    assert all(one.source and is_currency(one.currency) for one in rows)
    assert all(one.list_unit_price >= 0 and one.from_gib >= 0 for one in rows)
    undated = [one for one in rows if one.valid_from is None]
    assert len(undated) < 5
    assert all("without a day" in (one.source or "") for one in undated)


def test_tiers_begin_at_nothing_ascend_and_never_rise_once_they_cost() -> None:
    """Google's list as one source carries it has a dearer second tier in Japan: left out."""
    groups: dict[tuple[str, str | None, RateKind], list[Rate]] = {}
    for one in rates.builtin():
        groups.setdefault((one.provider_name, one.region_id, one.kind), []).append(one)
    for group in groups.values():
        starts = [one.from_gib for one in group]
        paid = [one.list_unit_price for one in group if one.list_unit_price]
        assert starts == sorted(set(starts))
        assert starts[0] == 0
        assert paid == sorted(paid, reverse=True)
        assert len({one.currency for one in group}) == 1


def test_the_shipped_rows_pass_their_own_gate() -> None:
    rows = [
        {"ProviderName": one.provider_name, "RegionId": one.region_id, "x_RateKind": str(one.kind),
         "price": one.list_unit_price, "PricingCurrency": one.currency,
         "x_FromGiB": float(one.from_gib)}
        for one in rates.builtin()
    ]  # fmt: skip
    assert Rates(own(*rows)).refusals == ()


@pytest.mark.parametrize(
    ("provider", "kind", "region", "expected"),
    [  # read by hand: AWS's, Microsoft's and Google's pages, Hetzner's API, the others' pages
        ("aws", INTERNET, "eu-central-1",
         [(0, 0), (100, 0.09), (10240, 0.085), (51200, 0.07), (153600, 0.05)]),
        ("aws", INTERNET, "us-gov-west-1",
         [(0, 0.155), (10240, 0.115), (51200, 0.09), (153600, 0.065)]),
        ("aws", REGION, "ap-southeast-1", [(0, 0.09)]),
        ("aws", ZONE, "eu-west-1", [(0, 0.02)]),
        ("aws", BLOCK, "eu-central-1", [(0, 0.0952)]),
        ("aws", BLOCK, "us-west-1", [(0, 0.096)]),
        ("aws", BLOCK, "sa-east-1", [(0, 0.152)]),
        ("aws", BLOCK, "cn-north-1", []),
        ("azure", INTERNET, "West Europe",
         [(0, 0), (100, 0.087), (10335, 0.083), (51295, 0.07), (153695, 0.05)]),
        ("azure", INTERNET, "brazilsouth", [(0, 0), (100, 0.181)]),
        ("azure", ZONE, "eastus", [(0, 0)]),
        ("azure", BLOCK, "eastus", [(0, 0.0803)]),
        ("azure", BLOCK, "francecentral", [(0, 0.09271)]),
        ("azure", BLOCK, "ukwest", []),
        ("gcp", INTERNET, "europe-west3", [(0, 0), (1, 0.12), (1024, 0.11), (10240, 0.085)]),
        ("gcp", INTERNET, "asia-northeast1", []),
        ("gcp", BLOCK, "europe-west3", [(0, 0.12)]),
        ("gcp", ZONE, "us-east1", [(0, 0.01)]),
        ("hetzner", BLOCK, "fsn1", [(0, 0.0572)]),
        ("hetzner", INTERNET, "hel1", [(0, 0), (20480, 0.000976562)]),
        ("ovh", INTERNET, "GRA", [(0, 0)]),
        ("scaleway", BLOCK, "fr-par", [(0, 0.0949)]),
        ("exoscale", INTERNET, "ch-gva-2", [(0, 0), (1036.6, 0.02)]),
        ("lambda", INTERNET, "us-east-1", []),
    ],
)  # fmt: skip
def test_some_rows(
    provider: str, kind: RateKind, region: str, expected: list[tuple[float, float]]
) -> None:
    assert tiers(Rates().find(provider, kind, region)) == expected


def test_disks_of_every_region_of_aws_that_sells_machines() -> None:
    """Without it a machine with a disk could not go there."""
    shipped = Rates()
    closed = {"cn-north-1", "us-west-2-lax-1"}
    regions = set(Catalogue.load().regions("aws")) - closed
    assert {region for region in regions if not shipped.find("aws", BLOCK, region)} == set()


def test_aws_traffic_is_what_the_list_at_hand_says() -> None:
    path = DATA / "coroot_2024-08-09_db_cache_egress.json.gz"
    if not path.exists():
        pytest.skip("needs ../shared/data/prices")
    listed = json.loads(gzip.decompress(path.read_bytes()))["aws"]["internet_egress"]
    shipped = Rates()
    for region in shipped.regions("aws"):
        if region in listed:
            paid = [price for _, price in tiers(shipped.find("aws", INTERNET, region)) if price]
            told = sorted((int(start), price) for start, price in listed[region].items())
            assert paid == pytest.approx([price for _, price in told], abs=1e-6), region


@pytest.mark.parametrize(
    ("file", "provider", "of_list"),
    [("ovh", "ovh", 0.0964), ("upcloud", "upcloud", 0.085), ("exoscale", "exoscale", 0.1022),
     ("civo", "civo", 0.109), ("infomaniak", "infomaniak", 0.08)],
)  # fmt: skip
def test_storage_of_the_others_is_in_the_list_at_hand(
    file: str, provider: str, of_list: float
) -> None:
    path = DATA / "eu_cloud_prices" / "prices" / f"{file}.json"
    if not path.exists():
        pytest.skip("needs ../shared/data/prices")
    block = json.loads(path.read_text(encoding="utf-8"))["block_storage"]
    tiers_ = block.get("tiers", {}).values()
    listed = {block.get("price_per_gb_monthly")} | {
        tier["price_per_gb_monthly"] if isinstance(tier, dict) else tier for tier in tiers_
    }
    assert of_list in listed
    assert tiers(Rates().find(provider, BLOCK, "anywhere")) == [(0, of_list)]


def test_hetzner_volumes_are_net_of_the_vat_that_the_list_has() -> None:
    path = DATA / "eu_cloud_prices" / "prices" / "hetzner.json"
    if not path.exists():
        pytest.skip("needs ../shared/data/prices")
    gross = json.loads(path.read_text(encoding="utf-8"))["block_storage"]["price_per_gb_monthly"]
    ((_, net),) = tiers(Rates().find("hetzner", BLOCK))
    assert net * 1.19 == pytest.approx(gross, abs=5e-5)


# -- finding ---------------------------------------------------------------------------------


def test_nothing_is_borrowed_from_another_region() -> None:
    assert Rates().find("aws", BLOCK, "cn-north-1") == ()
    assert Rates().find("aws", INTERNET) == ()  # every region has its own


def test_the_users_rows_of_a_region_stand_in_place_of_all_its_tiers() -> None:
    mine = Rates(
        own(
            {"RegionId": "EU-West-1", "price": "0.05", "x_FromGiB": 1000.0},
            {"RegionId": "EU-West-1", "price": "0.06"},
        )
    )
    assert tiers(mine.find("Amazon Web Services", INTERNET, "eu-west-1")) == [
        (0, 0.06), (1000, 0.05),
    ]  # fmt: skip
    assert mine.find("aws", INTERNET, "eu-west-2") == Rates().find("aws", INTERNET, "eu-west-2")


def test_the_users_rows_of_every_region_stand_above_the_shipped_ones() -> None:
    mine = Rates(own({"price": "0.05"}, {"RegionId": "eu-west-1", "price": "0.06"}))
    assert tiers(mine.find("aws", INTERNET, "us-east-1")) == [(0, 0.05)]
    assert tiers(mine.find("aws", INTERNET, "eu-west-1")) == [(0, 0.06)]


def test_one_currency_at_a_time_dollars_first() -> None:
    rows = ({"price": "0.05", "PricingCurrency": "eur"}, {"price": "0.06"})
    for order in (rows, rows[::-1]):
        mine = Rates(own(*order))
        assert tiers(mine.find("aws", INTERNET, "x")) == [(0, 0.06)]
        assert tiers(mine.find("aws", INTERNET, "x", currency="EUR")) == [(0, 0.05)]
        assert mine.find("aws", INTERNET, "eu-west-1", currency="GBP") == ()


def test_a_catalogue_has_them() -> None:
    mine = Catalogue.load(extra_rates=own({"price": "0.05"}))
    assert tiers(mine.rates("AWS", INTERNET, "eu-west-1")) == [(0, 0.05)]
    assert tiers(Catalogue.load().rates("AWS", ZONE, "eu-west-1")) == [(0, 0.02)]
    assert mine.charged.providers() == Rates().providers()


def test_a_new_provider_of_the_user() -> None:
    mine = Rates(own({"ProviderName": "OnPrem", "price": "0", "x_ValidFrom": date(2026, 1, 1)}))
    assert tiers(mine.find("onprem", INTERNET, "cellar")) == [(0, 0)]
    assert provider_key("OnPrem") in mine.providers()


# -- the gate --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("row", "reason", "detail"),
    [
        ({"price": "-0.09"}, "negative", "not below zero"),
        ({"price": "90"}, "implausible", "581 times the dearest of AWS's"),  # a TB, not a GB
        ({"price": "0.0001"}, "implausible", "1/500 of the cheapest"),
        ({"price": "155"}, "implausible", "1,000 times the dearest"),
        ({"price": "17", "PricingCurrency": "USD"}, "implausible", "110 times"),  # yen
        ({"price": "0.09", "PricingCurrency": "$"}, "unknown-currency", "'$'"),
        ({"price": "0.09", "PricingCurrency": "XXQ"}, "unknown-currency", "'XXQ'"),
        ({"ProviderName": "Nobody", "price": "90"}, "implausible", "all providers'"),
    ],
)
def test_the_gate(row: dict[str, Any], reason: str, detail: str) -> None:
    mine = Rates(own(row))
    assert [refusal.reason for refusal in mine.refusals] == [reason]
    assert detail in mine.refusals[0].detail
    assert mine.find("aws", INTERNET, "eu-west-1") == Rates().find("aws", INTERNET, "eu-west-1")


def test_a_discount_and_another_currency_pass_the_gate() -> None:
    assert Rates(own({"price": "0.03"})).refusals == ()
    assert Rates(own({"price": "16.6", "PricingCurrency": "JPY"})).refusals == ()
    assert Rates(own({"price": "0.09", "PricingCurrency": "MAD"})).refusals == ()  # no rate


def test_an_unknown_kind_is_told() -> None:
    mine = Rates(
        own({"price": "1", "x_RateKind": "egress"}, {"price": "2", "x_RateKind": "egress"})
    )
    assert [(one.provider_name, one.kind, one.rows) for one in mine.unknown] == [
        ("AWS", "egress", 2)
    ]
    assert "block-storage" in mine.unknown[0].detail
