"""optimize/guard.py: how many violations use up a budget, and how many more are allowed for."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from costopt.optimize.guard import allowance, samples_to_revert


@pytest.mark.parametrize(
    ("slots", "budget", "expected"),
    [
        (4032, 0.005, 21),  # 14 days of 5 minutes: 20.16
        (336, 0.005, 2),  # of an hour: 1.68
        (4000, 0.005, 21),  # 20 are within the budget
        (100, 0.29, 30),  # 0.29 * 100 is 28.999999999999996, and means 29
        (0, 0.005, 1),
    ],
)
def test_the_first_sample_that_is_too_many(slots: int, budget: float, expected: int) -> None:
    assert samples_to_revert(slots, budget) == expected


@pytest.mark.parametrize(
    ("share", "expected"),
    [(0, 0), (8 / 4032, 8), (7.5 / 4032, 8), (7.01 / 4032, 8), (1, 4032)],
)
def test_a_share_of_the_past_is_allowed_and_never_too_few(share: float, expected: int) -> None:
    assert allowance(4032, share) == expected


@given(st.integers(1, 100_000), st.floats(0, 1), st.floats(0, 1))
def test_one_less_is_within_the_budget_and_it_is_not(
    slots: int, budget: float, share: float
) -> None:
    samples = samples_to_revert(slots, budget)
    assert (samples - 1) / slots <= budget + 1e-9
    assert samples > budget * slots
    assert share * slots - 1e-6 <= allowance(slots, share) < share * slots + 1
