"""Bins and expected calibration error, by hand."""

import numpy as np
import pytest

from costopt.backtest.calibration import calibration
from costopt.backtest.result import Bin


def test_by_hand() -> None:
    predicted = np.array([0.02, 0.04, 0.08, 0.06, 0.5, 0.9, 1.0])
    happened = np.array([False, False, False, True, True, False, False])
    found = calibration(predicted, happened)
    assert found.bins == (Bin(0.05, 0.25, 4), Bin(0.5, 1.0, 1), Bin(0.95, 0.0, 2))
    assert found.expected_error == pytest.approx((4 * 0.2 + 0.5 + 2 * 0.95) / 7)


def test_a_bin_starts_at_its_lower_edge() -> None:
    edges = np.arange(10) / 10
    assert [each.count for each in calibration(edges, edges < 0).bins] == [1] * 10


def test_risks_that_come_true_as_often_as_they_say_have_no_error() -> None:
    found = calibration(np.repeat([0.25, 0.75], 4), np.array([1, 0, 0, 0, 1, 1, 1, 0], bool))
    assert found.expected_error == 0


def test_order_does_not_show() -> None:
    rng = np.random.default_rng(3)
    predicted = rng.random(1000)
    happened = rng.random(1000) < predicted
    order = rng.permutation(1000)
    assert calibration(predicted, happened) == calibration(predicted[order], happened[order])


@pytest.mark.parametrize("predicted", [[], [0.5, np.nan], [1.01], [-0.01]])
def test_needs_risks(predicted: list[float]) -> None:
    with pytest.raises(ValueError, match="risks"):
        calibration(np.array(predicted), np.zeros(len(predicted), bool))
