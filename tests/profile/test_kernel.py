"""The kernel's definitions on series small enough to reckon by hand."""

import math
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from costopt import schema
from costopt.errors import InputError
from costopt.model import Profile, Window
from costopt.profile.kernel import profile, profiles_of

NAN = float("nan")
MONDAY = datetime(2026, 9, 7, tzinfo=UTC)
WEEK = Window(MONDAY, MONDAY + timedelta(days=7))


def day(
    values: dict[int, float], number: int = 0, *, metric: str = "cpu_utilization", **columns: Any
) -> dict[str, Any]:
    """A packed day of the window: slot -> value, the others missing."""
    period = columns.get("PeriodSeconds", 3600)
    if schema.is_percent(metric):
        packed = np.full(86_400 // period, schema.MISSING_U16, "<u2")
    else:
        packed = np.full(86_400 // period, np.nan, "<f4")
    for slot, value in values.items():
        packed[slot] = round(value * 100) if schema.is_percent(metric) else value
    return {
        "ResourceId": "vm",
        "MetricName": metric,
        "Statistic": "mean",
        "x_Device": "",
        "PeriodSeconds": period,
        "Day": date(2026, 9, 7 + number),
        "Samples": packed.tobytes(),
        **dict.fromkeys(schema.PACKED.names[7:], 0),
    } | columns


def profiled(*rows: dict[str, Any], window: Window = WEEK, **view: Any) -> list[dict[str, Any]]:
    table = pa.Table.from_pylist(list(rows), schema=schema.PACKED)
    found = profile([table], window, **({"clocks": {}, "since": {}} | view))
    rows_: list[dict[str, Any]] = found.to_pylist()
    return rows_


def test_statistics_of_five_samples() -> None:
    (row,) = profiled(day({0: 0.5, 1: 2, 2: 4, 3: 10, 4: 60}))
    assert (row["count"], row["days"], row["first"]) == (5, 1, MONDAY)
    assert row["last"] == MONDAY + timedelta(hours=4)
    assert row["mean"] == 15.3
    assert row["std"] == pytest.approx(
        math.sqrt((14.8**2 + 13.3**2 + 11.3**2 + 5.3**2 + 44.7**2) / 5)
    )
    assert (row["min"], row["p50"], row["p90"], row["max"]) == (0.5, 4, 60, 60)
    assert (row["share_under_1"], row["share_under_5"]) == (0.2, 0.6)
    assert {i: n for i, n in enumerate(row["histogram"]) if n} == {0: 1, 2: 1, 4: 1, 10: 1, 60: 1}


def test_the_span_reaches_from_the_first_sample_to_the_end_of_the_window() -> None:
    (row,) = profiled(day({12: 1, 13: 1}), day({20: 1}, 2))
    assert row["expected"] == 12 + 6 * 24
    assert row["coverage"] == 3 / 156
    assert row["longest_gap_seconds"] == (4 * 24 + 3) * 3600  # the silence at the end counts
    assert row["days"] == 2


def test_a_gap_ends_an_idle_run_and_a_flat_run() -> None:
    (row,) = profiled(day({0: 4.99, 1: 4.99, 2: 4.99, 4: 4.99, 5: 5}))
    assert row["longest_idle_seconds"] == row["longest_flat_seconds"] == 3 * 3600


def test_runs_go_on_over_midnight_but_not_over_a_day_without_rows() -> None:
    nights = [day({22: 1, 23: 1}), day({0: 1}, 1), day({0: 1, 1: 1}, 3)]
    (row,) = profiled(*nights)
    assert row["longest_idle_seconds"] == row["longest_flat_seconds"] == 3 * 3600


def test_zero_is_idle_but_never_flat() -> None:
    (row,) = profiled(day(dict.fromkeys(range(24), 0.0)))
    assert row["longest_idle_seconds"] == 24 * 3600
    assert row["longest_flat_seconds"] == 0


def test_rates_have_no_percent_columns() -> None:
    (row,) = profiled(day({0: 0.0, 1: 3e9, 2: 0.1}, metric="network_in"))
    for name in ("share_under_1", "share_under_5", "longest_idle_seconds", "histogram"):
        assert row[name] is None
    assert (row["min"], row["max"], row["p50"]) == (0, 3e9, np.float32(0.1))
    assert row["week_p95"][:3] == [0, 3e9, np.float32(0.1)]


def test_any_nan_is_a_missing_rate() -> None:
    packed = np.full(24, 7, "<f4")
    packed[:3] = np.array([0x7FC00001, 0xFFC00000, 0xFFFFFFFF], "<u4").view("<f4")
    (row,) = profiled(day({}, metric="disk_read", Samples=packed.tobytes()))
    assert (row["count"], row["min"], row["longest_flat_seconds"]) == (21, 7, 21 * 3600)


def test_constant_rates_do_not_deviate() -> None:
    (row,) = profiled(day(dict.fromkeys(range(24), 0.1), metric="network_in"))
    assert (row["std"], row["mean"]) == (0, row["max"])


def test_a_window_and_a_resize_cut_within_a_day() -> None:
    rows = [day(dict.fromkeys(range(24), n + 1), n) for n in range(3)]
    window = Window(MONDAY + timedelta(hours=6, minutes=1), MONDAY + timedelta(hours=50))
    (row,) = profiled(*rows, window=window)
    assert row["first"] == MONDAY + timedelta(hours=7)
    assert row["last"] == MONDAY + timedelta(hours=49)
    assert (row["count"], row["expected"]) == (17 + 24 + 2, 43)
    (row,) = profiled(*rows, window=window, since={"vm": MONDAY + timedelta(hours=30)})
    assert row["first"] == MONDAY + timedelta(hours=30)
    assert row["min"] == 2
    assert row["longest_gap_seconds"] == 0


def test_a_series_without_samples_in_the_window_has_no_row() -> None:
    rows = [day({0: 1}), day({0: 1}, ResourceId="other"), day({}, ResourceId="empty")]
    late = {"vm": MONDAY + timedelta(hours=1), "other": MONDAY - timedelta(days=400)}
    assert [row["ResourceId"] for row in profiled(*rows, since=late)] == ["other"]
    assert profiled(*rows, window=Window(MONDAY - timedelta(days=9), MONDAY)) == []


def test_nothing_gives_an_empty_table() -> None:
    found = profile([], WEEK, clocks={}, since={})
    assert found.schema == schema.PROFILES
    assert found.num_rows == 0
    assert profiles_of(found) == {}


def test_counts_are_of_the_days_that_the_window_overlaps() -> None:
    rows = [day({5: 1}, n, Duplicates=1, RefusedHigh=10**n, OffGrid=3) for n in range(3)]
    (row,) = profiled(*rows, window=Window(WEEK.start, MONDAY + timedelta(days=1, hours=12)))
    assert (row["duplicates"], row["refused_high"], row["off_grid"]) == (2, 11, 6)


@pytest.mark.parametrize(
    ("zone", "hour"),
    [
        ("UTC", 0),
        ("Europe/Amsterdam", 2),
        ("Asia/Kolkata", 5),
        ("America/New_York", 164),
        ("Pacific/Kiritimati", 14),
    ],
)
def test_the_hour_of_the_week_is_local(zone: str, hour: int) -> None:
    (row,) = profiled(day({0: 80}), clocks={"vm": zone})
    assert row["x_TimeZone"] == zone
    assert {i: v for i, v in enumerate(row["week_mean"]) if not math.isnan(v)} == {hour: 80}
    assert row["week_count"] == [int(i == hour) for i in range(168)]


def test_daily_samples_stand_in_the_hour_they_start_in() -> None:
    rows = [day({0: 10 + n}, n, PeriodSeconds=86_400) for n in range(7)]
    (row,) = profiled(*rows, default_clock="Europe/Amsterdam")
    hours = {i: v for i, v in enumerate(row["week_mean"]) if not math.isnan(v)}
    assert hours == {24 * n + 2: 10 + n for n in range(7)}


def test_week_p95_is_the_nearest_rank_of_the_hour() -> None:
    values = {slot: slot + 1 for slot in range(60)}  # the hour's minutes: 1 .. 60 %
    (row,) = profiled(day(values, PeriodSeconds=60))
    assert row["week_p95"][0] == 57
    assert row["week_mean"][0] == 30.5


def test_series_stay_apart_and_sorted() -> None:
    rows = [
        day({0: 1}, ResourceId="é"),
        day({0: 2}, ResourceId="z", x_Device="b"),
        day({0: 3}, ResourceId="z", x_Device="a"),
        day({0: 4}, ResourceId="z", Statistic="max"),
        day({0: 5}, ResourceId="z", x_Device="a", PeriodSeconds=300),
        day({0: 6}, ResourceId="a", metric="network_in", PeriodSeconds=60),
    ]
    assert [row["max"] for row in profiled(*rows)] == [6, 4, 5, 3, 2, 1]


def test_every_series_has_its_own_clock_and_cut() -> None:
    rows = [day(dict.fromkeys(range(24), 50), ResourceId=name) for name in "abc"]
    since = {"b": MONDAY + timedelta(hours=20)}
    found = profiled(*rows, clocks={"a": "Asia/Tokyo"}, since=since, default_clock="UTC")
    assert [row["x_TimeZone"] for row in found] == ["Asia/Tokyo", "UTC", "UTC"]
    assert [row["count"] for row in found] == [24, 4, 24]


def test_an_unknown_clock_is_named_with_its_resource() -> None:
    with pytest.raises(InputError, match="resource vm: 'Mars/Olympus' is not a time zone"):
        profiled(day({0: 1}), clocks={"vm": "Mars/Olympus"})


@pytest.mark.parametrize("samples", [b"", b"\0" * 47, b"\0" * 96])
def test_samples_of_another_length_are_refused(samples: bytes) -> None:
    with pytest.raises(InputError, match="24 of 2 bytes a day"):
        profiled(day({}, Samples=samples))


def test_an_impossible_packed_value_is_refused() -> None:
    with pytest.raises(InputError, match="above 105"):
        profiled(day({0: 105.01}))


def test_two_rows_of_a_series_on_one_day_are_an_error() -> None:
    with pytest.raises(ValueError, match="two rows on one day"):
        profiled(day({0: 1}), day({1: 1}))


def test_nouns_hold_what_the_table_holds() -> None:
    rows = [day({0: 1, 3: 2}), day({0: 5.5}, metric="network_in"), day({0: 9}, ResourceId="b")]
    table = profile([pa.Table.from_pylist(rows, schema=schema.PACKED)], WEEK, clocks={}, since={})
    nouns = profiles_of(table)
    assert {name: len(found) for name, found in nouns.items()} == {"b": 1, "vm": 2}
    cpu, net = nouns["vm"]
    assert isinstance(cpu, Profile)
    assert (cpu.metric_name, cpu.p50, cpu.first, cpu.device) == ("cpu_utilization", 1, MONDAY, "")
    assert cpu.histogram is not None
    assert (sum(cpu.histogram), cpu.week_count[3], cpu.week_p95[3]) == (2, 1, 2)
    assert math.isnan(cpu.week_mean[1])
    assert (net.histogram, net.share_under_5, net.max) == (None, None, 5.5)
