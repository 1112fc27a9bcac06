"""Local hours of the week over changes of clocks, and names that are no zone."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from costopt.errors import InputError
from costopt.profile.clock import Calendar, week_slots, zone


def day_number(year: int, month: int, day: int) -> int:
    return (datetime(year, month, day, tzinfo=UTC) - datetime(1970, 1, 1, tzinfo=UTC)).days


def quarters(name: str, *day: int) -> dict[int, int]:
    """Hour of the week -> quarters of it in that UTC day and the next, local Sunday only."""
    first = day_number(*day)  # type: ignore[call-arg]
    slots = [s for n in (first, first + 1) for s in week_slots(zone(name), n).tolist()]
    counted = Counter(slots)
    return {hour - 144: counted[hour] for hour in range(144, 168)}


def test_an_ordinary_sunday_has_four_quarters_an_hour() -> None:
    assert set(quarters("Europe/Amsterdam", 2026, 7, 4).values()) == {4}


@pytest.mark.parametrize(
    ("name", "day", "hours"),
    [
        ("Europe/Amsterdam", (2026, 3, 28), {2: 0}),
        ("Europe/Amsterdam", (2026, 10, 24), {2: 8}),
        ("America/New_York", (2026, 3, 8), {2: 0}),
        ("America/New_York", (2026, 11, 1), {1: 8}),
        ("Australia/Lord_Howe", (2026, 4, 4), {1: 6}),
        ("Australia/Lord_Howe", (2026, 10, 3), {2: 2}),
    ],
)
def test_where_clocks_change_an_hour_is_longer_or_missing(
    name: str, day: tuple[int, int, int], hours: dict[int, int]
) -> None:
    assert quarters(name, *day) == dict.fromkeys(range(24), 4) | hours


@pytest.mark.parametrize("name", ["Asia/Kathmandu", "Pacific/Chatham", "America/St_Johns", "UTC"])
def test_quarters_are_what_zoneinfo_says(name: str) -> None:
    start = datetime(2026, 9, 26, tzinfo=UTC)
    hours = Calendar({}, name).hours(name, day_number(2026, 9, 26), 3)
    for quarter in range(3 * 96):
        for minutes in (0, 14):
            moment = start + timedelta(minutes=15 * quarter + minutes)
            local = moment.astimezone(ZoneInfo(name))
            assert hours[quarter] == local.weekday() * 24 + local.hour


@pytest.mark.parametrize("name", ["", "CET+1x", "../etc/passwd", "/etc/passwd", "Europe", "a\0b"])
def test_what_is_no_zone_is_said_so(name: str) -> None:
    with pytest.raises(InputError, match="is not a time zone"):
        zone(name)
