"""Packed days to histories: every sample on its slot, and only those that count."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from costopt.backtest.series import (
    CPU,
    CPU_MAX,
    MEMORY,
    NETWORK_IN,
    History,
    Series,
    Subject,
    histories,
    percent,
    whole_days,
)
from costopt.model import Window
from costopt.schema import MISSING_U16
from tests.frame.packs import T0, Rows, pack, shard

HOUR = 3600


def read(
    *rows: Rows,
    window: Window,
    wanted: Collection[Series] = (CPU,),
    period: int = HOUR,
    **subject: Any,
) -> dict[str, History]:
    table = shard(*rows)
    names = set(table.column("ResourceId").to_pylist())
    subjects = {name: Subject(name, period, **subject) for name in names}
    return {one.subject.resource_id: one for one in histories(table, subjects, window, wanted)}


def days(count: int, *, after: timedelta = timedelta(0)) -> Window:
    """So many days from T0 on, later by so much."""
    return Window(T0 + after, T0 + timedelta(days=count) + after)


def test_hours_of_two_days_stand_in_order_and_missing_ones_are_missing() -> None:
    values = np.arange(48.0)
    values[[0, 7, 47]] = np.nan
    (one,) = read(
        pack("m", "cpu_utilization", values, period_seconds=HOUR), window=days(2)
    ).values()
    np.testing.assert_array_equal(one.numbers(CPU), values.astype(np.float32))
    assert one.cpu[7] == MISSING_U16
    assert one.slots_a_day == 24


def test_a_day_without_a_row_is_missing_and_the_history_as_long_as_the_window() -> None:
    rows = pack("m", "cpu_utilization", np.full(96, 5.0), period_seconds=HOUR)
    (one,) = read([rows[0], rows[3]], window=days(5)).values()
    present = (one.cpu != MISSING_U16).reshape(5, 24).sum(axis=1)
    assert present.tolist() == [24, 0, 0, 24, 0]


def test_days_end_where_the_decision_stands_not_at_midnight() -> None:
    """Of three days, from half past seven on the first to half past seven on the third: the hour
    that begins at seven is not whole, and left out at the start; at the end it counts."""
    rows = pack("m", "cpu_utilization", np.arange(72.0), period_seconds=HOUR)
    (one,) = read(rows, window=days(2, after=timedelta(hours=7, minutes=30))).values()
    np.testing.assert_array_equal(one.numbers(CPU), np.arange(8.0, 56.0))


@given(
    st.sampled_from([60, 300, 900, HOUR]),
    st.integers(1, 3),
    st.integers(0, 2 * 86_400),
    st.integers(-86_400, 4 * 86_400),
    st.integers(0, 2**32 - 1),
)
def test_every_sample_of_the_window_is_on_its_slot(
    period: int, length: int, start: int, since: int, seed: int
) -> None:
    """Against a dictionary of times."""
    chance = np.random.default_rng(seed)
    values = np.round(chance.uniform(0, 105, 3 * 86_400 // period), 2)
    values[chance.random(len(values)) < 0.2] = np.nan
    resized = T0 + timedelta(seconds=since)
    window = days(length, after=timedelta(seconds=start))
    rows = pack("m", "cpu_utilization", values, period_seconds=period)
    shuffled = [rows[i] for i in chance.permutation(len(rows))]
    (one,) = read(shuffled, window=window, period=period, since=resized).values()
    first = -(-start // period)
    expected = np.full(length * 86_400 // period, np.nan, np.float32)
    for slot in range(len(expected)):
        place = first + slot
        if place < len(values) and place * period >= since:
            expected[slot] = values[place]
    np.testing.assert_array_equal(one.numbers(CPU), expected)


def test_samples_from_before_a_resize_are_another_machines() -> None:
    rows = pack("m", "cpu_utilization", np.full(48, 5.0), period_seconds=HOUR)
    (one,) = read(rows, window=days(2), since=T0 + timedelta(hours=30)).values()
    assert (one.cpu != MISSING_U16).tolist() == [False] * 30 + [True] * 18


def test_other_periods_devices_statistics_and_metrics_stay_outside() -> None:
    level = np.full(24, 1.0)
    found = read(
        pack("m", "cpu_utilization", level, period_seconds=HOUR),
        pack("m", "cpu_utilization", level + 1, period_seconds=HOUR, Statistic="max"),
        pack("m", "cpu_utilization", level + 2, period_seconds=HOUR, x_Device="cpu0"),
        pack("m", "cpu_utilization", np.repeat(level + 3, 12), period_seconds=300),
        pack("m", "memory_utilization", level + 4, period_seconds=HOUR),
        pack("m", "memory_utilization", np.repeat(level + 5, 12), period_seconds=300),
        pack("m", "disk_utilization", level + 6, period_seconds=HOUR),
        window=days(1),
        wanted=(CPU, CPU_MAX, MEMORY),
    )
    held = {key: found["m"].numbers(key) for key in found["m"].series}
    assert {key: float(v[0]) for key, v in held.items() if v is not None} == {
        CPU: 1,
        CPU_MAX: 2,
        MEMORY: 6,  # of any period, and the highest
    }
    assert found["m"].numbers(NETWORK_IN) is None


@pytest.mark.parametrize("later", [timedelta(0), timedelta(hours=1, minutes=7)])
@pytest.mark.parametrize(("period", "touched"), [(60, 1), (600, 2), (3600, 12)])
def test_memory_of_another_period_stands_where_it_was_measured(
    period: int, touched: int, later: timedelta
) -> None:
    values = np.full(2 * 86_400 // period, 20.0)
    peak = 86_400 // period + 3
    values[peak] = 70.0
    (one,) = read(
        pack("m", "cpu_utilization", np.full(576, 5.0), period_seconds=300),
        pack("m", "memory_utilization", values, period_seconds=period),
        window=days(1, after=later + timedelta(hours=12)),
        wanted=(CPU, MEMORY),
        period=300,
    ).values()
    held = one.numbers(MEMORY)
    assert held is not None
    first = -(-(later + timedelta(hours=12)) // timedelta(minutes=5))
    at = peak * period // 300 - first
    np.testing.assert_array_equal(np.flatnonzero(held == 70), np.arange(at, at + touched))
    assert held.shape == one.cpu.shape


def test_memory_is_missing_where_no_sample_of_its_period_is() -> None:
    values = np.full(24, 20.0)
    values[5] = np.nan
    (one,) = read(
        pack("m", "cpu_utilization", np.full(288, 5.0), period_seconds=300),
        pack("m", "memory_utilization", values, period_seconds=HOUR),
        window=days(1),
        wanted=(CPU, MEMORY),
        period=300,
    ).values()
    held = one.numbers(MEMORY)
    assert held is not None
    np.testing.assert_array_equal(np.flatnonzero(np.isnan(held)), np.arange(60, 72))


def test_memory_of_two_periods_is_the_higher_of_both() -> None:
    fine = np.full(1440, 30.0)
    fine[7] = 80.0  # in the second slot of five minutes
    coarse = np.full(288, 40.0)
    coarse[5] = np.nan
    rows = [
        pack("m", "cpu_utilization", np.full(288, 5.0)),
        pack("m", "memory_utilization", fine, period_seconds=60),
        pack("m", "memory_utilization", coarse),
    ]
    expected = np.full(288, 40.0)
    expected[[1, 5]] = 80.0, 30.0
    for order in (rows, rows[::-1]):
        (one,) = read(*order, window=days(1), wanted=(CPU, MEMORY), period=300).values()
        np.testing.assert_array_equal(one.numbers(MEMORY), expected.astype(np.float32))


def test_rates_keep_their_unit() -> None:
    rates = np.array([1e9, np.nan, *[0.0] * 22])
    (one,) = read(
        pack("m", "cpu_utilization", np.ones(24), period_seconds=HOUR),
        pack("m", "network_in", rates, period_seconds=HOUR),
        window=days(1),
        wanted=(CPU, NETWORK_IN),
    ).values()
    np.testing.assert_array_equal(one.numbers(NETWORK_IN), rates.astype(np.float32))


def test_machines_come_by_name_and_only_with_cpu_and_if_asked_for() -> None:
    ones = np.ones(24)
    table = shard(
        pack("b", "cpu_utilization", ones, period_seconds=HOUR),
        pack("a", "cpu_utilization", ones, period_seconds=HOUR),
        pack("c", "memory_utilization", ones, period_seconds=HOUR),
        pack("d", "cpu_utilization", ones, period_seconds=HOUR),
    )
    subjects = {name: Subject(name, HOUR) for name in "abc"}
    found = [one.subject.resource_id for one in histories(table, subjects, days(1), [CPU, MEMORY])]
    assert found == ["a", "b"]


def test_no_machine_asked_for_is_none_found() -> None:
    table = shard(pack("a", "cpu_utilization", np.ones(24), period_seconds=HOUR))
    assert list(histories(table, {}, days(1), [CPU])) == []
    assert (
        list(histories(pa.table(table).slice(0, 0), {"a": Subject("a", HOUR)}, days(1), [CPU]))
        == []
    )


# -- refused and disputed samples --------------------------------------------------------------


def refusing(refused: int, gaps: Collection[int]) -> Rows:
    """A day at 50 %, with gaps, and so many samples refused."""
    values = np.full(24, 50.0)
    values[list(gaps)] = np.nan
    return pack("m", "cpu_utilization", values, period_seconds=HOUR, RefusedHigh=refused)


def test_refused_samples_of_a_busy_machine_are_full_ones_in_the_last_gaps() -> None:
    rows = refusing(2, [3, 9, 20])
    (one,) = read(rows, window=days(1), busy_if_refused=True).values()
    cpu = one.numbers(CPU)
    assert cpu is not None
    assert np.isnan(cpu[3])
    assert cpu[[9, 20]].tolist() == [105, 105]
    (one,) = read(rows, window=days(1)).values()
    assert (one.cpu == MISSING_U16).sum() == 3


def test_quiet_samples_sent_later_for_refused_ones_make_way() -> None:
    """Three refused: one of the gaps they left was never filled, two were, with the lowest."""
    values = np.full(24, 50.0)
    values[[4, 9, 15]], values[23] = (3.0, 3.0, 20.0), np.nan
    rows = pack("m", "cpu_utilization", values, period_seconds=HOUR, RefusedHigh=3)
    (one,) = read(rows, window=days(1), busy_if_refused=True).values()
    assert np.flatnonzero(one.cpu == 10500).tolist() == [4, 9, 23]
    (one,) = read(refusing(99, [0]), window=days(1), busy_if_refused=True).values()
    assert (one.cpu == 10500).all()


def test_on_a_day_that_counts_in_part_refused_samples_only_fill_gaps() -> None:
    """Which of them came in that part is not known."""
    noon = timedelta(hours=12)
    (one,) = read(refusing(9, [0, 23]), window=days(1, after=noon), busy_if_refused=True).values()
    assert np.flatnonzero(one.cpu == 10500).tolist() == [11]


@given(
    st.lists(st.integers(0, 10_500), min_size=24, max_size=24),
    st.sets(st.integers(0, 23)),
    st.integers(0, 105),
)
def test_whatever_is_sent_later_a_replay_sees_no_less_demand(
    hundredths: list[int], gone: set[int], threshold: int
) -> None:
    """`gone` were refused; then the whole day is sent again, quiet."""
    true = np.array(hundredths) / 100
    sent = true.copy()
    sent[list(gone)] = 0.06 * true[list(gone)]
    rows = pack("m", "cpu_utilization", sent, period_seconds=HOUR, RefusedHigh=len(gone))
    (one,) = read(rows, window=days(1), busy_if_refused=True).values()
    full = true.copy()
    full[list(gone)] = 105
    assert (one.cpu > 100 * threshold).sum() >= (np.rint(100 * full) > 100 * threshold).sum()


def test_a_decision_amid_a_day_sees_no_sample_refused_after_it_for_sure() -> None:
    """The window begins at noon of the day: two of three refused samples find room after noon, and
    only the third must have come before."""
    rows = refusing(3, [2, 5, 13, 20])
    rows += pack("m", "cpu_utilization", np.ones(24), start=T0 + timedelta(1), period_seconds=HOUR)
    noon = timedelta(hours=12)
    (one,) = read(rows, window=days(1, after=noon), busy_if_refused=True).values()
    assert np.flatnonzero(one.cpu == 10500).tolist() == [1, 8]
    # With the whole day in the window, an origin at noon sees the one.
    (one,) = read(rows, window=days(2), busy_if_refused=True).values()
    assert np.flatnonzero(one.cpu == 10500).tolist() == [5, 13, 20]


def test_gaps_after_the_window_hold_no_refused_samples() -> None:
    """Now is noon: what the rest of the day lacks is the future."""
    rows = refusing(2, [2, 5, *range(12, 24)])
    window = Window(T0 - timedelta(hours=12), T0 + timedelta(hours=12))
    (one,) = read(rows, window=window, busy_if_refused=True).values()
    assert np.flatnonzero(one.cpu == 10500).tolist() == [14, 17]


def test_refused_samples_of_other_metrics_stay_missing() -> None:
    memory = np.full(24, 50.0)
    memory[4] = np.nan
    (one,) = read(
        refusing(0, []),
        pack("m", "memory_utilization", memory, period_seconds=HOUR, RefusedHigh=1),
        window=days(1),
        wanted=(CPU, MEMORY),
        busy_if_refused=True,
    ).values()
    numbers = one.numbers(MEMORY)
    assert numbers is not None
    assert np.isnan(numbers[4])


def test_disputed_samples_are_left_out_or_kept() -> None:
    start = int(T0.timestamp())
    times = [start - HOUR, start + 2 * HOUR, start + 23 * HOUR, start + 24 * HOUR]
    rows = pack("m", "cpu_utilization", np.arange(24.0), period_seconds=HOUR)
    (one,) = read(rows, window=days(1), disputed=times).values()
    assert one.disputed.tolist() == [2, 23]
    assert np.flatnonzero(one.cpu == MISSING_U16).tolist() == [2, 23]
    assert one.cpu_with_disputed[[2, 23]].tolist() == [200, 2300]
    numbers = one.numbers(CPU)
    assert numbers is not None
    assert np.isnan(numbers[2])


def test_disputed_samples_stand_on_the_same_slots_amid_a_day() -> None:
    seven = timedelta(hours=7, minutes=30)
    times = [int((T0 + timedelta(hours=hour)).timestamp()) for hour in (7, 8, 31)]
    rows = pack("m", "cpu_utilization", np.arange(48.0), period_seconds=HOUR)
    (one,) = read(rows, window=days(1, after=seven), disputed=times).values()
    assert one.disputed.tolist() == [0, 23]
    assert one.cpu_with_disputed[[0, 23]].tolist() == [800, 3100]


def test_percent_of_hundredths_and_missing() -> None:
    found = percent(np.array([0, 1, 4320, 10500, MISSING_U16], np.uint16))
    np.testing.assert_array_equal(found, np.array([0, 0.01, 43.2, 105, np.nan], np.float32))


def test_whole_days_count_24_hours_back_in_utc() -> None:
    local = datetime.fromisoformat("2026-10-26T00:00:00+01:00")  # the day after clocks go back
    found = whole_days(local, 1)
    assert found.end == datetime(2026, 10, 25, 23, tzinfo=UTC)
    assert found.start == datetime(2026, 10, 24, 23, tzinfo=UTC)


@pytest.mark.parametrize("order", [[0, 1], [1, 0]])
def test_the_order_of_chunks_and_rows_changes_nothing(order: list[int]) -> None:
    tables = [
        shard(pack(name, "cpu_utilization", np.arange(48.0) + i, period_seconds=HOUR)[::-1])
        for i, name in enumerate("ab")
    ]
    table = pa.concat_tables([tables[i] for i in order])
    subjects = {name: Subject(name, HOUR) for name in "ab"}
    found = {one.subject.resource_id: one.cpu for one in histories(table, subjects, days(2), [CPU])}
    assert found["a"].tolist() == (100 * np.arange(48)).tolist()
    assert found["b"].tolist() == (100 * np.arange(48) + 100).tolist()
