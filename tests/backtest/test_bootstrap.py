"""Intervals of means over a fleet."""

import numpy as np
import pytest

from costopt.backtest.bootstrap import intervals
from costopt.backtest.result import Interval


def _interval(values: np.ndarray, resources: np.ndarray, seed: int = 0) -> Interval:
    ones = np.ones(len(values))
    return intervals([values], resources, ones, draws=400, seed=seed)[0]


def _fleet(seed: int, resources: int = 150, share: float = 0.3) -> np.ndarray:
    return (np.random.default_rng(seed).random(resources) < share).astype(np.float64)


def test_95_percent_intervals_hold_the_truth_about_as_often() -> None:
    """Of 200 Bernoulli fleets; 178 is 95 % less four standard errors (190 - 4 x 3.1)."""
    found = [_interval(_fleet(seed), np.arange(150), seed) for seed in range(200)]
    assert 178 <= sum(each.low <= 0.3 <= each.high for each in found) < 200


def test_as_wide_as_theory_says() -> None:
    """2 x 1.96 x sqrt(p (1 - p) / n) = 0.147 at p = 0.3."""
    values = np.r_[np.ones(45), np.zeros(105)]
    found = _interval(values, np.arange(150))
    assert found.value == 0.3
    assert found.high - found.low == pytest.approx(0.147, rel=0.15)


def test_the_seed_decides() -> None:
    values = np.random.default_rng(1).random(150)
    resources = np.arange(150)
    assert _interval(values, resources) == _interval(values, resources)
    assert _interval(values, resources) != _interval(values, resources, seed=1)


def test_windows_of_one_resource_are_no_evidence_of_their_own() -> None:
    values, resources = _fleet(5), np.arange(150)
    assert _interval(np.repeat(values, 4), np.repeat(resources, 4)) == _interval(values, resources)


def test_the_order_of_windows_does_not_show() -> None:
    rng = np.random.default_rng(2)
    values, resources = rng.random(600), np.repeat(np.arange(150), 4)
    order = rng.permutation(600)
    assert _interval(values[order], resources[order]) == _interval(values, resources)


def test_numbers_of_resources_may_have_gaps() -> None:
    values = _fleet(4)
    assert _interval(values, np.arange(150) * 7 + 3) == _interval(values, np.arange(150))


def test_figures_do_not_know_one_another() -> None:
    one, other = _fleet(6), _fleet(7)
    resources, ones = np.arange(150), np.ones(150)
    both = intervals([other, one], resources, ones, draws=100, seed=0)
    assert intervals([one], resources, ones, draws=100, seed=0) == both[1:]


def test_weights() -> None:
    values, weights = np.array([1.0, 0.0, 0.0]), np.array([2.0, 1.0, 1.0])
    found = intervals([values], np.arange(3), weights, draws=200, seed=0)
    assert found == (Interval(0.5, 0.0, 1.0),)


@pytest.mark.parametrize("weight", [0.0, -1.0, np.nan])
def test_weights_are_positive(weight: float) -> None:
    with pytest.raises(ValueError, match="weight"):
        intervals([np.ones(2)], np.arange(2), np.array([1.0, weight]), draws=2, seed=0)
