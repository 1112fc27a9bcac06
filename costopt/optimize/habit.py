"""Whether the week repeats: how well earlier weeks tell a later one, beside its plain mean."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Habit:
    """How earlier weeks told later ones."""

    skill: float  # 1 - squared error of the pattern / that of the mean; 1 = exact, <= 0 = no habit
    worst: float  # the least skill of any one week
    weeks: int  # that were told by those before them

    @property
    def holds(self) -> bool:
        """Whether the pattern is better than the mean, and was in every week."""
        return self.weeks > 0 and self.skill > 0 and self.worst > 0


def habit(weeks: Array, held_out: int = 2, least_weeks: int = 2) -> Habit:
    """Each of the last `held_out` weeks, told by the mean of all before it, slot by slot.

    Args:
        weeks: (weeks, slots), oldest first; NaN = missing. Slots without both a past and a present
            are left out.
        least_weeks: before the first that is told.
    """
    pattern_error, mean_error, skills = 0.0, 0.0, []
    for at in range(max(least_weeks, len(weeks) - held_out), len(weeks)):
        before, now = weeks[:at], weeks[at]
        seen = ~np.isnan(before)
        counts = seen.sum(axis=0)
        both = (counts > 0) & ~np.isnan(now)
        if both.sum() < len(now) / 2:  # half a week tells nothing of the other half
            continue
        sums = np.where(seen, before, 0.0).sum(axis=0)
        pattern = sums[both] / counts[both]
        of_pattern = float(((now[both] - pattern) ** 2).sum())
        of_mean = float(((now[both] - sums.sum() / counts.sum()) ** 2).sum())
        pattern_error, mean_error = pattern_error + of_pattern, mean_error + of_mean
        skills.append(_skill(of_pattern, of_mean))
    return Habit(_skill(pattern_error, mean_error), min(skills, default=0.0), len(skills))


def _skill(error: float, plain: float) -> float:
    return 1 - error / plain if plain > 0 else 0.0
