"""Memory at past origins: peaks, sizes by what was known, and what became of them."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import pytest

from costopt.backtest import memory
from costopt.backtest.memory import MemoryPast, first_days, headrooms, lasting_days, memory_peaks
from costopt.backtest.series import CPU, MEMORY, MEMORY_MAX
from costopt.backtest.windows import Origin, of_history, timetable
from tests.backtest.fleets import Values, days, history

NAN = np.nan


def test_daily_peaks_are_of_maxima_where_there_are_any() -> None:
    means = np.array([*days(1, 20), *days(1, 30), *days(1, NAN)])
    maxima = np.array([*days(1, 50), *days(1, NAN), *days(1, NAN)])
    one = history(days(3, 5), series={MEMORY: means, MEMORY_MAX: maxima})
    np.testing.assert_array_equal(memory_peaks(one), [50, 30, NAN])
    np.testing.assert_array_equal(
        memory_peaks(history(days(3, 5), series={MEMORY: means})), [20, 30, NAN]
    )
    assert memory_peaks(history(days(3, 5))) is None


@pytest.mark.parametrize("level", [NAN, 0.0, None])
def test_memory_that_never_shows_anything_is_not_measured(level: float | None) -> None:
    series = {} if level is None else {MEMORY: days(3, level)}
    assert MemoryPast.of(history(days(3, 5), series=series)) is None
    assert CPU in history(days(3, 5)).series


def test_a_test_window_begins_after_the_gap() -> None:
    past = MemoryPast(np.arange(49.0))
    assert past.tested(Origin(14, 14, 0, 14)) == 48
    assert past.tested(Origin(28, 14, 0, 14)) == 34
    assert past.tested(Origin(20, 14, 3, 2)) == 33  # days 32 and 33 of 0 to 48
    past.peaks[31:35] = NAN
    assert np.isnan(past.tested(Origin(20, 14, 3, 2)))


def test_origins_as_days_and_how_long_a_size_must_last() -> None:
    table = timetable(42, gap_days=3)
    assert first_days(table.origins, 42) == [18, 25]
    assert lasting_days(table) == 17


@pytest.mark.parametrize("length", [0, 3, 5, 20, 28, 60])
@pytest.mark.parametrize("gap", [0, 3])
def test_every_origin_lies_within_the_days(length: int, gap: int) -> None:
    for table in (of_history(length), timetable(length, gap_days=gap)):
        for first in first_days(table.origins, length):
            assert 0 < first <= length - lasting_days(table)


def test_the_configured_headroom_and_those_above_it() -> None:
    assert headrooms(15) == (15, 20, 25, 30, 40, 50)
    assert headrooms(17) == (17, 20, 25, 30, 40, 50)
    assert headrooms(60) == (60,)


def ours(peaks: Values, gap: int = 0) -> dict[Origin, Values]:
    table = timetable(peaks.shape[1], gap_days=gap)
    return memory.ours(peaks, table, headroom_percent=15, budget=0.01)


def test_a_small_fleets_sizes_have_the_configured_headroom() -> None:
    """A steady machine at 34 % keeps 34 / 0.85 = 40 %; one seen on four days, nothing."""
    steady = np.full(42, 34.0)
    late = np.full(42, NAN)
    late[10:14] = 20
    for sizes in ours(np.stack([steady, late])).values():
        np.testing.assert_allclose(sizes[0], 0.4)
        assert np.isnan(sizes[1]) or sizes[1] > 0
    oldest = next(iter(ours(np.stack([steady, late])).values()))
    assert np.isnan(oldest[1])


@lru_cache(maxsize=1)
def unlucky() -> Values:
    """200 machines at 40 %, of which ten grow to 60 % in days 21 to 35."""
    peaks = np.full((200, 56), 40.0)
    peaks[:10, 21:35] = 60
    return peaks


def test_the_headroom_is_what_ended_windows_ask_for() -> None:
    """Decided on day 14, nothing is known; on day 42, that 5 % would have run out: 30 % headroom
    would have kept 40 / 0.7 = 57 %, too little; 40 %, 67 %."""
    found = ours(unlucky())
    first, last = min(found, key=lambda o: -o.back_days), max(found, key=lambda o: -o.back_days)
    np.testing.assert_allclose(found[first][50:], 0.4 / 0.85)
    np.testing.assert_allclose(found[last][50:], 0.4 / 0.6)


@pytest.mark.parametrize("gap", [0, 3])
def test_sizes_at_an_origin_do_not_depend_on_what_came_later(gap: int) -> None:
    chance = np.random.default_rng(3)
    peaks = chance.uniform(20, 80, (120, 63))
    first = ours(peaks, gap)
    assert len(first) > 3
    for at in first:
        changed = peaks.copy()
        changed[:, 63 - at.back_days :] = chance.uniform(0, 100, (120, at.back_days))
        changed[:, 63 - at.back_days :][::7] = NAN
        np.testing.assert_array_equal(ours(changed, gap)[at], first[at])


def test_where_no_headroom_keeps_the_budget_memory_stays() -> None:
    peaks = np.full((200, 56), 30.0)
    peaks[:40, 28:] = 99
    found = ours(peaks)
    newest = min(found, key=lambda o: o.back_days)
    assert (found[newest] == 1).all()


def test_scores_by_hand() -> None:
    """Half the memory of two machines: one peaks at 50 %, which fits, the other at 50.01 %."""
    at = Origin(14, 14, 0, 14)
    pasts = [MemoryPast(np.full(28, level)) for level in (50.0, 50.01, NAN)]
    windows = [(number, at) for number in range(3)]
    sizes = {
        "half": np.array([0.5, 0.5, 0.5]),
        "mute": np.full(3, NAN),
        "more": np.array([1.5, NAN, 0.1]),
    }
    half, more = memory.scores(pasts, windows, sizes, draws=10, seed=0)
    assert (half.name, half.windows) == ("half", 2)  # the third's test shows nothing
    assert half.saved.value == 0.5
    assert half.out_of_memory.value == 0.5
    assert (more.name, more.saved.value, more.out_of_memory.value) == ("more", 0, 0)


def test_a_size_equal_to_the_peak_but_for_arithmetic_holds_it() -> None:
    at = Origin(14, 14, 0, 14)
    (found,) = memory.scores(
        [MemoryPast(np.full(28, 34.0))], [(0, at)], {"a": np.array([0.1 + 0.24])}, draws=10, seed=0
    )
    assert found.out_of_memory.value == 0


def test_without_a_judged_window_there_is_no_score() -> None:
    at = Origin(14, 14, 0, 14)
    assert memory.scores([], [], {"a": np.array([])}, draws=10, seed=0) == ()
    empty = MemoryPast(np.full(28, NAN))
    assert memory.scores([empty], [(0, at)], {"a": np.array([0.5])}, draws=10, seed=0) == ()
