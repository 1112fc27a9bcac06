"""Pictures of weeks: nothing clipped or over another, the same bytes, the plan where it is."""

from __future__ import annotations

import io
import warnings
import xml.etree.ElementTree as ET
from collections.abc import Iterator

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.image import imread

from costopt.report import schedule
from costopt.report.heatmap.palette import NO_DATA, STOPS, rgb
from costopt.report.schedule.picture import draw
from tests.report.heatmap.pictures import HOSTILE
from tests.report.heatmap.test_layout import assert_tidy, texts
from tests.report.schedule import weeks

TOP, BOTTOM, LEFT, RIGHT = 172, 590, 102, 1544  # of the axes of one week
PLANNED = "#d9e9f4"


@pytest.fixture(autouse=True)
def plain_text() -> Iterator[None]:
    with mpl.rc_context({"text.parse_math": False}), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing")
        yield


def pixels(png: bytes) -> np.ndarray:
    """uint8 (height, width, 3)."""
    return np.round(imread(io.BytesIO(png))[:, :, :3] * 255).astype(int)


def at(image: np.ndarray, slot: float, share: float) -> tuple[int, ...]:
    """The colour at that slot of the week, and share of the axes' height."""
    column = LEFT + slot / 336 * (RIGHT - LEFT)
    row = BOTTOM - share * (BOTTOM - TOP)
    return tuple(image[round(row), round(column)].tolist())


@pytest.mark.parametrize("make", [weeks.office_machine, weeks.web_group, weeks.refused])
@pytest.mark.parametrize("name", [*HOSTILE[:3], HOSTILE[6], HOSTILE[8], HOSTILE[13]])
def test_one_week_is_tidy(make: object, name: str) -> None:
    assert_tidy(draw([make(name)]))  # type: ignore[operator]


@pytest.mark.parametrize("number", [2, 7])
def test_several_weeks_are_tidy(number: int) -> None:
    makes = (weeks.web_group, weeks.with_gaps, weeks.refused)
    canvas = draw([makes[n % 3](HOSTILE[n]) for n in range(number)])
    assert_tidy(canvas)
    told = [words for words, _ in texts(canvas)]  # the legend is whole, on as many lines as needed
    plan = "plan" if number == 2 else "plan (dashed: not advised)"
    assert {plan, "share of the weeks in use", "today", "never seen: stays on"} <= {*told}


def test_use_and_plan_stand_at_their_hours() -> None:
    image = pixels(schedule.as_png([weeks.office_machine()]))
    assert at(image, 26, 0.5) == rgb(STOPS[6])  # Monday 13:00, in use in all weeks
    assert at(image, 15, 0.5) == rgb(PLANNED)  # 07:30, on and not in use yet
    assert at(image, 8, 0.52) == (255, 255, 255)  # 04:00, off
    assert at(image, 6 * 48 + 24.5, 0.1) == rgb(STOPS[6])  # Sunday noon, once in six weeks


def test_a_group_stands_below_its_plan() -> None:
    """The axis ends at 1.06 times the four of today; by day three are planned."""
    image = pixels(schedule.as_png([weeks.web_group()]))
    assert at(image, 26.5, 2.9 / 4 / 1.06) == rgb(STOPS[2])  # between P50 and P99
    assert at(image, 26.5, 1.5 / 4 / 1.06) == rgb(PLANNED)
    assert at(image, 26.5, 3.5 / 4 / 1.06) == (255, 255, 255)


def test_what_was_never_seen_is_grey() -> None:
    image = pixels(schedule.as_png([weeks.with_gaps()]))
    assert at(image, 295, 0.52) == rgb(NO_DATA)


def test_the_same_bytes_and_text_is_text() -> None:
    shown = [weeks.office_machine("<script>$x$ & \x1b[31mred")]
    data = schedule.as_svg(shown)
    assert schedule.as_svg(shown) == data
    assert b"<script" not in data
    words = {
        "".join(node.itertext())
        for node in ET.fromstring(data).iter("{http://www.w3.org/2000/svg}text")
    }
    assert "<script>$x$ & red" in words
    assert {"Mon", "Sun", "100 %"} <= words
    assert any("24 Dec 2026 as on Sundays" in word for word in words)
    assert schedule.as_png(shown) == schedule.as_png(shown)


def test_a_plan_that_is_not_advised_says_so() -> None:
    svg = schedule.as_svg([weeks.refused()]).decode()
    assert "not advised: its weeks are not alike" in svg
    assert "stroke-dasharray" in svg
