"""The sanity gate refuses what cannot be, names it, and leaves honest prices alone."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from costopt.model import Shape
from costopt.pricing import builtin, sanity
from costopt.pricing.catalogue import Catalogue
from costopt.pricing.layer import type_key
from costopt.pricing.sanity import screen
from tests.pricing.tables import SIZES, ladder, price, prices

SHAPES = {f"g{n}": Shape("Generic", f"g{n}", float(n)) for n in SIZES}


def refused(table: pa.Table, **known: Any) -> list[tuple[str, str]]:
    screened = screen(table, **{"shapes": SHAPES} | known)
    assert len(screened.kept) + len(screened.refused) == len(table)
    return [(r.price.instance_type, r.reason) for r in screened.refused]


def test_an_honest_ladder_passes() -> None:
    assert refused(ladder()[0]) == []


@pytest.mark.parametrize("hourly", ["0", "-0.05"])
def test_zero_and_less_are_refused(hourly: str) -> None:
    assert refused(prices(price("g1", hourly))) == [("g1", "not-positive")]


@pytest.mark.parametrize("times", ["1000", "0.001", "730", "100", "0.01", "5", "0.2"])
def test_a_slip_within_a_family_is_refused(times: str) -> None:
    rows = ladder(sizes=(1, 2, 8, 16, 32))[0]
    slip = prices(price("g4", str(Decimal("0.16") * Decimal(times))))
    found = screen(pa.concat_tables([rows, slip]), SHAPES).refused
    assert [(r.price.instance_type, r.reason) for r in found] == [("g4", "out-of-family")]
    assert "its family's price" in found[0].detail


def test_a_negotiated_discount_is_no_slip() -> None:
    rows = ladder(sizes=(1, 2, 8, 16, 32))[0]
    assert refused(pa.concat_tables([rows, prices(price("g4", "0.05"))])) == []


def test_a_size_explained_by_its_memory_passes() -> None:
    """Azure's constrained sizes: a quarter of the vCPUs at the price of the whole size."""
    known = {f"e{n}": Shape("Azure", f"e{n}", n, 8.0 * n, family="E") for n in (8, 16, 32, 64)}
    known["e64-8"] = Shape("Azure", "e64-8", 8, 512.0, family="E")
    rows = [price(f"e{n}", str(Decimal("0.063") * n)) for n in (8, 16, 32, 64)]
    assert refused(prices(*rows, price("e64-8", "4.032")), shapes=known) == []


def test_a_lone_type_is_compared_with_its_other_regions() -> None:
    """The p4d at a thousandth of its price (opencost/opencost#2796)."""
    known = {
        "p4d": Shape("AWS", "p4d", 96.0, 1152.0, gpu_model="A100", gpu_count=8, family="p4d"),
        **SHAPES,
    }
    rows = [
        row
        for region, level in (("r1", "1"), ("r2", "1.1"), ("r3", "1.3"), ("r4", "0.9"))
        for row in (
            price("p4d", str(Decimal("32.77") * Decimal(level)), RegionId=region),
            *(price(f"g{n}", str(Decimal("0.04") * n), RegionId=region) for n in SIZES),
        )
    ]
    wrong = price("p4d", "0.03277", RegionId="r5")
    assert refused(prices(*rows, wrong), shapes=known) == [("p4d", "out-of-region")]


def test_a_lone_type_in_a_lone_region_is_compared_with_its_provider() -> None:
    known = {"p4d": Shape("AWS", "p4d", 96.0, 1152.0, gpu_count=8, family="p4d"), **SHAPES}
    rows = ladder()[0]
    honest, wrong = prices(price("p4d", "32.77")), prices(price("p4d", "0.03277"))
    assert refused(pa.concat_tables([rows, honest]), shapes=known) == []
    assert refused(pa.concat_tables([rows, wrong]), shapes=known) == [("p4d", "implausible")]


def test_trusted_rows_decide_what_is_usual() -> None:
    """A whole list in cents agrees with itself, but not with the prices known before."""
    cents, trusted = ladder(rate="4")[0], ladder()[0]
    assert refused(cents) == []
    assert {reason for _, reason in refused(cents, trusted=trusted)} == {"off-list"}
    assert refused(trusted, trusted=trusted) == []
    dear = prices(price("g3", "3"))  # no g3 is known: 3 vCPUs at 0.04
    assert refused(dear, trusted=trusted, shapes=SHAPES | {"g3": Shape("Generic", "g3", 3.0)}) == [
        ("g3", "out-of-family")
    ]


