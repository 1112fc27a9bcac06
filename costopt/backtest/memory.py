"""Our memory sizes at past origins, each from what was known by then."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from costopt.backtest.series import MEMORY, MEMORY_MAX, History
from costopt.backtest.windows import Origin, Timetable
from costopt.optimize.features import Floats
from costopt.optimize.headroom import HEADROOMS_PERCENT, budgeted_headroom
from costopt.optimize.memory import daily_peaks, memory_needs, memory_windows


@dataclass(frozen=True, slots=True, eq=False)
class OursPast:
    """A machine's daily peaks of memory, percent; NaN = a day without a sample."""

    peaks: Floats  # (days,)
    first_tests: Mapping[Origin, int]  # the first day of each origin's test window
    test_days: int

    @classmethod
    def of(cls, history: History, table: Timetable) -> OursPast | None:
        """None where memory is not measured."""
        peaks = memory_peaks(history)
        if peaks is None or not np.nanmax(peaks, initial=0.0) > 0:
            return None
        return cls(peaks, first_tests(table, len(peaks)), table.test_days)

    def later(self, at: Origin) -> float:
        """The highest peak of the test window; NaN = it has no samples."""
        first = self.first_tests[at]
        return float(np.fmax.reduce(self.peaks[first : first + self.test_days]))


def memory_peaks(history: History) -> Floats | None:
    """(days,) daily peaks, of maxima where they are collected, else of means; None = neither is."""
    found = [history.numbers(series) for series in (MEMORY, MEMORY_MAX)]
    held = [samples for samples in found if samples is not None]
    if not held:
        return None
    highest = np.fmax.reduce(np.stack(held), axis=0)
    return np.asarray(daily_peaks(highest[None], history.slots_a_day)[0])


def first_tests(table: Timetable, days: int) -> dict[Origin, int]:
    """The day, counted from the start of the history, on which each test window begins."""
    return {at: days - at.back_days + at.gap_days for at in table.origins}


def headrooms(configured_percent: float) -> tuple[float, ...]:
    """The configured headroom, and those above it that a fleet's past may ask for."""
    more = (percent for percent in HEADROOMS_PERCENT if percent > configured_percent)
    return (configured_percent, *more)


def replayed(
    machines: Mapping[int, OursPast], table: Timetable, *, headroom_percent: float, budget: float
) -> dict[tuple[int, Origin], float]:
    """The share of today's memory that our rule keeps, by machine and origin; NaN = no opinion.

    At each origin the headroom is what the windows that had ended by then ask for.
    """
    if not machines:
        return {}
    peaks = np.stack([one.peaks for one in machines.values()])
    firsts = first_tests(table, peaks.shape[1])
    tried = headrooms(headroom_percent)
    found: dict[tuple[int, Origin], float] = {}
    for at in table.origins:
        ended = [firsts[o] for o in table.origins if o.done_back_days >= at.back_days]
        windows = memory_windows(peaks, ended, table.test_days, tried)
        chosen = budgeted_headroom(
            windows, tried, configured_percent=headroom_percent, budget=budget
        ).headroom_percent
        if chosen is None:
            sizes = np.ones(len(peaks))
        else:
            known = peaks[:, : peaks.shape[1] - at.back_days]
            sizes = memory_needs(known, chosen, table.test_days).needed / 100
        found.update({(number, at): float(s) for number, s in zip(machines, sizes, strict=True)})
    return found
