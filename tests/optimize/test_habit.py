"""Whether a week repeats: clear cases, and the arithmetic by hand."""

from __future__ import annotations

import numpy as np
import pytest

from costopt.optimize.habit import habit


def test_a_week_that_repeats_exactly() -> None:
    week = np.sin(np.arange(168) / 24)
    found = habit(np.stack([week] * 4))
    assert (found.skill, found.worst, found.weeks) == (1.0, 1.0, 2)
    assert found.holds


def test_by_hand() -> None:
    """The pattern says 1, 3; the week was 2, 4; its errors are 1 + 1, those of the mean 0 + 4."""
    found = habit(np.array([[0.0, 2.0], [2.0, 4.0], [2.0, 4.0]]), held_out=1)
    assert found.skill == pytest.approx(1 - 2 / 4)


def test_noise_is_no_habit() -> None:
    random = np.random.default_rng(3)
    assert not habit(random.normal(size=(6, 168))).holds


def test_a_flat_week_is_no_habit() -> None:
    assert not habit(np.ones((4, 168))).holds


def test_one_week_out_of_step_is_enough_to_doubt() -> None:
    week = np.sin(np.arange(168) / 24)
    weeks = np.stack([week, week, week, -week])
    found = habit(weeks)
    assert found.worst < 0
    assert not found.holds


def test_too_few_weeks_tell_nothing() -> None:
    assert habit(np.ones((2, 168))).weeks == 0
    assert not habit(np.empty((0, 168))).holds


def test_missing_slots_are_left_out() -> None:
    week = np.sin(np.arange(168) / 24)
    weeks = np.stack([week] * 4)
    weeks[0, :40] = np.nan
    weeks[3, 100:] = np.nan
    assert habit(weeks).skill == pytest.approx(1.0)
    weeks[3, 60:] = np.nan  # most of the week is missing
    assert habit(weeks).weeks == 1
