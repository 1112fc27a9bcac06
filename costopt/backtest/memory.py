"""Memory at past origins: our sizes, each from what was known by then, and what became of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from costopt.backtest.bootstrap import Ints
from costopt.backtest.outcome import memory_outcomes
from costopt.backtest.result import MemoryScore
from costopt.backtest.score import memory_score
from costopt.backtest.series import MEMORY, MEMORY_MAX, History
from costopt.backtest.windows import Origin, Timetable
from costopt.optimize.features import Floats
from costopt.optimize.headroom import HEADROOMS_PERCENT, budgeted_headroom
from costopt.optimize.memory import daily_peaks, memory_needs, memory_windows


@dataclass(frozen=True, slots=True, eq=False)
class MemoryPast:
    """A machine's daily peaks of memory, percent; NaN = a day without a sample."""

    peaks: Floats  # (days,) up to now

    @classmethod
    def of(cls, history: History) -> MemoryPast | None:
        """None where memory is not measured, or never anything but 0."""
        peaks = memory_peaks(history)
        measured = peaks is not None and bool((peaks > 0).any())
        return cls(peaks) if peaks is not None and measured else None

    def tested(self, at: Origin) -> float:
        """The highest peak of the test window; NaN = it has no samples."""
        end = len(self.peaks) - at.done_back_days
        return float(np.fmax.reduce(self.peaks[end - at.test_days : end]))


def memory_peaks(history: History) -> Floats | None:
    """(days,) daily peaks, of maxima where they are collected, else of means; None = neither is."""
    found = [history.numbers(series) for series in (MEMORY, MEMORY_MAX)]
    held = [samples for samples in found if samples is not None]
    if not held:
        return None
    highest = np.fmax.reduce(np.stack(held), axis=0)
    return np.asarray(daily_peaks(highest[None], history.slots_a_day)[0])


def first_days(origins: Sequence[Origin], days: int) -> list[int]:
    """The day, counted from the start of the history, on which each origin stands."""
    return [days - at.back_days for at in origins]


def lasting_days(table: Timetable) -> int:
    """How long after its origin a size must last: through the gap, and the test."""
    return table.gap_days + table.test_days


def headrooms(configured_percent: float) -> tuple[float, ...]:
    """The configured headroom, and those above it that a fleet's past may ask for."""
    more = (percent for percent in HEADROOMS_PERCENT if percent > configured_percent)
    return (configured_percent, *more)


def ours(
    peaks: Floats, table: Timetable, *, headroom_percent: float, budget: float
) -> dict[Origin, Floats]:
    """The share of today's memory that our rule keeps of each machine, by origin; NaN = no opinion.

    At each origin the headroom is what the windows that had ended by then ask for.

    Args:
        peaks: (machines, days) daily peaks, percent.
    """
    days, tried = peaks.shape[1], headrooms(headroom_percent)
    found = {}
    for at in table.origins:
        ended = first_days(table.ended_by(at), days)
        windows = memory_windows(peaks, ended, lasting_days(table), tried)
        chosen = budgeted_headroom(
            windows, tried, configured_percent=headroom_percent, budget=budget
        ).headroom_percent
        if chosen is None:
            found[at] = np.ones(len(peaks))
        else:
            known = peaks[:, : days - at.back_days]
            found[at] = memory_needs(known, chosen, lasting_days(table)).needed / 100
    return found


def scores(
    pasts: Sequence[MemoryPast],
    windows: Sequence[tuple[int, Origin]],
    sizes: Mapping[str, Floats],
    *,
    draws: int,
    seed: int,
) -> tuple[MemoryScore, ...]:
    """How each method's sizes did, in the methods' order; of those that say anything.

    Args:
        pasts: of the machines whose memory is measured.
        windows: (W) the place in `pasts`, and the origin.
        sizes: method -> (W,) shares of today's memory; NaN = says nothing, more than 1 = 1.
    """
    machines = np.array([number for number, _ in windows], np.int64)
    later = np.array([pasts[number].tested(at) for number, at in windows])
    judged: Ints = np.flatnonzero(~np.isnan(later))
    found = []
    for name, asked in sizes.items():
        kept = np.minimum(asked[judged], 1.0)
        if not np.isnan(kept).all():
            failed = memory_outcomes(later[judged, None], kept)
            found.append(memory_score(name, machines[judged], kept, failed, draws=draws, seed=seed))
    return tuple(found)
