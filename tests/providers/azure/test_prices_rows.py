"""Which items of the Retail Prices API are prices of a machine: one test for each oddity.

Without another source named, it is "Azure Retail Prices overview", learn.microsoft.com/rest/api/
cost-management/retail-prices/azure-retail-prices.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from costopt.providers.azure.prices import rows
from costopt.providers.azure.prices.rows import Listed
from tests.fakes.azure_retail import Item, around, item, reserved, spot, windows

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
D4S = "Standard_D4s_v5"
Found = dict[tuple[str, str | None, str | None], Decimal]


def exact(value: object) -> Any:
    """As the source hands numbers over."""
    if isinstance(value, dict):
        return {name: exact(part) for name, part in value.items()}
    if isinstance(value, list):
        return [exact(part) for part in value]
    return Decimal(repr(value)) if isinstance(value, float) else value


def read(*items: Item, currency: str = "USD", moment: datetime = NOON) -> Listed:
    return rows.read(exact(list(items)), "westeurope", currency, moment)


def prices(*items: Item, **more: Any) -> Found:
    """By category, system and term; every one of them of the one size."""
    listed = read(*items, **more).prices
    found = {(p.pricing_category, p.operating_system, p.term): p.list_unit_price for p in listed}
    assert len(found) == len(listed)
    return found


ON_DEMAND: Found = {("Standard", "Linux", None): Decimal("0.23")}
PLAIN = item(D4S, 0.23)


def test_an_on_demand_price() -> None:
    (price,) = read(PLAIN).prices
    assert (price.provider_name, price.region_id) == ("Azure", "westeurope")
    assert (price.instance_type, price.operating_system) == (D4S, "Linux")
    assert (price.pricing_category, price.term) == ("Standard", None)
    assert (price.list_unit_price, price.currency) == (Decimal("0.23"), "USD")
    assert price.source == "Azure Retail Prices"
    assert price.valid_from == date(2026, 11, 23)  # known to hold then; not since when


def test_all_that_is_listed_of_a_size_gives_each_price_once() -> None:
    assert prices(*around(PLAIN)) == {
        ("Standard", "Linux", None): Decimal("0.23"),
        ("Standard", "Windows", None): Decimal("0.437"),
        ("Dynamic", "Linux", None): Decimal("0.046"),
        ("Dynamic", "Windows", None): Decimal("0.115"),
        ("Committed", "Linux", "1yr no-upfront"): Decimal("0.138"),
        ("Committed", "Linux", "3yr no-upfront"): Decimal("0.092"),
    }


def test_the_order_of_the_items_does_not_matter() -> None:
    assert prices(*around(PLAIN)) == prices(*around(PLAIN)[::-1])


# -- what else stands under a machine's name ------------------------------------------------------


@pytest.mark.parametrize(
    "product",
    [
        "Virtual Machines Dsv5 Series Windows",
        "Virtual Machines NCCadsv5 Srs Win",  # sky/catalog/data_fetchers/fetch_azure.py, SkyPilot
        "Virtual Machines ECasv6 series Windows",
        "Virtual Machines Dsv7-series Windows",
    ],
)
def test_windows_stands_in_the_products_name_only(product: str) -> None:
    """MicrosoftDocs/azure-docs#59901: nothing else says so."""
    assert prices(PLAIN | {"productName": product}) == {
        ("Standard", "Windows", None): Decimal("0.23")
    }


@pytest.mark.parametrize(
    "product",
    [
        "DCsv3 Series Linux",
        "Virtual Machines Mdsv2 Medium Memory Series Linux",
        "Virtual Machines A Series Basic",
    ],
)
def test_linux_is_named_or_not(product: str) -> None:
    assert prices(PLAIN | {"productName": product}) == ON_DEMAND


def test_darwin_is_no_windows() -> None:
    assert prices(PLAIN | {"productName": "Virtual Machines Darwin Series"}) == ON_DEMAND


@pytest.mark.parametrize(
    ("meter", "sku"), [("D4s v5 Spot", "D4s v5 Spot"), ("D4s v5", "D4s v5 Spot"), ("spot", "")]
)
def test_spot_stands_in_the_names_of_meter_or_sku(meter: str, sku: str) -> None:
    """pkg/providers/pricing/pricing.go of karpenter-provider-azure goes by the sku's."""
    assert prices(PLAIN | {"meterName": meter, "skuName": sku}) == {
        ("Dynamic", "Linux", None): Decimal("0.23")
    }


def test_low_priority_is_not_spot() -> None:
    """It is Batch's; learn.microsoft.com/azure/batch/batch-spot-vms."""
    assert prices(spot(PLAIN, 0.01, "Low Priority"), PLAIN) == ON_DEMAND


@pytest.mark.parametrize("name", ["Eadsv5 Series CloudServices", "Dasv5 Series Cloud Services"])
def test_cloud_services_are_no_machines(name: str) -> None:
    """At the Windows price, under a machine's meter; fetch_azure.py of SkyPilot, and by it (not
    left out) the AMD v5 series in the list of karpenter-provider-azure."""
    assert prices(PLAIN, item(D4S, 0.41, productName=name)) == ON_DEMAND


