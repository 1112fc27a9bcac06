"""A fleet's past decided again: by hand, and nothing of it by what came later."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from costopt.backtest.base import Baseline, Need, Past
from costopt.backtest.baselines import baselines, find
from costopt.backtest.choices import OURS, choices, outcomes_of, risks, rows_of
from costopt.backtest.fleet import LADDER, learn
from costopt.backtest.machine import Replayed, replayed
from costopt.backtest.plan import Machine, Plan
from costopt.backtest.replay import of_histories, of_shards
from costopt.backtest.result import Backtest, MethodScore
from costopt.backtest.series import (
    CPU_MAX,
    MEMORY,
    NETWORK_IN,
    NETWORK_OUT,
    History,
    Subject,
    percent,
)
from costopt.backtest.windows import Origin, Timetable, timetable
from costopt.errors import InsufficientData
from costopt.optimize.risk import prior
from tests.backtest.fleets import A_DAY, END, PERIOD, Values, days, history, restless
from tests.frame.packs import pack, shard

NAN = np.nan


def rule(name: str, *needs: float) -> Baseline:
    return Baseline(name, f"{name} by hand", "nowhere", lambda _: Need(*needs))


HALF, STOPS, MUTE = rule("half", 0.5), rule("stops", 0.0), rule("mute", NAN)


def plan(table: Timetable, *asked: Baseline, **more: Any) -> Plan:
    return Plan(table, prior(), baselines=asked, draws=50, **more)


def backtest(held: Sequence[History], length: int, *asked: Baseline, **more: Any) -> Backtest:
    return of_histories(held, END, length, plan(timetable(length), *asked, **more))


def by_name(found: Backtest) -> Mapping[str, MethodScore]:
    return {one.name: one for one in found.scores}


# -- by hand -----------------------------------------------------------------------------------


def test_known_machines_give_known_savings_and_rollbacks() -> None:
    """Two machines at 10 %. From the sixth day of the test on one works at 60 %: half of it lasts
    until its fourth sample over the limit (0.5 % of 672 are 3.36), and for one slot more, less than
    which no rollback takes. So it saves a half for 240 + 4 + 1 slots."""
    busy = np.concatenate([days(14 + 5, 10), days(9, 60)])
    found = backtest([history(days(28, 10), "a"), history(busy, "b")], 28, HALF, STOPS, MUTE)
    assert (found.resources, found.windows, found.skipped) == (2, 2, {})
    assert found.origins == (END - timedelta(days=14),)

    half = by_name(found)["half"]
    assert half.saved.value == 0.5
    assert half.rolled_back.value == 0.5
    assert half.net.value == pytest.approx((0.5 + 0.5 * 245 / 672) / 2)
    assert half.over_90 == pytest.approx(9 * 48 / 672 / 2)
    assert [g.lead_minutes for g in half.guarded] == [10, 240, 1440]
    assert [g.worst for g in half.guarded] == pytest.approx([5 / 672, 12 / 672, 52 / 672])
    assert half.guarded[2].net.value == pytest.approx((0.5 + 0.5 * (240 + 4 + 48) / 672) / 2)

    stops = by_name(found)["stops"]  # demand over 5 % is work undone, from the first sample on
    assert (stops.saved.value, stops.rolled_back.value) == (1, 1)
    assert stops.net.value == pytest.approx(5 / 672)

    mute = by_name(found)["mute"]
    assert (mute.abstained, mute.saved.value, mute.net.value, mute.over_90) == (1, 0, 0, 0)
    assert (mute.title, mute.source) == ("mute by hand", "nowhere")
    assert found.scores[0].name == OURS


def test_ours_on_a_fleet_that_never_changes() -> None:
    """Sixty machines at 10 %: the smallest size that holds them is an eighth (11.25 %)."""
    found = backtest([history(days(42, 10), f"vm-{n:02d}") for n in range(60)], 42)
    ours = by_name(found)
    assert ours.keys() == {OURS, "costopt-cautious", "costopt-bold"}
    for one in ours.values():
        assert one.saved.value == one.net.value == 0.875
        assert one.rolled_back.value == one.over_90 == 0
    assert ours[OURS].net_minus_ours is None
    assert found.calibration is not None
    assert found.calibration.expected_error < 0.05
    assert found.notes == ()


def test_a_machine_that_is_full_is_left_as_it_is() -> None:
    (ours, *_) = backtest([history(days(42, 80), f"vm-{n:02d}") for n in range(30)], 42).scores
    assert (ours.saved.value, ours.rolled_back.value, ours.abstained) == (0, 0, 0)


def test_the_same_cost_by_name_and_by_number_is_one_variant() -> None:
    held = [history(days(28, 10))]
    assert by_name(backtest(held, 28, rollback_cost=2.0)).keys() == {OURS, "costopt-bold"}
    assert by_name(backtest(held, 28, rollback_cost=1.0)).keys() == {
        OURS,
        "costopt-bold",
        "costopt-cautious",
    }


def test_a_gap_moves_the_test() -> None:
    """Busy on the three days after the decision alone: with a gap of three, nothing happens."""
    cpu = days(31, 10)
    cpu[14 * A_DAY : 17 * A_DAY] = 60
    held = [history(cpu)]
    with_gap = of_histories(held, END, 31, plan(timetable(31, gap_days=3), HALF))
    assert by_name(with_gap)["half"].rolled_back.value == 0
    assert with_gap.gap_days == 3
    assert with_gap.origins == (END - timedelta(days=17),)
    without = of_histories(held, END, 28, plan(timetable(28), HALF))
    assert without.origins == (END - timedelta(days=14),)


def test_windows_that_show_nothing_are_told() -> None:
    silent = np.full(42 * A_DAY, NAN)
    late = days(42, 10)
    late[: 20 * A_DAY] = NAN
    cut = days(42, 10)
    cut[30 * A_DAY :] = NAN
    ones = [history(x, n) for n, x in (("a", days(42, 10)), ("b", silent), ("c", late), ("d", cut))]
    found = backtest(ones, 42)
    # c's training has 0, 1 and 8 of 14 days; d's last two tests have 9 and 2.
    assert found.skipped == {"thin-test": 2, "thin-training": 5}
    assert (found.windows, found.resources) == (12 - 7, 3)


def test_a_fleet_of_one_has_no_width_and_says_so() -> None:
    found = backtest([history(days(42, 10))], 42, HALF)
    assert by_name(found)["half"].net.low == by_name(found)["half"].net.high == 0.5
    assert found.notes == ("only 1 machine: the ranges are narrower than they should be",)


@pytest.mark.parametrize("held", [[], [history(np.full(28 * A_DAY, NAN))]])
def test_nothing_to_judge_by_is_an_error(held: list[History]) -> None:
    with pytest.raises(InsufficientData, match="no test window holds a sample"):
        backtest(held, 28, HALF)


def test_without_an_origin_there_is_nothing_to_judge() -> None:
    with pytest.raises(InsufficientData):
        backtest([history(days(20, 10))], 20)


# -- sizes -------------------------------------------------------------------------------------


@pytest.mark.parametrize("ladder", [(1.0, 0.7, 0.3), (1.0, 1 / 3, 0.1), (1.0, 0.5), (1.0,)])
def test_other_sizes_may_be_on_offer(ladder: tuple[float, ...]) -> None:
    held = [history(days(42, 8), f"vm-{n:02d}") for n in range(40)]
    found = backtest(held, 42, HALF, rule("third", 1 / 3), rule("tenth", 0.1), ladder=ladder)
    assert found.ladder == ladder
    scores = by_name(found)
    assert scores[OURS].saved.value == pytest.approx(1 - ladder[-1])
    for name, need in (("half", 0.5), ("third", 1 / 3), ("tenth", 0.1)):
        fits = min(size for size in ladder if size >= need - 1e-9)
        assert scores[name].saved.value == pytest.approx(1 - fits)
    assert (found.calibration is None) == (len(ladder) == 1)


def test_the_risk_of_a_size_does_not_depend_on_what_else_is_on_offer() -> None:
    """But for the sizes in between: a smaller one is never thought safer."""
    held = [history(restless(42, n), f"vm-{n:02d}") for n in range(8)]
    table = timetable(42)
    found = []
    for ladder in (LADDER, (1.0, 0.5)):
        wanted = plan(table, ladder=ladder)
        machines = [replayed(one, Machine(one.subject), wanted) for one in held]
        learned = learn([m.studied for m in machines], table, prior())
        found.append(risks(rows_of(machines), learned, ladder))
    np.testing.assert_array_equal(found[0][:, :2], found[1])


def test_outcomes_are_of_the_ladder_and_a_stop() -> None:
    wanted = plan(timetable(28), ladder=(1.0, 0.3))
    one = history(np.concatenate([days(14, 10), days(14, 30)]))
    rows = rows_of([replayed(one, Machine(one.subject), wanted)])
    found = outcomes_of(rows, wanted)
    assert found.ladder.tolist() == [1, 0.3, 0]
    assert found.over_90.tolist() == [[0, 1, 1]]
    assert found.kept.shape == (3, 1, 3)


def test_a_risk_budget_binds_once_there_is_a_past() -> None:
    """Machines that leap at the end: by then the calm past asks for nothing, and before there is
    any past no budget can be shown, so nothing is done."""
    held = [history(days(49, 10), f"vm-{n:02d}") for n in range(40)]
    (ours, *_) = backtest(held, 49, risk_budget=0.05).scores
    # Origins 35, 28, 21, 14 days back: the test of the first ends 21 days back.
    assert ours.saved.value == pytest.approx(0.875 * 2 / 4)
    (ours, *_) = backtest(held, 49, risk_budget=0.01).scores
    assert ours.saved.value == 0


def test_a_risk_budget_is_kept_with_the_sizes_on_offer() -> None:
    """Four weeks at 10 %, then at 60 %: every half would have been undone, three quarters not."""
    leap = np.concatenate([days(28, 10), days(28, 60)])
    held = [history(leap, f"vm-{n:02d}") for n in range(40)]
    (ours, *_) = backtest(held, 56, risk_budget=0.05, ladder=(1.0, 0.75)).scores
    # Of five origins, 42 to 14 days back, three have a test behind them.
    assert ours.saved.value == pytest.approx(0.25 * 3 / 5)


# -- memory ------------------------------------------------------------------------------------


def test_memory_sizes_are_scored_beside() -> None:
    """34 % in use; a third of the memory is too little, half of it and ours, 40 %, are enough."""
    series = {MEMORY: days(42, 34)}
    held = [
        history(days(42, 10), "a", series=series),
        history(days(42, 10), "b"),
        history(days(42, 10), "c", series={MEMORY: days(42, 0)}),
    ]
    asked = (rule("half", 0.5, 0.5), rule("third", 0.5, 1 / 3), rule("cpu-only", 0.5))
    found = backtest(held, 42, *asked).memory
    assert [(one.name, one.windows) for one in found] == [(OURS, 3), ("half", 3), ("third", 3)]
    assert [one.saved.value for one in found] == pytest.approx([0.6, 0.5, 2 / 3])
    assert [one.out_of_memory.value for one in found] == [0, 0, 1]


@pytest.mark.parametrize("level", [NAN, 0.0])
def test_without_memory_there_is_no_memory_score(level: float) -> None:
    one = history(days(42, 10), series={MEMORY: days(42, level)})
    assert backtest([one], 42, rule("half", 0.5, 0.5)).memory == ()


# -- nothing of what came later ------------------------------------------------------------------


def test_a_baseline_sees_its_fortnight_and_no_more() -> None:
    seen: dict[int, Past] = {}

    def look(past: Past) -> Need:
        seen[len(seen)] = past
        return Need(0.5)

    cpu = np.arange(42 * A_DAY) % 101.0
    network = np.arange(42 * A_DAY) * 1e3
    one = history(
        cpu, series={CPU_MAX: cpu + 1, MEMORY: cpu / 2, NETWORK_IN: network, NETWORK_OUT: network}
    )
    machine = Machine(one.subject, vcpus=4, memory_gib=16, network_gbps=5)
    wanted = plan(timetable(42), Baseline("spy", "", "", look))
    assert replayed(one, machine, wanted).windows == timetable(42).origins
    for past, start in zip(seen.values(), (0, 7, 14), strict=True):
        window = slice(start * A_DAY, (start + 14) * A_DAY)
        np.testing.assert_allclose(past.cpu, cpu[window], rtol=1e-6)
        for given, all_of_it in (
            (past.cpu_max, cpu + 1),
            (past.memory, np.round(cpu / 2, 2)),
            (past.network_in, network),
            (past.network_out, network),
        ):
            assert given is not None
            np.testing.assert_allclose(given, all_of_it[window], rtol=1e-6)
        assert past.memory_max is None
        assert (past.vcpus, past.memory_gib, past.network_gbps) == (4, 16, 5)
        assert (past.period_seconds, past.days) == (PERIOD, 14)


_SERIES = (CPU_MAX, MEMORY, NETWORK_IN, NETWORK_OUT)


def worked(number: int, length: int) -> History:
    """A machine with every series there is."""
    more = {key: restless(length, 100 * k + number) for k, key in enumerate(_SERIES, 1)}
    spikes = list(range(number, length * A_DAY, 501))
    return history(restless(length, number), f"vm-{number:02d}", series=more, disputed=spikes)


def scrambled(one: History, since: int, seed: int) -> History:
    """The same machine, with every sample from that slot on another or gone."""
    chance = np.random.default_rng(seed)

    def other(values: Values) -> Values:
        changed = values.astype(np.float64)
        tail = chance.uniform(0, 105, len(values) - since)
        tail[chance.random(len(tail)) < 0.1] = NAN
        changed[since:] = tail
        return changed

    held = {key: one.numbers(key) for key in _SERIES}
    return history(
        other(percent(one.cpu_with_disputed)),
        one.subject.resource_id,
        disputed=one.disputed.tolist(),
        series={key: other(values) for key, values in held.items() if values is not None},
    )


def decisions(
    held: Sequence[History], wanted: Plan
) -> tuple[dict[tuple[str, Origin, str], object], list[Replayed]]:
    """Every choice, risk and memory size there is, by machine, origin and method."""
    machines = [replayed(one, Machine(one.subject, vcpus=4, memory_gib=16), wanted) for one in held]
    rows = rows_of(machines)
    learned = learn([one.studied for one in machines], wanted.table, wanted.prior, wanted.seed)
    risk = risks(rows, learned, wanted.ladder)
    chosen = choices(rows, machines, learned, risk, wanted)
    found: dict[tuple[str, Origin, str], object] = {}
    for place, row in enumerate(rows):
        who = row.machine.studied.resource_id
        found[who, row.at, "risk"] = tuple(risk[place])
        for name, sizes in chosen.items():
            found[who, row.at, name] = repr(sizes[place])
        for name, needs in row.machine.needs.items():
            found[who, row.at, f"{name} asks"] = repr(needs[row.at])
    return found, machines


@pytest.mark.parametrize("gap", [0, 3])
@pytest.mark.parametrize("risk_budget", [None, 0.3])
def test_no_decision_at_an_origin_depends_on_what_came_after_it(
    gap: int, risk_budget: float | None
) -> None:
    """Ours, by every cost, and all baselines'; the risks behind them; and what each asked for."""
    length = 49 + gap
    table = timetable(length, gap_days=gap)
    wanted = plan(table, *baselines().values(), risk_budget=risk_budget)
    held = [worked(number, length) for number in range(7)]
    first, _ = decisions(held, wanted)
    for at in table.origins:
        since = (length - at.back_days) * A_DAY
        second, _ = decisions([scrambled(one, since, 9) for one in held], wanted)
        known = {key for key in first if key[1].back_days >= at.back_days}
        assert len(known & second.keys()) > len(baselines())
        later = {key for key in first.keys() & second.keys() if key not in known}
        assert {key for key in known & second.keys() if first[key] != second[key]} == set()
        assert not later or any(first[key] != second[key] for key in later)


