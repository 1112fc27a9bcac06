"""Heatmaps in the terminal: colour and its fallbacks, coverage, widths, hostile names."""

import re

import numpy as np
import pytest

from costopt.profile.heatmap import overview, week_of
from costopt.report.heatmap import overview_text, week_text
from costopt.report.heatmap.palette import colour
from costopt.report.heatmap.words import DAYS
from costopt.report.screen import cells_of
from tests.profile.weeks import flat, fleet, profile_of
from tests.report.heatmap.pictures import CPU, hostile_overview, hostile_weeks, patchy_week

THIN = "\u2571"
ANSI = re.compile(r"\x1b\[[0-9;]*m")


def rows(text: str) -> dict[str, str]:
    return {line.strip()[:3]: line for line in text.splitlines() if line.strip()}


def test_figures_and_shades_without_colour() -> None:
    text = week_text(patchy_week(), False, 80)
    assert "\x1b" not in text
    lines = rows(text)
    assert [name for name in lines if name in DAYS] == list(DAYS)
    assert lines["Mon"].startswith("  Mon   6  6  6  6")
    assert "█" in lines["Wed"]
    assert lines["Tue"].count(THIN) == 6  # thin
    assert lines["Fri"].count("·") == 3  # no data
    assert "0 " in text
    for part in ("web-1", "mean 26 %", "peak 80 % Tue 11:00", "Europe/Berlin", "CPU utilization"):
        assert part in text
    assert f"{THIN}{THIN} thin: under 50 % of the samples   · no data" in text


def test_missing_is_not_zero() -> None:
    present = np.ones(168)
    present[1] = 0
    text = week_text(week_of(profile_of("a", flat(0), present=present)), False, 80)
    assert rows(text)["Mon"].startswith("  Mon   0 ·   0  0")


def test_a_full_hour_is_a_full_block() -> None:
    text = week_text(week_of(profile_of("a", flat(100))), False, 80)
    assert "█" * 72 in text


def test_colour_in_24_bits_and_in_256() -> None:
    week = week_of(profile_of("a", flat(100)))
    red, green, blue = colour(1)
    assert f"48;2;{red};{green};{blue}m100" in week_text(week, True, 80)
    assert "48;5;" in week_text(week, True, 80, depth="256")
    assert "48;2;" not in week_text(week, True, 80, depth="256")
    thin = week_of(profile_of("a", flat(100), present=0.2))
    assert THIN * 3 in week_text(thin, True, 80)


@pytest.mark.parametrize("coloured", [True, False])
@pytest.mark.parametrize("width", [60, 72, 80, 100, 120, 240])
def test_nothing_is_wider_than_the_screen(width: int, coloured: bool) -> None:
    drawn = [week_text(week, coloured, width) for week in hostile_weeks(14)]
    drawn.append(overview_text(hostile_overview(14), coloured, width))
    drawn.append(overview_text(overview(*fleet(60), CPU, max_rows=20), coloured, width))
    for line in "\n".join(drawn).splitlines():
        assert cells_of(ANSI.sub("", line)) <= width


def test_names_cannot_steer_the_terminal() -> None:
    text = "".join(week_text(week, False, 100) for week in hostile_weeks())
    text += overview_text(hostile_overview(14), False, 100)
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", text)
    assert "redbell" in text


def test_the_same_text_whatever_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    week = patchy_week()
    before = week_text(week, True, 80)
    for name, value in {"NO_COLOR": "1", "TERM": "dumb", "COLUMNS": "20"}.items():
        monkeypatch.setenv(name, value)
    assert week_text(week, True, 80) == before


def test_rates_have_figures_where_they_fit() -> None:
    week = week_of(profile_of("a", flat(42_000), metric_name="network_in"))
    text = week_text(week, False, 80)
    assert "▓42" in text or "█42" in text
    assert "mean 42 kB/s" in text
    slow = week_of(profile_of("a", flat(2_400), metric_name="request_latency_p99"))
    assert "2400 ms" in week_text(slow, False, 80)


def test_overview_lists_clusters_and_machines() -> None:
    text = overview_text(overview(*fleet(30), CPU), False, 80)
    assert text.splitlines()[0].startswith("  30 machines over the week")
    assert re.search(r"weekdays 09-18 h, \d+ machines, mean", text)
    assert re.search(r"database-\w+-\d\d +▃", text)
    assert len(re.findall(r"^  (web|dev|shop|batch|database|forgotten)-", text, re.M)) == 30


def test_overview_of_many_says_how_many_a_line() -> None:
    text = overview_text(overview(*fleet(300), CPU, max_rows=40), False, 80)
    assert "300 machines over the week, about" in text
    assert len(text.splitlines()) < 70


def test_overview_keeps_missing_and_thin_hours() -> None:
    present = np.ones(168)
    present[24:48] = 0
    present[48:72] = 0.2
    resources, _ = fleet(1)
    profiles = {name: (profile_of(name, flat(100), present=present),) for name in resources}
    line = next(
        line
        for line in overview_text(overview(resources, profiles, CPU), False, 80).splitlines()
        if "██████" in line
    )
    assert line.split()[1:4] == ["██████", "······", THIN * 6]
