"""Machines' histories for tests, on a grid of half an hour unless told: 48 samples a day."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

import numpy as np
import numpy.typing as npt

from costopt.backtest.series import CPU, History, Series, Subject
from costopt.optimize.features import hundredths
from costopt.schema import is_percent

END = datetime(2026, 10, 5, tzinfo=UTC)  # a Monday
PERIOD = 1800
A_DAY = 86_400 // PERIOD

Values = npt.NDArray[np.float64]


def history(
    cpu: npt.ArrayLike,
    name: str = "m",
    *,
    period: int = PERIOD,
    disputed: Sequence[int] = (),
    series: Mapping[Series, npt.ArrayLike] | None = None,
) -> History:
    """A machine of these samples (percent, NaN = missing), which cannot be written to.

    Args:
        disputed: slots of disputed CPU samples.
        series: further ones, in their own units.
    """
    found = {CPU: hundredths(np.asarray(cpu, np.float64))}
    for key, values in (series or {}).items():
        samples = np.asarray(values, np.float64)
        found[key] = hundredths(samples) if is_percent(key[0]) else samples.astype(np.float32)
    for samples in found.values():
        samples.setflags(write=False)
    return History(Subject(name, period), found, np.array(disputed, np.int64))


def days(count: float, percent: float, a_day: int = A_DAY) -> Values:
    """So many days at one level."""
    return np.full(round(count * a_day), float(percent))


def restless(count: int, seed: int, a_day: int = A_DAY) -> Values:
    """Days of work of all kinds: a level, a daily rhythm, bursts, and a gap now and then."""
    chance = np.random.default_rng(seed)
    slots = np.arange(count * a_day)
    level, swing, bursts = chance.gamma(2, 5), chance.gamma(1.5, 8), chance.uniform(0, 0.02)
    rhythm = np.maximum(0, np.sin(2 * np.pi * slots / a_day))
    values = level + swing * rhythm + chance.normal(0, 1, len(slots))
    busy = chance.random(len(slots)) < bursts
    values[busy] += chance.uniform(10, 90, busy.sum())
    values[chance.random(len(slots)) < 0.01] = np.nan
    return np.round(np.clip(values, 0, 100), 2)
