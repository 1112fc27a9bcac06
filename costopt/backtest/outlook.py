"""The outlook of every machine: risk now, and past advice replayed, for rules to decide on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from costopt.backtest.fleet import LADDER, Learned, budget_within, learn
from costopt.backtest.memory import first_days, headrooms, lasting_days, memory_peaks
from costopt.backtest.series import (
    CPU,
    MEMORY,
    MEMORY_MAX,
    History,
    Subject,
    histories,
    whole_days,
)
from costopt.backtest.study import LEAD_MINUTES, Standard, Studied, disputed_over, study
from costopt.backtest.windows import Origin, Timetable, of_history
from costopt.optimize.budget import Shown
from costopt.optimize.features import Floats
from costopt.optimize.headroom import BUDGET as MEMORY_BUDGET
from costopt.optimize.headroom import budgeted_headroom
from costopt.optimize.memory import UNSEEN, memory_needs, memory_windows
from costopt.optimize.outlook import Chances, MemoryOutlook, Outlook, Replay
from costopt.optimize.risk import Risk
from costopt.parallel import in_threads

_WANTED: Final = frozenset({CPU, MEMORY, MEMORY_MAX})
_WORKERS: Final = 1
"""Beside the reading of shards. More are slower: between compiled loops of microseconds a machine's
study is Python, which but one thread runs at a time, and they wait for each other (10,000 machines
of 60 days on two cores: two took 18 s, one 15)."""
_LEAD_MINUTES: Final = LEAD_MINUTES[:1]  # as the replays of evidence are said to have


@dataclass(frozen=True, slots=True)
class Ask:
    """A machine, and the sizes that it might get."""

    subject: Subject
    sizes: tuple[float, ...]  # shares of today's capacity, 0 < size


@dataclass(frozen=True, slots=True)
class Terms:
    """What a fleet's outlook depends on besides its samples."""

    standard: Standard
    least_rollback_cost: float
    risk_budget: float | None = None  # share of machines rolled back in a window; None = no bound
    memory_headroom_percent: float = 15.0
    memory_budget: float = MEMORY_BUDGET  # share of machines that may run out of memory
    seed: int = 0


def of_shards(
    shards: Iterable[pa.Table],
    asks: Mapping[str, Ask],
    end: datetime,
    days: int,
    *,
    terms: Terms,
    prior: Risk,
    threads: int,
) -> dict[str, Outlook]:
    """The outlook of each machine asked for that has enough samples, by ResourceId.

    Streams: of the samples only a few shards are in memory at a time; of a machine with a dozen
    sizes and 60 days, 20 kB stay.

    Args:
        shards: schema.PACKED, all rows of a resource in one table.
        end: the moment that the advice speaks from.
        days: of history to look at, before it.
    """
    subjects = {resource_id: ask.subject for resource_id, ask in asks.items()}
    window, table = whole_days(end, days), of_history(days)

    def work(shard: pa.Table) -> list[_Two]:
        held = histories(shard, subjects, window, _WANTED)
        return [_two(one, asks[one.subject.resource_id], table, terms.standard) for one in held]

    found = [two for twos in in_threads(work, shards, min(threads, _WORKERS)) for two in twos]
    return _outlooks(found, table, end, terms, prior)


