"""What holds for every baseline, and the register of them."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from costopt.backtest.base import STAY, STOP, Need, Past
from costopt.backtest.baselines import baselines, find
from costopt.errors import ConfigError
from tests.backtest.pasts import FORTNIGHT, past

NAMED = [
    "aws-co",
    "aws-co-mean",
    "aws-co-multiply",
    "aws-co-max-savings",
    "aws-co-balanced",
    "aws-co-max-performance",
    "aws-co-idle",
    "aws-ta-low",
    "aws-ce",
    "azure-shutdown",
    "azure-resize",
    "azure-resize-batch",
    "aoe-fit",
    "gcp-idle",
    "vpa",
    "vpa-upper",
    "crane",
    "krr-simple",
    "krr-p99",
    "kruize-cost",
    "kruize-perf",
    "optscale-rightsize",
    "optscale-abandoned",
    "flexera",
    "max-15",
    "mean",
    "p99.5-x1.25",
]
IDLE = ("aws-co-idle", "aws-ta-low", "aws-ce", "azure-shutdown", "gcp-idle", "optscale-abandoned")
PROPORTIONAL = (
    "aws-co",
    "aws-co-mean",
    "aws-co-multiply",
    "aws-co-max-savings",
    "aws-co-balanced",
    "aws-co-max-performance",
    "krr-simple",
    "krr-p99",
    "max-15",
    "mean",
    "p99.5-x1.25",
)

percents = st.floats(0, 100, width=32) | st.just(np.nan)
series = arrays(np.float64, FORTNIGHT, elements=percents)  # mostly one value, with others in places


@st.composite
def machines(draw: st.DrawFn) -> Past:
    """A machine's random fortnight, with whatever metrics."""
    metrics = ("cpu_max", "memory", "memory_max", "network_in", "network_out")
    return past(
        draw(series),
        **{name: draw(series) for name in metrics if draw(st.booleans())},
        vcpus=draw(st.none() | st.sampled_from([1, 2, 8, 96])),
        memory_gib=draw(st.none() | st.sampled_from([1, 16, 768])),
        network_gbps=draw(st.none() | st.just(5)),
    )


def fresh(machine: Past, **changed: Any) -> Past:
    """The same past, of which nobody has derived anything yet."""
    names = [name for name in Past.__dataclass_fields__ if name != "kept"]
    return Past(**{name: getattr(machine, name) for name in names} | changed)


def same(one: Need, other: Need) -> bool:
    return bool(np.array_equal(one, other, equal_nan=True))


def test_the_register_is_stable_and_complete() -> None:
    assert list(baselines()) == NAMED
    assert [baseline.name for baseline in baselines().values()] == NAMED


def test_each_says_what_it_is_and_where_its_numbers_are_from() -> None:
    titles = [baseline.title for baseline in baselines().values()]
    assert len(set(titles)) == len(titles)
    for baseline in baselines().values():
        assert baseline.title.strip()
        assert baseline.source.strip()
        rule = getattr(baseline.need, "func", baseline.need)
        assert "Source:" in rule.__doc__


def test_each_can_be_sent_to_another_process() -> None:
    for baseline in baselines().values():
        assert pickle.loads(pickle.dumps(baseline)).name == baseline.name


def test_find_names_the_nearest() -> None:
    assert find("krr-p99").title == "Robusta KRR, P99 with 15 % on top"
    with pytest.raises(ConfigError, match="no baseline named 'krr-p9'") as error:
        find("krr-p9")
    assert "did you mean krr-p99 or krr-simple?" in str(error.value)
    assert "azure-shutdown" not in str(error.value)
    assert find("KRR-P99").name == "krr-p99"


def test_rules_say_what_else_their_vendor_decides_by() -> None:
    also = {name for name, one in baselines().items() if one.also}
    assert also == {
        "aws-co-idle", "aws-ta-low", "azure-shutdown", "azure-resize", "azure-resize-batch",
        "gcp-idle", "optscale-abandoned",
    }  # fmt: skip
    idle, cpu = find("aws-co-idle"), [1.0] * FORTNIGHT
    assert idle.by_cpu_alone(past(cpu))
    assert idle.by_cpu_alone(past(cpu, network_in=9.0))
    assert idle.by_cpu_alone(past(cpu, network_in=9.0, network_out=np.nan))
    assert not idle.by_cpu_alone(past(cpu, network_in=9.0, network_out=0.0))
    assert find("azure-resize").by_cpu_alone(past(cpu, network_out=9.0))  # of what bandwidth?
    assert not find("azure-resize").by_cpu_alone(past(cpu, network_out=9.0, network_gbps=5.0))


