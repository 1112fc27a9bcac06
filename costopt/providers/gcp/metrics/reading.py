"""The calls made: a few at a time, what fails told and kept apart."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any, Final, NamedTuple

import pyarrow as pa
from google.api_core import exceptions

from costopt.parallel import in_threads
from costopt.providers.base import Problem
from costopt.providers.gcp.access import FAILURES, Access, said
from costopt.providers.gcp.metrics.answers import Grid, Unasked, request
from costopt.providers.gcp.metrics.catalogue import Query
from costopt.providers.gcp.metrics.pace import Pace, Pause
from costopt.providers.gcp.metrics.plan import Call, Plan, Unit

_CALL: Final = "monitoring.timeSeries.list"
_ROUNDS: Final = 3
"""Times that a query is begun anew whose page tokens are no longer taken."""

_OF_METRIC: Final = (
    exceptions.InvalidArgument,
    exceptions.NotFound,
    exceptions.InternalServerError,
)
"""What says nothing about the other requests of the project. All else (a permission, the quota,
the network) does: it outlasted all tries, or would be the same for each."""


class _Outcome(NamedTuple):
    """What became of a call."""

    call: Call
    grid: Grid | None = None  # None: nothing is given of it
    error: str = ""
    where: str = ""


class Reader:
    """Makes the calls of a plan and knows what may still be asked."""

    def __init__(self, access: Access, client: Any, pause: Pause) -> None:
        self._access = access
        self._client = client
        self._pause = pause
        self._paces: dict[str, Pace] = {}
        self._shut: set[str] = set()
        self._broken: set[Unit] = set()
        self._failed: Counter[tuple[str, str]] = Counter()

    def tables(self, plan: Plan, threads: int) -> Iterator[pa.Table]:
        """Samples in the plan's order; of a unit none after a failure."""
        self._paces = {call.project: Pace(self._pause) for call in plan.calls}
        for outcome in in_threads(self._made, self._left(plan.calls), threads):
            if outcome.grid is None:
                self._broken.update(outcome.call.units())
                if outcome.error:
                    self._failed[outcome.where, outcome.error] += 1
            else:
                yield from outcome.grid.tables(self._broken)

    def problems(self) -> list[Problem]:
        """What could not be read: each reason once for its place, with the calls it concerns."""
        return [
            Problem(where, what, count, fatal=True)
            for (where, what), count in sorted(self._failed.items())
        ]

    def _left(self, calls: Iterable[Call]) -> Iterator[Call]:
        """The calls, as far as there is something to ask when their turn comes."""
        for call in calls:
            units = zip(call.parts, call.units(), strict=True)
            parts = tuple(part for part, unit in units if unit not in self._broken)
            if parts:
                yield call if len(parts) == len(call.parts) else replace(call, parts=parts)

    def _made(self, call: Call) -> _Outcome:
        """Make one call, in a thread. A project that refuses or does not answer is shut at once."""
        if call.project in self._shut or self._broken.issuperset(call.units()):
            return _Outcome(call)
        where = f"{call.project} {_CALL}"
        of_metric = f"{where} {call.entry.queries[0].metric}"
        try:
            grid = Grid(call)
            for query in call.queries:
                self._read(grid, query)
        except _OF_METRIC as error:
            return _Outcome(call, error=said(error), where=of_metric)
        except FAILURES as error:
            self._shut.add(call.project)
            return _Outcome(call, error=said(error), where=where)
        except Unasked as error:
            return _Outcome(call, error=str(error), where=of_metric)
        return _Outcome(call, grid)

    def _read(self, grid: Grid, query: Query) -> None:
        """Every page of a query; from the first again where Google has forgotten the token."""
        for left in range(_ROUNDS, 0, -1):
            pages = 0
            try:
                for page in self._pages(grid.call, query):
                    grid.add(query, page)
                    pages += 1
            except exceptions.InvalidArgument:
                if not pages or left == 1:
                    raise
                grid.clear(query)
            else:
                return

    def _pages(self, call: Call, query: Query) -> Iterator[Any]:
        pace = self._paces[call.project]

        def listed(**more: Any) -> Any:
            pace.turn()
            return self._client.list_time_series(**more)

        return self._access.pages(listed, request(call, query))
