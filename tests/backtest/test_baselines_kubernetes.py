"""VPA, Crane, KRR and Kruize: against a plain loop over dated samples, and cases by hand."""

from __future__ import annotations

import math
from collections import defaultdict

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from costopt.backtest.baselines import find
from costopt.backtest.baselines.histogram import Buckets
from tests.backtest.pasts import FORTNIGHT, only_last, past, rising

GIB = 1024**3
QUARTER_HOUR = 900
DAY = 86_400


def vpa_by_hand(samples: list[tuple[float, float]], first: float, share: float) -> float:
    """VPA's percentile of (seconds, value), sample by sample as its recommender adds them."""
    reference = round(samples[0][0] / DAY) * DAY  # it dates its weights from the first sample
    weight: dict[int, float] = defaultdict(float)
    for at, value in samples:
        grown = value * 0.05 / first + 1
        bucket = int(math.log(grown) / math.log(1.05)) if value >= first else 0
        weight[bucket] += 2 ** ((at - reference) / DAY)
    total, so_far = sum(weight.values()), 0.0
    for bucket in sorted(weight):
        so_far += weight[bucket]
        if so_far >= share * total or bucket == max(weight):
            return first * (1.05 ** (bucket + 1) - 1) / 0.05
    raise AssertionError("a histogram of nothing")


days = st.lists(
    st.lists(st.floats(0, 100, width=32) | st.just(np.nan), min_size=24, max_size=24),
    min_size=2,
    max_size=5,
)


