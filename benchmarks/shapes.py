"""A fleet's past decided at the sizes its machines could really get, of which none has less than a
vCPU. The relative ladder offers a sixteenth of any machine, which flatters everybody."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from traces import Fleet

from costopt.backtest.base import STOP, Past
from costopt.backtest.baselines import baselines
from costopt.backtest.choices import OURS
from costopt.backtest.fleet import LADDER, learn
from costopt.backtest.outcome import Outcomes
from costopt.backtest.result import MethodScore
from costopt.backtest.score import rung, score
from costopt.backtest.series import CPU, MEMORY, History, Series
from costopt.backtest.study import LEAD_MINUTES, STANDARD, Studied, study
from costopt.backtest.windows import Origin
from costopt.optimize.cost import ROLLBACK_COSTS, on_ladder
from costopt.optimize.features import Floats
from costopt.optimize.risk import Risk

SIZES = np.array([*LADDER, STOP])


class Window(NamedTuple):
    """A machine at an origin."""

    number: int  # of the machine
    history: History
    vcpus: int
    studied: Studied
    at: Origin

    @property
    def ladder(self) -> Floats:
        """Its sizes, as shares of today's, without a stop."""
        return SIZES[1 / self.vcpus <= SIZES]


def scores_at_shapes(fleet: Fleet, prior: Risk) -> tuple[MethodScore, ...]:
    """Every method's score, ours first. The fleet's vCPUs are powers of two."""
    studied = [study(one, one.cpu, SIZES, fleet.table, STANDARD) for one in fleet.machines]
    learned = learn(studied, fleet.table, prior)
    windows = [
        Window(number, history, fleet.vcpus[one.resource_id], one, at)
        for number, (history, one) in enumerate(zip(fleet.machines, studied, strict=True))
        for at in fleet.table.origins
        if at in one.figures and at in one.tested
    ]
    choices = _needed(windows)
    risks = [learned.chances(each.studied, each.at) for each in windows]
    titles = {one.name: (one.title, one.source) for one in baselines().values()}
    for name, cost in ROLLBACK_COSTS.items():
        ours = OURS if name == "default" else f"{OURS}-{name}"
        titles[ours] = (ours, "")
        choices[ours] = np.array(
            [_ours(each, risk, cost) for each, risk in zip(windows, risks, strict=True)]
        )
    numbers = np.array([each.number for each in windows])
    return score(_outcomes(windows), numbers, choices, titles, LEAD_MINUTES)


def _ours(window: Window, risk: Floats | None, cost: float) -> float:
    assert risk is not None  # a window has figures
    ladder, peak = window.ladder, np.array([window.studied.peaks[window.at]])
    chosen = on_ladder(ladder, risk[None, : len(ladder)], peak, cost, STANDARD.limit_percent)
    return float(ladder[chosen[0]])


def _needed(windows: list[Window]) -> dict[str, Floats]:
    """What every baseline asks for, at the smallest size that holds it."""
    asked: dict[str, list[float]] = {name: [] for name in baselines()}
    for window in windows:
        past = _past(window)
        ladder = np.append(window.ladder, STOP)
        for name, baseline in baselines().items():
            asked[name].append(float(rung(np.array([baseline.need(past).cpu]), ladder)[0]))
    return {name: np.array(sizes) for name, sizes in asked.items()}


def _past(window: Window) -> Past:
    history, at = window.history, window.at
    end = len(history.cpu) - at.back_days * history.slots_a_day
    start = end - at.train_days * history.slots_a_day

    def seen(series: Series) -> Floats | None:
        found = history.numbers(series)
        return None if found is None else found[start:end].astype(np.float64)

    cpu = seen(CPU)
    assert cpu is not None  # a history has CPU samples
    return Past(
        resource_id=history.subject.resource_id,
        period_seconds=history.subject.period_seconds,
        cpu=cpu,
        memory=seen(MEMORY),
        vcpus=window.vcpus,
    )


def _outcomes(windows: list[Window]) -> Outcomes:
    tested = [each.studied.tested[each.at] for each in windows]
    return Outcomes(
        ladder=SIZES,
        over_90=np.stack([one.over_90 for one in tested]),
        over_100=np.stack([one.over_100 for one in tested]),
        exhausted=np.stack([one.exhausted for one in tested]),
        guarded=np.stack([one.guarded for one in tested], axis=1),
        kept=np.stack([one.kept for one in tested], axis=1),
    )
