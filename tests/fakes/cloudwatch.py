"""CloudWatch over HTTP with the limits of the real one: GetMetricData and ListMetrics.

More than 500 queries or 100,800 datapoints are refused, answers come in pages, periods that are no
longer kept give nothing, StartTime is rounded down by age, and slots begin at that start. When it
throttles and refuses a test decides. What is measured is a function (`datapoint`), so a test works
out by itself what must arrive.
"""

from __future__ import annotations

import json
import re
import threading
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from tests.fakes import loopback

MOST_QUERIES = 500
MOST_POINTS = 100_800
DAY = 86_400
KEPT = {60: 15 * DAY, 300: 63 * DAY, 3600: 455 * DAY}

Series = tuple[str, str, tuple[tuple[str, str], ...]]
"""Namespace, metric name, and dimensions by name."""


def datapoint(series: Series, number: Any) -> Any:
    """What was measured as datapoint `number`, which counts from 1970 by the native period.

    Works on an int and on an array of them alike.
    """
    return (seed(series) + number * 7919) % 10007 / 101


def missing(series: Series, number: Any) -> Any:
    """Whether that datapoint was never sent: one of 97."""
    return (seed(series) + number) % 97 == 0


def seed(series: Series) -> int:
    """A number of its own for each series."""
    return zlib.crc32(repr(series).encode()) % 100_000


@dataclass
class Asked:
    """One request, as the stub saw it."""

    operation: str
    account: str
    region: str
    outcome: str = "ok"  # or the code of its error
    start: int = 0
    end: int = 0
    points: int = 0
    queries: list[tuple[Series, int, str]] = field(default_factory=list)  # series, period, stat
    page: int = 0

    @property
    def metrics(self) -> int:
        """How many are billed."""
        return len({series for series, _, _ in self.queries})


