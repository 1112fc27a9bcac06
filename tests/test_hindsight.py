"""A fleet's past through a real lake: nothing of it is decided by what came later."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from costopt import pipeline
from costopt.backtest.base import Baseline, Need, Past
from costopt.backtest.baselines import baselines, find
from costopt.backtest.result import Backtest
from costopt.config import Settings
from costopt.errors import InsufficientData
from costopt.hindsight import Wanted, with_outlooks
from costopt.lake import packed
from costopt.lake.store import Lake
from costopt.model import Disputed
from costopt.optimize.outlook import Chances, Outlook
from costopt.report.json import render
from costopt.rules.rightsize_settings import RightsizeSettings
from tests.backtest.test_outlook import same
from tests.fakes.fleet import FakeFleet, Machine, steady
from tests.fakes.lived import A_DAY, DAYS, ORIGINS, lake_of, machines, on_day, read_only

Values = npt.NDArray[np.float64]


@pytest.fixture(scope="module")
def true(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    return lake_of(tmp_path_factory.mktemp("true"), FakeFleet(machines()))


@pytest.fixture(scope="module")
def spoiled(tmp_path_factory: pytest.TempPathFactory) -> Mapping[int, Lake]:
    """Lakes whose samples are others from that day on."""
    return {
        day: lake_of(
            tmp_path_factory.mktemp(f"spoiled-{day}"), FakeFleet(machines(spoiled_from=day))
        )
        for day in ORIGINS
    }


@pytest.fixture(scope="module")
def told(true: Lake) -> Mapping[tuple[str, datetime], Chances]:
    """What advice of today says of each machine at each origin."""
    return replays(outlooks(true))


def settings_of(budget: float | None) -> Settings:
    asked = {} if budget is None else {"risk_budget_percent": budget}
    return Settings(rules={"rightsize": asked}, threads=2)


def outlooks(
    lake: Lake, as_of: datetime | None = None, budget: float | None = None
) -> dict[str, Outlook]:
    cases = pipeline.analyse(lake, settings_of(budget), as_of).cases
    found = {key: case.outlook for key, case in cases.items() if case.outlook}
    assert len(found) == len(cases)
    return found


# -- the backtest ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("lookback", "said"),
    [
        (60, "the lake holds no more within lookback_days (60): collect more"),
        (21, "raise lookback_days (21)"),
    ],
)
def test_too_few_days_name_what_ends_them(true: Lake, lookback: int, said: str) -> None:
    asked = Wanted(train_days=30)
    with pytest.raises(InsufficientData, match="too few to decide on 30") as error:
        pipeline.backtest(true, Settings(lookback_days=lookback, threads=2), None, asked)
    assert error.value.hint.startswith(said)


def test_hyper_threads_are_said_to_be_left_out(true: Lake) -> None:
    def notes(**rule: object) -> str:
        settings = Settings(rules={"rightsize": rule}, threads=2)
        return " ".join(pipeline.backtest(true, settings, None, Wanted()).notes)

    assert "smt_speedup" not in notes()
    assert "smt_speedup is set and not part of this replay" in notes(smt_speedup=0.63)
    assert "smt_speedup" in notes(smt_speedups={"m6i": 0.63})
    assert "smt_speedup" not in notes(smt_speedups={"t3": 0})


class Spy:
    """A baseline that keeps all it is shown."""

    def __init__(self) -> None:
        self.seen: set[tuple[str, bytes, bytes]] = set()

    def __call__(self, past: Past) -> Need:
        memory = b"" if past.memory is None else past.memory.tobytes()
        self.seen.add((past.resource_id, past.cpu.tobytes(), memory))
        return Need(0.5)


def decided(found: Backtest) -> dict[str, object]:
    """All of a backtest that decisions and risks make, and nothing of what became of them."""
    assert found.calibration is not None
    return {
        **{s.name: (s.windows, s.abstained, s.saved) for s in found.scores},
        **{f"memory {s.name}": (s.windows, s.saved) for s in found.memory},
        "risks": [(one.predicted, one.count) for one in found.calibration.bins],
        "at": found.origins,
        "machines": (found.resources, found.windows, found.skipped),
    }


def came(found: Backtest) -> list[object]:
    """What became of the decisions."""
    assert found.calibration is not None
    return [
        sorted((s.name, s.rolled_back, s.over_90, s.guarded) for s in found.scores),
        [s.out_of_memory for s in found.memory],
        [one.observed for one in found.calibration.bins],
    ]


@pytest.mark.parametrize(("day", "budget"), [*((day, None) for day in ORIGINS), (28, 30.0)])
def test_what_came_after_the_newest_origin_changes_no_decision_of_the_backtest(
    true: Lake, spoiled: Mapping[int, Lake], day: int, budget: float | None
) -> None:
    """Ours at three rollback costs and every baseline's, CPU and memory, and all risks."""
    spies = Spy(), Spy()
    one, other = (
        pipeline.backtest(
            lake,
            settings_of(budget),
            on_day(day + 14),
            Wanted((*baselines().values(), Baseline("spy", "", "", spy))),
        )
        for lake, spy in zip((true, spoiled[day]), spies, strict=True)
    )
    assert one.origins[-1] == on_day(day)
    assert one.windows == len(machines()) * (ORIGINS.index(day) + 1)
    assert decided(one) == decided(other)
    assert spies[0].seen == spies[1].seen
    assert len(spies[0].seen) == one.windows
    for before, after in zip(came(one), came(other), strict=True):
        assert before != after


