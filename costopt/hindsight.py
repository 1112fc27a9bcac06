"""What the fleet's own past says: the outlook that rules decide on, and the backtest people read.

The one place where rules and backtest meet: rules say which sizes they may ask for, the backtest
says what the past would have made of them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final

import numpy as np
import pyarrow as pa

from costopt.backtest import outlook, replay, weekly
from costopt.backtest.base import Baseline
from costopt.backtest.fleet import LADDER
from costopt.backtest.plan import Machine, Plan
from costopt.backtest.result import Backtest
from costopt.backtest.series import CPU, Subject
from costopt.backtest.study import Standard
from costopt.backtest.windows import STEP_DAYS, TEST_DAYS, TRAIN_DAYS, timetable
from costopt.errors import InsufficientData
from costopt.frame.corroboration import refused_is_busy
from costopt.frame.quality import barred
from costopt.model import Profile, Window, is_machine
from costopt.optimize.risk import prior
from costopt.optimize.smt import OFF
from costopt.optimize.weekly import Weekly
from costopt.rules.base import Case
from costopt.rules.groups import by_group, group_case
from costopt.rules.rightsize_settings import RightsizeSettings
from costopt.rules.sizing import sizes
from costopt.units import counted

_LONG_HISTORIES: Final = 0.75
"""The history replayed is as long as a quarter of the machines have: the few that are older give no
origins of their own, and the many that are younger miss the oldest."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """The backtest that is asked for."""

    baselines: tuple[Baseline, ...] = ()
    train_days: int = TRAIN_DAYS
    gap_days: int = 0
    test_days: int = TEST_DAYS
    step_days: int = STEP_DAYS
    ladder: tuple[float, ...] = LADDER
    seed: int = 0


def with_outlooks(
    cases: Mapping[str, Case],
    shards: Iterable[pa.Table],
    settings: RightsizeSettings,
    window: Window,
    *,
    threads: int,
) -> dict[str, Case]:
    """The cases, with what each machine's past says of the sizes that rightsizing may ask for."""
    asks = {}
    for resource_id, case in cases.items():
        profile, asked = case.profile("cpu_utilization"), sizes(case, settings)
        if profile and asked:
            asks[resource_id] = outlook.Ask(_subject(case, profile), asked)
    if not asks:
        return dict(cases)
    found = outlook.of_shards(
        shards,
        asks,
        window.end,
        _history_days([cases[resource_id] for resource_id in asks], window),
        terms=outlook.Terms(
            standard=Standard(limit_percent=settings.limit_percent),
            least_rollback_cost=settings.rollback_cost,
            risk_budget=settings.risk_budget,
            memory_headroom_percent=settings.memory_headroom_percent,
            memory_budget=settings.memory_budget_percent / 100,
        ),
        prior=prior(),
        threads=threads,
    )
    return {key: replace(case, outlook=found.get(key)) for key, case in cases.items()}


def with_weeks(
    cases: Mapping[str, Case],
    shards: Iterable[pa.Table],
    slot_minutes: int,
    window: Window,
    *,
    threads: int,
) -> tuple[dict[str, Case], dict[str, Case]]:
    """The cases with each machine's past weeks; and a case for each scaling group, by its id, with
    its members' weeks added up, those of members that are gone by now included."""
    members = by_group(cases.values())
    group_of = {one.resource.resource_id: id_ for id_, some in members.items() for one in some}
    asks = {}
    for resource_id, case in cases.items():
        if is_machine(case.resource) and (cpu := _any_cpu(case)):
            asks[resource_id] = weekly.Ask(
                replace(_subject(case, cpu), gpu=case.gpu_count > 0),
                time_zone=case.resource.time_zone,
                vcpus=case.shape.vcpus if case.shape else None,
                group=group_of.get(resource_id, ""),
            )
    found = weekly.of_shards(shards, asks, window, slot_minutes, threads=threads) if asks else {}
    groups = {id_: one for id_, some in members.items() if (one := group_case(id_, some))}
    return (
        {id_: case if id_ in group_of else _in_weeks(case, found) for id_, case in cases.items()},
        {id_: _in_weeks(case, found) for id_, case in groups.items()},
    )


def _in_weeks(case: Case, found: Mapping[str, Weekly]) -> Case:
    return replace(case, weekly=found.get(case.resource.resource_id))


def _any_cpu(case: Case) -> Profile | None:
    """Its CPU, also where the gate refuses it: of a group's member, gone by now, say."""
    found = (p for p in case.profiles if _is_cpu(p))
    return max(found, key=lambda p: p.count * p.period_seconds, default=None)


def _is_cpu(profile: Profile) -> bool:
    return (profile.metric_name, profile.statistic, profile.device) == (*CPU, "")


