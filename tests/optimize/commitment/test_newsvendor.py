"""The newsvendor against brute force and against cases worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from costopt.errors import InsufficientData
from costopt.optimize.commitment import best_quantity, commit, newsvendor


def _cost(hours: np.ndarray, price: float, rate: float, quantity: float) -> float:
    """As the words say it, hour by hour."""
    known = [d for d in hours.tolist() if d == d]
    return sum(rate * quantity + price * max(0.0, d - quantity) for d in known) / len(known)


_DEMAND = st.lists(
    st.one_of(st.integers(0, 6).map(float), st.floats(0, 100), st.just(float("nan"))),
    min_size=1,
    max_size=40,
).filter(lambda hours: any(d == d for d in hours))


@given(_DEMAND, st.integers(0, 40), st.integers(1, 30))
@settings(max_examples=150)
def test_no_quantity_costs_less(demand: list[float], rate: int, price: int) -> None:
    hours = np.array(demand)
    chosen = best_quantity(hours, price, rate)
    mine = _cost(hours, price, rate, chosen)
    # Cost is piecewise linear: its least lies at 0 or at an observed demand.
    tried = sorted({0.0, *(d for d in demand if d == d)})
    least = min(_cost(hours, price, rate, k) for k in tried)
    assert mine == pytest.approx(least, abs=1e-9)
    smaller = [k for k in tried if k < chosen]
    assert all(
        _cost(hours, price, rate, k) > mine + 1e-12 * k for k in smaller if chosen - k > 1e-6
    )


@given(_DEMAND, st.integers(0, 20), st.integers(1, 20), st.sampled_from([0.5, 1.0, 3.0]))
@settings(max_examples=80)
def test_no_multiple_of_the_step_costs_less(
    demand: list[float], rate: int, price: int, step: float
) -> None:
    hours = np.array(demand)
    chosen = best_quantity(hours, price, rate, step)
    assert chosen / step == pytest.approx(round(chosen / step))
    tried = np.arange(0, np.nanmax(hours) + 2 * step, step)
    least = min(_cost(hours, price, rate, float(k)) for k in tried)
    assert _cost(hours, price, rate, chosen) == pytest.approx(least, abs=1e-9)


@pytest.mark.parametrize(
    ("rate", "expected"),
    [(0.7, 3.0), (0.69, 4.0), (0.71, 3.0), (0.0, 10.0), (1.0, 0.0), (1.2, 0.0), (0.95, 1.0)],
)
def test_the_quantile_of_ten_hours(rate: float, expected: float) -> None:
    """At 0.7 exactly seven of ten hours exceed 3: 3 and 4 cost the same, the smaller is bought."""
    assert best_quantity(np.arange(1.0, 11.0), 1.0, rate) == expected


def test_figures_of_a_hand_made_history() -> None:
    # Four hours known: 2, 4, 4, 10 at 2 a unit; committed 1.2, so K = F^-1(0.4) = 4.
    found = newsvendor([2.0, 4.0, np.nan, 4.0, 10.0], 2.0, 1.2)
    assert found.quantity == 4.0
    assert found.break_even == pytest.approx(0.6)
    outcome = found.outcome
    assert (outcome.hours, outcome.missing) == (4, 1)
    assert outcome.on_demand == pytest.approx(10.0)  # 2 * 20 / 4
    assert outcome.committed == pytest.approx(4.8)
    assert outcome.saving == pytest.approx(2 * 14 / 4 - 4.8)
    assert outcome.utilisation == pytest.approx(3.5 / 4)
    assert outcome.coverage == pytest.approx(14 / 20)
    assert outcome.share == pytest.approx(0.22)
    assert outcome.worst == ()  # no week of it


def test_worst_week_month_and_a_fall_that_stays() -> None:
    # Ten weeks of 10, the sixth to ninth of which run 2 only; one week of 1 at the end.
    hours = np.repeat([10.0, 2.0, 10.0, 1.0], np.array([5, 4, 10, 1]) * 168)
    found = newsvendor(hours, 1.0, 0.5, term_hours=8 * 168)
    assert found.quantity == 10.0
    week, month, term = found.outcome.worst
    assert (week.hours, week.start) == (168, 19 * 168)
    assert week.saving == pytest.approx(1 - 5)
    assert week.share == pytest.approx(-4)
    assert (month.hours, month.start) == (672, 5 * 168)
    assert month.saving == pytest.approx(2 - 5)
    assert term.hours == 8 * 168
    assert term.saving == pytest.approx((4 * 2 + 4 * 10) / 8 - 5)
    assert found.stuck == pytest.approx(-3.0)


def test_an_outage_of_the_meter_is_no_fall_of_demand() -> None:
    hours = np.full(6 * 168, 8.0)
    hours[200:420] = np.nan
    found = newsvendor(hours, 1.0, 0.6)
    assert found.quantity == 8.0
    assert [one.share for one in found.outcome.worst] == pytest.approx([0.4, 0.4])
    assert found.stuck == pytest.approx(8 * 0.4)


def test_a_week_without_demand_loses_everything() -> None:
    hours = np.concatenate((np.full(900, 5.0), np.zeros(168)))
    week = commit(hours, 1.0, 0.6, 5.0).worst[0]
    assert week.saving == pytest.approx(-3.0)
    assert week.share == -np.inf
    assert commit(np.zeros(200), 1.0, 0.6, 0.0).worst[0].share == 0.0


@pytest.mark.parametrize("wrong", [[-1.0], [np.inf], [[1.0]]])
def test_demand_that_cannot_be(wrong: list[float]) -> None:
    with pytest.raises(ValueError, match="demand"):
        newsvendor(wrong, 1.0, 0.5)


@pytest.mark.parametrize(("price", "rate", "step"), [(0, 1, 0), (1, -1, 0), (1, 1, -1)])
def test_prices_that_cannot_be(price: float, rate: float, step: float) -> None:
    with pytest.raises(ValueError, match="above 0"):
        newsvendor([1.0], price, rate, step=step)


def test_nothing_known() -> None:
    with pytest.raises(InsufficientData):
        newsvendor([np.nan, np.nan], 1.0, 0.5)
