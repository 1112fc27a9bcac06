"""One fleet, measured by CloudWatch, Cloud Monitoring, Azure Monitor and Prometheus: the same
profiles.

What each machine does is said once, minute by minute; each source is given it in its own units and
by its own clock. CloudWatch: percent, bytes a minute and the agent's memory by the start of the
minute. Cloud Monitoring: a fraction (of the vCPUs reserved, which for two of the machines are fewer
than they see), bytes a minute and the Ops Agent's percent by its end. Azure Monitor: percent, what
is *free* of the memory, bytes a minute. Prometheus, a real one: seconds, bytes and free memory,
counted up and scraped each minute.

What a source does not tell is not compared: Prometheus has no maxima within a period of what it
counts (CPU, network). A stretch without data lasts half an hour: of a period that is measured in
part, rates differ by design, since Prometheus extrapolates what clouds add up.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import numpy as np
import pytest

from costopt import pipeline
from costopt.config import Settings
from costopt.lake.store import Lake
from costopt.providers.aws import AwsProvider
from costopt.providers.aws.settings import AwsSettings
from costopt.providers.azure import AzureProvider
from costopt.providers.azure.settings import AzureSettings
from costopt.providers.base import Provider
from costopt.providers.gcp import GcpProvider
from costopt.providers.gcp.settings import GcpSettings
from costopt.providers.prometheus import PrometheusProvider
from costopt.providers.prometheus.settings import PrometheusSettings
from tests.fakes import (
    aws_account,
    aws_cloud,
    azure_cloud,
    azure_monitor,
    azure_retail,
    cloudwatch,
    gcp_cloud,
    gcp_monitoring,
)
from tests.fakes.prometheus import Given, real

NOW = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(hours=1)
DAYS: Final = 10
FIRST = int(NOW.timestamp()) // 60 - DAYS * 1440
LAST = int(NOW.timestamp()) // 60
MACHINES: Final = range(3)
GIB: Final = 1024**3
MEMORY: Final = 16 * GIB
ASKED = {"days": DAYS + 1, "until": NOW, "max_attempts": 1}
SKIPPED = ("charges", "prices", "advice")

LEVELS: Final = ("cpu_utilization", "memory_utilization")
RATES: Final = ("network_in", "network_out")
MEANS = [(name, "mean") for name in (*LEVELS, *RATES)]
MAXIMA = [("memory_utilization", "max")]
CLOUDS = [("cpu_utilization", "max"), *((name, "max") for name in RATES)]
"""What the three clouds tell besides."""
FIGURES: Final = ("mean", "std", "min", "max", "p50", "p90", "p95", "p99", "p99_5")
COUNTS: Final = ("PeriodSeconds", "count", "expected", "first", "last", "days", "week_count",
                 "longest_gap_seconds", "duplicates", "conflicts", "off_grid")  # fmt: skip


def demand(machine: int, name: str, minute: Any) -> Any:
    """What a machine uses in the minute that begins so many minutes after 1970: percent, or bytes a
    second. Works on an int and on an array of them alike."""
    kind = (*LEVELS, *RATES).index(name)
    day = np.sin(2 * np.pi * (minute / 1440 + machine / 3 + kind / 7))
    chance = (minute * 7919 + machine * 104_729 + kind * 1_299_709) % 1009 / 1009
    if name in RATES:
        return 1e6 * (1 + machine) * (1.2 + day + 5 * chance**4)
    return 35 + 15 * day + 40 * chance**3 + machine


def silent(machine: int, minute: Any) -> Any:
    """Whether nothing was measured: half an hour of each 18, and before the first and after the
    last of our days."""
    return (minute // 30 % 37 == machine) | (minute < FIRST) | (minute >= LAST)


Rows = dict[tuple[int, str, str], dict[str, Any]]
"""Profiles by machine, metric and statistic."""
Profiles = Callable[[str], Rows]
"""By source."""


@contextmanager
def aws() -> Iterator[Callable[[], Provider]]:
    ours = {
        "CPUUtilization": ("cpu_utilization", 1),
        "mem_used_percent": ("memory_utilization", 1),
        "NetworkIn": ("network_in", 60),
        "NetworkOut": ("network_out", 60),
    }
    with aws_cloud.cloud(NOW) as made, pytest.MonkeyPatch.context() as patch:
        region, clients = "us-east-1", aws_account.own()
        ids = [aws_account.machines(clients, region, "m5.xlarge")[0] for _ in MACHINES]

        def machine(series: cloudwatch.Series) -> int:
            return ids.index(dict(series[2])["InstanceId"])

        def value(series: cloudwatch.Series, minute: Any) -> Any:
            name, scale = ours[series[1]]
            return demand(machine(series), name, minute) * scale

        patch.setattr(aws_cloud, "QUIET", 1)
        patch.setattr(cloudwatch, "datapoint", value)
        patch.setattr(cloudwatch, "missing", lambda series, n: silent(machine(series), n))
        made.metrics.native = lambda series: 60 if series[1] in ours else None
        made.metrics.listed = [
            ("CWAgent", "mem_used_percent", (("InstanceId", one),)) for one in ids
        ]
        settings = AwsSettings(region=(region,), skip=SKIPPED, **ASKED)
        yield lambda: AwsProvider(settings)


@contextmanager
def gcp() -> Iterator[Callable[[], Provider]]:
    ours = {
        "cpu/utilization": ("cpu_utilization", 0.01),
        "memory/percent_used": ("memory_utilization", 1),
        "network/received_bytes_count": ("network_in", 60),
        "network/sent_bytes_count": ("network_out", 60),
    }
    with gcp_cloud.cloud() as made, pytest.MonkeyPatch.context() as patch:
        shop = made.project("shop-prod-1")
        types = {"n2-standard-4": 4 / 4, "e2-small": 0.5 / 2, "e2-medium": 1 / 2}
        ids = [shop.instance(f"m-{n}", machine_type=name)["id"] for n, name in enumerate(types)]
        reserved = dict(zip(ids, types.values(), strict=True))

        def of(series: gcp_monitoring.Measured) -> tuple[str, float] | None:
            if dict(series.labels).get("state", "used") != "used":
                return None
            return ours.get("/".join(series.metric.split("/")[-2:]))

        def value(series: gcp_monitoring.Measured, number: Any) -> Any:
            name, scale = of(series) or ("", 0)
            scale /= reserved[series.instance] if name == "cpu_utilization" else 1
            return demand(ids.index(series.instance), name, number - 1) * scale

        every = [
            one
            for machine in ids
            for one in gcp_monitoring.machine("shop-prod-1", machine, agent=True)
        ]
        service = gcp_monitoring.Monitoring(
            NOW + timedelta(hours=1),
            [one for one in every if of(one)],
            value=value,
            gone=lambda series, number: silent(ids.index(series.instance), number - 1),
        )
        with gcp_monitoring.served(service) as url:
            patch.setenv("CLOUDSDK_API_ENDPOINT_OVERRIDES_MONITORING", url)
            settings = GcpSettings(project=("shop-prod-1",), skip=SKIPPED, **ASKED)
            yield lambda: GcpProvider(settings)


@contextmanager
def azure() -> Iterator[Callable[[], Provider]]:
    ours: dict[str, tuple[str, Callable[[Any], Any]]] = {
        "Percentage CPU": ("cpu_utilization", lambda value: value),
        "Available Memory Percentage": ("memory_utilization", lambda value: 100 - value),
        "Available Memory Bytes": (
            "memory_utilization",
            lambda value: MEMORY * (1 - value / 100),
        ),
        "Network In Total": ("network_in", lambda value: value * 60),
        "Network Out Total": ("network_out", lambda value: value * 60),
    }

    def machine(resource_id: str) -> int:
        return int(resource_id.rpartition("-")[2])

    def value(resource_id: str, metric: str, minute: Any, device: str = "") -> Any:
        name, shown = ours[metric]
        return shown(demand(machine(resource_id), name, minute))

    def gone(resource_id: str, metric: str, minute: Any, device: str = "") -> Any:
        return silent(machine(resource_id), minute)

    with azure_cloud.cloud() as tenant, pytest.MonkeyPatch.context() as patch:
        patch.setattr(azure_monitor, "SCALES", dict.fromkeys(ours, 1.0))
        patch.setattr(azure_monitor, "point", value)
        patch.setattr(azure_monitor, "missing", gone)
        shop = tenant.subscription("shop")
        size = azure_cloud.sku("Standard_D4s_v5", "standardDSv5Family", 4, 16)
        tenant.sizes[azure_cloud.REGION] = [size]
        monitor = azure_monitor.Monitor(NOW + timedelta(hours=1))
        for n in MACHINES:
            monitor.add(tenant.machine(shop, f"m-{n}", "Standard_D4s_v5"))
        tenant.door.services.append(monitor.service)
        azure_retail.behind(tenant.door)
        settings = AzureSettings(endpoint=tenant.url, skip=SKIPPED, **ASKED)
        yield lambda: AzureProvider(settings)


def _scraped(machine: int) -> Iterator[Given]:
    """Its counters and gauges. A scrape at the end of the last minute before a silence is the last
    one, and one at its end the first."""
    target = {"instance": f"m-{machine}:9100", "job": "node"}
    minutes = np.arange(FIRST, LAST + 1)
    there = ~silent(machine, minutes)
    counted = there | ~silent(machine, minutes - 1)

    def points(values: Any, which: Any) -> list[tuple[float, float]]:
        return list(zip((minutes[which] * 60).tolist(), values[which].tolist(), strict=True))

    def counter(name: str, a_second: Any, **labels: str) -> Given:
        counts = 1000 + np.concatenate([[0], np.cumsum(60 * a_second)[:-1]])
        return Given(name, {**target, **labels}, points(counts, counted))

    cpu = demand(machine, "cpu_utilization", minutes) / 100
    for mode, share in (("user", cpu), ("idle", 1 - cpu)):
        yield counter("node_cpu_seconds_total", share, cpu="0", mode=mode)
    for name, way in (("network_in", "receive"), ("network_out", "transmit")):
        rate = demand(machine, name, minutes)
        yield counter(f"node_network_{way}_bytes_total", rate, device="eth0")
    used = demand(machine, "memory_utilization", minutes) / 100
    total = np.full(len(minutes), float(MEMORY))
    yield Given("node_memory_MemTotal_bytes", target, points(total, there))
    yield Given("node_memory_MemAvailable_bytes", target, points(MEMORY * (1 - used), there))


@pytest.fixture(scope="module")
def clouds(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Rows]:
    folder = tmp_path_factory.mktemp("same")
    made = {}
    for name, source in (("aws", aws), ("gcp", gcp), ("azure", azure)):
        with source() as provider:
            made[name] = _profiled(provider(), folder / name)
    return made


@pytest.fixture(scope="module")
def scraped(prometheus: str, promtool: str, tmp_path_factory: pytest.TempPathFactory) -> Rows:
    folder = tmp_path_factory.mktemp("scraped")
    given = [one for machine in MACHINES for one in _scraped(machine)]
    with real(prometheus, promtool, folder, given) as url:
        settings = PrometheusSettings(url=url, days=DAYS + 1, until=NOW)
        return _profiled(PrometheusProvider(settings), folder / "home")


@pytest.fixture
def profiles(request: pytest.FixtureRequest, clouds: dict[str, Rows]) -> Profiles:
    def of(source: str) -> Rows:
        if source != "prometheus":
            return clouds[source]
        rows: Rows = request.getfixturevalue("scraped")  # skips where there is no Prometheus
        return rows

    return of


def _profiled(provider: Provider, root: Path) -> Rows:
    """What is made of a collect; the machines in the order of their traffic."""
    lake = Lake(root)
    done = pipeline.collect(provider, lake)
    assert [one for one in done.problems if one.fatal] == []
    rows = pipeline.profiles(lake, Settings(), NOW).to_pylist()
    loads = {
        row["ResourceId"]: row["mean"]
        for row in rows
        if (row["MetricName"], row["Statistic"]) == ("network_in", "mean")
    }
    order = sorted(loads, key=loads.__getitem__)
    assert len(order) == len(MACHINES)
    return {
        (order.index(row["ResourceId"]), row["MetricName"], row["Statistic"]): row
        for row in rows
        if row["ResourceId"] in loads
    }


def _slots(machine: int, name: str, fold: Callable[..., Any]) -> tuple[Any, Any]:
    """Starts (minutes) and values of the periods of five minutes that were measured, worked out."""
    starts = np.arange(FIRST, LAST, 5)
    starts = starts[~silent(machine, starts)]
    return starts, fold(demand(machine, name, starts[:, None] + np.arange(5)), axis=1)


FOLDS: Final[dict[str, Callable[..., Any]]] = {"mean": np.mean, "max": np.max}


@pytest.mark.parametrize("source", ["aws", "gcp", "azure", "prometheus"])
@pytest.mark.parametrize("machine", MACHINES)
def test_a_profile_is_what_the_machine_did_whoever_measured_it(
    profiles: Profiles, source: str, machine: int
) -> None:
    """To a hundredth of a percent, and rates to a ten thousandth of themselves."""
    told = [*MEANS, *MAXIMA, *(CLOUDS if source != "prometheus" else [])]
    for name, statistic in told:
        row = profiles(source)[machine, name, statistic]
        starts, values = _slots(machine, name, FOLDS[statistic])
        close = _close(name)
        assert row["count"] == len(values)
        assert row["PeriodSeconds"] == 300
        assert row["coverage"] == pytest.approx(len(values) / (LAST - starts[0]) * 5)
        assert row["mean"] == close(values.mean()), (name, statistic)
        assert row["max"] == close(values.max()), (name, statistic)
        for figure, rank in (("p50", 50), ("p95", 95), ("p99", 99), ("p99_5", 99.5)):
            true = np.percentile(values, rank, method="inverted_cdf")
            assert row[figure] == close(true), (name, statistic, figure)


@pytest.mark.parametrize("source", ["gcp", "azure", "prometheus"])
@pytest.mark.parametrize("machine", MACHINES)
def test_every_figure_is_that_of_cloudwatch(profiles: Profiles, source: str, machine: int) -> None:
    told = [*MEANS, *MAXIMA, *(CLOUDS if source != "prometheus" else [])]
    for name, statistic in told:
        ours, theirs = (profiles(one)[machine, name, statistic] for one in (source, "aws"))
        close = _close(name)
        for figure in COUNTS:
            assert ours[figure] == theirs[figure], (name, statistic, figure)
        for figure in FIGURES:
            assert ours[figure] == close(theirs[figure]), (name, statistic, figure)
        for figure in ("week_mean", "week_p95"):
            week = np.array(theirs[figure], float)
            assert np.array(ours[figure], float) == close(week), (name, statistic, figure)


def _close(name: str) -> Callable[[Any], Any]:
    """A figure within what packing rounds off: percent are kept in hundredths, rates in floats."""
    if name in RATES:
        return lambda value: pytest.approx(value, rel=1e-4, nan_ok=True)
    return lambda value: pytest.approx(value, abs=0.0101, nan_ok=True)


def test_what_is_not_compared_is_not_there(profiles: Profiles) -> None:
    for name, statistic in CLOUDS:
        assert (0, name, statistic) not in profiles("prometheus")
