"""What a machine's past says of a smaller size: ten figures per size, for the risk model.

A sample is over a size's limit where it exceeds `limit` percent of today's machine, that is the
limit (90 %) times the size's share of it. Days are 24 hours, counted back from the window's end.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from costopt.compiled import compiled
from costopt.schema import MISSING_U16, PERCENT_LIMIT, PERCENT_SCALE

NAMES: Final = (
    "margin_max",  # log of the limit over the largest sample; so too the next four
    "margin_p99_9",
    "margin_p99",
    "margin_p95",
    "margin_mean",
    "log_rate",  # log of the share of samples over the limit
    "log_recent_rate",  # the same of the last three days
    "days_any",  # share of days with any sample over it
    "log_worst_day",  # log of the worst day's share
    "days_over_budget",  # share of days with more than the budget's share
)
RECENT_DAYS: Final = 3
MARGIN_LIMIT: Final = 3.0
"""Margins are cut at a factor of e^3 = 20: beyond it, more says no more."""

_QUANTILES: Final = np.array([1.0, 0.999, 0.99, 0.95])
_BINS: Final = int(PERCENT_LIMIT) * PERCENT_SCALE + 1

Hundredths = npt.NDArray[np.uint16]
Floats = npt.NDArray[np.float64]


def features(train: Hundredths, limits: Floats, slots_a_day: int, budget: float) -> Floats:
    """The figures of each window at each limit.

    Args:
        train: uint16 (windows, slots), hundredths of a percent of today's machine, oldest first;
            schema.MISSING_U16 = missing. Every window needs a sample.
        limits: (sizes,) percent of today's machine, descending.
        slots_a_day: periods in 24 hours.
        budget: share of samples that may be over the limit.
    Returns:
        (windows, sizes, NAMES).
    """
    out = np.empty((len(train), len(limits), len(NAMES)))
    limits = np.asarray(limits, np.float64)
    _features(train, limits, (slots_a_day, budget), _QUANTILES, out)
    return out


def hundredths(percent: npt.NDArray[Any]) -> Hundredths:
    """Percent as the lake keeps them; NaN becomes missing, values over 105 count as 105."""
    kept = np.nan_to_num(np.clip(percent, 0.0, PERCENT_LIMIT), nan=MISSING_U16 / PERCENT_SCALE)
    found: Hundredths = np.rint(kept * PERCENT_SCALE).astype(np.uint16)
    return found


@compiled
def _features(train: Any, limits: Any, scale: Any, quantiles: Any, out: Any) -> None:
    slots_a_day, budget = scale
    sizes = len(limits)
    # How many of the limits a value exceeds: as they descend, those are the last ones.
    exceeded = np.zeros(_BINS, np.int64)
    for size in range(sizes):
        over_it = int(np.floor(limits[size] * PERCENT_SCALE)) + 1  # the least value that is
        if over_it < _BINS:
            exceeded[over_it] += 1
    for value in range(1, _BINS):
        exceeded[value] += exceeded[value - 1]
    counts = np.empty(_BINS, np.int64)
    days = -(-train.shape[1] // slots_a_day)
    over = np.empty((days, sizes + 1), np.int64)
    held = np.empty(days, np.int64)
    level = np.empty(len(quantiles) + 1)
    for window in range(len(train)):
        counts[:] = 0
        over[:] = 0
        held[:] = 0
        total, samples = 0, 0
        for slot in range(train.shape[1]):
            value = int(train[window, slot])
            if value == MISSING_U16:
                continue
            day = days - 1 - (train.shape[1] - 1 - slot) // slots_a_day
            counts[value] += 1
            total += value
            samples += 1
            held[day] += 1
            over[day, exceeded[value]] += 1
        _levels(counts, samples, quantiles, level)
        level[len(quantiles)] = total / samples
        for size in range(sizes):
            _of_size(
                over[:, sizes - size :],
                held,
                (budget, slots_a_day, limits[size] * PERCENT_SCALE),
                level,
                out[window, size],
            )


@compiled
def _levels(counts: Any, samples: int, quantiles: Any, level: Any) -> None:
    """The values at those quantiles (nearest rank), in hundredths; quantiles descend."""
    below, value = samples, _BINS
    for q in range(len(quantiles)):
        rank = int(np.ceil(quantiles[q] * samples - 1e-9))
        while below >= rank:
            value -= 1
            below -= counts[value]
        level[q] = value


@compiled
def _of_size(over: Any, held: Any, terms: Any, level: Any, out: Any) -> None:
    """The figures of one size; `over` (days, ...) sums to its samples over the limit."""
    budget, slots_a_day, limit = terms
    days, some, much, total, samples, recent, recent_samples = 0, 0, 0, 0, 0, 0, 0
    worst = 0.0
    for day in range(len(held)):
        if not held[day]:
            continue
        count = over[day].sum()
        days += 1
        some += count > 0
        much += count > budget * held[day]
        worst = max(worst, count / held[day])
        total += count
        samples += held[day]
        if day >= len(held) - RECENT_DAYS:
            recent += count
            recent_samples += held[day]
    margins = len(level)
    for q in range(margins):
        margin = np.log(limit / max(level[q], 1.0))
        out[q] = min(MARGIN_LIMIT, max(-MARGIN_LIMIT, margin))
    rate = np.log((total + 0.5) / (samples + 1.0))
    out[margins] = rate
    out[margins + 1] = np.log((recent + 0.5) / (recent_samples + 1.0)) if recent_samples else rate
    out[margins + 2] = some / days
    out[margins + 3] = np.log(worst + 0.5 / slots_a_day)
    out[margins + 4] = much / days
