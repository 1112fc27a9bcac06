"""A fleet's past decided again: by our rule, and by every baseline, at every origin."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

import numpy as np
import pyarrow as pa

from costopt.backtest import memory
from costopt.backtest.calibration import calibration
from costopt.backtest.choices import OURS, Row, choices, outcomes_of, risks, rows_of, variants
from costopt.backtest.fleet import Learned, learn
from costopt.backtest.machine import WANTED, Replayed, replayed
from costopt.backtest.plan import Machine, Plan
from costopt.backtest.result import Backtest, Calibration, MemoryScore, MethodScore
from costopt.backtest.score import score
from costopt.backtest.series import History, histories, whole_days
from costopt.backtest.study import LEAD_MINUTES
from costopt.backtest.windows import Origin
from costopt.parallel import in_threads
from costopt.units import counted

NO_SAMPLES: Final = "no-samples"
FEW_RESOURCES: Final = 20
"""With fewer, a bootstrap's intervals are too narrow."""

_TITLES: Final[Mapping[str, str]] = {
    OURS: "ours",
    f"{OURS}-cautious": "ours, cautious",
    f"{OURS}-bold": "ours, bold",
}


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

    def work(shard: pa.Table) -> list[Replayed]:
        held = histories(shard, subjects, window, WANTED)
        return [replayed(one, machines[one.subject.resource_id], plan) for one in held]

    found = [one for of_shard in in_threads(work, shards, threads) for one in of_shard]
    return _backtest(found, end, days, plan, silent=len(machines) - len(found))


def of_histories(held: Iterable[History], end: datetime, days: int, plan: Plan) -> Backtest:
    """The same of histories at hand, of so many days each."""
    found = [replayed(one, Machine(one.subject), plan) for one in held]
    return _backtest(found, end, days, plan, silent=0)


def _backtest(
    found: Sequence[Replayed], end: datetime, days: int, plan: Plan, *, silent: int
) -> Backtest:
    machines = sorted(found, key=lambda one: one.studied.resource_id)
    rows = rows_of(machines)
    learned = learn([one.studied for one in machines], plan.table, plan.prior, plan.seed)
    scores, risk = _scores(rows, machines, learned, plan)
    return Backtest(
        window=whole_days(end, days),
        train_days=plan.table.train_days,
        gap_days=plan.table.gap_days,
        test_days=plan.table.test_days,
        origins=tuple(end - timedelta(days=at.back_days) for at in plan.table.origins),
        resources=len({row.number for row in rows}),
        windows=len(rows),
        skipped=_skipped(machines, plan, silent),
        left_out=_left_out(machines, plan, silent),
        ladder=plan.ladder,
        limit_percent=plan.standard.limit_percent,
        budget=plan.standard.budget,
        rollback_cost=plan.rollback_cost,
        seed=plan.seed,
        scores=scores,
        memory=_memory(rows, machines, plan),
        calibration=risk,
        notes=tuple(_notes(rows)),
    )


def _scores(
    rows: Sequence[Row], machines: Sequence[Replayed], learned: Learned, plan: Plan
) -> tuple[tuple[MethodScore, ...], Calibration | None]:
    """Every method's score over those windows, and how our risks compare with what happened."""
    risk = risks(rows, learned, plan.ladder)
    outcomes = outcomes_of(rows, plan)
    titles = {name: (_TITLES[name], "") for name in variants(plan)}
    titles |= {one.name: (one.title, one.source) for one in plan.baselines}
    scores = score(
        outcomes,
        np.array([row.number for row in rows], np.int64),
        choices(rows, machines, learned, risk, plan),
        titles,
        LEAD_MINUTES,
        draws=plan.draws,
        seed=plan.seed,
    )
    alone = sum((Counter(one.by_cpu_alone) for one in machines), Counter[str]())
    scores = tuple(replace(s, by_cpu_alone=alone[s.name] / len(rows)) for s in scores)
    smaller = slice(1, len(plan.ladder))  # today's size risks nothing; what comes last is a stop
    happened = outcomes.exhausted[:, smaller]
    found = calibration(risk[:, smaller].ravel(), happened.ravel()) if happened.size else None
    return scores, found


def _memory(
    rows: Sequence[Row], machines: Sequence[Replayed], plan: Plan
) -> tuple[MemoryScore, ...]:
    """How memory sizes did, of methods that have any; ours first."""
    pasts = {number: one.memory for number, one in enumerate(machines) if one.memory}
    held = [row for row in rows if row.number in pasts]
    if not held:
        return ()
    place = {number: place for place, number in enumerate(pasts)}
    ours = memory.ours(
        np.stack([past.peaks for past in pasts.values()]),
        plan.table,
        headroom_percent=plan.memory_headroom_percent,
        budget=plan.memory_budget,
    )
    sizes = {OURS: np.array([ours[row.at][place[row.number]] for row in held])}
    for one in plan.baselines:
        asked = [row.machine.needs[one.name][row.at].memory for row in held]
        sizes[one.name] = np.array(asked)
    windows = [(place[row.number], row.at) for row in held]
    return memory.scores(list(pasts.values()), windows, sizes, draws=plan.draws, seed=plan.seed)


def _skipped(machines: Sequence[Replayed], plan: Plan, silent: int) -> dict[str, int]:
    """Why machines were not judged at some origins: windows by reason."""
    reasons = Counter(
        _thin(one, at)
        for one in machines
        for at in plan.table.origins
        if not one.studied.judged(at)
    )
    if silent:
        reasons[NO_SAMPLES] = silent * len(plan.table.origins)
    return dict(sorted(reasons.items()))


def _left_out(machines: Sequence[Replayed], plan: Plan, silent: int) -> dict[str, int]:
    """Why machines were judged at no origin, by the newest of them: machines by reason."""
    reasons = Counter(_thin(one, plan.table.origins[-1]) for one in machines if not one.windows)
    if silent:
        reasons[NO_SAMPLES] = silent
    return dict(sorted(reasons.items()))


def _thin(one: Replayed, at: Origin) -> str:
    return "thin-training" if at not in one.studied.figures else "thin-test"


def _notes(rows: Sequence[Row]) -> Iterator[str]:
    machines = len({row.number for row in rows})
    if machines < FEW_RESOURCES:
        yield f"only {counted(machines, 'machine')}: the ranges are narrower than they should be"