@pytest.mark.parametrize("name", ["Dsv5 Series Dedicated Host", "Dsv5 Series DedicatedHost"])
def test_hosts_are_no_machines(name: str) -> None:
    assert prices(item(D4S, 4.5, productName=name)) == {}


def test_dev_and_test_subscriptions_have_prices_of_their_own() -> None:
    assert prices(item(D4S, 0.1, type="DevTestConsumption"), PLAIN) == ON_DEMAND


def test_a_promotion_is_not_the_sizes_price() -> None:
    """Listed as "D2 v2 Promo" under the size's own name; sizes with _Promo are sizes themselves."""
    meter = {"meterName": "D2 v2 Promo", "skuName": "D2 v2 Promo"}
    assert prices(item("Standard_D2_v2", 0.1, **meter)) == {}
    assert prices(item("Standard_H8_Promo", 0.1, **meter)) == {
        ("Standard", "Linux", None): Decimal("0.1")
    }


def test_without_a_size_there_is_no_machine() -> None:
    """dstackai/gpuhunt: such items exist ("Virtual Machines RI")."""
    listed = read(PLAIN | {"armSkuName": ""}, PLAIN | {"armSkuName": None})
    assert (listed.prices, listed.left_out) == ([], {})


@pytest.mark.parametrize(
    "name", ["Dsv3_Type1", "ARM_SKU_NAME_PLACEHOLDER", "Standard_<b>", "x" * 99]
)
def test_what_is_no_sizes_name_is_told(name: str) -> None:
    """The first two stand in the list of karpenter-provider-azure."""
    listed = read(PLAIN | {"armSkuName": name})
    assert (listed.prices, listed.left_out) == ([], {"no size's name": 1})


def test_blanks_around_a_sizes_name_are_none_of_it() -> None:
    """`Standard_NM16ads_MA35D  `, in the list of karpenter-provider-azure."""
    (price,) = read(item("Standard_NM16ads_MA35D  ", 1.1)).prices
    assert price.instance_type == "Standard_NM16ads_MA35D"


def test_further_tiers_are_not_the_price_of_an_hour() -> None:
    assert prices(PLAIN, item(D4S, 0.01, tierMinimumUnits=100.0)) == ON_DEMAND


@pytest.mark.parametrize("unit", ["1 Second", "1/Month", "100 Hours", "1 hour", ""])
def test_another_unit_than_an_hour_is_told(unit: str) -> None:
    listed = read(PLAIN | {"unitOfMeasure": unit})
    assert (listed.prices, listed.left_out) == ([], {"no price of an hour": 1})


def test_other_regions_and_currencies_are_told() -> None:
    listed = read(PLAIN, item(D4S, 0.1, "eastus"), PLAIN | {"currencyCode": "EUR"})
    assert [p.list_unit_price for p in listed.prices] == [Decimal("0.23")]
    assert listed.left_out == {"of another region": 1, "not in USD": 1}
    euros = read(PLAIN | {"currencyCode": "EUR"}, currency="EUR")
    assert [p.currency for p in euros.prices] == ["EUR"]


# -- figures --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("price", "why"),
    [
        (0.0, "a price of zero"),  # M-series v4 in eastus and westeurope, June 2026
        (0, "a price of zero"),
        (1e-11, "a price of zero"),  # below what the frame keeps
        (-0.1, "a price below zero"),
        (1e9, "no price of an hour"),
        ("0.23", "no price of an hour"),
        (True, "no price of an hour"),
        (None, "no price of an hour"),
        ({"amount": 1}, "no price of an hour"),
    ],
)
def test_what_is_no_price_is_told(price: object, why: str) -> None:
    listed = read(PLAIN | {"retailPrice": price})
    assert (listed.prices, listed.left_out) == ([], {why: 1})


def test_prices_are_exact() -> None:
    assert prices(item(D4S, 0.1000000001)) == {("Standard", "Linux", None): Decimal("0.1000000001")}
    assert prices(item(D4S, 2)) == {("Standard", "Linux", None): Decimal(2)}


# -- commitments ----------------------------------------------------------------------------------


def test_a_reservations_price_is_that_of_the_whole_term() -> None:
    """Though its unit says "1 Hour". 993 / 8760 and 1919 / 26280, to ten decimals."""
    assert prices(reserved(PLAIN, 993.0), reserved(PLAIN, 1919.0, "3 Years")) == {
        ("Committed", "Linux", "1yr no-upfront"): Decimal("0.1133561644"),
        ("Committed", "Linux", "3yr no-upfront"): Decimal("0.0730213090"),
    }


def test_a_reservation_of_five_years_is_spread_over_five() -> None:
    """HB series: "5 Years"."""
    assert prices(reserved(PLAIN, 43800.0, "5 Years")) == {
        ("Committed", "Linux", "5yr no-upfront"): Decimal(1)
    }


