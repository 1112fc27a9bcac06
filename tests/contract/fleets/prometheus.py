"""Machines that a Prometheus knows: a real one behind a door, where there is one."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from costopt.model import Window
from costopt.providers.base import Provider
from costopt.providers.prometheus import PrometheusProvider
from costopt.providers.prometheus.settings import PrometheusSettings
from tests.contract.fleets.fleet import SOON, Fleet, Refusal, bursts
from tests.contract.truth import DAYS, ENDED, MEANS, NOW, Machine, demand, silent
from tests.fakes import prometheus
from tests.fakes.prometheus import Given, Reply, Scripted, Told

_GIB = 1024**3
_SAMPLES = "costopt.providers.prometheus.sampling.SAMPLES"
_COUNTERS = {
    "network_in": ("node_network_receive_bytes_total", "eth0"),
    "network_out": ("node_network_transmit_bytes_total", "eth0"),
    "disk_read": ("node_disk_read_bytes_total", "sda"),
    "disk_write": ("node_disk_written_bytes_total", "sda"),
}
_WORDS = (
    ("100 * (1 - sum", "cpu_utilization", np.mean),
    ("min_over_time(node_memory", "memory_utilization", np.max),
    ("avg_over_time(node_memory", "memory_utilization", np.mean),
    *((counter, metric, np.mean) for metric, (counter, _) in _COUNTERS.items()),
)
_HOSTS = """\
defaults: {{currency: EUR, years: 4, discount_rate: 8, pue: 1.4, power_price_kwh: 0.2}}
hosts:
  - {{match: web-*, site: {site}, cores: 1, threads: 2, memory_gib: 32,
     purchase_price: 8000, kw: 0.25}}
