"""The shapes of demand over a local week, as levels from 0 (bottom) to 1 (top)."""

from __future__ import annotations

from datetime import date
from functools import lru_cache
from typing import Final

import numpy as np
import numpy.typing as npt

from costopt.providers.demo.clock import SLOTS, local_day

Levels = npt.NDArray[np.float64]


# Level at each full local hour, 0 to 23, on a working day and on a weekend day or public holiday;
# straight lines between. "web" follows people's evenings, "office" their desks.
def _hours(text: str) -> tuple[int, ...]:
    return tuple(int(word) for word in text.split())


_HOURLY: Final = {
    "web": (
        _hours("22 14 9 6 5 7 14 28 45 58 66 72 76 74 70 68 70 76 85 95 100 94 70 40"),
        _hours("26 18 12 8 6 6 9 16 28 42 54 62 66 66 64 62 62 66 74 82 84 76 58 38"),
    ),
    "office": (
        _hours("3 2 2 2 2 3 8 30 70 94 100 96 78 80 95 98 90 68 36 18 10 7 5 4"),
        _hours("3 2 2 2 2 2 3 4 6 8 9 9 8 8 8 8 7 6 5 4 4 3 3 3"),
    ),
    "dev": (
        _hours("0 0 0 0 0 0 0 6 40 85 100 96 60 82 100 96 84 55 20 6 2 0 0 0"),
        _hours("0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0"),
    ),
    "ci": (
        _hours("1 0 0 0 0 1 2 10 45 85 100 98 70 84 100 98 86 60 34 20 12 6 3 2"),
        _hours("1 0 0 0 0 0 1 1 3 6 8 8 7 7 7 6 5 4 3 2 2 1 1 1"),
    ),
    "night": (
        _hours("0 90 100 100 85 15 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0"),
        _hours("0 90 100 100 85 15 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0"),
    ),
    "flat": (
        _hours("90 88 87 86 86 87 89 92 95 97 99 100 100 99 99 98 98 97 96 95 94 93 92 91"),
        _hours("88 87 86 85 85 85 86 88 90 91 92 93 93 92 92 92 91 91 91 90 90 89 89 88"),
    ),
}


@lru_cache(maxsize=256)
def levels(rhythm: str, zone: str, day: date) -> Levels:
    """The rhythm's level in each five-minute slot of a UTC day, on that zone's clock.

    "idle", "jobs" and "batch" (whose runs demand.py draws) are level 1 throughout.

    Returns:
        float64 (288,), 0..1; do not write to it.
    """
    local = local_day(zone, day)
    if rhythm == "month-end":
        return local.month_end.astype(np.float64)
    if rhythm not in _HOURLY:
        return np.ones(SLOTS)
    working, closed = (
        np.interp(local.hour, np.arange(25), (*hours, hours[0])) / 100 for hours in _HOURLY[rhythm]
    )
    return np.where(local.weekend, closed, working)
