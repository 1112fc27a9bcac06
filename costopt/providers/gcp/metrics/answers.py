"""Cloud Monitoring's answers into samples: pages onto one grid, aligned values into units."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

import numpy as np
import pyarrow as pa
from google.cloud.monitoring_v3 import ListTimeSeriesResponse
from numpy.typing import NDArray

from costopt import schema
from costopt.providers.gcp.metrics.catalogue import Aligner, Query
from costopt.providers.gcp.metrics.formulas import SAMPLED, Basis
from costopt.providers.gcp.metrics.plan import PAGE_POINTS, Call, Part, Unit

_TABLE_ROWS: Final = 250_000
"""A table ends with the machine in which it passes these."""

Values = NDArray[np.float64]


class Unasked(Exception):
    """The answer does not fit the question; its text says how."""


def request(call: Call, query: Query) -> dict[str, Any]:
    """The fields of the ListTimeSeriesRequest."""
    return {
        "name": f"projects/{call.project}",
        "filter": _filter(call, query),
        "interval": {
            "start_time": datetime.fromtimestamp(call.start, UTC),
            "end_time": datetime.fromtimestamp(call.end, UTC),
        },
        **_aggregation(query, call.period),
        "view": "FULL",
        "page_size": PAGE_POINTS,
    }


def _aggregation(query: Query, period: int) -> dict[str, Any]:
    whole = {"alignment_period": {"seconds": period}, "per_series_aligner": query.aligner}
    if not query.summed:
        return {"aggregation": whole}
    total = {
        "per_series_aligner": "ALIGN_SUM",
        "cross_series_reducer": "REDUCE_SUM",
        "group_by_fields": ["resource.labels.instance_id"],
    }
    if query.aligner == "ALIGN_SUM":
        return {"aggregation": whole | total}
    minutes = {"alignment_period": {"seconds": SAMPLED}} | total
    return {"aggregation": minutes, "secondary_aggregation": whole}


def _filter(call: Call, query: Query) -> str:
    """Numbers and names of our own only: nothing in it needs quoting."""
    numbers = ",".join(f'"{part.target.instance_id}"' for part in call.parts)
    machines = f"one_of({numbers})" if len(call.parts) > 1 else numbers
    return " AND ".join(
        [
            f'metric.type = "{query.metric}"',
            'resource.type = "gce_instance"',
            f"resource.labels.instance_id = {machines}",
            *(f'metric.labels.{name} = "{value}"' for name, value in query.labels),
        ]
    )


class Grid:
    """The points of one call: slots for each series, NaN = missing."""

    def __init__(self, call: Call) -> None:
        self.call = call
        self._parts = {part.target.instance_id: n for n, part in enumerate(call.parts)}
        self._series: dict[Query, dict[_Key, Values]] = {query: {} for query in call.queries}

    def clear(self, query: Query) -> None:
        """Forget what came of it: it is asked for anew."""
        self._series[query] = {}

    def add(self, query: Query, page: Any) -> None:
        """Put in a page. The points of a series may come in several, the newest first.

        Args:
            page: ListTimeSeriesResponse.
        Raises:
            Unasked: it does not fit what was asked.
        """
        for series in ListTimeSeriesResponse.pb(page).time_series:
            part = self._parts.get(series.resource.labels["instance_id"])
            if part is None:
                raise Unasked("an answer about machines that were not asked for")
            labels = dict(series.metric.labels)
            device = self.call.entry.device(labels)
            if device is not None and series.points:
                key = _Key(part, device, tuple(sorted(labels.items())))
                self._put(self._series[query], key, series.points)

    def _put(self, rows: dict[_Key, Values], key: _Key, points: Any) -> None:
        call = self.call
        ends = _ends(points, call.period)
        slot = -((call.start - ends) // call.period) - 1  # that which ends there
        inside = (slot >= 0) & (slot < call.slots)
        if key not in rows:
            rows[key] = np.full(call.slots, np.nan)
        rows[key][slot[inside]] = _values(points)[inside]

    def tables(self, left_out: Collection[Unit]) -> Iterator[pa.Table]:
        """The samples (schema.METRICS), machine by machine, each series in the order of time.

        A machine's samples stand in one table, so that what is kept of them is kept together.

        Args:
            left_out: units that are not given.
        """
        rows: list[_Rows] = []
        for number, devices in self._by_part():
            part = self.call.parts[number]
            if (part.target.resource_id, self.call.entry.name) not in left_out:
                for device in sorted(devices):
                    rows += self._of_device(part, device, devices[device])
            if sum(len(one.times) for one in rows) >= _TABLE_ROWS:
                yield _table(rows)
                rows = []
        if any(len(one.times) for one in rows):
            yield _table(rows)

    def _by_part(self) -> Iterator[tuple[int, _Devices]]:
        """The series of each machine by its devices and their queries."""
        found: dict[int, _Devices] = {}
        for query, rows in self._series.items():
            for key in sorted(rows):
                devices = found.setdefault(key.part, {})
                devices.setdefault(key.device, {}).setdefault(query, []).append(rows[key])
        for part in sorted(found):
            yield part, found.pop(part)

    def _of_device(
        self, part: Part, device: str, series: dict[Query, list[Values]]
    ) -> Iterator[_Rows]:
        call = self.call
        skipped = (part.start - call.start) // call.period  # what the lake holds already
        folded = {query: _folded(query.aligner, rows)[skipped:] for query, rows in series.items()}
        missing = np.full(call.slots - skipped, np.nan)
        basis = Basis(call.period, part.target.reserved)
        for made in call.made:
            inputs = [folded.get(query, missing) for query in made.inputs]
            with np.errstate(over="ignore"):  # what is too large is dropped, not infinite
                values = made.formula(basis, *inputs).astype(np.float32)
            there = np.flatnonzero(np.isfinite(values))
            keys = (part.target.resource_id, made.name, made.statistic, device or None)
            yield _Rows(keys, call.period, part.start + there * call.period, values[there])


class _Key(NamedTuple):
    """One series of a query's answer."""

    part: int  # which of the call's
    device: str  # "" = the whole machine
    labels: tuple[tuple[str, str], ...]


