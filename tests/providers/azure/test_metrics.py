"""Samples from Azure Monitor: what is measured arrives in our units, each once, none invented."""

from __future__ import annotations

from datetime import timedelta

import pytest

from costopt.model import Window
from costopt.providers.base import Known
from tests.fakes.azure_monitor import GIB, UNCACHED
from tests.providers.aws.watching import Collected, Sample
from tests.providers.azure.monitored import (
    BANK,
    LEVEL,
    NOW,
    SHOP,
    Machine,
    Watched,
    cpu,
    expected,
    fleet,
    machine,
    mean,
    minutes,
    watched,
    window,
)

FREE_PERCENT, FREE_BYTES = "Available Memory Percentage", "Available Memory Bytes"
DCGM = "Telegraf/prometheus"


def _of(collected: Collected, metric: str) -> dict[Sample, float]:
    return collected.only(metric).samples


def _fits(collected: Collected, metric: str, wanted: dict[Sample, float]) -> None:
    assert wanted
    assert _of(collected, metric) == pytest.approx(wanted, rel=1e-6, abs=1e-6)


def test_cpu_is_what_was_measured_and_what_is_missing_stays_missing() -> None:
    machines = [*fleet(2), machine(3, member_of="pool")]
    with watched(machines) as shop:
        collected = shop.collect()
    wanted = cpu(machines, window(2))
    _fits(collected, "cpu_utilization", wanted)
    assert len(wanted) < 3 * 2 * len(window(2))  # some were never measured
    assert collected.problems == []


@pytest.mark.parametrize("empty", ["null", "zero"])
def test_points_of_no_measurement_are_missing_even_where_they_say_zero(empty: str) -> None:
    machines = fleet(1)
    with watched(machines) as shop:
        shop.service.empty = empty
        collected = shop.collect()
    _fits(collected, "cpu_utilization", cpu(machines, window(2)))
    passed = {"mean": lambda v: 1e6 * sum(v) / 300, "max": lambda v: 1e6 * max(v) / 60}
    wanted = expected(machines, "Network In Total", "network_in", passed, window(2))
    _fits(collected, "network_in", wanted)


@pytest.mark.parametrize(
    ("theirs", "ours", "scale"),
    [
        ("Network In Total", "network_in", 1e6),
        ("Network Out Total", "network_out", 1e5),
        ("Disk Read Bytes", "disk_read", 1e6),
        ("Disk Write Bytes", "disk_write", 1e6),
    ],
)
def test_bytes_are_a_second_and_the_peak_is_the_busiest_minutes(
    theirs: str, ours: str, scale: float
) -> None:
    machines = fleet(1)
    with watched(machines, days=1) as shop:
        collected = shop.collect()
    wanted = {}
    for start in window(1):
        values = minutes(machines[0].measured.resource_id, theirs, start)
        if values:
            key = (machines[0].id, ours, "mean", start, 300, None)
            wanted[key] = scale * sum(values) / 300
            wanted[(*key[:2], "max", *key[3:])] = scale * max(values) / 60
    _fits(collected, ours, wanted)


def test_memory_is_what_is_not_available_and_its_peak_the_least_that_was() -> None:
    machines = fleet(3)
    with watched(machines) as shop:
        collected = shop.collect()
    used = {"mean": lambda v: 100 - mean(v), "max": lambda v: 100 - min(v)}
    wanted = expected(machines, FREE_PERCENT, "memory_utilization", used, window(2))
    samples = _of(collected, "memory_utilization")
    assert {key: samples[key] for key in wanted} == pytest.approx(wanted, rel=1e-6, abs=1e-5)
    # where the percentage is missing the bytes stand in: 16 GiB, of which a hundredth is one unit
    of_bytes = expected(machines, FREE_BYTES, "memory_utilization", used, window(2))
    others = {key: of_bytes[key] for key in samples.keys() - wanted.keys()}
    assert others
    assert {key: samples[key] for key in others} == pytest.approx(others, rel=1e-5, abs=1e-4)


