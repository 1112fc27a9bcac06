"""One machine's past decided again: what became of every size, and what every baseline asked for.

All that is kept of it; its samples go when they have been looked at.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from costopt.backtest.base import STOP, Floats, Need, Past
from costopt.backtest.fleet import LADDER
from costopt.backtest.memory import MemoryPast
from costopt.backtest.plan import Machine, Plan
from costopt.backtest.series import (
    CPU,
    CPU_MAX,
    MEMORY,
    MEMORY_MAX,
    NETWORK_IN,
    NETWORK_OUT,
    History,
    Series,
    percent,
)
from costopt.backtest.study import Studied, Tested, study
from costopt.backtest.windows import Origin

_FIELDS: Final[Mapping[str, Series]] = {
    "cpu": CPU,
    "cpu_max": CPU_MAX,
    "memory": MEMORY,
    "memory_max": MEMORY_MAX,
    "network_in": NETWORK_IN,
    "network_out": NETWORK_OUT,
}
"""A past's series by name."""

WANTED: Final = frozenset(_FIELDS.values())


@dataclass(frozen=True, slots=True, eq=False)
class Replayed:
    """One machine at every origin."""

    studied: Studied  # without its disputed samples, as advice is given
    windows: tuple[Origin, ...]  # at which it can be decided on and judged
    came: Mapping[Origin, Tested]  # what each size came to there, every sample counted
    needs: Mapping[str, Mapping[Origin, Need]]  # of each baseline, in those windows
    memory: MemoryPast | None  # None = not measured
    by_cpu_alone: Mapping[str, int]  # of each baseline, how many windows; see `Baseline.also`


def replayed(history: History, machine: Machine, plan: Plan) -> Replayed:
    """Look at the machine from every origin, and ask every baseline.

    Disputed samples are left out where costopt decides and learns, as in its advice. They count in
    what becomes of a decision, or the filter would be judged by what it lets through; and baselines
    see them, since no published rule leaves them out.
    """
    sizes = np.array(sorted({*LADDER, *plan.ladder, STOP}, reverse=True))
    studied = study(history, history.cpu, sizes, plan.table, plan.standard)
    windows = tuple(at for at in plan.table.origins if studied.judged(at))
    collected = studied
    if history.disputed.size:
        collected = study(history, history.cpu_with_disputed, sizes, plan.table, plan.standard)
    series = {name: history.numbers(series) for name, series in _FIELDS.items()}
    series["cpu"] = percent(history.cpu_with_disputed)
    seen = {name: found for name, found in series.items() if found is not None}
    pasts = {at: _past(seen, machine, at, history.slots_a_day) for at in windows}
    needs = {
        baseline.name: {at: baseline.need(past) for at, past in pasts.items()}
        for baseline in plan.baselines
    }
    came = {at: collected.tested[at] for at in windows}
    alone = {
        baseline.name: sum(map(baseline.by_cpu_alone, pasts.values()))
        for baseline in plan.baselines
        if baseline.also
    }
    return Replayed(studied, windows, came, needs, MemoryPast.of(history), alone)


def _past(series: Mapping[str, np.ndarray], machine: Machine, at: Origin, slots_a_day: int) -> Past:
    """What was to be seen at the origin: its training window, and nothing after it."""
    end = len(series["cpu"]) - at.back_days * slots_a_day
    window = slice(end - at.train_days * slots_a_day, end)
    seen: dict[str, Floats] = {
        name: samples[window].astype(np.float64) for name, samples in series.items()
    }
    return Past(
        resource_id=machine.subject.resource_id,
        period_seconds=machine.subject.period_seconds,
        vcpus=machine.vcpus,
        memory_gib=machine.memory_gib,
        network_gbps=machine.network_gbps,
        **seen,
    )
