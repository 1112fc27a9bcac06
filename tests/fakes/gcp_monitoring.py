"""Cloud Monitoring over gRPC with the rules of the real one: ListTimeSeries, ListMetricDescriptors.

Read intervals exclude their start; aligned points carry the end of their period, counted back from
the request's end, and come newest first; pages count points and cut series; what is younger than
four minutes is not seen yet, what is older than six weeks is folded into ten minutes. RATE and
DELTA interpolate where nothing was measured. What the API refuses is refused. When it throttles,
fails or forgets a token a test decides. What is measured is a function (`point`), so a test works
out by itself what must arrive.
"""

from __future__ import annotations

import re
import threading
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple, NoReturn

import grpc
import numpy as np
from google.api import metric_pb2
from google.cloud.monitoring_v3 import types
from google.protobuf import any_pb2, duration_pb2
from google.rpc import code_pb2, error_details_pb2, status_pb2
from grpc_status import rpc_status
from numpy.typing import NDArray

DAY = 86_400
RAW, FOLDED = 42 * DAY, 730 * DAY
LATENCY = 240
MOST_POINTS = 100_000
LONGEST_FILTER = 2_048

Aligner = types.Aggregation.Aligner
_Times = NDArray[np.int64]
_Values = NDArray[np.float64]


class Measured(NamedTuple):
    """One time series as it is written: a point a minute."""

    metric: str
    project: str
    instance: str
    labels: tuple[tuple[str, str], ...] = ()
    kind: str = "GAUGE"  # or DELTA
    whole: bool = False  # whether its values are INT64
    zone: str = "europe-west1-b"
    scale: float = 1.0


def point(series: Measured, number: Any) -> Any:
    """What was measured in minute `number` since 1970, at its end: 0 to 99 x scale.

    Works on an int and on an array of them alike.
    """
    value = (seed(series) + number * 7919) % 10007 / 101 * series.scale
    return np.floor(value) if series.whole else value


