"""A fleet with six weeks of past in a lake, whose later samples can be spoiled."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from costopt import pipeline
from costopt.lake.store import Lake
from tests.backtest.fleets import restless
from tests.fakes.fleet import END, FakeFleet, Machine

DAYS = 42
ORIGINS = (14, 21, 28)
"""Days after which a backtest of a fortnight by a fortnight decides."""

A_DAY = 288


def on_day(day: int) -> datetime:
    """The moment so many days after the fleet's first sample."""
    return END - timedelta(days=DAYS - day)


@cache
def machines(count: int = 7, spoiled_from: int | None = None) -> tuple[Machine, ...]:
    """Machines that work in all ways, with CPU and memory.

    Their memory knows few levels, each for long: it never moves enough to be a witness, so that no
    CPU sample is ever disputed.

    Args:
        spoiled_from: from that day on samples are others, much higher, or gone; None = none is.
    """
    made = []
    for number in range(count):
        cpu = restless(DAYS, number, A_DAY)
        used = np.where(np.arange(len(cpu)) // A_DAY % 5 < 2, 20.0 + number, 30.0 + number)
        if spoiled_from is not None:
            later = slice(spoiled_from * A_DAY, None)
            chance = np.random.default_rng(1000 + number)
            other = chance.uniform(60, 100, len(cpu[later])).round(2)
            cpu[later] = np.where(chance.random(len(other)) < 0.1, np.nan, other)
            used[later] += 45
        made.append(Machine(f"vm-{number:02d}", 16, read_only(cpu), memory=read_only(used)))
    return tuple(made)


def read_only(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """The same array, which cannot be written to: fleets are shared by tests."""
    values.setflags(write=False)
    return values


def lake_of(folder: Path, fleet: FakeFleet) -> Lake:
    """A lake that holds what the fleet sends."""
    lake = Lake(folder / "lake")
    pipeline.collect(fleet, lake)
    return lake