# -- whatever the order --------------------------------------------------------------------------


@lru_cache(maxsize=1)
def tables() -> tuple[object, ...]:
    """Nine machines of 35 days in five shards."""
    start = END - timedelta(days=35)
    names = {"cpu_utilization": 0, "memory_utilization": 50, "network_in": 100}
    return tuple(
        shard(
            *(
                pack(f"vm-{n}", metric, restless(35, seed + n), start=start, period_seconds=PERIOD)
                for n in range(first, min(first + 2, 9))
                for metric, seed in names.items()
            )
        )
        for first in range(0, 9, 2)
    )


@pytest.mark.parametrize("threads", [1, 4])
@pytest.mark.parametrize("step", [1, -1])
def test_shards_in_any_order_and_threads_give_the_same(threads: int, step: int) -> None:
    asked = [one for name, one in baselines().items() if name in ("vpa", "krr-simple", "aws-co")]
    wanted = plan(timetable(35), *asked, risk_budget=0.5)
    machines = {f"vm-{n}": Machine(Subject(f"vm-{n}", PERIOD)) for n in range(9)}
    found = of_shards(tables()[::step], machines, END, 35, wanted, threads=threads)
    held = [
        history(
            restless(35, n),
            f"vm-{n}",
            series={MEMORY: restless(35, 50 + n), NETWORK_IN: restless(35, 100 + n)},
        )
        for n in range(9)
    ]
    assert repr(found) == repr(of_histories(held, END, 35, wanted))


