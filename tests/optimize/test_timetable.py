"""Timetables: the office week by hand, and trials against a recount."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from costopt.optimize.size import wilson_upper
from costopt.optimize.timetable import Trial, Wishes, came_to, starts, timetable, trial

HOURLY = Wishes(slot_minutes=60)
INSTANT = Wishes(slot_minutes=60, lead_minutes=0)
ALWAYS = np.ones(168)


def _office(weeks: int = 4) -> np.ndarray:
    """In use from eight to eighteen, Monday to Friday; one sample an hour."""
    hours = np.arange(168)
    used = (hours < 120) & (hours % 24 >= 8) & (hours % 24 < 18)
    return np.tile(used.astype(float), (weeks, 1))[:, :, None]


def test_an_office_machine_is_on_from_an_hour_and_a_lead_before_to_an_hour_after() -> None:
    plan = timetable(_office(), 1, HOURLY)
    day = [0] * 6 + [1] * 13 + [0] * 5  # 06:00 to 19:00
    assert plan.tolist() == day * 5 + [0] * 48
    assert starts(plan) == 5


def test_one_is_dear_enough_to_start_that_nights_are_left_on() -> None:
    plan = timetable(_office(), 1, Wishes(slot_minutes=60, change_minutes=12 * 60))
    assert plan.reshape(7, 24).sum(axis=1).tolist() == [18, 24, 24, 24, 19, 0, 0]


def test_the_trial_of_a_week_that_is_like_the_others_misses_nothing() -> None:
    tested = trial(_office(), ALWAYS, 1, HOURLY, held_out=2).tested
    assert [(one.week, one.trained) for one in tested] == [(2, 2), (3, 3)]
    for one in tested:
        assert (one.known, one.today, one.planned, one.missed) == (168, 168, 65, 0)
        assert one.saved(HOURLY) == pytest.approx(168 - 65 - 5 / 6)


def test_a_week_of_night_work_is_missed_and_priced() -> None:
    weeks = _office()
    weeks[3, 22:24] = 1.0  # Monday, 22:00 to 24:00
    found = trial(weeks, ALWAYS, 1, HOURLY, held_out=1)
    assert found.missed == 2
    assert found.missed_share == 2 / 168
    assert found.upper_bound == wilson_upper(2 / 168, 168)
    assert found.worth(HOURLY) == pytest.approx(168 - 65 - 5 / 6 - 20 * 2)


def test_nothing_tested_promises_nothing() -> None:
    nothing = trial(_office(2), ALWAYS, 1, HOURLY, held_out=2)
    assert nothing == Trial(())
    assert (nothing.missed_share, nothing.upper_bound) == (1.0, 1.0)


def test_a_group_follows_its_demand_and_keeps_its_least() -> None:
    demand = np.where(_office() > 0, 3.4, 0.2)
    plan = timetable(demand, 6, Wishes(slot_minutes=60, least=2))
    assert set(plan.tolist()) == {2, 4}
    assert timetable(demand, 1, Wishes(slot_minutes=60, least=2)).tolist() == [1] * 168


def test_demand_that_today_cannot_bear_either_is_not_missed() -> None:
    demand = np.array([[5.0], [2.5], [1.0]])
    came = came_to(np.array([4, 2, 1], np.int16), demand, np.full(3, 4.0), INSTANT)
    assert came.missed == 1  # only the second: four would have borne it
    assert came.planned == 7


def test_what_is_being_started_serves_nothing_yet() -> None:
    """Slots of 30 minutes with six samples, off until the third; its first sample and a half are
    the lead of 7.5 minutes: 2 of 6 samples in use are missed in the slot before, 1.5 in this."""
    plan = np.array([0, 0, 1, 1], np.int16)
    demand = np.zeros((4, 6))
    demand[1, :2] = demand[2] = demand[3] = 1.0
    wishes = Wishes(slot_minutes=30, lead_minutes=7.5)
    came = came_to(plan, demand, np.ones(4), wishes)
    assert came.missed == pytest.approx(0.5 * (2 / 6 + 1.5 / 6))
    instant = came_to(plan, demand, np.ones(4), Wishes(slot_minutes=30, lead_minutes=0))
    assert instant.missed == pytest.approx(0.5 * 2 / 6)
    slow = came_to(plan, demand, np.ones(4), Wishes(slot_minutes=30, lead_minutes=40))
    assert slow.missed == pytest.approx(0.5 * (2 / 6 + 1 + 2 / 6))  # 10 minutes of the fourth slot


@settings(max_examples=40)
@given(st.integers(0, 10_000))
def test_a_week_comes_to_what_a_recount_says(seed: int) -> None:
    chance = np.random.default_rng(seed)
    plan = chance.integers(0, 5, 12).astype(np.int16)
    demand = chance.uniform(0, 5, (12, 3))
    demand[chance.random((12, 3)) < 0.3] = np.nan
    running, wishes = np.full(12, 4.0), Wishes(slot_minutes=30, lead_minutes=0)
    came = came_to(plan, demand, running, wishes)
    known = missed = planned = 0.0
    for level, samples in zip(plan.tolist(), demand.tolist(), strict=True):
        seen = [one for one in samples if one == one]
        if seen:
            known += 0.5
            planned += 0.5 * level
            missed += 0.5 * sum(one > level for one in seen) / len(seen) * (level < 4)
    assert (came.known, came.planned) == (known, planned)
    assert came.missed == pytest.approx(missed)
