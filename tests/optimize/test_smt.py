"""optimize/smt.py: whole cores against hyper-threads."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from costopt.optimize.smt import OFF, Threads, effective_capacity, smt_percent

vcpus = st.sampled_from([0.5, 1.0, 2.0, 4.0, 6.0, 8.0, 16.0, 48.0, 96.0])
speedups = st.floats(0.51, 1.0)
limits = st.floats(10.0, 100.0)


def capacity(current: Threads, target: Threads, limit: float = 90.0) -> float:
    return float(effective_capacity(current, target, limit))


def work(threads: int, busy: int, speedup: float) -> float:
    """By counting cores: busy threads take idle cores first, then share; in whole cores."""
    cores = threads // 2
    shared = max(0, busy - cores)
    alone = min(busy, cores) - shared
    return alone + shared * 2 * speedup


def test_half_a_machine_is_hotter_than_it_looks() -> None:
    assert smt_percent(30, 2) == pytest.approx(88, abs=1)  # facts: decisions, "SMT trap"
    assert smt_percent(20, 2) == pytest.approx(40)
    assert smt_percent(60, 2) > 100
    assert smt_percent(30, 2, speedup=1.0) == pytest.approx(60)


def test_half_a_machine_holds_less_than_half_the_demand() -> None:
    # at 90 % a target of 4 threads does 4 * (0.5 + 0.26 * 0.4) = 2.416 cores; today's 8 do that at
    # 2.416 / 8 = 30.2 %, of 90 % that is 0.33556
    today, half = Threads(8, False, 0.63), Threads(4, False, 0.63)
    assert capacity(today, half) == pytest.approx(0.302 / 0.9)


def test_from_hyper_threads_to_half_as_many_whole_cores() -> None:
    # 4 whole cores at 90 % do 3.6; today's 8 threads do that at 45 %, each on a core of its own.
    # 5 at 90 % do 4.5: today's do 4 at one half, and of 4 more threads each adds half a core
    today = Threads(8, False, 0.75)
    assert capacity(today, Threads(4, True)) == pytest.approx(0.5)
    assert capacity(today, Threads(5, True)) == pytest.approx((0.5 + 0.5 / 4) / 0.9)


def test_from_whole_cores_to_as_many_hyper_threads() -> None:
    # full, 8 threads at s = 0.63 do 8 * 0.63 = 5.04 cores of 8
    assert capacity(Threads(8, True), Threads(8, False, 0.63), 100) == pytest.approx(0.63)
    assert capacity(Threads(8, True), Threads(8, False, 0.63), 50) == pytest.approx(1)


@given(st.integers(1, 24), st.integers(1, 24), st.data())
def test_work_is_that_of_counted_cores(today: int, target: int, data: st.DataObject) -> None:
    """With `busy` of the target's threads at work, today's machine must be as busy as c' says."""
    speedup, other = data.draw(speedups), data.draw(speedups)
    busy = data.draw(st.integers(1, 2 * target))
    limit = 100 * busy / (2 * target)
    share = capacity(Threads(today, True), Threads(2 * target, False, speedup), limit)
    assert share * limit / 100 * today == pytest.approx(work(2 * target, busy, speedup))
    back = capacity(Threads(2 * today, False, other), Threads(2 * today, False, other), limit)
    assert back == pytest.approx(1)


@given(vcpus, vcpus, speedups, limits)
def test_between_hyper_threads_it_agrees_with_smt_percent(
    today: float, target: float, speedup: float, limit: float
) -> None:
    share = capacity(Threads(today, False, speedup), Threads(target, False, speedup), limit)
    assert smt_percent(limit * share, today / target, speedup) == pytest.approx(limit)


@given(vcpus, vcpus, limits)
def test_it_is_the_ratio_between_equals_and_where_off(
    today: float, target: float, limit: float
) -> None:
    ratio = pytest.approx(target / today)
    assert capacity(Threads(today, True), Threads(target, True), limit) == ratio
    assert capacity(Threads(today, False, 1.0), Threads(target, False, 1.0), limit) == ratio
    assert capacity(Threads(today, True), Threads(target, False, 1.0), limit) == ratio
    assert capacity(Threads(today, False, OFF), Threads(target, False, 0.63), limit) == ratio
    assert capacity(Threads(today, False, 0.63), Threads(target, False, OFF), limit) == ratio
    assert capacity(Threads(today, True), Threads(target, False, OFF), limit) == ratio


@given(vcpus, st.booleans(), speedups, st.booleans(), speedups, limits)
def test_more_vcpus_never_hold_less(
    today: float, whole: bool, speedup: float, target_whole: bool, target: float, limit: float
) -> None:
    sizes = np.array([0.5, 1.0, 2.0, 4.0, 8.0, 9.0, 64.0])
    same = np.ones(len(sizes))
    current = Threads(today, whole, speedup)
    targets = Threads(sizes, same == target_whole, same * target)
    assert (np.diff(effective_capacity(current, targets, limit)) > 0).all()


def test_many_targets_are_as_each_alone() -> None:
    current = Threads(8, False, 0.7)
    each = [(4.0, False, 0.63), (4.0, True, OFF), (8.0, False, OFF), (2.0, False, 0.9)]
    sizes, whole, speedup = (np.array(column) for column in zip(*each, strict=True))
    found = effective_capacity(current, Threads(sizes, whole, speedup))
    assert found.tolist() == [capacity(current, Threads(*one)) for one in each]
    assert found[2] == 1.0  # not set: by number


@pytest.mark.parametrize("speedup", [0.5, 0.3, -0.7, 1.01, np.nan])
def test_an_impossible_speedup_is_refused(speedup: float) -> None:
    with pytest.raises(ValueError, match="SMT speedup"):
        Threads(8, False, speedup)
