"""Scales: percentages to 100, rates to a round figure; figures that people read."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from costopt.report.heatmap.scale import scale_of


def test_percentages_always_reach_from_0_to_100() -> None:
    scale = scale_of("%", [np.array([3.0, 4.0])])
    assert (scale.top, scale.ticks) == (100, (0, 25, 50, 75, 100))
    assert scale.share(50) == 0.5


def test_percentages_that_fit_reach_to_their_highest() -> None:
    scale = scale_of("%", [np.array([3.0, 34.0])], fit=True)
    assert (scale.top, scale.ticks) == (40, (0, 10, 20, 30, 40))
    assert scale.tick_words(40) == "40 %"


@pytest.mark.parametrize(
    ("unit", "highest", "top", "words"),
    [
        ("B/s", 3_400_000, 4_000_000, "4 MB/s"),
        ("B/s", 950, 1_000, "1 kB/s"),
        ("W", 312, 400, "400 W"),
        ("W", 1_312, 1_500, "1.5 kW"),
        ("ms", 1_512, 2_000, "2000 ms"),
        ("", 0.034, 0.04, "0.04"),
        ("1/s", 0, 1, "1 1/s"),
    ],
)
def test_rates_reach_a_round_figure(unit: str, highest: float, top: float, words: str) -> None:
    scale = scale_of(unit, [np.array([0.0, highest, np.nan])])
    assert scale.top == pytest.approx(top)
    assert scale.tick_words(scale.top) == words
    assert all(len(scale.tick_words(tick)) <= 4 for tick in scale.ticks[:-1])


def test_a_small_value_keeps_its_figures() -> None:
    scale = scale_of("B/s", [np.array([3e6])])
    assert scale.words(42_000) == "42 kB/s"
    assert scale.bare(42_000) == "<0.1"
    assert scale.bare(0) == "0"
    assert scale_of("%", []).bare(1.04) == "1.0"


def test_a_rare_glitch_does_not_set_the_scale() -> None:
    usual = np.linspace(10, 40, 1000)
    scale = scale_of("B/s", [np.r_[usual, 4000.0]])
    assert (scale.top, scale.clipped, scale.tick_words(scale.top)) == (40, True, "≥ 40 B/s")
    assert scale.share(4000) > 1
    scale = scale_of("B/s", [np.r_[usual, 90.0]])
    assert (scale.top, scale.clipped, scale.tick_words(scale.top)) == (100, False, "100 B/s")


def test_nothing_measured() -> None:
    assert scale_of("B/s", [np.full(3, np.nan)]).top == 1


@given(st.floats(1e-6, 1e15), st.sampled_from(["B/s", "W", "ms", ""]))
def test_the_top_is_above_the_highest_and_not_far(highest: float, unit: str) -> None:
    top = scale_of(unit, [np.array([highest])]).top
    assert highest * (1 - 1e-9) <= top <= highest * 2.001