def replayed(
    cases: Mapping[str, Case],
    shards: Iterable[pa.Table],
    settings: RightsizeSettings,
    window: Window,
    wanted: Wanted,
    *,
    threads: int,
) -> Backtest:
    """Our decisions, and those of the baselines wanted, on the machines' own past.

    Machines that the quality gate bars, GPU machines and those without CPU samples are counted as
    left out.

    Raises:
        InsufficientData: no machine has a past to be judged by.
    """
    measured = {
        resource_id: (case, profile)
        for resource_id, case in cases.items()
        if not _barred(case) and (profile := case.profile("cpu_utilization"))
    }
    days = _history_days([case for case, _ in measured.values()], window)
    table = timetable(
        days,
        train_days=wanted.train_days,
        gap_days=wanted.gap_days,
        test_days=wanted.test_days,
        step_days=wanted.step_days,
    )
    if not table.origins:
        raise InsufficientData(
            f"{counted(days, 'day')} of history: too few to decide on {table.train_days} of them "
            f"and to judge by the next {table.gap_days + table.test_days}",
            hint=f"{_more_days(days, window)}, or give fewer --train-days and --test-days",
        )
    found = replay.of_shards(
        shards,
        {key: _machine(case, profile) for key, (case, profile) in measured.items()},
        window.end,
        days,
        Plan(
            table=table,
            prior=prior(),
            rollback_cost=settings.rollback_cost,
            risk_budget=settings.risk_budget,
            ladder=wanted.ladder,
            baselines=wanted.baselines,
            standard=Standard(limit_percent=settings.limit_percent),
            memory_headroom_percent=settings.memory_headroom_percent,
            memory_budget=settings.memory_budget_percent / 100,
            seed=wanted.seed,
        ),
        threads=threads,
    )
    return _with_left_out(found, cases, measured.keys(), settings)


def _with_left_out(
    found: Backtest,
    cases: Mapping[str, Case],
    measured: Collection[str],
    settings: RightsizeSettings,
) -> Backtest:
    """With the machines that had nothing to replay, by reason, and what else is to be known."""
    unseen = [
        case for key, case in cases.items() if key not in measured and is_machine(case.resource)
    ]
    machines = Counter(_barred(case) or replay.NO_SAMPLES for case in unseen)
    windows = Counter({reason: n * len(found.origins) for reason, n in machines.items()})
    return replace(
        found,
        skipped=dict(sorted((windows + Counter(found.skipped)).items())),
        left_out=dict(sorted((machines + Counter(found.left_out)).items())),
        notes=(*found.notes, *_notes(settings)),
    )


def _barred(case: Case) -> str:
    """Why it is never sized by its CPU, as a reason code; empty where it may be."""
    finding = barred(case.findings)
    return finding.check if finding else "gpu-machine" if case.gpu_count else ""


def _more_days(days: int, window: Window) -> str:
    """What brings more history: whichever of the lake and the lookback ends it."""
    lookback = (window.end - window.start) / timedelta(days=1)
    if days >= int(lookback):
        return f"raise lookback_days ({lookback:g}), collect more"
    return f"the lake holds no more within lookback_days ({lookback:g}): collect more"


def _notes(settings: RightsizeSettings) -> Iterator[str]:
    if any(speedup > OFF for speedup in (settings.smt_speedup, *settings.smt_speedups.values())):
        yield (
            "smt_speedup is set and not part of this replay: its sizes are shares of all vCPUs; on "
            "hyper-threaded machines advice is more careful than what is shown here"
        )


def _machine(case: Case, profile: Profile) -> Machine:
    shape = case.shape
    return Machine(
        _subject(case, profile),
        vcpus=shape.vcpus if shape else None,
        memory_gib=shape.memory_gib if shape else None,
        network_gbps=shape.network_gbps if shape else None,
    )


def _subject(case: Case, profile: Profile) -> Subject:
    return Subject(
        resource_id=case.resource.resource_id,
        period_seconds=profile.period_seconds,
        since=case.resource.resized_at,
        busy_if_refused=refused_is_busy(profile),
        disputed=case.disputed.times if case.disputed else (),
    )


def _history_days(cases: Iterable[Case], window: Window) -> int:
    """Whole days of history, as a quarter of the machines have; rounded, for one whose first sample
    came minutes late has a day less of them, and may have an origin less."""
    firsts = [p.first for case in cases if (p := case.profile("cpu_utilization"))]
    if not firsts:
        return 0
    ages = [(window.end - max(first, window.start)) / timedelta(days=1) for first in firsts]
    return round(float(np.quantile(ages, _LONG_HISTORIES, method="inverted_cdf")))
