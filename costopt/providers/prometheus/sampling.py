"""Samples: which queries are asked, and what becomes of their answers."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Final

import pyarrow as pa

from costopt.errors import ProviderError
from costopt.model import Series
from costopt.providers.base import Problem
from costopt.providers.prometheus import queries, recording
from costopt.providers.prometheus.asked import Asked
from costopt.providers.prometheus.client import Client, TooMuchError
from costopt.providers.prometheus.fleet import Fleet
from costopt.providers.prometheus.lines import Lines
from costopt.providers.prometheus.measures import MEASURES, Measure, anchor, present
from costopt.providers.prometheus.slots import POINTS, Span, ceil, halves, spans

SAMPLES: Final = 200_000
"""Samples of one answer: about 6 MB of JSON, 50 MB while it is read."""
READ_SAMPLES: Final = 10_000_000
"""Points that a query makes of all the series it reads: a fifth of what Prometheus allows one query
(--query.max-samples, 50 million)."""
BATCH: Final = 50
"""Machines that one query names, where only some of the fleet are asked for."""
_HOUR: Final = 3600


@dataclass(frozen=True, slots=True)
class Task:
    """One query, whose answer is one portion of samples."""

    measure: Measure
    span: Span
    query: str
    since: Mapping[str, int]  # the machines wanted: from which second on
    earlier: bool = False  # than what the lake holds


@dataclass
class Sampling:
    """A collect of samples over a span."""

    client: Client
    fleet: Fleet
    span: Span
    period: int
    held: Mapping[Series, datetime]  # the end of what the lake has
    also: str  # matchers that narrow every query; "" = none
    concurrency: int
    asked: Asked = field(default_factory=lambda: Asked.read(""))  # by earlier collects
    problems: list[Problem] = field(default_factory=list)
    _failed: set[int] = field(default_factory=set)  # measures, by their place

    def tables(self) -> Iterator[pa.Table]:
        """Samples in portions (schema.METRICS): of each series the earlier ones first.

        What fails becomes a problem, and nothing later of that measure follows.
        """
        lines = Lines(self.fleet, self.period, self.held)
        pool = ThreadPoolExecutor(self.concurrency, "costopt-prometheus")
        waiting: deque[tuple[int, Task, Future[list[queries.Line]]]] = deque()
        try:
            for place, task in self._tasks():
                waiting.append((place, task, pool.submit(self._answer, task)))
                if len(waiting) > self.concurrency:
                    yield from self._done(lines, *waiting.popleft())
            while waiting:
                yield from self._done(lines, *waiting.popleft())
        finally:
            pool.shutdown(cancel_futures=True)
        self.problems += lines.problems({MEASURES[place].metric for place in self._failed})

    @property
    def note(self) -> str:
        """What the next collect has to know of what was asked, once all the tables have come."""
        whole = [m for place, m in enumerate(MEASURES) if place not in self._failed]
        return self.asked.noted(self.span, (m for m in whole if present(m, self.fleet.metrics)))

    def _tasks(self) -> Iterator[tuple[int, Task]]:
        """Every query in order; those of a measure stop with its first failure."""
        for place, measure in enumerate(MEASURES):
            if not present(measure, self.fleet.metrics):
                continue
            try:
                planned = self.plan(measure)
            except ProviderError as error:
                self._fail(place, measure, self.span, error)
                continue
            for task in planned:
                if place in self._failed:
                    break
                yield place, task

    def _done(
        self, lines: Lines, place: int, task: Task, answer: Future[list[queries.Line]]
    ) -> Iterator[pa.Table]:
        if place in self._failed:
            answer.cancel()
            return
        try:
            found = answer.result()
        except ProviderError as error:
            self._fail(place, task.measure, task.span, error)
            return
        table = lines.table(task.measure, task.since, found, earlier=task.earlier)
        if table.num_rows:
            yield table

    def _fail(self, place: int, measure: Measure, span: Span, error: ProviderError) -> None:
        self._failed.add(place)
        day = datetime.fromtimestamp(span.start, tz=UTC)
        where = f"{measure.metric} ({measure.statistic}) from {day:%Y-%m-%d %H:%M} on"
        what = f"{error.what} ({error.hint})" if error.hint else error.what
        self.problems.append(Problem(where, what, fatal=True))

    def plan(self, measure: Measure) -> list[Task]:
        """The measure's queries, in order of time.

        Raises:
            ProviderError: how much there is to read cannot be found out.
        """
        since = self._since(measure)
        if not since:
            return []
        tasks = []
        for hole in self.asked.holes(measure, self.span, max(since.values()), self.period):
            lacking = {name: hole.start for name, at in since.items() if at > hole.start}
            if lacking:
                found = self._stretch(measure, lacking, hole.stop)
                tasks += [replace(task, earlier=True) for task in found]
        return tasks + self._stretch(measure, since, self.span.stop)

    def _stretch(self, measure: Measure, since: Mapping[str, int], stop: int) -> list[Task]:
        """The queries from the machines' seconds on to `stop`."""
        first = min(since.values())
        if first >= stop:
            return []
        kept_from = min(stop, self._recorded_from(measure, first))
        lines = sum(self._lines(measure, machine) for machine in since)
        most = max(1, min(POINTS, SAMPLES // lines))
        raw = self._raw(measure, max(most, 1)) if first < kept_from else most
        plain = measure.query(self.period, self.also)
        tasks = self._asked(measure, since, spans(first, kept_from, self.period, raw), plain)
        start = max(first, kept_from)
        kept = spans(start, stop, self.period, most)
        return tasks + self._asked(measure, since, kept, "")

    def _since(self, measure: Measure) -> dict[str, int]:
        """From when each machine's samples are wanted: where the lake ends.

        Of several cards the one that goes furthest counts: they come in one answer, and one that
        was taken out has no more to tell.
        """
        ends: dict[str, float] = {}
        for series, end in self.held.items():
            if series[1:3] == (measure.metric, measure.statistic):
                ends[series.resource_id] = max(ends.get(series.resource_id, 0), end.timestamp())
        start = self.span.start
        return {
            m.machine_id: max(start, ceil(ends.get(m.machine_id, 0), self.period))
            for m in self.fleet.of(measure.source)
        }

    def _lines(self, measure: Measure, machine: str) -> int:
        cards = self.fleet.machines[machine].cards
        return max(1, cards.number if cards else 1) if measure.source == "dcgm" else 1

    def _raw(self, measure: Measure, most: int) -> int:
        """Periods in one query, by how many series it reads now."""
        selector = measure.selector(self.also)
        if not selector:
            return most
        read = queries.number(self.client, f"count({selector})", self.span.stop)
        return max(1, min(most, READ_SAMPLES // ceil(read, 1))) if read else most

    def _asked(
        self, measure: Measure, since: Mapping[str, int], parts: list[Span], query: str
    ) -> list[Task]:
        """A query for each part: of all machines, or, where few lack it, of these by name.

        Args:
            query: "" = of the recorded series.
        """
        tasks = []
        for span in parts:
            wanted = {name: at for name, at in since.items() if at < span.stop}
            if 2 * len(wanted) > len(since):
                text = query or recording.reading(measure.recorded(self.period), self.also)
                tasks.append(Task(measure, span, text, wanted))
                continue
            names = sorted(wanted)
            for begin in range(0, len(names), BATCH):
                batch = {name: wanted[name] for name in names[begin : begin + BATCH]}
                tasks.append(Task(measure, span, self._narrow(measure, batch, query), batch))
        return tasks

    def _narrow(self, measure: Measure, batch: Mapping[str, int], query: str) -> str:
        instances = [
            name for m in batch for name in self.fleet.machines[m].instances[measure.source]
        ]
        also = ",".join(filter(None, (self.also, queries.one_of("instance", instances))))
        if query:
            return measure.query(self.period, also)
        return recording.reading(measure.recorded(self.period), also)

    def _recorded_from(self, measure: Measure, first: int) -> int:
        """The moment from which on a recording rule covers every machine; the end where none."""
        name = measure.recorded(self.period)
        if name not in self.fleet.metrics:
            return self.span.stop
        hours = Span(first // _HOUR * _HOUR, self.span.stop // _HOUR * _HOUR)
        if hours.stop - hours.start < _HOUR:
            return self.span.stop
        machines = self._hourly(f"count({anchor('node', self.also)})", hours)
        recorded = self._hourly(f"count({recording.reading(name, self.also)})", hours)
        lacking = [at for at, count in machines.items() if recorded.get(at, 0) < count]
        start = max(lacking, default=hours.start) + _HOUR
        return min(self.span.stop, max(first, ceil(start, self.period)))

    def _hourly(self, query: str, hours: Span) -> dict[int, float]:
        found = [
            line
            for part in spans(hours.start, hours.stop, _HOUR, POINTS)
            for line in queries.ranged(self.client, query, part, _HOUR)
        ]
        return {int(at): float(n) for x in found for at, n in zip(x.times, x.values, strict=True)}

    def _answer(self, task: Task) -> list[queries.Line]:
        """The query's answer; where it is too much, that of its halves, one after the other."""
        waiting, found = [task.span], []
        while waiting:
            span = waiting.pop()
            try:
                found += queries.ranged(self.client, task.query, span, self.period)
            except TooMuchError:
                parts = halves(span, self.period)
                if parts is None:
                    raise
                waiting += reversed(parts)
        return found
