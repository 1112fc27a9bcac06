"""The outlook of every machine: what it is made of, and that a replay is what was known then."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, replace
from datetime import timedelta
from math import inf
from typing import Any

import numpy as np
import pytest

from costopt.backtest.outlook import Ask, Terms, of_histories, of_shards
from costopt.backtest.series import CPU, MEMORY, History, Subject
from costopt.backtest.study import STANDARD
from costopt.optimize.memory import HELD
from costopt.optimize.outlook import Outlook
from costopt.optimize.risk import prior
from costopt.schema import MISSING_U16
from tests.backtest.fleets import A_DAY, END, PERIOD, Values, days, history, restless
from tests.frame.packs import pack, shard

TERMS = Terms(STANDARD, 0.5)
SIZES = (2.0, 1.0, 0.75, 0.5, 1 / 3, 0.1)
NAN = np.nan


def ask(name: str, sizes: tuple[float, ...] = SIZES, **subject: Any) -> Ask:
    return Ask(Subject(name, PERIOD, **subject), sizes)


def outlooks(held: Sequence[History], terms: Terms = TERMS) -> dict[str, Outlook]:
    asks = {one.subject.resource_id: ask(one.subject.resource_id) for one in held}
    return of_histories(held, asks, END, terms, prior())


def fleet(count: int, length: int, **more: Any) -> list[History]:
    return [history(restless(length, n), f"vm-{n:02d}", **more) for n in range(count)]


def same(one: Any, other: Any) -> bool:
    """Bit for bit, whatever is inside."""
    if isinstance(one, np.ndarray):
        return one.dtype == other.dtype and one.tobytes() == other.tobytes()
    if isinstance(one, tuple | list):
        return len(one) == len(other) and all(map(same, one, other))
    if hasattr(one, "__dataclass_fields__"):
        return all(same(getattr(one, f.name), getattr(other, f.name)) for f in fields(one))
    return bool(one == other) or (one != one and other != other)


def test_sizes_are_those_asked_for_and_those_to_learn_on() -> None:
    (found,) = outlooks(fleet(1, 60)).values()
    assert found.now.sizes.tolist() == [1, 0.75, 0.5, 1 / 3, 0.25, 0.125, 0.1, 0.0625]
    assert found.now.risk[0] == found.upper[0] == 0
    assert (found.upper >= found.now.risk).all()
    assert (found.days, found.horizon_days, found.budget) == (28, 14, 0.005)


def test_every_past_origin_is_replayed_oldest_first() -> None:
    (found,) = outlooks(fleet(1, 60)).values()
    back = [(END - replay.origin) / timedelta(days=1) for replay in found.replays]
    assert back == [42, 35, 28, 21, 14]
    assert all(replay.kept.shape == replay.added.shape == (8,) for replay in found.replays)


def test_a_machine_that_would_have_been_undone_says_so() -> None:
    """From day 46 of 60 on it works at 60 %: half the machine's budget is used up by sample 4 of
    672, and ten minutes are one slot."""
    cpu = np.concatenate([days(46, 10), days(14, 60)])
    (found,) = outlooks([history(cpu)]).values()
    *_, before, newest = found.replays
    assert newest.came_to(0.5) == (True, 1.0, pytest.approx(5 / 672))
    assert newest.came_to(0.75) == (False, 0.0, 1.0)
    assert before.came_to(0.5)[0]  # day 39 to 53: half of it
    assert not found.replays[0].came_to(0.5)[0]
    assert (
        found.record.over_before[found.now.sizes.tolist().index(0.5)] == 0
    )  # all within the 28 days
    assert found.now.at(np.array([0.5]))[0] == 1  # a quiet past does not outweigh it


@pytest.mark.parametrize("length", [63, 70])
def test_a_replay_is_the_advice_that_would_have_been_given(length: int) -> None:
    """Every machine's history cut off at an origin, and asked what is known now: bit for bit what
    the replay says was known then."""
    held = fleet(12, length)
    found = outlooks(held)
    for number, replay in enumerate(next(iter(found.values())).replays):
        back = round((END - replay.origin) / timedelta(days=1))
        cut = [history(_percent(one)[: -back * A_DAY], one.subject.resource_id) for one in held]
        then = outlooks(cut)
        for name, outlook in found.items():
            told = outlook.replays[number]
            assert told.origin == replay.origin
            assert same(told.chances, then[name].now)


def _percent(one: History) -> Values:
    values = one.numbers(CPU)
    assert values is not None
    return values.astype(np.float64)


def test_the_order_of_machines_changes_nothing() -> None:
    held = fleet(25, 42, series={MEMORY: restless(42, 99)})
    terms = replace(TERMS, risk_budget=0.1)
    there, back = outlooks(held, terms), outlooks(held[::-1], terms)
    assert there.keys() == back.keys()
    assert all(same(there[name], back[name]) for name in there)


@pytest.mark.parametrize("threads", [1, 4])
def test_shards_in_any_order_and_threads_give_what_histories_give(threads: int) -> None:
    ids = [f"vm-{n:02d}" for n in range(9)]
    start = END - timedelta(days=42)
    disputed = [int((END - timedelta(hours=5)).timestamp())]
    series = {name: (restless(42, n), restless(42, 50 + n)) for n, name in enumerate(ids)}
    tables = [
        shard(
            *(
                pack(name, metric, values, start=start, period_seconds=PERIOD)
                for name in ids[first : first + 2]
                for metric, values in zip(
                    ("cpu_utilization", "memory_utilization"), series[name], strict=True
                )
            )
        )
        for first in range(0, len(ids), 2)
    ]
    asks = {name: ask(name, disputed=disputed) for name in ids}
    slot = 42 * A_DAY - 10
    held = [
        history(cpu, name, disputed=[slot], series={MEMORY: used})
        for name, (cpu, used) in series.items()
    ]
    expected = outlooks(held)
    assert len(expected) == 9
    for order in (tables, tables[::-1]):
        found = of_shards(order, asks, END, 42, terms=TERMS, prior=prior(), threads=threads)
        assert found.keys() == expected.keys()
        assert all(same(found[name], expected[name]) for name in expected)


def test_disputed_spikes_are_judged_both_ways() -> None:
    cpu = days(60, 10)
    spikes = list(range(50 * A_DAY, 60 * A_DAY, 9))
    cpu[spikes] = 95
    (found,) = outlooks([history(cpu, disputed=spikes)]).values()
    assert found.with_disputed is not None
    assert found.now.peak_percent == 10
    assert found.with_disputed.peak_percent == 95
    assert found.now.at(np.array([0.5]))[0] < found.with_disputed.at(np.array([0.5]))[0]
    (calm,) = outlooks([history(days(60, 10))]).values()
    assert calm.with_disputed is None


def test_a_machine_with_too_few_samples_has_no_outlook_and_others_theirs() -> None:
    gappy = days(60, 10)
    gappy[np.arange(len(gappy)) % 3 > 0] = NAN
    late = days(60, 10)
    late[: 54 * A_DAY] = NAN
    held = [history(gappy, "gappy"), history(late, "late"), history(days(60, 10), "fine")]
    assert outlooks(held).keys() == {"fine"}


def test_a_machine_resized_since_has_the_origins_since() -> None:
    cpu = days(60, 10)
    cpu[: 25 * A_DAY] = NAN
    (found,) = outlooks([history(cpu)]).values()
    # Its 35 days hold a window before 21 days back, and half of the one before 28.
    assert [(END - r.origin).days for r in found.replays] == [28, 21, 14]


@pytest.mark.parametrize("length", [1, 3, 4, 9, 27])
def test_short_histories_have_an_outlook_too(length: int) -> None:
    (found,) = outlooks([history(restless(length, 1))]).values()
    assert found.days == length
    assert len(found.replays) == (1 if length >= 4 else 0)
    assert found.record.windows_before == 0


def test_no_machines_no_outlooks() -> None:
    assert outlooks([]) == {}
    assert of_shards([], {}, END, 60, terms=TERMS, prior=prior(), threads=1) == {}
    assert of_shards([], {"m": ask("m")}, END, 0, terms=TERMS, prior=prior(), threads=2) == {}


def test_a_risk_budget_dearer_than_the_users_cost() -> None:
    """All machines alike leap in the last fortnight; one in two may be undone."""
    leap = [history(np.concatenate([days(46, 10), days(14, 60)]), f"vm-{n}") for n in range(20)]
    by = {
        budget: {
            o.least_rollback_cost for o in outlooks(leap, Terms(STANDARD, 0.5, budget)).values()
        }
        for budget in (None, 1.0, 0.06, 0.01)
    }
    assert by[None] == {0.0}
    assert by[1.0] == {0.5}
    assert by[0.01] == {inf}
    assert all(cost > 0.5 for cost in by[0.06])


# -- memory ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("level", [NAN, 0.0])
def test_memory_that_shows_nothing_has_no_outlook(level: float) -> None:
    used = days(60, level)
    held = [history(days(60, 10), "a", series={MEMORY: used}), history(days(60, 10), "b")]
    found = outlooks(held)
    assert found["a"].memory is None
    assert found["b"].memory is None


def test_memory_beside_machines_without() -> None:
    held = [
        history(days(60, 10), "a", series={MEMORY: days(60, 34)}),
        history(days(60, 10), "b"),
        history(days(60, 10), "c", series={MEMORY: np.full(60 * A_DAY, NAN)}),
    ]
    memory = outlooks(held)["a"].memory
    assert memory is not None
    assert memory.peak_percent == 34
    assert memory.needed_percent == pytest.approx(40)
    assert memory.windows == (HELD,) * 5
    assert memory.headroom.resources == 1


def test_samples_are_not_written_to() -> None:
    one = history(restless(60, 1), disputed=[5])
    before = one.cpu_with_disputed.copy()
    outlooks([one])
    np.testing.assert_array_equal(one.cpu_with_disputed, before)
    assert one.cpu[5] == MISSING_U16