def test_machines_without_samples_are_told() -> None:
    machines = {name: Machine(Subject(name, PERIOD)) for name in ("vm-0", "gone", "away")}
    wanted = plan(timetable(35), HALF)
    found = of_shards(tables(), machines, END, 35, wanted, threads=2)
    assert found.resources == 1
    assert found.skipped["no-samples"] == 2 * len(wanted.table.origins)
    assert found.left_out == {"no-samples": 2}


def test_a_machine_without_any_window_is_told_as_a_whole() -> None:
    found = backtest([history(days(42, 10), "a"), history(np.full(42 * A_DAY, NAN), "b")], 42)
    assert (found.resources, found.left_out) == (1, {"thin-training": 1})
    machines = found.resources + sum(found.left_out.values())
    windows = found.windows + sum(found.skipped.values())
    assert windows == machines * len(found.origins)


def test_a_rule_without_what_its_vendor_has_is_marked() -> None:
    asked = [one for name, one in baselines().items() if name in ("aws-co", "aws-co-idle")]
    both = {NETWORK_IN: days(42, 1e6), NETWORK_OUT: days(42, 1e6)}
    held = [history(days(42, 10), "a", series=both), history(days(42, 10), "b")]
    found = by_name(backtest(held, 42, *asked))
    assert found["aws-co-idle"].by_cpu_alone == 0.5
    assert found["aws-co"].by_cpu_alone == 0
    assert found["costopt"].by_cpu_alone == 0


