"""Series of one thing at several periods: the same told twice, or two stories."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from tests.frame.packs import A_DAY, DAYS, T0, Gated, gate, noise, pack, shard

Values = npt.NDArray[np.float64]
CPU = "cpu_utilization"
HOURS = 24 * DAYS


def minutes(level: float = 20, *, seed: int = 0) -> Values:
    """One-minute samples of four weeks."""
    return np.concatenate([noise(level, seed=seed + part) for part in range(5)])


def averaged(values: Values, samples: int) -> Values:
    return np.asarray(np.nanmean(values.reshape(-1, samples), axis=1))


def both(fine: Values, coarse: Values, metric: str = CPU, period: int = 300, **more: Any) -> Gated:
    """A machine with a metric at every minute and at another period."""
    rows = pack("m-1", metric, fine, period_seconds=60, **more)
    others = pack("m-1", metric, coarse, period_seconds=period, **more)
    cpu = [] if metric == CPU else pack("m-1", CPU, noise(20))
    return gate(shard(rows, others, cpu))


@pytest.mark.parametrize("period", [300, 900, 3600])
def test_averages_of_the_same_agree(period: int) -> None:
    fine = minutes()
    assert both(fine, averaged(fine, period // 60), period=period).codes() == {}


def test_gaps_in_one_of_them_are_no_contradiction() -> None:
    fine = minutes()
    coarse = averaged(fine, 5)
    fine[np.random.default_rng(1).random(len(fine)) < 0.1] = np.nan
    fine[: 20 * 1440] = np.nan  # kept for a shorter time, and the load was another before
    coarse[: 20 * A_DAY] /= 3
    assert set(both(fine, coarse).codes()) <= {("gap", CPU)}


def test_maxima_of_a_longer_period_are_the_highest_of_a_shorter_one() -> None:
    fine = minutes()
    coarse = fine.reshape(-1, 5).max(axis=1)
    assert both(fine, coarse, Statistic="max").codes() == {}
    assert both(fine, coarse * 0.5, Statistic="max").codes() == {("contradiction", ""): "gate"}


def test_a_quiet_copy_at_another_period_bars_the_cpu() -> None:
    fine = minutes(60)
    for quiet_fine, coarse in ((0.06 * fine, averaged(fine, 5)), (fine, 0.06 * averaged(fine, 5))):
        seen = both(quiet_fine, coarse)
        assert seen.codes() == {("contradiction", ""): "gate"}
        (found,) = seen.findings["m-1"]
        assert found.count == HOURS
        told = "samples of every 1 minute and those of every 5 minutes contradict each other in "
        assert f"{told}{HOURS} of {HOURS} stretches of 60 minutes (" in found.detail


def test_it_names_the_stretch_in_which_they_are_furthest_apart() -> None:
    fine = np.full(DAYS * 1440, 20.0)
    fine[::7] = 21.0
    coarse = averaged(fine, 5)
    for start, value in ((600, 40.0), (6000, 80.0), (7200, 50.0), (7800, 50.0)):
        coarse[start // 5 : start // 5 + 12] = value
    (found,) = both(fine, coarse).findings["m-1"]
    assert found.example.startswith("20.13 % and 80 % at 2026-09-11 04:00 UTC")
    assert found.count == 4


def test_half_a_per_cent_of_the_time_may_differ() -> None:
    fine = minutes(20)
    coarse = averaged(fine, 5)
    for hour in range(4):  # of 672: 0.5 % are 3.36
        busy = slice(12 * (50 * hour + 3), 12 * (50 * hour + 4))
        assert both(fine, coarse).codes() == {}
        coarse[busy] = 90.0
    assert both(fine, coarse).codes() == {("contradiction", ""): "gate"}


def test_two_ways_to_count_may_differ_a_little() -> None:
    fine = minutes(60)
    assert both(0.92 * fine, averaged(fine, 5)).codes() == {}
    assert both(0.85 * fine, averaged(fine, 5)).codes() == {("contradiction", ""): "gate"}
    low = minutes(3)
    assert both(low, averaged(low, 5) + 0.45).codes() == {}
    assert both(low, averaged(low, 5) + 0.55).codes() == {("contradiction", ""): "gate"}
    whole = np.round(low)
    assert both(whole, np.round(averaged(whole, 5))).codes() == {}


@pytest.mark.parametrize("metric", ["memory_utilization", "network_in"])
def test_it_concerns_its_metric_alone(metric: str) -> None:
    scale = 1000 if metric == "network_in" else 1
    fine = minutes(60) * scale
    seen = both(0.1 * fine, averaged(fine, 5), metric)
    assert seen.codes() == {("contradiction", metric): "gate"}


def test_chatter_is_no_contradiction() -> None:
    fine = minutes(50)  # bytes a second
    assert both(fine, 5 * averaged(fine, 5), "network_in").codes() == {}


def test_only_moments_that_both_have_are_compared() -> None:
    before = pack("m-1", CPU, noise(60)[: 14 * A_DAY])
    since = minutes(5)[: 14 * 1440]
    start = T0 + timedelta(days=14)
    assert ("contradiction", "") not in gate(
        shard(before, pack("m-1", CPU, since, period_seconds=60, start=start))
    ).codes()


def test_periods_that_do_not_divide_each_other() -> None:
    steady = np.full(DAYS * 360, 30.0)
    steady[::11] = 31.0
    rows = pack("m-1", CPU, steady, period_seconds=240)
    for level, expected in ((30.0, {}), (60.0, {("contradiction", ""): "gate"})):
        coarse = np.full(DAYS * A_DAY, level)
        coarse[::11] += 1.0
        assert gate(shard(rows, pack("m-1", CPU, coarse))).codes() == expected
