"""One machine from every origin: by hand, against its parts, and that an origin is its past."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from costopt.backtest.outcome import outcomes
from costopt.backtest.series import History, percent
from costopt.backtest.study import STANDARD, Standard, Studied, disputed_over, study
from costopt.backtest.windows import Origin, Timetable, of_history, timetable
from costopt.optimize.features import NAMES, features
from costopt.schema import MISSING_U16
from tests.backtest.fleets import A_DAY, Values, days, history, restless

SIZES = np.array([1.0, 0.5, 0.25])
TABLE = timetable(42)


def of(one: History, table: Timetable = TABLE, sizes: Values = SIZES, **more: object) -> Studied:
    return study(one, one.cpu, sizes, table, STANDARD, **more)  # type: ignore[arg-type]


def test_an_origin_has_the_figures_of_its_training_window() -> None:
    one = history(restless(42, 1))
    found = of(one)
    for at in (*TABLE.origins, TABLE.now):
        end = (42 - at.back_days) * A_DAY
        train = one.cpu[end - 14 * A_DAY : end]
        expected = features(train[None], 90 * SIZES, A_DAY, 0.005)[0]
        np.testing.assert_array_equal(found.figures[at], expected.astype(np.float32))


def test_a_test_window_is_judged_as_outcomes_judges_it() -> None:
    one = history(restless(42, 2))
    found = of(one, timetable(42, gap_days=3))
    at = Origin(24, 14, 3, 14)
    start = (42 - 21) * A_DAY
    test = percent(one.cpu[start : start + 14 * A_DAY])[None]
    came = outcomes(test, SIZES, [1, 8, 48])  # 10 minutes are not less than a slot of thirty
    np.testing.assert_array_equal(found.tested[at].over_90, came.over_90[0])
    np.testing.assert_array_equal(found.tested[at].kept, came.kept[:, 0])
    np.testing.assert_array_equal(found.tested[at].guarded, came.guarded[:, 0])
    np.testing.assert_array_equal(found.tested[at].exhausted, came.exhausted[0])


def test_the_peak_is_the_highest_sample_up_to_the_origin() -> None:
    cpu = days(42, 10)
    cpu[0] = 80  # long before every training window but the oldest one
    cpu[-14 * A_DAY - 1] = 90  # the last one before the newest origin
    cpu[-1] = 95
    found = of(history(cpu))
    assert [found.peaks[at] for at in (*TABLE.origins, TABLE.now)] == [80, 80, 90, 95]


def test_what_was_seen_over_each_size_of_late() -> None:
    cpu = days(42, 10)
    cpu[: 20 * A_DAY] = 99  # before the last fortnight
    cpu[-A_DAY:] = 60
    cpu[-1] = np.nan
    found = of(history(cpu))
    over_half = (A_DAY - 1) / (14 * A_DAY - 1)
    assert found.over.tolist() == [0.0, over_half, over_half]


def test_whole_windows_before_the_training_window_are_its_record() -> None:
    """70 days, of which days 0 to 14 and 42 to 56 go to 60 %."""
    cpu = days(70, 10)
    cpu[: 14 * A_DAY] = cpu[42 * A_DAY : 56 * A_DAY] = 60
    table = timetable(70)
    found = of(history(cpu), table)
    now = found.records[table.now]  # windows of 14-28, 28-42, 42-56 (and 0-14) days
    assert now.windows_before == 4
    assert now.over_before.tolist() == [0, 2, 2]
    assert now.share.tolist() == [0, 2 / 6, 2 / 6]  # of five, the training window's too, and one
    newest = found.records[Origin(14, 14, 0, 14)]  # decided on day 56, trained from day 42 on
    assert newest.windows_before == 3
    assert newest.over_before.tolist() == [0, 1, 1]
    assert newest.share.tolist() == [0, 2 / 5, 2 / 5]
    oldest = found.records[Origin(56, 14, 0, 14)]
    assert oldest.windows_before == 0
    assert oldest.share.tolist() == [0, 1 / 2, 1 / 2]


def test_windows_too_thin_are_left_out() -> None:
    cpu = days(42, 10)
    cpu[14 * A_DAY : 28 * A_DAY : 2] = np.nan  # half of the window is enough to decide by
    cpu[28 * A_DAY : 31 * A_DAY] = np.nan  # but 11 of 14 days are too few to judge by
    oldest, middle, newest = TABLE.origins
    found = of(history(cpu))
    assert {oldest, middle, newest} <= set(found.figures)
    assert not found.judged(oldest)  # tested on days 14 to 28
    assert not found.judged(newest)
    cpu[14 * A_DAY + 1] = np.nan
    assert newest not in of(history(cpu)).figures


def test_a_gap_of_a_fifth_is_not_too_thin() -> None:
    cpu = days(42, 10)
    cpu[30 * A_DAY : 30 * A_DAY + 134] = np.nan  # of 672
    assert of(history(cpu)).judged(TABLE.origins[-1])
    cpu[30 * A_DAY + 134] = np.nan
    assert not of(history(cpu)).judged(TABLE.origins[-1])


def test_a_machine_without_samples_has_nothing() -> None:
    found = of(history(np.full(42 * A_DAY, np.nan)))
    assert not found.figures
    assert not found.peaks
    assert not found.tested
    assert found.over.tolist() == [0, 0, 0]


@pytest.mark.parametrize("length", [0, 1, 3, 5, 20])
def test_short_histories_are_studied_as_far_as_they_go(length: int) -> None:
    table = of_history(length)
    found = of(history(restless(length, 3)), table)
    assert (table.now in found.figures) == (length > 0)
    assert set(table.origins) <= set(found.tested)


def test_a_history_shorter_than_the_timetable_lacks_the_oldest_origins() -> None:
    found = of(history(restless(20, 3)), of_history(60))
    assert not found.figures  # the newest windows of four weeks want 28 days
    found = of(history(restless(20, 3)), timetable(60))
    assert set(found.figures) == {Origin(0, 14, 0, 14)}


@pytest.mark.parametrize(
    ("period", "slots"),
    [
        (60, [10, 240, 1440]),
        (300, [2, 48, 288]),
        (450, [2, 32, 192]),
        (900, [1, 16, 96]),
    ],
)
def test_a_rollback_takes_as_long_as_said_whatever_the_period(
    period: int, slots: list[int]
) -> None:
    """At 60 % from the start, half the machine's budget is used up by sample N."""
    a_day = 86_400 // period
    total = 14 * a_day
    one = history(np.concatenate([days(14, 10, a_day), days(14, 60, a_day)]), period=period)
    found = of(one, timetable(28))
    nth = int(0.005 * total) + 1
    kept = found.tested[Origin(14, 14, 0, 14)].kept[:, 1] * total
    assert kept.round(6).tolist() == [nth + lead for lead in slots]


