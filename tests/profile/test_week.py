"""Hours of the week: what was expected, on whose clock, and how weeks add up."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from costopt.errors import InputError
from costopt.profile.week import (
    LOCAL,
    Sums,
    clock_of,
    expected_hours,
    machine_week,
    profile_week,
)
from tests.profile.weeks import START, flat, office, profile_of

ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe")


@given(
    zone=st.sampled_from(ZONES),
    day=st.integers(0, 700),
    quarter=st.integers(0, 95),
    days=st.integers(1, 20),
    period=st.sampled_from([60, 300, 900, 3600]),
)
def test_expected_hours_are_those_of_the_clock(
    zone: str, day: int, quarter: int, days: int, period: int
) -> None:
    start = datetime(2025, 1, 1, tzinfo=UTC) + timedelta(days=day, minutes=15 * quarter)
    periods = days * 86_400 // period
    hours = expected_hours(zone, round(start.timestamp()), period, periods)
    by_hand = np.zeros(168)
    for number in range(0, periods, max(1, 900 // period)):
        local = (start + timedelta(seconds=number * period)).astimezone(ZoneInfo(zone))
        by_hand[local.weekday() * 24 + local.hour] += max(period, 900) / 3600
    np.testing.assert_allclose(hours, by_hand)


def test_daylight_saving_drops_an_hour_and_doubles_another() -> None:
    spring = expected_hours(
        "Europe/Berlin", round(datetime(2026, 3, 23, tzinfo=UTC).timestamp()), 300, 7 * 288
    )
    assert spring[6 * 24 + 2] == 0  # Sunday 02:00 did not happen
    autumn = expected_hours(
        "Europe/Berlin", round(datetime(2026, 10, 19, tzinfo=UTC).timestamp()), 300, 7 * 288
    )
    assert autumn[6 * 24 + 2] == pytest.approx(2)


def test_hours_without_samples_are_missing_not_zero() -> None:
    present = np.ones(168)
    present[5] = 0
    week = profile_week(profile_of("a", flat(0.0), present=present), "mean")
    assert np.isnan(week.values[5])
    assert week.hours[5] == 0
    assert week.expected[5] == 4
    assert week.values[6] == 0


def test_another_clock_moves_the_week() -> None:
    week = profile_week(profile_of("a", np.arange(168.0), zone="UTC"), "mean")
    berlin = week.on_clock("Europe/Berlin")  # two hours ahead in September
    np.testing.assert_allclose(berlin.values[2:], np.arange(166.0))
    np.testing.assert_allclose(berlin.values[:2], [166, 167])  # Sunday night is Monday there


def test_half_an_hour_is_shared_between_two_hours() -> None:
    week = profile_week(profile_of("a", np.arange(168.0), zone="UTC"), "mean")
    kolkata = week.on_clock("Asia/Kolkata")  # 5 h 30 min ahead
    np.testing.assert_allclose(kolkata.values[6:], np.arange(162.0) + 0.5)


@given(
    zone=st.sampled_from(ZONES),
    other=st.sampled_from(ZONES),
    seed=st.integers(0, 2**32 - 1),
)
def test_moving_keeps_demand_and_hours(zone: str, other: str, seed: int) -> None:
    rng = np.random.default_rng(seed)
    present = rng.choice([0.0, 0.3, 1.0], 168)
    present[0] = 1.0
    week = profile_week(
        profile_of("a", rng.uniform(0, 100, 168), present=present, zone=zone), "mean"
    )
    before, after = Sums.of([week]), Sums.of([week.on_clock(other)])
    assert after.demand.sum() == pytest.approx(before.demand.sum())
    assert after.hours.sum() == pytest.approx(before.hours.sum())
    assert after.expected.sum() == pytest.approx(before.expected.sum())
    assert np.array_equal(np.isnan(after.values[0]), after.hours[0] == 0)
    assert np.nanmax(after.values) <= np.nanmax(before.values) + 1e-9
    assert np.nanmin(after.values) >= np.nanmin(before.values) - 1e-9


def test_an_unknown_clock_is_an_error() -> None:
    week = profile_week(profile_of("a", flat(1)), "mean")
    with pytest.raises(InputError, match="Mars/Olympus"):
        week.on_clock("Mars/Olympus")


def test_clock_of_several() -> None:
    berlin, utc = (
        profile_week(profile_of("a", flat(1), zone=zone), "mean")
        for zone in ("Europe/Berlin", "UTC")
    )
    assert clock_of([berlin, berlin]) == "Europe/Berlin"
    assert clock_of([berlin, utc]) == LOCAL


def test_the_period_with_most_data_is_taken() -> None:
    fine = profile_of("a", flat(10), days=20, period_seconds=300)
    coarse = profile_of("a", flat(30), days=28, period_seconds=3600)
    week = machine_week((fine, coarse), "cpu_utilization", "mean")
    assert week is not None
    assert week.values[0] == 30


def test_only_the_asked_metric_and_sample_mean_count() -> None:
    maxima = profile_of("a", flat(90), statistic="max")
    memory = profile_of("a", flat(50), metric_name="memory_utilization")
    assert machine_week((maxima, memory), "cpu_utilization", "mean") is None
    assert machine_week((), "cpu_utilization", "mean") is None


def test_p95_is_the_hours_p95() -> None:
    week = machine_week((profile_of("a", flat(10)),), "cpu_utilization", "p95")
    assert week is not None
    assert week.values[0] == pytest.approx(13)


def test_devices_are_averaged_over_the_hours_they_have() -> None:
    present = np.ones(168)
    present[7] = 0
    cards = (
        profile_of("a", flat(20), metric_name="gpu_utilization", device="0"),
        profile_of("a", flat(60), metric_name="gpu_utilization", device="1", present=present),
    )
    week = machine_week(cards, "gpu_utilization", "mean")
    assert week is not None
    assert week.values[0] == pytest.approx(40)
    assert week.values[7] == pytest.approx(20)
    assert week.hours[7] == pytest.approx(week.expected[7] / 2)
    assert week.first == START


def test_weeks_add_up_by_capacity_and_hours() -> None:
    weeks = [
        profile_week(profile_of("a", office(60)), "mean"),
        profile_week(profile_of("b", flat(10), days=14), "mean"),
    ]
    total = Sums.of(weeks, [8.0, 2.0]).joined([np.array([0, 1])])
    expected = (office(60) * 8 * 4 + 10 * 2 * 2) / (8 * 4 + 2 * 2)
    np.testing.assert_allclose(total.values[0], expected)
    np.testing.assert_allclose(total.coverage[0], 1)