@dataclass
class CloudWatch:
    """What the service knows and does; a test changes it as it likes."""

    now: datetime
    native: Callable[[Series], int | None] = lambda series: 300
    """Seconds that a datapoint covers; None = there is no such series."""
    listed: list[Series] = field(default_factory=list)
    since: int = 0  # seconds since 1970; nothing was measured before
    until: int | None = None  # or after
    page_points: int = MOST_POINTS
    throttled: Callable[[int], bool] = lambda number: False
    """Whether the request of that number (from 0) is refused for being one too many."""
    denied: Callable[[str, str], bool] = lambda account, region: False
    unfinished: Callable[[int, Series], bool] = lambda number, series: False
    """Whether the answer to the request of that number ends in InternalError for that series."""
    account_of: Callable[[str], str] = lambda key: "123456789012"
    remembers: bool = False
    """Whether an answer to the same request is given from memory, for a benchmark."""
    asked: list[Asked] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _memory: dict[bytes, bytes] = field(default_factory=dict)

    def answer(self, operation: str, body: bytes, key: str, region: str) -> tuple[int, bytes]:
        """Status and body of the reply to one request."""
        if self.remembers and body in self._memory:
            return 200, self._memory[body]
        asked = Asked(operation, self.account_of(key), region)
        with self._lock:
            number = len(self.asked)
            self.asked.append(asked)
        try:
            told = json.dumps(self._told(json.loads(body), asked, number)).encode()
        except _Refused as refused:
            asked.outcome = refused.code
            return 400, json.dumps({"__type": refused.code, "message": str(refused)}).encode()
        if self.remembers:
            self._memory[body] = told
        return 200, told

    def calls(self, operation: str = "GetMetricData", *, outcome: str = "ok") -> list[Asked]:
        """The requests of that kind that ended so."""
        return [a for a in self.asked if (a.operation, a.outcome) == (operation, outcome)]

    def _told(self, body: dict[str, Any], asked: Asked, number: int) -> dict[str, Any]:
        if self.throttled(number):
            raise _Refused("ThrottlingException", "Rate exceeded")
        if self.denied(asked.account, asked.region):
            raise _Refused("AccessDeniedException", f"no cloudwatch:{asked.operation} for you")
        if asked.operation == "ListMetrics":
            return self._list_metrics(body)
        if asked.operation == "GetMetricData":
            return self._get_metric_data(body, asked, number)
        raise _Refused("UnknownOperationException", asked.operation)

    def _list_metrics(self, body: dict[str, Any]) -> dict[str, Any]:
        if "RecentlyActive" in body:
            raise _Refused("InvalidParameterValue", "this stub's machines may be off")
        series = [one for one in self.listed if one[0] == body.get("Namespace", one[0])]
        first = int(body.get("NextToken", "list-0").removeprefix("list-"))
        told = {"Metrics": [_metric(one) for one in series[first : first + 500]]}
        return told | ({"NextToken": f"list-{first + 500}"} if first + 500 < len(series) else {})

    def _get_metric_data(self, body: dict[str, Any], asked: Asked, number: int) -> dict[str, Any]:
        queries = [_query(query) for query in body["MetricDataQueries"]]
        asked.queries = [query[1:] for query in queries]
        asked.start, asked.end = self._rounded(body["StartTime"]), int(body["EndTime"])
        asked.points = sum(-(-(asked.end - asked.start) // period) for _, _, period, _ in queries)
        _check(queries, asked)
        first = _page(body, asked)
        results, left = [], self.page_points
        at = 0  # points before this query's
        for name, series, period, stat in queries:
            times, values = self._points(series, period, stat, asked.start, asked.end)
            if body.get("ScanBy") != "TimestampAscending":
                times, values = times[::-1], values[::-1]
            skip = max(first - at, 0)
            given = times[skip : skip + left] if at + len(times) > first else times[:0]
            ends = at + len(times) <= first + self.page_points
            broken = self.unfinished(number, series)
            results.append(
                {
                    "Id": name,
                    "Label": series[1],
                    "Timestamps": given.astype(float).tolist(),
                    "Values": values[skip : skip + len(given)].tolist(),
                    "StatusCode": "InternalError" if broken else _STATUS[bool(ends)],
                }
            )
            left -= len(given)
            at += len(times)
        more = first + self.page_points < at
        token = {"NextToken": f"page-{first + self.page_points}"} if more else {}
        return {"MetricDataResults": results, "Messages": []} | token

    def _rounded(self, start: float) -> int:
        age = self.now.timestamp() - start
        unit = 60 if age < 15 * DAY else 300 if age < 63 * DAY else 3600
        return int(start // unit * unit)

    def _points(
        self, series: Series, period: int, stat: str, start: int, end: int
    ) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """The slots of one query that hold something, and their values, the oldest first."""
        native = self.native(series)
        kept = next((KEPT[unit] for unit in (3600, 300, 60) if period % unit == 0), 0)
        oldest = max(self.since, self.now.timestamp() - kept)
        begins = np.arange(start, end, period)
        newest = self.now.timestamp() if self.until is None else self.until
        begins = begins[(begins >= oldest) & (begins < newest)]
        if native is None or not len(begins):
            return np.zeros(0, np.int64), np.zeros(0)
        each = max(period // native, 1)
        first = -(-begins // native)  # the datapoint at or after the slot's begin
        inside = first * native < begins + period
        numbers = first[:, None] + np.arange(each)
        there = ~missing(series, numbers) & inside[:, None]
        values = np.where(there, datapoint(series, numbers), np.nan)
        some = there.any(axis=1)
        return begins[some], _STATS[stat](values[some], there[some])


@contextmanager
def served(service: CloudWatch) -> Iterator[str]:
    """The stub on a port of loopback: its URL."""

    class Handler(_Handler):
        behind = service

    with loopback.served(Handler) as url:
        yield url


class _Handler(loopback.Quiet):
    behind: ClassVar[CloudWatch]

    def do_POST(self) -> None:
        operation = self.headers["X-Amz-Target"].rpartition(".")[2]
        signed = re.search(r"Credential=([^/]+)/\d+/([^/]+)/", self.headers["Authorization"])
        assert signed is not None
        told = self.behind.answer(operation, self.body(), signed[1], signed[2])
        self.reply(*told, "application/x-amz-json-1.0")


class _Refused(Exception):
    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


_STATUS = {True: "Complete", False: "PartialData"}
_STATS: dict[str, Callable[[Any, Any], Any]] = {
    "Average": lambda values, there: np.nanmean(values, axis=1),
    "Sum": lambda values, there: np.nansum(values, axis=1),
    "Maximum": lambda values, there: np.nanmax(values, axis=1),
    "Minimum": lambda values, there: np.nanmin(values, axis=1),
    "SampleCount": lambda values, there: there.sum(axis=1).astype(float),
}


def _query(query: dict[str, Any]) -> tuple[str, Series, int, str]:
    stat = query["MetricStat"]
    return query["Id"], _series(stat["Metric"]), int(stat["Period"]), stat["Stat"]


def _series(metric: dict[str, Any]) -> Series:
    pairs = sorted((one["Name"], one["Value"]) for one in metric.get("Dimensions", ()))
    return metric["Namespace"], metric["MetricName"], tuple(pairs)


def _metric(series: Series) -> dict[str, Any]:
    dimensions = [{"Name": name, "Value": value} for name, value in series[2]]
    return {"Namespace": series[0], "MetricName": series[1], "Dimensions": dimensions}


def _check(queries: Iterable[tuple[str, Series, int, str]], asked: Asked) -> None:
    names = [name for name, *_ in queries]
    if len(names) > MOST_QUERIES:
        raise _Refused("ValidationError", f"{len(names)} queries: the most is {MOST_QUERIES}")
    if asked.points > MOST_POINTS:
        raise _Refused("ValidationError", f"{asked.points} datapoints: the most is {MOST_POINTS}")
    if len(set(names)) < len(names):
        raise _Refused("ValidationError", "two queries of one Id")
    if asked.start >= asked.end:
        raise _Refused("ValidationError", "StartTime must be less than EndTime")
    for _, _, period, _ in queries:
        if period % 60:
            raise _Refused("ValidationError", f"Period {period} is no multiple of 60")


def _page(body: dict[str, Any], asked: Asked) -> int:
    """Points before this page."""
    token = body.get("NextToken")
    if token is None:
        return 0
    if not re.fullmatch(r"page-\d+", token):
        raise _Refused("InvalidNextToken", token)
    asked.page = first = int(token.removeprefix("page-"))
    return first
