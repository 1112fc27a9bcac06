"""Machines of which nothing is heard any more: when a silence is an end.

A machine that is taken down stops to report, as one does that is down for a night, or whose
exporter crashed. So only a long silence is an end, and only where the server itself was listening.
What the hosts file says of a machine by name counts for more than its silence.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, time
from functools import cached_property
from typing import Any, Final

from costopt.providers.base import Known, Problem
from costopt.providers.gone import GONE
from costopt.providers.prometheus.fleet import Fleet, Machine
from costopt.providers.prometheus.hosts import Entry, entry_of
from costopt.providers.rows import Row
from costopt.units import SECONDS_PER_DAY

PROVIDER: Final = "OnPrem"
NODE: Final = "Kubernetes node"
"""The ResourceType of a node; nobody but this provider lists machines under it."""
NODE_DAYS: Final = 2
"""A cloud's node that Kubernetes does not list for so long was given back: node groups shrink every
night, and their machines do not come back under the same id."""
_SHOWN: Final = 5  # machines that a notice names


@dataclass
class Departures:
    """Which machines are gone, of those that this server tells or told of."""

    fleet: Fleet
    known: Known
    entries: tuple[Entry, ...]
    key: str  # of the note in which the machines are kept that this server told of
    stop: int  # up to when it was asked (seconds)
    days: int  # of silence after which a machine is gone
    looked: int  # days that were looked at
    listening: Callable[[], bool]  # whether anything reported a day before the end
    problems: list[Problem] = field(default_factory=list)
    _since: dict[str, int | None] = field(default_factory=dict)  # gone -> its last sample
    _now: dict[str, str] = field(default_factory=dict)  # gone -> what it is called now

    def __post_init__(self) -> None:
        for unique, machine in self.fleet.machines.items():
            node = machine.node
            self._judge(unique, (machine.name, node.name if node else None), machine)
        for unique in self._noted - self.fleet.machines.keys():
            row = self.rows.get(unique)
            if row and of_ours(row) and row["x_State"] != GONE:
                self._judge(unique, (row["ResourceName"],), None)
        self._tell()

    @property
    def machines(self) -> dict[str, Machine]:
        """Those that are gone and still in the window."""
        return {u: m for u, m in self.fleet.machines.items() if self.gone(u)}

    @property
    def note(self) -> dict[str, str]:
        """The machines to look for next time."""
        there = (self._noted | self.fleet.machines.keys()) - self._since.keys() - self._now.keys()
        return {self.key: json.dumps(sorted(there))}

    @cached_property
    def rows(self) -> Mapping[str, Mapping[str, Any]]:
        """What the lake holds of each resource now."""
        return {row["ResourceId"]: row for row in self.known.resources}

    def gone(self, unique: str) -> bool:
        """Whether that machine is."""
        return unique in self._since or unique in self._now

    def last_rows(self) -> Iterator[Row]:
        """The rows that end those of the lake (schema.RESOURCES); none is ended twice."""
        for unique in sorted(self._since.keys() | self._now.keys()):
            row = self.rows.get(unique)
            if row and of_ours(row) and row["x_State"] != GONE:
                yield dict(row) | {"x_State": GONE, "x_ObservedAt": None}

    @cached_property
    def _listening(self) -> bool:
        return self.listening()

    @cached_property
    def _noted(self) -> frozenset[str]:
        try:
            found = json.loads(self.known.notes.get(self.key, "[]"))
        except ValueError:
            return frozenset()
        return frozenset(map(str, found)) if isinstance(found, list) else frozenset()

    @cached_property
    def _held(self) -> dict[str, int]:
        """The end of each machine's newest sample in the lake, whoever collected it (seconds)."""
        found: dict[str, int] = {}
        for series, end in self.known.held.items():
            at = int(end.timestamp())
            found[series.resource_id] = max(at, found.get(series.resource_id, at))
        return found

    def _judge(self, unique: str, names: tuple[str | None, ...], machine: Machine | None) -> None:
        other = self.fleet.names.called(unique) if machine is None else None
        if other and other != unique and other in self.fleet.machines:
            self._now[unique] = other
            return
        told = [at for at in (machine and machine.seen, self._held.get(unique)) if at]
        last = max(told, default=None)
        cloud = machine is not None and machine.node is not None and machine.node.resource_id
        entry = None if cloud else entry_of(self.entries, unique, *names)
        if entry and entry.host.until:
            ended = self._ended(unique, entry, last)
        else:
            ended = self._silent(last, machine, NODE_DAYS if cloud else self.days)
            named = any(one.host.names(unique, *names) for one in self.entries)
            if ended and entry and named and not cloud:
                self._keep(unique, last)
                ended = False
        if ended:
            self._since[unique] = last

    def _silent(self, last: int | None, machine: Machine | None, days: int) -> bool:
        if last is None:  # alive between two looks, or longer ago than was looked
            return machine is None and self.looked >= days and self._listening
        return last <= self.stop - days * SECONDS_PER_DAY and self._listening

    def _ended(self, unique: str, entry: Entry, last: int | None) -> bool:
        """Whether the day has come from which on the hosts file has it no more."""
        assert entry.host.until is not None
        end = int(datetime.combine(entry.host.until, time(), UTC).timestamp())
        if end > self.stop:
            return False
        if last is not None and last > end + SECONDS_PER_DAY:
            what = f"reports after {entry.host.until}, its end in the hosts file: it is kept"
            self.problems.append(Problem(unique, what))
            return False
        return True

    def _keep(self, unique: str, last: int | None) -> None:
        since = f" since {_day(last)}" if last else ""
        what = (
            f"silent{since}, but the hosts file names it: it stays in the costs until it has an "
            "`until` there, or its entry goes"
        )
        self.problems.append(Problem(unique, what))

    def _tell(self) -> None:
        """What is news: of machines that the lake had as there."""
        news = [row["ResourceId"] for row in self.last_rows()]
        for unique in news:
            if unique in self._now:
                what = f"is listed as {self._now[unique]!r} now, and not twice"
                self.problems.append(Problem(unique, what))
        if lost := [unique for unique in news if unique not in self._now]:
            names = ", ".join(f"{u} ({_day(self._since[u])})" for u in lost[:_SHOWN])
            more = f" and {len(lost) - _SHOWN:,} more" if len(lost) > _SHOWN else ""
            what = f"taken as gone, with the day of the last sample: {names}{more}"
            self.problems.append(Problem("machines", what, len(lost)))


def of_ours(row: Mapping[str, Any]) -> bool:
    """Whether that resource's present row is one that this provider made."""
    own = row["ProviderName"] == PROVIDER and "size" in dict(row["x_Attributes"] or {})
    return own or row["ResourceType"] == NODE


def _day(at: int | None) -> str:
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d}" if at else "none"
