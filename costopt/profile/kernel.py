"""The profile kernel: one pass over packed days gives every column of the profiles table.

Definitions, exact whatever the order of rows, shards or threads:

- Percentiles are nearest rank (numpy: inverted_cdf) on the packed values. The mean is the sum over
  the count, where sums of percent metrics are sums of integers; the deviation is the population's.
- `expected` counts grid slots from the first sample to the window's end. `longest_gap_seconds` is
  the longest run of slots without a sample in that span, a silence at its end included.
- Idle and flat runs are of consecutive present samples: a missing one ends them. A flat run repeats
  one value other than zero (zero is what an idle machine truly says).
- A sample belongs to the local hour of the week in which its period starts. An hour of the week
  without any sample has a NaN mean and P95, never zero.
- Counts of duplicates, refusals and so on are of whole days that overlap the window.
- A series without a sample in the window has no row.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields
from datetime import datetime
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from costopt import schema
from costopt.model import Profile, Window
from costopt.parallel import in_threads
from costopt.profile import figures
from costopt.profile.clock import Calendar
from costopt.profile.shard import KEYS, Scope, blocks


def profile(
    shards: Iterable[pa.Table],
    window: Window,
    *,
    clocks: Mapping[str, str],
    since: Mapping[str, datetime],
    default_clock: str = "UTC",
    threads: int = 1,
) -> pa.Table:
    """What each series did in the window: schema.PROFILES, sorted by its key columns.

    Streams: at most `threads` shards are worked on while the next one is read.

    Args:
        shards: schema.PACKED, rows in any order, all rows of a resource in one table.
        window: only samples that start inside it count.
        clocks: ResourceId -> IANA time zone of its week.
        since: ResourceId -> moment (UTC) from which its samples count, a resize for instance.
        default_clock: of resources that `clocks` does not name.
        threads: shards worked on at once.
    Raises:
        InputError: a clock is no time zone, or packed samples have not the length of a day.
    """
    scope = Scope(window, since, Calendar(clocks, default_clock))
    empty = schema.empty(schema.PROFILES)
    return _sorted(pa.concat_tables([empty, *_tables(shards, scope, threads)]))


def profiles_of(table: pa.Table) -> dict[str, tuple[Profile, ...]]:
    """The profiles table (schema.PROFILES) as nouns, by ResourceId, in the table's order."""
    columns = [_values(table.column(name)) for name in _COLUMN_OF.values()]
    profiles: dict[str, list[Profile]] = {}
    for row in zip(*columns, strict=True):
        one = Profile(**dict(zip(_COLUMN_OF, row, strict=True)))
        profiles.setdefault(one.resource_id, []).append(one)
    return {resource_id: tuple(found) for resource_id, found in profiles.items()}


_RENAMED: Final = {
    "resource_id": "ResourceId",
    "metric_name": "MetricName",
    "statistic": "Statistic",
    "device": "x_Device",
    "period_seconds": "PeriodSeconds",
    "time_zone": "x_TimeZone",
}
_COLUMN_OF: Final = {f.name: _RENAMED.get(f.name, f.name) for f in fields(Profile)}


def _values(column: pa.ChunkedArray) -> Iterable[Any]:
    """A column's values; lists as arrays, which hold a figure in its own four bytes."""
    if not pa.types.is_list(column.type):
        plain: list[Any] = column.to_pylist()
        return plain
    values: list[Any] = []
    for chunk in column.chunks:
        flat = chunk.flatten().to_numpy()
        data, step = flat.tobytes(), flat.itemsize
        start = 0
        for length in chunk.value_lengths().to_pylist():
            end = start + (length or 0) * step
            values.append(None if length is None else array(flat.dtype.char, data[start:end]))
            start = end
    return values


def _tables(shards: Iterable[pa.Table], scope: Scope, threads: int) -> Iterator[pa.Table]:
    for tables in in_threads(lambda table: _shard(table, scope), shards, threads):
        yield from tables


def _shard(table: pa.Table, scope: Scope) -> list[pa.Table]:
    return [figures.rows(block) for block in blocks(table, scope)]


def _sorted(table: pa.Table) -> pa.Table:
    """The rows by KEYS: a column at a time, as two copies of all of them need not be held."""
    pa.default_memory_pool().release_unused()  # what the shards took, back to the system
    order = pc.sort_indices(table, sort_keys=[(name, "ascending") for name in KEYS])
    columns = []
    for _ in schema.PROFILES:
        columns.append(table.column(0).take(order))
        table = table.remove_column(0)
    return pa.table(columns, schema=schema.PROFILES)
