"""What a machine needs, from what it used."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from costopt.model import Profile
from costopt.rules.base import Case
from costopt.rules.demand import Memory, cpu_demand, memory_demand, network_demand
from tests.rules.builders import case, profile, samples


@given(
    st.lists(st.integers(0, 10_500), min_size=1, max_size=300),
    st.integers(0, 200),
    st.integers(20, 100),
    st.floats(0, 105),
)
def test_refused_samples_that_are_demand_count_above_everything(
    hundredths: list[int], refused: int, busy: int, threshold: float
) -> None:
    values = np.array(hundredths + [9_500] * busy) / 100  # a tenth of `refused` at least
    cpu = cpu_demand(profile(values, refused_high=refused))
    true = np.concatenate([values, np.full(refused, 106.0)])
    rank = np.quantile(true, 0.995, method="inverted_cdf")
    assert cpu.refused == refused
    assert cpu.p99_5 >= min(rank, 105) - 1e-9
    assert cpu.share_over(threshold) >= (true > threshold).mean() - 1e-9
    if not refused:
        assert cpu.p99_5 == rank


def test_refused_samples_of_a_calm_machine_are_a_broken_counter_s() -> None:
    cpu = cpu_demand(profile(samples(level=10), refused_high=800))
    assert (cpu.refused, cpu.p99_5, cpu.share_over(20)) == (0, 10, 0)


def test_the_upper_bound_counts_hours() -> None:
    fine = cpu_demand(profile(samples(level=10)))
    coarse = cpu_demand(profile(samples(level=10)[::12], period=3600))
    assert fine.upper_bound(0.0) == pytest.approx(coarse.upper_bound(0.0))
    assert fine.upper_bound(0.0) == pytest.approx(1.96**2 / (672 + 1.96**2), rel=1e-3)


def in_memory(**more: np.ndarray) -> Case:
    metrics = {("memory_utilization", name): values for name, values in more.items()}
    return case("g16", samples(level=10), metrics=metrics)


def test_memory_takes_the_largest_sample_of_means_and_maxima() -> None:
    given_case = in_memory(mean=samples(level=40), max=samples(level=60))
    memory = memory_demand(given_case, trusted=True)
    assert memory.outlook is not None
    assert memory.outlook.peak_percent == 60
    assert memory.needed_gib == pytest.approx(0.6 * 64 / 0.85)
    untrusted = memory_demand(given_case, trusted=False)
    assert (untrusted.measured, untrusted.needed_gib) == (False, 64)


def test_unmeasured_memory_needs_what_it_has() -> None:
    assert memory_demand(in_memory(), trusted=True) == Memory(64, None, 64)


def test_memory_may_need_more_than_it_has() -> None:
    memory = memory_demand(in_memory(mean=samples(level=95)), trusted=True)
    assert memory.needed_gib == pytest.approx(0.95 * 64 / 0.85)


@pytest.mark.parametrize("statistic", ["mean", "max"])
def test_memory_seen_beyond_what_it_has_stays(statistic: str) -> None:
    given_case = in_memory(mean=samples(level=40))
    near_full = samples(level=40, burst=92, burst_share=0.01)
    for values, needed in ((near_full, 64), (samples(level=40), 0.4 * 64 / 0.85)):
        beyond = profile(values, "memory_utilization", statistic=statistic, refused_high=9)
        own = [p for p in given_case.profiles if (p.metric_name, p.statistic) != key(beyond)]
        one = replace(given_case, profiles=(*own, beyond))
        assert memory_demand(one, trusted=True).needed_gib == pytest.approx(needed)


def key(one: Profile) -> tuple[str, str]:
    return one.metric_name, one.statistic


def test_traffic_of_both_directions_is_added() -> None:
    one = network_demand(case("g16", metrics={"network_in": samples(level=1e8)}))
    assert one.gbps == pytest.approx(0.8)
    assert one.unmeasured == ("network_out",)
    assert network_demand(case("g16")).gbps is None  # missing is never zero