@pytest.mark.parametrize("term", ["1 Month", "10 Years", "", None, 1])
def test_a_term_of_another_kind_is_told(term: Any) -> None:
    listed = read(reserved(PLAIN, 993.0, term))
    assert (listed.prices, listed.left_out) == ([], {"a term of another kind": 1})


def test_savings_plans_stand_inside_the_on_demand_item() -> None:
    """Only in 2023-01-01-preview. The terms stand in any order, the figure under either name."""
    plans = [
        {"unitPrice": 0.1, "retailPrice": 0.1, "term": "3 Years"},
        {"unitPrice": 0.15, "term": "1 Year"},
    ]
    assert prices(PLAIN | {"savingsPlan": plans}) == ON_DEMAND | {
        ("Committed", "Linux", "3yr no-upfront compute-savings-plan"): Decimal("0.1"),
        ("Committed", "Linux", "1yr no-upfront compute-savings-plan"): Decimal("0.15"),
    }


def test_savings_plans_with_windows_are_of_windows() -> None:
    plans = [{"retailPrice": 0.3, "term": "1 Year"}]
    assert prices(windows(PLAIN, 0.4) | {"savingsPlan": plans}) == {
        ("Standard", "Windows", None): Decimal("0.4"),
        ("Committed", "Windows", "1yr no-upfront compute-savings-plan"): Decimal("0.3"),
    }


def test_a_savings_plan_that_says_no_price_leaves_the_others() -> None:
    plans = [
        {"retailPrice": 0.0, "term": "1 Year"},
        {"retailPrice": 0.1, "term": "2 Moons"},
        "free",
        {"retailPrice": 0.1, "term": "3 Years"},
    ]
    listed = read(PLAIN | {"savingsPlan": plans})
    assert {p.term for p in listed.prices} == {None, "3yr no-upfront compute-savings-plan"}
    assert listed.left_out == {
        "savings plan: a price of zero": 1,
        "savings plan: a term of another kind": 2,
    }


@pytest.mark.parametrize("plans", [None, {}, "none", 3])
def test_savings_plans_of_another_form_are_none(plans: object) -> None:
    assert prices(PLAIN | {"savingsPlan": plans}) == ON_DEMAND


# -- several prices of the same thing -------------------------------------------------------------


def test_the_newest_price_in_force_counts() -> None:
    """In eastus 289 meters have more than one, of the past and of what is to come."""
    steps = [
        item(D4S, price, effectiveStartDate=f"{day}T00:00:00Z")
        for price, day in ((0.3, "2019-01-01"), (0.2, "2026-11-01"), (0.1, "2026-12-01"))
    ]
    assert prices(*steps) == {("Standard", "Linux", None): Decimal("0.2")}
    assert prices(*steps, moment=datetime(2026, 12, 1, tzinfo=UTC)) == {
        ("Standard", "Linux", None): Decimal("0.1")
    }


def test_a_price_that_has_ended_does_not_count() -> None:
    ended = item(D4S, 0.2, effectiveStartDate="2026-01-01T00:00:00Z")
    assert prices(PLAIN, ended | {"effectiveEndDate": "2026-10-31T23:59:59Z"}) == ON_DEMAND
    assert prices(PLAIN, ended | {"effectiveEndDate": "2026-12-31T23:59:59Z"}) == {
        ("Standard", "Linux", None): Decimal("0.2")
    }


def test_a_day_that_is_none_is_told() -> None:
    listed = read(PLAIN | {"effectiveStartDate": "soon"})
    assert (listed.prices, listed.left_out) == ([], {"no day since when it holds": 1})


def test_the_primary_meter_goes_before_others() -> None:
    """Others repeat the prices of meters that are at home elsewhere."""
    other = item(D4S, 0.3, isPrimaryMeterRegion=False, effectiveStartDate="2024-01-01T00:00:00Z")
    assert prices(other, PLAIN) == ON_DEMAND


def test_a_price_may_have_no_primary_meter_at_all() -> None:
    """So it is with v2 and v3 sizes in many regions: filtering by it leaves them without price."""
    assert prices(PLAIN | {"isPrimaryMeterRegion": False}) == ON_DEMAND


def test_two_meters_that_differ_in_nothing_else_are_settled_the_same_way_always() -> None:
    two = [item(D4S, 0.23, meterId="b"), item(D4S, 0.2, meterId="a")]
    assert prices(*two) == prices(*two[::-1]) == ON_DEMAND


def test_one_size_in_two_spellings_is_one() -> None:
    lower = item("Standard_d4s_v5", 0.1, effectiveStartDate="2015-01-01T00:00:00Z")
    assert prices(PLAIN, lower) == ON_DEMAND


# -- anything at all ------------------------------------------------------------------------------

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.decimals(allow_nan=False),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=3,
)


@given(st.dictionaries(st.sampled_from(sorted({*PLAIN, "savingsPlan", "effectiveEndDate"})), JSON))
def test_whatever_an_item_holds_it_is_a_price_above_zero_or_none(changes: dict[str, Any]) -> None:
    listed = rows.read([exact(PLAIN) | changes], "westeurope", "USD", NOON)
    assert all(price.list_unit_price > 0 for price in listed.prices)
