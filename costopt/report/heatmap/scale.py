"""The scale of a heatmap: 0 to 100 for percentages, 0 to a round figure for rates."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import floor, log10
from typing import Final

import numpy as np

from costopt.profile.week import Array

_PREFIXES: Final = ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"))
_USUAL, _GLITCH = 0.99, 2.5
"""Where the highest is more than 2.5 times the 99th percentile, it does not set the scale: one
glitch would make everything else look like nothing."""
_PARTS: Final = {1.0: 5, 1.5: 3, 2.0: 4, 3.0: 3, 4.0: 4, 5.0: 5, 6.0: 3, 8.0: 4, 10.0: 5}
"""Round tops, and into how many round parts each divides."""


@dataclass(frozen=True, slots=True)
class Scale:
    """From 0 to `top` of the metric's unit, and how to print a value."""

    top: float  # in the metric's unit
    factor: float  # one printed unit (a MB/s, say) in the metric's unit
    unit: str  # of the metric
    ticks: tuple[float, ...]  # in the metric's unit
    clipped: bool = False  # rare values above `top` share its colour

    def share(self, value: float) -> float:
        """Where on the scale it stands, 0..1; more where it is beyond the top."""
        return value / self.top

    def bare(self, value: float) -> str:
        """The number in printed units; what is more than nothing never reads as nothing."""
        return _figure(value / self.factor)

    def tick_words(self, tick: float) -> str:
        """A tick's figure; the top one has the unit, and says whether there is more above it."""
        figure = f"{tick / self.factor:g}"
        if tick < self.top:
            return figure
        _, prefix = _prefix(self.top, self.unit)
        return f"{'≥ ' if self.clipped else ''}{figure} {prefix}{self.unit}".rstrip()

    def words(self, value: float) -> str:
        """The value with its unit, for people, in the thousands that suit it."""
        factor, prefix = _prefix(value, self.unit)
        return f"{_figure(value / factor)} {prefix}{self.unit}".rstrip()


def scale_of(unit: str, values: Iterable[Array], *, fit: bool = False) -> Scale:
    """The scale that all those values share.

    Args:
        unit: of the metric, "%" or any other.
        values: NaN = missing.
        fit: percentages, too, reach to a round figure above their highest, not to 100.
    """
    if unit == "%" and not fit:
        return Scale(100.0, 1.0, "%", (0.0, 25.0, 50.0, 75.0, 100.0))
    there = np.concatenate([v[~np.isnan(v)] for v in values] or [np.zeros(0)])
    highest = float(there.max(initial=0.0))
    usual = float(np.quantile(there, _USUAL)) if len(there) else 0.0
    clipped = 0 < usual < highest / _GLITCH
    highest = usual if clipped else highest
    mantissa, power = _round_up(highest)
    ticks = tuple(mantissa * n / _PARTS[mantissa] * power for n in range(_PARTS[mantissa] + 1))
    return Scale(ticks[-1], _prefix(ticks[-1], unit)[0], unit, ticks, clipped)


def _figure(printed: float) -> str:
    if 0 < printed < 0.05:
        return "<0.1"
    return f"{printed:.1f}" if 0 < printed < 9.95 else f"{printed:.0f}"


def _prefix(highest: float, unit: str) -> tuple[float, str]:
    """Thousands of the unit; those that take no such prefix stay as they are."""
    if unit in ("", "%", "ms"):
        return 1.0, ""
    return next(((f, p) for f, p in _PREFIXES if highest >= f), (1.0, ""))


def _round_up(value: float) -> tuple[float, float]:
    """The next round figure as (mantissa of _PARTS, power of ten)."""
    if value <= 0:
        return 1.0, 1.0
    power = 10.0 ** floor(log10(value))
    return next((m for m in _PARTS if m * power >= value), 10.0), power
