"""The picture: the same bytes, nothing clipped, nothing over another, whatever the figures."""

from __future__ import annotations

import warnings
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from dataclasses import replace
from itertools import combinations
from math import nan

import matplotlib as mpl
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from matplotlib.collections import PathCollection
from matplotlib.text import Text

from costopt.backtest.result import Backtest, Bin, Calibration, Interval
from costopt.report.backtest import as_png, as_svg
from costopt.report.backtest.frontier import pareto
from costopt.report.backtest.panel import OURS, range_of, root_range_of
from costopt.report.backtest.picture import draw
from costopt.report.heatmap.canvas import Canvas
from tests.report.backtest import builders

SVG_TEXT = "{http://www.w3.org/2000/svg}text"


@pytest.fixture(autouse=True)
def plain_text() -> Iterator[None]:
    with mpl.rc_context({"text.parse_math": False}), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing")
        yield


def assert_tidy(canvas: Canvas) -> list[str]:
    canvas.figure.canvas.draw()
    placed = [
        (text.get_text(), text.get_window_extent())
        for text in canvas.figure.findobj(Text)
        if text.get_text().strip()
    ]
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
    return [words for words, _ in placed]


@pytest.mark.parametrize(
    "result",
    [
        *(builders.backtest(methods) for methods in (1, 2, 3, 7, 10, 27)),
        builders.three_kappas(),
        builders.three_kappas(27),
        builders.backtest(27, calibration=None),
    ],
)
def test_nothing_lies_on_another_and_every_method_is_named(result: Backtest) -> None:
    canvas = draw(result)
    assert (canvas.width, canvas.height) == (1600, 900)
    said = assert_tidy(canvas)
    for score in result.scores:
        assert score.name.removeprefix("costopt-") in said
    assert not any("\u2026" in words for words in said)


@given(builders.backtests())
@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_backtest_can_be_drawn(result: Backtest) -> None:
    assert_tidy(draw(result))


def test_the_same_bytes_whatever_the_style() -> None:
    result = builders.backtest(10)
    png, svg = as_png(result), as_svg(result)
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    with mpl.rc_context({"font.size": 30, "axes.facecolor": "black", "savefig.dpi": 20}):
        assert as_png(result) == png
        assert as_svg(result) == svg
    for trace in (b"Matplotlib", b"<dc:date"):
        assert trace not in svg


def test_svg_text_is_text() -> None:
    root = ET.fromstring(as_svg(builders.backtest(3)))
    said = ["".join(node.itertext()) for node in root.iter(SVG_TEXT)]
    for words in ("aws-co", "costopt", "Risks off by 1.5 points", "66.5 %", "net saving"):
        assert words in said


def test_no_method_of_the_frontier_is_beaten() -> None:
    scores = builders.backtest(27).scores
    best = pareto(scores)
    assert [s.name for s in best] == [
        "aws-co-idle", "azure-shutdown", "max-15", "aws-co-times", "costopt", "p99.5-x1.25",
    ]  # fmt: skip
    for score in scores:
        assert any(
            b.net.value >= score.net.value and b.rolled_back.value <= score.rolled_back.value
            for b in best
        )


def dots(canvas: Canvas, axes: int) -> list[PathCollection]:
    found = canvas.figure.axes[axes].collections
    return [one for one in found if isinstance(one, PathCollection)]


def test_dots_stand_where_their_figures_are() -> None:
    result = builders.backtest(7)
    canvas = draw(result)
    spots = np.array([np.asarray(dot.get_offsets())[0] for dot in dots(canvas, 0)])
    given = np.array([(s.rolled_back.value**0.5, s.net.value) for s in result.scores])
    # Pixels run right by square roots, and down evenly: one straight line for each axis.
    for axis, sign in ((0, 1), (1, -1)):
        slope, start = np.polyfit(given[:, axis], spots[:, axis], 1)
        assert np.sign(slope) == sign
        np.testing.assert_allclose(slope * given[:, axis] + start, spots[:, axis], atol=1e-6)


def test_the_area_of_a_bins_dot_is_its_count() -> None:
    told = Calibration((Bin(0.2, 0.1, 100), Bin(0.8, 0.9, 400)), 0.1)
    small, large = dots(draw(builders.backtest(2, calibration=told)), -1)
    assert large.get_sizes()[0] == pytest.approx(4 * small.get_sizes()[0])


def test_unknown_figures_are_left_out() -> None:
    blind = builders.score("vpa", "VPA", nan, 1)
    result = builders.backtest(3)
    said = assert_tidy(draw(replace(result, scores=(*result.scores, blind))))
    assert "vpa" not in said
    sure = Interval(0.5, nan, nan)  # one machine: nothing to resample
    alone = replace(result.scores[0], net=sure, rolled_back=sure)
    assert "costopt" in assert_tidy(draw(builders.backtest(1, scores=(alone,))))
    nothing = builders.backtest(1, scores=(replace(blind, name="costopt"),), calibration=None)
    assert "\u2014" in assert_tidy(draw(nothing))


def test_ours_has_its_colour_and_its_range() -> None:
    axes = draw(builders.backtest(3)).figure.axes[0]
    ours = [line for line in axes.lines if line.get_color() == OURS]
    assert len(ours) == 2  # across and up
    assert len([line for line in draw(builders.three_kappas(3)).figure.axes[0].lines
                if line.get_color() == OURS]) >= 7  # fmt: skip


@pytest.mark.parametrize("values", [[0.0], [0.0, 0.0], [-40.0, 100.0], [66.0, 66.4]])
def test_a_range_holds_its_values_and_has_ticks(values: list[float]) -> None:
    found = range_of(values, least=10, parts=6)
    assert found.high - found.low >= 10
    assert all(0 < found.share(value) < 1 for value in values)
    assert 2 <= len(found.ticks) <= 8
    assert all(found.low <= tick <= found.high for tick in found.ticks)


@pytest.mark.parametrize(
    ("largest", "ticks"),
    [
        (0.0, (0, 1, 5, 10)),
        (5.0, (0, 1, 5, 10)),
        (38.0, (0, 1, 5, 10, 20, 40)),
        (70.0, (0, 1, 5, 10, 20, 40, 70)),
        (100.0, (0, 1, 5, 10, 20, 40, 70, 100)),
    ],
)
def test_a_square_root_axis_draws_small_shares_apart(largest: float, ticks: tuple[int]) -> None:
    found = root_range_of([0.0, largest], least=10)
    assert found.ticks == ticks
    assert 0 < found.share(0) < found.share(largest or 1) < 1
    # A quarter of a value stands half as far from 0.
    assert found.share(10) - found.share(0) == pytest.approx(
        2 * (found.share(2.5) - found.share(0))
    )


def test_what_happened_has_its_range() -> None:
    told = Calibration((Bin(0.33, 6 / 7, 7), Bin(0.8, 0.8, 400)), 0.1)
    canvas = draw(builders.backtest(2, calibration=told))
    ranges = [line for line in canvas.figure.axes[-1].lines if line.get_color() == OURS]
    tall = [float(np.ptp(line.get_ydata())) for line in ranges]
    # Wilson 95 % of 6 of 7, by hand: 48.7 to 97.4 %; of 320 of 400: 75.8 to 83.6 %.
    assert tall[0] / 436 == pytest.approx(0.487, abs=0.002)
    assert tall[1] / 436 == pytest.approx(0.078, abs=0.002)
    assert "Thin lines: where the share may lie, 95 %." in assert_tidy(canvas)
