"""Machines from parts: expected prices are Google's own where a source names them, else by hand."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from costopt.model import Price, Shape
from costopt.providers.gcp import machine_types
from costopt.providers.gcp.prices import compose, parse
from costopt.providers.gcp.prices.descriptions import sold
from costopt.providers.gcp.prices.rates import Rates

IOWA = "us-central1"
DAY = date(2026, 8, 3)
# Iowa: prices as published.
ON_DEMAND = {
    "N2 Instance Core": "0.031611", "N2 Instance Ram": "0.004237",
    "N2 Custom Instance Core": "0.034", "N2 Custom Instance Ram": "0.0045",
    "N2 Custom Extended Instance Ram": "0.00955",
    "N1 Predefined Instance Core": "0.031611", "N1 Predefined Instance Ram": "0.004237",
    "Custom Instance Core": "0.033174", "Custom Instance Ram": "0.004446",
    "Custom Extended Instance Ram": "0.00955",
    "E2 Instance Core": "0.021811", "E2 Instance Ram": "0.002923",
    "E2 Custom Instance Core": "0.0229", "E2 Custom Instance Ram": "0.003",
    "Memory-optimized Instance Core": "0.0348", "Memory-optimized Instance Ram": "0.0051",
    "Memory Optimized Upgrade Premium for Memory-optimized Instance Core": "0.004524",
    "Memory Optimized Upgrade Premium for Memory-optimized Instance Ram": "0.000663",
    "M4 Instance Core": "0.0182784", "M4 Instance Ram": "0.00457",
    "Micro Instance with burstable CPU": "0.0076", "Small Instance with 1 VCPU": "0.0257",
    "G4 Instance Core": "0.04891", "G4 Instance Ram": "0.00587", "RTX 6000 96GB": "1.09565",
    "1/8 vGPU no lssd": "0.64688",
    "A3 Instance Core": "0.03", "A3 Instance Ram": "0.003",
    "A3Plus Instance Core": "0.026924", "A3Plus Instance Ram": "0.002344",
    "Nvidia H100 80GB Plus GPU": "10.344276", "Nvidia H100 80GB GPU": "9.796551",
    "C4 Instance Core": "0.03465", "C4 Instance Ram": "0.003938",
    "C3 Instance Core": "0.03398", "C3 Instance Ram": "0.00456",
    "Z3 Instance Core": "0.0459", "Z3 Instance Ram": "0.00614",
}  # fmt: skip
OTHERWISE = {
    "Commitment v1: N2 Cpu in Iowa for 1 Year": "0.019915",
    "Commitment v1: N2 Ram in Iowa for 1 Year": "0.002669",
    "Commitment v1: N2 Cpu in Iowa for 3 Years": "0.014225",
    "Commitment v1: N2 Ram in Iowa for 3 Years": "0.001907",
    "Commitment v1: Memory-optimized Cpu in Iowa for 1 Year": "0.021924",
    "Commitment v1: Memory-optimized Ram in Iowa for 1 Year": "0.003213",
    "Spot Preemptible Memory-optimized Instance Core running in Iowa": "0.0073",
    "Spot Preemptible Memory-optimized Instance Ram running in Iowa": "0.0011",
    "Spot Preemptible A4 Nvidia B200 (1 gpu slice) running in Iowa": "4.9542",
    "Spot Preemptible N2 Instance Core running in Iowa": "0.0077",
}  # fmt: skip
DISKS = {
    "C4 Instance Local SSD running in Iowa": Decimal("0.16") / 730,
    "Z3 Instance Local SSD running in Iowa": Decimal("0.5") / 730,
    "SSD backed Local Storage": Decimal("0.08") / 730,
}


@pytest.fixture(scope="module")
def rates() -> Rates:
    listed = {f"{name} running in Iowa": Decimal(price) for name, price in ON_DEMAND.items()}
    listed |= {name: Decimal(price) for name, price in OTHERWISE.items()} | DISKS
    return made(listed)


def made(listed: dict[str, Decimal], region: str = IOWA) -> Rates:
    found = Rates()
    for description, price in listed.items():
        what = sold(description)
        assert what, description
        found.add(parse.Offer(what.part, what.usage or "OnDemand", price, DAY, (region,)))
    return found


def prices(shape: Shape, rates: Rates, region: str = IOWA) -> dict[str, Price]:
    """By term, or category."""
    found = compose.prices([shape], region, rates)
    return {price.term or price.pricing_category: price for price in found}


def hourly(name: str, vcpus: float, memory: float, rates: Rates, bought: str = "Standard") -> str:
    shape = machine_types.custom(name) or machine_types.described(name, vcpus, memory)
    return str(prices(shape, rates)[bought].list_unit_price.normalize())


def test_a_row_says_all_that_there_is_to_say(rates: Rates) -> None:
    found = prices(machine_types.described("n2-standard-4", 4, 16), rates)
    assert found["Standard"] == Price(
        provider_name="GCP",
        region_id=IOWA,
        instance_type="n2-standard-4",
        list_unit_price=Decimal("0.1942360000"),  # as published
        currency="USD",
        pricing_category="Standard",
        operating_system="Linux",
        term=None,
        valid_from=DAY,
        source="Google Cloud Billing catalogue",
    )
    committed = {term: p.list_unit_price for term, p in found.items() if term != "Standard"}
    # 4 x 0.019915 + 16 x 0.002669 and 4 x 0.014225 + 16 x 0.001907; of spot the memory is not sold
    assert committed == {
        "1yr no-upfront": Decimal("0.1223640000"),
        "3yr no-upfront": Decimal("0.0874120000"),
    }
    assert found["1yr no-upfront"].pricing_category == "Committed"


@pytest.mark.parametrize(
    ("name", "vcpus", "memory", "expected"),
    [
        ("f1-micro", 1, 0.6, "0.0076"),  # whole
        ("g1-small", 1, 1.7, "0.0257"),
        ("e2-micro", 2, 1, "0.00837575"),  # 0.25 x 0.021811 + 0.002923
        ("e2-medium", 2, 4, "0.033503"),  # 1 x 0.021811 + 4 x 0.002923
        ("n1-highcpu-2", 2, 1843 / 1024, "0.0708486"),  # 2 x 0.031611 + 1.8 x 0.004237
        # published as 42.111936: M1's prices and the premium
        ("m2-ultramem-208", 208, 5888, "42.111936"),
        # 96 x 0.0348 + 1433.6 x 0.0051: N1's name, M1's prices
        ("n1-megamem-96", 96, 1433.6, "10.65216"),
        ("g4-standard-48", 48, 180, "4.49993"),  # as published
        ("g4-standard-6", 6, 22, "0.64688"),  # the eighth of a card has an SKU of its own
        ("g4-standard-24", 24, 90, "2.58752"),
        # 208 x 0.026924 + 1872 x 0.002344 + 8 x 10.344276 + 6000 x 0.08 / 730
        ("a3-megagpu-8g", 208, 1872, "93.3999022466"),
        # 26 x 0.03 + 234 x 0.003 + 9.796551 + 750 x 0.08 / 730
        ("a3-highgpu-1g", 26, 234, "11.3607427808"),
        # 4 x 0.03465 + 15 x 0.003938 + 375 x 0.16 / 730: C4's own disks
        ("c4-standard-4-lssd", 4, 15, "0.2798617808"),
        # 8 x 0.0459 + 64 x 0.00614 + 3000 x 0.08 / 730: Z3's are billed by the general price
        ("z3-highmem-8-highlssd", 8, 64, "1.0889271233"),
        ("c3-standard-4-lssd", 4, 16, "0.2499758904"),  # 0.20888 + 375 x 0.08 / 730
    ],
)  # fmt: skip
def test_machine_types(name: str, vcpus: float, memory: float, expected: str, rates: Rates) -> None:
    assert hourly(name, vcpus, memory, rates) == expected


@pytest.mark.parametrize(
    ("name", "bought", "expected"),
    [
        ("n2-custom-4-8192", "Standard", "0.172"),  # 4 x 0.034 + 8 x 0.0045
        # commitments are of the series: 4 x 0.019915 + 8 x 0.002669
        ("n2-custom-4-8192", "1yr no-upfront", "0.101012"),
        # 16 of 20 GiB come with 2 vCPUs: 2 x 0.034 + 16 x 0.0045 + 4 x 0.00955
        ("n2-custom-2-20480-ext", "Standard", "0.1782"),
        # the rest is not covered: 2 x 0.019915 + 16 x 0.002669 + 4 x 0.00955
        ("n2-custom-2-20480-ext", "1yr no-upfront", "0.120734"),
        # N1's: 13 of 14 GiB: 2 x 0.033174 + 13 x 0.004446 + 0.00955
        ("custom-2-14336-ext", "Standard", "0.133696"),
        ("n1-custom-2-14336-ext", "Standard", "0.133696"),
        ("custom-2-4096", "Standard", "0.084132"),  # 2 x 0.033174 + 4 x 0.004446
        # not all that is called so needs it: 8 of 16 GiB
        ("n2-custom-2-8192-ext", "Standard", "0.104"),
        ("e2-custom-small-3072", "Standard", "0.02045"),  # 0.5 x 0.0229 + 3 x 0.003
        ("e2-custom-4-4096", "Standard", "0.1036"),
    ],
)  # fmt: skip
def test_types_of_one_s_own_making(name: str, bought: str, expected: str, rates: Rates) -> None:
    assert hourly(name, 0, 0, rates, bought) == expected


def test_m2_under_a_commitment_pays_its_premium_all_the_same(rates: Rates) -> None:
    # 208 x (0.021924 + 0.004524) + 5888 x (0.003213 + 0.000663)
    assert hourly("m2-ultramem-208", 208, 5888, rates, "1yr no-upfront") == "28.323072"


def test_m2_is_not_sold_on_the_spot_market(rates: Rates) -> None:
    assert "Dynamic" in prices(machine_types.described("m1-ultramem-40", 40, 961), rates)
    assert "Dynamic" not in prices(machine_types.described("m2-ultramem-208", 208, 5888), rates)


def test_decimal_gigabytes(rates: Rates) -> None:
    """m4-ultramem-224 has prices of its own, of memory by decimal gigabytes; Google publishes
    41.464125836."""
    memory = Decimal("0.00567588") * 2**30 / 10**9
    own = {
        "M4Ultramem224 Instance Core running in Iowa": Decimal("0.02317"),
        "M4Ultramem224 Instance Ram running in Iowa": memory,
        "M4 Instance Core running in Iowa": Decimal("0.0182784"),
        "M4 Instance Ram running in Iowa": Decimal("0.00457"),
    }
    assert hourly("m4-ultramem-224", 224, 5952, made(own))[:12] == "41.464125836"
    # 112 x 0.0182784 + 2976 x 0.00457
    assert hourly("m4-ultramem-112", 112, 2976, made(own)) == "15.6475008"
    # without its own prices there is none
    assert prices(machine_types.described("m4-ultramem-224", 224, 5952), rates) == {}


def test_a_machine_sold_by_the_card_is_not_added_to(rates: Rates) -> None:
    found = prices(machine_types.described("a4-highgpu-8g", 224, 3968), rates)
    assert {name: price.list_unit_price for name, price in found.items()} == {
        "Dynamic": Decimal("39.6336")  # 8 x 4.9542, disks and all
    }


@pytest.mark.parametrize("lacking", ["N2 Instance Core", "N2 Instance Ram"])
def test_without_the_price_of_a_part_there_is_none(lacking: str) -> None:
    known = {f"{name} running in Iowa": Decimal(price) for name, price in ON_DEMAND.items()}
    del known[f"{lacking} running in Iowa"]
    assert prices(machine_types.described("n2-standard-4", 4, 16), made(known)) == {}


@pytest.mark.parametrize(
    "shape",
    [
        machine_types.described("a2-highgpu-1g", 12, 85),  # its card is not sold here
        machine_types.described("n4-standard-4", 4, 16),  # nor this series
        machine_types.described("n4-custom-4-8192", 4, 8),
        machine_types.described("c4-standard-4-newlssd", 4, 15),  # disks of nobody knows what size
        Shape("GCP", "n2-mystery-4", 4.0),  # or memory
        machine_types.described("", 4, 15),
    ],
)
def test_what_is_not_known_is_not_made_up(shape: Shape, rates: Rates) -> None:
    assert prices(shape, rates) == {}


def test_disks_with_an_sku_of_their_own_have_no_other_price(rates: Rates) -> None:
    """C4 is sold in Bangkok, its disks have no SKU there: the general one is half of its price."""
    bangkok = "asia-southeast3"
    for description in ("C4 Instance Core", "C4 Instance Ram", "SSD backed Local Storage"):
        what = sold(f"{description} in Bangkok")
        assert what
        rates.add(parse.Offer(what.part, "OnDemand", Decimal("0.01"), DAY, (bangkok,)))
    disks = machine_types.described("c4-standard-4-lssd", 4, 15)
    assert prices(disks, rates, bangkok) == {}
    assert prices(machine_types.described("c4-standard-4", 4, 15), rates, bangkok)


def test_a_price_holds_from_the_day_of_its_newest_part() -> None:
    found = Rates()
    for description, day in (("N2 Instance Core in Iowa", 3), ("N2 Instance Ram in Iowa", 9)):
        what = sold(description)
        assert what
        since = date(2026, 8, day)
        found.add(parse.Offer(what.part, "OnDemand", Decimal("0.01"), since, (IOWA,)))
    (price,) = prices(machine_types.described("n2-standard-4", 4, 16), found).values()
    assert price.valid_from == date(2026, 8, 9)


@given(
    st.integers(1, 80),
    st.integers(1, 4 * 640),
    st.integers(1, 10**9),
    st.integers(1, 10**8),
)
def test_prices_are_exact_sums(vcpus: int, quarters: int, core: int, ram: int) -> None:
    """In whole billionths: four times the price is 4 x vCPUs x core + quarters x ram, to the
    rounding at the tenth decimal."""
    listed = {
        "N2 Custom Instance Core in Iowa": Decimal(core).scaleb(-9),
        "N2 Custom Instance Ram in Iowa": Decimal(ram).scaleb(-9),
    }
    shape = machine_types.custom(f"n2-custom-{vcpus}-{quarters * 256}")
    assert shape
    price = prices(shape, made(listed))["Standard"].list_unit_price
    exact = Decimal(4 * vcpus * core + quarters * ram).scaleb(-9) / 4
    assert abs(price - exact) <= Decimal("5e-11")
    assert price.as_tuple().exponent == -10
