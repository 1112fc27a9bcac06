"""Both sides of a comparison priced as Google would bill them: sustained use discounts."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from costopt.model import Cost, Price, Recommendation
from costopt.rules.base import Case
from costopt.rules.prices import all_as_billed, as_billed, dated, unbilled_cost
from tests.rules.builders import Type, billed, case, catalogue, kind, recorded, samples
from tests.rules.judging import advised, judge

# Of the base price, for each quarter of a month: the table of Google's documentation.
QUARTERS: Final = {"n1": (1.0, 0.8, 0.6, 0.4), "n2": (1.0, 0.8678, 0.733, 0.6), "n4": (1.0,) * 4}


def sold(*types: tuple[str, float, str]) -> tuple[Type, ...]:
    """Types of one hardware each, of 4 GiB a vCPU."""
    return tuple(
        kind(f"{name}-standard-{vcpus:g}", vcpus, hourly, 4.0 * vcpus, Family=f"{name}-standard")
        for name, vcpus, hourly in types
    )


def google(instance_type: str, types: tuple[Type, ...], **more: Any) -> Case:
    return case(
        instance_type,
        samples(level=15),
        provider="GCP",
        types=types,
        metrics={"memory_utilization": samples(level=10)},
        **more,
    )


def by_the_hour(series: str, hourly: float, share: float) -> float:
    """A month's bill of a machine, each hour at the rate of the quarter that it falls into."""
    hours = range(round(730 * share))
    return sum(hourly * QUARTERS[series][min(3, int(hour / 182.5))] for hour in hours)


# -- by hand ---------------------------------------------------------------------------------


def test_a_month_of_n1_by_google_s_table() -> None:
    """n1-standard-1, 0.0475 an hour, at 0.0475, 0.0380, 0.0285 and 0.0190 a quarter: 24.27."""
    found = google("n1-standard-1", sold(("n1", 1, "0.0475"))).cost
    assert found is not None
    # 182.5 hours each: 8.66875 + 6.935 + 5.20125 + 3.4675
    assert found.compute == Decimal("24.2725")
    assert found.compute_list == Decimal("34.675")
    assert found.hourly_effective == Decimal("0.03325")


def test_a_move_from_n1_saves_what_leaves_the_bill() -> None:
    """n1-standard-4 to n4-standard-2 where it costs 0.19 and 0.067022 an hour."""
    found = advised(google("n1-standard-4", sold(("n1", 4, "0.19"), ("n4", 2, "0.067022"))))
    # 0.19 x 0.7 x 730 = 97.09 and 0.067022 x 730 = 48.92606, never rounded up
    assert found.estimated_monthly_savings.target == Decimal("48.16")
    assert found.estimated_monthly_savings.at_list == Decimal("89.773940")
    assert "0.06702 instead of 0.133 USD an hour at list less sustained use" in found.reason


def test_within_a_series_nothing_changes() -> None:
    types = sold(("n1", 4, "0.19"), ("n1", 2, "0.095"))
    found = advised(google("n1-standard-4", types)).estimated_monthly_savings
    assert found.target == Decimal("48.54")  # half of 97.09, rounded down
    assert found.at_list == Decimal("69.350000")


def test_what_is_only_cheaper_at_list_is_no_advice() -> None:
    """N1 at 0.19 costs 0.133; N4 of half the size at 0.14 is cheaper by the list alone."""
    outcome = judge(google("n1-standard-4", sold(("n1", 4, "0.19"), ("n4", 2, "0.14"))))
    assert not isinstance(outcome, Recommendation)


# -- once ------------------------------------------------------------------------------------


def test_the_discount_in_the_bill_is_not_taken_off_again() -> None:
    """The bill is net of credits: 97.09 for a month of n1-standard-4."""
    types = sold(("n1", 4, "0.19"), ("n4", 2, "0.067022"))
    cost = billed("97.09", listed="138.70")
    found = advised(google("n1-standard-4", types, cost=cost)).estimated_monthly_savings
    assert found.target == Decimal("48.16")


def test_a_bill_without_a_list_price_is_compared_as_it_stands() -> None:
    """A type that no list has, for 0.133 an hour as billed."""
    types = sold(("n1", 2, "0.095"), ("n4", 2, "0.067022"))
    shape = {"vcpus": 4.0, "memory_gib": 16.0}
    given = google("n1-gone-4", types, cost=billed("97.09", listed="138.70"), **shape)
    found = advised(given)
    assert found.recommended is not None
    # n4's 0.067022 against n1-standard-2's 0.0665: the cheaper one as billed, dearer at list
    assert found.recommended.instance_type == "n1-standard-2"
    assert found.estimated_monthly_savings.target == Decimal("48.54")


