"""What each size would have done: by hand, against plain Python, and the guard's bound."""

from math import floor, isnan, nan

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from costopt.backtest.outcome import memory_outcomes, outcomes, samples_to_revert

HALF = np.array([1.0, 0.5, 0.0])
A_THIRD = 0.3  # of ten slots: the fourth violation uses it up


def _window(*samples: float) -> np.ndarray:
    return np.array([samples], np.float32)


def test_added_violations_are_those_of_the_new_size_only() -> None:
    """Half a machine: over 45 % is over its 90 %, unless today's is over 90 % as well."""
    found = outcomes(_window(10, 45, 46, 90, 91, 50, 51, 99, 100, 102), HALF, [0])
    assert found.over_90[0, 0] == 0
    assert found.over_90[0, 1] == 0.4  # 46, 90, 50, 51
    assert found.over_100[0, 1] == 0.4  # 90, 91, 51, 99: what today's machine can still do
    assert found.over_100[0, 0] == 0


def test_a_stopped_machine_violates_above_the_idle_floor_at_any_height() -> None:
    found = outcomes(_window(0, 4.9, 5, 5.1, 91, 100, 104, 0, 0, 0), HALF, [0])
    assert found.over_90[0, 2] == found.over_100[0, 2] == 0.4  # 5.1, 91, 100, 104


def test_the_guard_gives_the_size_back_after_the_lead() -> None:
    """The fourth of seven violations stands in slot 5; those of slots 6 and 8 come later."""
    window = _window(60, 60, 10, 60, 10, 60, 60, 10, 60, 60)
    found = outcomes(window, HALF, [0, 1, 3, 9], budget=A_THIRD)
    assert found.exhausted[0].tolist() == [False, True, True]
    assert found.kept[:, 0, 1].tolist() == [0.6, 0.7, 0.9, 1.0]
    assert found.guarded[:, 0, 1].tolist() == [0.4, 0.5, 0.6, 0.7]
    assert found.over_90[0, 1] == 0.7
    assert found.kept[:, 0, 0].tolist() == [1, 1, 1, 1]  # today's size is never given back


def test_one_sample_below_the_budget_keeps_the_size() -> None:
    window = _window(60, 60, 10, 60, 10, 10, 10, 10, 10, 10)
    found = outcomes(window, HALF, [0], budget=A_THIRD)
    assert not found.exhausted[0, 1]
    assert found.kept[0, 0, 1] == 1
    assert found.guarded[0, 0, 1] == found.over_90[0, 1] == 0.3


def test_missing_samples_violate_nothing_and_count_for_nothing() -> None:
    """Shares are of the five present; slots, of all ten."""
    window = _window(nan, 60, nan, 60, nan, 60, nan, 60, nan, 10)
    found = outcomes(window, HALF, [0], budget=A_THIRD)
    assert found.over_90[0, 1] == found.guarded[0, 0, 1] == 0.8
    assert found.kept[0, 0, 1] == 0.8


def test_a_window_without_samples_shows_nothing() -> None:
    found = outcomes(_window(*[nan] * 10), HALF, [0, 2], budget=0.0)
    assert np.isnan(found.over_90).all()
    assert np.isnan(found.over_100).all()
    assert np.isnan(found.guarded).all()
    assert not found.exhausted.any()
    assert (found.kept == 1).all()


@pytest.mark.parametrize("precision", [np.float32, np.float64])
def test_demand_at_the_limit_is_no_violation_in_either_precision(precision: type) -> None:
    """0.48 x 90 = 43.2, though not in floating point."""
    window = np.array([[43.2, 43.21, 48.0, 48.01]], precision)
    found = outcomes(window, np.array([1.0, 0.48]), [0])
    assert found.over_90[0, 1] == 0.75
    assert found.over_100[0, 1] == 0.25