def test_without_the_percentage_memory_is_told_by_bytes_against_the_shape() -> None:
    machines = [machine(0, memory=32.0), machine(1, memory=None)]
    with watched(machines) as shop:
        shop.service.unknown = {FREE_PERCENT}
        collected = shop.collect()
        tried = len(shop.service.calls(outcome=400))
    used = {
        "mean": lambda v: 100 - 100 * mean(v) * 0.16 * GIB / (32 * GIB),
        "max": lambda v: 100 - 100 * min(v) * 0.16 * GIB / (32 * GIB),
    }
    wanted = expected(machines[:1], FREE_BYTES, "memory_utilization", used, window(2))
    samples = _of(collected, "memory_utilization")
    assert samples == pytest.approx(wanted, rel=1e-5)  # and nothing of the one of unknown memory
    _fits(collected, "cpu_utilization", cpu(machines, window(2)))
    (problem,) = collected.problems
    assert not problem.fatal
    assert problem.what == f"not measured there: {FREE_PERCENT}"
    assert tried == 1


def test_disk_utilization_is_the_nearer_limit_and_sizes_without_limits_have_none() -> None:
    machines = [machine(0), machine(1, premium=False)]
    with watched(machines, days=1) as shop:
        samples = _of(shop.collect(), "disk_utilization")
    assert {key[0] for key in samples} == {machines[0].id}
    spelt = machines[0].measured.resource_id
    for start in list(window(1))[::11]:
        shares = [
            [v * scale for v in minutes(spelt, name, start)]
            for name, scale in zip(UNCACHED, (0.5, 0.9), strict=True)
        ]
        there = [one for one in shares if one]
        key = (machines[0].id, "disk_utilization", "mean", start, 300, None)
        if there:
            assert samples[key] == pytest.approx(max(map(mean, there)), rel=1e-6)
            peak = samples[(*key[:2], "max", *key[3:])]
            assert peak == pytest.approx(max(map(max, there)), rel=1e-6)


def test_credits_are_of_burstable_machines() -> None:
    machines = [machine(0), machine(1, size="Standard_B2s")]
    with watched(machines) as shop:
        samples = _of(shop.collect(), "x_cpu_credit_balance")
    assert {key[:3] for key in samples} == {(machines[1].id, "x_cpu_credit_balance", "mean")}


# -- GPUs ------------------------------------------------------------------------------------------


def _dcgm(number: int, cards: int) -> Machine:
    devices = {str(card): 1.0 for card in range(cards)}
    names = {
        "DCGM_FI_DEV_GPU_UTIL": devices,
        "DCGM_FI_DEV_FB_USED": dict.fromkeys(devices, 100.0),
        "DCGM_FI_DEV_FB_FREE": dict.fromkeys(devices, 300.0),
        "DCGM_FI_PROF_DRAM_ACTIVE": dict.fromkeys(devices, 0.01),
        "DCGM_FI_DEV_POWER_USAGE": dict.fromkeys(devices, 1e18),  # "not available"
    }
    return machine(number, gpus=cards, size="Standard_NC24ads_A100_v4", custom={DCGM: names})