def of_histories(
    held: Iterable[History], asks: Mapping[str, Ask], end: datetime, terms: Terms, prior: Risk
) -> dict[str, Outlook]:
    """The same of histories at hand, all of the same number of days."""
    held = list(held)
    days = max((len(one.cpu) // one.slots_a_day for one in held), default=0)
    table = of_history(days)
    found = [_two(one, asks[one.subject.resource_id], table, terms.standard) for one in held]
    return _outlooks(found, table, end, terms, prior)


@dataclass(frozen=True, slots=True, eq=False)
class _Two:
    """A machine without its disputed samples, and with them where there are any."""

    without: Studied
    with_disputed: Studied | None
    disputed_over: Floats | None  # (S,) see Outlook
    memory: Floats | None  # (days,) daily peaks, percent


def _two(history: History, ask: Ask, table: Timetable, by: Standard) -> _Two:
    spiked, smaller = history.disputed.size > 0, {size for size in ask.sizes if size < 1}
    sizes = np.array(sorted({*LADDER, *smaller}, reverse=True))

    def of(cpu: npt.NDArray[np.uint16]) -> Studied:
        return study(history, cpu, sizes, table, by, lead_minutes=_LEAD_MINUTES)

    return _Two(
        without=of(history.cpu),
        with_disputed=of(history.cpu_with_disputed) if spiked else None,
        disputed_over=disputed_over(history, sizes, table.now, by) if spiked else None,
        memory=memory_peaks(history),
    )


def _outlooks(
    found: Sequence[_Two], table: Timetable, end: datetime, terms: Terms, prior: Risk
) -> dict[str, Outlook]:
    found = sorted(found, key=lambda two: two.without.resource_id)
    studied = [two.without for two in found]
    learned = learn(studied, table, prior, terms.seed)
    budget = _budget(learned, studied, terms)
    memory = _memory(found, table, terms)
    made = {}
    for two in found:
        one = _outlook(two, learned, end, terms)
        if one:
            resource_id = two.without.resource_id
            made[resource_id] = replace(one, fleet_budget=budget, memory=memory.get(resource_id))
    return made


def _memory(found: Sequence[_Two], table: Timetable, terms: Terms) -> dict[str, MemoryOutlook]:
    """What each machine's memory must hold, with the headroom that the fleet's past asks for."""
    held = [two for two in found if two.memory is not None]
    if not held:
        return {}
    peaks = np.stack([two.memory for two in held if two.memory is not None])
    configured = terms.memory_headroom_percent
    tried = headrooms(configured)
    firsts = first_days(table.origins, peaks.shape[1])
    windows = memory_windows(peaks, firsts, lasting_days(table), tried)
    choice = budgeted_headroom(
        windows, tried, configured_percent=configured, budget=terms.memory_budget
    )
    headroom = tried[-1] if choice.headroom_percent is None else choice.headroom_percent
    needs = memory_needs(peaks, headroom)
    came = windows[tried.index(headroom)]
    return {
        two.without.resource_id: MemoryOutlook(
            peak_percent=float(needs.peak[i]),
            needed_percent=float(needs.needed[i]),
            growth=float(needs.growth[i]),
            trend=float(needs.trend[i]),
            binding=int(needs.binding[i]),
            headroom=choice,
            windows=tuple(int(one) for one in came[i] if one != UNSEEN),
        )
        for i, two in enumerate(held)
        if needs.needed[i] > 0
    }


def _budget(learned: Learned, studied: Sequence[Studied], terms: Terms) -> Shown | None:
    """What the fleet's past shows of its risk budget; None without one."""
    if terms.risk_budget is None:
        return None
    return budget_within(
        learned,
        studied,
        learned.table.origins,
        budget=terms.risk_budget,
        least=terms.least_rollback_cost,
        limit_percent=terms.standard.limit_percent,
    )


def _outlook(two: _Two, learned: Learned, end: datetime, terms: Terms) -> Outlook | None:
    of, table = two.without, learned.table
    now = _chances(learned, of, table.now)
    if now is None:
        return None
    doubted = _chances(learned, two.with_disputed, table.now) if two.with_disputed else None
    return Outlook(
        now=now,
        of_model=learned.of_model(of),
        upper=np.maximum(now.risk, learned.upper(of)),
        over=of.over,
        days=table.now.train_days,
        horizon_days=table.now.test_days,
        budget=terms.standard.budget,
        record=of.records[table.now],
        replays=tuple(_replays(learned, of, end)),
        with_disputed=doubted,
        disputed_over=two.disputed_over,
    )


def _replays(learned: Learned, of: Studied, end: datetime) -> Iterator[Replay]:
    for at in learned.table.origins:
        chances = _chances(learned, of, at)
        if chances is not None and at in of.tested:
            tested = of.tested[at]
            yield Replay(
                origin=end - timedelta(days=at.back_days),
                chances=chances,
                exhausted=tested.exhausted,
                added=tested.over_90,
                kept=tested.kept[0],
                train_days=at.train_days,
                test_days=at.test_days,
            )


def _chances(learned: Learned, of: Studied, at: Origin) -> Chances | None:
    risk: Floats | None = learned.chances(of, at)
    return None if risk is None else Chances(of.sizes, risk, of.peaks[at])
