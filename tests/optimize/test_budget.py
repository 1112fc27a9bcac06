"""optimize/budget.py: the rollback cost that keeps a fleet's risk budget."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from costopt.optimize.budget import Past, rollback_cost_within
from costopt.optimize.cost import on_ladder

LADDER = np.array([1.0, 0.5, 0.25])


def past(machines: int, failing: int, *, windows: int = 1, risk: float = 0.1) -> Past:
    """Machines at 20 % whose quarter has some risk; `failing` of them are rolled back at it."""
    count = machines * windows
    resources = np.repeat(np.arange(machines), windows)
    exhausted = np.zeros((count, 3), bool)
    exhausted[resources < failing, 2] = True
    risks = np.tile([0.0, 0.001, risk], (count, 1))
    return Past(LADDER, risks, np.full(count, 20.0), exhausted, resources)


def within(of: Past, budget: float, least: float = 0.5) -> float:
    return rollback_cost_within(of, budget, least, 90).rollback_cost


def test_the_inequality_by_hand() -> None:
    # 99 machines, 4 rolled back: (4 + 1) / 100 = 5 %
    assert within(past(99, 4), 0.05) == pytest.approx(0.5)
    assert within(past(99, 4), 0.0499) > 0.5
    assert within(past(99, 5), 0.05) > 0.5


def test_what_the_past_shows_is_told() -> None:
    kept = rollback_cost_within(past(99, 4), 0.06, 0.5, 90)
    assert (kept.budget, kept.machines, kept.bound) == (0.06, 99, pytest.approx(0.05))
    # dear enough all take the half, of which none was rolled back: 1 / 100 at best
    never = rollback_cost_within(past(99, 30), 0.009, 0.5, 90)
    assert (never.rollback_cost, never.bound) == (math.inf, pytest.approx(0.01))
    few = rollback_cost_within(past(3, 0), 0.05, 0.5, 90)
    assert (few.machines, few.bound) == (3, 0.25)


def test_the_dearer_cost_is_the_least_that_makes_them_larger() -> None:
    # a quarter is left for half where 0.1 * 0.25 k > 0.25 + 0.001 * 0.25 k, at k = 10.1
    found = within(past(99, 30), 0.05)
    assert 10.1 < found < 10.1 * (64 / 0.5) ** (1 / 24)
    assert on_ladder(LADDER, past(1, 1).risk, np.array([20.0]), found, 90).tolist() == [1]


def test_nothing_can_be_shown_by_few_machines() -> None:
    assert within(past(18, 0), 0.05) == math.inf  # 1 / 19
    assert within(past(19, 0), 0.05) == pytest.approx(0.5)  # 1 / 20
    nobody = Past(
        LADDER, np.empty((0, 3)), np.empty(0), np.empty((0, 3), bool), np.empty(0, np.int64)
    )
    assert within(nobody, 0.5) == math.inf


def test_what_is_rolled_back_whatever_its_risk_says_cannot_be_kept_out() -> None:
    assert within(past(99, 30, risk=0.001), 0.05) == math.inf


def test_a_machine_counts_once_however_many_windows_it_has() -> None:
    assert within(past(99, 4, windows=3), 0.05) == pytest.approx(0.5)
    # one window of three rolled back is a third of a machine
    some = past(99, 0, windows=3)
    some.exhausted[: 3 * 12 : 3, 2] = True  # twelve machines, a third each
    assert within(some, 0.05) == pytest.approx(0.5)
    some.exhausted[: 3 * 13 : 3, 2] = True  # (13 / 3 + 1) / 100
    assert within(some, 0.05) > 0.5


def test_the_user_s_own_cost_is_the_least() -> None:
    assert within(past(99, 0), 0.5, least=7.0) == pytest.approx(7)


@settings(max_examples=50)
@given(st.integers(0, 2**32 - 1), st.floats(0, 1), st.floats(0, 1))
def test_a_tighter_budget_never_asks_for_less(seed: int, one: float, other: float) -> None:
    chance = np.random.default_rng(seed)
    risk = np.sort(chance.uniform(0, 1, (40, 3)), axis=1)
    risk[:, 0] = 0
    exhausted = chance.random((40, 3)) < risk
    fleet = Past(LADDER, risk, chance.uniform(1, 100, 40), exhausted, np.arange(40) // 2)
    tight, loose = sorted((one, other))
    assert within(fleet, tight) >= within(fleet, loose)
