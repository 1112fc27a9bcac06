"""The calls made: a few at a time, throttling outlasted, what fails told and kept apart."""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

import pyarrow as pa
from botocore.exceptions import BotoCoreError, ClientError, PaginationError

from costopt.parallel import in_threads
from costopt.providers.aws.access import Account, denied, said
from costopt.providers.aws.metrics import answers
from costopt.providers.aws.metrics.answers import Grid
from costopt.providers.aws.metrics.plan import Call, Plan, Unit
from costopt.providers.aws.metrics.targets import Place
from costopt.providers.base import Problem

_ACTION: Final = "cloudwatch:GetMetricData"
_THROTTLED: Final = frozenset(
    {"Throttling", "ThrottlingException", "RequestLimitExceeded", "TooManyRequestsException"}
)
_PAUSES: Final = (5.0, 15.0, 45.0)
"""Seconds to wait when botocore has given up on a call that is throttled, before it tries anew. A
burst of others' calls uses up the account's quota for about a minute."""
_ROUNDS: Final = 3
"""Times that what an answer lacks (InternalError, PartialData) is asked for."""
_DEAR: Final = ", and to ask again would cost more than --max-api-cost"

Pause = Callable[[float], None]


class _Outcome(NamedTuple):
    """What became of a call."""

    call: Call
    grid: Grid | None = None  # None: nothing came
    lacking: frozenset[int] = frozenset()  # queries that the answer lacks
    error: str = ""
    dear: bool = False  # what lacks was not asked for again, for its price


