"""A fleet's past as a stream: whatever its order, a few histories at a time, and odd ones."""

from __future__ import annotations

import gc
import statistics
import tracemalloc
import weakref
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from costopt import pipeline, schema
from costopt.backtest.baselines import find
from costopt.backtest.result import Backtest
from costopt.backtest.series import History
from costopt.config import Settings
from costopt.hindsight import Wanted, replayed, with_outlooks
from costopt.lake import packed
from costopt.lake.store import Lake
from costopt.model import Window
from costopt.optimize.outlook import Outlook
from costopt.pipeline import Analysis
from costopt.rules.base import Case
from costopt.rules.rightsize_settings import RightsizeSettings
from tests.backtest.test_outlook import same
from tests.fakes.fleet import FakeFleet, Machine, long_samples
from tests.fakes.lived import A_DAY, DAYS, ORIGINS, lake_of, machines, on_day

WANTED = Wanted(tuple(map(find, ("aws-co", "krr-simple", "vpa"))))
BUDGET = RightsizeSettings(risk_budget_percent=30)
Shards = Iterator[pa.Table]


def outlooks(
    cases: Mapping[str, Case], shards: Shards, window: Window, threads: int
) -> dict[str, Outlook | None]:
    found = with_outlooks(cases, shards, BUDGET, window, threads=threads)
    return {key: case.outlook for key, case in found.items()}


def backtest(cases: Mapping[str, Case], shards: Shards, window: Window, threads: int) -> Backtest:
    return replayed(cases, shards, BUDGET, window, WANTED, threads=threads)


Look = Callable[..., dict[str, Outlook | None] | Backtest]
BOTH: tuple[Look, ...] = (outlooks, backtest)
COUNT = 5


