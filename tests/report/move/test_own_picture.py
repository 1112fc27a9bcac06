"""The slide of own machines: what it says in words, and that it is drawn whole, each time alike."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from matplotlib.image import imread

from costopt.optimize.own import Own, break_even_month, months_grid, pays_back_from, tornado
from costopt.report.move import CloudPrice, Race, own_png, own_svg

GPU = Own(40_000.0, 4.0, 0.0, 0.08, 2000.0, 800.0, 800.0, 1.0, 0.3, 1.4, 0.12)
GOING = 0.0
RANGES = {"price": (2.0, 7.0), "capex": (30e3, 50e3), "rate": (0.05, 0.12), "pue": (1.1, 1.8)}


def race(hourly: float = 6.90, used: float | None = 0.65, own: Own = GPU) -> Race:
    prices = [CloudPrice(hourly, "on demand"), CloudPrice(hourly * 0.6, "committed for 3 years")]
    swings = tornado(own, hourly, RANGES)
    month = np.inf if used is None else float(break_even_month(own, hourly, used, GOING))
    return Race("h100", "p5.48xlarge, us-east-1", "USD", own, prices, used, swings, GOING, month)


def texts(given: Race) -> list[str]:
    root = ElementTree.fromstring(own_svg(given))
    return [
        "".join(node.itertext()).strip() for node in root.iter("{http://www.w3.org/2000/svg}text")
    ]


def test_it_says_what_was_reckoned() -> None:
    said = texts(race())
    assert "Own machines pay at the measured use" in said
    assert {"27 %", "65 %", "month 15"} <= set(said)  # docs/method.md, "Own data centre"
    assert {"on demand, 6.9", "committed for 3 years, 4.14"} <= set(said)
    assert "cloud price of one machine, USD an hour" in said


def test_the_largest_swing_is_on_top_with_its_figures() -> None:
    said = texts(race())
    rows = [said.index(name) for name in ("cloud price an hour", "price of a machine", "PUE")]
    assert rows == sorted(rows)
    assert {"30,000", "50,000", "5 %", "12 %", "1.1", "1.8"} <= set(said)


@pytest.mark.parametrize(
    ("given", "title"),
    [
        (race(used=0.2), "Own machines do not pay at the measured use"),
        (race(used=None), "Own machines pay from 27 % use on"),
        (race(hourly=1.0), "Own machines do not pay, however much they are used"),
        (race(hourly=0.1), "Own machines do not pay, however much they are used"),
    ],
)
def test_the_title_is_the_answer(given: Race, title: str) -> None:
    assert title in texts(given)


def test_what_never_pays_back_is_said() -> None:
    assert "never" in texts(race(used=0.2))
    ends = tornado(GPU, 2.95, {"price": (0.1, 4.0)})
    assert "0.1 (never)" in texts(replace(race(2.95), swings=ends))


def test_what_never_pays_for_going_there_is_said() -> None:
    given = replace(race(), month=np.inf)
    assert "Own machines cost less, but never pay for going there" in texts(given)


def test_hostile_names_stay_text() -> None:
    given = replace(race(), name="<script>$x^2$\x1b[31m", against="a & b")
    assert b"<script>" not in own_svg(given)
    assert any("$x^2$" in said and "a & b" in said for said in texts(given))


def test_the_same_race_is_the_same_picture() -> None:
    assert own_png(race()) == own_png(race())
    assert own_svg(race()) == own_svg(race())


def test_the_map_has_its_years_and_what_never_pays() -> None:
    pixels = imread(io.BytesIO(own_png(race())))
    assert pixels.shape[:2] == (900, 1600)
    plot = (pixels[200:750, 944:1544, :3] * 255).round().astype(int)
    colours, counts = np.unique(plot.reshape(-1, 3), axis=0, return_counts=True)
    large = {tuple(c) for c, n in zip(colours.tolist(), counts.tolist(), strict=True) if n > 5000}
    assert (0xEC, 0xEE, 0xF1) in large  # never
    assert len(large) == 5  # and four years


def test_below_the_line_nothing_pays() -> None:
    """The line is the map's own edge, with what going takes."""
    prices, uses = np.linspace(3, 9, 40), np.linspace(0.01, 1, 500)
    edge = pays_back_from(GPU, prices, 5_000.0)
    paid = np.isfinite(months_grid(GPU, prices, uses, 5_000.0))
    for column, least in enumerate(edge):
        first = uses[paid[:, column]].min(initial=1.0)
        assert first == pytest.approx(least, abs=uses[1] - uses[0])
        assert first >= least


def test_nothing_leaves_the_slide() -> None:
    """A margin of white all round, whatever the figures."""
    for given in (race(), race(2.95, 0.99), race(1.0, None), race(20.0, 0.02)):
        pixels = imread(io.BytesIO(own_png(given)))[..., :3]
        for edge in (pixels[:16], pixels[-16:], pixels[:, :16], pixels[:, -16:]):
            assert (edge == 1).all()


def test_a_browser_opens_the_svg(tmp_path: Path, opened: Callable[[Path], np.ndarray]) -> None:
    path = tmp_path / "own.svg"
    path.write_bytes(own_svg(race()))
    shown = opened(path)[..., :3]
    assert len(np.unique((shown * 255).astype(int).reshape(-1, 3), axis=0)) > 50


def test_no_clock_and_no_program_in_the_file() -> None:
    assert not re.search(rb"matplotlib v|<dc:date>", own_svg(race()))
