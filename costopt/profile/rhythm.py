"""A week's rhythm in words, for the label of a cluster."""

from __future__ import annotations

from typing import Final

import numpy as np

from costopt.profile.week import Array

_STEADY: Final = 0.3
_NOISE: Final = 0.03
"""A swing below these shares, of the mean or of the scale, is not worth calling a rhythm."""
_FEW: Final = 0.4
"""Days whose rise is below this share of the others' are not part of the rhythm."""


def rhythm_of(week: Array, scale: float) -> str:
    """When the demand is there: "steady", "weekdays 08-18 h", "daily 01-04 h", "weekends".

    Args:
        week: float64 (168,), Monday 00:00 first; NaN = missing.
        scale: the metric's full range, in its unit.
    """
    # Words for when demand is there: an hour nobody measured is no evidence of any.
    filled = np.where(np.isnan(week), np.nanmin(week), week)
    smooth = (np.roll(filled, 1) + 2 * filled + np.roll(filled, -1)) / 4
    low, high = np.percentile(smooth, (10, 98))
    if high - low < max(_STEADY * smooth.mean(), _NOISE * scale):
        return "steady"
    days = smooth.reshape(7, 24) - low
    workdays, weekend = days[:5].mean(axis=0), days[5:].mean(axis=0)
    # The best three hours tell a short nightly job as well as office hours.
    rises = [float(np.sort(day)[-3:].mean()) for day in (workdays, weekend)]
    if rises[1] < _FEW * rises[0]:
        return f"weekdays{_hours(workdays)}"
    if rises[0] < _FEW * rises[1]:
        return f"weekends{_hours(weekend)}"
    return f"daily{_hours(days.mean(axis=0))}"


def _hours(day: Array) -> str:
    """The run of hours around the highest that stand above half of its rise; "" = most of the day.

    Local hours, start inclusive, end exclusive, across midnight where need be.
    """
    busy = day > (day.min() + day.max()) / 2
    start = end = int(np.argmax(day))
    while busy[(start - 1) % 24] and end - start < 24:
        start -= 1
    while busy[end % 24] and end - start < 24:
        end += 1
    return f" {start % 24:02d}-{(end - 1) % 24 + 1:02d} h" if end - start < 20 else ""
