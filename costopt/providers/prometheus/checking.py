"""`costopt doctor prometheus`: what a collect needs, tried by small queries."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from costopt.errors import InputError, ProviderError
from costopt.providers.base import Check
from costopt.providers.prometheus import doubts, hosts, queries
from costopt.providers.prometheus.client import Client
from costopt.providers.prometheus.fleet import discover
from costopt.providers.prometheus.measures import ANCHORS, MEASURES, Source, anchor, present
from costopt.providers.prometheus.pace import pace
from costopt.providers.prometheus.settings import PrometheusSettings
from costopt.providers.prometheus.slots import Span
from costopt.units import SECONDS_PER_DAY, counted

PERMISSIONS: Final = """\
Reading only. A proxy in front of it has to let through, below its address:
  POST /api/v1/query_range
  POST /api/v1/query
  POST /api/v1/series
  GET  /api/v1/label/__name__/values
  GET  /api/v1/status/buildinfo          (only costopt doctor)
Mimir and Cortex: the tenant in X-Scope-OrgID, with the right to read metrics.
"""
_SKEW_SECONDS: Final = 60
"""Clocks this far apart put samples of the newest periods in doubt."""
_MANY: Final = 50_000
"""Series of one metric from which on recording rules are worth their trouble."""
_EXPORTERS: Final[dict[Source, str]] = {
    "node": "node_exporter",
    "dcgm": "dcgm-exporter",
    "cadvisor": "cAdvisor",
}


def checks(
    client: Client, settings: PrometheusSettings, until: Callable[[], float]
) -> Iterator[Check]:
    """One after the other; where the server does not answer, that is the last.

    Args:
        until: up to when a collect would ask (seconds).
    """
    if settings.hosts:
        yield _hosts(settings.hosts)
    where = settings.url
    try:
        queries.instant(client, "vector(1)", int(datetime.now(UTC).timestamp()))
        yield Check("query", where, True, "answers as a Prometheus does")
    except ProviderError as error:
        yield Check("query", where, False, f"{error.what} ({error.hint})")
        return
    yield _built(client, where)
    yield _clock(client, where)
    at = int(until())
    for one in (_reporting, _metrics, _reach, _weight, _described):
        try:
            yield from one(client, settings, at)
        except ProviderError as error:
            yield Check(one.__name__.strip("_"), where, False, f"{error.what} ({error.hint})")


def _hosts(path: Path) -> Check:
    try:
        entries = hosts.load(path)
    except InputError as error:
        return Check("hosts file", error.where, False, error.what)
    return Check("hosts file", str(path), True, f"readable, entries: {len(entries)}")


def _described(client: Client, settings: PrometheusSettings, at: int) -> Iterator[Check]:
    """Whether the machines of the last day are what the hosts file says."""
    if settings.hosts is None:
        return
    try:
        entries = hosts.load(settings.hosts)
    except InputError:
        return  # told before
    span = Span(at - SECONDS_PER_DAY, at)
    fleet = discover(client, settings.machine_label, settings.only or "", span, ())
    found = 0
    for unique, machine in fleet.machines.items():
        node = machine.node
        if node and node.resource_id:
            continue
        entry = hosts.entry_of(entries, unique, machine.name, node.name if node else None)
        if entry is None:
            continue
        where = f"{settings.hosts.name}:{entry.line}"
        told = list(doubts.of_size(entry, machine))
        told += doubts.of_costs(entry, cards=machine.cards is not None)
        found += len(told)
        for doubt in told:
            yield Check("hosts file", where, False, f"{unique}: {doubt}")
    if not found and fleet.machines:
        detail = f"no doubt about {counted(len(fleet.machines), 'machine')} of the last day"
        yield Check("hosts file", settings.hosts.name, True, detail)


def _built(client: Client, where: str) -> Check:
    """Which server it is; some do not say, and that is no fault."""
    try:
        told: Any = client.ask("status/buildinfo", {}, method="GET")
    except ProviderError as error:
        return Check("status/buildinfo", where, True, f"does not tell its version: {error.what}")
    version = told.get("version", "?") if isinstance(told, dict) else "?"
    return Check("status/buildinfo", where, True, f"version {client.shown(str(version))[:40]}")


def _clock(client: Client, where: str) -> Check:
    if client.server_time is None:
        return Check("clock", where, True, "the server does not tell its time")
    apart = abs((datetime.now(UTC) - client.server_time).total_seconds())
    detail = f"{counted(round(apart), 'second')} apart from ours"
    if apart > _SKEW_SECONDS:
        detail += ": one of the two is wrong; set them by NTP"
    return Check("clock", where, apart <= _SKEW_SECONDS, detail)


def _reporting(client: Client, settings: PrometheusSettings, at: int) -> Iterator[Check]:
    """Each exporter: how many targets, and how often they are scraped."""
    also = settings.only or ""
    found = False
    for source in ANCHORS:
        selector = anchor(source, also)
        targets = queries.number(client, f"count(count by (instance, job) ({selector}))", at)
        if not targets:
            yield Check(_EXPORTERS[source], settings.url, True, "does not report here")
            continue
        found = True
        scraped = pace(client, source, also, at, settings.days)
        often = f", scraped every {scraped.usual:.0f} s" if scraped else ""
        if scraped and scraped.seconds > scraped.usual:
            often += f", the slowest every {scraped.seconds:.0f} s"
        detail = f"{counted(int(targets), 'target')}{often}"
        yield Check(_EXPORTERS[source], settings.url, True, detail)
    if not found:
        detail = "none of node_exporter, dcgm-exporter and cAdvisor reports now"
        yield Check("exporters", settings.url, False, f"{detail}; is --only too narrow?")


def _metrics(client: Client, settings: PrometheusSettings, at: int) -> Iterator[Check]:
    """Which of our metrics cannot be had, of exporters that report."""
    also = f",{settings.only}" if settings.only else ""
    wanted = {name for m in MEASURES for line in m.needs for name in line.split("|")}
    there = queries.names(client, wanted, also, Span(at - SECONDS_PER_DAY, at))
    lacking = [
        " or ".join(line.split("|"))
        for measure in MEASURES
        if any(m.source == measure.source and present(m, there) for m in MEASURES)
        for line in measure.needs
        if there.isdisjoint(line.split("|"))
    ]
    detail = f"{counted(len(there), 'metric')} of those we read"
    if lacking:
        detail += "; not there: " + ", ".join(dict.fromkeys(lacking))
    yield Check("metrics", settings.url, bool(there), detail)


def _reach(client: Client, settings: PrometheusSettings, at: int) -> Iterator[Check]:
    """How far back there are samples, looked up once a day."""
    also = settings.only or ""
    span = Span(at - (settings.days + 1) * SECONDS_PER_DAY, at)
    first = at
    for source in ANCHORS:
        query = f"count({anchor(source, also)})"
        for line in queries.ranged(client, query, span, SECONDS_PER_DAY):
            first = min(first, int(line.times[0]))
    days = (at - first) // SECONDS_PER_DAY
    detail = f"samples of {counted(days, 'day')} of the {settings.days} that are asked for"
    if days < settings.days:
        detail += "; --storage.tsdb.retention.time keeps them longer"
    yield Check("retention", settings.url, days >= 1, detail)


def _weight(client: Client, settings: PrometheusSettings, at: int) -> Iterator[Check]:
    """Whether recording rules would spare it much."""
    also = settings.only or ""
    heaviest = 0
    for measure in MEASURES:
        if measure.heavy:
            count = queries.number(client, f"count({measure.selector(also)})", at) or 0
            heaviest = max(heaviest, int(count))
    if heaviest > _MANY:
        detail = (
            f"one metric has {heaviest:,} series; recording rules spare the "
            "server much: docs/examples/prometheus-rules.yml"
        )
        yield Check("load", settings.url, True, detail)
