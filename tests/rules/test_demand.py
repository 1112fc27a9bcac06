"""What a machine needs, from what it used."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from costopt.rules.demand import cpu_demand, memory_demand, network_demand, vcpus_needed
from tests.rules.builders import case, profile, samples


@given(
    st.lists(st.integers(0, 10_500), min_size=1, max_size=300),
    st.integers(0, 200),
    st.sampled_from(("P90", "P95", "P99", "P99.5")),
    st.floats(0, 105),
)
def test_refused_samples_count_as_demand(hundredths, refused, name, threshold) -> None:
    values = np.array(hundredths) / 100
    cpu = cpu_demand(profile(values, refused_high=refused), name)
    true = np.concatenate([values, np.full(refused, 106.0)])
    rank = np.quantile(true, float(name[1:]) / 100, method="inverted_cdf")
    assert cpu.sized_on >= min(rank, 105) - 1e-9
    assert cpu.share_over(threshold) >= (true > threshold).mean() - 1e-9
    if not refused:
        assert cpu.sized_on == rank


def test_the_limit_binds_where_the_percentile_is_low() -> None:
    values = samples(level=10, burst=50, burst_share=0.02)
    cpu = cpu_demand(profile(values), "P95")
    assert vcpus_needed(cpu, 16, 20, 90) == pytest.approx(0.5 * 16 / 0.9)
    assert vcpus_needed(cpu_demand(profile(values), "P99.5"), 16, 20, 90) == pytest.approx(10)


def test_the_upper_bound_counts_hours() -> None:
    fine = cpu_demand(profile(samples(level=10)), "P99.5")
    coarse = cpu_demand(profile(samples(level=10)[::12], period=3600), "P99.5")
    assert fine.upper_bound(0.0) == pytest.approx(coarse.upper_bound(0.0))
    assert fine.upper_bound(0.0) == pytest.approx(1.96**2 / (672 + 1.96**2), rel=1e-3)


def test_memory_takes_the_largest_sample_of_means_and_maxima() -> None:
    peak = profile(samples(level=60), "memory_utilization", statistic="max")
    given_case = case("g16", metrics={"memory_utilization": samples(level=40)}, profiles=[peak])
    memory = memory_demand(given_case, 15, trusted=True)
    assert memory.peak_percent == 60
    assert memory.needed_gib == pytest.approx(0.6 * 64 / 0.85)
    untrusted = memory_demand(given_case, 15, trusted=False)
    assert (untrusted.measured, untrusted.needed_gib) == (False, 64)


def test_traffic_of_both_directions_is_added() -> None:
    one = network_demand(case("g16", metrics={"network_in": samples(level=1e8)}))
    assert one.gbps == pytest.approx(0.8)
    assert one.unmeasured == ("network_out",)
    assert network_demand(case("g16")).gbps == 0
