"""A weekly plan on the wall clock: its slots, its changes, and the two weeks of a change-over."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from costopt.model import Change, DayPlan, WeekPlan

AMSTERDAM = "Europe/Amsterdam"
OFFICE = tuple(int(day < 5 and 8 <= hour < 18) for day in range(7) for hour in range(24))


def _utc(*at: int) -> datetime:
    return datetime(*at, tzinfo=UTC)  # type: ignore[misc,arg-type]


def test_a_week_in_local_time() -> None:
    plan = WeekPlan(AMSTERDAM, OFFICE)
    assert plan.slot_minutes == 60
    assert plan.level_at(_utc(2026, 1, 5, 6, 59)) == 0  # Monday 7:59 in winter
    assert plan.level_at(_utc(2026, 1, 5, 7, 0)) == 1
    assert plan.level_at(_utc(2026, 7, 6, 6, 0)) == 1  # 8:00 in summer
    assert plan.level_at(_utc(2026, 7, 4, 10, 0)) == 0  # Saturday


def test_changes_are_told_once_each() -> None:
    changes = WeekPlan("UTC", OFFICE).changes()
    assert changes[:2] == (Change(0, 480, 1), Change(0, 1080, 0))
    assert len(changes) == 10
    assert WeekPlan("UTC", (1,) * 168).changes() == ()


def test_the_week_is_a_circle() -> None:
    weekend = tuple(int(slot < 24 or slot >= 120) for slot in range(168))  # Saturday to Monday
    assert WeekPlan("UTC", weekend).changes() == (Change(1, 0, 0), Change(5, 0, 1))


@pytest.mark.parametrize(
    ("start", "end", "hours"),
    [
        # Monday 0:00 to Monday 0:00 in Amsterdam
        (_utc(2026, 3, 22, 23), _utc(2026, 3, 29, 22), 7 * 11 - 1),  # Sunday has no 2:00
        (_utc(2026, 10, 18, 22), _utc(2026, 10, 25, 23), 7 * 11 + 1),  # Sunday has 2:00 twice
        (_utc(2026, 5, 31, 22), _utc(2026, 6, 7, 22), 7 * 11),
    ],
)
def test_change_over_weeks_run_as_long_as_the_wall_clock_says(
    start: datetime, end: datetime, hours: int
) -> None:
    """On from 0:00 to 11:00 every day: an hour less in spring, one more in autumn."""
    nights = WeekPlan(AMSTERDAM, tuple(int(slot % 24 < 11) for slot in range(168)))
    assert nights.replica_hours(start, end) == hours


def test_days_that_differ() -> None:
    plan = WeekPlan("UTC", OFFICE, (DayPlan(date(2026, 12, 25), (0,) * 24, "Christmas Day"),))
    assert plan.level_at(_utc(2026, 12, 25, 12)) == 0  # a Friday
    assert plan.level_at(_utc(2026, 12, 18, 12)) == 1
    assert plan.replica_hours(_utc(2026, 12, 21), _utc(2026, 12, 28)) == 40


@given(st.lists(st.integers(0, 3), min_size=168, max_size=168), st.integers(0, 20_000))
def test_hours_of_a_week_in_utc_are_the_sum_of_the_levels(levels: list[int], minutes: int) -> None:
    plan = WeekPlan("UTC", tuple(levels))
    start = _utc(2026, 5, 4) + timedelta(minutes=minutes)
    assert plan.replica_hours(start, start + timedelta(days=7)) == pytest.approx(sum(levels))


@pytest.mark.parametrize("slots", [0, 6, 100, 7 * 7, 7 * 1441])
def test_refuses_what_is_no_week(slots: int) -> None:
    with pytest.raises(ValueError, match="no week"):
        WeekPlan("UTC", (1,) * slots)


def test_refuses_odd_days() -> None:
    day = DayPlan(date(2026, 1, 1), (0,) * 24, "New Year's Day")
    with pytest.raises(ValueError, match="ascend"):
        WeekPlan("UTC", OFFICE, (day, day))
    with pytest.raises(ValueError, match="other slots"):
        WeekPlan("UTC", OFFICE, (DayPlan(date(2026, 1, 1), (0,), ""),))
    with pytest.raises(ValueError, match="fewer"):
        WeekPlan("UTC", (-1,) * 168)
