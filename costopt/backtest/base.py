"""What a sizing method may see of a machine's past, and what it says."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from costopt.units import SECONDS_PER_DAY

Floats = npt.NDArray[np.float64]

STAY: Final = 1.0
STOP: Final = 0.0


@dataclass(frozen=True, slots=True)
class Past:
    """One machine up to an origin, and nothing after it.

    Series are on one grid of `period_seconds`, oldest first, NaN where missing, of whole days that
    end at the origin; all of the same length. None = that metric is not collected.
    """

    resource_id: str
    period_seconds: int
    cpu: Floats  # percent of the machine, means of each period
    cpu_max: Floats | None = None  # percent, largest within each period
    memory: Floats | None = None  # percent, means
    memory_max: Floats | None = None
    network_in: Floats | None = None  # bytes a second, means
    network_out: Floats | None = None
    vcpus: float | None = None  # None = unknown
    memory_gib: float | None = None
    network_gbps: float | None = None
    kept: dict[object, Floats] = field(default_factory=dict, init=False, repr=False, compare=False)
    """What one baseline derived from the series (sorted samples and the like), for the next to
    share; written in `baselines` only, and gone with the past."""

    @property
    def slots_a_day(self) -> int:
        """Periods in 24 hours."""
        return SECONDS_PER_DAY // self.period_seconds

    @property
    def days(self) -> int:
        """Length in whole days."""
        return len(self.cpu) // self.slots_a_day


class Need(NamedTuple):
    """The size a method asks for, as a share of today's: 1 = as it is, 0 = stop it.

    NaN = it says nothing (too little data for it, or no opinion on that resource): stays as it is.
    More than 1 = a larger machine.
    """

    cpu: float
    memory: float = np.nan

    @classmethod
    def sized(cls, cpu: float, memory: float = np.nan) -> Need:
        """What a sizing rule asks for: where it measures no demand at all, the smallest size there
        is. Only rules that say so stop a machine."""
        return cls(float(np.maximum(cpu, _SMALLEST)), memory)


_SMALLEST: Final = 1e-9


def _missing(known: Floats | float | None) -> bool:
    return known is None or bool(np.isnan(known).all())


@dataclass(frozen=True, slots=True)
class Baseline:
    """A published sizing rule."""

    name: str  # of peers: aws-co, krr-simple, ...
    title: str  # for people: "AWS Compute Optimizer, defaults"
    source: str  # where its numbers are published
    need: Callable[[Past], Need]
    also: tuple[str, ...] = ()
    """What else of a `Past` its vendor always has and decides by; where that is missing, CPU alone
    decides here."""

    def by_cpu_alone(self, past: Past) -> bool:
        """Whether any of that is missing in that past."""
        return any(_missing(getattr(past, name)) for name in self.also)