@given(machines())
def test_a_need_is_never_negative_nor_infinite(machine: Past) -> None:
    for name, baseline in baselines().items():
        for value in baseline.need(machine):
            assert np.isnan(value) or 0 <= value < np.inf, name


@given(machines())
def test_an_idle_rule_stops_or_says_nothing(machine: Past) -> None:
    for name in IDLE:
        need = find(name).need(machine)
        assert np.isnan(need.cpu) or need.cpu == STOP, name
        assert np.isnan(need.memory), name


@given(machines())
def test_what_one_derives_changes_no_other(machine: Past) -> None:
    names = list(baselines())
    alone = {name: find(name).need(fresh(machine)) for name in names}
    for name in [*names, *reversed(names)]:
        assert same(find(name).need(machine), alone[name]), name


@given(machines(), st.sampled_from([0.25, 0.5]))
def test_half_the_demand_needs_half_the_machine(machine: Past, factor: float) -> None:
    machine = fresh(machine, vcpus=None, memory_gib=None)
    less = fresh(machine, cpu=machine.cpu * factor)
    if machine.cpu_max is not None:
        less = fresh(less, cpu_max=machine.cpu_max * factor)
    for name in PROPORTIONAL:
        need = find(name).need(machine).cpu
        floor = 0.01 / 16 if name.startswith("krr") else 0.0  # KRR's 10 millicores, of 16 vCPUs
        expected = max(need * factor, floor) if need > floor else need
        found = find(name).need(less).cpu
        np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-8, err_msg=name)


@given(machines(), st.randoms(use_true_random=False))
def test_the_order_of_the_fortnight_does_not_matter(machine: Past, random: Any) -> None:
    order = list(range(FORTNIGHT))
    random.shuffle(order)
    maxima = None if machine.cpu_max is None else machine.cpu_max[order]
    shuffled = fresh(machine, cpu=machine.cpu[order], cpu_max=maxima)
    for name in PROPORTIONAL:
        one, other = find(name).need(machine).cpu, find(name).need(shuffled).cpu
        np.testing.assert_allclose(one, other, rtol=1e-12, err_msg=name)


@given(st.floats(6, 90), st.sets(st.integers(24, FORTNIGHT - 1), max_size=60))
def test_gaps_in_a_level_load_change_nothing(level: float, gaps: set[int]) -> None:
    cpu = np.full(FORTNIGHT, level)
    whole = past(cpu, vcpus=4, memory=level, memory_gib=16)
    cpu[list(gaps)] = np.nan
    holed = past(cpu, vcpus=4, memory=cpu, memory_gib=16)
    for name, baseline in baselines().items():
        if name != "vpa-upper":  # is wider, the less was seen
            np.testing.assert_allclose(baseline.need(holed), baseline.need(whole), err_msg=name)


def test_without_a_sample_all_are_silent() -> None:
    nothing = past([np.nan] * FORTNIGHT, memory=np.nan, network_in=np.nan, network_out=np.nan)
    for name, baseline in baselines().items():
        assert np.isnan(baseline.need(nothing)).all(), name


def test_an_idle_machine_without_network_or_memory_is_stopped_on_cpu_alone() -> None:
    idle = past(np.full(FORTNIGHT, 0.5), vcpus=2)
    for name in IDLE:
        assert find(name).need(idle).cpu == STOP, name
    busy = past(np.full(FORTNIGHT, 50.0), vcpus=2)
    for name in IDLE:
        assert np.isnan(find(name).need(busy).cpu), name


def test_a_rule_that_sizes_stops_no_machine_however_quiet() -> None:
    quiet = past(np.zeros(FORTNIGHT), vcpus=2, memory=1.0, memory_gib=8)
    for name in set(NAMED) - {*IDLE, "flexera", "aoe-fit"}:
        need = find(name).need(quiet).cpu
        assert np.isnan(need) or need > STOP, name


def test_those_that_only_ever_shrink_leave_a_busy_machine() -> None:
    busy = past(np.full(FORTNIGHT, 99.0), vcpus=4, memory=99.0)
    for name in ("azure-resize", "azure-resize-batch", "optscale-rightsize", "flexera"):
        assert find(name).need(busy).cpu == STAY, name
