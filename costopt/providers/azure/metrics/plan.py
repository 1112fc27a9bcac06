"""What is asked of Azure Monitor, call by call, and what it costs. Pure.

The batch endpoint takes fifty machines of one subscription, region and type, with twenty metrics,
for thirty days. Full batches are cut in time, so that an answer fits into memory: that takes the
fewest calls. Where the batch endpoint is refused, each machine is asked by itself, thirty days at a
time (`alone`).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from itertools import zip_longest
from typing import Final

from costopt.providers.azure.metrics import retention
from costopt.providers.azure.metrics.catalogue import Entry, Raw
from costopt.providers.azure.metrics.discovery import Source
from costopt.providers.azure.metrics.retention import PERIOD
from costopt.providers.azure.metrics.silence import Unit
from costopt.providers.azure.metrics.targets import Place, Target
from costopt.providers.base import Estimate, Known
from costopt.units import cents_up, counted

MOST_MACHINES: Final = 50
MOST_NAMES: Final = 20
"""Of one call. Source: "How to migrate from the metrics API to the getBatch API"; the API itself
("Requested metrics count: 22 bigger than allowed max: 20")."""
MOST_POINTS: Final = 250_000
"""Of one call, a point being all aggregations of a metric: about 40 MB of JSON, which is held with
what is made of it, in each thread. Azure tells no limit."""

USD_PER_CALL: Final = Decimal("0.00001")
POINTS_PER_CALL: Final = 1_440
"""$0.01 per 1,000 calls of the meter "Native Metric Queries API Calls", the first million a month
free. Source: "Azure Monitor cost and usage", metrics meters; Azure Monitor pricing, as quoted by
grafana/grafana pull request 123697 (July 2026).

No public page says what counts as a call. A request is one at least; a day's minutes of one metric
is what answers state as their `cost` ("... getBatch API": 2 metrics of 2 series over 2 days cost
11,516, or 4 x 2,879 minutes, whatever the interval). The greater of the two is an upper bound."""

_LAST_SAMPLES: Final = 600
"""Seconds: a machine's last samples may come a little after it was stopped, or never."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """One entry of a machine, and from when on the lake lacks it."""

    entry: Entry
    since: int  # seconds since 1970


@dataclass(frozen=True, slots=True)
class Part:
    """One machine in a call."""

    target: Target
    wanted: tuple[Wanted, ...]
    end: int  # seconds since 1970; later samples of it are not asked for

    @property
    def start(self) -> int:
        """From when on any of it is lacking."""
        return min(one.since for one in self.wanted)

    def units(self) -> list[Unit]:
        """What it is about."""
        return [(self.target.resource_id, one.entry.name) for one in self.wanted]


