"""What must hold of the gate whatever the data: order, missing samples, who may be accused."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
from hypothesis import given, settings
from hypothesis import strategies as st

from costopt.config import QualitySettings
from costopt.frame.days import key_of
from costopt.frame.quality import assess, gate_skips
from costopt.frame.series import chosen
from costopt.model import FindingLevel
from tests.frame.packs import (
    A_DAY,
    DAYS,
    END,
    Gated,
    Rows,
    gate,
    noise,
    pack,
    profile,
    resource,
    shard,
)

FEW = settings(max_examples=20, derandomize=True)
MANY = settings(max_examples=200, derandomize=True)

seeds = st.integers(0, 2**32 - 1)


def fleet(seed: int) -> dict[str, Rows]:
    """Five machines with spikes, gaps, flat runs, zeros and witnesses here and there."""
    rng = np.random.default_rng(seed)
    found = {}
    for number in range(5):
        name = f"m-{number}"
        cpu = noise(float(rng.choice([0.3, 5, 20])), seed=seed % 1000 + number)
        cpu[rng.random(len(cpu)) < rng.choice([0, 0.01])] = 95.0
        cpu[rng.random(len(cpu)) < rng.choice([0, 0.3])] = np.nan
        start = int(rng.integers(0, len(cpu) - 4 * A_DAY))
        cpu[start : start + int(rng.integers(1, 4 * A_DAY))] = rng.choice([0.0, 7.31, np.nan])
        rows = pack(name, "cpu_utilization", cpu, Duplicates=int(rng.integers(0, 2)))
        if rng.random() < 0.7:
            rows += pack(name, "network_in", noise(50, seed=number) * 1e3)
        found[name] = rows
    return found


def through(*shards: Rows) -> Gated:
    names = {row["ResourceId"] for rows in shards for row in rows}
    return gate(
        *(shard(rows) for rows in shards), resources={name: resource(name) for name in names}
    )


@FEW
@given(seed=seeds)
def test_order_of_rows_and_shards_changes_nothing(seed: int) -> None:
    machines = fleet(seed)
    rows = [row for of_machine in machines.values() for row in of_machine]
    mixed = np.random.default_rng(seed).permutation(len(rows))
    one = through(rows)
    assert through([rows[i] for i in mixed]).findings == one.findings
    apart = through(*reversed([list(reversed(of_machine)) for of_machine in machines.values()]))
    assert apart.findings == one.findings
    assert apart.signals == one.signals


def without(values: npt.NDArray[np.float64], hours: list[int]) -> npt.NDArray[np.float64]:
    holes = values.copy()
    for hour in hours:
        holes[hour * 12 : hour * 12 + 12] = np.nan
    return holes


@FEW
@given(
    level=st.sampled_from([0.5, 8.0, 40.0]),
    hours=st.lists(st.integers(0, DAYS * 24 - 1), max_size=600, unique=True),
    seed=st.integers(0, 50),
)
def test_a_missing_hour_is_never_zero(level: float, hours: list[int], seed: int) -> None:
    full = noise(level, seed=seed)
    holes = without(full, hours)
    whole = through(pack("m-1", "cpu_utilization", full))
    holey = through(pack("m-1", "cpu_utilization", holes))
    there = holes[~np.isnan(holes)]
    (before,), (after,) = whole.profiles["m-1"], holey.profiles["m-1"]
    assert after.coverage <= before.coverage
    assert after.count == len(there)
    assert after.min == there.min() >= before.min
    assert after.p50 == np.percentile(there, 50, method="inverted_cdf")
    assert "zeros" not in {f.check for f in holey.findings["m-1"]}
    if after.coverage < QualitySettings().min_coverage:
        assert ("coverage", "") in holey.codes() or gate_skips(holey.findings)


@FEW
@given(share=st.floats(0.001, 0.05), seed=st.integers(0, 50))
def test_spikes_without_a_witness_are_never_disputed(share: float, seed: int) -> None:
    cpu = noise(10, seed=seed)
    cpu[np.random.default_rng(seed).random(len(cpu)) < share] = 99.0
    assert not through(pack("m-1", "cpu_utilization", cpu)).signals.disputed
    mute = pack("m-1", "network_in", np.full(len(cpu), 1e4))
    assert not through(pack("m-1", "cpu_utilization", cpu) + mute).signals.disputed


@FEW
@given(share=st.floats(0.001, 0.05), seed=st.integers(0, 50))
def test_disputed_samples_only_ever_lower_the_upper_figures(share: float, seed: int) -> None:
    cpu = noise(10, seed=seed)
    cpu[np.random.default_rng(seed).random(len(cpu)) < share] = 99.0
    rows = pack("m-1", "cpu_utilization", cpu) + pack("m-1", "disk_read", noise(50, seed=1) * 1e3)
    seen = through(rows)
    before = next(p for p in seen.profiles["m-1"] if p.metric_name == "cpu_utilization")
    found = seen.signals.disputed.get("m-1")
    if found is None:
        return
    after = found.corroborated(before)
    assert 0 < found.samples <= (cpu > 10).sum()
    assert after.count + found.samples == before.count
    assert sum(found.histogram) == after.count
    for name in ("mean", "p50", "p90", "p95", "p99", "p99_5", "max"):
        assert getattr(after, name) <= getattr(before, name)


columns = st.fixed_dictionaries(
    {},
    optional={
        "coverage": st.floats(0, 1),
        "duplicates": st.integers(0, 9000),
        "conflicts": st.integers(0, 9000),
        "refused_low": st.integers(0, 9000),
        "refused_high": st.integers(0, 9000),
        "longest_gap_seconds": st.integers(0, 30 * 86_400),
        "longest_flat_seconds": st.integers(0, 30 * 86_400),
        "max": st.floats(0, 105),
        "period_seconds": st.sampled_from([60, 300, 900, 3600, 86_400]),
        "metric_name": st.sampled_from(["cpu_utilization", "memory_utilization", "gpu_sm_active"]),
        "statistic": st.sampled_from(["mean", "max"]),
        "device": st.sampled_from(["", "0", "1"]),
    },
)


@MANY
@given(st.lists(columns, min_size=1, max_size=4), st.randoms(use_true_random=False))
def test_findings_do_not_depend_on_the_order_of_series(changes: list[Any], random: Any) -> None:
    distinct = {key_of(profile(**change)): profile(**change) for change in changes}
    series = list(distinct.values())
    known = {"m-1": resource()}

    def findings(rows: list[Any]) -> tuple[Any, ...]:
        seen = {"m-1": chosen(rows, QualitySettings())}
        return assess(known, seen, END, QualitySettings())["m-1"]

    straight = findings(series)
    random.shuffle(series)
    assert findings(series) == straight
    assert all(f.count >= 0 and f.example and f.detail for f in straight)


@MANY
@given(columns, st.floats(0, 1))
def test_less_coverage_never_opens_the_gate(change: dict[str, Any], coverage: float) -> None:
    one = profile(**change)
    thinner = replace(one, coverage=min(one.coverage, coverage))

    def gates(seen: Any) -> set[Any]:
        found = assess({"m-1": resource()}, {"m-1": (seen,)}, END, QualitySettings())["m-1"]
        return {f.metric_name for f in found if f.level is FindingLevel.GATE}

    assert gates(one) <= gates(thinner)
