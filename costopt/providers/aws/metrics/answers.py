"""CloudWatch's answers into samples: JSON into Arrow, queries onto one grid, statistics into units.

botocore turns every number of an answer into a Python object, one call of a method each: fifty
times the time of reading the JSON. So its parser is given an empty body, by the event that it emits
before parsing, and Arrow reads the body itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.json as pa_json
from numpy.typing import NDArray

from costopt import schema
from costopt.providers.aws.metrics.packing import slots
from costopt.providers.aws.metrics.plan import Call, Part, Unit

RAW_BODY: Final = "RawBody"
"""Under this name the answer of a client with `keep_raw` holds the body."""

COMPLETE: Final = "Complete"

_RESULT: Final = pa.struct(
    [
        ("Id", pa.string()),
        ("StatusCode", pa.string()),
        ("Timestamps", pa.list_(pa.float64())),
        ("Values", pa.list_(pa.float64())),
    ]
)
_BODY: Final = pa.schema([("MetricDataResults", pa.list_(_RESULT)), ("NextToken", pa.string())])


class Unasked(Exception):
    """The answer does not fit the question; its text says how."""


class Page(NamedTuple):
    """One page of one answer."""

    queries: NDArray[np.int64]  # (results,) which query each result is of
    complete: NDArray[np.bool_]  # (results,)
    counts: NDArray[np.int64]  # (results,) points of each
    times: NDArray[np.float64]  # (points,) seconds since 1970
    values: NDArray[np.float64]  # (points,)
    next_token: str | None


def keep_raw(client: Any) -> None:
    """Let the client hand over the bodies of GetMetricData's answers as they come."""
    client.meta.events.register(
        "before-parse.cloudwatch.GetMetricData", _take_body, unique_id="costopt-raw-body"
    )


def _take_body(
    response_dict: dict[str, Any], customized_response_dict: dict[str, Any], **_: object
) -> None:
    if response_dict["status_code"] < 300:
        customized_response_dict[RAW_BODY] = response_dict["body"]
        response_dict["body"] = b"{}"


def page(body: bytes, asked: Mapping[str, int]) -> Page:
    """The page that the body holds.

    Args:
        asked: the number of each query of the request, by its Id.
    Raises:
        pa.ArrowInvalid: it is not an answer of GetMetricData.
        Unasked: it does not fit what was asked.
    """
    table = pa_json.read_json(
        pa.BufferReader(body),
        read_options=pa_json.ReadOptions(use_threads=False, block_size=len(body) + 1),
        parse_options=pa_json.ParseOptions(
            explicit_schema=_BODY, unexpected_field_behavior="ignore"
        ),
    ).combine_chunks()
    results = table.column("MetricDataResults").chunk(0).flatten()
    times, values = results.field("Timestamps"), results.field("Values")
    if times.value_lengths().fill_null(0) != values.value_lengths().fill_null(0):
        raise Unasked("an answer with other values than times")
    names = results.field("Id").to_pylist()
    if not asked.keys() >= set(names):
        raise Unasked("an answer to what was not asked")
    return Page(
        np.array([asked[name] for name in names], np.int64),
        np.array([code == COMPLETE for code in results.field("StatusCode").to_pylist()], bool),
        times.value_lengths().fill_null(0).to_numpy(zero_copy_only=False).astype(np.int64),
        times.flatten().to_numpy(zero_copy_only=False),
        values.flatten().to_numpy(zero_copy_only=False),
        table.column("NextToken")[0].as_py(),
    )


def name(query: int) -> str:
    """What a query is called within its call."""
    return f"q{query}"


class Grid:
    """The points of one call: a row of slots for each query, NaN = missing."""

    def __init__(self, call: Call) -> None:
        self.call = call
        lengths, periods = [], []
        for part in call.parts:
            queries = len(part.unit.entry.raws)
            lengths += [slots(call.start, call.end, part.period)] * queries
            periods += [part.period] * queries
        self._lengths = np.array(lengths, np.int64)
        self._periods = np.array(periods, np.int64)
        self._bases = np.cumsum(self._lengths) - self._lengths
        self._cells = np.full(int(self._lengths.sum()), np.nan)

    def add(self, page: Page) -> None:
        """Put in a page. A point given twice stands once; one outside the call is dropped."""
        of = np.repeat(page.queries, page.counts)
        slot = (page.times.astype(np.int64) - self.call.start) // self._periods[of]
        inside = (slot >= 0) & (slot < self._lengths[of])
        self._cells[(self._bases[of] + slot)[inside]] = page.values[inside]

    def row(self, query: int) -> NDArray[np.float64]:
        """One query's slots, from the start of the call on."""
        base = int(self._bases[query])
        return self._cells[base : base + int(self._lengths[query])]


class _Rows(NamedTuple):
    """Samples of one series."""

    keys: tuple[str, str, str, str | None]  # resource, metric, statistic, device
    period: int
    times: NDArray[np.int64]  # seconds since 1970
    values: NDArray[np.float32]


class Given(NamedTuple):
    """The samples of a call."""

    table: pa.Table  # schema.METRICS, series by series, each in the order of time
    ends: Mapping[Unit, int]  # of the newest sample of each unit that has any, seconds since 1970


def samples(grid: Grid, left_out: Sequence[bool]) -> Given:
    """What the call brought.

    Args:
        left_out: (parts,) parts that are not given: their answers lack something.
    """
    rows: list[_Rows] = []
    ends: dict[Unit, int] = {}
    query = 0
    for part, out in zip(grid.call.parts, left_out, strict=True):
        raws = part.unit.entry.raws
        if not out:
            stats = {raw: grid.row(query + number) for number, raw in enumerate(raws)}
            of_part = _of_part(part, grid.call.start, stats)
            last = [int(one.times[-1]) + one.period for one in of_part if len(one.times)]
            ends |= {part.unit: max(last)} if last else {}
            rows += of_part
        query += len(raws)
    return Given(_table(rows), ends)


def _of_part(part: Part, start: int, stats: dict[Any, NDArray[np.float64]]) -> list[_Rows]:
    skipped = (part.start - start) // part.period  # what the lake holds already
    until = (part.end - start) // part.period
    unit = part.unit
    rows = []
    for made in unit.entry.made:
        inputs = [stats[raw][skipped:until] for raw in made.inputs]
        with np.errstate(over="ignore"):  # what is too large is dropped below, not infinite
            values = made.formula(part.period, *inputs).astype(np.float32)
        there = np.flatnonzero(np.isfinite(values))
        keys = (unit.resource_id, made.name, made.statistic, unit.device or None)
        times = part.start + there * part.period
        rows.append(_Rows(keys, part.period, times, values[there]))
    return rows


def _table(rows: list[_Rows]) -> pa.Table:
    if not rows:
        return schema.empty(schema.METRICS)
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
