"""The heatmaps' colours: one even ramp for demand, distinct hues for what machines belong to."""

from __future__ import annotations

from functools import cache
from typing import Final

import numpy as np
import numpy.typing as npt

Colour = tuple[int, int, int]
Floats = npt.NDArray[np.float64]

STOPS: Final = (
    *("#fff4db", "#fce6b0", "#fdd18b", "#feb973", "#fda166", "#f98962", "#f17265", "#e45d6c"),
    *("#d44b74", "#bf3d7b", "#a83381", "#8e2c84", "#742884", "#5a237e", "#421e73", "#2d1860"),
    "#1f1147",
)
"""Equal steps in OKLab (B. Ottosson 2020), from L* 96 to 10 without a turn: it reads the same to a
colour-blind eye and in grey print. Low demand is pale, so that on white paper ink is demand."""

INK: Final = "#1c2026"
SOFT: Final = "#5f6875"  # 5.6:1 on white: readable (WCAG AA), and steps back
FAINT: Final = "#d5d9df"
NO_DATA: Final = "#e3e6ea"  # a grey: the ramp has none
OTHER: Final = "#b7bdc6"

# P. Tol's "muted" and "bright" qualitative schemes (Technical Note SRON/EPS/TN/09-002, issue 3.2):
# distinct to colour-blind eyes; the hues that look like the ramp's are left out.
HUES: Final = (
    ("#0077bb", "#ee7733", "#33bbee", "#44546a", "#009988", "#bbbb44"),
    ("#44aa99", "#332288", "#ddcc77", "#117733", "#88ccee", "#999933", "#aa4499", "#661100"),
)


def ramp(steps: int = 256) -> Floats:
    """The ramp as sRGB, float64 (steps, 3) in 0..1, from no demand to full demand."""
    stops = np.array([rgb(stop) for stop in STOPS]) / 255
    at = np.linspace(0, len(stops) - 1, steps)
    return np.column_stack([np.interp(at, range(len(stops)), channel) for channel in stops.T])


@cache
def _bytes() -> tuple[Colour, ...]:
    return tuple((round(r), round(g), round(b)) for r, g, b in (ramp() * 255).tolist())


def colour(share: float) -> Colour:
    """The ramp's colour at that share 0..1 of the scale; clipped outside."""
    return _bytes()[round(min(max(share, 0.0), 1.0) * 255)]


def rgb(code: str) -> Colour:
    """A #rrggbb code as three bytes."""
    return int(code[1:3], 16), int(code[3:5], 16), int(code[5:7], 16)


def code(of: Colour) -> str:
    """Three bytes as a #rrggbb code."""
    return "#{:02x}{:02x}{:02x}".format(*of)


def ink_on(background: Colour) -> str:
    """Black or white, whichever is easier to read on that colour: at least 4.5:1 (WCAG AA)."""
    red, green, blue = (_linear(channel / 255) for channel in background)
    luminance = 0.2126 * red + 0.7152 * green + 0.0722 * blue
    # Where (L + 0.05) / 0.05 = 1.05 / (L + 0.05), both are equally readable.
    return "#000000" if luminance > 0.179 else "#ffffff"


def _linear(channel: float) -> float:
    """sRGB's transfer function undone (IEC 61966-2-1)."""
    return channel / 12.92 if channel <= 0.04045 else ((channel + 0.055) / 1.055) ** 2.4
