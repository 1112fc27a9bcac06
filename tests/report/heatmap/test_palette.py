"""The ramp is even and monotone in lightness; what is not demand looks different from it."""

from itertools import combinations

import numpy as np

from costopt.report.heatmap.palette import (
    FAINT,
    HUES,
    NO_DATA,
    OTHER,
    SOFT,
    code,
    colour,
    ink_on,
    ramp,
    rgb,
)


def linear(srgb: np.ndarray) -> np.ndarray:
    return np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)


def luminance(srgb: np.ndarray) -> np.ndarray:
    """Relative luminance (WCAG 2, Rec. 709)."""
    return linear(srgb) @ np.array([0.2126, 0.7152, 0.0722])


def lightness(srgb: np.ndarray) -> np.ndarray:
    """CIE L*, 0..100."""
    y = luminance(srgb)
    return np.where(y > 216 / 24389, 116 * np.cbrt(y) - 16, y * 24389 / 27)


def oklab(srgb: np.ndarray) -> np.ndarray:
    """B. Ottosson, A perceptual color space for image processing, 2020."""
    to_lms = [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ]
    to_lab = [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]
    return np.cbrt(linear(srgb) @ np.array(to_lms).T) @ np.array(to_lab).T


def contrast(one: str, other: str) -> float:
    values = sorted(float(luminance(np.array(rgb(c)) / 255)) for c in (one, other))
    return (values[1] + 0.05) / (values[0] + 0.05)


def test_lightness_falls_all_the_way_by_even_steps() -> None:
    steps = np.diff(lightness(ramp()))
    assert (steps < 0).all()
    assert steps.min() / steps.max() < 1.5
    assert lightness(ramp())[0] > 95
    assert lightness(ramp())[-1] < 12


def test_equal_steps_look_equal() -> None:
    apart = np.linalg.norm(np.diff(oklab(ramp()), axis=0), axis=1)
    assert apart.min() / apart.max() > 0.9


def test_the_order_shows_without_red_or_green() -> None:
    # Protan and deutan eyes tell L* and blue-yellow; the ramp's order is in L* alone.
    for lost in ([0, 1, 1], [1, 0, 1], [1, 1, 0]):
        kept = luminance(ramp() * np.array(lost))
        assert (np.diff(kept) < 0).mean() > 0.75


def test_no_data_is_a_grey_that_the_ramp_never_is() -> None:
    grey = oklab(np.array([rgb(NO_DATA)]) / 255)
    assert np.abs(grey[0, 1:]).max() < 0.01
    assert np.linalg.norm(oklab(ramp()) - grey, axis=1).min() > 0.05


def test_ink_is_readable_on_every_step_and_on_paper() -> None:
    for step in range(256):
        under = colour(step / 255)
        assert contrast(ink_on(under), code(under)) >= 4.5
    assert contrast(SOFT, "#ffffff") >= 4.5


def test_colours_clip_at_the_ends() -> None:
    assert colour(-1) == colour(0) == rgb("#fff4db")
    assert colour(1.05) == colour(1) == rgb("#1f1147")


def test_the_hues_of_a_strip_are_distinct() -> None:
    for hues in HUES:
        for one, other in combinations((*hues, FAINT, OTHER), 2):
            pair = oklab(np.array([rgb(one), rgb(other)]) / 255)
            assert np.linalg.norm(pair[0] - pair[1]) > 0.05, (one, other)
