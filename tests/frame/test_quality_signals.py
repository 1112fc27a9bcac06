"""Clock shifts, samples from the future, series refused as a whole, sensors stuck up to now."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pytest

from costopt.config import QualitySettings
from costopt.frame.days import key_of
from costopt.frame.signals import Signals, read
from costopt.model import Window
from tests.frame.packs import A_DAY, DAYS, END, T0, WINDOW, noise, pack, profile, resource, shard

OFFICE = np.where((np.arange(24) >= 8) & (np.arange(24) < 18), 40.0, 6.0)


def office(*, later: int = 0, days: int = DAYS, seed: int = 0) -> npt.NDArray[np.float64]:
    """An office-hours machine whose clock is set back or forth in the middle."""
    day = np.repeat(OFFICE, 12)
    moved = np.roll(day, later * 12)
    level = np.concatenate([np.tile(day, days // 2), np.tile(moved, days - days // 2)])
    wobble = np.random.default_rng(seed).normal(1, 0.1, days * A_DAY)
    return np.round(np.clip(level * wobble, 0, 100), 2)


def signals(table: pa.Table, *, window: Window = WINDOW, time_zone: str = "UTC") -> Signals:
    machine = resource(time_zone=time_zone)
    return read([table], {"m-1": machine}, {"m-1": (profile(),)}, window, QualitySettings())


class TestClockShift:
    @pytest.mark.parametrize("hours", [-8, -2, -1, 1, 2, 5, 12])
    def test_a_clock_that_was_set_is_seen(self, hours: int) -> None:
        shift = signals(shard(pack("m-1", "cpu_utilization", office(later=hours)))).shifts["m-1"]
        assert shift.hours == hours
        assert shift.middle == date(2026, 9, 21)
        assert shift.after > 0.9 > shift.before

    def test_a_steady_rhythm_has_not_moved(self) -> None:
        assert not signals(shard(pack("m-1", "cpu_utilization", office()))).shifts

    def test_no_rhythm_no_shift(self) -> None:
        assert not signals(shard(pack("m-1", "cpu_utilization", noise(20)))).shifts

    def test_a_rhythm_needs_two_weeks(self) -> None:
        for days, found in ((13, False), (14, True)):
            table = shard(pack("m-1", "cpu_utilization", office(later=5, days=days)))
            assert bool(signals(table).shifts) == found

    def test_summer_time_moves_nothing_by_the_wall_clock(self) -> None:
        start = datetime(2026, 10, 11, tzinfo=UTC)  # 25 October: Berlin leaves summer time
        window = Window(start, start + timedelta(days=28))
        table = shard(pack("m-1", "cpu_utilization", office(later=1), start=start))
        assert not signals(table, window=window, time_zone="Europe/Berlin").shifts
        assert signals(table, window=window).shifts["m-1"].hours == 1

    def test_gaps_do_not_move_the_clock(self) -> None:
        values = office(later=3)
        values[np.random.default_rng(5).random(len(values)) < 0.3] = np.nan
        values[4 * A_DAY : 6 * A_DAY] = np.nan
        table = shard(pack("m-1", "cpu_utilization", values))
        assert signals(table).shifts["m-1"].hours == 3

    def test_only_days_of_the_present_size_count(self) -> None:
        table = shard(pack("m-1", "cpu_utilization", office(later=3)))
        resized = resource(resized_at=T0 + timedelta(days=14))
        found = read([table], {"m-1": resized}, {"m-1": (profile(),)}, WINDOW, QualitySettings())
        assert not found.shifts

    def test_hourly_samples_do(self) -> None:
        hourly = office(later=4)[::12]
        seen = {"m-1": (profile(period_seconds=3600),)}
        table = shard(pack("m-1", "cpu_utilization", hourly, period_seconds=3600))
        assert read([table], {}, seen, WINDOW, QualitySettings()).shifts["m-1"].hours == 4


class TestAhead:
    def test_samples_after_the_window(self) -> None:
        window = Window(T0, END - timedelta(hours=2))
        ahead = signals(shard(pack("m-1", "network_in", noise(9))), window=window).ahead["m-1"]
        assert (ahead.samples, ahead.first) == (24, END - timedelta(hours=2))

    def test_samples_up_to_its_end_are_none(self) -> None:
        assert not signals(shard(pack("m-1", "cpu_utilization", noise(9)))).ahead


class TestRefused:
    def test_a_series_of_nothing_but_refusals(self) -> None:
        empty = np.full(2 * A_DAY, np.nan)
        table = shard(pack("m-1", "memory_utilization", empty, RefusedHigh=288, NotFinite=1))
        assert signals(table).refused == {"m-1": {"memory_utilization": 578}}

    def test_one_usable_sample_is_a_profile_s_business(self) -> None:
        values = np.full(2 * A_DAY, np.nan)
        values[7] = 3.0
        table = shard(pack("m-1", "memory_utilization", values, RefusedHigh=288))
        assert not signals(table).refused

    def test_missing_is_not_refused(self) -> None:
        assert not signals(shard(pack("m-1", "memory_utilization", np.full(A_DAY, np.nan)))).refused


class TestFlatSince:
    SINCE = T0 + timedelta(days=20)

    def flat(self, values: npt.NDArray[np.float64]) -> dict[str, datetime]:
        suspect = profile(longest_flat_seconds=72 * 3600)
        table = shard(pack("m-1", "cpu_utilization", values))
        found = read([table], {}, {"m-1": (suspect,)}, WINDOW, QualitySettings()).flat_since
        return {key.resource_id: since for key, since in found.items()}

    def test_a_sensor_stuck_up_to_its_last_sample(self) -> None:
        values = noise(20)
        values[20 * A_DAY :] = 17.3
        values[-40:] = np.nan
        assert self.flat(values) == {"m-1": self.SINCE}

    def test_a_gap_ends_the_run(self) -> None:
        values = noise(20)
        values[19 * A_DAY :] = 17.3
        values[20 * A_DAY - 1] = np.nan
        assert self.flat(values) == {"m-1": self.SINCE}

    def test_a_mended_sensor(self) -> None:
        values = noise(20)
        values[:-1] = 17.3
        values[-1] = 17.31
        assert self.flat(values) == {"m-1": END - timedelta(minutes=5)}

    def test_nobody_else_is_looked_at(self) -> None:
        table = shard(pack("m-1", "cpu_utilization", np.full(DAYS * A_DAY, 17.3)))
        assert not signals(table).flat_since
        assert key_of(profile()).resource_id == "m-1"


def test_no_shards_no_signals() -> None:
    assert read([], {}, {}, WINDOW, QualitySettings()) == Signals()
    assert signals(shard()) == Signals()