@pytest.mark.parametrize(
    ("cost", "more"),
    [
        (billed("100", committed_share=1.0), {}),
        (billed("100"), {"pricing_category": "Dynamic"}),
    ],
)
def test_none_under_a_commitment_nor_on_the_spot_market(
    cost: Cost, more: dict[str, object]
) -> None:
    types = (
        kind("n1-standard-4", 4, "0.2", 16.0, Family="n1-standard"),
        kind("n4-standard-2", 2, "0.15", 8.0, Family="n4-standard"),
    )
    spot = tuple(Type(t.name, t.vcpus, t.hourly, t.memory_gib, t.hourly, t.more) for t in types)
    found = advised(google("n1-standard-4", spot, cost=cost, **more)).estimated_monthly_savings
    assert found.high == Decimal("25")  # a quarter, as the list has it


def test_other_clouds_have_none() -> None:
    types = sold(("n1", 4, "0.19"))
    made = recorded("n1-standard-4", samples(), provider="Other", types=types).case
    assert made.cost == unbilled_cost(made.resource, made.price)
    assert made.cost is not None
    assert made.cost.compute == Decimal("138.70")


# -- at any time -----------------------------------------------------------------------------

dollars = st.decimals("0.01", "5", places=4)
series = st.sampled_from(sorted(QUARTERS))


@given(series, dollars, series, dollars, st.integers(1, 730))
def test_a_saving_is_the_difference_of_two_bills(
    today: str, now: Decimal, then: str, later: Decimal, hours: int
) -> None:
    """Whatever the series and the hours that it runs, counted hour by hour."""
    share = hours / 730
    month = Decimal(repr(share))
    before = by_the_hour(today, float(now), share)
    after = by_the_hour(then, float(later), share)
    costs = [
        float(as_billed(price, f"{name}-standard-4", month)) * hours
        for name, price in ((today, now), (then, later))
    ]
    # an hour that lies in two quarters is billed at both rates
    slack = 1e-9 + 0.6 * float(max(now, later))
    assert costs[0] - costs[1] == pytest.approx(before - after, abs=3 * slack)
    if hours == 730:
        assert costs == pytest.approx([before, after], abs=3 * slack)


@given(st.lists(st.tuples(series, dollars), min_size=1, max_size=4, unique_by=lambda t: t[0]),
       st.decimals(0, 1, places=3))  # fmt: skip
def test_all_of_a_market_as_each(types: list[tuple[str, Decimal]], month: Decimal) -> None:
    market = catalogue("GCP", *sold(*((name, 4, str(hourly)) for name, hourly in types))).market(
        "GCP", None
    )
    each = [
        float(as_billed(price.list_unit_price, price.instance_type, month))
        for price in market.prices
    ]
    assert all_as_billed(market, month).tolist() == pytest.approx(each)


# -- how old prices are ----------------------------------------------------------------------


class Dated:
    """A catalogue's prices by type, each of a day."""

    def __init__(self, days: dict[str, date]) -> None:
        self.days = days

    def price(self, provider: str, region: str | None, name: str, **_: Any) -> Price | None:
        day = self.days.get(name)
        return day and Price(provider, region, name, Decimal(1), valid_from=day)


def of_days(**days: date) -> tuple[Recommendation, Case]:
    """A machine g16 whose work g4 does, by prices of those days."""
    found = case("g16", samples(level=15))
    advice = advised(found)
    assert advice.recommended is not None
    assert (advice.current.instance_type, advice.recommended.instance_type) == ("g16", "g4")
    return advice, replace(found, catalogue=Dated(days))


def test_the_oldest_price_of_a_comparison_is_told_where_it_is_stale() -> None:
    advice, found = of_days()
    today = found.as_of.date()
    old, edge = today - timedelta(days=181), today - timedelta(days=180)
    told = dated(*of_days(g16=today, g4=old))
    assert told.reason == f"{advice.reason}; prices of {old} may be stale"
    assert told.evidence["prices_of"] == [old.isoformat(), today.isoformat()]
    told = dated(*of_days(g16=edge, g4=edge))
    assert told.reason == advice.reason
    assert told.evidence["prices_of"] == [edge.isoformat()]
    assert dated(*of_days()) == advice  # no day is known


def test_what_ends_rests_on_the_bill_and_without_one_on_the_list() -> None:
    advice, found = of_days(g16=date(2020, 1, 1))
    stop = replace(advice, recommended=None)
    assert stop.estimated_monthly_savings.basis == "list"
    assert "prices of 2020-01-01 may be stale" in dated(stop, found).reason
    billed_ = replace(advice.estimated_monthly_savings, basis="charges")
    assert dated(replace(stop, estimated_monthly_savings=billed_), found).reason == stop.reason
