"""Samples laid out as local weeks, against the wall clock of the standard library."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from costopt.profile.weeks import local_weeks

AMSTERDAM = "Europe/Amsterdam"


def _at(*when: int) -> int:
    return int(datetime(*when, tzinfo=UTC).timestamp())  # type: ignore[misc,arg-type]


@given(
    st.integers(_at(2026, 1, 1) // 900, _at(2027, 1, 1) // 900),
    st.sampled_from(["UTC", AMSTERDAM, "Asia/Kolkata", "America/St_Johns", "Pacific/Chatham"]),
    st.sampled_from([300, 900, 1800]),
)
def test_every_sample_stands_where_the_wall_clock_says(
    quarter: int, time_zone: str, period: int
) -> None:
    first = quarter * 900 // period * period
    values = np.arange(2000, dtype=np.float64)  # rising, so that of an hour that comes twice ...
    weeks = local_weeks(values, first, period, time_zone)
    per_slot = weeks.shape[2]
    expected: dict[tuple[date, int, int], float] = {}
    for i, value in enumerate(values.tolist()):
        local = datetime.fromtimestamp(first + i * period, ZoneInfo(time_zone))
        monday = local.date() - timedelta(days=local.weekday())
        within = (local.minute * 60) // period
        expected[monday, local.weekday() * 24 + local.hour, within] = value  # ... the later counts
    mondays = sorted({key[0] for key in expected})
    assert weeks.shape == (len(mondays), 168, 3600 // period)
    found = {
        (mondays[week], int(slot), int(within)): float(weeks[week, slot, within])
        for week, slot, within in np.argwhere(~np.isnan(weeks))
    }
    assert per_slot * period == 3600
    assert found == expected


def test_an_hour_that_comes_twice_counts_its_higher_sample() -> None:
    """Clocks go back on Sunday 25 October 2026 at 1:00 UTC: 2:00 to 3:00 comes twice."""
    weeks = local_weeks(np.array([9.0, 1.0]), _at(2026, 10, 25, 0), 3600, AMSTERDAM)
    assert weeks[0, 6 * 24 + 2, 0] == 9.0
    assert np.isnan(weeks).sum() == 167


def test_an_hour_that_is_skipped_is_missing() -> None:
    week = local_weeks(np.ones(167), _at(2026, 3, 22, 23), 3600, AMSTERDAM)
    assert week.shape == (1, 168, 1)
    assert np.flatnonzero(np.isnan(week)).tolist() == [6 * 24 + 2]


def test_days_to_leave_out() -> None:
    weeks = local_weeks(np.ones(168), _at(2026, 5, 4), 3600, "UTC", without=[date(2026, 5, 6)])
    assert np.flatnonzero(np.isnan(weeks)).tolist() == list(range(48, 72))


def test_samples_longer_than_a_slot_stand_in_each() -> None:
    weeks = local_weeks(np.array([3.0, np.nan]), _at(2026, 5, 4), 7200, "UTC", slot_minutes=30)
    assert weeks.shape == (1, 336, 1)
    assert weeks[0, :4, 0].tolist() == [3.0] * 4
    assert np.isnan(weeks[0, 4:]).all()


def test_no_samples_no_weeks() -> None:
    assert local_weeks(np.empty(0), 0, 300, "UTC").shape == (0, 168, 12)


def test_periods_that_do_not_fit() -> None:
    with pytest.raises(ValueError, match="do not fit"):
        local_weeks(np.ones(3), 0, 420, "UTC")
