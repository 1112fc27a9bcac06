"""optimize/memory.py: peaks, growth, trends, and whether the size chosen would have held."""

from __future__ import annotations

from itertools import combinations
from statistics import median

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from costopt.backtest.outcome import memory_outcomes
from costopt.optimize.memory import (
    FAILED,
    GROWTH,
    HEADROOM,
    HELD,
    TREND,
    UNKNOWN,
    UNSEEN,
    MemoryNeeds,
    daily_peaks,
    memory_needs,
    memory_windows,
)

Floats = npt.NDArray[np.float64]
NAN = float("nan")


def pasts(days: st.SearchStrategy[int]) -> st.SearchStrategy[Floats]:
    """Daily peaks in whole percent, so that days tie, with some missing."""
    value = st.one_of(st.integers(1, 100).map(float), st.just(NAN))
    return days.flatmap(lambda count: arrays(np.float64, (3, count), elements=value))


def one(days: list[float], headroom: float = 20, **horizon: int) -> MemoryNeeds:
    return memory_needs(np.array([days]), headroom, **horizon)


def test_daily_peaks_leave_missing_samples_out() -> None:
    samples = np.array([[1, 5, NAN, NAN, NAN, NAN], [NAN, 2, 3, 9, 0, 0]], np.float32)
    found = daily_peaks(samples, 2)
    np.testing.assert_array_equal(found, [[5, NAN, NAN], [2, 9, 0]])
    with pytest.raises(ValueError, match="not whole days"):
        daily_peaks(samples, 4)


def test_a_flat_machine_is_sized_by_its_headroom() -> None:
    found = one([40.0] * 20)
    assert (found.peak[0], found.growth[0], found.trend[0]) == (40, 1, 0)
    assert found.needed[0] == pytest.approx(50)  # 40 / 0.8
    assert found.binding[0] == HEADROOM


def test_a_machine_that_outgrew_its_past_is_given_as_much_again() -> None:
    found = one([20.0] * 10 + [30.0] + [20.0] * 10)
    assert found.growth[0] == pytest.approx(1.5)
    assert found.needed[0] == pytest.approx(45)  # 30 * 1.5, more than 30 / 0.8
    assert found.binding[0] == GROWTH


def test_growth_counts_from_a_week_of_known_days_and_within_the_horizon() -> None:
    assert one([10.0, 20, 20, 20, 20, 20, 20, 20]).growth[0] == 1  # 20 was known within the week
    assert one([20.0] * 6 + [NAN, 40.0]).growth[0] == 1  # six days are not enough to know by
    assert one([20.0] * 7 + [NAN, 40.0]).growth[0] == 2
    # 22 comes on day 8 and 44 on day 15: a fortnight sees both from day 7, a week one after another
    steps = [20.0] * 7 + [22.0] * 7 + [44.0]
    assert one(steps).growth[0] == pytest.approx(2.2)
    assert one(steps, horizon_days=7).growth[0] == pytest.approx(2)


def test_a_leak_is_carried_on_to_the_end_of_the_horizon() -> None:
    found = one([10.0 + day for day in range(20)])  # 29 today, 43 in a fortnight
    assert found.trend[0] == pytest.approx(1)
    assert found.needed[0] == pytest.approx(43 / 0.8)
    # what it outgrew, 29 after the 16 of its first week, asks for less: 29 * 29 / 16
    assert found.growth[0] == pytest.approx(29 / 16)
    assert found.binding[0] == TREND


def test_a_leak_unseen_of_late_has_gone_on() -> None:
    found = one([10.0 + day for day in range(18)] + [NAN, NAN])  # 27 seen, 29 by now
    assert found.needed[0] == pytest.approx(43 / 0.8)


def test_a_few_odd_days_are_no_trend() -> None:
    assert one([40.0] * 13 + [60.0]).trend[0] == 0
    assert one([40.0, 42, 41, 43, 40, 41, 44, 42, 40, 43, 41, 42, 43, 41]).trend[0] == 0
    assert one([50.0 - day for day in range(14)]).trend[0] == 0  # it falls
    assert one([NAN] * 8 + [1.0, 2, 3, 4, 5, 6]).trend[0] == 0  # rises, on six days only


def test_days_that_tie_count_in_the_rank_test() -> None:
    # 39 more pairs rise than fall, groups of 3, 2, 1 and 8 tie: (39 - 1) / sqrt(263.67) is 2.34,
    # which is rising; without the ties sqrt(333.67) would make it 2.08
    days = [40.0, 40, 40, 43, 41, 42, 43, 43, 43, 43, 43, 43, 41, 43]
    assert one(days).trend[0] == pytest.approx(1 / 8)


def test_few_days_or_zeros_tell_nothing() -> None:
    found = memory_needs(np.array([[NAN] * 8, [5.0] * 6 + [NAN] * 2, [0.0] * 8]), 20)
    np.testing.assert_array_equal(found.needed, [NAN, NAN, NAN])
    np.testing.assert_array_equal(found.peak, [NAN, 5, NAN])
    assert (found.binding == UNKNOWN).all()