@dataclass(frozen=True, slots=True, eq=False)
class Group:
    """Machines that are asked together, over and over until the end."""

    place: Place
    namespace: str
    dimension: str | None  # that tells devices apart
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Call:
    """One request."""

    group: Group
    parts: tuple[Part, ...]
    start: int  # seconds since 1970
    end: int
    batch: bool

    @property
    def raws(self) -> tuple[Raw, ...]:
        """What is asked of each machine."""
        entries = dict.fromkeys(one.entry for part in self.parts for one in part.wanted)
        return tuple(dict.fromkeys(raw for entry in entries for raw in entry.raws))

    @property
    def names(self) -> tuple[str, ...]:
        """Azure's names of it."""
        return tuple(dict.fromkeys(raw.name for raw in self.raws))

    @property
    def slots(self) -> int:
        """Periods from start to end."""
        return (self.end - self.start) // PERIOD

    @property
    def billed(self) -> int:
        """Standard API calls that it counts as, at most."""
        devices = sum(part.target.gpus if self.group.dimension else 1 for part in self.parts)
        minutes = (self.end - self.start) // 60
        return -(-devices * len(self.names) * minutes // POINTS_PER_CALL)


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


def planned(
    targets: Iterable[Target],
    sources: Mapping[str, Sequence[Source]],
    known: Known,
    vain: Mapping[Unit, int],
    times: Times,
) -> Plan:
    """The calls that bring what the lake lacks of these machines.

    Args:
        sources: by machine, who else measures it.
        vain: until when each unit was asked in vain.
    """
    ends = _ends(known)
    end = retention.settled(times.end, times.now)
    start = retention.begin(max(times.start, retention.oldest(times.now)))
    since = _Since(start, end, ends, vain)
    batches: dict[tuple[Place, str], list[Part]] = {}
    queues: dict[str, list[Call]] = {}
    for target in targets:
        queue = queues.setdefault(target.place.subscription, [])
        until = _until(target, since)
        for part in _parts(target, target.entries, since, until):
            batches.setdefault((target.place, target.namespace), []).append(part)
        for source in sources.get(target.resource_id, ()):
            for part in _parts(target, source.entries, since, until):
                group = Group(target.place, source.namespace, source.dimension, (part,))
                queue += alone(group, part.start)
    for (place, namespace), parts in batches.items():
        for together in _groups(parts, end):
            group = Group(place, namespace, None, together)
            queues[place.subscription] += _batches(group)
    return Plan(tuple(_in_turn(queues[name] for name in sorted(queues))))


def alone(group: Group, since: int) -> Iterator[Call]:
    """The group's calls from then on, machine by machine."""
    for part in group.parts:
        start = max(part.start, since)
        for first in range(start, part.end, retention.LONGEST):
            last = min(first + retention.LONGEST, part.end)
            yield Call(group, (part,), first, last, batch=False)


def estimate(plan: Plan) -> Estimate:
    """What the calls cost, as if nothing were free."""
    if not plan.calls:
        return Estimate(Decimal(0), ())
    billed = sum(call.billed for call in plan.calls)
    usd = billed * USD_PER_CALL
    machines = len({part.target.resource_id for call in plan.calls for part in call.parts})
    line = (
        f"Azure Monitor metrics of {counted(machines, 'machine')} in "
        f"{counted(len(plan.calls), 'request')}, which count as {counted(billed, 'call')} at most, "
        f"at $0.01 per 1,000: ${cents_up(usd):,} (the first million a month is free)"
    )
    return Estimate(usd, (line,))


@dataclass(frozen=True, slots=True)
class _Since:
    """From when on each unit is asked for."""

    start: int
    end: int
    ends: Mapping[Unit, int]  # of the newest sample that the lake holds
    vain: Mapping[Unit, int]

    def of(self, unit: Unit) -> int:
        last = max(self.start, self.ends.get(unit, 0), self.vain.get(unit, 0))
        return retention.begin(last)


def _ends(known: Known) -> dict[Unit, int]:
    """Where each unit ends. Its series are kept together, so the one that reaches furthest tells:
    a device that is gone, or a statistic that there is none of, does not count."""
    ends: dict[Unit, int] = {}
    for series, moment in known.held.items():
        unit = (series.resource_id, series.metric_name)
        ends[unit] = max(seconds(moment), ends.get(unit, 0))
    return ends


def _until(target: Target, since: _Since) -> int:
    """Until when the machine was measured, as far as that is known. A machine that has samples
    from after the moment when it is said to have stopped has been started since, or was stopped by
    Azure, which sets no new moment."""
    if target.silent_since is None:
        return since.end
    last = retention.begin(target.silent_since + _LAST_SAMPLES)
    held = [since.ends.get((target.resource_id, entry.name), 0) for entry in target.entries]
    return since.end if max(held) > last else min(last, since.end)


def _parts(target: Target, entries: Sequence[Entry], since: _Since, until: int) -> Iterator[Part]:
    """What to ask of the machine: mostly all of it at once. What lacks far more than the rest is
    asked for by itself."""
    asked = [Wanted(entry, since.of((target.resource_id, entry.name))) for entry in entries]
    enough = until if until == since.end else until - 2 * _LAST_SAMPLES
    waiting = deque(sorted((w for w in asked if w.since < enough), key=lambda one: one.since))
    while waiting:
        near = _near(waiting[0].since, since.end)
        together = []
        while waiting and waiting[0].since <= near:
            together.append(waiting.popleft())
        order = {entry: number for number, entry in enumerate(entries)}
        yield Part(target, tuple(sorted(together, key=lambda one: order[one.entry])), until)


def _near(start: int, end: int) -> int:
    """Until when what begins there goes with it: a call gives all the same range, so what lacks
    less than half of it waits for a shorter one."""
    return start + (end - start) // 2


def _groups(parts: Iterable[Part], end: int) -> Iterator[tuple[Part, ...]]:
    """Machines that go together, those that lack most first."""
    group: list[Part] = []
    for part in sorted(parts, key=lambda one: (one.start, one.target.resource_id)):
        full = len(group) == MOST_MACHINES
        if group and (full or part.start > _near(group[0].start, end)):
            yield tuple(group)
            group = []
        group.append(part)
    if group:
        yield tuple(group)


def _batches(group: Group) -> Iterator[Call]:
    """The group's calls, cut in time."""
    first = min(part.start for part in group.parts)
    end = max(part.end for part in group.parts)
    while first < end:
        parts = tuple(part for part in group.parts if part.end > first)
        first = max(first, min(part.start for part in parts))
        whole = Call(group, parts, first, end, batch=True)
        slots = MOST_POINTS // (len(parts) * len(whole.names))
        last = min(first + min(slots * PERIOD, retention.LONGEST), end)
        begun = tuple(part for part in parts if part.start < last)
        yield Call(group, begun, first, last, batch=True)
        first = last


def _in_turn(queues: Iterable[Iterable[Call]]) -> Iterator[Call]:
    """One call of each subscription after the other: Azure limits requests by subscription."""
    for row in zip_longest(*queues):
        yield from (call for call in row if call is not None)


def seconds(moment: datetime) -> int:
    """Since 1970, up to the next whole one."""
    return -int(-moment.timestamp() // 1)
