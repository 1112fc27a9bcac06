"""A week in words: days that are alike together, hours as people say them."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from costopt.model.spoken_week import in_words, spans
from costopt.model.week import WEEKDAYS, WeekPlan


def _day(*runs: tuple[int, int]) -> tuple[int, ...]:
    """24 hours, each run so many hours at that level."""
    return sum(((level,) * hours for level, hours in runs), ())


OFFICE, OFF, NIGHT = _day((0, 7), (1, 12), (0, 5)), _day((0, 24)), _day((1, 2), (0, 20), (1, 2))
GROUP = _day((2, 7), (5, 12), (2, 5))


@pytest.mark.parametrize(
    ("days", "said"),
    [
        ([OFFICE] * 5 + [OFF] * 2, "Mon-Fri 07:00-19:00"),
        ([OFFICE] * 7, "daily 07:00-19:00"),
        ([NIGHT] * 7, "daily 22:00-02:00"),
        ([OFFICE, OFF, OFFICE, OFF, OFFICE, OFF, OFF], "Mon, Wed, Fri 07:00-19:00"),
        (
            [OFFICE] * 4 + [NIGHT] + [_day((0, 9), (1, 3), (0, 12))] * 2,
            "Mon-Thu 07:00-19:00; Fri 00:00-02:00 and 22:00-24:00; Sat, Sun 09:00-12:00",
        ),
        ([_day((1, 24))] * 5 + [OFF] * 2, "Mon-Fri all day"),
        ([OFF] * 7, "never"),
        ([_day((1, 24))] * 7, "at all hours"),
        ([_day((3, 24))] * 7, "3 at all hours"),
        (
            [GROUP] * 5 + [_day((2, 24))] * 2,
            "Mon-Fri 2 until 07:00, 5 until 19:00, then 2; Sat, Sun 2",
        ),
        ([GROUP] * 5 + [OFF] * 2, "Mon-Fri 2 until 07:00, 5 until 19:00, then 2; Sat, Sun 0"),
        ([tuple(range(24))] * 7, "daily 0 to 23"),
        (
            [GROUP] * 4 + [_day((2, 6), (4, 18)), _day((3, 24)), _day((2, 24))],
            "Mon-Thu 2 to 5; Fri 2 to 4; Sat 3; Sun 2",
        ),
    ],
)
def test_weeks_as_people_say_them(days: list[tuple[int, ...]], said: str) -> None:
    assert in_words(WeekPlan("UTC", sum(days, ()))) == said


def test_half_hours() -> None:
    day = (0,) * 15 + (1,) * 23 + (0,) * 10
    assert in_words(WeekPlan("UTC", day * 7)) == "daily 07:30-19:00"


def _read(text: str) -> set[tuple[int, int]]:
    """The (weekday, hour)s that a machine's words say it runs at."""
    if text in ("never", "at all hours"):
        return {(d, h) for d in range(7) for h in range(24)} if text != "never" else set()
    found = set()
    for part in text.split("; "):
        names, _, hours = re.fullmatch(r"(.*?) ((all day|\d\d:).*)", part).group(1, 3, 2)  # type: ignore[union-attr]
        days: list[int] = []
        for name in names.split(", "):
            first, _, last = name.partition("-")
            begin, end = (0, 6) if name == "daily" else (
                WEEKDAYS.index(first), WEEKDAYS.index(last or first)
            )  # fmt: skip
            days += range(begin, end + 1)
        spans_ = [(0, 24)] if hours == "all day" else [
            (int(one[:2]), int(one[6:8])) for one in hours.split(" and ")
        ]  # fmt: skip
        for a, b in spans_:  # a night's end lies on the next day
            hours_ = range(a, b if a < b else b + 24)
            found |= {((day + hour // 24) % 7, hour % 24) for day in days for hour in hours_}
    return found


_DAYS = st.sampled_from([OFF, OFFICE, NIGHT, _day((1, 24))]) | st.lists(
    st.integers(0, 1), min_size=24, max_size=24
).map(tuple)


@given(st.lists(_DAYS, min_size=7, max_size=7))
def test_a_machines_words_say_its_very_hours(days: list[tuple[int, ...]]) -> None:
    on = {(day, hour) for day in range(7) for hour in range(24) if days[day][hour]}
    assert _read(in_words(WeekPlan("UTC", sum(days, ())))) == on


def test_spans_of_three_and_more() -> None:
    assert spans((0, 1, 2, 4, 6), "abcdefg") == "a-c,e,g"
    assert spans((0, 1), "ab", ", ") == "a, b"