def test_fewer_leads_where_fewer_are_wanted() -> None:
    found = of(history(restless(42, 1)), lead_minutes=(10,))
    assert found.tested[TABLE.origins[0]].kept.shape == (1, 3)


def test_sizes_that_are_ratios_are_found_and_judged_alike() -> None:
    """0.1 + 0.2 is not 0.3, and 90 times a third is 30: no sample at the limit is over it."""
    sizes = np.array([1.0, 0.48, 1 / 3, 0.1 + 0.2, 0.3, 0.1])
    cpu = days(28, 1)
    cpu[-14 * A_DAY :] = np.resize([43.2, 30.0, 27.0, 9.0], 14 * A_DAY)
    found = of(history(cpu), timetable(28), sizes)
    tested = found.tested[Origin(14, 14, 0, 14)]
    expected = [0, 0, 0.25, 0.5, 0.5, 0.75]
    assert tested.over_90.tolist() == expected
    assert found.over.tolist() == expected
    assert found.places(np.array([1 / 3, 0.3])).tolist() == [2, 4]


def test_a_size_that_was_not_studied_is_no_neighbours() -> None:
    found = of(history(restless(42, 1)))
    for missing in (0.3, 0.1, 2.0, 1 - 1e-12):
        with pytest.raises(KeyError, match="not all were studied"):
            found.places(np.array([missing]))
    assert found.places(np.array([])).tolist() == []


