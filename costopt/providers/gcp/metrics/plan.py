"""What is asked of Cloud Monitoring, call by call, and what it costs. Pure.

Google bills a series each time that a request returns it, however long the range. So a range is not
cut in time but by machines, which a filter names: each series is in one request, but for the two
periods that history comes in. Naming the machines also leaves out those that are gone, and those
that a project sees of others.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from itertools import zip_longest
from typing import Final

from costopt.providers.base import Estimate, Known
from costopt.providers.gcp.metrics import retention
from costopt.providers.gcp.metrics.catalogue import ENTRIES, Entry, Made, Query
from costopt.providers.gcp.metrics.targets import Target
from costopt.units import cents_up, counted

MOST_MACHINES: Final = 75
"""In one filter: 23 characters each, beside 250 others, and filters of alerting policies may have
2,048 (reference of MetricThreshold); for lists none is told, so the same is kept to."""
MOST_POINTS: Final = 1_000_000
"""In one call: they are held until its last page, 8 bytes each, for pages cut series, each newest
first. A page takes thirty times that while it is read, and holds a tenth at most."""
PAGE_POINTS: Final = 100_000
"""Points of one page at most, and about 3 MB. Source: reference of ListTimeSeriesRequest."""

USD_PER_SERIES: Final = Decimal("0.0000005")
"""$0.50 per million time series returned, since 2025-10-02; before, calls were billed. Source:
Google Cloud Observability pricing, Monitoring API."""

_LAST_SAMPLES: Final = 600
"""Seconds: a machine that stops may not send its last sample or two."""

Unit = tuple[str, str]
"""A resource and an entry: what is resumed, and broken, as a whole."""


@dataclass(frozen=True, slots=True)
class Part:
    """One machine in a call."""

    target: Target
    start: int  # seconds since 1970; the call may begin earlier


@dataclass(frozen=True, slots=True)
class Call:
    """The requests that bring an entry of some machines."""

    project: str
    entry: Entry
    made: tuple[Made, ...]  # of the entry, as far as this period has them
    queries: tuple[Query, ...]  # as far as the project has them
    period: int  # seconds
    start: int  # seconds since 1970
    end: int
    parts: tuple[Part, ...]

    @property
    def slots(self) -> int:
        """Periods from start to end."""
        return (self.end - self.start) // self.period

    @property
    def series(self) -> int:
        """How many are billed, about: those that there are, and one again for each new page."""
        each = sum(part.target.series(self.entry) for part in self.parts)
        pages = -(-each * self.slots // PAGE_POINTS)
        return len(self.queries) * (each + pages - 1)

    def units(self) -> list[Unit]:
        """What it is about."""
        return [(part.target.resource_id, self.entry.name) for part in self.parts]


@dataclass(frozen=True, slots=True)
class Times:
    """Between which moments samples are wanted, and when that is asked; seconds since 1970."""

    start: int
    end: int
    now: int


@dataclass(frozen=True, slots=True)
class Plan:
    """All calls, in the order in which their answers are given: of a unit the earlier first."""

    calls: tuple[Call, ...]

    @property
    def series(self) -> int:
        """How many are billed, about."""
        return sum(call.series for call in self.calls)

    @property
    def requests(self) -> int:
        """Queries, not counting their further pages."""
        return sum(len(call.queries) for call in self.calls)


def planned(
    targets: Iterable[Target],
    types: Mapping[str, frozenset[str]],
    known: Known,
    times: Times,
) -> Plan:
    """The calls that bring what the lake lacks of these machines.

    Args:
        types: by project, the metric types that it has; others are not asked for.
    """
    ends = _furthest(known)
    machines: dict[str, list[Target]] = {project: [] for project in types}
    for target in targets:
        if target.project in machines:
            machines[target.project].append(target)
    queues = [
        [
            call
            for entry in ENTRIES
            for call in _calls(
                project, entry, types[project], _asks(machines[project], entry, ends, times)
            )
        ]
        for project in sorted(machines)
    ]
    return Plan(tuple(_in_turn(queues)))


def estimate(plan: Plan) -> Estimate:
    """What the calls cost, as if nothing were free."""
    usd = plan.series * USD_PER_SERIES
    line = (
        f"Cloud Monitoring timeSeries.list: about {plan.series:,} time series in "
        f"{counted(plan.requests, 'request')} at $0.50 per million: ${cents_up(usd):,} "
        "(the first million a month of a billing account is free)"
    )
    return Estimate(usd, (line,))


def _furthest(known: Known) -> dict[Unit, int]:
    """Where each unit ends. Its series are kept together, so the one that reaches furthest tells:
    a device that is gone, or a statistic that there is none of, does not count."""
    ends: dict[Unit, int] = {}
    for series, moment in known.held.items():
        unit = (series.resource_id, series.metric_name)
        ends[unit] = max(_seconds(moment), ends.get(unit, 0))
    return ends


def _asks(
    targets: Sequence[Target], entry: Entry, ends: Mapping[Unit, int], times: Times
) -> dict[tuple[int, int], list[Part]]:
    """By period and end, oldest first: the machines that lack something of it, and since when."""
    asks: dict[tuple[int, int], list[Part]] = {}
    settled = retention.settled(times.end, times.now)
    for target in targets:
        since = max(times.start, ends.get((target.resource_id, entry.name), times.start))
        silent = target.silent_since
        if not target.series(entry) or (silent is not None and silent < since + _LAST_SAMPLES):
            continue
        for span in retention.spans(since, settled, times.now):
            asks.setdefault((span.period, span.end), []).append(Part(target, span.start))
    return {zone: asks[zone] for zone in sorted(asks, key=lambda zone: zone[1])}


def _calls(
    project: str,
    entry: Entry,
    types: frozenset[str],
    asks: Mapping[tuple[int, int], list[Part]],
) -> Iterator[Call]:
    """The calls of one entry; none where the project has nothing of it."""
    for (period, end), parts in asks.items():
        raw = period == retention.PERIOD
        made = tuple(one for one in entry.made if raw or one.statistic == "mean")
        wanted = dict.fromkeys(query for one in made for query in one.inputs)
        queries = tuple(query for query in wanted if query.metric in types)
        if queries:
            for group in _groups(parts, entry, period, end, len(queries)):
                yield Call(project, entry, made, queries, period, group[0].start, end, group)


def _groups(
    parts: Iterable[Part], entry: Entry, period: int, end: int, queries: int
) -> Iterator[tuple[Part, ...]]:
    """Machines that go into one call, those that lack most first."""
    group: list[Part] = []
    series = 0
    for part in sorted(parts, key=lambda one: (one.start, one.target.resource_id)):
        series += part.target.series(entry)
        if group and not _fits(group, part, series * queries, period, end):
            yield tuple(group)
            group, series = [], part.target.series(entry)
        group.append(part)
    if group:
        yield tuple(group)


def _fits(group: list[Part], part: Part, series: int, period: int, end: int) -> bool:
    """Whether one more goes in. A call gives all its machines one range: those that lack less than
    half of it wait for a shorter one."""
    start = group[0].start
    points = series * ((end - start) // period)
    near = part.start <= start + (end - start) // 2
    return near and len(group) < MOST_MACHINES and points <= MOST_POINTS


def _in_turn(queues: Iterable[Iterable[Call]]) -> Iterator[Call]:
    """One call of each project after the other: Google limits requests by project."""
    for row in zip_longest(*queues):
        yield from (call for call in row if call is not None)


def _seconds(moment: datetime) -> int:
    return -int(-moment.timestamp() // 1)
