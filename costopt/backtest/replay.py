"""A fleet's past decided again: by our rule, and by every baseline, at every origin."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from costopt.backtest.base import STOP, Baseline, Need, Past
from costopt.backtest.calibration import calibration
from costopt.backtest.fleet import LADDER, Learned, cost_within, learn
from costopt.backtest.memory import OursPast, replayed
from costopt.backtest.outcome import Outcomes
from costopt.backtest.result import Backtest, Calibration, MemoryScore, MethodScore
from costopt.backtest.score import memory_score, rung, score
from costopt.backtest.series import (
    CPU,
    CPU_MAX,
    MEMORY,
    MEMORY_MAX,
    NETWORK_IN,
    NETWORK_OUT,
    History,
    Series,
    Subject,
    histories,
    whole_days,
)
from costopt.backtest.study import LEAD_MINUTES, STANDARD, Standard, Studied, study
from costopt.backtest.windows import Origin, Timetable
from costopt.optimize.cost import ROLLBACK_COSTS, on_ladder
from costopt.optimize.features import Floats
from costopt.optimize.risk import Risk
from costopt.parallel import in_threads

OURS: Final = "costopt"
WANTED: Final = frozenset({CPU, CPU_MAX, MEMORY, MEMORY_MAX, NETWORK_IN, NETWORK_OUT})
FEW_RESOURCES: Final = 20
"""With fewer, a bootstrap's intervals are too narrow."""


@dataclass(frozen=True, slots=True)
class Machine:
    """What a baseline may know of a machine besides its samples."""

    subject: Subject
    vcpus: float | None = None
    memory_gib: float | None = None
    network_gbps: float | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """What is replayed, and by what rules."""

    table: Timetable
    prior: Risk
    rollback_cost: float = ROLLBACK_COSTS["default"]
    risk_budget: float | None = None
    ladder: tuple[float, ...] = LADDER
    baselines: tuple[Baseline, ...] = ()
    standard: Standard = STANDARD
    memory_headroom_percent: float = 15.0
    memory_budget: float = 0.01
    seed: int = 0
    draws: int = 1000


@dataclass(frozen=True, slots=True, eq=False)
class _Replayed:
    """One machine: what became of every size, and what every baseline asked for."""

    studied: Studied
    needs: Mapping[str, Mapping[Origin, Need]]
    memory: OursPast | None


def of_shards(
    shards: Iterable[pa.Table],
    machines: Mapping[str, Machine],
    end: datetime,
    days: int,
    plan: Plan,
    *,
    threads: int,
) -> Backtest:
    """The backtest of a fleet in packed days; streams, shard by shard.

    Args:
        shards: schema.PACKED, all rows of a resource in one table.
        machines: by ResourceId.
        days: of history before `end`.
    Raises:
        InsufficientData: no machine has a window that can be judged.
    """
    subjects = {resource_id: machine.subject for resource_id, machine in machines.items()}
    window = whole_days(end, days)

    def work(shard: pa.Table) -> list[_Replayed]:
        held = histories(shard, subjects, window, WANTED)
        return [_replayed(one, machines[one.subject.resource_id], plan) for one in held]

    found = [one for of_shard in in_threads(work, shards, threads) for one in of_shard]
    return _backtest(found, end, days, plan)


def of_histories(held: Iterable[History], end: datetime, days: int, plan: Plan) -> Backtest:
    """The same of histories at hand, of so many days each."""
    found = [_replayed(one, Machine(one.subject), plan) for one in held]
    return _backtest(found, end, days, plan)


def _replayed(history: History, machine: Machine, plan: Plan) -> _Replayed:
    sizes = np.array(sorted({*LADDER, *plan.ladder, STOP}, reverse=True))
    studied = study(history, history.cpu, sizes, plan.table, plan.standard)
    pasts = {at: _past(history, machine, at) for at in _windows(studied, plan.table)}
    needs = {
        baseline.name: {at: baseline.need(past) for at, past in pasts.items()}
        for baseline in plan.baselines
    }
    return _Replayed(studied, needs, OursPast.of(history, plan.table))


def _windows(studied: Studied, table: Timetable) -> list[Origin]:
    """The origins at which the machine can be decided on and judged."""
    return [at for at in table.origins if at in studied.figures and at in studied.tested]