def missing(series: Measured, number: Any) -> Any:
    """Whether that point was never written: one of 97, and a whole quarter of an hour of 50."""
    return ((seed(series) + number) % 97 == 0) | ((seed(series) + number // 15) % 50 == 0)


def seed(series: Measured) -> int:
    """A number of its own for each series."""
    return zlib.crc32(repr(series[:4]).encode()) % 100_000


def machine(
    project: str,
    instance: str,
    *,
    disks: int = 1,
    gpus: int = 0,
    agent: bool = False,
    reserved: float = 1.0,
) -> list[Measured]:
    """Everything that is measured of one machine.

    Args:
        reserved: vCPUs that the host reserves for each that the guest sees: of the reserved ones is
            what cpu/utilization is a fraction of, so that shared cores go far above 1.
    """
    where = (project, instance)
    compute = "compute.googleapis.com/instance"
    series = [Measured(f"{compute}/cpu/utilization", *where, scale=0.01 / reserved)]
    for name in ("network/received_bytes_count", "network/sent_bytes_count"):
        labels = (("loadBalanced", "false"),)
        series.append(Measured(f"{compute}/{name}", *where, labels, "DELTA", True, scale=1e6))
    for name in ("disk/read_bytes_count", "disk/write_bytes_count"):
        for disk in range(disks):
            labels = (("device_name", f"disk-{disk}"),)
            series.append(Measured(f"{compute}/{name}", *where, labels, "DELTA", True, scale=1e6))
    if agent:
        series += _of_agent(where)
    for gpu in range(gpus):
        series += _of_gpu(where, gpu)
    return series


def _of_agent(where: tuple[str, str]) -> list[Measured]:
    memory, disk = (
        "agent.googleapis.com/memory/percent_used",
        "agent.googleapis.com/disk/percent_used",
    )
    states = [Measured(memory, *where, (("state", one),)) for one in ("used", "free", "cached")]
    for device in ("/dev/sda1", "tmpfs", "/dev/loop3"):
        states += [
            Measured(disk, *where, (("device", device), ("state", one))) for one in ("used", "free")
        ]
    return states


def _of_gpu(where: tuple[str, str], gpu: int) -> list[Measured]:
    card = (("gpu_number", str(gpu)), ("model", "NVIDIA L4"), ("uuid", f"GPU-{where[1]}-{gpu}"))
    agent, dcgm = "agent.googleapis.com/gpu", "workload.googleapis.com/dcgm.gpu.profiling"
    pipes = [(*card, ("pipe", pipe)) for pipe in ("tensor", "fp32")]
    return [
        Measured(f"{agent}/utilization", *where, card),
        *(
            Measured(
                f"{agent}/memory/bytes_used",
                *where,
                (*card, ("memory_state", s)),
                whole=True,
                scale=1e8,
            )
            for s in ("used", "free")
        ),
        Measured(f"{dcgm}.sm_utilization", *where, card, scale=0.01),
        Measured(f"{dcgm}.dram_utilization", *where, card, scale=0.01),
        *(Measured(f"{dcgm}.pipe_utilization", *where, labels, scale=0.01) for labels in pipes),
    ]


@dataclass
class Asked:
    """One request, as the server saw it."""

    method: str
    project: str
    filter: str
    outcome: str = "OK"  # or the code of its error
    metric: str = ""
    aligner: str = ""
    period: int = 0
    start: int = 0
    end: int = 0
    page: int = 0  # points before this page's
    points: int = 0
    series: int = 0  # returned, which is what is billed


@dataclass
class Monitoring:
    """What the service knows and does; a test changes it as it likes."""

    now: datetime
    series: list[Measured] = field(default_factory=list)
    value: Callable[[Measured, Any], Any] = point
    gone: Callable[[Measured, Any], Any] = missing
    page_points: int = MOST_POINTS
    throttled: Callable[[int], bool] = lambda number: False
    """Whether the request of that number (from 0) is refused for being one too many."""
    retry_after: float | None = 3.0
    """Seconds that a throttled one is told to wait; None = nothing is told."""
    denied: Callable[[str], bool] = lambda project: False
    failing: Callable[[int, str], bool] = lambda number, metric: False
    """Whether the request of that number for that metric ends in a failure."""
    failure: str = "INTERNAL"
    forgotten: Callable[[int], bool] = lambda number: False
    """Whether the page token of the request of that number is no longer taken."""
    remembers: bool = False
    """Whether an answer to the same request is given from memory, for a benchmark."""
    asked: list[Asked] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _memory: dict[bytes, bytes] = field(default_factory=dict)

    def calls(self, method: str = "ListTimeSeries", *, outcome: str = "OK") -> list[Asked]:
        """The requests of that kind that ended so."""
        return [a for a in self.asked if (a.method, a.outcome) == (method, outcome)]

    def answer(self, method: str, body: bytes, context: grpc.ServicerContext) -> bytes:
        """The serialised reply to one request."""
        if self.remembers and body in self._memory:
            return self._memory[body]
        request = getattr(types, f"{method}Request").pb().FromString(body)
        asked = Asked(method, request.name.removeprefix("projects/"), request.filter)
        with self._lock:
            number = len(self.asked)
            self.asked.append(asked)
        try:
            self._admit(asked, number)
            told = (
                self._listed(request, asked, number)
                if method == "ListTimeSeries"
                else (self._descriptors(request, asked))
            )
        except _Refused as refused:
            asked.outcome = refused.code.name
            self._abort(refused, context)
        answer: bytes = told.SerializeToString()
        if self.remembers:
            self._memory[body] = answer
        return answer

    def _abort(self, refused: _Refused, context: grpc.ServicerContext) -> NoReturn:
        details = []
        if refused.code is grpc.StatusCode.RESOURCE_EXHAUSTED and self.retry_after is not None:
            wait = duration_pb2.Duration()
            wait.FromNanoseconds(int(self.retry_after * 1e9))
            packed = any_pb2.Any()
            packed.Pack(error_details_pb2.RetryInfo(retry_delay=wait))
            details.append(packed)
        code = getattr(code_pb2, refused.code.name)
        status = status_pb2.Status(code=code, message=str(refused), details=details)
        context.abort_with_status(rpc_status.to_status(status))
        raise AssertionError("abort raises")

    def _admit(self, asked: Asked, number: int) -> None:
        if self.throttled(number):
            raise _Refused("RESOURCE_EXHAUSTED", "Quota exceeded: Time series queries per minute")
        if self.denied(asked.project):
            raise _Refused("PERMISSION_DENIED", f"no monitoring.viewer on {asked.project} for you")
        if len(asked.filter) > LONGEST_FILTER:
            raise _Refused("INVALID_ARGUMENT", f"filter of {len(asked.filter)} characters")

    def _descriptors(self, request: Any, asked: Asked) -> Any:
        wanted = _Filter(request.filter)
        told = types.ListMetricDescriptorsResponse.pb()()
        of_project = {one.metric: one for one in self.series if one.project == asked.project}
        for name in sorted(of_project):
            if wanted.takes({"metric.type": name}):
                kind = metric_pb2.MetricDescriptor.MetricKind.Value(of_project[name].kind)
                told.metric_descriptors.add(type=name, metric_kind=kind)
        return told

    def _listed(self, request: Any, asked: Asked, number: int) -> Any:
        wanted = _Filter(request.filter)
        asked.metric = wanted.metric
        asked.start = request.interval.start_time.seconds
        asked.end = request.interval.end_time.seconds
        last = request.aggregation
        if request.HasField("secondary_aggregation"):
            last = request.secondary_aggregation
        asked.period = last.alignment_period.seconds
        asked.aligner = Aligner(last.per_series_aligner).name
        asked.page = self._offset(request.page_token, number)
        matching = [one for one in self.series if wanted.takes(_labels(one, asked.project))]
        known = {one.metric for one in self.series}
        if asked.metric not in known and not asked.metric.startswith("compute.googleapis.com/"):
            raise _Refused("NOT_FOUND", f"Cannot find metric(s) that match type = {asked.metric}")
        if self.failing(number, asked.metric):
            raise _Refused(self.failure, "Internal error encountered")
        for aggregation in (request.aggregation, request.secondary_aggregation):
            if aggregation.per_series_aligner:
                _check(aggregation, asked, matching)
        return self._page(request, matching, asked)

    def _offset(self, token: str, number: int) -> int:
        if not token:
            return 0
        if self.forgotten(number) or not re.fullmatch(r"after-\d+", token):
            raise _Refused("INVALID_ARGUMENT", "page_token is not valid")
        return int(token.removeprefix("after-"))

    def _page(self, request: Any, matching: list[Measured], asked: Asked) -> Any:
        size = min(request.page_size or MOST_POINTS, self.page_points, MOST_POINTS)
        told = types.ListTimeSeriesResponse.pb()()
        at = 0  # points before this series'
        for series, ends, values in self._answered(request, matching, asked):
            skip = max(asked.page - at, 0)
            given = slice(skip, skip + size - asked.points)
            at += len(ends)
            if len(ends[given]):
                _add(told.time_series.add(), series, ends[given], values[given])
                asked.points += len(ends[given])
                asked.series += 1
        if asked.page + size < at:
            told.next_page_token = f"after-{asked.page + size}"
        return told

    def _answered(
        self, request: Any, matching: list[Measured], asked: Asked
    ) -> Iterator[tuple[Measured, _Times, _Values]]:
        """Each series that is returned: ends and values of its points, the newest first."""
        reduced = request.aggregation.cross_series_reducer == types.Aggregation.Reducer.REDUCE_SUM
        groups: dict[Measured, list[Measured]] = {}
        for series in sorted(matching):
            groups.setdefault(series._replace(labels=()) if reduced else series, []).append(series)
        for told, members in groups.items():
            parts = []
            for member in members:
                written = self.written(member, asked.start, asked.end)
                parts.append(aligned(*written, request.aggregation, asked.start, asked.end))
            ends, of = np.unique(np.concatenate([part[0] for part in parts]), return_inverse=True)
            values = np.bincount(of, np.concatenate([part[1] for part in parts]), len(ends))
            if request.HasField("secondary_aggregation"):
                second = request.secondary_aggregation
                ends, values = aligned(ends, values, second, asked.start, asked.end)
            aligner = Aligner(request.aggregation.per_series_aligner).name
            whole = told.whole and aligner not in ("ALIGN_MEAN", "ALIGN_RATE")
            newest = np.argsort(-ends)
            yield told._replace(whole=whole), ends[newest], values[newest]

    def written(self, series: Measured, start: int, end: int) -> tuple[_Times, _Values]:
        """Times and values of what there is in the interval, its start excluded."""
        now = int(self.now.timestamp())
        low = max(start // 600 * 600, now - FOLDED)
        numbers = np.arange(low // 60 + 1, min(end, now - LATENCY) // 60 + 1)
        numbers = numbers[~self.gone(series, numbers)]
        times, values = numbers * 60, np.asarray(self.value(series, numbers), float)
        old = times <= (now - RAW) // 600 * 600
        if old.any():
            tens, of = np.unique(-(-times[old] // 600) * 600, return_inverse=True)
            folded = np.bincount(of, values[old])
            if series.kind == "GAUGE":
                folded = folded / np.bincount(of)
            times = np.concatenate([tens, times[~old]])
            values = np.concatenate([folded, values[~old]])
        inside = (times > start) & (times <= end)
        return times[inside], values[inside]


@contextmanager
def served(service: Monitoring, threads: int = 8) -> Iterator[str]:
    """The server on a port of loopback: its address."""

    def handler(method: str) -> grpc.RpcMethodHandler:
        def reply(body: bytes, context: grpc.ServicerContext) -> bytes:
            return service.answer(method, body, context)

        return grpc.unary_unary_rpc_method_handler(reply)  # bytes in, bytes out

    handlers = {method: handler(method) for method in ("ListTimeSeries", "ListMetricDescriptors")}
    with ThreadPoolExecutor(threads) as pool:
        server = grpc.server(pool)
        server.add_generic_rpc_handlers(
            (grpc.method_handlers_generic_handler("google.monitoring.v3.MetricService", handlers),)
        )
        port = server.add_insecure_port("127.0.0.1:0")
        server.start()
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            server.stop(None).wait()


class _Refused(Exception):
    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = grpc.StatusCode[code]


_TERM = re.compile(
    r"(metric\.type|resource\.type|(?:metric|resource)\.labels\.\w+) = "
    r'(?:"([^"]*)"|one_of\(([^)]*)\)|starts_with\("([^"]*)"\))'
)


class _Filter:
    """A filter of Cloud Monitoring, as far as it is an AND of comparisons."""

    def __init__(self, text: str) -> None:
        self.terms: list[tuple[str, frozenset[str], str]] = []
        for term in text.split(" AND "):
            found = _TERM.fullmatch(term)
            if found is None:
                raise _Refused("INVALID_ARGUMENT", f"could not parse filter: {term}")
            name, same, listed, prefix = found.groups()
            several = re.findall(r'"([^"]*)"', listed or "")
            exact = frozenset([same] if same is not None else several)
            self.terms.append((name, exact, prefix or ""))

    @property
    def metric(self) -> str:
        """The metric type, of which a list of series must name one."""
        exact = [values for name, values, _ in self.terms if name == "metric.type"]
        if len(exact) != 1 or len(exact[0]) != 1:
            raise _Refused("INVALID_ARGUMENT", "the filter must specify a single metric type")
        return next(iter(exact[0]))

    def takes(self, labels: dict[str, str]) -> bool:
        """Whether something of these labels is meant."""
        return all(
            (labels.get(name) in exact) if exact else labels.get(name, "").startswith(prefix)
            for name, exact, prefix in self.terms
        )


def _labels(series: Measured, project: str) -> dict[str, str]:
    """What filters see; nothing fits one of another project."""
    if series.project != project:
        return {}
    return {
        "metric.type": series.metric,
        "resource.type": "gce_instance",
        "resource.labels.instance_id": series.instance,
        "resource.labels.zone": series.zone,
        "resource.labels.project_id": series.project,
        **{f"metric.labels.{name}": value for name, value in series.labels},
    }


def _check(aggregation: Any, asked: Asked, matching: list[Measured]) -> None:
    aligner = Aligner(aggregation.per_series_aligner).name
    if asked.start >= asked.end:
        raise _Refused("INVALID_ARGUMENT", "interval.start_time must be before its end_time")
    if aggregation.alignment_period.seconds < 60:
        raise _Refused("INVALID_ARGUMENT", "alignment_period must be at least 60 seconds")
    if aligner not in _ALIGNED:
        raise _Refused("INVALID_ARGUMENT", f"{aligner} is not valid for these values")
    if aligner in _RATES and any(one.kind == "GAUGE" for one in matching):
        raise _Refused("INVALID_ARGUMENT", f"{aligner} is not valid for GAUGE")


def aligned(
    times: _Times, values: _Values, aggregation: Any, start: int, end: int
) -> tuple[_Times, _Values]:
    """End and value of each period, counted back from the end, that holds something."""
    period = aggregation.alignment_period.seconds
    aligner = Aligner(aggregation.per_series_aligner).name
    bins = (end - times) // period  # 0 = the last
    many = np.bincount(bins, minlength=-(-(end - start) // period))
    found, there = _ALIGNED[aligner](bins, values, many), many > 0
    if aligner in _RATES:
        found, there = _interpolated(found, there)
    if aligner == "ALIGN_RATE":
        found = found / period
    slots = np.flatnonzero(there)
    return end - slots * period, found[slots]


def _mean(bins: _Times, values: _Values, many: _Times) -> _Values:
    return np.bincount(bins, values, len(many)) / np.maximum(many, 1)


def _sum(bins: _Times, values: _Values, many: _Times) -> _Values:
    return np.bincount(bins, values, len(many))


def _max(bins: _Times, values: _Values, many: _Times) -> _Values:
    found = np.full(len(many), -np.inf)
    with np.errstate(invalid="ignore"):
        np.maximum.at(found, bins, values)
    return found


_ALIGNED: dict[str, Callable[[_Times, _Values, _Times], _Values]] = {
    "ALIGN_MEAN": _mean,
    "ALIGN_MAX": _max,
    "ALIGN_SUM": _sum,
    "ALIGN_RATE": _sum,
    "ALIGN_DELTA": _sum,
}
_RATES = ("ALIGN_RATE", "ALIGN_DELTA")


def _interpolated(found: _Values, there: NDArray[np.bool_]) -> tuple[_Values, NDArray[np.bool_]]:
    """Between two points that there are none is missing."""
    slots = np.flatnonzero(there)
    if not len(slots):
        return found, there
    every = np.arange(len(found))
    inside = (every >= slots[0]) & (every <= slots[-1])
    return np.interp(every, slots, found[slots]), inside


def _add(told: Any, series: Measured, ends: _Times, values: _Values) -> None:
    told.metric.type = series.metric
    told.metric.labels.update(dict(series.labels))
    told.resource.type = "gce_instance"
    told.resource.labels.update(
        {"project_id": series.project, "instance_id": series.instance, "zone": series.zone}
    )
    kinds = metric_pb2.MetricDescriptor
    told.value_type = kinds.INT64 if series.whole else kinds.DOUBLE
    for end, value in zip(ends.tolist(), values.tolist(), strict=True):
        one = told.points.add()
        one.interval.end_time.seconds = one.interval.start_time.seconds = end
        if series.whole:
            one.value.int64_value = int(value)
        else:
            one.value.double_value = value
