"""The catalogue: the snapshot under the user's rows, region by region, never mixed up."""

from __future__ import annotations

import math
import random
import subprocess
import sys
from decimal import Decimal

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from costopt import schema
from costopt.pricing.catalogue import Catalogue
from tests.pricing.tables import ladder, price, prices, shapes


@pytest.fixture(scope="module")
def builtin() -> Catalogue:
    return Catalogue.load()


def hourly(found: object) -> str:
    return str(found.list_unit_price.normalize())  # type: ignore[attr-defined]


# -- the snapshot ----------------------------------------------------------------------------


def test_price_of_the_region_asked_for(builtin: Catalogue) -> None:
    assert hourly(builtin.price("AWS", "us-east-1", "m5.large")) == "0.096"
    assert hourly(builtin.price("AWS", "eu-west-1", "m5.large")) == "0.107"


def test_no_region_lends_its_price_to_another(builtin: Catalogue) -> None:
    assert builtin.price("AWS", "eu-nowhere-9", "m5.large") is None
    assert builtin.price("AWS", None, "m5.large") is None
    assert builtin.market("AWS", None).shapes == ()


@pytest.mark.parametrize("provider", ["aws", "AWS", "Amazon Web Services"])
def test_providers_by_any_of_their_names(builtin: Catalogue, provider: str) -> None:
    assert builtin.shape(provider, "m5.large")


@pytest.mark.parametrize("region", ["westeurope", "WestEurope", "West Europe"])
@pytest.mark.parametrize("kind", ["Standard_D4s_v5", "standard_d4s_v5", "D4s v5", "D4s_v5"])
def test_azure_spellings(builtin: Catalogue, region: str, kind: str) -> None:
    assert hourly(builtin.price("Azure", region, kind)) == "0.23"


def test_linux_is_the_system_that_nobody_names(builtin: Catalogue) -> None:
    unnamed = builtin.market("AWS", "us-east-1")
    assert builtin.market("AWS", "us-east-1", operating_system="Linux/UNIX").prices == (
        unnamed.prices
    )
    assert builtin.market("AWS", "us-east-1", operating_system="Windows").shapes == ()
    assert builtin.price("AWS", "us-east-1", "m5.large", operating_system="Windows") is None


def test_spot_is_another_market(builtin: Catalogue) -> None:
    spot = builtin.price("GCP", "us-central1", "n2-standard-8", pricing_category="Dynamic")
    full = builtin.price("GCP", "us-central1", "n2-standard-8")
    assert spot
    assert full
    assert spot.list_unit_price < full.list_unit_price


def test_currency_of_the_place_unless_one_is_asked_for(builtin: Catalogue) -> None:
    found = builtin.price("AWS", "cn-north-1", "m5.large")
    assert found
    assert found.currency == "CNY"
    assert builtin.price("AWS", "cn-north-1", "m5.large", currency="USD") is None
    assert builtin.market("AWS", "cn-north-1").shapes == ()


def test_market_columns_stand_side_by_side_cheapest_first(builtin: Catalogue) -> None:
    market = builtin.market("AWS", "us-east-1")
    assert len(market.shapes) > 1000
    assert list(market.hourly) == sorted(market.hourly)
    position = next(
        n for n, shape in enumerate(market.shapes) if shape.instance_type == "g4dn.12xlarge"
    )
    assert market.prices[position].instance_type == "g4dn.12xlarge"
    assert market.vcpus[position] == 48
    assert market.memory_gib[position] == 192
    assert market.gpu_count[position] == 4
    assert market.local_disk_gib[position] == pytest.approx(900e9 / 2**30, abs=0.1)
    assert market.network_gbps[position] == 50
    assert market is builtin.market("aws", "us-east-1")