"""
_MACHINES = {f"web-{n}": Machine(n, "ams", 2, 32) for n in (1, 2)}
_FIRST = int((NOW - timedelta(days=DAYS, hours=1)).timestamp()) // 60
_LAST = int((NOW + timedelta(hours=3)).timestamp()) // 60


@contextmanager
def scraped() -> Iterator[Fleet]:
    """Two machines that a Prometheus knows, and what they cost."""
    with ExitStack() as stack, pytest.MonkeyPatch.context() as patch:
        server, bare = (
            stack.enter_context(prometheus.serving(one)) for one in (_known(stack), Scripted())
        )
        until = datetime.fromtimestamp(prometheus.NOON, UTC)
        site = ["ams"]

        def build(folder: Path, **more: Any) -> Provider:
            hosts = folder / "hosts.yml"
            hosts.write_text(_HOSTS.format(site=site[0]))
            settings = {"url": server.url, "until": NOW, "days": DAYS, "hosts": hosts, **more}
            return PrometheusProvider(PrometheusSettings(**settings))

        def change() -> Mapping[str, Machine]:
            site[0] = "fra"
            return {name: one._replace(region="fra") for name, one in _MACHINES.items()}

        def throttle() -> None:
            burst = bursts(len(server.asked))
            busy = Reply(429, b"too many requests", SOON)
            server.reply = lambda asked: busy if burst(len(server.asked)) else None

        def refuse() -> Refusal:
            server.reply = _refusing(Reply(403, b"not for you"))
            return Refusal("network_in", lambda row: row["MetricName"] == "network_in")

        def stumble() -> Window:
            """An answer of so many samples is asked for in parts."""
            patch.setattr(_SAMPLES, 192)
            window = Window(NOW - timedelta(days=1), NOW)
            end = (window.start + timedelta(hours=6)).timestamp()
            server.reply = _refusing(Reply(500, b"out of order"), end)
            return window

        def ahead() -> datetime:
            server.clock = ENDED
            return ENDED - timedelta(minutes=1)  # a scrape may last until the next one

        most, clock = 200_000, server.clock

        def mend() -> None:
            server.clock = clock
            server.reply = lambda asked: None
            site[0] = "ams"
            patch.setattr(_SAMPLES, most)

        def many(folder: Path, count: int) -> dict[str, Any]:
            crowd = stack.enter_context(prometheus.serving(prometheus.small_fleet(count)))
            return {"url": crowd.url, "until": until, "days": 1, "max_concurrency": 1}

        def empty(folder: Path) -> Provider:
            return PrometheusProvider(PrometheusSettings(url=bare.url, until=until))

        yield Fleet(
            build=build,
            machines=_MACHINES,
            told=MEANS | {("memory_utilization", "max")},
            change=change,
            empty=empty,
            throttle=throttle,
            refuse=refuse,
            stumble=stumble,
            ahead=ahead,
            many=many,
            limits={_SAMPLES: 500},
            narrow=Window(until - timedelta(hours=8), until),
            listing=80_000,  # the looks for the pace of scrapes: 34 values of each machine
            lost_if_empty=True,
            mend=mend,
        )


def _refusing(said: Reply, before: float = float("inf")) -> Any:
    """Refuses samples of what was received, of queries that begin before a moment."""

    def reply(asked: prometheus.Asked) -> Reply | None:
        if not asked.path.endswith("query_range") or "receive_bytes" not in asked.form["query"]:
            return None
        return said if float(asked.form["start"]) < before else None

    return reply


def _known(stack: ExitStack) -> Scripted:
    """A server that knows what the machines did: a real one, which works out what a query means;
    where there is none, answers by the words that stand in a query."""
    program, tool = shutil.which("prometheus"), shutil.which("promtool")
    if program is None or tool is None:
        return _by_heart()
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
    given = [one for name, machine in _MACHINES.items() for one in _measured(name, machine.number)]
    return Scripted(behind=stack.enter_context(prometheus.real(program, tool, folder, given)))


def _measured(name: str, number: int) -> Iterator[Given]:
    """Its counters and gauges, a scrape a minute. One at the end of the last minute before a
    silence is the last, and one at its end the first."""
    target = {"instance": f"{name}:9100", "job": "node"}
    minutes = np.arange(_FIRST, _LAST)
    there = ~silent(number, minutes)
    counted = there | ~silent(number, minutes - 1)

    def points(values: Any, which: Any) -> list[tuple[float, float]]:
        return list(zip((minutes[which] * 60).tolist(), values[which].tolist(), strict=True))

    def counter(name: str, a_second: Any, **labels: str) -> Given:
        counts = 1000 + np.concatenate([[0], np.cumsum(60 * a_second)[:-1]])
        return Given(name, {**target, **labels}, points(counts, counted))

    busy = demand(number, "cpu_utilization", minutes) / 100
    for core in ("0", "1"):
        for mode, share in (("user", busy), ("idle", 1 - busy)):
            yield counter("node_cpu_seconds_total", share, cpu=core, mode=mode)
    for metric, (name_, device) in _COUNTERS.items():
        yield counter(name_, demand(number, metric, minutes), device=device)
    free = 32 * _GIB * (1 - demand(number, "memory_utilization", minutes) / 100)
    total = np.full(len(minutes), 32.0 * _GIB)
    yield Given("node_memory_MemTotal_bytes", target, points(total, there))
    yield Given("node_memory_MemAvailable_bytes", target, points(free, there))


def _by_heart() -> Scripted:
    """Each period's figure by a word of the query that asks for it; the first that fits counts."""

    def figure(metric: str, machine: int, fold: Callable[[Any], Any], at: int) -> float | None:
        minutes = np.arange(at // 60 - 5, at // 60)
        gone = silent(machine, minutes).any()
        return None if gone else float(fold(demand(machine, metric, minutes)))

    told = [
        Told("max by (instance", {}, lambda at: 60.0),
        Told("count(", {}, lambda at: float(len(_MACHINES))),
    ]
    for name, machine in _MACHINES.items():
        labels = {"instance": f"{name}:9100", "job": "node"}
        told += [
            Told(needle, labels, partial(figure, metric, machine.number, fold))
            for needle, metric, fold in _WORDS
        ]
        told.append(Told("count without", labels, lambda at: 2.0))
        told.append(Told("node_memory_MemTotal_bytes", labels, lambda at: 32.0 * _GIB))
    names = ["node_cpu_seconds_total", *(counter for counter, _ in _COUNTERS.values())]
    names += ["node_memory_MemTotal_bytes", "node_memory_MemAvailable_bytes"]
    return Scripted(told=told, names=names)
