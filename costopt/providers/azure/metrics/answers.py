"""Azure Monitor's answers into samples: JSON into Arrow, metrics onto one grid, values into units.

The SDK makes an object of each point; Arrow reads the body as it came. What the SDK's objects leave
out is in it, too: the errors of single metrics.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any, Final, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.json as pa_json
from numpy.typing import NDArray

from costopt import schema
from costopt.providers.azure.metrics.catalogue import Raw
from costopt.providers.azure.metrics.formulas import Where
from costopt.providers.azure.metrics.plan import Call, Part
from costopt.providers.azure.metrics.resized import Before, before
from costopt.providers.azure.metrics.retention import GRAIN, PERIOD
from costopt.providers.azure.metrics.silence import Unit
from costopt.providers.plain import plain

_TABLE_ROWS: Final = 250_000
"""A table ends with the machine in which it passes these."""
_SUCCESS: Final = "Success"
_OF_METRIC: Final = "/providers/microsoft.insights/metrics/"

_NAME: Final = pa.struct([("value", pa.string())])
_AGGREGATIONS: Final = ("average", "minimum", "maximum", "total", "count")
_POINT: Final = pa.struct(
    [("timeStamp", pa.timestamp("s", "UTC")), *((name, pa.float64()) for name in _AGGREGATIONS)]
)
_SERIES: Final = pa.struct(
    [
        ("metadatavalues", pa.list_(pa.struct([("name", _NAME), ("value", pa.string())]))),
        ("data", pa.list_(_POINT)),
    ]
)
_METRIC: Final = pa.struct(
    [
        ("id", pa.string()),
        ("name", _NAME),
        ("errorCode", pa.string()),
        ("errorMessage", pa.string()),
        ("timeseries", pa.list_(_SERIES)),
    ]
)
_MACHINE: Final = [
    ("resourceid", pa.string()),
    ("interval", pa.string()),
    ("value", pa.list_(_METRIC)),
]
_BATCH: Final = pa.schema([("values", pa.list_(pa.struct(_MACHINE)))])
_ALONE: Final = pa.schema(_MACHINE)

Values = NDArray[np.float64]


class Unasked(Exception):
    """The answer does not fit the question; its text says how."""


class Failure(NamedTuple):
    """What could not be read of a machine."""

    resource_id: str
    code: str
    text: str
    entry: str | None = None  # None = all of it
    fatal: bool = True


class Grid:
    """The points of one call: slots for each series, NaN = missing."""

    def __init__(self, call: Call) -> None:
        self.call = call
        self.failures: list[Failure] = []
        self.newest: dict[Unit, int] = {}
        """Ends of the newest samples, seconds since 1970, of what was given."""
        self.resized: dict[str, Before] = {}
        """Machines whose first slots are of another size, and left out."""
        self._parts = {part.target.resource_id: n for n, part in enumerate(call.parts)}
        self._raws = {name: [r for r in call.raws if r.name == name] for name in call.names}
        self._cells: list[dict[str, dict[Raw, Values]]] = [{} for _ in call.parts]

    def add(self, body: bytes, asked: Collection[Part]) -> None:
        """Put in an answer.

        Args:
            asked: those parts of the call that it is about.
        Raises:
            pa.ArrowInvalid: it is not an answer of Azure Monitor.
            Unasked: it does not fit what was asked.
        """
        machines = _read(body, batch=self.call.batch)
        metrics = machines.field("value")
        counts = _lengths(metrics)
        if not {*machines.field("interval").to_pylist()} <= {GRAIN, None}:
            raise Unasked("an answer of another interval")
        flat = _Metrics(metrics.flatten())
        waiting = {part.target.resource_id for part in asked}
        position = 0
        for named, count in zip(machines.field("resourceid").to_pylist(), counts, strict=True):
            ids = {_owner(one) for one in flat.ids[position : position + count]}
            ids |= {named.lower()} if named else set()
            if len(ids) > 1 or not ids <= self._parts.keys():
                raise Unasked("an answer about machines that were not asked for")
            for resource_id in ids:
                self._of_machine(resource_id, flat, range(position, position + count))
            waiting -= ids
            position += count
        if waiting and self.call.batch:
            text = "Azure Monitor left it out of its answer"
            self.failures += [Failure(one, "Unanswered", text) for one in sorted(waiting)]

    def _of_machine(self, resource_id: str, flat: _Metrics, numbers: range) -> None:
        number = self._parts[resource_id]
        for metric in numbers:
            name, code = flat.names[metric], flat.codes[metric] or _SUCCESS
            if code != _SUCCESS:
                self._failed(number, name, code, flat.texts[metric] or "")
            elif name in self._raws:
                for device, points in flat.series(metric, self.call.group.dimension):
                    self._put(number, name, device, points)

    def _failed(self, number: int, name: str, code: str, text: str) -> None:
        part = self.call.parts[number]
        said = f"{name}: {code}: {plain(text)}"[:300]
        for one in part.wanted:
            if name in one.entry.names:
                id_ = part.target.resource_id
                self.failures.append(Failure(id_, code, said, one.entry.name))

    def _put(self, number: int, name: str, device: str, points: pa.StructArray) -> None:
        """Points whose count is zero are none, whatever else they say."""
        times = points.field("timeStamp").cast(pa.int64())
        if times.null_count:
            raise Unasked("an answer with points of no time")
        slot = (times.to_numpy(zero_copy_only=False) - self.call.start) // PERIOD
        counts = _floats(points.field("count"))
        kept = (slot >= 0) & (slot < self.call.slots) & ~(counts == 0)
        rows = self._cells[number].setdefault(device, {})
        for raw in self._raws[name]:
            if raw not in rows:
                rows[raw] = np.full(self.call.slots, np.nan)
            rows[raw][slot[kept]] = _floats(points.field(raw.aggregation))[kept]

    def tables(self, left_out: Collection[Unit]) -> Iterator[pa.Table]:
        """The samples (schema.METRICS), machine by machine, each series in the order of time.

        Args:
            left_out: units that are not given.
        """
        rows: list[_Rows] = []
        for part, devices in zip(self.call.parts, self._cells, strict=True):
            earlier = before(part.target.memory, devices.get("", {}))
            if earlier:
                self.resized[part.target.resource_id] = earlier
            first = earlier.slots if earlier else 0
            for device in sorted(devices):
                rows += self._of_device(part, device, devices[device], left_out, first)
            devices.clear()
            if sum(len(one.times) for one in rows) >= _TABLE_ROWS:
                yield _table(rows)
                rows = []
        if any(len(one.times) for one in rows):
            yield _table(rows)

    def _of_device(
        self,
        part: Part,
        device: str,
        cells: dict[Raw, Values],
        left_out: Collection[Unit],
        first: int,
    ) -> Iterator[_Rows]:
        call = self.call
        where = Where(PERIOD, part.target.memory)
        missing = np.full(call.slots, np.nan)
        for unit, wanted in zip(part.units(), part.wanted, strict=True):
            if unit in left_out:
                continue
            held = max(wanted.since - call.start, 0) // PERIOD  # in the lake already
            begin = max(held, first)
            until = (part.end - call.start) // PERIOD
            for made in wanted.entry.made:
                inputs = [cells.get(raw, missing) for raw in made.inputs]
                with np.errstate(all="ignore"):  # what is no number is dropped below
                    values = made.formula(where, *inputs)[begin:until].astype(np.float32)
                there = begin + np.flatnonzero(np.isfinite(values))
                times = call.start + there * PERIOD
                if len(times):
                    self.newest[unit] = max(int(times[-1]) + PERIOD, self.newest.get(unit, 0))
                keys = (part.target.resource_id, made.name, made.statistic, device or None)
                yield _Rows(keys, times, values[there - begin])


class _Metrics:
    """All metrics of an answer, one after the other, whosever they are."""

    def __init__(self, metrics: pa.StructArray) -> None:
        self.ids = metrics.field("id").to_pylist()
        self.names = metrics.field("name").field("value").to_pylist()
        self.codes = metrics.field("errorCode").to_pylist()
        self.texts = metrics.field("errorMessage").to_pylist()
        series = metrics.field("timeseries")
        self._first = np.concatenate([[0], np.cumsum(_lengths(series))])
        flat = series.flatten()
        self._labels = flat.field("metadatavalues").to_pylist()
        data = flat.field("data")
        self._start = np.concatenate([[0], np.cumsum(_lengths(data))])
        self._points = data.flatten()

    def series(self, metric: int, dimension: str | None) -> Iterator[tuple[str, pa.StructArray]]:
        """Device, "" = the whole machine, and points of each series of a metric."""
        for number in range(self._first[metric], self._first[metric + 1]):
            device = _device(self._labels[number], dimension)
            start, stop = self._start[number], self._start[number + 1]
            if device is not None and stop > start:
                yield device, self._points.slice(start, stop - start)


class _Rows(NamedTuple):
    """Samples of one series."""

    keys: tuple[str, str, str, str | None]  # resource, metric, statistic, device
    times: NDArray[np.int64]  # seconds since 1970
    values: NDArray[np.float32]


def _read(body: bytes, *, batch: bool) -> pa.StructArray:
    table = pa_json.read_json(
        pa.BufferReader(body),
        read_options=pa_json.ReadOptions(use_threads=False, block_size=len(body) + 1),
        parse_options=pa_json.ParseOptions(
            explicit_schema=_BATCH if batch else _ALONE, unexpected_field_behavior="ignore"
        ),
    )
    if table.num_rows != 1:
        raise Unasked("an answer of several documents, or of none")
    if batch:
        return table.column("values").combine_chunks().flatten()
    columns = [table.column(name).combine_chunks() for name, _ in _MACHINE]
    return pa.StructArray.from_arrays(columns, [name for name, _ in _MACHINE])


def _owner(metric_id: str) -> str:
    """Whose metric it is."""
    return metric_id.lower().partition(_OF_METRIC)[0]


def _device(labels: list[dict[str, Any]] | None, dimension: str | None) -> str | None:
    """What the dimension says; None where it should say something and does not."""
    if dimension is None:
        return ""
    told = {str(one["name"]["value"]).lower(): one["value"] for one in labels or ()}
    return told.get(dimension)


def _lengths(lists: pa.ListArray) -> NDArray[np.int64]:
    lengths: NDArray[np.int64] = lists.value_lengths().fill_null(0).to_numpy(zero_copy_only=False)
    return lengths


def _floats(array: pa.Array) -> Values:
    values: Values = array.to_numpy(zero_copy_only=False)
    return values


def _table(rows: list[_Rows]) -> pa.Table:
    of = pa.array(np.repeat(np.arange(len(rows)), [len(one.times) for one in rows]))
    texts = [pa.array(column, pa.string()) for column in zip(*(r.keys for r in rows), strict=True)]
    resource, metric, statistic, device = (text.take(of) for text in texts)
    periods = pa.array(np.full(len(of), PERIOD, np.int32))
    micros = np.concatenate([one.times for one in rows]) * 1_000_000
    times = pa.array(micros).cast(pa.timestamp("us")).cast(schema.TIMESTAMP)
    values = pa.array(np.concatenate([one.values for one in rows]))
    return pa.table(
        [resource, metric, statistic, times, periods, values, device], schema=schema.METRICS
    )
