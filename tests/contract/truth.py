"""What the machines of the contract's fleets are and do, said once and in our units.

Each fleet tells its cloud of it in the cloud's own units and by its own clock; what a provider
makes of that has to be this again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

NOW: Final = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(hours=1)
"""Clouds keep five minutes for some weeks: a fixed moment would be gone some day."""
ENDED: Final = NOW + timedelta(minutes=55, seconds=1)
"""A moment not long ago at which a period had just ended."""
DAYS: Final = 2
"""That a collect asks for, up to `NOW`."""
PERIOD: Final = 300

LEVELS: Final = ("cpu_utilization", "memory_utilization")
RATES: Final = ("network_in", "network_out", "disk_read", "disk_write")
MEANS: Final = frozenset((name, "mean") for name in (*LEVELS, *RATES))
ALL: Final = MEANS | {(name, "max") for name, _ in MEANS}
"""Metric and statistic."""

_FOLDS: Final[dict[str, Callable[..., Any]]] = {"mean": np.mean, "max": np.max}


class Machine(NamedTuple):
    """One machine; its number says what it does."""

    number: int
    region: str | None
    vcpus: float
    memory_gib: float
    state: str = "running"
    tags: Mapping[str, str] = {}


def demand(machine: int, name: str, minute: Any) -> Any:
    """What is used in the minute that begins so many minutes after 1970: percent, or bytes a
    second. Works on an int and on an array of them alike."""
    kind = (*LEVELS, *RATES).index(name)
    chance = (minute * 7919 + machine * 104_729 + kind * 1_299_709) % 1009 / 1009
    if name in RATES:
        return 1e5 * (1 + kind) * (1 + 9 * chance**4)
    return 12 + 5 * kind + 3 * (machine % 5) + 40 * chance**3


def silent(machine: int, minute: Any) -> Any:
    """Whether nothing was measured: half an hour of each 18."""
    return minute // 30 % 37 == machine % 37


def samples(
    machine: int, name: str, statistic: str, start: datetime = NOW - timedelta(days=DAYS)
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """The periods up to `NOW` that were measured: their starts (seconds since 1970) and values."""
    starts = np.arange(int(start.timestamp()), int(NOW.timestamp()), PERIOD)
    starts = starts[~silent(machine, starts // 60)]
    minutes = starts[:, None] // 60 + np.arange(PERIOD // 60)
    return starts, _FOLDS[statistic](demand(machine, name, minutes), axis=1)