@pytest.fixture(scope="module")
def orderly(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    return lake_of(tmp_path_factory.mktemp("orderly"), FakeFleet(machines(COUNT)))


@pytest.fixture(scope="module")
def known(orderly: Lake) -> tuple[Analysis, pa.Table]:
    """A fleet, and all of its packed days."""
    analysis = pipeline.analyse(orderly, Settings(), None)
    return analysis, pa.concat_tables(packed.scan(orderly, analysis.window))


@pytest.fixture(scope="module")
def judged(orderly: Lake) -> Backtest:
    """What its backtest says, by one thread."""
    return pipeline.backtest(orderly, Settings(threads=1), None, WANTED)


@pytest.fixture(scope="module")
def at_once(
    known: tuple[Analysis, pa.Table],
) -> Mapping[Look, dict[str, Outlook | None] | Backtest]:
    """What each says of all of it in one table, by one thread."""
    analysis, table = known
    return {look: look(analysis.cases, iter([table]), analysis.window, 1) for look in BOTH}


# -- whatever the order ------------------------------------------------------------------------


def whole(table: pa.Table) -> list[pa.Table]:
    return [table]


def one_by_one(table: pa.Table) -> list[pa.Table]:
    return [table.filter(pc.equal(table["ResourceId"], f"vm-{n:02d}")) for n in range(COUNT)]


def shuffled(table: pa.Table) -> list[pa.Table]:
    """By two machines, the last ones first, their rows in no order."""
    chance = np.random.default_rng(1)
    parts = one_by_one(table)
    found = []
    for some in (parts[3:], parts[1:3], parts[:1]):
        held = pa.concat_tables(some)
        found.append(held.take(pa.array(chance.permutation(held.num_rows))))
    return found


@pytest.mark.parametrize(
    ("threads", "cut"), [(1, shuffled), (2, one_by_one), (3, shuffled), (3, whole)]
)
def test_rows_shards_machines_and_threads_in_any_order_give_the_same(
    known: tuple[Analysis, pa.Table],
    at_once: Mapping[Look, dict[str, Outlook | None] | Backtest],
    threads: int,
    cut: Callable[[pa.Table], Sequence[pa.Table]],
) -> None:
    """Bit for bit: outlooks under a risk budget, and the backtest."""
    analysis, table = known
    back = dict([*analysis.cases.items()][::-1])
    for look in BOTH:
        there = at_once[look]
        other = look(back, iter(cut(table)), analysis.window, threads)
        if isinstance(there, Backtest):
            assert repr(there) == repr(other)
        else:
            assert isinstance(other, dict)
            assert there.keys() == other.keys()
            assert None not in there.values()
            assert all(same(there[key], other[key]) for key in there)


class Mixed(FakeFleet):
    """The same samples, all machines' in one heap, newest and oldest side by side."""

    def metrics(self, window: Window | None) -> Iterator[pa.Table]:
        table = pa.concat_tables(super().metrics(window))
        order = np.random.default_rng(0).permutation(table.num_rows)
        for some in np.array_split(order, 3):
            yield table.take(pa.array(some))


def test_a_lake_filled_in_any_order_gives_the_same(
    judged: Backtest, known: tuple[Analysis, pa.Table], tmp_path: Path
) -> None:
    mixed = lake_of(tmp_path, Mixed(machines(COUNT)[::-1]))
    assert repr(pipeline.backtest(mixed, Settings(threads=3), None, WANTED)) == repr(judged)
    analysis = pipeline.analyse(mixed, Settings(), None)
    for key, case in known[0].cases.items():
        assert same(case.outlook, analysis.cases[key].outlook)


# -- a few at a time ---------------------------------------------------------------------------


@pytest.fixture(scope="module")
def alone(known: tuple[Analysis, pa.Table]) -> None:
    """What earlier tests left is not counted, nor looked through at every count: millions of
    objects. It stays so: to look through them in each later collection took longer than the
    tests."""
    gc.collect()
    gc.freeze()


def _histories() -> int:
    return sum(type(one) is History for one in gc.get_objects())


@dataclass
class Watched:
    """Shards of one machine each, all with the samples of one; and what lives when one is read."""

    table: pa.Table
    names: Sequence[str]
    given: list[weakref.ref[pa.Table]] = field(default_factory=list)
    tables: list[int] = field(default_factory=list)
    histories: list[int] = field(default_factory=list)
    kept: list[int] = field(default_factory=list)  # bytes, where they are traced

    def __iter__(self) -> Iterator[pa.Table]:
        for name in self.names:
            self._look()
            yield self._shard(name)

    def _look(self) -> None:
        self.tables.append(sum(ref() is not None for ref in self.given))
        self.histories.append(_histories())
        if tracemalloc.is_tracing():
            gc.collect()  # whenever it last did, the bytes are the same
        self.kept.append(tracemalloc.get_traced_memory()[0])

    def _shard(self, name: str) -> pa.Table:
        place = self.table.schema.get_field_index("ResourceId")
        named = pa.repeat(name, self.table.num_rows)
        made = self.table.set_column(place, schema.PACKED.field("ResourceId"), named)
        self.given.append(weakref.ref(made))
        return made


def alike(known: tuple[Analysis, pa.Table], count: int) -> tuple[dict[str, Case], Watched]:
    """So many machines like the first one, and their shards."""
    analysis, table = known
    case = analysis.cases["vm-00"]
    names = [f"copy-{n:03d}" for n in range(count)]
    cases = {
        name: replace(case, resource=replace(case.resource, resource_id=name)) for name in names
    }
    return cases, Watched(one_by_one(table)[0], names)


@pytest.mark.usefixtures("alone")
@pytest.mark.parametrize("look", BOTH)
@pytest.mark.parametrize("threads", [1, 3])
def test_as_few_samples_are_held_however_large_the_fleet(
    known: tuple[Analysis, pa.Table], look: Callable[..., object], threads: int
) -> None:
    count = 7 * threads
    cases, watched = alike(known, count)
    found = look(cases, watched, known[0].window, threads)
    assert len(watched.given) == count
    # at most one shard a thread, and one that a thread has just done with
    assert max(watched.tables) <= 2 * threads
    assert max(watched.histories) <= 2 * threads
    gc.collect()
    watched._look()
    assert (watched.tables[-1], watched.histories[-1]) == (0, 0)
    assert found


@pytest.mark.usefixtures("alone")
@pytest.mark.parametrize(("look", "limit"), [(outlooks, 20_000), (backtest, 40_000)])
def test_little_stays_of_a_machine(
    known: tuple[Analysis, pa.Table], look: Callable[..., object], limit: int
) -> None:
    """Its CPU and memory alone are 48 kB of packed samples."""
    cases, watched = alike(known, 9)
    tracemalloc.start()
    try:
        look(cases, watched, known[0].window, 1)
    finally:
        tracemalloc.stop()
    # The median: a thread may be amid the next one when it is looked at.
    each = statistics.median(after - before for before, after in pairwise(watched.kept))
    assert 0 < each < limit


# -- odd ones ----------------------------------------------------------------------------------


class Odd(FakeFleet):
    """One of its machines is only averaged by the hour."""

    def metrics(self, window: Window | None) -> Iterator[pa.Table]:
        yield from super().metrics(window)
        by_hour = np.full(DAYS * A_DAY, np.nan)
        by_hour[::12] = 40.0 + np.arange(len(by_hour[::12])) % 7
        table = long_samples("hourly", "cpu_utilization", by_hour)
        period = pa.repeat(pa.scalar(3600, pa.int32()), table.num_rows)
        place = table.schema.get_field_index("PeriodSeconds")
        yield table.set_column(place, schema.METRICS.field("PeriodSeconds"), period)


def oddities() -> list[Machine]:
    """Of three days, silent for five, by the hour, never measured, and with a sample a day."""
    nothing, work = np.full(DAYS * A_DAY, np.nan), machines(8)[7].cpu
    stale, rare = work.copy(), nothing.copy()
    stale[-5 * A_DAY :] = np.nan
    rare[::A_DAY] = 20.0
    return [
        Machine("short", 16, work[-3 * A_DAY :]),
        Machine("stale", 16, stale),
        Machine("hourly", 16, nothing),
        Machine("empty", 16, nothing),
        Machine("rare", 16, rare),
    ]


@pytest.fixture(scope="module")
def odd(tmp_path_factory: pytest.TempPathFactory) -> tuple[Analysis, Backtest, list[pa.Table]]:
    lake = lake_of(tmp_path_factory.mktemp("odd"), Odd([*machines(COUNT), *oddities()]))
    analysis = pipeline.analyse(lake, Settings(), None)
    tables = list(packed.scan(lake, analysis.window))
    return analysis, pipeline.backtest(lake, Settings(), None, WANTED), tables


def test_odd_histories_have_their_reason_and_the_others_their_outlook(
    known: tuple[Analysis, pa.Table], odd: tuple[Analysis, Backtest, list[pa.Table]]
) -> None:
    analysis, _, _ = odd
    reasons = {skip.resource_id: skip.reason for skip in analysis.report.skips}
    expected = {
        "short": "short-history",
        "stale": "stale",
        "hourly": "hourly-only",
        "empty": "no-metrics",
        "rare": "coverage",
    }
    assert {name: reasons.get(name) for name in expected} == expected
    assert all(analysis.cases[name].outlook is None for name in expected)
    for name in known[0].cases:
        outlook = analysis.cases[name].outlook
        assert outlook is not None
        assert [replay.origin for replay in outlook.replays] == [on_day(day) for day in ORIGINS]


def test_machines_barred_change_no_figure_of_the_backtest(
    judged: Backtest, odd: tuple[Analysis, Backtest, list[pa.Table]]
) -> None:
    found = odd[1]
    assert repr(replace(found, skipped={}, left_out={})) == repr(judged)
    assert found.resources == COUNT
    # Each is counted by what the gate says of it.
    expected = {"short-history", "stale", "hourly-only", "no-metrics", "coverage"}
    assert found.left_out == dict.fromkeys(expected, 1)
    assert found.skipped == dict.fromkeys(expected, len(ORIGINS))


def test_past_the_gate_they_are_looked_at_as_far_as_they_go(
    odd: tuple[Analysis, Backtest, list[pa.Table]],
) -> None:
    """All that have CPU samples, at the origins that have enough of them."""
    analysis, _, tables = odd
    lifted = {key: replace(case, findings=()) for key, case in analysis.cases.items()}
    found = backtest(lifted, iter(tables), analysis.window, 2)
    # the stale one lacks 5 of the last 14 days; the short and the rare one any fortnight
    assert found.left_out == {"no-samples": 1, "thin-training": 2}
    assert found.skipped == {
        "no-samples": len(ORIGINS),
        "thin-test": 1,
        "thin-training": 2 * len(ORIGINS),
    }
    assert found.resources == COUNT + 2
    assert found.windows == (COUNT + 2) * len(ORIGINS) - 1
    seen = outlooks(lifted, iter(tables), analysis.window, 2)
    assert {key for key, one in seen.items() if one is None} == {"short", "empty", "rare"}
