"""What costopt answers on a lake, and what becomes of the answers: the whole way, from samples."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from costopt import pipeline
from costopt.backtest.outcome import outcomes
from costopt.backtest.series import CPU, Subject, histories
from costopt.config import Settings
from costopt.frame.corroboration import refused_is_busy
from costopt.lake import packed
from costopt.lake.store import Lake
from costopt.model import Profile, Recommendation, Window
from costopt.rules.base import Fit, Outcome

TEST_DAYS = 14
MIN_COVERAGE = 0.8


@dataclass(frozen=True)
class Fleet:
    """A fleet's samples, and how its lake is made but for them."""

    title: str
    as_of: datetime  # the moment of the advice
    samples: Sequence[pa.Table]  # before it, and of `TEST_DAYS` after it
    found: Callable[[Lake], None]  # puts resources, types and prices into a lake

    def past(self) -> Iterator[pa.Table]:
        """The samples before it."""
        for table in self.samples:
            yield table.filter(pc.less(table["Timestamp"], pa.scalar(self.as_of)))


def filled(place: Path, fleet: Fleet, *sent: Iterable[pa.Table]) -> Lake:
    """A lake of the fleet with these samples, in the order in which they were sent."""
    shutil.rmtree(place, ignore_errors=True)
    lake = Lake(place)
    fleet.found(lake)
    for tables in sent:
        lake.append_metrics("benchmark", tables)
        packed.compact(lake)
    return lake


class Answer(NamedTuple):
    """What is said of a machine's size."""

    instance_type: str | None  # the one to change to; None = stays
    capacity: float = 1.0  # of today's machine


STAYS = Answer(None)


class Answers(NamedTuple):
    """On a fleet, by ResourceId."""

    sizes: Mapping[str, Answer]  # of machines whose size could be judged
    stops: frozenset[str]
    disputed: int  # machines with disputed spikes


def answers(lake: Lake, as_of: datetime) -> Answers:
    """What `costopt recommend` says as of that moment: sizes and stops each for themselves."""
    analysis = pipeline.analyse(lake, Settings(), as_of)
    said = {key: {one.rule: one for one in each if one} for key, each in analysis.outcomes.items()}
    return Answers(
        sizes={
            key: _answer(rules["rightsize"])
            for key, rules in said.items()
            if isinstance(rules.get("rightsize"), Recommendation | Fit)
        },
        stops=frozenset(
            key for key, rules in said.items() if isinstance(rules.get("idle"), Recommendation)
        ),
        disputed=sum(case.disputed is not None for case in analysis.cases.values()),
    )


def _answer(said: Outcome) -> Answer:
    if not isinstance(said, Recommendation) or said.recommended is None:
        return STAYS
    target, today = said.recommended.vcpus, said.current.vcpus
    assert target, said
    assert today, said
    return Answer(said.recommended.instance_type, target / today)


def changed(clean: Answers, poisoned: Answers) -> dict[str, tuple[Answer, Answer]]:
    """The machines whose size is another now. No size judged is "stays", as nothing changes."""
    either = clean.sizes.keys() | poisoned.sizes.keys()
    pairs = {k: (clean.sizes.get(k, STAYS), poisoned.sizes.get(k, STAYS)) for k in either}
    return {key: pair for key, pair in sorted(pairs.items()) if pair[0] != pair[1]}


Future = Mapping[str, npt.NDArray[np.float32]]


def future(lake: Lake, start: datetime) -> Future:
    """The CPU of each machine over the `TEST_DAYS` from then on, percent; of enough samples."""
    window = Window(start, start + timedelta(days=TEST_DAYS))
    settings = Settings(lookback_days=TEST_DAYS)
    seen = pipeline.observe(lake, settings, window.end).profiles
    profiles = {key: cpu for key, each in seen.items() if (cpu := _cpu(each))}
    subjects = {
        key: Subject(key, cpu.period_seconds, busy_if_refused=refused_is_busy(cpu))
        for key, cpu in profiles.items()
    }
    found = {}
    for shard in packed.scan(lake, window):
        for history in histories(shard, subjects, window, {CPU}):
            cpu = history.numbers(CPU)
            if cpu is not None and (~np.isnan(cpu)).mean() >= MIN_COVERAGE:
                found[history.subject.resource_id] = cpu
    return found


def _cpu(profiles: tuple[Profile, ...]) -> Profile | None:
    of_cpu = (p for p in profiles if (p.metric_name, p.statistic) == CPU and not p.device)
    return next(of_cpu, None)


def bad(said: Answers, machines: Collection[str], then: Future) -> float:
    """The share of those machines whose new size uses up its budget in that future."""
    return float(np.mean([_used_up(then[k], said.sizes.get(k, STAYS).capacity) for k in machines]))


def _used_up(cpu: npt.NDArray[np.float32], capacity: float) -> bool:
    if capacity >= 1:
        return False
    return bool(outcomes(cpu[None], np.array([1.0, capacity]), [1]).exhausted[0, 1])
