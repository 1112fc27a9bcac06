"""Days that differ."""

from __future__ import annotations

from datetime import date

import pytest

from costopt.errors import ConfigError
from costopt.profile.special import BUSIEST, SUNDAY, Days, Special


def test_dutch_holidays_of_a_winter() -> None:
    found = Days(holidays="NL").between(date(2026, 12, 20), date(2027, 1, 10))
    assert [(one.day, one.like) for one in found] == [
        (date(2026, 12, 25), SUNDAY),
        (date(2026, 12, 26), SUNDAY),
        (date(2027, 1, 1), SUNDAY),
    ]
    assert found[-1].reason == "New Year's Day"


def test_month_ends_may_need_as_much_as_any_day() -> None:
    found = Days(month_end=2).between(date(2026, 2, 1), date(2026, 4, 1))
    assert [one.day.isoformat() for one in found] == [
        "2026-02-27",
        "2026-02-28",
        "2026-03-30",
        "2026-03-31",
    ]
    assert {one.like for one in found} == {BUSIEST}


def test_the_users_own_word_stands_first() -> None:
    day = date(2026, 12, 25)
    days = Days(holidays="NL", month_end=7, own={day: (0, "sale"), date(2030, 1, 1): (0, "later")})
    found = {one.day: one for one in days.between(date(2026, 12, 25), date(2026, 12, 27))}
    assert found[day] == Special(day, 0, "sale")
    assert found[date(2026, 12, 26)].reason == "month end"
    assert len(found) == 2


def test_a_part_of_a_country() -> None:
    munich = Days(holidays="DE-BY").between(date(2026, 1, 1), date(2026, 1, 10))
    berlin = Days(holidays="DE-BE").between(date(2026, 1, 1), date(2026, 1, 10))
    assert [one.day.day for one in munich] == [1, 6]
    assert [one.day.day for one in berlin] == [1]


@pytest.mark.parametrize("place", ["ZZ", "DE-ZZ", "Netherlands, The"])
def test_unknown_places(place: str) -> None:
    with pytest.raises(ConfigError, match="no public holidays"):
        Days(holidays=place).between(date(2026, 1, 1), date(2026, 2, 1))


def test_nothing_differs_where_nothing_is_said() -> None:
    assert Days().between(date(2026, 1, 1), date(2027, 1, 1)) == ()
