"""optimize/size.py: arrays in, arrays out."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from costopt.optimize.size import (
    Offers,
    carries,
    choose,
    large_enough,
    needed,
    share_over,
    sustains,
    wilson_upper,
)


def offers(
    hourly: list[float],
    vcpus: list[float],
    *,
    memory: list[float] | None = None,
    distance: list[int] | None = None,
    feasible: list[bool] | None = None,
    risk: list[float] | None = None,
    safe: float = 1.0,
    rollback_cost: float = 0.5,
) -> Offers:
    """Without `risk` nothing can go wrong: the price alone decides."""
    count = len(hourly)
    return Offers(
        np.array(hourly),
        np.array(vcpus, float),
        np.full(count, 64.0) if memory is None else np.array(memory),
        np.zeros(count, np.int64) if distance is None else np.array(distance),
        np.ones(count, bool) if feasible is None else np.array(feasible),
        np.zeros(count) if risk is None else np.array(risk),
        safe,
        rollback_cost,
    )


def test_headroom_is_a_share_of_the_new_size() -> None:
    assert needed(17.2, 16, 20) == pytest.approx(3.44)
    assert needed(80, 4, 20) == pytest.approx(4)
    assert needed(50, 8, 0) == pytest.approx(4)


def test_large_enough_forgives_only_the_resolution_of_the_samples() -> None:
    sizes = np.array([1.0, 2.0, 4.0])
    assert large_enough(2.0, 16, sizes).tolist() == [False, True, True]
    assert large_enough(2.009, 16, sizes).tolist() == [False, True, True]  # 0.06 % of 16 = 0.0096
    assert large_enough(2.011, 16, sizes).tolist() == [False, False, True]
    assert large_enough(1.006, 64, sizes).tolist() == [False, True, True]  # 0.5 % of 1 binds


def test_burstable_machines_need_mean_below_baseline_and_p95_below_twice() -> None:
    two = np.array([2.0, 2.0, 2.0])
    baseline = np.array([20.0, 40.0, np.nan])  # sustained: 0.4 and 0.8 vCPU; not burstable
    assert sustains(5, 9, 8, two, baseline).tolist() == [False, True, True]  # mean 0.4, P95 0.72
    assert sustains(5, 21, 8, two, baseline).tolist() == [False, False, True]  # P95 1.68


def test_network_keeps_a_fifth_free_and_unknown_is_taken_as_enough() -> None:
    assert carries(8.0, np.array([10.0, 9.9, np.nan])).tolist() == [True, False, True]


def test_the_cheapest_of_the_family_is_chosen() -> None:
    found = choose(
        offers([0.1, 0.2, 0.4, 0.8], [2, 4, 8, 16], feasible=[False, True, True, True]),
        vcpus=16,
        memory_gib=64,
        hourly=0.8,
        margin=0.05,
    )
    assert found == 1


@pytest.mark.parametrize(
    ("hourly", "vcpus", "expected"),
    [
        (0.18, 2, 0),  # smaller and a tenth cheaper: worth another family
        (0.195, 2, 1),  # smaller, but only 2.5 % cheaper
        (0.15, 4, 1),  # cheaper, but as large: a change of vendor is no rightsizing
    ],
)
def test_another_family_must_be_smaller_and_clearly_cheaper(
    hourly: float, vcpus: float, expected: int
) -> None:
    found = choose(
        offers([hourly, 0.2], [vcpus, 4], distance=[1, 0]),
        vcpus=16,
        memory_gib=64,
        hourly=0.8,
        margin=0.05,
    )
    assert found == expected


def test_a_newer_generation_must_beat_the_same_one() -> None:
    three = offers([0.15, 0.18, 0.3], [4, 4, 8], distance=[2, 1, 0])
    today = {"vcpus": 16.0, "memory_gib": 64.0, "hourly": 0.8, "margin": 0.05}
    assert choose(three, **today) == 1
    assert choose(offers([0.15, 0.18], [2, 4], distance=[2, 1]), **today) == 0
    assert choose(offers([0.15], [4], distance=[-1]), **today) is None
    assert choose(offers([], []), **today) is None


def test_less_memory_at_the_same_vcpus_is_smaller() -> None:
    less = offers([0.17, 0.2], [4, 4], memory=[16.0, 32.0], distance=[1, 0])
    today = {"vcpus": 4.0, "hourly": 0.2, "margin": 0.05}
    assert choose(less, memory_gib=32.0, **today) == 0
    assert choose(less, memory_gib=np.nan, **today) is None


def test_of_equal_prices_the_largest_is_taken() -> None:
    tied = offers([0.3, 0.3, 0.3, 0.3], [2, 4, 4, 1], memory=[32.0, 16.0, 32.0, 64.0])
    assert choose(tied, vcpus=8, memory_gib=64, hourly=0.5, margin=0.05) == 2
    unknown = offers([0.3, 0.3], [4, 4], memory=[np.nan, np.nan])
    assert choose(unknown, vcpus=8, memory_gib=np.nan, hourly=0.5, margin=0.05) == 0


def test_nothing_is_chosen_that_is_dearer() -> None:
    dear = offers([0.9], [8])
    assert choose(dear, vcpus=16, memory_gib=64, hourly=0.8, margin=0.05) is None


TODAY = {"vcpus": 16.0, "memory_gib": 64.0, "hourly": 0.8, "margin": 0.15}


def test_the_least_expected_cost_is_chosen_not_the_least_price() -> None:
    def three(rollback_cost: float, first: float = 0.5) -> Offers:
        return offers(
            [0.1, 0.2, 0.4],
            [2, 4, 8],
            risk=[first, 0.1, 0.0],
            safe=0.4,
            rollback_cost=rollback_cost,
        )

    # 0.1 + 0.5 * (0.3 + 0.5 * 0.4) = 0.35; 0.2 + 0.1 * (0.2 + 0.2) = 0.24; 0.4
    assert three(0.5).expected.tolist() == pytest.approx([0.35, 0.24, 0.4])
    assert choose(three(0.5), **TODAY) == 1
    assert choose(three(5.0), **TODAY) == 2  # 1.25, 0.42, 0.4
    assert choose(three(0.5, first=0.1), **TODAY) == 0  # 0.15


def test_what_would_cost_more_than_today_by_its_risk_is_left() -> None:
    risky = offers([0.6], [8], risk=[0.5], safe=0.8, rollback_cost=2.0)
    assert risky.expected.tolist() == pytest.approx([0.6 + 0.5 * (0.2 + 1.6)])
    assert choose(risky, **TODAY) is None


def test_another_family_is_compared_by_expected_cost_too() -> None:
    def two(risk: float) -> Offers:
        return offers([0.10, 0.2], [2, 4], distance=[1, 0], risk=[risk, 0.0], safe=0.2)

    # 0.10 + risk * (0.1 + 0.1) against 0.85 * 0.2 = 0.17
    assert choose(two(0.34), **TODAY) == 0
    assert choose(two(0.36), **TODAY) == 1


def test_share_over_takes_the_tighter_of_bins_and_quantiles() -> None:
    counts = [0] * 106
    counts[1] = 1000
    assert share_over(1.4, counts, {}) == 1.0  # the bin cannot tell 1.2 from 1.8
    assert share_over(1.4, counts, {0.995: 1.3}) == pytest.approx(0.005)
    assert share_over(1.4, counts, {1.0: 1.39}) == 0.0
    assert share_over(2, counts, {}) == 0.0
    assert share_over(50, [0] * 106, {}) == 0.0


@given(st.lists(st.integers(0, 10_500), min_size=1, max_size=400), st.floats(0, 106))
def test_share_over_is_never_too_low(hundredths: list[int], threshold: float) -> None:
    values = np.sort(np.array(hundredths) / 100)
    counts = np.bincount(np.minimum(values.astype(int), 105), minlength=106).tolist()
    ranks = {
        q: float(values[int(np.ceil(q * len(values))) - 1]) for q in (0.9, 0.95, 0.99, 0.995, 1.0)
    }
    bound = share_over(threshold, counts, ranks)
    assert bound >= (values > threshold).mean() - 1e-12
    assert 0 <= bound <= 1


def test_wilson_upper_bound() -> None:
    # Wilson (1927) as tabulated: 0 of 10 -> 0.2775, 1 of 20 -> 0.2361
    assert wilson_upper(0.0, 10) == pytest.approx(0.2775, abs=1e-4)
    assert wilson_upper(0.05, 20) == pytest.approx(0.2361, abs=1e-4)
    assert wilson_upper(0.2, 0) == 1.0
    assert wilson_upper(1.0, 5) == pytest.approx(1.0)
