"""PNG and SVG: the same bytes every time, nothing in them that is not the picture."""

import io
import struct
import xml.etree.ElementTree as ET
from collections.abc import Callable

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.image import imread

from costopt.profile.heatmap import overview, week_of
from costopt.report import heatmap
from costopt.report.heatmap.palette import NO_DATA, colour, rgb
from tests.profile.weeks import flat, fleet, profile_of
from tests.report.heatmap.pictures import CPU, hostile_overview, hostile_weeks, patchy_week

PNG: dict[str, Callable[[], bytes]] = {
    "week": lambda: heatmap.week_png(patchy_week()),
    "weeks": lambda: heatmap.weeks_png(hostile_weeks()),
    "overview": lambda: heatmap.overview_png(hostile_overview(30)),
}
SVG: dict[str, Callable[[], bytes]] = {
    "week": lambda: heatmap.week_svg(patchy_week("<script>$x$ & \x1b[31mred\x07")),
    "weeks": lambda: heatmap.weeks_svg(hostile_weeks()),
    "overview": lambda: heatmap.overview_svg(hostile_overview(30)),
}


def chunks(png: bytes) -> list[str]:
    at, names = 8, []
    while at < len(png):
        length, kind = struct.unpack(">I4s", png[at : at + 8])
        names.append(kind.decode())
        at += 12 + length
    return names


@pytest.mark.parametrize("picture", PNG)
def test_png_bytes(picture: str) -> None:
    data = PNG[picture]()
    assert data.startswith(b"\x89PNG\r\n\x1a\n")
    assert set(chunks(data)) <= {"IHDR", "pHYs", "IDAT", "IEND"}  # no time, no software
    with mpl.rc_context({"font.size": 30, "axes.facecolor": "black", "savefig.dpi": 20}):
        assert PNG[picture]() == data  # whatever the user's style
    assert pixels(data).shape[1] == 1600


@pytest.mark.parametrize("picture", SVG)
def test_svg_bytes(picture: str) -> None:
    data = SVG[picture]()
    assert SVG[picture]() == data
    assert b"<script" not in data
    assert b"Matplotlib" not in data
    assert b"<dc:date" not in data
    ET.fromstring(data)


def test_svg_text_is_text() -> None:
    root = ET.fromstring(SVG["week"]())
    words = ["".join(node.itertext()) for node in root.iter("{http://www.w3.org/2000/svg}text")]
    assert "<script>$x$ & red" in words
    assert "Mon" in words


def pixels(png: bytes) -> np.ndarray:
    """uint8 (height, width, 3)."""
    return np.round(imread(io.BytesIO(png))[:, :, :3] * 255).astype(int)


def test_missing_is_grey_and_zero_is_not() -> None:
    present = np.ones(168)
    present[3] = 0
    image = pixels(heatmap.week_png(week_of(profile_of("a", flat(0), present=present))))
    monday = {tuple(pixel) for pixel in image[165, 115:1420].tolist()}
    assert {rgb(NO_DATA), colour(0)} <= monday


def test_full_demand_has_the_end_of_the_ramp() -> None:
    resources, _ = fleet(3)
    profiles = {name: (profile_of(name, flat(100)),) for name in resources}
    image = pixels(heatmap.overview_png(overview(resources, profiles, CPU)))
    assert tuple(image[200, 700].tolist()) == colour(1)


def test_fit_gives_the_highest_the_end_of_the_ramp() -> None:
    week = week_of(profile_of("a", flat(20)))
    assert tuple(pixels(heatmap.week_png(week))[165, 300].tolist()) == colour(0.2)
    assert tuple(pixels(heatmap.week_png(week, fit=True))[165, 300].tolist()) == colour(1)
