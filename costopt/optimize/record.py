"""A machine's own record: the whole fortnights it lived through, and how often a size would have
used up its budget in them. It corrects the model's chance, and bounds it where it decides.

Source: facts, decisions, "Rightsizing" 1; docs/method.md, "Own record".
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from math import comb
from typing import Final

import numpy as np
import numpy.typing as npt

from costopt.optimize.features import Floats

Ints = npt.NDArray[np.int64]

OWN_WINDOWS: Final = 10
"""The model's chance counts like so many windows beside those that the machine itself lived
through; 5 to 30 do about as well on Bitbrains, with the prior of another fleet."""

TAIL: Final = 0.05
"""Of a bound: one-sided 95 %, as the model's own."""

_HALVINGS: Final = 40  # 1 / 2 ** 40 is closer than any figure is told


@dataclass(frozen=True, slots=True, eq=False)
class Record:
    """Whole windows lived through, up to a moment."""

    windows: int  # W
    over: Ints  # (S,) K: in how many of them the size would have used up its budget
    windows_before: int  # w: those before the window that the figures are of
    over_before: Ints  # (S,) k

    @property
    def share(self) -> Floats:
        """(S,) K / (W + 1): with one more window in which nothing happened, so that once in one
        window is a half, not certainty."""
        return np.asarray(self.over / (self.windows + 1))

    def applied(self, chances: Floats) -> Floats:
        """(S,) the model's chance, given the earlier windows, and never below the record."""
        blended = (OWN_WINDOWS * chances + self.over_before) / (OWN_WINDOWS + self.windows_before)
        return np.maximum(blended, self.share)

    def upper(self, chances: Floats) -> Floats:
        """(S,) the record's own one-sided 95 % upper end where it raises the model's chance, else
        0: there the model's end holds."""
        ends = np.array([upper_share(int(k), self.windows) for k in self.over])
        return np.where(self.applied(chances) > chances, ends, 0.0)


@lru_cache(maxsize=1024)
def upper_share(times: int, of: int) -> float:
    """The one-sided 95 % upper end of a share seen `times` in `of` independent trials: the share at
    which so few or fewer have a chance of 5 %.

    Source: Clopper and Pearson: The use of confidence or fiducial limits illustrated in the case of
    the binomial, Biometrika 26 (1934).
    """
    if times >= of:
        return 1.0
    low, high = times / of, 1.0
    for _ in range(_HALVINGS):
        share = (low + high) / 2
        if _at_most(times, of, share) > TAIL:
            low = share
        else:
            high = share
    return high


def _at_most(times: int, of: int, share: float) -> float:
    """The chance of `times` or fewer in `of` trials."""
    return sum(comb(of, n) * share**n * (1 - share) ** (of - n) for n in range(times + 1))
