"""A real Prometheus that scrapes some machines ten times less often, and nodes without exporter."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pyarrow as pa
import pytest

from costopt.providers.prometheus import PrometheusProvider, PrometheusSettings
from tests.fakes.prometheus import Given, real
from tests.providers.prometheus.conftest import END, GIB

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
