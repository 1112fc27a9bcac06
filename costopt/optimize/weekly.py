"""What a machine or a group did in the weeks past, on the wall clock: schedules are made of it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Weekly:
    """Local weeks, oldest first, Monday 00:00 first; the first and the last may be cut short.

    Of a machine two bytes a slot are kept (6 kB of 60 days in half hours): ten thousand fit.
    """

    time_zone: str  # IANA
    monday: date  # the first week's, local
    packed: npt.NDArray[Any]
    """Of a machine uint8 (weeks, slots, 2): samples in use, samples there. Of a group float32
    (weeks, slots, samples): vCPUs in use, NaN = missing."""
    counts: npt.NDArray[np.float32] | None = None
    """Of a group (weeks, slots): members that ran, on average; NaN = missing."""
    network_measured: bool = False

    @property
    def demand(self) -> Array:
        """(weeks, slots, samples of a slot): 1, 0 of a machine, vCPUs of a group; NaN = missing."""
        if self.counts is not None:
            return self.packed.astype(np.float64)
        used, there = (self.packed[:, :, [part]] for part in range(2))
        places = np.arange(max(1, int(there.max(initial=0))))  # in which order does not matter
        return np.where(places < used, 1.0, np.where(places < there, 0.0, np.nan))

    @property
    def running(self) -> Array:
        """(slots,) of a machine the share of weeks in which it ran then, between its first sample
        and its last; of a group its members on average. 0 where nothing was seen."""
        if self.counts is not None:
            return mean(self.counts.T, otherwise=0.0)
        weeks, slots, _ = self.packed.shape
        known = (self.packed[:, :, 1] > 0).ravel()
        lived = np.zeros(weeks * slots)
        seen = np.flatnonzero(known)
        if len(seen):
            lived[seen[0] : seen[-1] + 1] = 1
        possible = lived.reshape(weeks, slots).sum(axis=0)
        return np.asarray(known.reshape(weeks, slots).sum(axis=0) / np.maximum(possible, 1))

    def without(self, days: Collection[date]) -> Array:
        """`demand`, with those local dates missing."""
        found = self.demand
        of_day = found.shape[1] // 7
        for day in days:
            week, weekday = divmod((day - self.monday).days, 7)
            if 0 <= week < len(found):
                found[week, weekday * of_day : (weekday + 1) * of_day] = np.nan
        return found


def mean(values: npt.NDArray[np.floating], otherwise: float = np.nan) -> Array:
    """Along the last axis, of those there are; `otherwise` where there are none."""
    there = ~np.isnan(values)
    counts = there.sum(axis=-1)
    sums = np.where(there, values, 0.0).sum(axis=-1, dtype=np.float64)
    return np.where(counts > 0, sums / np.maximum(counts, 1), otherwise)
