"""Origins by hand, and that nothing is learned before it was known."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from costopt.backtest.windows import Origin, Timetable, of_history, timetable


def test_origins_stand_a_week_apart_and_the_newest_test_ends_with_the_history() -> None:
    found = timetable(42)
    assert found.origins == (Origin(28, 14, 0, 14), Origin(21, 14, 0, 14), Origin(14, 14, 0, 14))
    assert found.now == Origin(0, 14, 0, 14)
    assert [o.start_back_days for o in found.origins] == [42, 35, 28]
    assert [o.done_back_days for o in found.origins] == [14, 7, 0]


def test_a_gap_stands_between_the_decision_and_its_test() -> None:
    found = timetable(42, gap_days=3)
    assert [o.back_days for o in found.origins] == [24, 17]
    assert [o.done_back_days for o in found.origins] == [7, 0]


@pytest.mark.parametrize(("history", "origins"), [(27, 0), (28, 1), (34, 1), (35, 2), (0, 0)])
def test_an_origin_needs_whole_windows_on_both_sides(history: int, origins: int) -> None:
    assert len(timetable(history).origins) == origins


def test_other_lengths_and_steps() -> None:
    found = timetable(20, train_days=5, gap_days=1, test_days=4, step_days=5)
    assert found.origins == (Origin(15, 5, 1, 4), Origin(10, 5, 1, 4), Origin(5, 5, 1, 4))


def test_what_is_known_at_an_origin_are_the_tests_that_had_ended() -> None:
    found = timetable(42)
    oldest, middle, newest = found.origins
    assert found.lessons(newest) == (oldest,)
    assert found.lessons(found.now) == (oldest, middle, newest)
    assert found.ended_by(middle) == ()


def test_where_nothing_is_known_the_training_window_is_cut_in_two() -> None:
    found = timetable(42)
    oldest, middle, _ = found.origins
    assert found.lessons(oldest) == (Origin(35, 7, 0, 7),)
    assert found.lessons(middle) == (Origin(28, 7, 0, 7),)
    assert Origin(14, 3, 0, 14).halves() is None  # of a day and a half nothing is learned
    assert Origin(0, 5, 0, 14).halves() == Origin(2, 2, 0, 2)


def test_every_lesson_stands_once_oldest_first() -> None:
    found = timetable(42)
    assert found.all_lessons == (
        Origin(35, 7, 0, 7),
        Origin(28, 7, 0, 7),
        *found.origins,
    )


@pytest.mark.parametrize("history", [0, 1, 2, 3])
def test_a_history_of_less_than_four_days_is_judged_by_the_prior(history: int) -> None:
    found = of_history(history)
    assert found.origins == ()
    assert found.now == Origin(0, history, 0, 14)
    assert found.all_lessons == ()


def test_a_history_too_short_for_an_origin_is_cut_in_two() -> None:
    assert of_history(27).origins == (Origin(13, 13, 0, 13),)
    assert of_history(27).now == Origin(0, 27, 0, 14)
    assert of_history(4).origins == (Origin(2, 2, 0, 2),)


def test_advice_looks_back_four_weeks_where_it_can() -> None:
    found = of_history(60)
    assert [(o.back_days, o.train_days) for o in found.origins] == [
        (42, 18),
        (35, 25),
        (28, 28),
        (21, 28),
        (14, 28),
    ]
    assert found.now == Origin(0, 28, 0, 14)


_TABLES = st.one_of(
    st.integers(0, 120).map(of_history),
    st.builds(
        timetable,
        st.integers(0, 120),
        train_days=st.integers(1, 30),
        gap_days=st.integers(0, 10),
        test_days=st.integers(1, 30),
        step_days=st.integers(1, 14),
    ),
)


@given(_TABLES)
def test_no_lesson_ends_after_the_decision_that_learns_from_it(table: Timetable) -> None:
    for at in (*table.origins, table.now):
        for lesson in table.lessons(at):
            assert lesson.done_back_days >= at.back_days
            assert lesson.test_days >= 1


@given(st.integers(0, 120), st.integers(0, 5))
def test_every_window_lies_in_the_history(days: int, gap: int) -> None:
    for table in (of_history(days), timetable(days, gap_days=gap)):
        for at in (*table.origins, *table.all_lessons):
            assert at.start_back_days <= days
            assert at.done_back_days >= 0
        assert table.now.start_back_days <= days


@given(st.integers(28, 120), st.integers(0, 60))
def test_advice_of_the_past_had_the_same_timetable_then(days: int, number: int) -> None:
    """Asked at an origin, with the history up to it, the same lessons are learned."""
    table = of_history(days)
    at = table.origins[number % len(table.origins)]
    then = of_history(days - at.back_days)
    assert then.now.train_days == at.train_days
    learned = then.lessons(then.now)
    assert tuple(o._replace(back_days=o.back_days + at.back_days) for o in learned) == (
        table.lessons(at)
    )
