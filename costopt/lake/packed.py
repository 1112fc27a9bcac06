"""Packed days: compaction of long samples into them, and the scan that profiles read.

packed/<YYYY-MM-DD>.parquet holds one UTC day of every provider (see day.py for its inside).
Samples stand on their period's UTC grid; a null Value is a missing sample and leaves no trace,
while NaN and infinities, which claim to be values, are counted as NotFinite.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from costopt.errors import InputError
from costopt.lake import batches, day
from costopt.lake.atomic import sync_folder
from costopt.lake.batches import Batch
from costopt.lake.day import Day
from costopt.lake.fold import FILLED, by_day
from costopt.lake.series import Vocabulary
from costopt.lake.store import Lake
from costopt.model import Window

IN_FLIGHT_BYTES: Final = 256 << 20
"""Memory for days being folded. Day-ordered files need a day's worth or two; where files mix many
days, the latest of them wait for another pass over the files. One day always fits."""

AHEAD_SHARE: Final = 0.1
"""A tenth of the fleet may have wrong clocks before the fleet's own newest day is doubted."""

_TABLE_BYTES: Final = 8 << 20
"""What scan gives at a time at least: opening a file for every small shard would cost more than
reading it."""

FAR_DAYS: Final = 35
"""Longer than any pause between two monthly exports."""

_NEVER: Final = 1 << 40  # a day later than any


@dataclass(frozen=True, slots=True)
class CompactReport:
    """What a compaction did."""

    files: int = 0  # long files folded and removed
    days: int = 0  # day files written
    samples: int = 0  # samples that filled a slot
    duplicates: int = 0  # same slot, same packed value within one file
    conflicts: int = 0  # same slot, another value: the first write stays
    refused_low: int = 0
    refused_high: int = 0
    not_finite: int = 0
    off_grid: int = 0


def compact(lake: Lake, *, in_flight_bytes: int = IN_FLIGHT_BYTES) -> CompactReport:
    """Fold every pending long file, oldest first, into the packed days; then remove the files.

    Safe to kill at any point and to repeat: a day's file is replaced whole or not at all, a long
    file is removed only when every day is durable, and folding a file again changes nothing.

    Args:
        in_flight_bytes: memory for days being folded.
    Raises:
        InputError: a long file or a day's file is damaged, or no file of samples; where.
    """
    if not lake.pending():
        return CompactReport()
    with lake.writing():
        files = [path for _, path in lake.pending()]
        compaction = _Compaction(lake, in_flight_bytes)
        left = [b for number, path in enumerate(files) for b in batches.batches(number, path)]
        while left:
            left = compaction.fold(left)
        for path in files:
            path.unlink()
        for folder in {path.parent for path in files}:
            sync_folder(folder)
    return compaction.report(len(files))