def test_cards_are_read_from_the_namespace_where_somebody_sends_them() -> None:
    one = _dcgm(1, 2)
    with watched([one, *fleet(1)]) as shop:
        collected = shop.collect()
        lists = shop.service.listed
    _fits(
        collected,
        "gpu_utilization",
        {
            **expected([one], "DCGM_FI_DEV_GPU_UTIL", "gpu_utilization", LEVEL, window(2), "0"),
            **expected([one], "DCGM_FI_DEV_GPU_UTIL", "gpu_utilization", LEVEL, window(2), "1"),
        },
    )
    activity = expected(
        [one], "DCGM_FI_PROF_DRAM_ACTIVE", "gpu_memory_bandwidth", LEVEL, window(2), "1"
    )
    samples = _of(collected, "gpu_memory_bandwidth")
    assert {key: samples[key] for key in activity} == pytest.approx(activity, rel=1e-6)
    spelt, checked = one.measured.resource_id, 0
    memory = _of(collected, "gpu_memory_utilization")
    for start in window(2):
        used = minutes(spelt, "DCGM_FI_DEV_FB_USED", start, "0")
        free = minutes(spelt, "DCGM_FI_DEV_FB_FREE", start, "0")
        key = (one.id, "gpu_memory_utilization", "mean", start, 300, "0")
        assert (key in memory) == bool(used and free)
        if used and free:
            whole = 100 * mean(used) + 300 * mean(free)
            assert memory[key] == pytest.approx(100 * 100 * mean(used) / whole, rel=1e-6)
            peak = memory[(*key[:2], "max", *key[3:])]
            assert peak == pytest.approx(100 * 100 * max(used) / whole, rel=1e-6)
            checked += 1
    assert checked > 500
    assert all(value < 1e18 for value in _of(collected, "gpu_power").values())
    assert all(one.id in path for path in lists)  # machines without cards are not looked into
    assert collected.problems == []


def test_nvidia_smi_tells_cards_by_their_index_and_dcgm_goes_before() -> None:
    smi = {"utilization_gpu": {"0": 1.0}, "memory_used": {"0": 1.0}, "memory_total": {"0": 2.0}}
    other = machine(
        1, gpus=1, custom={"Telegraf/nvidia_smi": smi, "Telegraf/cpu": {}}, dimension="index"
    )
    with watched([other]) as shop:
        collected = shop.collect()
        names = {name for a in shop.service.calls(batch=False) for name in a.names}
    wanted = expected([other], "utilization_gpu", "gpu_utilization", LEVEL, window(2), "0")
    _fits(collected, "gpu_utilization", wanted)
    assert names == set(smi)


def test_a_list_that_is_refused_is_told_once_and_the_rest_arrives() -> None:
    machines = [machine(n, gpus=1) for n in range(3)]
    with watched(machines) as shop:
        for one in machines:
            measured = shop.service.machines.pop(one.id)
            shop.service.machines[one.id + "x"] = measured  # not found by its id
        shop.prepared(problems=(problems := []))
    (problem,) = problems
    assert (problem.count, problem.fatal) == (3, True)
    assert problem.where == f"{SHOP} Microsoft.Insights/metricNamespaces/read"


# -- from where the lake ends ----------------------------------------------------------------------


def _later(shop: Watched, hours: float) -> None:
    shop.service.now = shop.service.now + timedelta(hours=hours)


def test_incremental_equals_full() -> None:
    machines = [*fleet(3), machine(4, premium=False), _dcgm(5, 1)]
    with watched(machines, until=NOW + timedelta(days=1)) as shop:
        first = shop.collect(now=NOW)
        _later(shop, 7.3)
        second = shop.collect(first.held(), now=shop.service.now)
        _later(shop, 40)
        together = Collected([*first.tables, *second.tables], [], notes=second.notes)
        third = shop.collect(together.held(), now=shop.service.now)
        whole = shop.collect(now=shop.service.now)
    assert second.table().num_rows
    assert third.table().num_rows
    assert first.table(second, third).equals(whole.table())


def test_what_may_still_change_is_not_given() -> None:
    with watched(fleet(1)) as shop:
        starts = {key[3] for key in shop.collect().samples}
    assert max(starts) + 300 <= NOW.timestamp() - 900
    assert max(starts) + 300 > NOW.timestamp() - 900 - 4 * 300


def test_a_window_bounds_what_is_asked() -> None:
    span = Window(NOW - timedelta(hours=20), NOW - timedelta(hours=10))
    with watched(fleet(1)) as shop:
        starts = {key[3] for key in shop.collect(window=span).samples}
    assert span.start.timestamp() <= min(starts)
    assert max(starts) < span.end.timestamp()


