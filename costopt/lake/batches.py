"""Long sample files read in batches of about a million rows, one batch ahead of their use."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from costopt.errors import InputError
from costopt.lake.fold import DAY_MICROSECONDS, Samples
from costopt.lake.incoming import check_period, check_times
from costopt.lake.series import KEYS, TEXT_KEYS, Vocabulary

_ROWS: Final = 1 << 20
_EVER: Final = (-(1 << 40), 1 << 40)  # the days of a row group without statistics


@dataclass(frozen=True, slots=True)
class Batch:
    """Neighbouring row groups of one long file, and the UTC days their samples may start on."""

    file: int  # its place in the order of files: what it says comes first, or later
    path: Path
    row_groups: tuple[int, ...]
    first_day: int  # days since 1970
    last_day: int


def batches(file: int, path: Path) -> list[Batch]:
    """How to read a long file: batches in its order.

    Raises:
        InputError: not a readable Parquet file of samples.
    """
    try:
        with pq.ParquetFile(path) as opened:
            groups = opened.metadata
            column = opened.schema_arrow.names.index("Timestamp")
    except (pa.ArrowInvalid, OSError, ValueError) as error:
        raise _damaged(path, error) from None
    found: list[Batch] = []
    chosen: list[int] = []
    rows = 0
    for group in range(groups.num_row_groups):
        chosen.append(group)
        rows += groups.row_group(group).num_rows
        if rows >= _ROWS or group == groups.num_row_groups - 1:
            spans = [_span(groups.row_group(g).column(column).statistics) for g in chosen]
            first, last = min(s[0] for s in spans), max(s[1] for s in spans)
            found.append(Batch(file, path, tuple(chosen), first, last))
            chosen, rows = [], 0
    return found


def read_ahead(wanted: Sequence[Batch]) -> Iterator[tuple[Batch, pa.Table]]:
    """Each batch with its rows, read by another thread while the one before is worked on."""
    with ThreadPoolExecutor(1, "costopt-read") as reader:
        coming = [reader.submit(_read, batch) for batch in wanted[:1]]
        for position, batch in enumerate(wanted):
            coming += [reader.submit(_read, later) for later in wanted[position + 1 : position + 2]]
            yield batch, coming.pop(0).result()


def samples_of(
    batch: Batch, table: pa.Table, vocabulary: Vocabulary
) -> tuple[Samples, NDArray[np.int64]]:
    """The batch's samples, and the ids of the series that their codes stand for.

    Raises:
        InputError: a period without a grid, or a time that cannot be one.
    """
    codes, ids = vocabulary.batch(table)
    for period in np.unique(vocabulary.periods(ids)).tolist():
        check_period(period, str(batch.path))
    check_times(table.column("Timestamp"), str(batch.path))
    times = table.column("Timestamp").combine_chunks().cast(pa.int64()).to_numpy()
    values = table.column("Value").combine_chunks()
    missing = values.is_null().to_numpy(zero_copy_only=False) if values.null_count else None
    return Samples(codes, times, values.to_numpy(zero_copy_only=False), missing), ids


def _read(batch: Batch) -> pa.Table:
    try:
        with pq.ParquetFile(batch.path, read_dictionary=list(TEXT_KEYS)) as file:
            return file.read_row_groups(
                list(batch.row_groups), columns=[*KEYS, "Timestamp", "Value"]
            )
    except (pa.ArrowInvalid, OSError) as error:
        raise _damaged(batch.path, error) from None


def _span(statistics: pq.Statistics | None) -> tuple[int, int]:
    if statistics is None or not statistics.has_min_max:
        return _EVER
    return statistics.min_raw // DAY_MICROSECONDS, statistics.max_raw // DAY_MICROSECONDS


def _damaged(path: Path, error: Exception) -> InputError:
    return InputError(
        f"damaged lake file: {error}",
        where=str(path),
        hint="move it away and collect again; the other files are unharmed",
    )