def test_the_seed_moves_the_ranges_and_not_the_figures() -> None:
    held = [history(restless(42, n), f"vm-{n:02d}") for n in range(9)]
    one, two = (backtest(held, 42, HALF, seed=seed).scores for seed in (0, 1))
    assert [s.net.value for s in one] == [s.net.value for s in two]
    assert [s.net.low for s in one] != [s.net.low for s in two]
    assert backtest(held, 42, HALF, seed=1).scores == two


# -- real machines -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def forty(real_data: Path) -> Backtest:
    """Forty machines of Bitbrains, judged with the prior of another fleet."""
    from benchmarks.traces import bitbrains, planetlab
    from scripts import fit_prior

    trace = bitbrains(real_data)
    others = fit_prior.fit([planetlab(real_data)])
    asked = Plan(trace.table, others, baselines=(HALF, STOPS), draws=50)
    return of_histories(trace.machines[::7][:40], END, 62, asked)


def test_risks_of_real_machines_come_true_about_as_often_as_said(forty: Backtest) -> None:
    assert forty.resources == 40
    assert forty.calibration is not None
    assert forty.calibration.expected_error < 0.05


def test_the_guard_bounds_what_a_real_machine_suffers(forty: Backtest) -> None:
    """0.5 % and the lead's samples, of the four fifths of slots at least that hold one."""
    for score in forty.scores:
        for guarded, lead in zip(score.guarded, (2, 48, 288), strict=True):
            assert guarded.worst <= (0.005 + (1 + lead) / 4032) / 0.8
            assert guarded.violation <= guarded.worst


def test_ours_saves_on_real_machines_and_is_seldom_undone(forty: Backtest) -> None:
    ours = forty.scores[0]
    assert ours.net.value > 0.5
    assert ours.rolled_back.value < 0.1
    assert ours.windows == forty.windows


# -- disputed samples --------------------------------------------------------------------------


def test_disputed_samples_are_not_sized_for_but_count_in_what_becomes_of_it() -> None:
    """At 10 %, but for one sample in fifty at 80 %: 13 of a window's 672, where 3 are allowed."""
    spikes = list(range(7, 42 * A_DAY, 50))
    cpu = days(42, 10)
    cpu[spikes] = 80
    ladder = {"ladder": (1.0, 0.5)}
    held = [history(cpu, disputed=spikes)]
    disputed = by_name(backtest(held, 42, find("max-15"), **ladder))
    assert disputed["costopt"].saved.value == 0.5
    assert disputed["costopt"].rolled_back.value == 1
    assert disputed["max-15"].saved.value == 0, "it sees what was collected"
    believed = by_name(backtest([history(cpu)], 42, find("max-15"), **ladder))
    assert believed["costopt"].saved.value == 0
