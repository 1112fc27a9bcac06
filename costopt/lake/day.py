"""One packed day in memory, and its file: packed/<YYYY-MM-DD>.parquet.

Row group i of the file is shard i, with or without rows; inside it rows are sorted by ResourceId,
MetricName, Statistic, x_Device, PeriodSeconds.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from costopt import schema
from costopt.errors import InputError
from costopt.lake.atomic import replacing
from costopt.lake.fold import COUNTERS, DAY_MICROSECONDS, PERCENT, RATE, Rows, Samples
from costopt.lake.series import TEXT_KEYS, Vocabulary

_EPOCH: Final = date(1970, 1, 1)


class Day:
    """The packed rows of one UTC day while samples are folded into them."""

    def __init__(self, number: int, vocabulary: Vocabulary) -> None:
        self.number = number  # days since 1970
        self._vocabulary = vocabulary
        self._parts = (Rows(PERCENT), Rows(RATE))

    @property
    def nbytes(self) -> int:
        """Memory held."""
        return sum(part.nbytes for part in self._parts)

    @property
    def tally(self) -> NDArray[np.int64]:
        """What was folded: a count per counter, slots filled, counters risen."""
        return self._parts[0].tally + self._parts[1].tally

    def load(self, table: pa.Table) -> None:
        """Start from what the day's file holds (schema.PACKED).

        Raises:
            ValueError: two rows of one series, or samples that are not a day of their period.
        """
        codes, ids = self._vocabulary.batch(table)
        if len(ids) != table.num_rows:
            raise ValueError("a series has two rows")
        percent = self._vocabulary.percent(ids)
        counters = np.stack([table.column(name).to_numpy() for name in COUNTERS], axis=1)
        packed = table.column("Samples").combine_chunks()
        for part, mine in zip(self._parts, (percent, ~percent), strict=True):
            chosen = np.flatnonzero(mine[codes])
            rows_of = ids[codes[chosen]]
            samples = packed.take(pa.array(chosen)).to_pylist()
            part.load(rows_of, self._vocabulary.periods(rows_of), samples, counters[chosen])

    def fold(self, samples: Samples, ids: NDArray[np.int64], file: int) -> None:
        """Fold samples of this day from one file, in their order; files in ascending order."""
        present = np.zeros(len(ids), np.bool_)
        present[samples.codes] = True
        periods, percent = self._vocabulary.periods(ids), self._vocabulary.percent(ids)
        for part, mine in zip(self._parts, (percent, ~percent), strict=True):
            wanted = np.flatnonzero(present & mine)
            if len(wanted):
                rows = np.full(len(ids), -1)
                rows[wanted] = part.rows(ids[wanted], periods[wanted])
                part.fold(samples, rows, self.number * DAY_MICROSECONDS, file)

    def settle(self) -> bool:
        """Merge the last counts; returns whether anything differs from what was loaded."""
        changed = [part.settle() for part in self._parts]
        return any(changed)

    def shards(self, count: int) -> Iterator[pa.Table]:
        """The day's rows as `count` tables in schema.PACKED, one a shard, each sorted by KEYS."""
        ids = np.concatenate([part.ids for part in self._parts])
        counters = np.concatenate([part.counters for part in self._parts])
        filled = np.concatenate([part.filled for part in self._parts])
        samples = pa.concat_arrays([part.binary() for part in self._parts])
        order = self._vocabulary.order(ids)
        order = order[(filled[order] > 0) | counters[order].any(axis=1)]
        shards = self._vocabulary.shards(ids[order])
        day = pa.scalar(self.number, pa.date32())
        for rows in np.split(order, np.searchsorted(shards, np.arange(1, count))):
            columns = self._vocabulary.columns(ids[rows]) | {
                "Day": pa.repeat(day, len(rows)),
                "Samples": samples.take(pa.array(rows)).cast(pa.binary()),
            }
            columns |= {n: pa.array(counters[rows, k]) for k, n in enumerate(COUNTERS)}
            arrays = [columns[field.name].cast(field.type) for field in schema.PACKED]
            yield pa.table(arrays, schema=schema.PACKED)


def path_of(packed: Path, number: int) -> Path:
    """The file of a day (days since 1970)."""
    return packed / f"{_EPOCH + timedelta(days=number)}.parquet"


def number_of(path: Path) -> int:
    """The day of a file, days since 1970."""
    return (date.fromisoformat(path.stem) - _EPOCH).days


def write(path: Path, shards: Iterator[pa.Table]) -> None:
    """Write a day's file, all or nothing: a row group a shard."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with (
        replacing(path) as temporary,
        pq.ParquetWriter(
            temporary,
            schema.PACKED,
            compression="zstd",
            compression_level=1,
            use_dictionary=[*TEXT_KEYS, "PeriodSeconds", "Day", *COUNTERS],
            write_statistics=False,
        ) as writer,
    ):
        for shard in shards:
            writer.write_table(shard, row_group_size=max(1, shard.num_rows))


def read(path: Path, wanted: range, *, shards: int) -> pa.Table:
    """The rows of some shards in a day's file (schema.PACKED).

    Raises:
        InputError: the file is damaged, or was not written for that many shards.
    """
    with _opened(path, shards) as file:
        # One thread: it is the quicker for row groups this small, and keeps fewer heaps.
        table = file.read_row_groups(list(wanted), use_threads=False)
    if not table.schema.equals(schema.PACKED):
        raise damaged(path, "its columns are not those of a packed day")
    return table


def unpacked_bytes(path: Path, *, shards: int) -> int:
    """About what a day's file takes in memory.

    Raises:
        InputError: the file is damaged, or was not written for that many shards.
    """
    with _opened(path, shards) as file:
        return sum(file.metadata.row_group(shard).total_byte_size for shard in range(shards))


@contextmanager
def _opened(path: Path, shards: int) -> Iterator[pq.ParquetFile]:
    try:
        with pq.ParquetFile(path) as file:
            if file.num_row_groups != shards:
                raise damaged(path, f"{file.num_row_groups} row groups, not {shards} shards")
            yield file
    except (pa.ArrowInvalid, OSError) as error:
        raise damaged(path, str(error)) from None


def damaged(path: Path, why: str) -> InputError:
    """What to say of a day's file that cannot be used."""
    return InputError(
        f"damaged packed day: {why}",
        where=str(path),
        hint="move it away and collect that day again; the other days are unharmed",
    )
