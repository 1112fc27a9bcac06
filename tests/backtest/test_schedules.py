"""Ways to hold capacity: by hand, and on real traces with weeks held out."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from costopt.backtest.schedules import (
    LAG_MINUTES,
    SETTLE_MINUTES,
    autoscaler,
    demand_of,
    guarded,
    held_out,
    hours_off,
    office_hours,
    static,
)

WEEK = 10_080


def _flat(level: float, weeks: int = 2) -> np.ndarray:
    return np.full((weeks, 336, 30), level)


def test_short_gaps_are_nobody_and_long_ones_unknown() -> None:
    found = demand_of(np.array([3.0, np.nan, np.nan, 4.0, np.nan, np.nan, np.nan, 5.0]), 2)
    np.testing.assert_array_equal(found, [3, 0, 0, 4, np.nan, np.nan, np.nan, 5])


def test_a_step_is_seen_after_the_lag_and_forgotten_once_it_has_settled() -> None:
    week = np.full(WEEK, 0.5)
    week[100:110] = 2.5
    count = guarded(static(1.0), 8)(_flat(1.0), week)
    above = np.flatnonzero(count > 1)
    assert (above[0], above[-1]) == (100 + LAG_MINUTES, 109 + LAG_MINUTES + SETTLE_MINUTES)
    assert set(count[above].tolist()) == {3}
    assert guarded(static(1.0), 2)(_flat(1.0), week).max() == 2  # it has no more


def test_an_autoscaler_aims_at_its_target() -> None:
    week = np.full(WEEK, 3.0)
    assert set(autoscaler(0.6, 8)(_flat(1.0), week).tolist()) == {5}
    assert set(autoscaler(0.6, 4)(_flat(1.0), week).tolist()) == {4}
    assert set(autoscaler(0.6, 4)(_flat(1.0), np.zeros(WEEK)).tolist()) == {1}


def test_the_peer_turns_quiet_hours_off_whole() -> None:
    past = _flat(5.0, weeks=3)
    past[1:, 4:6] = 0.2  # Monday, 02:00 to 03:00, in the last fourteen days
    count = hours_off(10)(past, np.zeros(WEEK))
    assert np.flatnonzero(count == 0).tolist() == list(range(120, 180))
    assert set(count.tolist()) == {0, 10}


def test_what_was_held_is_counted_in_minutes_that_are_known() -> None:
    demand = _flat(4.0)
    demand[1, :48] = 6.5  # Monday
    demand[1, 48:96] = np.nan  # Tuesday
    found = held_out(demand, {"four": static(1.0), "office": office_hours(8)}, 8, weeks=1)
    assert found["four"].saved == 0.5
    assert found["four"].violated == pytest.approx(1 / 6)
    assert found["four"].steps == 0
    assert found["office"].violated == pytest.approx(0.5 / 6)  # half of Monday runs four
    assert found["office"].saved == pytest.approx(1 - (4 * 0.75 + 2 * 0.5) / 6)
    assert found["office"].steps == 10


def test_the_web_log_as_documented(real_data: Path) -> None:
    from benchmarks.schedule_quality import web

    came = web(real_data)
    plan = came["plan, guarded"]
    assert plan.saved >= 0.72
    assert plan.violated <= 0.0008
    assert plan.steps <= 100
    assert came["plan"].violated >= plan.violated
    assert plan.saved > came["static p99"].saved + 0.05
    assert plan.saved > came["office hours"].saved + 0.4
    assert came["optscale-schedule"].violated > 0.2
    for target in ("autoscaler 60 %", "autoscaler 70 %"):
        assert came[target].violated > 4 * plan.violated
        assert came[target].steps > 3 * plan.steps


def test_bitbrains_as_documented(real_data: Path) -> None:
    from benchmarks.schedule_quality import machines

    reasons, proposed = machines(real_data)
    assert reasons.total() + len(proposed) == 300
    assert len(proposed) == 11
    assert (reasons["in use"], reasons["never in use"]) == (159, 16)
    assert (reasons["no-habit"], reasons["habit-broken"], reasons["short-history"]) == (85, 6, 23)
    missed = sorted(one.missed_hours / one.known_hours for one in proposed)
    assert missed[-1] < 0.022
    assert missed[-2] < 0.005
    assert all(one.saved > one.promised - 0.03 for one in proposed)