def test_another_limit_and_budget() -> None:
    cpu = np.concatenate([days(14, 10), days(14, 30)])
    one = history(cpu)
    found = study(one, one.cpu, SIZES, timetable(28), Standard(limit_percent=50, budget=1.0))
    tested = found.tested[Origin(14, 14, 0, 14)]
    assert tested.over_90.tolist() == [0, 1, 1]
    assert not tested.exhausted.any()


@settings(max_examples=25)
@given(
    st.integers(0, 2**32 - 1),
    st.sampled_from([timetable(49), timetable(49, gap_days=3), of_history(49), of_history(20)]),
)
def test_an_origin_knows_nothing_of_what_came_after_it(seed: int, table: Timetable) -> None:
    """Everything after an origin is changed: samples, gaps, the test window's too."""
    length = table.origins[0].start_back_days + 7
    before = restless(length, seed)
    first = of(history(before), table)
    chance = np.random.default_rng(seed)
    for at in table.origins:
        after = before.copy()
        end = (length - at.back_days) * A_DAY
        after[end:] = chance.uniform(0, 105, len(after) - end)
        after[end:][chance.random(len(after) - end) < 0.3] = np.nan
        second = of(history(after), table)
        known = [o for o in first.figures if o.back_days >= at.back_days]
        assert at in known
        for origin in known:
            np.testing.assert_array_equal(first.figures[origin], second.figures[origin])
        assert first.peaks[at] == second.peaks[at]
        np.testing.assert_array_equal(first.records[at].over_before, second.records[at].over_before)
        np.testing.assert_array_equal(first.records[at].share, second.records[at].share)
        for lesson in table.lessons(at):
            assert (lesson in first.tested) == (lesson in second.tested)
            if lesson in first.tested:
                np.testing.assert_array_equal(
                    first.tested[lesson].exhausted, second.tested[lesson].exhausted
                )


def test_disputed_samples_count_where_they_are_kept() -> None:
    cpu = days(28, 10)
    cpu[20 * A_DAY] = 100
    one = history(cpu, disputed=[20 * A_DAY])
    table = timetable(28)
    without = study(one, one.cpu, SIZES, table, STANDARD)
    with_disputed = study(one, one.cpu_with_disputed, SIZES, table, STANDARD)
    assert (without.peaks[table.now], with_disputed.peaks[table.now]) == (10, 100)
    assert one.cpu_with_disputed[20 * A_DAY] != MISSING_U16


def test_the_share_of_disputed_samples_over_each_size_s_limit() -> None:
    """Limits 90, 45 and 22.5 %; of the 28 days looked at 27 are there, of 48 samples each."""
    cpu = days(40, 60)
    cpu[20 * A_DAY : 21 * A_DAY] = np.nan
    spikes = {5 * A_DAY: 100, 13 * A_DAY: 100, 25 * A_DAY: 95, 26 * A_DAY: 90, 30 * A_DAY: 40}
    for slot, value in spikes.items():
        cpu[slot] = value
    one = history(cpu, disputed=list(spikes))
    now = Origin(0, 28, 0, 14)
    shares = disputed_over(one, SIZES, now, STANDARD)
    np.testing.assert_allclose(shares * 27 * A_DAY, [2, 3, 4])
    earlier = disputed_over(one, SIZES, Origin(12, 28, 0, 14), STANDARD)
    np.testing.assert_allclose(earlier * 27 * A_DAY, [3, 4, 4])


def test_figures_are_one_row_a_size() -> None:
    found = of(history(restless(42, 1)))
    assert found.figures[TABLE.now].shape == (3, len(NAMES))
    assert found.figures[TABLE.now].dtype == np.float32
    assert found.resource_id == "m"
