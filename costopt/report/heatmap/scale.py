"""The scale of a heatmap: 0 to 100 for percentages, 0 to a round figure for rates."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import ceil, floor, log10
from typing import Final

import numpy as np

from costopt.profile.week import Array

_PREFIXES: Final = ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"))
_ROUND: Final = (1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0)


@dataclass(frozen=True, slots=True)
class Scale:
    """From 0 to `top` of the metric's unit, and how to print a value."""

    top: float  # in the metric's unit
    factor: float  # one printed unit (a MB/s, say) in the metric's unit
    unit: str  # of the metric
    ticks: tuple[float, ...]  # in the metric's unit

    def share(self, value: float) -> float:
        """Where on the scale it stands, 0..1 (more only for what is beyond 100 %)."""
        return value / self.top

    def bare(self, value: float) -> str:
        """The number in printed units; what is more than nothing never reads as nothing."""
        return _figure(value / self.factor)

    def words(self, value: float) -> str:
        """The value with its unit, for people, in the thousands that suit it."""
        factor, prefix = _prefix(value, self.unit)
        return f"{_figure(value / factor)} {prefix}{self.unit}".rstrip()


def scale_of(unit: str, values: Iterable[Array]) -> Scale:
    """The scale that all those values share.

    Args:
        unit: of the metric, "%" or any other.
        values: NaN = missing.
    """
    if unit == "%":
        return Scale(100.0, 1.0, "%", (0.0, 25.0, 50.0, 75.0, 100.0))
    highest = max((float(np.nanmax(v)) for v in values if not np.isnan(v).all()), default=0.0)
    factor, _ = _prefix(highest, unit)
    top = _round_up(highest / factor) * factor
    return Scale(top, factor, unit, tuple(top * part / 4 for part in range(5)))


def _figure(printed: float) -> str:
    if 0 < printed < 0.05:
        return "<0.1"
    return f"{printed:.1f}" if 0 < printed < 9.95 else f"{printed:.0f}"


def _prefix(highest: float, unit: str) -> tuple[float, str]:
    """Thousands of the unit; those that take no such prefix stay as they are."""
    if unit in ("", "%", "ms"):
        return 1.0, ""
    return next(((f, p) for f, p in _PREFIXES if highest >= f), (1.0, ""))


def _round_up(value: float) -> float:
    if value <= 0:
        return 1.0
    power = 10.0 ** floor(log10(value))
    return next((m for m in _ROUND if m * power >= value), ceil(value / power)) * power
