"""Tables on their way into the lake: checked, watched, hashed, cut into portions."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from costopt import schema
from costopt.errors import InputError
from costopt.units import SECONDS_PER_DAY

_END_OF_TIME: Final = 7_258_118_400_000_000  # 2200-01-01 in microseconds since 1970


class Portions:
    """Tables in portions of so many rows. Where a portioned stream fails, what came before is given
    yet, and the failure kept."""

    def __init__(self, tables: Iterator[pa.Table], portion_rows: int | None) -> None:
        self.failure: BaseException | None = None
        self._tables = tables
        self._portion_rows = portion_rows
        self._more = True

    def __iter__(self) -> Iterator[Iterator[pa.Table]]:
        while self._more:
            yield self._portion()

    def _portion(self) -> Iterator[pa.Table]:
        rows = 0
        while self._portion_rows is None or rows < self._portion_rows:
            try:
                table = next(self._tables)
            except StopIteration:
                break
            except BaseException as error:
                if self._portion_rows is None:
                    raise
                self.failure = error
                break
            rows += table.num_rows
            yield table
        else:
            return
        self._more = False


def hashed(tables: Iterable[pa.Table], digest: hashlib.blake2b) -> Iterator[pa.Table]:
    """Pass conformed charges on, hashing them.

    Equal tables in equal portions hash alike; a miss costs a redundant commit, never a wrong read.
    """
    for table in tables:
        charges = schema.conform(table, schema.CHARGES).combine_chunks()
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, charges.schema) as writer:
            writer.write_table(charges)
        digest.update(sink.getvalue())
        yield charges


def watched(tables: Iterable[pa.Table], ends: dict[str, datetime]) -> Iterator[pa.Table]:
    """Pass conformed tables on, noting the latest end of a sample per metric."""
    for table in tables:
        metrics = schema.conform(table, schema.METRICS)
        check_times(metrics.column("Timestamp"))
        ending = metrics.select(["MetricName", "PeriodSeconds", "Timestamp"])
        for row in (
            ending.group_by(["MetricName", "PeriodSeconds"])
            .aggregate([("Timestamp", "max")])
            .to_pylist()
        ):
            check_period(row["PeriodSeconds"])
            end = row["Timestamp_max"] + timedelta(seconds=row["PeriodSeconds"])
            ends[row["MetricName"]] = max(ends.get(row["MetricName"], end), end)
        yield metrics


def check_times(times: pa.ChunkedArray, where: str = "") -> None:
    """Refuse timestamps that can only be of a mistaken unit: they would not be days of anything.

    Raises:
        InputError: before 1970 or after 2199.
    """
    bounds = pc.min_max(times.cast(pa.int64()))
    first, last = bounds["min"].as_py(), bounds["max"].as_py()
    if first is not None and (first < 0 or last >= _END_OF_TIME):
        raise InputError(
            "a Timestamp lies before 1970 or after 2199",
            where=where,
            hint="check its unit: seconds, milliseconds and microseconds are easily confused",
        )


def check_period(seconds: int, where: str = "") -> None:
    """Refuse a sampling period that has no grid within a day.

    Raises:
        InputError: not a divisor of 86,400 s.
    """
    if seconds < 1 or SECONDS_PER_DAY % seconds:
        raise InputError(
            f"PeriodSeconds {seconds} does not divide a day evenly, so its samples have no grid",
            where=where,
            hint="resample to a period such as 60, 300, 900, 3600 or 86400 seconds",
        )