def test_neither_pandas_nor_a_provider_nobody_asks_for_is_loaded() -> None:
    code = (
        "import sys; from costopt.pricing.catalogue import Catalogue;"
        "c = Catalogue.load(); assert c.market('AWS', 'us-east-1').shapes;"
        "assert list(c._layers) == ['aws']; assert 'pandas' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


# -- users' own rows -------------------------------------------------------------------------


def test_generic_ladder_of_an_unknown_provider() -> None:
    market = Catalogue.load(*ladder()).market("generic", "anywhere")
    assert [s.instance_type for s in market.shapes] == [f"g{n}" for n in (1, 2, 4, 8, 16, 32, 64)]
    assert market.hourly[3] == pytest.approx(0.32)
    assert all(math.isnan(memory) for memory in market.memory_gib)


def test_users_price_overrides_in_its_region_only() -> None:
    extra = price("m5.large", "0.08", ProviderName="aws", RegionId="us-east-1")
    catalogue = Catalogue.load(prices(extra))
    assert hourly(catalogue.price("AWS", "us-east-1", "m5.large")) == "0.08"
    assert hourly(catalogue.price("AWS", "us-west-2", "m5.large")) == "0.096"
    both = catalogue.market("AWS", "us-east-1")
    assert len(both.shapes) == len(Catalogue.load().market("AWS", "us-east-1").shapes)


def test_users_price_without_region_overrides_everywhere() -> None:
    extra = price("m5.large", "0.08", ProviderName="AWS")
    catalogue = Catalogue.load(prices(extra))
    assert hourly(catalogue.price("AWS", "eu-west-1", "m5.large")) == "0.08"
    dollars = [p for p in catalogue.prices("AWS", "m5.large") if p.currency == "USD"]
    assert [p.list_unit_price for p in dollars if p.pricing_category == "Standard"] == [
        Decimal("0.08")
    ]
    found = catalogue.find(2, 8, provider="aws", architecture="x86_64", limit=500)
    assert {f.price.list_unit_price for f in found if f.shape.instance_type == "m5.large"} == {
        Decimal("0.08")
    }


def test_the_nearer_of_ones_own_rows_wins() -> None:
    rows = [
        price("g2", "0.10"),
        price("g2", "0.09", RegionId="here"),
        price("g2", "0.20", x_OperatingSystem="Windows"),
    ]
    _, known = ladder()
    catalogue = Catalogue.load(prices(*rows), known)
    assert hourly(catalogue.price("Generic", "here", "g2")) == "0.09"
    assert hourly(catalogue.price("Generic", "there", "g2")) == "0.1"
    # Its own system's price before the one that holds for any; of the same region before others.
    assert hourly(catalogue.price("Generic", "there", "g2", operating_system="windows")) == "0.2"


def test_other_currency_stands_beside_not_above() -> None:
    extra = price("m5.large", "0.09", ProviderName="AWS", PricingCurrency="EUR")
    catalogue = Catalogue.load(prices(extra))
    assert hourly(catalogue.price("AWS", "us-east-1", "m5.large", currency="USD")) == "0.096"
    assert [p.currency for p in catalogue.market("AWS", "us-east-1", currency="EUR").prices] == [
        "EUR"
    ]


def test_users_shape_replaces_the_built_in_one() -> None:
    own = shapes({"ProviderName": "AWS", "x_InstanceType": "M5.Large", "x_vCPUs": 1.0})
    catalogue = Catalogue.load(None, own)
    shape = catalogue.shape("AWS", "m5.large")
    assert shape
    assert (shape.vcpus, shape.memory_gib, shape.gpu_count) == (1.0, None, 0)


def test_ones_own_rows_stand_above_those_of_lists_however_near_these_are() -> None:
    listed = price("m5.large", "0.097", ProviderName="AWS", RegionId="us-east-1")
    listed |= {"x_OperatingSystem": "Linux", "x_Source": schema.AWS_LIST}
    own = price("m5.large", "0.07", ProviderName="AWS", RegionId=None)
    smaller = {"ProviderName": "AWS", "x_InstanceType": "M5.large", "x_vCPUs": 1.0}
    described = {**smaller, "x_InstanceType": "m5.large", "x_vCPUs": 3.0}
    described |= {"x_Source": schema.AWS_TYPES}
    for rows, kinds in (
        ((own, listed), (smaller, described)),
        ((listed, own), (described, smaller)),
    ):
        catalogue = Catalogue.load(prices(*rows), shapes(*kinds))
        assert hourly(catalogue.price("AWS", "us-east-1", "m5.large")) == "0.07"
        shape = catalogue.shape("AWS", "m5.large")
        assert shape
        assert shape.vcpus == 1.0
    alone = Catalogue.load(prices(listed), shapes(described))
    assert hourly(alone.price("AWS", "us-east-1", "m5.large")) == "0.097"


def test_price_without_a_shape_is_known_but_in_no_market() -> None:
    catalogue = Catalogue.load(prices(price("mystery", "1")))
    assert catalogue.price("Generic", "x", "mystery")
    assert catalogue.market("Generic", "x").shapes == ()


def test_refused_prices_do_not_count_and_are_told() -> None:
    rows, known = ladder()
    free = price("g2", "0", RegionId="free")
    wrong = price("m5.large", "96", ProviderName="AWS", RegionId="us-east-1")
    catalogue = Catalogue.load(pa.concat_tables([rows, prices(free, wrong)]), known)
    assert [(r.price.instance_type, r.reason) for r in catalogue.refusals] == [
        ("m5.large", "off-list"),
        ("g2", "not-positive"),
    ]
    assert hourly(catalogue.price("AWS", "us-east-1", "m5.large")) == "0.096"
    assert hourly(catalogue.price("Generic", "free", "g2")) == "0.08"


def test_order_of_rows_is_of_no_matter() -> None:
    rows, known = ladder()
    order = list(range(len(rows)))
    random.Random(3).shuffle(order)
    one, other = Catalogue.load(rows, known), Catalogue.load(rows.take(order), known.take(order))
    assert one.market("Generic", None).shapes == other.market("Generic", None).shapes


def test_commitments_count_by_their_cheapest_term() -> None:
    _, known = ladder()
    rows = [
        price("g2", cost, PricingCategory="Committed", x_Term=term)
        for term, cost in (("1yr", "0.06"), ("3yr", "0.04"))
    ]
    found = Catalogue.load(prices(*rows), known).price(
        "Generic", None, "g2", pricing_category="Committed"
    )
    assert found
    assert found.term == "3yr"


# -- finding ---------------------------------------------------------------------------------


def test_find_gives_the_cheapest_that_holds_the_need(builtin: Catalogue) -> None:
    found = builtin.find(8, 32, region="us-east-1", limit=50)
    assert [f.price.list_unit_price for f in found] == sorted(
        f.price.list_unit_price for f in found
    )
    assert all(f.shape.vcpus >= 8 for f in found)
    assert all((f.shape.memory_gib or 0) >= 32 for f in found)
    market = builtin.market("AWS", "us-east-1")
    fits = (market.vcpus >= 8) & (market.memory_gib >= 32)
    assert float(found[0].price.list_unit_price) == market.hourly[fits].min()


def test_find_without_region_shows_each_type_where_it_is_cheapest(builtin: Catalogue) -> None:
    found = builtin.find(8, 32, provider="gcp", limit=1000)
    types = [f.shape.instance_type for f in found]
    assert len(types) == len(set(types))
    for one in found[:5]:
        everywhere = builtin.prices("gcp", one.shape.instance_type)
        assert one.price.list_unit_price == min(
            p.list_unit_price for p in everywhere if p.pricing_category == "Standard"
        )


_ROWS = st.lists(
    st.tuples(
        st.sampled_from(["g1", "g2", "g4"]),
        st.sampled_from([None, "here", "there", "us-east-1"]),
        st.sampled_from([None, "Linux"]),
        st.integers(50, 70),
    ),
    unique_by=lambda row: row[:3],
    max_size=12,
)


@settings(max_examples=80)
@given(_ROWS)
def test_what_is_found_is_what_a_resource_there_would_pay(
    rows: list[tuple[str, str | None, str | None, int]],
) -> None:
    """In each region find, market and price say the same, and the nearer row always wins."""
    table = prices(
        *(
            price(kind, f"0.{cents * int(kind[1:]):03}", RegionId=place, x_OperatingSystem=system)
            for kind, place, system, cents in rows
        )
    )
    catalogue = Catalogue.load(table, ladder()[1])
    for place in ("here", "there", "us-east-1"):
        market = catalogue.market("Generic", place)
        found = catalogue.find(provider="Generic", region=place, limit=100)
        assert [f.price for f in found] == list(market.prices)
        for kind in ("g1", "g2", "g4"):
            held = {row[1:3]: row[3] for row in rows if row[0] == kind}
            order = [(place, "Linux"), (place, None), (None, "Linux"), (None, None)]
            expected = next((held[key] for key in order if key in held), None)
            one = catalogue.price("Generic", place, kind)
            assert (one is None) == (expected is None)
            if one and expected:
                assert one.list_unit_price == Decimal(expected * int(kind[1:])) / 1000


@pytest.mark.parametrize(
    ("model", "cards"), [("h100", {80.0, 94.0}), ("A100", {40.0, 80.0}), ("A100-80GB", {80.0})]
)
def test_find_by_gpu(builtin: Catalogue, model: str, cards: set[float]) -> None:
    found = builtin.find(gpu_model=model, limit=200)
    assert {f.shape.gpu_memory_gib for f in found} == cards
    assert {f.shape.gpu_model for f in found} == {model.upper().partition("-")[0]}
    assert {"AWS", "Azure", "GCP"} <= {f.shape.provider_name for f in found}


def test_find_by_number_of_gpus_architecture_and_spot(builtin: Catalogue) -> None:
    eight = builtin.find(gpu_model="H100", gpu_count=8)
    assert {f.shape.gpu_count for f in eight} == {8}
    arm = builtin.find(4, 16, architecture="arm64", spot=True)
    assert {f.shape.architecture for f in arm} == {"arm64"}
    assert {f.price.pricing_category for f in arm} == {"Dynamic"}


def test_unknown_memory_holds_no_need_for_memory() -> None:
    catalogue = Catalogue.load(*ladder())
    assert catalogue.find(4, provider="Generic")
    assert catalogue.find(4, 1, provider="Generic") == ()


def test_nearest_names(builtin: Catalogue) -> None:
    assert builtin.nearest("m5.lrge")[0].instance_type == "m5.large"
    assert builtin.nearest("n2-standard-5")[0].instance_type.startswith("n2-standard-")
    assert builtin.nearest("D4s v5")[0].instance_type == "Standard_D4s_v5"
    assert builtin.nearest("") == ()
