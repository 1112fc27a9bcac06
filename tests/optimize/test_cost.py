"""optimize/cost.py: the price of a machine and of what may go wrong with it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from costopt.optimize.cost import ROLLBACK_COSTS, expected, flip, on_ladder, safe_size

LADDER = np.array([1.0, 0.5, 0.25, 0.125, 0.0625])
prices = st.floats(0.01, 2.0).map(lambda price: round(price, 3))
chances = st.integers(0, 1000).map(lambda permille: permille / 1000)
markets = st.lists(st.tuples(prices, chances), min_size=1, max_size=6)


def test_the_cost_to_expect_by_hand() -> None:
    found = expected(np.array([0.1, 0.2, 0.8]), np.array([0.5, 0.1, 0.25]), 0.4, 2.0)
    # undone, 0.3 and 0.2 more are paid for the safe machine, nothing for a dearer one
    assert found.tolist() == pytest.approx([0.1 + 0.55, 0.2 + 0.1, 0.8 + 0.2])


def test_what_cannot_go_wrong_costs_its_price() -> None:
    assert expected(np.array([0.3]), np.array([0.0]), 9.0, 9.0).tolist() == [0.3]


def test_where_no_rollback_may_be_only_what_cannot_go_wrong_is_cheap() -> None:
    found = expected(np.array([0.1, 0.3, 0.8]), np.array([0.001, 0.0, 0.0]), 0.4, np.inf)
    assert found.tolist() == [np.inf, 0.3, 0.8]  # and no warning of 0 * infinity


def test_a_machine_dearer_than_the_safe_one_costs_the_trouble_alone() -> None:
    assert expected(np.array([0.5]), np.array([0.2]), 0.4, 0.5).tolist() == [0.5 + 0.2 * 0.2]


def test_a_sure_rollback_costs_the_safe_machine_and_the_trouble() -> None:
    found = expected(np.array([0.01, 0.1, 0.4]), np.ones(3), 0.4, 0.5)
    assert found.tolist() == pytest.approx([0.6, 0.6, 0.6])


def test_cautious_is_dearer_than_default_and_bold_cheaper() -> None:
    assert ROLLBACK_COSTS == {"cautious": 2.0, "default": 0.5, "bold": 0.2}


# -- where the answer flips ------------------------------------------------------------------


@given(markets, prices, st.floats(0.0, 5.0))
def test_the_flip_agrees_with_trying(
    market: list[tuple[float, float]], safe: float, rollback_cost: float
) -> None:
    price, risk = (np.array(column) for column in zip(*market, strict=True))
    costs = expected(price, risk, safe, rollback_cost)
    chosen = int(np.argmin(costs))
    found = flip(price, risk, safe, chosen, rollback_cost)
    far = 1e7 if found is None else found[0] - 1e-6 * (1 + found[0])
    if far > rollback_cost:
        for tried in np.linspace(rollback_cost, far, 50):
            then = expected(price, risk, safe, float(tried))
            assert then[chosen] <= then.min() * (1 + 1e-9) + 1e-9
    if found is not None:
        assume(found[0] < 1e6)
        beyond = expected(price, risk, safe, found[0] * (1 + 1e-6) + 1e-6)
        assert beyond[found[1]] <= beyond[chosen]


def test_a_flip_by_hand() -> None:
    price, risk = np.array([0.1, 0.2, 0.8]), np.array([0.5, 0.1, 0.0])
    # 0.1 + 0.5 * (0.1 + 0.2 k) = 0.2 + 0.1 * 0.2 k at 0.15 + 0.1 k = 0.2 + 0.02 k
    assert flip(price, risk, 0.2, 0, 0.5) == (pytest.approx(0.625), 1)
    # 0.2 + 0.02 k = 0.8 at 30
    assert flip(price, risk, 0.2, 1, 0.7) == (pytest.approx(30), 2)
    assert flip(price, risk, 0.2, 2, 31) is None
    # at the tie itself, whatever the last bit
    assert flip(price, risk, 0.2, 0, 0.625) == (pytest.approx(0.625), 1)


# -- a ladder of relative sizes --------------------------------------------------------------


def test_the_safe_size_holds_the_peak_under_the_limit() -> None:
    peaks = np.array([1.0, 5.625, 5.63, 22.5, 44.0, 45.1, 90.0, 97.0])
    assert safe_size(LADDER, peaks, 90).tolist() == [0.0625, 0.0625, 0.125, 0.25, 0.5, 1, 1, 1]


def test_on_a_ladder_each_window_gets_its_own_size() -> None:
    risk = np.array([[0, 0.0, 0.0, 0.1, 1.0], [0, 0.6, 1.0, 1.0, 1.0]])
    found = on_ladder(LADDER, risk, np.array([10.0, 80.0]), 0.5, 90)
    # 0.125 + 0.1 * 0.0625; and for 80 % whatever is smaller costs 0.5 + 0.6 * (0.5 + 0.5)
    assert found.tolist() == [3, 0]


@given(
    st.lists(chances, min_size=4, max_size=4).map(sorted),
    st.floats(0.1, 105),
    st.floats(0.01, 5),
    st.floats(1, 50),
)
def test_a_dearer_rollback_never_gives_a_smaller_size(
    risk: list[float], peak: float, cost: float, factor: float
) -> None:
    rising = np.array([[0.0, *risk]])
    cheap, dear = (
        int(on_ladder(LADDER, rising, np.array([peak]), kappa, 90)[0])
        for kappa in (cost, cost * factor)
    )
    assert dear <= cheap
