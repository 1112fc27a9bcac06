"""Demand hour by hour, and what a commitment would have saved in its weeks and months."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from costopt.errors import InsufficientData

Floats = npt.NDArray[np.float64]

WEEK_HOURS: Final = 168
MONTH_HOURS: Final = 4 * WEEK_HOURS
"""The month of worst cases is four whole weeks: one of 730 hours has now eight, now ten weekend
days, and would show the calendar rather than demand. Money a month is `units.HOURS_PER_MONTH`."""

SEEN: Final = 0.5
"""A window is judged where at least half of its hours are there: with fewer, one side of the day
or of the week may be missing altogether."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """The worst window of so many hours in the history."""

    hours: int
    start: int  # index of its first hour
    saving: float  # per hour; below 0: it cost more than on demand
    share: float  # saving / what on demand cost in it; -inf: there was no demand at all


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a commitment would have come to over the whole history, against all on demand.

    Amounts per hour, in money; what they are a share of is said by their name.
    """

    hours: int  # that are there
    missing: int  # hours that are not; nothing is assumed of them
    on_demand: float  # what all of it costs on demand
    committed: float  # what the commitment costs, used or not
    saving: float
    utilisation: float  # of the commitment; NaN where nothing is committed
    coverage: float  # of demand, in money at on-demand price; NaN without demand
    worst: tuple[Stretch, ...]  # week, month, term, as far as the history holds one

    @property
    def share(self) -> float:
        """Saving as a share of what on demand costs; -inf: it cost something, and for nothing."""
        return _share(self.saving, self.on_demand)


def as_hours(demand: npt.ArrayLike) -> Floats:
    """Demand as float64 (H,).

    Raises:
        ValueError: not one row of numbers, or one of them negative or infinite.
        InsufficientData: no hour is there.
    """
    hours = np.asarray(demand, np.float64)
    if hours.ndim != 1 or np.isinf(hours).any() or (hours < 0).any():
        raise ValueError("demand is one row of hours, each finite and not below 0, or NaN")
    if np.isnan(hours).all():
        raise InsufficientData("no hour of demand is known, so nothing can be committed to")
    return hours


def outcome(
    on_demand: Floats, replaced: Floats, committed: float, used: Floats, term_hours: int
) -> Outcome:
    """What came of a commitment.

    Args:
        on_demand: (H,) what all demand costs on demand, per hour; NaN = missing.
        replaced: (H,) how much of that the commitment replaced.
        committed: what it costs per hour.
        used: (H,) how much of `committed` was of use.
        term_hours: how long it binds.
    """
    there = ~np.isnan(on_demand)
    saving = replaced - committed
    spent, kept = float(on_demand[there].mean()), float(replaced[there].mean())
    windows = sorted({WEEK_HOURS, MONTH_HOURS, term_hours})
    found = (worst_stretch(saving, on_demand, hours) for hours in windows)
    return Outcome(
        hours=int(there.sum()),
        missing=int((~there).sum()),
        on_demand=spent,
        committed=committed,
        saving=kept - committed,
        utilisation=float(used[there].mean()) / committed if committed else float("nan"),
        coverage=kept / spent if spent else float("nan"),
        worst=tuple(one for one in found if one is not None),
    )


def worst_stretch(saving: Floats, on_demand: Floats, hours: int) -> Stretch | None:
    """The window of `hours` in which least was saved per hour; None where none is long enough."""
    there = ~np.isnan(on_demand)
    if len(saving) < hours:
        return None
    count = _sliding(there.astype(np.float64), hours)
    seen = count >= SEEN * hours
    if not seen.any():
        return None
    per_hour = np.full(len(count), np.inf)
    np.divide(_sliding(np.where(there, saving, 0.0), hours), count, out=per_hour, where=seen)
    start = int(per_hour.argmin())
    inside = slice(start, start + hours)
    # Summed anew: running sums of a year leave rounding errors that would turn 0 into a loss.
    saved = float(saving[inside][there[inside]].mean())
    spent = float(on_demand[inside][there[inside]].mean())
    return Stretch(hours, start, saved, _share(saved, spent))


def lowest_stretch(demand: Floats, hours: int) -> slice:
    """The window of `hours` in which demand was lowest; all of it where the history is shorter."""
    there = ~np.isnan(demand)
    count = _sliding(there.astype(np.float64), min(hours, len(demand)))
    mean = np.full(len(count), np.inf)
    total = _sliding(np.where(there, demand, 0.0), min(hours, len(demand)))
    enough = count >= SEEN * hours if (count >= SEEN * hours).any() else count == count.max()
    np.divide(total, count, out=mean, where=enough)
    start = int(mean.argmin())
    return slice(start, start + min(hours, len(demand)))


def _share(saved: float, spent: float) -> float:
    if spent:
        return saved / spent
    return float("-inf") if saved < 0 else 0.0


def _sliding(values: Floats, hours: int) -> Floats:
    """Sums over every window of so many values."""
    sums = np.concatenate(([0.0], np.cumsum(values)))
    return sums[hours:] - sums[:-hours]