@pytest.mark.parametrize(
    ("slots", "budget", "samples"),
    [(4032, 0.005, 21), (1000, 0.005, 6), (100, 0.29, 30), (10, 0.0, 1)],
)
def test_samples_that_use_up_a_budget(slots: int, budget: float, samples: int) -> None:
    assert samples_to_revert(slots, budget) == samples


@pytest.mark.parametrize("ladder", [[], [0.5, 0.25], [1.0, 0.5, 0.5], [1.0, -0.5]])
def test_a_ladder_descends_from_one(ladder: list[float]) -> None:
    with pytest.raises(ValueError, match="ladder"):
        outcomes(_window(1), np.array(ladder), [0])


def test_a_lead_looks_ahead() -> None:
    with pytest.raises(ValueError, match="lead"):
        outcomes(_window(1), HALF, [0, -1])


demand = st.one_of(st.floats(0, 105, width=32), st.sampled_from([5, 22.5, 45, 50, 90, 100]))
sizes = st.sets(st.sampled_from([0, 0.0625, 0.25, 0.48, 0.5, 0.75])).map(
    lambda found: np.array(sorted({1.0, *found}, reverse=True))
)
leads = st.lists(st.integers(0, 50), min_size=1, max_size=3)
budgets = st.sampled_from([0.0, 0.005, 0.05, 0.3])


def _windows(sample: st.SearchStrategy[float]) -> st.SearchStrategy[np.ndarray]:
    slots = st.integers(1, 40)
    return slots.flatmap(
        lambda n: st.lists(st.lists(sample, min_size=n, max_size=n), min_size=1, max_size=4)
    ).map(lambda rows: np.array(rows, np.float64))


def _violates(d: float, c: float, limit: float) -> bool:
    if c == 0:
        return d > 5
    can_today = d <= limit if limit < 100 else d < 100
    return d > round(limit * c, 9) and can_today


@given(_windows(st.one_of(demand, st.just(nan))), sizes, leads, budgets)
def test_as_plain_python_does_it(
    tests: np.ndarray, ladder: np.ndarray, leads: list[int], budget: float
) -> None:
    found = outcomes(tests, ladder, leads, budget=budget)
    slots = tests.shape[1]
    for w, window in enumerate(tests.tolist()):
        present = sum(not isnan(d) for d in window) or nan
        for r, c in enumerate(ladder.tolist()):
            over = [slot for slot, d in enumerate(window) if _violates(d, c, 90)]
            allowed = floor(budget * slots + 1e-9)
            np.testing.assert_equal(found.over_90[w, r], len(over) / present)
            beyond = sum(_violates(d, c, 100) for d in window)
            np.testing.assert_equal(found.over_100[w, r], beyond / present)
            assert found.exhausted[w, r] == (len(over) > allowed)
            for k, lead in enumerate(leads):
                end = slots if len(over) <= allowed else min(slots, over[allowed] + 1 + lead)
                assert found.kept[k, w, r] == end / slots
                exposed = sum(slot < end for slot in over)
                np.testing.assert_equal(found.guarded[k, w, r], exposed / present)


@given(_windows(demand), sizes, leads, budgets)
def test_the_guard_bounds_violations_whatever_the_demand(
    tests: np.ndarray, ladder: np.ndarray, leads: list[int], budget: float
) -> None:
    found = outcomes(tests, ladder, leads, budget=budget)
    for guarded, kept, lead in zip(found.guarded, found.kept, leads, strict=True):
        assert (guarded <= budget + (1 + lead) / tests.shape[1] + 1e-9).all()
        assert (guarded <= found.over_90).all()
        assert ((kept > 0) & (kept <= 1)).all()


def test_memory_runs_out_with_one_sample_over_the_new_size() -> None:
    tests = np.array(
        [[10, 50, nan], [10, 50.01, nan], [100, 101, nan], [99, 99, 99], [20, 40, 43.2]], np.float32
    )
    new = np.array([0.5, 0.5, 1.0, nan, 0.432])
    assert memory_outcomes(tests, new).tolist() == [False, True, False, False, False]
