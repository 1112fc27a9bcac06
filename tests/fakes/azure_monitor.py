"""Azure Monitor with the rules of the real one, behind the door of a fake Azure.

Both ways to read metrics: `metrics:getBatch` and `.../providers/Microsoft.Insights/metrics`; and
the lists of namespaces and definitions. What the API refuses is refused: 51 machines, 21 metrics,
machines of two regions or types, more than thirty days, a grain that there is not, an end beyond
retention. What is measured is a function (`point`), so a test works out what must arrive.

    monitor = Monitor(now); monitor.add(resource_id); door.services.insert(0, monitor.service)
"""

from __future__ import annotations

import json
import threading
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from tests.fakes.azure_arm import Answer, Call, refusal, said

DAY: Final = 86_400
KEPT, LONGEST = 93 * DAY, 30 * DAY
LATENCY: Final = 180
GRAINS: Final = {"PT1M": 60, "PT5M": 300, "PT15M": 900, "PT30M": 1800, "PT1H": 3600, "P1D": DAY}
GIB: Final = 1024**3
FREE_BYTES: Final = "Available Memory Bytes"
UNCACHED: Final = (
    "VM Uncached Bandwidth Consumed Percentage",
    "VM Uncached IOPS Consumed Percentage",
)
SCALES: Final[Mapping[str, float]] = {
    "Percentage CPU": 1.0,
    "Available Memory Percentage": 1.0,
    FREE_BYTES: 16 * GIB / 100,
    "Network In Total": 1e6,
    "Network Out Total": 1e5,
    "Disk Read Bytes": 1e6,
    "Disk Write Bytes": 1e6,
    UNCACHED[0]: 0.5,
    UNCACHED[1]: 0.9,
    "CPU Credits Remaining": 5.0,
}
"""What Azure measures of a machine, and the hundredth part of the most that there is."""
_EMPTY: Final = ("CPU Credits Remaining",)
_AGGREGATIONS: Final = ("average", "minimum", "maximum", "total", "count")
_BATCH: Final = "/metrics:getBatch"
_INSIGHTS: Final = "/providers/microsoft.insights/"

_Floats = NDArray[np.float64]


@dataclass
class Measured:
    """A machine."""

    resource_id: str  # as Azure spells it
    region: str = "westeurope"
    memory: float = 16.0  # GiB
    burstable: bool = False
    premium: bool = True
    born: float = -np.inf  # measured between these, seconds since 1970
    died: float = np.inf
    custom: dict[str, dict[str, dict[str, float]]] = field(default_factory=dict)
    """Namespaces, in them metrics, of them devices and the hundredth part of their most."""
    dimension: str = "gpu"

    @property
    def type(self) -> str:
        """Its resource type in lower case."""
        parts = self.resource_id.lower().partition("/providers/")[2].split("/")
        return "/".join([parts[0], *parts[1::2]])

    def has(self, metric: str) -> bool:
        """Whether Azure measures that of it."""
        if metric in UNCACHED:
            return self.premium
        return self.burstable if metric in _EMPTY else metric in SCALES


def point(resource_id: str, metric: str, minute: Any, device: str = "") -> Any:
    """What was measured in that minute since 1970, between 0 and 99, times the metric's scale.

    Works on an int and on an array of them alike. Available memory is the same in both its units.
    """
    metric = metric.removesuffix(" Percentage").removesuffix(" Bytes")
    return (seed(resource_id, metric, device) + minute * 7919) % 10007 / 101


