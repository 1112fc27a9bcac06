"""Amounts, units, tiers, times and regions of SKUs; and which of two prices counts."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from google.cloud.billing_v1 import Sku
from google.protobuf import json_format
from hypothesis import given
from hypothesis import strategies as st

from costopt.providers.gcp.prices import parse
from costopt.providers.gcp.prices.descriptions import Part
from costopt.providers.gcp.prices.rates import Rates
from tests.fakes import gcp_catalogue as fake

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
CORE, RAM = "N2 Instance Core running in Belgium", "N2 Instance Ram running in Belgium"
BELGIUM = "europe-west1"


def message(document: fake.Sku) -> Any:
    return json_format.ParseDict(document, Sku.pb()(), ignore_unknown_fields=True)


def offer(description: str, price: str, *regions: str, **more: Any) -> Any:
    document = fake.sku("AAAA", description, price, *(regions or (BELGIUM,)), **more)
    return parse.offer(message(document), NOW)


def hourly(description: str, price: str, **more: Any) -> Decimal:
    found = offer(description, price, **more)
    assert isinstance(found, parse.Offer)
    return found.hourly


def test_a_price_is_units_and_billionths() -> None:
    found = offer("Nvidia H100 80GB GPU running in Belgium", "11.060000001")
    assert found == parse.Offer(
        Part("gpu", "nvidia-h100-80gb"),
        "OnDemand",
        Decimal("11.060000001"),
        date(2026, 8, 3),
        (BELGIUM,),
    )


@given(st.integers(0, 10**6), st.integers(0, 10**9 - 1))
def test_amounts_are_exact(units: int, nanos: int) -> None:
    price = Decimal(units) + Decimal(nanos).scaleb(-9)
    found = offer(CORE, str(price))
    assert found == "of a price of zero" if not price else found.hourly == price


@pytest.mark.parametrize(
    ("description", "unit", "expected"),
    [
        (CORE, "h", "0.36"),
        (CORE, "min", "21.6"),  # 60 of them
        (CORE, "s", "1296"),  # 3,600
        (CORE, "d", "0.015"),
        (CORE, "mo", "0.36"),  # of 730 hours
        (RAM, "GiBy.h", "0.36"),
        (RAM, "MiBy.h", "368.64"),  # 1,024 of them
        (RAM, "GBy.h", "0.38654705664"),  # 1.073741824: C4D is billed by decimal gigabytes
    ],
)
def test_units(description: str, unit: str, expected: str) -> None:
    found = hourly(description, "0.36", unit=unit)
    assert float(found) == pytest.approx(float(expected) / (730 if unit == "mo" else 1), rel=1e-15)


def test_disks_are_by_the_month() -> None:
    found = hourly("SSD backed Local Storage", "0.08", unit="GiBy.mo")
    assert found == pytest.approx(Decimal("0.08") / 730)


@pytest.mark.parametrize(
    ("description", "unit"),
    [
        (CORE, "GiBy.h"),
        (RAM, "h"),
        (CORE, "count"),
        (RAM, "Parsec.h"),
        (CORE, "fortnight"),
        (RAM, ""),
    ],
)
def test_other_units_are_not_understood(description: str, unit: str) -> None:
    document = fake.sku("AAAA", description, "1", BELGIUM)
    document["pricingInfo"][0]["pricingExpression"]["usageUnit"] = unit
    assert parse.offer(message(document), NOW) == parse.STRANGE


def priced(*prices: dict[str, Any]) -> Any:
    return parse.offer(message(fake.sku("AAAA", CORE, "1", BELGIUM, pricingInfo=list(prices))), NOW)


def test_what_is_free_at_first_is_no_price_of_a_machine() -> None:
    found = priced(fake.pricing((0, "0"), (744, "0.03"), (7440, "0.02"), unit="h"))
    assert found.hourly == Decimal("0.03")
    # and the order of tiers does not matter
    found = priced(fake.pricing((7440, "0.02"), (744, "0.03"), (0, "0"), unit="h"))
    assert found.hourly == Decimal("0.03")


def test_the_newest_price_in_force_counts() -> None:
    old, new = "2025-01-01T00:00:00Z", "2026-11-20T11:00:00.5Z"
    later = "2027-01-01T00:00:00Z"
    entries = [
        fake.pricing((0, price), unit="h", since=since)
        for price, since in (("0.03", new), ("0.02", later), ("0.04", old))
    ]
    found = priced(*entries)
    assert (found.hourly, found.since) == (Decimal("0.03"), date(2026, 11, 20))
    assert priced(entries[1]) == "not in force yet"
    assert priced() == "not in force yet"


def test_a_price_of_no_day_holds() -> None:
    entry = fake.pricing((0, "0.03"), unit="h")
    del entry["effectiveTime"]
    found = priced(entry)
    assert (found.hourly, found.since) == (Decimal("0.03"), None)


def test_nothing_and_less_are_no_prices() -> None:
    assert offer("Commitment v1: T2A Arm Cpu in Iowa for 1 Year", "0") == "of a price of zero"
    assert offer(CORE, "-0.1") == "of a price of zero"
    assert priced(fake.pricing(unit="h")) == "of a price of zero"


def test_another_currency_is_not_converted() -> None:
    assert offer(CORE, "0.03", currency="EUR") == "not in USD"


def test_regions_are_those_told() -> None:
    assert offer(CORE, "0.03", "us-central1", "us-east1").regions == ("us-central1", "us-east1")
    place = {"type": "REGIONAL", "regions": ["asia-south2"]}
    assert offer(CORE, "0.03", serviceRegions=[], geoTaxonomy=place).regions == ("asia-south2",)
    assert offer(CORE, "0.03", "global") == "of no region"


@pytest.mark.parametrize(
    ("description", "category", "usage"),
    [
        (CORE, "OnDemand", "OnDemand"),
        (CORE, "Preemptible", "Preemptible"),
        # B200's spot price is of the category OnDemand
        (
            "Spot Preemptible A4 Nvidia B200 (1 gpu slice) running in Iowa",
            "OnDemand",
            "Preemptible",
        ),
        ("Commitment v1: N2 Cpu in Iowa for 1 Year", "Commit1Yr", "Commit1Yr"),
    ],
)
def test_description_and_category_say_how_it_is_bought(
    description: str, category: str, usage: str
) -> None:
    assert offer(description, "1", usage=category).usage == usage


@pytest.mark.parametrize(
    ("description", "category"),
    [
        (CORE, "Commit1Yr"),
        (CORE, "CmtCudPremium"),
        ("Commitment v1: N2 Cpu in Iowa for 1 Year", "Commit3Yr"),
        ("Commitment v1: N2 Cpu in Iowa for 1 Year", "OnDemand"),
        ("Spot Preemptible N2 Instance Core running in Iowa", "Commit1Yr"),
    ],
)
def test_where_they_contradict_each_other_nothing_is_taken(description: str, category: str) -> None:
    assert offer(description, "1", usage=category) == parse.STRANGE


# -- of several prices ---------------------------------------------------------------------------


def rates(*offers: parse.Offer) -> Rates:
    made = Rates()
    for one in offers:
        made.add(one)
    return made


def virginia(price: str, *regions: str) -> parse.Offer:
    return parse.Offer(Part("core", "m1"), "OnDemand", Decimal(price), None, regions)


def test_a_region_s_own_price_stands_above_a_continent_s() -> None:
    own, continent = virginia("0.09", "us-east5"), virginia("0.11", "us-east5", "us-west2")
    for order in ((own, continent), (continent, own)):
        made = rates(*order)
        found = made.of(own.part, "OnDemand", "us-east5")
        assert found
        assert found.hourly == Decimal("0.09")
        elsewhere = made.of(own.part, "OnDemand", "us-west2")
        assert elsewhere
        assert elsewhere.hourly == Decimal("0.11")
        assert made.left_out == {}


def test_of_two_prices_of_one_region_the_higher_one_counts_and_it_is_told() -> None:
    """us-east4 is called Virginia and Northern Virginia; the higher price is billed."""
    high, low = virginia("0.0392322", "us-east4"), virginia("0.0392", "us-east4")
    for order in ((high, low), (low, high)):
        made = rates(*order)
        found = made.of(high.part, "OnDemand", "us-east4")
        assert found
        assert found.hourly == Decimal("0.0392322")
        assert made.left_out == {"us-east4": {"of a part that has a higher price, too": 1}}
    assert rates(high, high).left_out == {}


def test_examples_of_what_is_not_understood_are_told_once_for_all_places() -> None:
    made = Rates()
    for place in ("Belgium", "Iowa"):
        made.leave_out(
            message(fake.sku("AAAA", f"New Thing running in {place}", "1", place)), parse.STRANGE
        )
    (problem,) = made.problems()
    assert problem.what == "SKUs that are not understood, and left out: New Thing"
    assert (problem.count, problem.fatal) == (1, False)
    assert Rates().problems() == []
