"""A real Prometheus that scrapes some machines ten times less often, and nodes without
node_exporter; and alarms of these, and of one that has just started."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pytest
import yaml

from costopt.frame.inventory import present
from costopt.model import Guard
from costopt.providers.prometheus import PrometheusProvider, PrometheusSettings, queries
from costopt.providers.prometheus.client import Client
from costopt.report.artefacts.alarms import alarms
from tests.fakes.prometheus import Given, real
from tests.providers.prometheus.conftest import END, GIB
from tests.report import builders

HOURS = 8
START = END - HOURS * 3600
QUICK = ("q-1", "q-2", "q-3")
SLOW = ("s-1", "s-2")


def _points(every: int, rate: float) -> Iterator[tuple[float, float]]:
    """From a moment on that is none of the grid's."""
    return ((at, 50.0 + (at - START) * rate) for at in range(START + 17, END + 1, every))


def _machine(name: str, every: int) -> Iterator[Given]:
    target = {"instance": f"{name}:9100", "job": "node"}
    for mode, share in (("idle", 0.6), ("iowait", 0.1), ("user", 0.3)):
        yield Given(
            "node_cpu_seconds_total", {**target, "cpu": "0", "mode": mode}, _points(every, share)
        )
    for what, size in (("MemTotal", 8), ("MemAvailable", 6)):
        points = ((at, float(size * GIB)) for at in range(START, END + 1, every))
        yield Given(f"node_memory_{what}_bytes", target, points)


def _node() -> Iterator[Given]:
    """A node of 4 cores and 8 GiB that uses 30 % of either, as its kubelet tells."""
    target = {"instance": "10.0.0.7:10250", "job": "kubelet", "node": "n-1"}
    root = {**target, "id": "/"}
    yield Given("container_cpu_usage_seconds_total", {**root, "cpu": "total"}, _points(30, 1.2))
    for name, labels, size in (
        ("container_memory_working_set_bytes", root, 2.4 * GIB),
        ("machine_cpu_cores", target, 4.0),
        ("machine_memory_bytes", target, 8.0 * GIB),
    ):
        yield Given(name, labels, [(at, size) for at in range(START + 17, END + 1, 30)])


@pytest.fixture(scope="module")
def odd(prometheus: str, promtool: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A node without node_exporter, and a machine that started in the last minute."""
    young = [
        Given(one.name, one.labels, [(at, v) for at, v in one.points if at > END - 60])
        for one in _machine("b-1", 30)
    ]
    given = [*young, *_node()]
    with real(prometheus, promtool, tmp_path_factory.mktemp("odd"), given) as url:
        yield url


def _firing(url: str, limit: float) -> set[tuple[str, str]]:
    """Machine and metric of each rule that is over that limit in the last period."""
    until = datetime.fromtimestamp(END, UTC) + timedelta(days=1)
    guards = tuple(
        Guard(name, limit, 1, 300, 2, until) for name in ("cpu_utilization", "memory_utilization")
    )
    settings = PrometheusSettings(url=url, until=datetime.fromtimestamp(END, UTC), days=1)
    rows = present(PrometheusProvider(settings).resources(), until, "UTC").values()
    advised = [
        builders.recommendation(
            row.resource_id, resource_name=row.resource_name, tags=row.tags, guards=guards,
            current=builders.offer(provider_name=row.provider_name),
        )
        for row in rows
    ]  # fmt: skip
    (data,) = alarms(builders.report(tuple(advised))).values()
    groups = yaml.safe_load(data)["groups"]
    client = Client(settings)
    found = set()
    for rule in (rule for group in groups for rule in group["rules"]):
        for line in queries.instant(client, rule["expr"], END):
            metric = "memory" if rule["alert"].endswith("memory") else "cpu"
            found.add((line.labels["instance"], metric))
    return found


def test_a_node_without_node_exporter_is_watched_by_cadvisor(odd: str) -> None:
    node = {("10.0.0.7:10250", "cpu"), ("10.0.0.7:10250", "memory")}
    assert node <= _firing(odd, 29.0)
    assert not node & _firing(odd, 31.0)


def test_a_start_is_no_load(odd: str) -> None:
    """It uses 30 %: of the period it saw a fifth, whose idle time is not the whole of it."""
    assert ("b-1:9100", "cpu") in _firing(odd, 29.0)
    assert ("b-1:9100", "cpu") not in _firing(odd, 31.0)


@pytest.fixture(scope="module")
def uneven(
    prometheus: str, promtool: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    series = [one for name in QUICK for one in _machine(name, 30)]
    series += [one for name in SLOW for one in _machine(name, 300)]
    with real(prometheus, promtool, tmp_path_factory.mktemp("uneven"), series) as url:
        yield url


def _collected(url: str, **given: object) -> tuple[PrometheusProvider, pa.Table]:
    settings = {"url": url, "until": datetime.fromtimestamp(END, UTC), "days": 1, **given}
    source = PrometheusProvider(PrometheusSettings(**settings))  # type: ignore[arg-type]
    return source, pa.concat_tables(source.metrics(None))


def _with_cpu(table: pa.Table) -> set[str]:
    rows = table.select(["ResourceId", "MetricName"]).to_pylist()
    return {row["ResourceId"] for row in rows if row["MetricName"] == "cpu_utilization"}


def test_the_period_is_long_enough_for_the_slowest(uneven: str) -> None:
    source, table = _collected(uneven)
    assert set(table.column("PeriodSeconds").to_pylist()) == {900}
    assert _with_cpu(table) == {*QUICK, *SLOW}
    assert source.problems == []


def test_machines_with_memory_and_no_cpu_are_told(uneven: str) -> None:
    source, table = _collected(uneven, period=300)
    assert _with_cpu(table) == set(QUICK)
    (told,) = source.problems
    assert (told.where, told.count, told.fatal) == ("cpu_utilization", 2, False)
    assert "no CPU: s-1, s-2;" in told.what
    assert "within 300 s" in told.what