@given(days, st.sampled_from([1, 4, 64]), st.sampled_from([1, 16]))
@example([[1.0] * 24] * 2, 1, 1)  # exactly 0.01 core, where the second bucket starts
def test_vpa_is_what_adding_sample_by_sample_gives(
    drawn: list[list[float]], vcpus: int, gib: int
) -> None:
    series = np.array(drawn).ravel()
    series[3], series[-2] = 40, 30  # two samples at least
    machine = past(series, vcpus=vcpus, memory=series, memory_gib=gib)
    there = [(i * 3600.0, float(v)) for i, v in enumerate(series) if not math.isnan(v)]
    used = [(at, value / 100 * vcpus) for at, value in there]
    target = max(1.15 * vpa_by_hand(used, 0.01, 0.9), 0.025) / vcpus

    peaks: dict[int, float] = {}  # by 24 hours since the first sample
    for at, value in there:
        interval = int((at - there[0][0]) // DAY)
        peaks[interval] = max(peaks.get(interval, 0.0), value / 100 * gib * GIB)
    dated = [(there[0][0] + (k + 1) * DAY, value) for k, value in sorted(peaks.items())]
    held = max(1.15 * vpa_by_hand(dated, 1e7, 0.9), 250 * 1024**2) / (gib * GIB)
    assert find("vpa").need(machine) == pytest.approx((target, held))

    confidence = min((there[-1][0] - there[0][0]) / DAY, len(there) * 60 / 1440)
    upper = 1.15 * (1 + 1 / confidence) * vpa_by_hand(used, 0.01, 0.95)
    assert find("vpa-upper").need(machine).cpu == pytest.approx(max(upper, 0.025) / vcpus)


def test_vpa_forgets_by_half_a_day() -> None:
    # The last 12 of 48 hours weigh 1 - 2^-0.5 = 29 % of all until then, more than the 10 % of P90;
    # the first 12 of 336 weigh next to nothing.
    busy_lately, busy_once = np.full(48, 10.0), np.full(FORTNIGHT, 10.0)
    busy_lately[-12:], busy_once[:12] = 60, 60
    assert find("vpa").need(past(busy_lately, vcpus=4)).cpu > 0.6 * 1.15
    assert find("vpa").need(past(busy_once, vcpus=4)).cpu < 0.15
    # All beyond 8 days weighs 2^-8.
    assert 2.0**-8 < 0.004


def test_vpa_s_floors() -> None:
    idle = past(np.zeros(24), vcpus=2, memory=0.1, memory_gib=4)
    assert find("vpa").need(idle) == pytest.approx((0.025 / 2, 250 / 4096))


def test_vpa_upper_needs_two_moments() -> None:
    assert np.isnan(find("vpa-upper").need(past(only_last(rising(), 1), vcpus=2)).cpu)
    # Ten hours of ten samples: c = min(9/24, 10/24) = 0.375, so that the bound is 1 + 1/0.375.
    level = past(only_last(np.full(FORTNIGHT, 50.0), 10), vcpus=2)
    cores = vpa_by_hand([(0.0, 1.0)], 0.01, 0.5)  # the end of one core's bucket
    expected = cores * 1.15 * (1 + 1 / 0.375) / 2
    assert find("vpa-upper").need(level).cpu == pytest.approx(expected)


def test_a_bucket_s_end_is_the_answer_and_the_last_has_none() -> None:
    # Widths 1, 2, 4: starts 0, 1, 3, 7; the last starts at or above 7.
    growing = Buckets(first=1, growth=2, maximum=7)
    assert growing.count == 4
    assert [growing.start(bucket) for bucket in range(4)] == [0, 1, 3, 7]
    values, ones = np.array([0.5, 2.0, 2.5, 50.0]), np.ones(4)
    weight = growing.weigh(values, ones)
    assert weight.tolist() == [1, 2, 0, 1]
    ends = [growing.percentile(weight, share) for share in (0.25, 0.26, 0.75, 1.0)]
    assert ends == [1, 3, 3, 7]
    assert math.isnan(growing.percentile(growing.weigh(values[:0], ones[:0]), 0.5))


@pytest.mark.parametrize("first", [0.01, 1e7])
def test_a_value_at_a_bucket_s_start_is_in_it(first: float) -> None:
    # VPA: "value < firstBucketSize" is the first bucket, so that a value of that size is not.
    growing = Buckets(first=first, growth=1.05, maximum=1e5 * first)
    values = np.array([0, np.nextafter(first, 0), first, growing.start(7)])
    assert np.flatnonzero(growing.weigh(values, np.ones(4))).tolist() == [0, 1, 7]
    assert growing.weigh(values, np.ones(4))[:2].tolist() == [2, 1]


def test_crane_s_p99_is_of_the_work() -> None:
    # Of 672 quarter hours 4 (0.6 %) at 3.45 cores do 13.8 core-units, the others at 0.04 core 26.7:
    # P99 of the work is 3.45, in the bucket that ends at 3.5 cores.
    cpu = np.full(7 * 96, 1.0)
    cpu[10:14] = 86.25
    machine = past(cpu, period=QUARTER_HOUR, vcpus=4)
    assert find("crane").need(machine).cpu == pytest.approx(3.5 * 1.15 / 4)
    level = past(np.full(7 * 96, 1.0), period=QUARTER_HOUR, vcpus=4)
    assert find("crane").need(level).cpu == pytest.approx(0.1 * 1.15 / 4)


def test_crane_s_memory_and_its_end() -> None:
    # 50.1 % of 1 GiB are 513.02 MiB, in the bucket that ends at 600 MiB.
    machine = past(np.full(FORTNIGHT, 1.0), memory=50.1, memory_gib=1)
    assert find("crane").need(machine).memory == pytest.approx(600 / 1024 * 1.15)
    # Buckets end at 100 cores: a machine of 192 that uses 150 is told 115.
    huge = past(np.full(FORTNIGHT, 150 / 1.92), vcpus=192)
    assert find("crane").need(huge).cpu == pytest.approx(115 / 192)


def test_crane_looks_at_a_week() -> None:
    older = np.concatenate([np.full(168, 90.0), np.full(168, 9.5)])
    assert find("crane").need(past(older, vcpus=10)).cpu == pytest.approx(1 * 1.15 / 10)


@pytest.mark.parametrize(
    ("name", "cpu"),
    [
        # Linear between ranks of 336, from 0: 0.95 x 335 = 318.25, the sample of rank r is (r+1)/4.
        ("krr-simple", 319.25 / 4 / 100),
        # 0.99 x 335 = 331.65; and 15 %.
        ("krr-p99", 332.65 / 4 * 1.15 / 100),
    ],
)
def test_krr(name: str, cpu: float) -> None:
    need = find(name).need(past(rising(), vcpus=4, memory=30.0, memory_max=64.0, memory_gib=16))
    assert need == pytest.approx((cpu, 0.64 * 1.15))


def test_krr_wants_a_hundred_points_of_each_metric() -> None:
    level = np.full(FORTNIGHT, 50.0)
    machine = past(only_last(level, 99), memory=only_last(level, 100))
    need = find("krr-simple").need(machine)
    assert np.isnan(need.cpu)
    assert need.memory == pytest.approx(0.575)


def test_krr_looks_at_a_fortnight_and_kruize_at_a_day_more() -> None:
    older = np.concatenate([np.full(24, 90.0), np.full(24, 70.0), np.full(FORTNIGHT, 50.0)])
    machine = past(older, vcpus=4)
    assert find("krr-p99").need(machine).cpu == pytest.approx(0.5 * 1.15)
    assert find("kruize-perf").need(machine).cpu == pytest.approx(0.7)


def test_krr_s_floors() -> None:
    idle = past(np.zeros(FORTNIGHT), vcpus=2, memory=0.0, memory_gib=4)
    assert find("krr-simple").need(idle) == pytest.approx((0.005, 1e8 / (4 * GIB)))


def test_kruize_takes_the_nearest_sample() -> None:
    # 1,344 quarter hours: P60 at 0.6 x 1343 = 805.8, so 806, P98 at 1316.14.
    cpu = np.arange(1344) / 16
    assert find("kruize-cost").need(past(cpu, period=QUARTER_HOUR, vcpus=4)).cpu == 806 / 1600
    assert find("kruize-perf").need(past(cpu, period=QUARTER_HOUR, vcpus=4)).cpu == 1316 / 1600


def test_kruize_gives_less_than_a_core_its_maximum() -> None:
    cpu = np.arange(1344) / 16  # up to 83.9 %, of one vCPU less than a core
    for name in ("kruize-cost", "kruize-perf"):
        assert find(name).need(past(cpu, period=QUARTER_HOUR, vcpus=1)).cpu == 1343 / 1600
    # 0.1 % of one vCPU is a millicore: no answer.
    assert np.isnan(find("kruize-cost").need(past(np.full(FORTNIGHT, 0.1), vcpus=1)).cpu)
    assert np.isnan(find("kruize-cost").need(past(np.zeros(FORTNIGHT))).cpu)


def test_kruize_looks_as_far_back_as_its_data_allow() -> None:
    # A week at 80 %, six days at 40 %, a day at 20 %. With 8 days of data all count, one of them at
    # 80 %; with a quarter hour less, the last 7 days; below 2 days, the last; below half an hour,
    # none.
    cpu = np.repeat([80.0, 40.0, 20.0], [7 * 96, 6 * 96, 96])
    for seen, expected in ((1344, 80), (8 * 96, 80), (8 * 96 - 1, 40), (2 * 96, 40), (191, 20)):
        machine = past(only_last(cpu, seen), period=QUARTER_HOUR, vcpus=8)
        assert find("kruize-perf").need(machine).cpu == pytest.approx(expected / 100)
    for seen, silent in ((2, False), (1, True)):
        machine = past(only_last(cpu, seen), period=QUARTER_HOUR, vcpus=8)
        assert np.isnan(find("kruize-perf").need(machine).cpu) == silent


def test_kruize_takes_the_maxima_of_quarter_hours() -> None:
    five_minutes = np.tile([10.0, 10, 70], 14 * 96)
    machine = past(five_minutes, period=300, vcpus=4)
    assert find("kruize-cost").need(machine).cpu == pytest.approx(0.7)
    assert find("kruize-cost").need(past(five_minutes, period=300, vcpus=4, cpu_max=90.0)).cpu == (
        pytest.approx(0.9)
    )


@pytest.mark.parametrize(
    ("held", "memory"),
    [
        ([40.0, 42, 50], 60),  # rise 10: 50 + 10.5 against 50 x 1.2
        ([48.0, 49, 50], 52.1),  # rise 2: 50 + 2.1
        ([50.0, np.nan, 50], 50),
        ([0.0, 0, 0], np.nan),
    ],
)
def test_kruize_s_memory(held: list[float], memory: float) -> None:
    machine = past(np.full(14 * 288, 50.0), period=300, memory=np.tile(held, 14 * 96))
    np.testing.assert_allclose(find("kruize-cost").need(machine).memory, memory / 100)