def test_the_backtest_of_a_past_moment_is_the_one_of_a_lake_that_ended_then(
    true: Lake, tmp_path: Path
) -> None:
    wanted = Wanted((find("krr-simple"),))
    lakes = true, lake_of(tmp_path, FakeFleet([until(m, 35) for m in machines()]))
    now, then = (pipeline.backtest(lake, Settings(), on_day(35), wanted) for lake in lakes)
    assert repr(now) == repr(then)


def until(machine: Machine, day: int) -> Machine:
    """The machine without its samples from that day on."""

    def cut(values: Values) -> Values:
        return np.where(np.arange(len(values)) < day * A_DAY, values, np.nan)

    assert machine.memory is not None
    return replace(machine, cpu=cut(machine.cpu), memory=cut(machine.memory))


# -- what rules decide on ----------------------------------------------------------------------


@pytest.mark.parametrize(("day", "budget"), [*((day, None) for day in ORIGINS), (28, 30.0)])
def test_what_came_after_a_moment_changes_no_advice_of_it(
    true: Lake, spoiled: Mapping[int, Lake], day: int, budget: float | None
) -> None:
    """The whole report, every outlook, and what each says of earlier origins."""
    one, other = (
        pipeline.analyse(lake, settings_of(budget), on_day(day)) for lake in (true, spoiled[day])
    )
    assert render(one.report) == render(other.report)
    for key, case in one.cases.items():
        assert case.outlook is not None
        assert same(case.outlook, other.cases[key].outlook)


def replays(found: Mapping[str, Outlook]) -> dict[tuple[str, datetime], Chances]:
    return {(key, r.origin): r.chances for key, one in found.items() for r in one.replays}


@pytest.mark.parametrize("day", ORIGINS)
def test_what_came_after_an_origin_changes_no_risk_of_it_nor_of_earlier_ones(
    told: Mapping[tuple[str, datetime], Chances], spoiled: Mapping[int, Lake], day: int
) -> None:
    other = replays(outlooks(spoiled[day]))
    assert told.keys() == other.keys()
    assert {at for _, at in told} == {on_day(origin) for origin in ORIGINS}
    differ = {key for key in told if not same(told[key], other[key])}
    assert {at for _, at in differ} == {on_day(later) for later in ORIGINS if later > day}


@pytest.mark.parametrize("day", ORIGINS)
def test_a_replay_is_the_outlook_of_that_moment(
    true: Lake, told: Mapping[tuple[str, datetime], Chances], day: int
) -> None:
    for key, then in outlooks(true, on_day(day)).items():
        assert same(then.now, told[key, on_day(day)])


# -- the one exception -------------------------------------------------------------------------


def doubtful(number: int) -> Machine:
    """A machine with a spike that no network traffic goes with, too few to doubt it; from day 28 on
    there are many more."""
    chance = np.random.default_rng(number)
    cpu = steady(DAYS, 8, seed=number)
    cpu[20 * A_DAY + 101] = 90.0
    cpu[28 * A_DAY + chance.choice(14 * A_DAY, 40, replace=False)] = 90.0
    network = np.round(chance.gamma(4, 1e5, len(cpu)))
    return Machine(f"odd-{number}", 16, read_only(cpu), network=network)


def test_only_which_samples_are_disputed_is_known_from_later_on(tmp_path: Path) -> None:
    """The exception that backtest/study.py names: a replay takes as disputed what is now, not what
    was then. Give it what was, and it is bit for bit the outlook of that moment."""
    lake = lake_of(tmp_path, FakeFleet([*machines(5), *map(doubtful, range(4))]))
    at = on_day(28)
    now, then = (pipeline.analyse(lake, Settings(), moment) for moment in (None, at))
    knew, known = (
        {key for key, case in each.cases.items() if _before(case.disputed, at)}
        for each in (now, then)
    )
    assert (knew, known) == ({f"odd-{n}" for n in range(4)}, set())
    cases = {
        key: replace(case, disputed=then.cases[key].disputed) for key, case in now.cases.items()
    }
    found = with_outlooks(
        cases,
        packed.scan(lake, now.window),
        RightsizeSettings(),
        now.window,
        threads=2,
    )
    as_now, as_then = (
        replays({key: case.outlook for key, case in each.items() if case.outlook})
        for each in (now.cases, found)
    )
    for key, case in then.cases.items():
        assert case.outlook is not None
        assert same(case.outlook.now, as_then[key, at])
    assert not all(same(as_now[key], as_then[key]) for key in as_then if key[1] == at)


def _before(found: Disputed | None, moment: datetime) -> tuple[int, ...]:
    """Starts of the disputed samples before that moment."""
    return tuple(t for t in (found.times if found else ()) if t < moment.timestamp())
