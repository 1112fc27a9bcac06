"""Brief spikes of one machine, as arrays: what is real stays, what was put in is found."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from costopt.frame.corroboration import Series, disputed, refused_is_busy, spike_limit
from tests.frame.packs import A_DAY, DAYS, profile

Values = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
N = DAYS * A_DAY


def series(values: Values, period_seconds: int = 300) -> Series:
    return Series(values.astype(np.float32), period_seconds)


def found(cpu: Values, *, memory: Values | None = None, network: Values | None = None) -> Flags:
    return disputed(
        series(cpu),
        [] if memory is None else [series(memory)],
        [] if network is None else [series(network)],
    )


class Machine(NamedTuple):
    cpu: Values
    network: Values
    jobs: Flags  # samples of real bursts of work


def machine(jobs_a_day: float, *, seed: int = 0, level: float = 6.0) -> Machine:
    """Jobs of 5 to 20 minutes at random times, with a shoulder before or after, and traffic."""
    rng = np.random.default_rng(seed)
    cpu, network = rng.gamma(20, level / 20, N), rng.gamma(5, 1e4, N)
    jobs = np.zeros(N, bool)
    for start in rng.choice(N - 8, int(jobs_a_day * DAYS), replace=False) + 1:
        length = int(rng.integers(1, 5))
        jobs[start : start + length] = True
        shoulder = start - 1 if rng.random() < 0.5 else start + length
        cpu[shoulder] = max(cpu[shoulder], 1.8 * level)
    cpu[jobs] = rng.uniform(40, 90, jobs.sum())
    network[jobs] = rng.uniform(3e5, 6e5, jobs.sum())
    return Machine(cpu, network, jobs)


def injected(cpu: Values, share: float, seed: int = 1) -> tuple[Values, Flags]:
    """Random samples replaced by 80 to 100 %; which."""
    rng = np.random.default_rng(seed)
    hit = rng.random(len(cpu)) < share
    return np.where(hit, rng.uniform(80, 100, len(cpu)), cpu), hit


class TestInjection:
    @pytest.mark.parametrize("seed", [0, 1, 2])
    @pytest.mark.parametrize("share", [0.01, 0.05])
    def test_what_was_put_in_is_found_and_work_is_left(self, share: float, seed: int) -> None:
        true = machine(1, seed=seed)
        cpu, hit = injected(true.cpu, share, seed + 50)
        accused = found(cpu, network=true.network)
        assert accused[hit & ~true.jobs].mean() >= 0.95
        assert accused[true.jobs].mean() <= 0.05

    def test_memory_alone_finds_it_too(self) -> None:
        rng = np.random.default_rng(4)
        memory = 40 + np.cumsum(rng.normal(0, 0.05, N)) + rng.normal(0, 0.5, N)
        cpu, hit = injected(rng.gamma(20, 0.3, N), 0.05)
        assert found(cpu, memory=memory)[hit].mean() >= 0.95

    def test_a_busy_machine_can_have_spikes(self) -> None:
        cpu, hit = injected(machine(0, level=35).cpu, 0.02)
        assert np.quantile(cpu, 0.9) * 3 > 100
        assert found(cpu, network=machine(0, seed=5).network)[hit].mean() >= 0.95

    def test_where_hardly_any_is_real_all_brief_ones_are_disputed(self) -> None:
        true = machine(0.1)
        cpu, hit = injected(true.cpu, 0.05)
        assert 0 < true.jobs.sum() < 15
        assert found(cpu, network=true.network)[hit].mean() >= 0.99


class TestWork:
    """Nothing of it is disputed."""

    @pytest.mark.parametrize("jobs_a_day", [0.2, 4, 12])
    def test_bursts_with_traffic(self, jobs_a_day: float) -> None:
        true = machine(jobs_a_day)
        assert not found(true.cpu, network=true.network).any()

    def test_a_job_at_every_full_hour_that_leaves_no_trace(self) -> None:
        cpu = machine(0).cpu
        cpu[::12] = 60.0
        assert not found(cpu, network=machine(0, seed=5).network).any()
        ahead = np.roll(cpu.reshape(DAYS, A_DAY), 7)
        random = np.random.default_rng(1).permuted(ahead, axis=1).ravel()
        assert found(random, network=machine(0, seed=5).network).any()

    def test_stretches_of_more_than_half_an_hour(self) -> None:
        rng = np.random.default_rng(0)
        starts = np.arange(DAYS) * A_DAY + rng.permutation(DAYS) * 9
        network = machine(0, seed=5).network
        for length, doubtful in ((6, True), (7, False)):
            cpu = machine(0).cpu
            for start in starts:
                cpu[start : start + length] = 70.0
            assert found(cpu, network=network).any() == doubtful

    def test_one_spike_proves_nothing(self) -> None:
        cpu = machine(0).cpu
        cpu[1000] = 95.0
        assert not found(cpu, network=machine(0, seed=5).network).any()

    def test_small_rises_are_no_spikes(self) -> None:
        cpu, _ = injected(machine(0, level=1).cpu, 0.02)
        low = np.minimum(cpu, 10.0)
        assert not found(low, network=machine(0, seed=5).network).any()

    @pytest.mark.parametrize(
        ("p90", "limit"), [(1, 10), (5, 15), (20, 60), (25, 62.5), (40, 70), (90, 95)]
    )
    def test_what_a_spike_is(self, p90: float, limit: float) -> None:
        assert spike_limit(p90) == limit


class TestWitnesses:
    def test_without_one_that_moves_nothing_is_disputed(self) -> None:
        cpu, _ = injected(machine(0).cpu, 0.05)
        assert not found(cpu).any()
        assert not found(cpu, network=np.full(N, 1e4)).any()
        assert not found(cpu, network=np.full(N, np.nan)).any()
        assert not found(np.full(N, np.nan), network=machine(0).network).any()

    def test_a_spike_is_judged_only_while_one_is_heard(self) -> None:
        cpu, hit = injected(machine(0).cpu, 0.02)
        network, memory = machine(0, seed=5).network, machine(0, seed=6).network
        network[: N // 2] = np.nan
        accused = found(cpu, network=network)
        assert not accused[: N // 2].any()
        assert accused[N // 2 :][hit[N // 2 :]].mean() > 0.95
        # memory, too, does not speak for a network that is silent
        assert not found(cpu, network=network, memory=memory)[: N // 2].any()

    @pytest.mark.parametrize(
        ("period", "slots_off", "near"),
        [(60, 4, True), (60, 5, False), (300, 0, True), (300, 1, False), (900, 0, False)],
    )
    def test_less_than_five_minutes_after_a_spike_is_near(
        self, period: int, slots_off: int, near: bool
    ) -> None:
        """`slots_off` of the witness's periods lie between the spike's and the loud one; of 900
        seconds the spike's five minutes are the first, so that the next one is ten minutes off."""
        rng = np.random.default_rng(2)
        cpu = machine(0).cpu
        spikes = rng.permutation(N // 24)[:60] * 24
        cpu[spikes] = 80.0
        network = rng.gamma(5, 1e4, N * 300 // period)
        after = (spikes * 300 + 299) // period + 1 + slots_off
        network[after] = rng.uniform(1e6, 2e6, len(after))
        assert disputed(series(cpu), [], [series(network, period)]).any() != near

    def test_five_minutes_before_are_near_too(self) -> None:
        rng = np.random.default_rng(2)
        cpu = machine(0).cpu
        spikes = rng.permutation(N // 24)[:60] * 24 + 12
        cpu[spikes] = 80.0
        for before, doubtful in ((1, False), (2, True)):
            network = rng.gamma(5, 1e4, N)
            network[spikes - before] = rng.uniform(1e6, 2e6, len(spikes))
            assert found(cpu, network=network).any() == doubtful

    @settings(max_examples=10, derandomize=True)
    @given(scale=st.integers(-8, 8), seed=st.integers(0, 20))
    def test_the_unit_of_a_witness_does_not_matter(self, scale: int, seed: int) -> None:
        true = machine(3, seed=seed)
        cpu, _ = injected(true.cpu, 0.02, seed)
        one = found(cpu, network=true.network)
        assert np.array_equal(found(cpu, network=true.network * 2.0**scale), one)

    @settings(max_examples=10, derandomize=True)
    @given(seed=st.integers(0, 1000), gaps=st.floats(0, 0.5))
    def test_only_brief_spikes_are_ever_disputed(self, seed: int, gaps: float) -> None:
        true = machine(3, seed=seed)
        cpu, _ = injected(true.cpu, 0.03, seed)
        cpu[np.random.default_rng(seed).random(N) < gaps] = np.nan
        accused = found(cpu, network=true.network)
        limit = spike_limit(np.nanquantile(cpu, 0.9, method="inverted_cdf"))
        assert (cpu[accused] > limit).all()
        edges = np.flatnonzero(np.diff(accused, prepend=False, append=False))
        assert (edges[1::2] - edges[::2] <= 6).all()


class TestRefusals:
    """Refused high samples are demand where a tenth as many were kept at 90 % and more."""

    def of(self, kept: int, refused: int) -> bool:
        histogram = [0] * 106
        histogram[20], histogram[89], histogram[90], histogram[104] = (
            5000,
            99,
            kept // 2,
            -(-kept // 2),
        )
        return refused_is_busy(
            profile(histogram=histogram, count=sum(histogram), refused_high=refused)
        )

    @pytest.mark.parametrize(
        ("kept", "refused", "busy"),
        [(4896, 860, True), (86, 860, True), (85, 860, False), (0, 1, False), (0, 0, True)],
    )
    def test_a_tenth(self, kept: int, refused: int, busy: bool) -> None:
        assert self.of(kept, refused) == busy

    def test_only_of_percentages(self) -> None:
        with pytest.raises(ValueError, match="network_in"):
            refused_is_busy(profile(metric_name="network_in", histogram=None))


@pytest.fixture(scope="module")
def bitbrains(real_data: Path) -> list[tuple[Values, Values]]:
    """CPU and active memory of every seventh VM over 14 days, where half of it is there."""
    path = real_data / "bitbrains" / "dev_300vms_jul_aug.parquet"
    columns = ["vm_id", "ts_unix_s", "cpu_usage_pct", "mem_capacity_kb", "mem_used_kb"]
    start, slots = 1_375_488_000, 14 * A_DAY  # 3 August 2013
    ids = pc.unique(pq.read_table(path, columns=["vm_id"])["vm_id"]).sort()[::7]
    inside = (pc.field("ts_unix_s") >= start) & (pc.field("ts_unix_s") < start + slots * 300)
    rows = pq.read_table(
        path, columns=columns, filters=inside & pc.field("vm_id").isin(ids)
    ).to_pandas()
    rows = rows[rows.mem_capacity_kb > 0]
    machines = []
    for _, one in rows.groupby("vm_id"):
        at = (one.ts_unix_s.to_numpy() - start) // 300
        cpu, memory = np.full(slots, np.nan), np.full(slots, np.nan)
        cpu[at], memory[at] = one.cpu_usage_pct, 100 * one.mem_used_kb / one.mem_capacity_kb
        cpu[cpu > 105] = np.nan
        if np.isfinite(cpu).mean() > 0.5:
            machines.append((cpu, memory))
    return machines


class TestRealMachines:
    def test_hardly_any_real_sample_is_disputed(
        self, bitbrains: list[tuple[Values, Values]]
    ) -> None:
        assert len(bitbrains) >= 35
        shares = [found(cpu, memory=memory).mean() for cpu, memory in bitbrains]
        assert np.mean(shares) < 0.001
        assert np.count_nonzero(shares) <= 2

    @pytest.mark.parametrize("share", [0.01, 0.05])
    def test_injected_spikes_are_found(
        self, bitbrains: list[tuple[Values, Values]], share: float
    ) -> None:
        caught, lost = [], []
        for seed, (true, memory) in enumerate(bitbrains):
            cpu, hit = injected(true, share, seed)
            cpu[np.isnan(true)] = np.nan
            hit &= ~np.isnan(true)
            accused = found(cpu, memory=memory)
            caught.append(accused[hit].mean())
            lost.append(accused[~hit].mean())
        assert np.median(caught) > 0.95
        assert np.mean(caught) > 0.8
        assert np.mean(lost) < 0.001
