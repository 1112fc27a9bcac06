"""Own machines: the examples of docs/method.md worked by hand, and what must always hold."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from costopt.optimize.own import (
    INPUTS,
    Own,
    annuity,
    break_even,
    break_even_month,
    closing,
    cost_per_used_hour,
    hourly_power,
    months_grid,
    standing_cost,
    tornado,
    utilization,
    worth_owning,
    yearly_saving,
)

GPU = Own(
    capex=40_000.0,
    life_years=4.0,
    salvage=0.0,
    rate=0.08,
    maintenance_yearly=2000.0,
    staff_yearly=800.0,
    hosting_yearly=800.0,
    busy_kw=1.0,
    idle_kw=0.3,
    pue=1.4,
    power_price=0.12,
)
"""The illustration of docs/method.md: a GPU with its share of the server."""

ROUND = Own(
    capex=1200.0,
    life_years=1.0,
    salvage=0.0,
    rate=0.0,
    maintenance_yearly=0.0,
    staff_yearly=0.0,
    hosting_yearly=0.0,
    busy_kw=0.0,
    idle_kw=0.0,
    pue=1.0,
    power_price=0.0,
)
"""1,200 for a year, and nothing else."""


def test_the_annuity_by_hand() -> None:
    # 0.08 / (1 - 1.08^-4) = 0.08 / (1 - 0.7350299)
    assert annuity(0.08, 4) == pytest.approx(0.3019208)
    assert annuity([0.0, 0.08], [4, 1]) == pytest.approx([0.25, 1.08])


@pytest.mark.parametrize(("rate", "years"), [(-1.0, 4.0), (0.08, 0.0)])
def test_what_is_no_loan_is_refused(rate: float, years: float) -> None:
    with pytest.raises(ValueError, match="above"):
        annuity(rate, years)


def test_the_illustration() -> None:
    # 40,000 x 0.3019208 = 12,076.83; + 2,000 + 800 + 800; idle 8760 x 0.3 x 1.4 x 0.12 = 441.50
    assert standing_cost(GPU) == pytest.approx(16_118.34, abs=0.01)
    assert hourly_power(GPU) == pytest.approx(0.7 * 1.4 * 0.12)
    # 16,118.34 / (8760 x (2.95 - 0.1176)) = 16,118.34 / 24,811.82
    assert break_even(GPU, [2.95, 6.90]) == pytest.approx([0.6496, 0.2713], abs=5e-5)
    # 16,118.34 / (8760 x 0.65) + 0.1176
    assert cost_per_used_hour(GPU, 0.65) == pytest.approx(2.9484, abs=5e-5)
    assert yearly_saving(GPU, 6.90, 0.65) == pytest.approx(
        0.65 * 8760 * 6.7824 - 16_118.34, abs=0.01
    )


def test_salvage_counts_at_what_it_is_worth_today() -> None:
    # 4,000 / 1.36048896 = 2,940.12; x 0.3019208 = 887.68 less a year
    sold = replace(GPU, salvage=4000.0)
    assert standing_cost(GPU) - standing_cost(sold) == pytest.approx(887.68, abs=0.01)


def test_spares_are_bought_kept_and_housed_but_draw_no_power() -> None:
    # 9 for 8: an eighth more of 12,076.83 + 2,000 + 800
    spare = replace(GPU, spares=1 / 8)
    assert standing_cost(spare) - standing_cost(GPU) == pytest.approx(14_876.83 / 8, abs=0.01)
    assert hourly_power(spare) == hourly_power(GPU)


def test_a_cloud_below_the_power_price_is_never_beaten() -> None:
    assert break_even(GPU, [0.1, 0.1175]).tolist() == [math.inf, math.inf]
    assert np.isnan(break_even(GPU, math.nan))
    assert np.isnan(break_even(replace(GPU, capex=math.nan), 3.0))


def test_what_is_never_used_costs_without_end() -> None:
    assert cost_per_used_hour(GPU, 0.0) == math.inf


@pytest.mark.parametrize(
    ("price", "month"),
    [
        # 1,200 against 730 h x price x 1.0 a month
        (1200 / 730 / 2, 2),
        (1200 / 730 / 12, 12),
        (1200 / 730 / 12.01, math.inf),
        (1200 / 730 * 5, 1),
        (0.0, math.inf),
    ],
)
def test_the_month_without_interest(price: float, month: float) -> None:
    assert break_even_month(ROUND, price, 1.0) == month


def test_the_month_with_interest_is_that_of_a_ledger() -> None:
    """Kept month by month, as a person would."""
    price, used = 6.90, 0.65
    monthly = used * 730 * (price - 0.1176) - (2000 + 800 + 800) / 12 - 730 * 0.3 * 1.4 * 0.12
    owed, month = 40_000.0, 0
    while owed > 0:
        month += 1
        owed -= monthly / 1.08 ** (month / 12)
    assert break_even_month(GPU, price, used) == month == 15


def test_salvage_can_break_even_at_the_very_end() -> None:
    # 11 x 100 paid back in eleven twelfths' pace: 12 x 90 = 1,080, and 120 from the sale
    sold = replace(ROUND, salvage=120.0)
    assert break_even_month(sold, 90 / 730, 1.0) == 12
    assert break_even_month(sold, 89 / 730, 1.0) == math.inf
    assert break_even_month(replace(sold, spares=1.0), 90 / 730, 1.0) == math.inf


def test_the_month_of_the_unknown_is_unknown() -> None:
    assert np.isnan(break_even_month(ROUND, math.nan, 1.0))
    assert np.isnan(break_even_month(ROUND, 1.0, math.nan))


def test_closing_the_racks_by_hand() -> None:
    """Bought for 1,200, would fetch 100 now and 0 after two more years; 60 a year to house."""
    racks = replace(ROUND, life_years=4.0, hosting_yearly=60.0)
    kept = closing(racks, salvage_now=100.0, years_left=2.0)
    assert standing_cost(kept) == pytest.approx(100 / 2 + 60)
    assert break_even(kept, 1.0) == pytest.approx(110 / 8760)
    # hosting is owed for one of the two years either way
    bound = closing(racks, salvage_now=100.0, years_left=2.0, contract_years=1.0)
    assert standing_cost(bound) == pytest.approx(100 / 2 + 30)
    owed = closing(racks, salvage_now=100.0, years_left=2.0, contract_years=5.0)
    assert standing_cost(owed) == pytest.approx(100 / 2)


def test_a_contract_with_interest() -> None:
    # r = 8 %: one of two years is 1 - 1/1.08 over 1 - 1/1.08^2 of the whole: 0.519231
    racks = replace(GPU, hosting_yearly=1000.0)
    bound = closing(racks, salvage_now=0.0, years_left=2.0, contract_years=1.0)
    assert bound.hosting_yearly == pytest.approx(480.7692, abs=1e-3)


def test_how_many_are_worth_owning() -> None:
    demand = [4.0] * 50 + [10.0] * 30 + [np.nan] * 7 + [0.5] * 20
    # needed at least: 4 in 80 % of the hours, 10 in 30 %
    assert worth_owning(demand, 0.65) == 4
    assert worth_owning(demand, 0.80) == 4
    assert worth_owning(demand, 0.30) == 10
    assert worth_owning(demand, 0.81) == 0
    assert worth_owning(demand, 0.0) == 10
    assert worth_owning(demand, 1.2) == 0
    assert worth_owning([np.nan], 0.5) == 0
    assert utilization(demand, 4) == pytest.approx((80 * 4 + 20 * 0.5) / 400)
    assert math.isnan(utilization([np.nan], 4))
    assert math.isnan(utilization([1.0], 0))


@given(
    st.lists(st.integers(0, 12), min_size=1, max_size=60),
    st.floats(0.2, 5.0),
)
def test_no_other_number_saves_more(demand: list[int], price: float) -> None:
    share = float(break_even(replace(ROUND, capex=8760.0), price))

    def saved(owned: int) -> float:
        used = float(np.minimum(demand, owned).mean())
        return used * price - owned  # 8,760 a year is 1 an hour

    best = worth_owning(demand, share)
    assert saved(best) == pytest.approx(max(saved(n) for n in range(14)))


machines = st.builds(
    Own,
    capex=st.floats(100, 1e5),
    life_years=st.floats(1, 10),
    salvage=st.floats(0, 100),
    rate=st.floats(0, 0.3),
    maintenance_yearly=st.floats(0, 5000),
    staff_yearly=st.floats(0, 5000),
    hosting_yearly=st.floats(0, 5000),
    busy_kw=st.floats(0.2, 2),
    idle_kw=st.floats(0, 0.2),
    pue=st.floats(1, 2),
    power_price=st.floats(0, 0.5),
    spares=st.floats(0, 1),
)


@given(machines, st.floats(0.5, 20))
def test_at_the_break_even_both_cost_the_same(own: Own, price: float) -> None:
    share = float(break_even(own, price))
    if 0 < share < math.inf:
        assert float(cost_per_used_hour(own, share)) == pytest.approx(price)
        assert float(yearly_saving(own, price, share)) == pytest.approx(0, abs=1e-6 * price * 8760)


@given(machines, st.floats(0.5, 20), st.floats(0.01, 1))
def test_what_saves_a_year_breaks_even_within_its_life(own: Own, price: float, used: float) -> None:
    month = float(break_even_month(own, price, used))
    if float(yearly_saving(own, price, used)) > 1e-6:
        assert 1 <= month <= math.ceil(float(np.asarray(own.life_years)) * 12)


@given(machines, st.floats(0.5, 20), st.floats(1.01, 100))
def test_another_currency_changes_nothing(own: Own, price: float, times: float) -> None:
    money = (
        "capex",
        "salvage",
        "maintenance_yearly",
        "staff_yearly",
        "hosting_yearly",
        "power_price",
    )
    other = replace(own, **{name: getattr(own, name) * times for name in money})
    assert break_even(other, price * times) == pytest.approx(break_even(own, price))


@given(machines, st.floats(0.5, 20), st.floats(1.0, 3.0))
def test_a_dearer_cloud_never_makes_owning_worse(own: Own, price: float, times: float) -> None:
    assert break_even(own, price * times) <= break_even(own, price) * (1 + 1e-12)
    here, there = (float(break_even_month(own, p, 0.6)) for p in (price, price * times))
    assert there <= here


def test_the_tornado_moves_one_input_at_a_time() -> None:
    found = tornado(GPU, 2.95, {"price": (2.0, 4.0), "pue": (1.1, 1.6), "capex": (30e3, 50e3)})
    assert [one.name for one in found] == ["price", "capex", "pue"]
    # 16,118.34 / (8760 x (2 - 0.1176)), and at 4
    assert found[0].at_low == pytest.approx(16_118.34 / (8760 * 1.8824), rel=1e-6)
    assert found[0].at_high == pytest.approx(16_118.34 / (8760 * 3.8824), rel=1e-6)
    # 10,000 x 0.3019208 / 24,811.82 up and down
    assert found[1].at_high - 0.649623 == pytest.approx(0.121684, abs=1e-5)
    assert 0.649623 - found[1].at_low == pytest.approx(0.121684, abs=1e-5)
    assert found[1].size == pytest.approx(0.243369, abs=1e-5)


def test_equal_swings_stand_by_name() -> None:
    ranges = {"staff_yearly": (700.0, 900.0), "maintenance_yearly": (1900.0, 2100.0)}
    assert [one.name for one in tornado(GPU, 2.95, ranges)] == [
        "maintenance_yearly",
        "staff_yearly",
    ]


def test_an_unknown_input_is_named() -> None:
    with pytest.raises(ValueError, match="capexx"):
        tornado(GPU, 2.95, {"capexx": (1, 2)})
    assert "price" in INPUTS


def test_the_grid_has_a_row_per_utilization() -> None:
    grid = months_grid(GPU, [2.95, 6.90], [0.2, 0.65, 1.0])
    assert grid.shape == (3, 2)
    assert grid[1, 1] == 15
    assert grid[0].tolist() == [math.inf, math.inf]
    assert grid[2, 0] > grid[2, 1]