def slope_by_the_book(days: Floats) -> float:
    """Sen's slope where Kendall's test says rising, by loops over pairs and groups of ties."""
    seen = [(day, value) for day, value in enumerate(days) if not np.isnan(value)]
    pairs = list(combinations(seen, 2))
    score = sum(int(b[1] > a[1]) - int(b[1] < a[1]) for a, b in pairs)
    n, groups = len(seen), np.unique([value for _, value in seen], return_counts=True)[1]
    ties = sum(int(t * (t - 1) * (2 * t + 5)) for t in groups)
    variance = (n * (n - 1) * (2 * n + 5) - ties) / 18
    if n < 7 or score < 2 or (score - 1) / variance**0.5 <= 2.3263478740408408:
        return 0.0
    return max(0.0, median((b[1] - a[1]) / (b[0] - a[0]) for a, b in pairs))


@given(pasts(st.integers(1, 14)), st.integers(0, 12))
def test_trends_are_those_of_the_book(days: Floats, steepness: int) -> None:
    rising = days + steepness * np.arange(days.shape[1])
    expected = [slope_by_the_book(row) for row in rising]
    assert memory_needs(rising, 20).trend == pytest.approx(expected)


@given(pasts(st.integers(1, 40)), st.floats(0.1, 4))
def test_needs_scale_with_demand(days: Floats, factor: float) -> None:
    as_is, scaled = memory_needs(days, 20), memory_needs(days * factor, 20)
    assert scaled.needed == pytest.approx(as_is.needed * factor, nan_ok=True)
    assert scaled.growth == pytest.approx(as_is.growth)


@given(pasts(st.integers(1, 40)), st.floats(0, 60), st.floats(0, 35))
def test_more_headroom_never_needs_less(days: Floats, headroom: float, more: float) -> None:
    less, needed = memory_needs(days, headroom).needed, memory_needs(days, headroom + more).needed
    assert ((needed >= less) | np.isnan(less)).all()
    peaks = np.fmax.reduce(days, axis=1)
    assert ((less >= peaks) | np.isnan(less)).all()


@given(pasts(st.integers(1, 40)), st.one_of(st.floats(1, 100), st.just(NAN)))
def test_a_day_before_never_lowers_the_peak(days: Floats, value: float) -> None:
    longer = np.column_stack([np.full(len(days), value), days])
    now, before = memory_needs(days, 20).peak, memory_needs(longer, 20).peak
    assert ((before >= now) | np.isnan(now)).all()


def test_windows_fail_hold_or_are_unseen() -> None:
    days = np.array(
        [
            [40.0] * 14 + [40, 50],  # 50 of 50: held, with nothing to spare
            [40.0] * 14 + [50.1, NAN],  # over it
            [40.0] * 14 + [NAN, NAN],  # not seen in the test
            [NAN] * 10 + [40.0] * 4 + [99, 99],  # too few days to choose by
            [85.0] * 14 + [107, 90],  # over 106.25, but it keeps all it has
        ]
    )
    found = memory_windows(days, [14], 2, [20])
    assert found.shape == (1, 5, 1)
    assert found[0, :, 0].tolist() == [HELD, FAILED, UNSEEN, UNSEEN, HELD]


def test_windows_see_the_days_before_their_origin_only() -> None:
    days = np.array([[40.0] * 10 + [60.0] * 10])
    # 60 on day 10 is news to the windows from days 9 and 10, and known on day 12; 40 / 0.7 is 57.1
    found = memory_windows(days, [8, 9, 10, 12], 2, [20, 30])
    assert found[:, 0].tolist() == [[HELD, FAILED, FAILED, HELD], [HELD, FAILED, FAILED, HELD]]
    assert memory_windows(days, [10], 10, [40])[0, 0, 0] == HELD  # 40 / 0.6 is 66.7


@given(pasts(st.just(24)), st.integers(1, 20), st.sampled_from([0, 15, 40]))
def test_windows_are_the_rule_replayed(days: Floats, origin: int, headroom: int) -> None:
    tests = days[:, origin : origin + 4]
    size = memory_needs(days[:, :origin], headroom, horizon_days=4).needed
    failed = memory_outcomes(tests, size / 100)
    unseen = np.isnan(tests).all(axis=1) | np.isnan(size)
    expected = np.where(unseen, UNSEEN, np.where(failed, FAILED, HELD))
    found = memory_windows(days, [origin], 4, [headroom])
    np.testing.assert_array_equal(found[0, :, 0], expected)


@pytest.mark.parametrize(("origins", "test_days"), [([0], 2), ([9], 2), ([5], 0)])
def test_windows_lie_within_the_days(origins: list[int], test_days: int) -> None:
    with pytest.raises(ValueError, match="not within 10 days"):
        memory_windows(np.full((1, 10), 40.0), origins, test_days, [20])