_Devices = dict[str, dict[Query, list[Values]]]


class _Rows(NamedTuple):
    """Samples of one series."""

    keys: tuple[str, str, str, str | None]  # resource, metric, statistic, device
    period: int
    times: NDArray[np.int64]  # seconds since 1970
    values: NDArray[np.float32]


def _ends(points: Any, period: int) -> NDArray[np.int64]:
    """When each point's period ends, in seconds since 1970.

    To ask a point for its time costs more than to ask for its value. They stand on a grid, each
    once and the newest first, so that where the first and the last of a stretch are as far apart as
    it has points, all between are known; else its halves are looked at.
    """
    ends = np.empty(len(points), np.int64)
    stretches = [(0, len(points))]
    while stretches:
        low, high = stretches.pop()
        first, last = (points[at].interval.end_time.seconds for at in (low, high - 1))
        if first - last == (high - low - 1) * period:
            ends[low:high] = np.arange(first, last - 1, -period)
        else:
            middle = (low + high) // 2
            stretches += [(low, middle), (middle, high)]
    return ends


def _values(points: Any) -> Values:
    kind = points[0].value.WhichOneof("value")
    if kind == "double_value":
        return np.array([point.value.double_value for point in points], np.float64)
    if kind == "int64_value":
        return np.array([point.value.int64_value for point in points], np.float64)
    raise Unasked("an answer whose values are no numbers")


def _folded(aligner: Aligner, rows: list[Values]) -> Values:
    """Several series of one device as one: a card that was replaced, say."""
    if len(rows) == 1:
        return rows[0]
    every = np.stack(rows)
    there = ~np.isnan(every)
    if aligner == "ALIGN_MAX":
        found = np.where(there, every, -np.inf).max(axis=0)
    else:
        found = np.where(there, every, 0).sum(axis=0) / np.maximum(there.sum(axis=0), 1)
    return np.where(there.any(axis=0), found, np.nan)


def _table(rows: list[_Rows]) -> pa.Table:
    of = pa.array(np.repeat(np.arange(len(rows)), [len(one.times) for one in rows]))
    texts = [pa.array(column, pa.string()) for column in zip(*(r.keys for r in rows), strict=True)]
    resource, metric, statistic, device = (text.take(of) for text in texts)
    periods = pa.array([one.period for one in rows], pa.int32()).take(of)
    micros = np.concatenate([one.times for one in rows]) * 1_000_000
    times = pa.array(micros).cast(pa.timestamp("us")).cast(schema.TIMESTAMP)
    values = pa.array(np.concatenate([one.values for one in rows]))
    return pa.table(
        [resource, metric, statistic, times, periods, values, device], schema=schema.METRICS
    )
