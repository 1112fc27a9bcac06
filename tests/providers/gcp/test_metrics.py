"""Samples from Cloud Monitoring: every one wanted arrives once, whatever happens on the way."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest

from costopt.model import Window
from costopt.providers.base import Known
from costopt.providers.gcp import metrics
from tests.fakes import gcp_monitoring as monitoring
from tests.providers.aws.watching import Collected, Sample
from tests.providers.gcp.monitored import (
    CPU,
    NOW,
    PROJECT,
    Machine,
    cpu,
    expected,
    instance_id,
    machine,
    mean,
    minutes,
    resource_id,
    watched,
    window,
)

COMPUTE = "compute.googleapis.com/instance"
AGENT = "agent.googleapis.com"
BOTH = Window(NOW - timedelta(days=43), NOW - timedelta(days=41))
"""Days that come by the hour, and days that come in five minutes."""


def _of(collected: Collected, metric: str) -> dict[Sample, float]:
    return collected.only(metric).samples


def _fleet(count: int, project: str = PROJECT) -> list[Machine]:
    return [machine(number, project) for number in range(count)]


def test_cpu_is_what_was_measured_and_what_is_missing_stays_missing() -> None:
    with watched(_fleet(2)) as fleet:
        collected = fleet.collect()
        wanted = cpu(fleet, window(2))
    assert _of(collected, "cpu_utilization") == pytest.approx(wanted, rel=1e-6)
    assert len(wanted) < 2 * 2 * len(window(2))  # some were never written
    assert collected.problems == []


def test_bytes_are_a_second_and_the_peak_is_the_busiest_minutes() -> None:
    with watched(_fleet(1)) as fleet:
        collected = _of(fleet.collect(), "network_in")
        per_second = {"mean": lambda v: sum(v) / 300, "max": lambda v: max(v) / 60}
        type_ = f"{COMPUTE}/network/received_bytes_count"
        wanted = expected(fleet, type_, "network_in", per_second, window(2))
    assert collected == pytest.approx(wanted, rel=1e-6)


def test_disks_of_a_machine_are_added_up_before_the_largest_is_taken() -> None:
    with watched([machine(1, disks=3)]) as fleet:
        collected = fleet.collect()
        disks = [
            one for one in fleet.service.series if one.metric.endswith("disk/read_bytes_count")
        ]
        billed = [one.series for one in fleet.service.calls() if "disk/read" in one.metric]
    peaks = {key[3]: v for key, v in _of(collected, "disk_read").items() if key[2] == "max"}
    means = {key[3]: v for key, v in _of(collected, "disk_read").items() if key[2] == "mean"}
    assert len(disks) == 3
    assert billed == [1, 1]
    for start in list(window(2))[::37]:
        sums: dict[int, float] = {}
        for number in range(start // 60 + 1, start // 60 + 6):
            here = [d for d in disks if not monitoring.missing(d, number)]
            if here:
                sums[number] = sum(float(monitoring.point(d, number)) for d in here)
        if sums:
            assert peaks[start] == pytest.approx(max(sums.values()) / 60, rel=1e-6)
            assert means[start] == pytest.approx(sum(sums.values()) / 300, rel=1e-6)


def test_agents_metrics_are_of_what_is_used_and_of_real_disks() -> None:
    with watched([machine(1, agent=True), machine(2)]) as fleet:
        collected = fleet.collect()
        used = [s for s in fleet.service.series if ("state", "used") in s.labels]
    memory = next(one for one in used if one.metric == f"{AGENT}/memory/percent_used")
    got = {key[3]: v for key, v in _of(collected, "memory_utilization").items() if key[2] == "mean"}
    want = {at: mean(v) for at in window(2) if (v := minutes(memory, at, 300))}
    assert got == pytest.approx(want, rel=1e-6)
    devices = {(key[0], key[5]) for key in _of(collected, "x_disk_space_used")}
    assert devices == {(resource_id(1), "/dev/sda1")}


def test_a_card_is_known_by_its_number_and_its_memory_is_percent_of_the_whole() -> None:
    with watched([machine(1, gpus=2)]) as fleet:
        collected = fleet.collect()
        of_card = [s for s in fleet.service.series if ("gpu_number", "1") in s.labels]
    used, free = (
        next(one for one in of_card if ("memory_state", state) in one.labels)
        for state in ("used", "free")
    )
    samples = _of(collected, "gpu_memory_utilization")
    assert {key[5] for key in samples} == {"0", "1"}
    checked = 0
    for at in window(2):
        u, f = minutes(used, at, 300), minutes(free, at, 300)
        key = (resource_id(1), "gpu_memory_utilization", "mean", at, 300, "1")
        assert (key in samples) == bool(u and f)
        if u and f:
            whole = mean(u) + mean(f)
            assert samples[key] == pytest.approx(100 * mean(u) / whole, rel=1e-6)
            peak = (*key[:2], "max", *key[3:])
            assert samples[peak] == pytest.approx(100 * max(u) / whole, rel=1e-6)
            checked += 1
    assert checked > 500


def test_dcgm_of_either_version_is_percent_and_of_the_tensor_pipe() -> None:
    with watched([machine(1, gpus=1), machine(2, gpus=1)]) as fleet:
        renamed = {
            "dcgm.gpu.profiling.sm_utilization": "gpu.dcgm.sm.utilization",
            "dcgm.gpu.profiling.pipe_utilization": "gpu.dcgm.pipe.utilization",
            "dcgm.gpu.profiling.dram_utilization": "gpu.dcgm.memory.bandwidth_utilization",
        }
        second = instance_id(2)
        for old, new in renamed.items():
            fleet.service.series = [
                s._replace(metric=s.metric.replace(old, new)) if s.instance == second else s
                for s in fleet.service.series
            ]
        collected = fleet.collect()
        pipes = [s for s in fleet.service.series if ("pipe", "tensor") in s.labels]
    for number, pipe in enumerate(pipes, 1):
        got = {
            key[3]: value
            for key, value in _of(collected, "gpu_tensor_active").items()
            if key[0] == resource_id(number) and key[2] == "mean"
        }
        want = {at: 100 * mean(v) for at in window(2) if (v := minutes(pipe, at, 300))}
        assert got == pytest.approx(want, rel=1e-6)
    for name in ("gpu_sm_active", "gpu_memory_bandwidth"):
        assert {key[0] for key in _of(collected, name)} == {resource_id(1), resource_id(2)}


@pytest.mark.parametrize(
    ("instance_type", "seen", "reserved"),
    [
        ("e2-micro", 2, 0.25),
        ("e2-small", 2, 0.5),
        ("e2-medium", 2, 1),
        ("e2-custom-micro-1024", 2, 0.25),
        ("e2-custom-medium-4096", 2, 1),
        ("f1-micro", 1, 0.2),
        ("g1-small", 1, 0.5),
        ("e2-standard-2", 2, 2),
        ("e2-custom-2-4096", 2, 2),
    ],
)
def test_cpu_is_percent_of_the_vcpus_that_the_machine_sees(
    instance_type: str, seen: int, reserved: float
) -> None:
    """Google tells a fraction of those that it reserves."""
    vcpus = 0.6 * seen  # that are busy, all the time
    with watched([machine(1, instance_type=instance_type)]) as fleet:
        fleet.service.value = lambda series, numbers: np.full(len(numbers), vcpus / reserved)
        values = _of(fleet.collect(), "cpu_utilization").values()
    assert list(values) == pytest.approx([60.0] * len(values))
    assert len(values) > 500


@pytest.mark.parametrize("fraction", [40.0, 1e30, -5.0])
def test_what_no_machine_can_use_is_left_to_the_checks_of_samples(fraction: float) -> None:
    with watched([machine(1, gpus=1)]) as fleet:
        fleet.service.value = lambda series, numbers: np.full(
            len(numbers), 0 if series.whole else fraction
        )
        collected = fleet.collect()
    for name in ("cpu_utilization", "gpu_sm_active"):
        values = _of(collected, name).values()
        assert list(values) == pytest.approx([100 * fraction] * len(values), rel=1e-6)
        assert len(values) > 500


def test_only_what_a_project_has_is_asked_for() -> None:
    with watched([machine(1), machine(1, "lab", gpus=1, agent=True)]) as fleet:
        fleet.collect()
        asked = {(one.project, one.metric) for one in fleet.service.calls()}
        failed = [one for one in fleet.service.asked if one.outcome != "OK"]
    assert {metric.split("/")[0] for project, metric in asked if project == PROJECT} == {
        "compute.googleapis.com"
    }
    assert ("lab", f"{AGENT}/gpu/utilization") in asked
    assert failed == []


def test_machines_that_the_inventory_does_not_know_are_left_out() -> None:
    with watched(_fleet(3)) as fleet:
        gone = fleet.rows.pop()
        collected = fleet.collect()
    assert {key[0] for key in collected.samples} == {row["ResourceId"] for row in fleet.rows}
    assert gone["ResourceId"] not in {key[0] for key in collected.samples}
    assert collected.problems == []


def test_what_is_older_than_six_weeks_comes_by_the_hour_and_only_as_mean() -> None:
    with watched([machine(1)], days=50) as fleet:
        samples = _of(fleet.collect(), "cpu_utilization")
    fine = {(key[2], key[3]) for key in samples if key[4] == 300}
    coarse = {(key[2], key[3]) for key in samples if key[4] == 3600}
    raw = NOW.timestamp() - 42 * 86_400
    assert {statistic for statistic, _ in coarse} == {"mean"}
    assert raw < min(at for _, at in fine) < raw + 3 * 3600
    assert max(at for _, at in coarse) + 3600 <= min(at for _, at in fine)
    assert min(at for _, at in coarse) == pytest.approx(NOW.timestamp() - 50 * 86_400, abs=3600)


def test_the_hours_mean_is_that_of_what_google_folded() -> None:
    inner = Window(NOW - timedelta(days=60), NOW - timedelta(days=59))
    with watched([machine(1)]) as fleet:
        collected = fleet.collect(window=inner)
        series = fleet.service.series[0]
        received = fleet.service.series[1]
    first = int(inner.start.timestamp()) // 3600 * 3600 + 3600
    tens = [minutes(series, at, 600) for at in range(first, first + 3600, 600)]
    key = (resource_id(1), "cpu_utilization", "mean", first, 3600, None)
    assert collected.samples[key] == pytest.approx(
        100 * mean([mean(ten) for ten in tens if ten]), rel=1e-6
    )
    key = (resource_id(1), "network_in", "mean", first, 3600, None)
    total = sum(sum(minutes(received, at, 600)) for at in range(first, first + 3600, 600))
    assert collected.samples[key] == pytest.approx(total / 3600, rel=1e-6)


def test_pages_that_cut_series_are_put_together() -> None:
    with watched(_fleet(3)) as fleet:
        whole = fleet.collect()
        calls = len(fleet.service.calls())
        fleet.service.page_points = 250
        paged = fleet.collect()
        pages = fleet.service.calls()[calls:]
    assert paged.samples == whole.samples
    assert len(pages) > 5 * calls
    assert sum(one.series for one in pages) > sum(
        one.series for one in fleet.service.calls()[:calls]
    )


def test_a_page_token_that_is_forgotten_costs_another_start_and_no_sample() -> None:
    with watched(_fleet(2), max_concurrency=1) as fleet:
        whole = fleet.collect().samples
        fleet.service.page_points = 400
        fleet.service.asked.clear()
        fleet.service.forgotten = lambda number: number in {3, 9}
        collected = fleet.collect()
        refused = fleet.service.calls(outcome="INVALID_ARGUMENT")
    assert collected.samples == whole
    assert collected.problems == []
    assert len(refused) == 2


def test_a_burst_of_throttling_loses_and_doubles_nothing_and_waits_as_told() -> None:
    # on a busy machine one request may be 2, 3 and 4 in turn, and must not give up for that
    with watched(_fleet(3), max_concurrency=3, max_attempts=6) as fleet:
        quiet = fleet.collect()
        fleet.service.asked.clear()
        fleet.service.throttled = lambda number: number in {0, 2, 3, 4, 9}
        stormy = fleet.collect()
    assert stormy.table() == quiet.table()
    assert stormy.problems == []
    assert fleet.waits == [3.0] * 5


def test_throttling_without_end_is_one_problem_of_the_project_and_the_rest_goes_on() -> None:
    with watched([*_fleet(2), *_fleet(2, "lab")], max_concurrency=1) as fleet:
        refuse = fleet.service
        refuse.throttled = lambda number: number >= 2 and refuse.asked[number].project == "lab"
        collected = fleet.collect()
        tries = fleet.service.calls(outcome="RESOURCE_EXHAUSTED")
        wanted = {k: v for k, v in cpu(fleet, window(2)).items() if PROJECT in k[0]}
    (problem,) = collected.problems
    assert problem.fatal
    assert problem.where == "lab monitoring.timeSeries.list"
    assert problem.what.startswith("RESOURCE_EXHAUSTED")
    assert len(tries) == fleet.settings.max_attempts
    assert _of(collected, "cpu_utilization") == pytest.approx(wanted, rel=1e-6)


def test_a_project_that_refuses_is_left_alone_and_the_others_are_read() -> None:
    with watched([*_fleet(2), *_fleet(2, "lab")], max_concurrency=2) as fleet:
        fleet.service.denied = lambda project: project == "lab"
        collected = fleet.collect()
        refused = fleet.service.calls(outcome="PERMISSION_DENIED")
    assert {problem.where for problem in collected.problems} == {
        "lab monitoring.metricDescriptors.list",
        "lab monitoring.timeSeries.list",
    }
    assert all(problem.fatal for problem in collected.problems)
    assert len(refused) <= 2  # as many as were under way
    assert {key[0] for key in collected.samples} == {resource_id(0), resource_id(1)}


def test_a_metric_that_fails_is_one_problem_and_the_others_go_on() -> None:
    with watched(_fleet(2), max_concurrency=1) as fleet:
        fleet.service.failing = lambda number, metric: metric == CPU
        collected = fleet.collect(window=BOTH)
    (problem,) = collected.problems
    assert problem.fatal
    assert problem.where == f"{PROJECT} monitoring.timeSeries.list {CPU}"
    assert problem.what.startswith("INTERNAL")
    assert problem.count == 1  # what was to come after the first failure was not asked for
    assert {key[1] for key in collected.samples} == {
        "network_in",
        "network_out",
        "disk_read",
        "disk_write",
    }


@pytest.mark.parametrize("code", ["UNKNOWN", "ABORTED", "CANCELLED", "UNAVAILABLE"])
def test_a_stream_that_is_reset_costs_nothing(code: str) -> None:
    with watched(_fleet(3)) as fleet:
        fleet.service.failure = code
        fleet.service.failing = lambda number, metric: number in {2, 3}
        collected = fleet.collect()
        wanted = cpu(fleet, window(2))
    assert collected.problems == []
    assert _of(collected, "cpu_utilization") == pytest.approx(wanted, rel=1e-6)
    assert len(fleet.service.calls(outcome=code)) == 2


def test_after_a_failure_nothing_later_of_its_series_is_given() -> None:
    """The older of two periods fails once and for all; the newer, which would do, is left."""
    with watched(_fleet(1), max_concurrency=4, max_attempts=1) as fleet:
        service = fleet.service
        fleet.service.failing = lambda number, metric: (
            metric == CPU and service.asked[number].period == 3600
        )
        collected = fleet.collect(window=BOTH)
        fleet.service.failing = lambda number, metric: False
        again = fleet.collect(collected.held(), window=BOTH)
        undisturbed = fleet.collect(window=BOTH)
    assert "cpu_utilization" not in {key[1] for key in collected.samples}
    assert collected.table(again) == undisturbed.table()


def test_of_each_series_earlier_samples_come_first() -> None:
    with watched(_fleet(3), max_concurrency=4) as fleet:
        collected = fleet.collect(window=BOTH)
    assert set(collected.table().column("PeriodSeconds").to_pylist()) == {300, 3600}
    newest: dict[tuple[object, ...], int] = {}
    for (*series, at, _, device), _ in collected.rows():
        assert newest.get((*series, device), -1) < at
        newest[*series, device] = at


def test_what_may_still_change_is_left_for_the_next_time() -> None:
    with watched(_fleet(1)) as fleet:
        samples = fleet.collect().samples
        fleet.service.now = NOW + timedelta(minutes=4)
        seen = fleet.collect(now=NOW).samples
    assert samples == seen
    latest = max(key[3] + key[4] for key in samples)
    assert NOW.timestamp() - 900 <= latest <= NOW.timestamp() - 600


@pytest.mark.parametrize("steps", [[6], [1, 1, 25], [0.01, 3.5]])
def test_step_by_step_is_the_same_as_all_at_once(steps: list[float]) -> None:
    fleet_of = [machine(1, agent=True, gpus=1), machine(2, disks=2)]
    with watched(fleet_of) as fleet:
        parts = [fleet.collect()]
        now = NOW
        for hours in steps:
            now += timedelta(hours=hours)
            fleet.service.now = now
            known = Collected([t for part in parts for t in part.tables], []).held()
            parts.append(fleet.collect(known))
        start = NOW - timedelta(days=2)
        whole = fleet.collect(window=Window(start, now))
    assert parts[0].table(*parts[1:]) == whole.table()


@pytest.mark.parametrize("taken", [1, 4, 7])
def test_a_killed_collect_taken_up_again_gives_the_same(taken: int) -> None:
    with watched(_fleet(3), max_concurrency=3) as fleet:
        undisturbed = fleet.collect(window=BOTH)
        killed = fleet.collect(tables=taken, window=BOTH)
        again = fleet.collect(killed.held(), window=BOTH)
    assert taken == len(killed.tables) < len(undisturbed.tables)
    assert killed.table(again) == undisturbed.table()


def test_a_collect_when_nothing_is_new_asks_for_nothing() -> None:
    with watched(_fleet(2)) as fleet:
        held = dict.fromkeys(fleet.collect().held().held, NOW)
        prepared = fleet.plan(Known(held))
    assert prepared.plan.calls == ()
    assert metrics.estimate(prepared).usd == 0


def test_what_is_off_is_read_to_its_end_and_then_no_more() -> None:
    stopped = NOW - timedelta(days=1)
    one = machine(1)
    attributes = {**dict(one.row["x_Attributes"]), "stopped_at": stopped.isoformat()}  # type: ignore[call-overload]
    off = Machine({**one.row, "x_State": "stopped", "x_Attributes": attributes}, one.series)
    with watched([off]) as fleet:
        fleet.service.gone = lambda series, numbers: numbers * 60 > stopped.timestamp()
        first = fleet.collect()
        fleet.service.now = NOW + timedelta(hours=8)
        again = fleet.plan(first.held())
    assert first.samples
    assert again.plan.calls == ()


def test_a_window_narrows_what_is_asked() -> None:
    inner = Window(NOW - timedelta(hours=30), NOW - timedelta(hours=20))
    with watched(_fleet(1)) as fleet:
        starts = [key[3] for key in fleet.collect(window=inner).samples]
    assert inner.start.timestamp() <= min(starts)
    assert max(starts) < inner.end.timestamp()


@pytest.mark.parametrize("value", [1e300, float("inf"), float("nan")])
def test_what_no_float32_holds_is_missing_rather_than_infinite(value: float) -> None:
    with watched([machine(1, agent=True)]) as fleet:
        fleet.service.value = lambda series, numbers: np.where(
            (numbers // 5 % 2 == 0) & ("memory" in series.metric),
            value,
            monitoring.point(series, numbers),
        )
        collected = fleet.collect()
    memory = _of(collected, "memory_utilization")
    assert collected.problems == []
    assert memory
    assert all(np.isfinite(found) for found in memory.values())
    assert len(memory) < 0.6 * 2 * len(window(2))


def test_the_estimate_is_what_is_billed() -> None:
    machines = [machine(n, agent=True, gpus=n % 2) for n in range(4)]
    with watched(machines, days=10) as fleet:
        told = metrics.estimate(fleet.plan())
        assert fleet.service.calls() == []
        fleet.collect()
        billed = sum(one.series for one in fleet.service.calls())
    assert billed <= told.usd / metrics.plan.USD_PER_SERIES <= 1.5 * billed
    assert "$0.50 per million" in told.lines[0]
    begun = [one for one in fleet.service.calls() if not one.page]
    assert f"{len(begun)} requests" in told.lines[0]


def test_requests_of_a_project_keep_a_pace() -> None:
    with watched(_fleet(2), max_concurrency=2) as fleet:
        collected = fleet.collect()
    assert all(0 < pause <= 60 / 3000 * 20 for pause in collected.pauses)
