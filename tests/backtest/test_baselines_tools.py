"""OptScale, Flexera and the rules of thumb, by hand; and the samples that rules look at."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from costopt.backtest.base import STAY, STOP
from costopt.backtest.baselines import find, samples
from tests.backtest.pasts import FORTNIGHT, only_last, past, rising


@pytest.mark.parametrize(
    ("vcpus", "level", "size"),
    [
        (4, 35, 0.5),  # ceil(1.75) = 2
        (4, 20, 0.25),  # ceil(1) = 1
        (4, 41, STAY),  # ceil(2.05) = 3, to 4: not fewer
        (8, 41, 0.75),  # ceil(4.1) = 5, to 6
        (2, 45, STAY),  # ceil(1.125) = 2
        (8, 90, STAY),  # 9: never larger
        (8, 0, STAY),  # an answer of no vCPU is none
        (None, 41, 10 / 16),  # ceil(8.2) = 9, to 10
    ],
)
def test_optscale_rightsizes_in_whole_vcpus(vcpus: int | None, level: float, size: float) -> None:
    machine = past(np.full(FORTNIGHT, level), vcpus=vcpus)
    assert find("optscale-rightsize").need(machine).cpu == pytest.approx(size)


def test_optscale_looks_at_quarter_hours_of_three_days() -> None:
    # Quarter hours of 0, 0, 90 have a mean of 30; what is older is not seen.
    cpu = np.concatenate([np.full(288, 95.0), np.tile([0.0, 0, 90], 3 * 96)])
    machine = past(cpu, period=300, vcpus=16)
    assert find("optscale-rightsize").need(machine).cpu == pytest.approx(6 / 16)
    # P99 of 288 is linear at 0.99 x 287 = 284.13: three at 80 of 288 give 80 x 0.13 of the way.
    rare = np.full(3 * 96, 10.0)
    rare[:3] = 80  # ranks 285 to 287: 10 + 70 x 0.13 = 19.1 %, of 64 vCPUs 15.28 at 80 %
    machine = past(rare, period=900, vcpus=64)
    assert find("optscale-rightsize").need(machine).cpu == pytest.approx(16 / 64)


def test_optscale_leaves_new_machines() -> None:
    new = past(only_last(np.full(FORTNIGHT, 10.0), 2 * 24), vcpus=4)
    assert np.isnan(find("optscale-rightsize").need(new).cpu)
    assert np.isnan(find("optscale-abandoned").need(past(only_last(rising() / 99, 100))).cpu)


def test_optscale_abandoned_looks_at_means() -> None:
    cpu = np.full(FORTNIGHT, 1.0)
    cpu[-8:] = 80  # mean of 168: (160 + 640) / 168 = 4.8
    assert find("optscale-abandoned").need(past(cpu)).cpu == STOP
    for sent, idle in ((400.0, True), (401.0, False)):
        machine = past(cpu, network_in=600.0, network_out=sent)
        assert (find("optscale-abandoned").need(machine).cpu == STOP) is idle
    cpu[-9] = 80
    assert np.isnan(find("optscale-abandoned").need(past(cpu)).cpu)


@pytest.mark.parametrize(
    ("cpu", "memory", "size"),
    [
        (4.9, None, STOP),
        (5.0, None, 0.5),
        (39.9, None, 0.5),
        (40.0, None, STAY),
        (90.0, 39.0, 0.5),  # either is enough
        (90.0, 4.0, STOP),
        (4.0, 95.0, STOP),
    ],
)
def test_flexera(cpu: float, memory: float | None, size: float) -> None:
    need = find("flexera").need(past(np.full(FORTNIGHT, cpu), memory=memory))
    assert need == (size, size)


def test_rules_of_thumb() -> None:
    machine = past(rising(), memory=30.0, memory_max=50.0)
    assert find("max-15").need(machine) == pytest.approx((84 * 1.15 / 100, 0.575))
    assert find("p99.5-x1.25").need(machine).cpu == pytest.approx(83.75 * 1.25 / 100)
    assert find("mean").need(machine).cpu == pytest.approx(84.25 / 2 / 60)
    peaks = past(rising(), cpu_max=100.0)
    assert find("max-15").need(peaks).cpu == pytest.approx(84 * 1.15 / 100)


@given(
    st.lists(st.floats(0, 100, width=32) | st.just(np.nan), min_size=24, max_size=24),
    st.sampled_from(["max", "min", "mean"]),
)
def test_a_coarser_grid_is_that_of_each_step_s_samples(values: list[float], how: str) -> None:
    machine = past(values)
    steps = samples.coarse(machine, "cpu", 4 * 3600, how)  # type: ignore[arg-type]
    for step, hours in zip(steps, np.array(values).reshape(6, 4), strict=True):
        there = [float(value) for value in hours if not np.isnan(value)]
        if not there:
            assert np.isnan(step)
        else:
            expected = {"max": max(there), "min": min(there), "mean": sum(there) / len(there)}
            assert step == pytest.approx(expected[how])


@given(
    st.lists(st.floats(0, 100), min_size=1, max_size=400),
    st.sampled_from([50, 60, 90, 95, 99, 99.5, 100]),
)
def test_percentiles_are_numpy_s(values: list[float], percent: float) -> None:
    ordered = np.sort(values)
    nearest = np.percentile(ordered, percent, method="inverted_cdf")
    assert samples.nearest_rank(ordered, percent) == nearest
    between = np.percentile(ordered, percent)
    assert samples.between_ranks(ordered, percent) == pytest.approx(between)


def test_a_day_of_traffic_is_its_mean_rate() -> None:
    received = np.full(48, 10.0)
    received[0:20] = np.nan
    sent = np.full(48, 5.0)
    sent[24:] = np.nan
    traffic = samples.daily_bytes(past(np.zeros(48), network_in=received, network_out=sent))
    np.testing.assert_array_equal(traffic, [15 * 86_400, np.nan])
    one_way = samples.daily_bytes(past(np.zeros(48), network_in=received))
    np.testing.assert_array_equal(one_way, [10 * 86_400] * 2)
    assert np.isnan(samples.daily_bytes(past(np.zeros(48)))).all()
