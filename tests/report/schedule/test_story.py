"""A week as text: a strip a day, the plan below it, and the held-out weeks."""

from __future__ import annotations

import pytest

from costopt.report.schedule import story
from tests.report import builders
from tests.report.schedule import weeks


def _lines(week: weeks.Week, width: int = 100) -> list[str]:
    return story(week, width=width).decode().splitlines()


def test_a_machine_slot_by_slot() -> None:
    lines = _lines(weeks.office_machine())
    at = next(number for number, line in enumerate(lines) if line.startswith("  Mon "))
    strip, plan = (line[8:].ljust(48) for line in lines[at : at + 2])
    assert strip == " " * 16 + "█" * 20 + " " * 12
    assert plan == " " * 14 + "━" * 23 + " " * 11
    sunday, off = (line[8:].ljust(48) for line in lines[at + 12 : at + 14])
    assert sunday.strip() == "▂"
    assert (off.index("!"), off.strip()) == (24, "!")  # some sample stands above the plan
    page = "\n".join(lines)
    assert "Mon-Fri 07:00-18:30 (Europe/Amsterdam)" in page
    assert "24 Dec 2026 as on Sundays" in page
    assert "12 Dec 2026 as on Mondays" in page
    assert "start it on demand" in " ".join(page.split())


def test_the_held_out_weeks_stand_in_a_table() -> None:
    page = "\n".join(_lines(weeks.office_machine()))
    assert "2026-09-21" in page
    assert "4 weeks" in page
    assert "5 weeks" in page


def test_a_group_in_bars_of_todays_count() -> None:
    lines = _lines(weeks.web_group())
    at = next(number for number, line in enumerate(lines) if line.startswith("  Mon "))
    assert lines[at + 1][8:].count("▄") > 10  # two of four
    assert lines[at + 1][8:].count("▆") > 20  # three of four
    assert any("4 replicas, as today" in line for line in lines)


def test_what_is_refused_says_why() -> None:
    page = " ".join(" ".join(_lines(weeks.refused())).split())
    assert "No schedule: its weeks are not alike" in page
    assert "Would run" in page


def test_what_was_never_seen_is_marked() -> None:
    lines = _lines(weeks.with_gaps())
    sunday = next(line for line in lines if line.startswith("  Sun "))
    assert sunday[8:].count("·") == 10
    assert "  · never seen: it stays on" in lines


@pytest.mark.parametrize("width", [60, 80, 160])
def test_it_fits_any_screen_and_no_name_steers_it(width: int) -> None:
    for name in builders.HOSTILE:
        text = story(weeks.shown(weeks.named(weeks.machine(weeks.office()), name)), width=width)
        assert b"\x1b" not in text
        assert all(len(line) <= width for line in text.decode().splitlines())


def test_colours_only_where_wanted() -> None:
    assert b"\x1b[" in story(weeks.office_machine(), width=100, colour=True)
