"""Where regions lie: known distances, published round trips, and wishes for residency."""

from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from costopt.errors import InputError
from costopt.model import Place
from costopt.pricing.catalogue import Catalogue
from costopt.pricing.places import EEA, EU, Places, distance_km, latency_ms

PLACES = Places.load()

# Catalogue regions that are no place: prices that hold in a whole country, continent or everywhere.
NO_PLACE = {"eu", "global", "europe"}


def at(provider: str, region: str) -> Place:
    found = PLACES.place(provider, region)
    assert found is not None, (provider, region)
    return found


@pytest.mark.parametrize("provider", Catalogue.load().providers())
def test_every_region_with_prices_has_a_place(provider: str) -> None:
    regions = Catalogue.load().regions(provider)
    unknown = [r for r in regions if r not in NO_PLACE and not PLACES.place(provider, r)]
    assert unknown == []


@pytest.mark.parametrize(
    ("provider", "region", "country"),
    [
        ("vultr", "ewr", "US"), ("vultr", "itm", "JP"), ("vultr", "jnb", "ZA"),
        ("linode", "de-fra-2", "DE"), ("linode", "us-ord", "US"), ("linode", "ap-west", "IN"),
        ("digitalocean", "ric1", "US"), ("digitalocean", "ams3", "NL"),
    ],
)  # fmt: skip
def test_providers_whose_prices_are_only_fetched_have_places(
    provider: str, region: str, country: str
) -> None:
    assert at(provider, region).country == country


def test_names_are_found_however_they_are_spelt() -> None:
    assert at("Microsoft", "West Europe") == at("azure", "westeurope")
    assert at("Amazon Web Services", "EU-WEST-1").country == "IE"
    assert PLACES.place("aws", "eu-nowhere-1") is None
    assert PLACES.place("gcp", "eu-west-1") is None  # AWS's name


@pytest.mark.parametrize(
    ("one", "other", "km"),
    [  # great-circle distances of city pairs as gazetteers and route maps give them
        (("gcp", "europe-west2"), ("gcp", "europe-west9"), 344),  # London, Paris
        (("azure", "germanywestcentral"), ("azure", "polandcentral"), 893),  # Frankfurt, Warsaw
        (("azure", "japaneast"), ("azure", "japanwest"), 397),  # Tokyo, Osaka
        (
            ("gcp", "australia-southeast1"),
            ("gcp", "southamerica-west1"),
            11_340,
        ),  # Sydney, Santiago
        (("gcp", "asia-southeast1"), ("gcp", "europe-west3"), 10_270),  # Singapore, Frankfurt
    ],
)
def test_known_distances(one: tuple[str, str], other: tuple[str, str], km: float) -> None:
    assert distance_km(at(*one), at(*other)) == pytest.approx(km, rel=0.02)


@pytest.mark.parametrize(
    ("one", "other", "published"),
    [  # P95 of July 2026 (learn.microsoft.com/azure/networking/azure-network-latency)
        ("eastus", "westeurope", 91),
        ("eastus", "westus", 72),
        ("eastus", "japaneast", 165),
        ("eastus", "southeastasia", 229),
        ("westeurope", "northeurope", 19),
        ("westeurope", "polandcentral", 28),
        ("westeurope", "southafricanorth", 171),
        ("westus2", "japaneast", 103),
        ("brazilsouth", "eastus", 119),
        ("francecentral", "spaincentral", 23),
    ],
)
def test_estimates_come_near_to_published_round_trips(
    one: str, other: str, published: float
) -> None:
    assert latency_ms(at("azure", one), at("azure", other)) == pytest.approx(published, rel=0.25)


def test_a_detour_that_the_estimate_does_not_know() -> None:
    """Its documented failure: cables from Europe to Korea go round Asia."""
    assert latency_ms(at("azure", "westeurope"), at("azure", "koreacentral")) < 0.6 * 267


def test_within_a_region_it_is_a_millisecond() -> None:
    assert latency_ms(at("aws", "eu-west-1"), at("aws", "eu-west-1")) == 1.0
    # two providers in one town: no distance, nor the equipment of a long link
    assert latency_ms(at("aws", "eu-central-1"), at("gcp", "europe-west3")) < 2


def somewhere(name: str) -> st.SearchStrategy[Place]:
    return st.builds(
        lambda lat, lon: Place("own", name, "DE", "Europe", lat, lon, "drawn"),
        st.floats(-90, 90),
        st.floats(-180, 180),
    )


@given(somewhere("a"), somewhere("b"))
def test_latency_is_symmetric_and_never_faster_than_light_in_glass(a: Place, b: Place) -> None:
    assert latency_ms(a, b) == pytest.approx(latency_ms(b, a))
    assert latency_ms(a, b) >= max(1.0, 0.01 * distance_km(a, b))
    assert distance_km(a, b) <= 20_016  # half the way round


@pytest.mark.parametrize(
    ("provider", "region", "wanted", "allowed"),
    [
        ("aws", "eu-central-1", "EU", True),
        ("aws", "eu-central-2", "EU", False),  # Zurich is not in the Union
        ("aws", "eu-west-2", "EU", False),
        ("aws", "eu-west-2", "uk", True),
        ("azure", "norwayeast", "EU", False),
        ("azure", "norwayeast", "EEA", True),
        ("azure", "switzerlandnorth", "EEA", False),
        ("aws", "eu-central-2", "Europe", True),
        ("aws", "eu-central-1", "de", True),
        ("aws", "eu-central-1", "eu-central-1", True),
        ("azure", "westeurope", "West Europe", True),
        ("azure", "westeurope", "westeurope", True),
        ("aws", "us-east-1", "north  america", True),
        ("aws", "us-east-1", "America", False),
    ],
)
def test_residency(provider: str, region: str, wanted: str, allowed: bool) -> None:
    assert PLACES.matches(at(provider, region), wanted) is allowed


def test_the_union_has_27_members() -> None:
    assert len(EU) == 27
    assert {"IS", "LI", "NO"} == EEA - EU
    assert not EU & {"GB", "CH", "NO"}


def test_a_wish_that_names_nothing_is_told() -> None:
    assert all(PLACES.knows(w) for w in ("EU", "eea", "Uk", "DE", "lt", "Europe", "eu-west-1"))
    assert not any(PLACES.knows(w) for w in ("Germny", "XX", "", "Middle Europe"))


def own(**more: object) -> pa.Table:
    row = {
        "provider": "Own racks",
        "region_id": "Hall 3",
        "country": "de",
        "continent": "Europe",
        "latitude": 52.5,
        "longitude": 13.4,
    }
    return pa.Table.from_pylist([{**row, **more}])


def test_own_rows_add_and_replace() -> None:
    mine = Places.load(own()).place("own racks", "hall3")
    assert mine is not None
    assert (mine.country, mine.source) == ("DE", "one's own")
    moved = Places.load(own(provider="AWS", region_id="us-east-1", source="a contract"))
    place = moved.place("aws", "us-east-1")
    assert place is not None
    assert (place.country, place.source) == ("DE", "a contract")


@pytest.mark.parametrize("bad", [{"latitude": 91.0}, {"longitude": -181.0}, {"country": None}])
def test_bad_own_rows_are_refused(bad: dict[str, object]) -> None:
    with pytest.raises(InputError, match="row 1"):
        Places.load(own(**bad))


def test_a_missing_column_is_named() -> None:
    with pytest.raises(InputError, match="latitude"):
        Places.load(own().drop_columns(["latitude"]))
