"""What a real Prometheus was given is what is collected: two weeks, three machines, two cards."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
import pytest

from costopt.model import Series, Window
from costopt.providers.base import Known, Problem
from costopt.providers.prometheus import PrometheusProvider, PrometheusSettings
from tests.fakes.prometheus import DAY
from tests.providers.prometheus.conftest import (
    CARDS,
    DAYS,
    END,
    NODES,
    PERIOD,
    SCRAPE,
    START,
    busy,
    card_use,
    received,
    used_gib,
)  # fmt: skip

SLOTS = range(START, END, PERIOD)
Samples = dict[tuple[str, str, str, str | None], dict[int, float]]


def moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def provider(address: str, **given: object) -> PrometheusProvider:
    return PrometheusProvider(
        PrometheusSettings(url=address, until=moment(END), days=DAYS, **given)  # type: ignore[arg-type]
    )


def by_series(tables: list[pa.Table]) -> Samples:
    found: Samples = {}
    for row in pa.concat_tables(tables).to_pylist():
        key = (row["ResourceId"], row["MetricName"], row["Statistic"], row["x_Device"])
        samples = found.setdefault(key, {})
        at = int(row["Timestamp"].timestamp())
        assert at not in samples, "a sample twice"
        assert row["PeriodSeconds"] == PERIOD
        samples[at] = row["Value"]
    return found


@pytest.fixture(scope="session")
def collected(backfilled: str) -> tuple[Samples, list[Problem], list[dict[str, object]]]:
    source = provider(backfilled)
    machines = source.resources().to_pylist(maps_as_pydicts="strict")
    return by_series(list(source.metrics(None))), source.problems, machines


@pytest.fixture
def samples(collected: tuple[Samples, object, object]) -> Samples:
    return collected[0]


@pytest.mark.parametrize("node", NODES)
def test_cpu_is_what_is_not_idle_nor_waiting_in_each_period(samples: Samples, node: str) -> None:
    got = samples[node, "cpu_utilization", "mean", None]
    assert list(got) == list(SLOTS)
    np.testing.assert_allclose(list(got.values()), [busy(node, at) for at in SLOTS], atol=1e-3)


@pytest.mark.parametrize("node", NODES)
def test_memory_takes_the_samples_of_its_own_period_alone(samples: Samples, node: str) -> None:
    """The sample at the end of a period belongs to the next one; MemAvailable may be missing."""
    inside = [[used_gib(node, at + n * SCRAPE) for n in range(3)] for at in SLOTS]
    mean = samples[node, "memory_utilization", "mean", None]
    peak = samples[node, "memory_utilization", "max", None]
    np.testing.assert_allclose(
        list(mean.values()), [100 * np.mean(part) / 63.2 for part in inside], rtol=1e-5
    )
    np.testing.assert_allclose(
        list(peak.values()), [100 * max(part) / 63.2 for part in inside], rtol=1e-5
    )


@pytest.mark.parametrize("node", NODES)
def test_bytes_of_physical_devices_count_once(samples: Samples, node: str) -> None:
    """Not lo, veth, a bond over eth0, a VLAN on it; not partitions, mapped and loop devices."""
    network = samples[node, "network_in", "mean", None]
    wanted = [received(node, at) for at in SLOTS]
    np.testing.assert_allclose(list(network.values()), wanted, rtol=1e-5)
    written = samples[node, "disk_write", "mean", None]
    np.testing.assert_allclose(list(written.values()), 3 * 4096.0, rtol=1e-5)
    used = samples[node, "disk_utilization", "mean", None]
    np.testing.assert_allclose(list(used.values()), 20.0, rtol=1e-4)


@pytest.mark.parametrize("card", CARDS)
def test_cards_keep_their_ids_and_lose_markers(samples: Samples, card: str) -> None:
    use = samples["gpu-1", "gpu_utilization", "mean", card]
    sound = [at for at in SLOTS if at // PERIOD % 50 != 49]
    assert list(use) == sound
    means = {at: np.mean([card_use(card, at + n * SCRAPE) for n in range(3)]) for at in SLOTS}
    np.testing.assert_allclose(list(use.values()), [means[at] for at in sound], rtol=1e-5)
    active = samples["gpu-1", "gpu_sm_active", "mean", card]  # whichever pod had it
    np.testing.assert_allclose(list(active.values()), list(means.values()), rtol=1e-4, atol=1e-4)
    power = samples["gpu-1", "gpu_power", "mean", card]
    np.testing.assert_allclose(list(power.values()), 301.0)


def test_card_memory_is_a_share_of_used_and_free(samples: Samples) -> None:
    mean = samples["gpu-1", "gpu_memory_utilization", "mean", CARDS[0]]
    peak = samples["gpu-1", "gpu_memory_utilization", "max", CARDS[0]]
    np.testing.assert_allclose(list(mean.values()), 100 * 20_300 / 81_000, rtol=1e-5)
    # the fullest moment: most used beside least free
    np.testing.assert_allclose(list(peak.values()), 100 * 20_600 / 81_000, rtol=1e-5)


def test_slices_of_a_card_stay_apart(samples: Samples) -> None:
    devices = {key[3] for key in samples if key[1] == "x_gpu_engine_active"}
    assert devices == {f"{card}/MIG-{n}" for card in CARDS for n in (1, 2)}
    second = samples["gpu-1", "x_gpu_engine_active", "mean", f"{CARDS[1]}/MIG-2"]
    np.testing.assert_allclose(list(second.values()), 20.0, rtol=1e-5)


def test_machines_are_measured_and_each_is_listed_once(
    collected: tuple[object, list[Problem], list[dict[str, object]]],
) -> None:
    _, problems, machines = collected
    assert [m["ResourceId"] for m in machines] == list(NODES)
    assert {m["ResourceName"] for m in machines} == {f"{n}.example" for n in NODES}
    for machine in machines:
        assert machine["x_vCPUs"] == 2.0
        assert machine["x_MemoryGiB"] == 64.0  # 63.2 that the system counts
        assert machine["x_State"] == "running"
    gpu = next(m for m in machines if m["ResourceId"] == "gpu-1")
    assert (gpu["x_GPUModel"], gpu["x_GPUCount"], gpu["x_GPUMemoryGiB"]) == ("H100", 2, 80.0)
    twice = [p for p in problems if p.where == "gpu-1"]
    assert len(twice) == 1  # it is scraped by two jobs, and told so
    assert "several targets" in twice[0].what
    assert not any(p.fatal for p in problems)


def test_a_machine_may_be_named_by_itself(backfilled: str) -> None:
    source = provider(backfilled, machine_label="nodename")
    ids = source.resources().column("ResourceId").to_pylist()
    assert ids == [f"{node}.example" for node in NODES]
    day = Window(moment(END - DAY), moment(END))
    got = by_series(list(source.metrics(day)))
    assert ("gpu-1.example", "gpu_utilization", "mean", CARDS[0]) in got


def test_matchers_narrow_everything(backfilled: str) -> None:
    source = provider(backfilled, only='job="node",instance=~"gpu.*|db.*"')
    day = Window(moment(END - DAY), moment(END))
    got = by_series(list(source.metrics(day)))
    assert {key[0] for key in got} == {"db-1", "gpu-1"}
    assert all(key[3] is None for key in got)  # the cards are another job's
    assert source.problems == []  # and so is the second scrape


def test_only_what_the_lake_lacks_is_given(backfilled: str) -> None:
    source = provider(backfilled)
    until = {"db-1": END - 3600, "gpu-1": END - 3600, "web-1": END - 2 * DAY}
    held = {Series(node, "cpu_utilization", "mean", ""): moment(end) for node, end in until.items()}
    source.resume(Known(held))
    got = by_series(list(source.metrics(None)))
    for node, end in until.items():
        cpu = got[node, "cpu_utilization", "mean", None]
        assert list(cpu) == list(range(end, END, PERIOD))
    assert list(got["db-1", "network_in", "mean", None]) == list(SLOTS)


def test_doctor_says_what_is_there(backfilled: str) -> None:
    checks = {check.name: check for check in provider(backfilled).checks()}
    assert checks["status/buildinfo"].detail.startswith("version ")
    assert checks["clock"].passed
    assert checks["node_exporter"].detail == "4 targets, scraped every 100 s"
    assert checks["dcgm-exporter"].detail == "1 target, scraped every 100 s"
    assert checks["cAdvisor"].detail == "does not report here"
    assert "DCGM_FI_PROF_PIPE_TENSOR_ACTIVE" in checks["metrics"].detail
    assert checks["retention"].detail == "samples of 14 days of the 14 that are asked for"
