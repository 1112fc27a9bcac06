"""Random numbers that depend on the seed, the machine and the day only: never on the fleet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import IntEnum
from functools import lru_cache
from typing import Final

import numpy as np
import numpy.typing as npt

from costopt.providers.demo.clock import SLOTS

Floats = npt.NDArray[np.float64]


class Stream(IntEnum):
    """What a generator is for; streams of one machine and day are independent."""

    DEMAND = 0
    GPU = 1
    JOBS = 2
    WARTS = 3


def generator(seed: int, machine: int, day: date, stream: Stream) -> np.random.Generator:
    """The generator of one machine's day."""
    sequence = np.random.SeedSequence([seed, machine], spawn_key=(day.toordinal(), stream))
    return np.random.Generator(np.random.PCG64(sequence))


@lru_cache(maxsize=16_384)
def character(seed: int, machine: int) -> Floats:
    """What sets a machine apart from its siblings for good: factors on CPU, memory and traffic."""
    chance = np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed, machine])))
    return np.array(
        [chance.uniform(0.88, 1.06), chance.uniform(0.88, 1.06), chance.uniform(0.6, 1)]
    )


# How much of a five-minute deviation is left five minutes later: CPU, memory, network, disk.
_MEMORY: Final = np.array([0.85, 0.985, 0.8, 0.7])


@dataclass(frozen=True, eq=False, slots=True)
class Draws:
    """A day's chance for some machines; rows are machines, the last axis the 288 slots."""

    cpu: Floats  # autocorrelated, standard normal, as the next three
    memory: Floats
    network: Floats
    disk: Floats
    quick: Floats  # white, standard normal
    event: Floats  # uniform: something really happens (CPU, network and disk together)
    day: Floats  # (n, 1) standard normal: a better or a worse day


def draw(seed: int, machines: Sequence[int], day: date) -> Draws:
    """The day's draws of the machines with these numbers."""
    kinds = _MEMORY.size
    normal = np.empty((len(machines), kinds + 1, SLOTS))
    event = np.empty((len(machines), SLOTS))
    whole_day = np.empty((len(machines), 1))
    for row, machine in enumerate(machines):
        chance = generator(seed, machine, day, Stream.DEMAND)
        chance.standard_normal(out=normal[row])
        chance.random(out=event[row])
        chance.standard_normal(out=whole_day[row])
    correlated = _autoregressive(normal[:, :kinds])
    cpu, memory, network, disk = (correlated[:, k] for k in range(kinds))
    return Draws(cpu, memory, network, disk, normal[:, kinds], event, whole_day)


def _autoregressive(white: Floats) -> Floats:
    """AR(1) along the last axis, per kind (axis 1), with unit variance throughout.

    Slot after slot over all machines at once: elementwise, so that a machine's numbers do not
    depend on which others are drawn with it.
    """
    values = np.ascontiguousarray(np.moveaxis(white, -1, 0))
    fresh = np.sqrt(1 - _MEMORY**2)
    for slot in range(1, len(values)):
        values[slot] = _MEMORY * values[slot - 1] + fresh * values[slot]
    return np.moveaxis(values, 0, -1)
