"""What a machine's GPUs do during one UTC day, card by card and on average."""

from __future__ import annotations

from datetime import date
from typing import Final, NamedTuple

import numpy as np

from costopt.providers.demo.chance import Floats, Stream, generator
from costopt.providers.demo.clock import SLOTS
from costopt.providers.demo.machines import Machine
from costopt.providers.demo.truth import Label


class _Load(NamedTuple):
    """Percent of the card at level 0 and level 1."""

    utilization: tuple[float, float]
    sm_active: tuple[float, float]
    memory: tuple[float, float]
    power: tuple[float, float]  # percent of the way from idle to full watts


# Serving: the card looks half used by "utilization" (some kernel ran), few SMs are active and the
# model fills the memory, as on the Alibaba GenAI pods.
_LOADS: Final = {
    Label.GPU_TRAINING: _Load((0, 96), (0, 74), (2, 81), (1, 84)),
    Label.GPU_BUSY: _Load((80, 97), (70, 86), (84, 86), (70, 90)),
    Label.GPU_SERVING: _Load((4, 42), (1, 11), (88, 90), (8, 30)),
    Label.GPU_IDLE: _Load((0, 0), (0, 0), (0.4, 0.4), (0, 0)),
}


class CardSeries(NamedTuple):
    """One metric of one card ("" = the whole machine)."""

    metric: str
    device: str
    values: Floats


def gpu_series(machine: Machine, day: date, level: Floats, seed: int) -> list[CardSeries]:
    """GPU metrics of the day, 288 means each: the cards in order, then the machine's average.

    Args:
        level: float64 (288,), the machine's rhythm, 0..1.
    """
    load, watts = _LOADS[machine.role.label], machine.role.gpu_watts
    assert watts is not None  # company.yaml gives every GPU role its watts
    cards = machine.shape.gpu_count
    noise = generator(seed, machine.number, day, Stream.GPU).standard_normal((4, cards, SLOTS))
    percent = [
        np.clip(_between(ends, level) * (1 + 0.04 * noise[k]), 0, 100)
        for k, ends in enumerate(load)
    ]
    power = watts[0] + (watts[1] - watts[0]) * percent[3] / 100 + 0.3 * noise[3]
    found = []
    for metric, values in (
        ("gpu_utilization", percent[0]),
        ("gpu_sm_active", percent[1]),
        ("gpu_memory_utilization", percent[2]),
        ("gpu_power", power),
    ):
        found += [CardSeries(metric, str(card), values[card]) for card in range(cards)]
        found.append(CardSeries(metric, "", values.mean(axis=0)))
    return found


def _between(ends: tuple[float, float], level: Floats) -> Floats:
    return ends[0] + (ends[1] - ends[0]) * level
