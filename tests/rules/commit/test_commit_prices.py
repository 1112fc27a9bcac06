"""Prices that are missing, wrong, old, of another place, of an unknown term: by hand."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from costopt import schema
from costopt.model.bill import Metered
from costopt.pricing.catalogue import Catalogue
from costopt.rules.commit import Commitments
from tests.rules.commit.bills import (
    PLAN,
    RATE,
    REGION,
    SURE,
    WEEK,
    advise,
    bill,
    bought,
    held,
    machine,
    prices,
    usage,
)

pytestmark = pytest.mark.usefixtures("only_own_lists")
LONG = np.ones(30 * WEEK)
SHORT = np.ones(9 * WEEK)
SP = "aws/compute-savings-plan"
THREE = "3yr no-upfront compute-savings-plan"


def two_families(hours: np.ndarray = LONG, count: int = 4) -> Metered:
    m5 = [usage(f"i-{n}", hours) for n in range(count)]
    return bill([*m5, *(usage(f"i-c{n}", hours, rate=0.085, sku="c5.large") for n in range(count))])


def known(count: int = 4) -> list[Any]:
    return [machine(f"i-{n}") for n in range(count)] + [
        machine(f"i-c{n}", "c5.large") for n in range(count)
    ]


def saved(found: Commitments) -> float:
    return float(sum(one.estimated_monthly_savings.target for one in found.recommendations))


def reasons(found: Commitments) -> list[str]:
    return [skip.reason for skip in found.skips]


def one_of(**fields: Any) -> Catalogue:
    """A list of one row; what is not said is as in `prices`."""
    row = {
        "ProviderName": "AWS", "RegionId": REGION, "x_InstanceType": "m5.large",
        "x_OperatingSystem": "Linux", "PricingCategory": "Committed", "x_Term": PLAN[1],
        "ListUnitPrice": Decimal("0.072"), "PricingCurrency": "USD",
        "x_ValidFrom": date(2026, 5, 1), "x_Source": "a list", **fields,
    }  # fmt: skip
    return Catalogue.load(pa.Table.from_pylist([row], schema=schema.PRICES))


def four(**fields: Any) -> Commitments:
    return advise(bill([usage(f"i-{n}", SHORT) for n in range(4)]), one_of(**fields))


def test_one_missing_price_hides_no_other() -> None:
    """m5 for a year and for three, c5 for a year only: both are bought."""
    listed = prices(PLAN, ("c5.large", PLAN[1], "0.06375"), ("m5.large", THREE, "0.048"))
    found = advise(two_families(), listed, resources=known())
    assert {one.resource_id for one in found.recommendations} == {SP, f"{SP}/c5@{REGION}"}
    # Half of the price of m5 (three years), a quarter of that of c5 (one).
    expected = 4 * (0.096 * 0.5 + 0.085 * 0.25) * 730
    assert saved(found) == pytest.approx(expected, rel=0.01)
    assert reasons(found) == []
    (own,) = [one for one in found.recommendations if one.resource_id != SP]
    assert own.resource_name == f"Compute Savings Plan (c5@{REGION})"


def test_kinds_that_share_no_way_of_paying() -> None:
    upfront = ("c5.large", "1yr all-upfront compute-savings-plan", "0.06375")
    found = advise(two_families(), prices(PLAN, upfront), resources=known())
    assert saved(found) == pytest.approx(4 * (0.096 + 0.085) * 0.25 * 730, rel=0.01)
    assert reasons(found) == []


def with_plans(hours: np.ndarray) -> Metered:
    """A plan of each family at half price, for one of its four machines."""
    both = two_families(hours)
    plans = [held(f"plan-{n}", np.full(len(hours), c)) for n, c in ((0, 0.048), (1, 0.0425))]
    usages = []
    for one in both.usages:
        name, price = ("plan-1", 0.0425) if "c" in (one.resource_id or "") else ("plan-0", 0.048)
        usages.append(
            usage(one.resource_id, one.quantity, rate=float(one.rate[0]),
                  sku=one.key.split("\x1f")[4], uses={name: price})
        )  # fmt: skip
    return bill(usages, plans)


def test_two_plans_that_cover_different_families() -> None:
    found = advise(
        with_plans(SHORT), prices(), resources=[*known(), bought("plan-0"), bought("plan-1")]
    )
    (one,) = found.recommendations  # of one term and payment: one plan
    assert saved(found) == pytest.approx(3 * (0.096 + 0.085) * 0.5 * 730, rel=0.01)
    assert one.evidence["price_source"] == (
        "the bill: plan-0 takes 50 % off there; the bill: plan-1 takes 50 % off there"
    )


def test_a_list_of_one_region_leaves_the_bills_own_discount_in_another() -> None:
    far = [usage(f"e-{n}", SHORT, region="eu-west-1", uses={"plan": 0.072}) for n in range(4)]
    near = [usage(f"i-{n}", SHORT) for n in range(2)]
    plan = held("plan", 0.072 * SHORT)
    names = [one.resource_id or "" for one in (*far, *near)]
    resources = [*map(machine, names), bought("plan")]
    found = advise(bill([*far, *near], [plan]), prices(PLAN), resources=resources)
    # Two of one region by the list, three of the other by the bill: a quarter off each.
    assert saved(found) == pytest.approx(5 * 0.024 * 730, rel=0.01)
    without = advise(bill([*far, *near], [plan]), prices(), resources=resources)
    assert saved(without) == pytest.approx(saved(found), rel=0.01)


def test_a_term_that_nobody_tells_is_taken_for_the_longest() -> None:
    """Nine weeks are too few for what may be three years; thirty are not, and it is said."""
    found = advise(with_plans(SHORT), prices(), resources=known())
    assert found.recommendations == ()
    assert reasons(found) == ["no-commitment-price"]
    assert "how long the bill's own commitment binds is not told" in found.skips[0].detail
    long = advise(with_plans(LONG), prices(), resources=known())
    (one,) = long.recommendations
    assert {part["term"] for part in one.evidence["tranches"]} == {"not told, taken for 3yr"}
    assert "a term that is not told, taken for 3 years" in one.reason
    asked = SURE.model_copy(update={"term": "3yr"})
    assert advise(with_plans(LONG), prices(), asked, resources=known()).recommendations == ()


@pytest.mark.parametrize("term", ["0yr", "18mo", "a while", "0yr no-upfront compute-savings-plan"])
def test_a_term_that_is_no_term_is_told(term: str) -> None:
    found = four(x_Term=term)
    assert found.recommendations == ()
    (note,) = found.notes
    assert f"x_Term is not understood are left out: {term!r}" in note


@pytest.mark.parametrize("term", ["12mo", "1Yr No Upfront", "P1Y", "1 year"])
def test_terms_as_people_write_them(term: str) -> None:
    (one,) = four(x_Term=term).recommendations
    assert {part["term"] for part in one.evidence["tranches"]} == {"1yr"}


def test_a_price_that_cannot_be_is_refused_and_told() -> None:
    found = four(ListUnitPrice=Decimal("0.002"))
    assert found.recommendations == ()
    assert "98 % below what it costs on demand, which cannot be" in found.notes[0]
    assert "what a list names cannot be right" in found.skips[0].detail
    cheap = four(ListUnitPrice=Decimal("0.0192"))  # 80 % off: as low as it goes
    assert len(cheap.recommendations) == 1


def test_an_old_list_is_told() -> None:
    found = four(x_ValidFrom=date(2019, 1, 1))
    assert len(found.recommendations) == 1
    assert "committed prices of a list are of 2019-01-01" in found.notes[0]
    assert four().notes == ()


def test_why_there_is_no_price() -> None:
    for fields, why in (
        ({"PricingCurrency": "EUR"}, "no list names one in USD, but in EUR"),
        ({"RegionId": "eu-west-1"}, "lists name one in other regions only"),
        ({"x_OperatingSystem": "Windows"}, "lists name one for other systems only"),
        ({"ListUnitPrice": Decimal("0.1")}, "what a list names is not below what is paid"),
        ({"x_Term": THREE}, "a list is of 3yr no-upfront: more than a year needs 26 weeks"),
        ({"x_InstanceType": "m5.xlarge"}, "no list names a committed price, nor does the bill"),
    ):
        (skip,) = four(**fields).skips
        assert skip.reason == "no-commitment-price"
        assert why in skip.detail


def test_three_years_are_sold_in_increments_and_paid_when_they_are_bought() -> None:
    """All upfront: 37 % of the price on demand, in tenths of a cent an hour."""
    terms = (("m5.large", "3yr all-upfront compute-savings-plan", "0.03552"), PLAN)
    found = advise(bill([usage(f"i-{n}", LONG) for n in range(4)]), prices(*terms))
    (one,) = found.recommendations
    parts = one.evidence["tranches"]
    for part in parts:
        steps = float(part["hourly_commitment"]) * 1000
        assert steps == pytest.approx(round(steps), abs=1e-6)
        share = 1 if part["payment"] == "all-upfront" else 0
        hours = 8760 * int(part["term"][0])
        paid = float(part["hourly_commitment"]) * hours
        assert float(part["upfront"]) == pytest.approx(paid * share, abs=0.01)
        assert float(part["hourly_after_upfront"]) == float(part["hourly_commitment"]) * (1 - share)
    assert one.evidence["upfront"] == sum(part["upfront"] for part in parts) > 0
    # At the price of what is bought, beside it.
    told = one.evidence
    ratio = float(told["hourly_commitment"]) / float(told["best_on_history_hourly_commitment"])
    assert ratio == pytest.approx(told["bought_of_best_share"], abs=1e-3)
    assert ratio == pytest.approx(float(told["replaced_hourly"]) / (4 * RATE), abs=0.01)