def _past(history: History, machine: Machine, at: Origin) -> Past:
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
        cpu_max=seen(CPU_MAX),
        memory=seen(MEMORY),
        memory_max=seen(MEMORY_MAX),
        network_in=seen(NETWORK_IN),
        network_out=seen(NETWORK_OUT),
        vcpus=machine.vcpus,
        memory_gib=machine.memory_gib,
        network_gbps=machine.network_gbps,
    )


# -- the fleet -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Row:
    """A window: a machine at an origin."""

    number: int  # of the machine, by ResourceId
    machine: _Replayed
    at: Origin


def _backtest(found: Sequence[_Replayed], end: datetime, days: int, plan: Plan) -> Backtest:
    machines = sorted(found, key=lambda one: one.studied.resource_id)
    rows = [
        _Row(number, one, at)
        for number, one in enumerate(machines)
        for at in _windows(one.studied, plan.table)
    ]
    learned = learn([one.studied for one in machines], plan.table, plan.prior, plan.seed)
    scores, risks = _scores(rows, machines, learned, plan)
    return Backtest(
        window=whole_days(end, days),
        train_days=plan.table.train_days,
        gap_days=plan.table.gap_days,
        test_days=plan.table.test_days,
        origins=tuple(end - timedelta(days=at.back_days) for at in plan.table.origins),
        resources=len({row.number for row in rows}),
        windows=len(rows),
        skipped=_skipped(machines, plan.table),
        ladder=plan.ladder,
        limit_percent=plan.standard.limit_percent,
        budget=plan.standard.budget,
        rollback_cost=plan.rollback_cost,
        seed=plan.seed,
        scores=scores,
        memory=_memory(rows, machines, plan),
        calibration=risks,
        notes=tuple(_notes(rows)),
    )


def _scores(
    rows: Sequence[_Row], machines: Sequence[_Replayed], learned: Learned, plan: Plan
) -> tuple[tuple[MethodScore, ...], Calibration | None]:
    """Every method's score over those windows, and how our risks compare with what happened."""
    ladder = np.array(sorted({*plan.ladder, STOP}, reverse=True))
    own = np.array(plan.ladder)
    choices = {}
    risk = np.array([_risk(row, learned, own) for row in rows]).reshape(-1, len(own))
    for name, cost in _variants(plan).items():
        choices[name] = _ours(rows, risk, own, _costs(machines, learned, plan, cost), plan)
    for baseline in plan.baselines:
        needs = [row.machine.needs[baseline.name][row.at].cpu for row in rows]
        choices[baseline.name] = rung(np.array(needs), ladder)
    titles = {name: (_TITLES[name], "") for name in _variants(plan)}
    titles |= {one.name: (one.title, one.source) for one in plan.baselines}
    outcomes = _outcomes(rows, ladder)
    numbers = np.array([row.number for row in rows], np.int64)
    scores = score(
        outcomes, numbers, choices, titles, LEAD_MINUTES, draws=plan.draws, seed=plan.seed
    )
    happened = outcomes.exhausted[:, np.isin(ladder, own[1:])]
    found = calibration(risk[:, 1:].ravel(), happened.ravel()) if happened.size else None
    return scores, found


_TITLES: Final[Mapping[str, str]] = {
    OURS: "ours",
    f"{OURS}-cautious": "ours, cautious",
    f"{OURS}-bold": "ours, bold",
}


def _variants(plan: Plan) -> dict[str, float]:
    """Our rule, as set and, for the frontier, by name."""
    named = {f"{OURS}-{name}": ROLLBACK_COSTS[name] for name in ("cautious", "bold")}
    others = {name: cost for name, cost in named.items() if cost != plan.rollback_cost}
    return {OURS: plan.rollback_cost, **others}


def _risk(row: _Row, learned: Learned, ladder: Floats) -> Floats:
    chances = learned.chances(row.machine.studied, row.at)
    assert chances is not None  # _windows has those with figures only
    return chances[np.isin(row.machine.studied.sizes, ladder)]


def _costs(
    machines: Sequence[_Replayed], learned: Learned, plan: Plan, cost: float
) -> dict[Origin, float]:
    """The rollback cost at each origin: the one given, or what the budget asked for by then."""
    if plan.risk_budget is None:
        return dict.fromkeys(plan.table.origins, cost)
    studied = [one.studied for one in machines]
    return {
        at: cost_within(
            learned,
            studied,
            [o for o in plan.table.origins if o.done_back_days >= at.back_days],
            budget=plan.risk_budget,
            least=cost,
            limit_percent=plan.standard.limit_percent,
        )
        for at in plan.table.origins
    }