def test_killed_it_takes_up_where_it_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("costopt.providers.azure.metrics.plan.MOST_POINTS", 3_000)
    machines = fleet(2)
    with watched(machines) as shop:
        killed = shop.collect(tables=2)
        rest = shop.collect(killed.held())
        whole = shop.collect()
    assert 0 < killed.table().num_rows < whole.table().num_rows
    assert killed.table(rest).equals(whole.table())


def test_earlier_samples_of_a_series_come_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("costopt.providers.azure.metrics.plan.MOST_POINTS", 3_000)
    with watched([*fleet(2), *fleet(2, BANK)], max_concurrency=4) as shop:
        newest: dict[tuple[object, ...], int] = {}
        for key, _ in shop.collect().rows():
            series = (key[0], key[1], key[2], key[5])
            assert newest.get(series, 0) < key[3]
            newest[series] = key[3]


def test_a_metric_that_is_silent_is_asked_for_from_where_it_was_asked_in_vain() -> None:
    machines = [machine(n, premium=False) for n in range(2)]
    with watched(machines, days=3, until=NOW + timedelta(days=1)) as shop:
        first = shop.collect(now=NOW)
        _later(shop, 2)
        shop.service.asked.clear()
        second = shop.collect(first.held(), now=shop.service.now)
        ranges = {(a.start, a.end) for a in shop.service.asked}
        _later(shop, 2)
        shop.service.asked.clear()
        held = Collected([*first.tables, *second.tables], [], notes=second.notes).held()
        shop.collect(held, now=shop.service.now)
        later = {a.end - a.start for a in shop.service.asked}
    assert len(ranges) == 1
    assert max(later) <= 3 * 3600  # not the two days that disk limits are silent for


# -- machines that do not run ----------------------------------------------------------------------


def _deallocated(at_hours_ago: float, **more: object) -> Machine:
    at = NOW - timedelta(hours=at_hours_ago)
    attributes = {"power_state": "deallocated", "stopped_at": at.isoformat()}
    return machine(1, state="stopped", attributes=attributes, died=at.timestamp(), **more)


def test_a_deallocated_machine_is_not_asked_beyond_its_stop() -> None:
    stopped = _deallocated(10)
    with watched([stopped]) as shop:
        collected = shop.collect()
        last = max(a.end for a in shop.service.asked)
        shop.service.asked.clear()
        again = shop.collect(collected.held())
        assert shop.service.asked == []
    died = stopped.measured.died
    assert died <= last <= died + 900
    inside = [start for start in window(2) if start + 300 <= died]
    assert (
        cpu([stopped], inside).items()
        <= {
            key: pytest.approx(value, rel=1e-6)
            for key, value in collected.only("cpu_utilization").samples.items()
        }.items()
    )
    assert again.tables == []


def test_one_that_ran_after_the_moment_it_is_said_to_have_stopped_is_asked_on() -> None:
    stopped = _deallocated(30)
    ran = machine(1, died=(NOW - timedelta(hours=3)).timestamp())
    with watched([ran]) as shop:
        before = shop.collect(now=NOW - timedelta(hours=6))
        shop.rows = [stopped.row]
        rest = shop.collect(before.held())
        shop.rows = [ran.row]
        whole = shop.collect()
    begin = min(key[3] for key in whole.samples)
    kept = {key: value for key, value in before.samples.items() if key[3] >= begin}
    assert kept | rest.samples == whole.samples
    assert rest.tables


def test_a_machine_that_is_stopped_but_not_deallocated_is_measured_on() -> None:
    at = (NOW - timedelta(hours=10)).isoformat()
    attributes = {"power_state": "stopped", "stopped_at": at}
    with watched([machine(1, state="stopped", attributes=attributes)]) as shop:
        shop.collect()
        assert max(a.end for a in shop.service.asked) > NOW.timestamp() - 1500


def test_nothing_there_nothing_asked() -> None:
    with watched([]) as shop:
        assert shop.collect(Known()).tables == []
        assert shop.door.calls == []