class Reader:
    """Makes the calls of a plan and knows what may still be asked."""

    def __init__(self, accounts: Mapping[str, Account], pause: Pause, spare: int) -> None:
        """
        Args:
            spare: metrics that may be asked for again, beyond what was announced.
        """
        self._accounts = accounts
        self._pause = pause
        self._spare = spare
        self._counting = threading.Lock()
        self._shut: set[Place] = set()
        self._broken: set[Unit] = set()
        self._failed: Counter[tuple[str, str]] = Counter()
        self._ends: dict[Unit, int] = {}  # of the newest sample, seconds since 1970

    def tables(self, plan: Plan, threads: int) -> Iterator[pa.Table]:
        """Samples in the plan's order, a table for each call; of a unit none after a failure."""
        for outcome in in_threads(self._made, self._left(plan), threads):
            self._judge(outcome)
            if outcome.grid is not None:
                left_out = [part.unit in self._broken for part in outcome.call.parts]
                table, ends = answers.samples(outcome.grid, left_out)
                self._ends |= ends
                if table.num_rows:
                    yield table

    def answered(self, plan: Plan) -> dict[Unit, int | None]:
        """Units of which nothing failed, with the end of the newest sample, None = none came; once
        `tables` has given all."""
        units = {part.unit for call in plan.calls for part in call.parts}
        whole = {unit for unit in units - self._broken if unit.place not in self._shut}
        return {unit: self._ends.get(unit) for unit in whole}

    def problems(self) -> list[Problem]:
        """What could not be read: each reason once for its place, with the calls it concerns."""
        return [
            Problem(where, what, count, fatal=True)
            for (where, what), count in sorted(self._failed.items())
        ]

    def _left(self, plan: Plan) -> Iterator[Call]:
        """The calls, as far as there is something to ask when their turn comes."""
        for call in plan.calls:
            parts = tuple(part for part in call.parts if part.unit not in self._broken)
            if parts and call.place not in self._shut:
                yield call if len(parts) == len(call.parts) else replace(call, parts=parts)

    def _judge(self, outcome: _Outcome) -> None:
        """Note what failed; of its units nothing later is given."""
        call = outcome.call
        where = f"{' '.join(call.place)} {_ACTION}"
        if outcome.grid is None:
            self._broken.update(part.unit for part in call.parts)
            if outcome.error:
                self._failed[where, outcome.error] += 1
        elif outcome.lacking:
            owners = [part.unit for part in call.parts for _ in part.unit.entry.raws]
            self._broken.update(owners[query] for query in outcome.lacking)
            what = f"answers stayed incomplete{_DEAR if outcome.dear else ''}"
            self._failed[where, what] += len(outcome.lacking)

    def _made(self, call: Call) -> _Outcome:
        """Make one call, in a thread. A place that refuses or cannot be reached is shut at once."""
        if call.place in self._shut:
            return _Outcome(call)
        try:
            return self._read(call)
        except ClientError as error:
            if denied(error):
                self._shut.add(call.place)
            return _Outcome(call, error=said(error))
        except BotoCoreError as error:
            self._shut.add(call.place)
            return _Outcome(call, error=said(error))
        except pa.ArrowInvalid:
            return _Outcome(call, error="an answer that is not GetMetricData's")
        except answers.Unasked as error:
            return _Outcome(call, error=str(error))

    def _read(self, call: Call) -> _Outcome:
        client = self._accounts[call.place[0]].client("cloudwatch", call.place[1])
        answers.keep_raw(client)
        grid, queries = Grid(call), _queries(call)
        lacking = list(range(len(queries)))
        for number in range(_ROUNDS):
            if number and not self._affords(_billed(queries[one] for one in lacking)):
                return _Outcome(call, grid, frozenset(lacking), dear=True)
            done = self._pages(client, call, {number: queries[number] for number in lacking}, grid)
            lacking = [number for number in lacking if not done.get(number)]
            if not lacking:
                break
        return _Outcome(call, grid, frozenset(lacking))

    def _affords(self, metrics: int) -> bool:
        """Whether so many may be asked for again; if so they are taken as asked for."""
        with self._counting:
            if metrics > self._spare:
                return False
            self._spare -= metrics
            return True

    def _pages(
        self, client: Any, call: Call, queries: Mapping[int, dict[str, Any]], grid: Grid
    ) -> dict[int, bool]:
        """Ask once, to the last page; which queries were answered to the end."""
        request: dict[str, Any] = {
            "MetricDataQueries": list(queries.values()),
            "StartTime": datetime.fromtimestamp(call.start, UTC),
            "EndTime": datetime.fromtimestamp(call.end, UTC),
            "ScanBy": "TimestampAscending",
        }
        asked = {query["Id"]: number for number, query in queries.items()}
        done: dict[int, bool] = {}
        while True:
            page = answers.page(self._send(client, request), asked)
            grid.add(page)
            done.update(zip(page.queries.tolist(), page.complete.tolist(), strict=True))
            if not page.next_token:
                return done
            if page.next_token == request.get("NextToken"):
                raise PaginationError(message="the same NextToken twice")
            request["NextToken"] = page.next_token

    def _send(self, client: Any, request: dict[str, Any]) -> bytes:
        for wait in _PAUSES:
            try:
                return _body(client, request)
            except ClientError as error:
                if error.response.get("Error", {}).get("Code") not in _THROTTLED:
                    raise
            self._pause(wait)
        return _body(client, request)


def _body(client: Any, request: dict[str, Any]) -> bytes:
    body: bytes = client.get_metric_data(**request)[answers.RAW_BODY]
    return body


def _billed(queries: Iterable[Mapping[str, Any]]) -> int:
    """Metrics among them: statistics of one are billed as one."""
    return len({json.dumps(one["MetricStat"]["Metric"], sort_keys=True) for one in queries})


def _queries(call: Call) -> list[dict[str, Any]]:
    """MetricDataQueries in the order of the parts and of their entry's statistics."""
    asked = [(part, raw) for part in call.parts for raw in part.unit.entry.raws]
    return [
        {
            "Id": answers.name(number),
            "MetricStat": {
                "Metric": {
                    "Namespace": part.unit.entry.namespace,
                    "MetricName": raw.name,
                    "Dimensions": [
                        {"Name": name, "Value": value} for name, value in part.unit.dimensions
                    ],
                },
                "Period": part.period,
                "Stat": raw.stat,
            },
        }
        for number, (part, raw) in enumerate(asked)
    ]