def test_the_wrong_currency_is_refused() -> None:
    """0.16 USD an hour is 0.137 EUR or 26 JPY at the shipped rates, not 0.16 JPY."""
    rows = ladder()[0]
    known = {"trusted": rows}
    for amount, currency, reason in (
        ("0.14", "EUR", None), ("26", "JPY", None), ("0.05", "EUR", None),
        ("0.16", "JPY", "off-list"), ("26", "USD", "off-list"), ("0.16", "XXQ", "unknown-currency"),
        ("0.16", "usd", None),
    ):  # fmt: skip
        told = refused(prices(price("g4", amount, PricingCurrency=currency)), **known)
        assert told == ([("g4", reason)] if reason else []), (amount, currency)
    (one,) = screen(prices(price("g4", "0.16", PricingCurrency="JPY")), SHAPES, rows).refused
    assert one.detail == "1/157 of what is known of the type there"


def test_a_currency_without_a_rate_is_compared_with_itself_only() -> None:
    rows = [price(f"g{n}", str(Decimal("0.4") * n), PricingCurrency="MAD") for n in SIZES]
    assert refused(prices(*rows), trusted=ladder()[0]) == []
    rows[2]["ListUnitPrice"] *= 100
    assert refused(prices(*rows), trusted=ladder()[0]) == [("g4", "out-of-family")]


def test_other_systems_and_categories_are_not_compared_but_currencies_are() -> None:
    rows = ladder()[0]
    other = [
        price("g4", "25", PricingCurrency="JPY"),
        price("g4", "2", x_OperatingSystem="Windows"),
        price("g4", "0.01", PricingCategory="Committed"),
    ]
    assert refused(pa.concat_tables([rows, prices(*other)])) == []


def test_spot_may_wander_further_than_on_demand() -> None:
    spot = [price(f"g{n}", str(Decimal("0.01") * n), PricingCategory="Dynamic") for n in SIZES]
    spot[2]["ListUnitPrice"] *= 8
    assert refused(prices(*spot)) == []
    spot[2]["ListUnitPrice"] *= 2
    assert refused(prices(*spot)) == [("g4", "out-of-family")]


def test_spot_at_less_than_a_twentieth_of_on_demand_is_refused() -> None:
    """On demand g4 is 0.16: spot at 0.008 may be, at 0.0079 not, in whatever currency."""
    rows = ladder()[0]
    for amount, currency, bad in (
        ("0.0081", "USD", False), ("0.0079", "USD", True), ("0.0072", "EUR", False),
        ("0.0070", "EUR", True),
    ):  # fmt: skip
        spot = prices(price("g4", amount, PricingCategory="Dynamic", PricingCurrency=currency))
        wanted = [("g4", "below-floor")] if bad else []
        assert refused(spot, trusted=rows) == wanted, amount
        assert refused(pa.concat_tables([rows, spot])) == wanted, amount
    (one,) = screen(spot, SHAPES, rows).refused
    assert one.detail == "1/21 of what it costs on demand there"


def test_unknown_types_cannot_be_judged_and_pass() -> None:
    assert refused(prices(price("mystery", "12345"))) == []
    assert refused(prices()) == []


def test_family_from_the_name_where_no_shape_names_one() -> None:
    assert sanity.family_of("m5.large") == "m5"
    assert sanity.family_of("g16") == sanity.family_of("g4") == "g#"


@settings(max_examples=60)
@given(
    order=st.permutations(range(len(SIZES) + 1)),
    rate=st.decimals("0.001", "50", places=3),
    times=st.sampled_from([Decimal("0.001"), Decimal(20), Decimal(1000)]),
)
def test_the_slip_and_only_it_whatever_the_order_and_level(
    order: list[int], rate: Decimal, times: Decimal
) -> None:
    rows = ladder(rate=str(rate))[0].to_pylist()
    rows.append(price("g4", str((rate * 4 * times).quantize(Decimal("1e-9"))), RegionId=None))
    table = prices(*(rows[n] for n in order))
    found = screen(table, SHAPES).refused
    assert [r.price.list_unit_price for r in found] == [rows[-1]["ListUnitPrice"]]


@pytest.mark.parametrize("provider", builtin.provider_keys())
def test_the_snapshot_passes_its_own_gate(provider: str) -> None:
    table = builtin.read(provider, "prices")
    rows = builtin.read(provider, "shapes")
    assert table is not None
    assert rows is not None
    catalogue = Catalogue.load()
    known = {
        type_key(name): shape
        for name in rows.column("x_InstanceType").to_pylist()
        if (shape := catalogue.shape(provider, name))
    }
    assert screen(table, known).refused == ()
