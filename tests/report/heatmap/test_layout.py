"""Pictures for a slide: nothing clipped, nothing over another, whatever the names."""

import warnings
from collections.abc import Iterator
from itertools import combinations

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.text import Text
from matplotlib.transforms import Bbox

from costopt.profile.heatmap import group_weeks, overview
from costopt.report.heatmap.canvas import Canvas, shortened
from costopt.report.heatmap.overview import draw_overview
from costopt.report.heatmap.week import draw_week, draw_weeks
from tests.profile.weeks import flat, fleet, profile_of
from tests.report.heatmap.pictures import (
    CPU,
    HOSTILE,
    hostile_overview,
    hostile_weeks,
    patchy_week,
)


@pytest.fixture(autouse=True)
def plain_text() -> Iterator[None]:
    with mpl.rc_context({"text.parse_math": False}), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing")
        yield


def texts(canvas: Canvas) -> list[tuple[str, Bbox]]:
    canvas.figure.canvas.draw()
    return [
        (text.get_text(), text.get_window_extent())
        for text in canvas.figure.findobj(Text)
        if text.get_text().strip()
    ]


def assert_tidy(canvas: Canvas) -> None:
    placed = texts(canvas)
    for words, box in placed:
        assert box.x0 >= 0, words
        assert box.y0 >= 0, words
        assert box.x1 <= canvas.width, words
        assert box.y1 <= canvas.height, words
    for (one, a), (other, b) in combinations(placed, 2):
        across = min(a.x1, b.x1) - max(a.x0, b.x0)
        down = min(a.y1, b.y1) - max(a.y0, b.y0)
        # Line boxes of stacked labels may touch by the room kept for accents and descenders.
        assert across <= 1 or down <= 0.25 * min(a.height, b.height), (one, other)


@pytest.mark.parametrize("name", HOSTILE)
def test_a_week_of_any_name(name: str) -> None:
    assert_tidy(draw_week(patchy_week(name or "x")))


@pytest.mark.parametrize("groups", [2, 3, 4, 5, 9, 14])
def test_groups_side_by_side(groups: int) -> None:
    weeks = hostile_weeks()[:groups]
    canvas = draw_weeks(weeks)
    assert (canvas.width, canvas.height <= 900) == (1600, True)
    assert_tidy(canvas)


@pytest.mark.parametrize("machines", [1, 2, 5, 14, 43, 44, 120])
def test_an_overview_of_any_names(machines: int) -> None:
    assert_tidy(draw_overview(hostile_overview(machines)))


@pytest.mark.parametrize("machines", [1, 5, 40, 120, 900])
def test_an_overview_of_a_believable_fleet(machines: int) -> None:
    canvas = draw_overview(overview(*fleet(machines), CPU))
    assert canvas.width == 1600
    assert canvas.height <= 910
    assert_tidy(canvas)


def test_rates_have_room_for_their_units() -> None:
    resources, _ = fleet(6)
    profiles = {
        name: (profile_of(name, flat(4.56e8 * k), metric_name="network_in"),)
        for k, name in enumerate(resources)
    }
    assert_tidy(draw_overview(overview(resources, profiles, "network_in")))
    weeks = group_weeks(resources, profiles, "tag:team", "network_in")
    assert_tidy(draw_weeks(weeks))
    assert_tidy(draw_week(weeks[0]))


def test_names_are_written_while_there_is_room() -> None:
    few = {words for words, _ in texts(draw_overview(overview(*fleet(43), CPU)))}
    assert sum(words.startswith("web-") for words in few) > 5
    many = {words for words, _ in texts(draw_overview(overview(*fleet(44), CPU)))}
    assert not any(words.startswith("web-") for words in many)
    assert "weekdays 09-18 h" in many


def test_long_names_keep_both_ends() -> None:
    assert shortened("production-web-0042", 10) == "product…042"
    assert shortened("short", 10) == "short"
    assert shortened("ab", 1) == "a…"
    assert shortened("ab", 0) == "…"


def test_a_week_says_what_it_shows() -> None:
    words = " ".join(text for text, _ in texts(draw_week(patchy_week())))
    for part in ("web-1", "CPU utilization", "Europe/Berlin time", "31 Aug \u2013 27 Sep 2026"):
        assert part in words
    for part in ("mean", "peak, Tue 11:00", "100 %", "thin: under 50 %", "no data", "coverage"):
        assert part in words


def test_no_legend_where_there_is_nothing_to_explain() -> None:
    resources, _ = fleet(4)
    profiles = {name: (profile_of(name, flat(3)),) for name in resources}
    words = " ".join(text for text, _ in texts(draw_overview(overview(resources, profiles, CPU))))
    assert "thin" not in words
    assert "no data" not in words


def test_groups_of_differing_clocks_say_so() -> None:
    resources, profiles = fleet(40)
    by_type = group_weeks(resources, profiles, "type", CPU)
    assert len({week.time_zone for week in by_type}) == 1
    berlin, other = (
        group_weeks({name: resources[name]}, profiles, "region", CPU)[0]
        for name in sorted(resources, key=lambda name: resources[name].time_zone)[
            :: len(resources) - 1
        ]
    )
    assert berlin.time_zone != other.time_zone
    words = " ".join(text for text, _ in texts(draw_weeks([berlin, other])))
    assert "local time of each machine" in words


def test_every_hour_has_its_cell() -> None:
    week = patchy_week()
    mesh = draw_week(week).figure.axes[0].collections[0].get_array()
    assert mesh is not None
    np.testing.assert_array_equal(np.ma.getmaskarray(mesh).reshape(7, 24), week.missing)