def _ours(
    rows: Sequence[_Row], risk: Floats, ladder: Floats, costs: Mapping[Origin, float], plan: Plan
) -> Floats:
    """(rows,) the size that our rule takes."""
    chosen = np.ones(len(rows))
    by_cost: dict[float, list[int]] = {}
    for place, row in enumerate(rows):
        by_cost.setdefault(costs[row.at], []).append(place)
    for cost, places in by_cost.items():
        if not math.isinf(cost):
            peaks = np.array([rows[p].machine.studied.peaks[rows[p].at] for p in places])
            taken = on_ladder(ladder, risk[places], peaks, cost, plan.standard.limit_percent)
            chosen[places] = ladder[taken]
    return chosen


def _outcomes(rows: Sequence[_Row], ladder: Floats) -> Outcomes:
    """What every size of the ladder came to, window by window."""
    tested = [row.machine.studied.tested[row.at] for row in rows]
    places = [np.isin(row.machine.studied.sizes, ladder) for row in rows]
    pairs = list(zip(tested, places, strict=True))
    width, leads = len(ladder), len(LEAD_MINUTES)
    return Outcomes(
        ladder=ladder,
        over_90=np.array([one.over_90[p] for one, p in pairs]).reshape(-1, width),
        over_100=np.array([one.over_100[p] for one, p in pairs]).reshape(-1, width),
        exhausted=np.array([one.exhausted[p] for one, p in pairs], bool).reshape(-1, width),
        guarded=_by_lead([one.guarded[:, p] for one, p in pairs], leads, width),
        kept=_by_lead([one.kept[:, p] for one, p in pairs], leads, width),
    )


def _by_lead(of_windows: Sequence[Floats], leads: int, sizes: int) -> Floats:
    """(leads, windows, sizes)."""
    return np.array(of_windows).reshape(-1, leads, sizes).transpose(1, 0, 2)


def _memory(
    rows: Sequence[_Row], machines: Sequence[_Replayed], plan: Plan
) -> tuple[MemoryScore, ...]:
    """How memory sizes did, of methods that have any; ours first."""
    seen = {number: one.memory for number, one in enumerate(machines) if one.memory}
    held = [row for row in rows if row.number in seen]
    ours = replayed(
        seen, plan.table, headroom_percent=plan.memory_headroom_percent, budget=plan.memory_budget
    )
    sizes: dict[str, list[float]] = {OURS: [ours.get((row.number, row.at), np.nan) for row in held]}
    for baseline in plan.baselines:
        asked = [row.machine.needs[baseline.name][row.at].memory for row in held]
        if not np.isnan(asked).all():
            sizes[baseline.name] = asked
    later = np.array([seen[row.number].later(row.at) for row in held])
    found = [_memory_score(name, held, later, np.array(of), plan) for name, of in sizes.items()]
    return tuple(one for one in found if one)


def _memory_score(
    name: str, rows: Sequence[_Row], later: Floats, sizes: Floats, plan: Plan
) -> MemoryScore | None:
    judged = np.flatnonzero(~np.isnan(later)) if len(rows) else np.empty(0, np.int64)
    if not len(judged) or np.isnan(sizes[judged]).all():
        return None
    kept: npt.NDArray[np.float64] = np.minimum(1.0, np.nan_to_num(sizes[judged], nan=1.0))
    numbers = np.array([row.number for row in rows], np.int64)[judged]
    failed = (later[judged] > 100 * kept) & (kept < 1)
    return memory_score(name, numbers, kept, failed, draws=plan.draws, seed=plan.seed)


def _skipped(machines: Sequence[_Replayed], table: Timetable) -> dict[str, int]:
    """Why machines were not judged at some origins."""
    reasons = Counter(
        "thin-training" if at not in one.studied.figures else "thin-test"
        for one in machines
        for at in table.origins
        if at not in one.studied.figures or at not in one.studied.tested
    )
    return dict(sorted(reasons.items()))


def _notes(rows: Sequence[_Row]) -> Iterator[str]:
    machines = len({row.number for row in rows})
    if machines < FEW_RESOURCES:
        yield f"{machines} machines are few: the ranges are narrower than they should be"