def scan(lake: Lake, window: Window | None = None) -> Iterator[pa.Table]:
    """The packed days that touch the window, as tables of schema.PACKED: each a shard, or several
    small ones.

    Every row of a resource is in exactly one of the tables; rows stand in no order to rely on. Days
    are read whole: samples may lie outside the window.

    Raises:
        InputError: a day's file is damaged; where.
    """
    paths = sorted((lake.root / "packed").glob("[0-9]*.parquet"))
    wanted = [path for path in paths if window is None or _touches(path, window)]
    shards = lake.shards
    size = sum(day.unpacked_bytes(path, shards=shards) for path in wanted)
    together = max(1, min(shards, _TABLE_BYTES * shards // max(1, size)))
    for first in range(0, shards, together):
        yield from _table(wanted, range(first, min(first + together, shards)), shards)


def _table(paths: Sequence[Path], wanted: range, shards: int) -> list[pa.Table]:
    """These shards' rows as one table, or none. Kept by nobody: its reader may drop it at once."""
    tables = [day.read(path, wanted, shards=shards) for path in paths]
    return [pa.concat_tables(tables)] if any(table.num_rows for table in tables) else []


def days(lake: Lake) -> tuple[date, ...]:
    """The UTC days that hold packed samples, oldest first.

    Raises:
        InputError: a file among them is not named for a day.
    """
    paths = sorted((lake.root / "packed").glob("[0-9]*.parquet"))
    try:
        return tuple(date.fromisoformat(path.stem) for path in paths)
    except ValueError as error:
        raise InputError(f"not a day of the lake: {error}", where=str(paths[0].parent)) from None


def reach(lake: Lake) -> datetime | None:
    """The end of the newest day that is more than a few clocks running ahead; None = no days.

    A day with no more than `AHEAD_SHARE` as many series as the fullest one does not count, nor one
    with no more than half as many that lies `FAR_DAYS` or more after all others.
    """
    series = {day: _series(_path(lake, day)) for day in days(lake)}
    fullest = max(series.values(), default=0)
    newest = list(series)
    while len(newest) > 1:
        far = newest[-1] - newest[-2] >= timedelta(days=FAR_DAYS)
        if series[newest[-1]] > fullest * (0.5 if far else AHEAD_SHARE):
            break
        newest.pop()
    if not newest:
        return None
    return datetime.combine(newest[-1], time(), UTC) + timedelta(days=1)


def _series(path: Path) -> int:
    try:
        rows: int = pq.read_metadata(path).num_rows
    except (pa.ArrowInvalid, OSError) as error:
        raise InputError(
            f"damaged lake file: {error}",
            where=str(path),
            hint="move it away and collect that day again; the other files are unharmed",
        ) from None
    return rows


def _path(lake: Lake, day: date) -> Path:
    return lake.root / "packed" / f"{day.isoformat()}.parquet"


def _touches(path: Path, window: Window) -> bool:
    midnight = datetime.fromisoformat(path.stem).replace(tzinfo=UTC)
    return midnight < window.end and window.start < midnight + timedelta(days=1)


class _Compaction:
    """Folds batches into days, and days into files as soon as no later batch has more of them."""

    def __init__(self, lake: Lake, in_flight_bytes: int) -> None:
        self._packed = lake.root / "packed"
        self._shards = lake.shards
        self._in_flight_bytes = in_flight_bytes
        self._vocabulary = Vocabulary(self._shards)
        self._open: dict[int, Day] = {}  # by day since 1970
        self._done: set[int] = set()
        self._limit = _NEVER  # the first day that waits for another pass
        self._days = 0
        self._tally = np.zeros(FILLED + 1, np.int64)

    def fold(self, wanted: list[Batch]) -> list[Batch]:
        """One pass over the batches; returns those with days that did not fit in memory."""
        self._limit = _NEVER
        with ThreadPoolExecutor(1, "costopt-write") as writer:
            writing: Future[None] | None = None
            for position, (batch, table) in enumerate(batches.read_ahead(wanted)):
                self._fold_batch(batch, table)
                for number in self._complete(wanted[position + 1 :]):
                    if writing:
                        writing.result()  # never more than one finished day in memory
                    writing = writer.submit(self._finish, self._open.pop(number))
            if writing:
                writing.result()
        return [batch for batch in wanted if batch.last_day >= self._limit]

    def report(self, files: int) -> CompactReport:
        """What all passes did."""
        *counts, filled = self._tally.tolist()
        return CompactReport(files, self._days, filled, *counts)

    def _fold_batch(self, batch: Batch, table: pa.Table) -> None:
        samples, ids = batches.samples_of(batch, table, self._vocabulary)
        for number, of_day in by_day(samples):
            if number >= self._limit or number in self._done:
                continue
            if number not in self._open:
                self._open[number] = self._load(number)
            self._open[number].fold(of_day, ids, batch.file)
            while len(self._open) > 1 and self._bytes() > self._in_flight_bytes:
                self._limit = max(self._open)
                del self._open[self._limit]

    def _bytes(self) -> int:
        return sum(opened.nbytes for opened in self._open.values())

    def _load(self, number: int) -> Day:
        opened = Day(number, self._vocabulary)
        path = day.path_of(self._packed, number)
        if path.exists():
            try:
                opened.load(day.read(path, range(self._shards), shards=self._shards))
            except ValueError as error:
                raise day.damaged(path, str(error)) from None
        return opened

    def _complete(self, later: Sequence[Batch]) -> list[int]:
        """Open days that no later batch has samples of."""
        return [
            number
            for number in sorted(self._open)
            if not any(batch.first_day <= number <= batch.last_day for batch in later)
        ]

    def _finish(self, done: Day) -> None:
        if done.settle():
            day.write(day.path_of(self._packed, done.number), done.shards(self._shards))
            self._days += 1
        self._tally += done.tally[: FILLED + 1]
        self._done.add(done.number)