def missing(resource_id: str, metric: str, minute: Any, device: str = "") -> Any:
    """Whether that was never measured: one of 97, and a whole quarter of an hour of 50."""
    number = seed(resource_id, metric, device)
    return ((number + minute) % 97 == 0) | ((number + minute // 15) % 50 == 0)


def seed(*names: str) -> int:
    """A number of its own for each series."""
    return zlib.crc32("\x1f".join(names).lower().encode()) % 100_000


@dataclass
class Asked:
    """One request for metrics, as the server saw it."""

    batch: bool
    subscription: str
    ids: tuple[str, ...]  # in lower case
    names: tuple[str, ...]
    start: int
    end: int
    namespace: str = ""
    outcome: int = 200


class _Refused(Exception):
    def __init__(self, status: int, code: str, message: str, **headers: str) -> None:
        super().__init__(message)
        self.answer = (status, code, message, headers)


@dataclass
class Monitor:
    """What the service knows and does; a test changes it as it likes."""

    now: datetime
    machines: dict[str, Measured] = field(default_factory=dict)  # by id in lower case
    refuses_batch: Callable[[Asked], int] = lambda asked: 0
    """HTTP status of such batches; 0 = they are answered."""
    refuses: Callable[[Asked, int], int] = lambda asked, number: 0
    """HTTP status of the request of that number (from 0), for any reason but the ones above."""
    retry_after: str | None = None
    errors: dict[tuple[str, str], str] = field(default_factory=dict)
    """Error codes in answers that are otherwise good, by id in lower case and metric."""
    left_out: set[str] = field(default_factory=set)  # ids that a batch says nothing about
    unknown: set[str] = field(default_factory=set)  # metrics that this cloud does not have
    empty: str = "absent"  # how a point of no measurement looks: or "null", or "zero"
    remaining: Callable[[int], int] = lambda number: 200
    remembers: bool = False  # whether a request is answered from memory, for a benchmark
    asked: list[Asked] = field(default_factory=list)
    listed: list[str] = field(default_factory=list)  # paths of the lists that were asked for
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _memory: dict[tuple[Any, ...], bytes] = field(default_factory=dict)

    def add(self, resource_id: str, **more: Any) -> Measured:
        """A machine to be measured."""
        made = Measured(resource_id, **more)
        self.machines[resource_id.lower()] = made
        return made

    def calls(self, *, batch: bool | None = None, outcome: int = 200) -> list[Asked]:
        """The requests that ended so."""
        return [a for a in self.asked if a.outcome == outcome and batch in (None, a.batch)]

    # -- the service ------------------------------------------------------------------------------

    def service(self, call: Call) -> Answer | None:
        """The answer to a request for metrics."""
        path = call.path.lower()
        if path.endswith(_BATCH.lower()) and call.method == "POST":
            return self._answered(call, self._batch)
        resource, found, what = path.rpartition(_INSIGHTS)
        if not found or call.method != "GET":
            return None
        if what == "metrics":
            return self._answered(call, lambda c: self._single(c, resource))
        self.listed.append(path)
        machine = self.machines.get(resource)
        if machine is None:
            return refusal(404, "ResourceNotFound", f"{resource} was not found.")
        if what == "metricnamespaces":
            return said({"value": [_namespace(name) for name in (machine.type, *machine.custom)]})
        if what == "metricdefinitions":
            metrics = machine.custom.get(call.query.get("metricnamespace", ""), {})
            return said({"value": [_definition(name, machine.dimension) for name in metrics]})
        return None

    def _answered(self, call: Call, answer: Callable[[Call], Answer]) -> Answer:
        key = (call.path, tuple(sorted(call.query.items())), call.body)
        if self.remembers and key in self._memory:
            return Answer(200, self._memory[key])
        try:
            made = answer(call)
        except _Refused as refused:
            status, code, message, headers = refused.answer
            return refusal(status, code, message, **headers)
        if self.remembers:
            self._memory[key] = made.body
        return made

    def _batch(self, call: Call) -> Answer:
        body = json.loads(call.body)
        ids = [one.lower() for one in body["resourceids"]]
        query = call.query
        span = (query["starttime"], query["endtime"])
        asked = self._note(True, call, ids, query, span, query["metricnamespace"])
        if not 1 <= len(ids) <= 50:
            self._refuse(asked, 400, "BadRequest", f"{len(ids)} resource ids; at most 50.")
        if len(set(ids)) < len(ids):
            self._refuse(asked, 400, "BadRequest", "resource ids must be unique.")
        if any(one.split("/")[2] != asked.subscription for one in ids):
            self._refuse(asked, 400, "BadRequest", "resources of another subscription.")
        there = [self.machines[one] for one in ids if one in self.machines]
        if len({one.region for one in there}) > 1 or len({one.type for one in there}) > 1:
            self._refuse(asked, 400, "BadRequest", "resources of several regions or types.")
        if any(one.type != asked.namespace.lower() for one in there):
            self._refuse(asked, 400, "BadRequest", "custom namespaces are not supported.")
        self._check(asked, query)
        if status := self.refuses_batch(asked):
            self._refuse(asked, status, "Refused", "Not for you.")
        if len(there) < len(ids):
            self._refuse(asked, 400, "BadRequest", "a resource does not exist.")
        told = [one for one in there if one.resource_id.lower() not in self.left_out]
        values = [{**self._of(one, asked, query), "resourceid": one.resource_id} for one in told]
        return said({"values": values})

    def _single(self, call: Call, resource: str) -> Answer:
        query = call.query
        first, _, last = query["timespan"].partition("/")
        namespace = query.get("metricnamespace", "")
        asked = self._note(False, call, [resource], query, (first, last), namespace)
        self._check(asked, query)
        if resource not in self.machines:
            self._refuse(asked, 404, "ResourceNotFound", "The Resource was not found.")
        left = str(self.remaining(len(self.asked)))
        document = self._of(self.machines[resource], asked, query)
        return said(document, x_ms_ratelimit_remaining_subscription_reads=left)

    def _note(
        self,
        batch: bool,
        call: Call,
        ids: Sequence[str],
        query: Mapping[str, str],
        span: tuple[str, str],
        namespace: str,
    ) -> Asked:
        names = tuple(query["metricnames"].split(","))
        start, end = (int(datetime.fromisoformat(one).timestamp()) for one in span)
        asked = Asked(batch, call.subscription, tuple(ids), names, start, end, namespace)
        with self._lock:
            number = len(self.asked)
            self.asked.append(asked)
        if status := self.refuses(asked, number):
            headers = {} if self.retry_after is None else {"Retry_After": self.retry_after}
            self._refuse(asked, status, f"Code{status}", "That is refused.", **headers)
        return asked

    def _check(self, asked: Asked, query: Mapping[str, str]) -> None:
        if len(asked.names) > 20:
            text = f"Requested metrics count: {len(asked.names)} bigger than allowed max: 20"
            self._refuse(asked, 400, "BadRequest", text)
        if query.get("interval") not in GRAINS:
            self._refuse(asked, 400, "BadRequest", "Detected invalid time grain input.")
        if asked.end - asked.start > LONGEST:  # the real one answers only the last thirty days
            self._refuse(asked, 400, "BadRequest", "More than thirty days.")
        if asked.end < self.now.timestamp() - KEPT:
            text = "Query endTime is out of the Max metrics retention period: 93.00:00:00"
            self._refuse(asked, 400, "BadRequest", text)
        if set(query["aggregation"].split(",")) - set(_AGGREGATIONS):
            self._refuse(asked, 400, "BadRequest", "Invalid aggregation type.")
        if asked.namespace.lower().startswith("microsoft.compute/"):
            valid = [name for name in SCALES if name not in self.unknown]
            lacking = [name for name in asked.names if name not in valid]
            if lacking:
                text = (
                    "Failed to find metric configuration for provider: Microsoft.Compute, resource "
                    f"Type: virtualMachines, metric: {lacking[0]}, Valid metrics: {','.join(valid)}"
                )
                self._refuse(asked, 400, "BadRequest", text)

    def _refuse(self, asked: Asked, status: int, code: str, text: str, **headers: str) -> None:
        asked.outcome = status
        raise _Refused(status, code, text, **headers)

    # -- what is told ------------------------------------------------------------------------------

    def _of(self, machine: Measured, asked: Asked, query: Mapping[str, str]) -> dict[str, Any]:
        period = GRAINS[query["interval"]]
        aggregations = query["aggregation"].split(",")
        metrics = [self._metric(machine, name, asked, period, aggregations) for name in asked.names]
        minutes = (asked.end - asked.start) // 60 - 1
        return {
            "cost": minutes * len(metrics),
            "timespan": query.get("timespan"),
            "interval": query["interval"],
            "value": metrics,
            "namespace": asked.namespace,
            "resourceregion": machine.region,
        }

    def _metric(
        self, machine: Measured, name: str, asked: Asked, period: int, aggregations: list[str]
    ) -> dict[str, Any]:
        told = {
            "id": f"{machine.resource_id}/providers/Microsoft.Insights/metrics/{name}",
            "type": "Microsoft.Insights/metrics",
            "name": {"value": name, "localizedValue": name},
            "unit": "Unspecified",
            "timeseries": [],
            "errorCode": "Success",
        }
        if code := self.errors.get((machine.resource_id.lower(), name)):
            return {**told, "errorCode": code, "errorMessage": "Something went wrong."}
        custom = machine.custom.get(asked.namespace)
        if custom is not None:
            series = [(device, scale) for device, scale in custom.get(name, {}).items()]
            labels = {"value": machine.dimension, "localizedValue": machine.dimension}
            told["timeseries"] = [
                {
                    "metadatavalues": [{"name": labels, "value": device}],
                    "data": self._data(machine, name, asked, period, aggregations, scale, device),
                }
                for device, scale in series
            ]
        elif machine.has(name):
            scale = SCALES[name] * (machine.memory / 16 if name == FREE_BYTES else 1)
            data = self._data(machine, name, asked, period, aggregations, scale)
            told["timeseries"] = [{"metadatavalues": [], "data": data}]
        return told

    def _data(
        self,
        machine: Measured,
        name: str,
        asked: Asked,
        period: int,
        aggregations: list[str],
        scale: float,
        device: str = "",
    ) -> list[dict[str, Any]]:
        starts = np.arange(asked.start, asked.end, period)
        minutes = starts[:, None] // 60 + np.arange(period // 60)
        values = point(machine.resource_id, name, minutes, device) * scale
        gone = missing(machine.resource_id, name, minutes, device)
        gone |= minutes * 60 + LATENCY > self.now.timestamp()
        gone |= (minutes * 60 < machine.born) | (minutes * 60 >= machine.died)
        folded = _folded(np.where(gone, np.nan, values))
        texts = np.datetime_as_string(starts.astype("datetime64[s]")).tolist()
        columns = [folded[one].tolist() for one in aggregations]
        points = []
        for text, *row in zip(texts, *columns, strict=True):
            there: dict[str, Any] = {}
            if row[0] == row[0]:
                there = dict(zip(aggregations, row, strict=True))
            if not there and self.empty != "absent":
                there = dict.fromkeys(aggregations, 0.0 if self.empty == "zero" else None)
            points.append({"timeStamp": f"{text}Z", **there})
        return points


def _folded(values: _Floats) -> dict[str, _Floats]:
    """Every aggregation of each row; NaN where there is nothing."""
    there = ~np.isnan(values)
    count = there.sum(axis=1)
    none = count == 0
    total = np.where(there, values, 0).sum(axis=1)
    found = {
        "average": total / np.maximum(count, 1),
        "minimum": np.where(there, values, np.inf).min(axis=1),
        "maximum": np.where(there, values, -np.inf).max(axis=1),
        "total": total,
        "count": count.astype(np.float64),
    }
    return {name: np.where(none, np.nan, column) for name, column in found.items()}


def _namespace(name: str) -> dict[str, Any]:
    return {
        "type": "Microsoft.Insights/metricNamespaces",
        "name": name.replace("/", "-"),
        "properties": {"metricNamespaceName": name},
    }


def _definition(name: str, dimension: str) -> dict[str, Any]:
    return {
        "name": {"value": name, "localizedValue": name},
        "dimensions": [{"value": dimension, "localizedValue": dimension}],
        "unit": "Unspecified",
    }


def seconds(moment: datetime) -> int:
    """Since 1970."""
    return int(moment.astimezone(UTC).timestamp())
