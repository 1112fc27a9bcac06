"""Packed weeks: read back, special days left out, and what ran when."""

from __future__ import annotations

from datetime import date

import numpy as np

from costopt.optimize.weekly import Weekly, mean

MONDAY = date(2026, 9, 7)


def _machine(*weeks: str) -> Weekly:
    """Seven slots a week of a letter a day: 1 in use, 0 not, two samples each; . = missing."""
    counts = {"1": (2, 2), "h": (1, 2), "0": (0, 2), ".": (0, 0)}
    packed = np.array([[counts[one] for one in week] for week in weeks], np.uint8)
    return Weekly("UTC", MONDAY, packed)


def test_samples_of_a_slot_come_back_in_any_order() -> None:
    demand = _machine("1h0....").demand
    assert demand.shape == (1, 7, 2)
    assert demand[0, :3].tolist() == [[1, 1], [1, 0], [0, 0]]
    assert np.isnan(demand[0, 3:]).all()


def test_days_left_out_are_missing() -> None:
    weekly = _machine("1111111", "1111111")
    without = weekly.without([date(2026, 9, 16), date(2026, 9, 6), date(2026, 9, 21)])
    missing = np.argwhere(np.isnan(without[:, :, 0])).tolist()
    assert missing == [[1, 2]]  # only the second week's Wednesday is there to be left out


def test_it_ran_where_there_are_samples_within_its_life() -> None:
    weekly = _machine("..11111", "1.11111", "1111...")
    assert weekly.running.tolist() == [1.0, 0.5, 1.0, 1.0, 1.0, 1.0, 1.0]
    assert _machine(".......").running.tolist() == [0.0] * 7


def test_a_group_runs_its_members_on_average() -> None:
    counts = np.array([[2, 4, np.nan], [4, 4, np.nan]], np.float32)
    weekly = Weekly("UTC", MONDAY, np.ones((2, 3, 2), np.float32), counts)
    assert weekly.running.tolist() == [3.0, 4.0, 0.0]
    assert weekly.demand.shape == (2, 3, 2)


def test_the_mean_of_nothing_is_what_is_said() -> None:
    values = np.array([[1.0, np.nan, 3.0], [np.nan] * 3])
    assert mean(values, otherwise=-1.0).tolist() == [2.0, -1.0]
    assert np.isnan(mean(values)[1])
