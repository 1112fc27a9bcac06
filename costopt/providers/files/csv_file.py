"""CSV as it comes: gzip or not, any delimiter, ragged rows, broken ends; with honest line numbers.

pyarrow splits the rows; Python's csv module reads the header, and counts lines again only where a
message needs one.
"""

from __future__ import annotations

import csv
import io
import sys
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pyarrow as pa
from pyarrow import csv as arrow_csv

from costopt.frame.intake import shown
from costopt.providers.files.opening import Batch, Damage, unique
from costopt.providers.files.text import END, Lines, Start, restored, stream
from costopt.providers.mapping import Csv
from costopt.units import counted

_BLOCK: Final = 4 << 20
"""Bytes split at a time; no single row may be longer."""
_EXAMPLES: Final = 3
"""Ragged rows that are kept to be shown; the others are counted."""


class CsvFile:
    """One CSV file (see DataFile). Every value is bytes of text, for the reader of its column."""

    def __init__(self, path: Path, csv_format: Csv) -> None:
        self.path = path
        self._encoding = csv_format.encoding
        self._start = Start.of(path, csv_format)
        self.names = unique(self._start.names)
        self._rows = 0  # delivered
        self._ragged: list[tuple[int, str]] = []
        self._ragged_count = 0
        self._ended = False  # the end mark came back as a row of its own
        self._broken: str | None = None

    def batches(self, wanted: Sequence[str]) -> Iterator[Batch]:
        """The rows, of those columns."""
        held: pa.RecordBatch | None = None
        with stream(self.path) as raw:
            lines = Lines(raw, self._start.data_at, self._encoding)
            for batch in self._split(lines, wanted):
                if held is not None:
                    yield from self._batch(held, spoilt=lines.spoilt)
                held = batch
        if held is not None:
            yield from self._batch(self._without_end(held), spoilt=lines.spoilt)
        self._broken = self._broken or lines.broken

    def places(self, rows: Collection[int]) -> dict[int, str]:
        """File and line of each row, or of the header for -1."""
        lines, _, _ = self._lines(set(rows))
        lines[-1] = self._start.line
        return {
            row: f"{self.path}:{lines[row]}" if row in lines else f"{self.path}, row {row + 1}"
            for row in rows
        }

    def damage(self) -> tuple[Damage, ...]:
        """Ragged rows, and where the file breaks off."""
        if not self._ragged and not self._broken:
            return ()
        lines, ragged, last = self._lines({self._rows})
        told = []
        if self._ragged:
            columns, text = self._ragged[0]
            more = f" (a {self._start.delimiter!r} without quotes?)"
            what = (
                f"{counted(columns, 'value')} under {counted(len(self.names), 'column')}"
                f"{more if columns > len(self.names) else ''}: {shown(text)}"
            )
            line = ragged[0] if ragged else self._start.line
            told.append(Damage(f"{self.path}:{line}", what, self._ragged_count, fatal=False))
        if self._broken:
            line = lines.get(self._rows, last)
            told.append(Damage(f"{self.path}:{line}", self._broken, 1, fatal=True))
        return tuple(told)

    def _split(self, lines: Lines, wanted: Sequence[str]) -> Iterator[pa.RecordBatch]:
        try:
            yield from arrow_csv.open_csv(
                lines,
                read_options=arrow_csv.ReadOptions(
                    use_threads=False, block_size=_BLOCK, column_names=list(self.names)
                ),
                parse_options=arrow_csv.ParseOptions(
                    delimiter=self._start.delimiter,
                    newlines_in_values=True,
                    invalid_row_handler=self._note_ragged,
                ),
                convert_options=arrow_csv.ConvertOptions(
                    include_columns=list(wanted) or [self.names[0]],
                    column_types={name: pa.binary() for name in self.names},
                    strings_can_be_null=False,
                ),
            )
        except pa.ArrowInvalid:
            self._ended = True
            self._broken = (
                "from here on nothing was read: a row is longer than "
                f"{_BLOCK >> 20} MiB (a quote opened and never closed?)"
            )

    def _note_ragged(self, row: arrow_csv.InvalidRow) -> str:
        if END in row.text:
            self._ended = True
            if row.text.strip("\r\n") != END:
                self._broken = _OPEN_QUOTE
            return "skip"
        self._ragged_count += 1
        if len(self._ragged) < _EXAMPLES:
            self._ragged.append((row.actual_columns, row.text))
        return "skip"

    def _without_end(self, last: pa.RecordBatch) -> pa.RecordBatch:
        """The last batch without the end mark, or without the row that a quote joined it to."""
        if self._ended or not last.num_rows:
            return last
        if len(self.names) > 1 or last.column(0)[-1].as_py().strip() != END.encode():
            self._broken = _OPEN_QUOTE
        return last.slice(0, last.num_rows - 1)

    def _batch(self, batch: pa.RecordBatch, *, spoilt: bool) -> Iterator[Batch]:
        if batch.num_rows:
            start, self._rows = self._rows, self._rows + batch.num_rows
            arrays = [_restored(array) if spoilt else array for array in batch.columns]
            columns = dict(zip(batch.schema.names, arrays, strict=True))
            yield Batch(start, batch.num_rows, columns)

    def _lines(self, rows: set[int]) -> tuple[dict[int, int], list[int], int]:
        """Lines of these rows, of the first ragged rows, and of the last row of all."""
        found: dict[int, int] = {}
        ragged: list[int] = []
        line, number = self._start.line, 0
        with _any_length(), stream(self.path) as raw:
            text = io.TextIOWrapper(
                io.BufferedReader(Lines(raw, self._start.data_at, self._encoding)),
                encoding="utf-8",
                errors="replace",
                newline="",
            )
            reader = csv.reader(text, delimiter=self._start.delimiter)
            before = 0
            for fields in reader:
                first, before = before + self._start.lines + 1, reader.line_num
                if not fields or fields == [END]:
                    continue
                line = first
                if len(fields) != len(self.names):
                    ragged.append(first)
                else:
                    found |= {number: first} if number in rows else {}
                    number += 1
                if len(found) == len(rows) and len(ragged) >= min(_EXAMPLES, self._ragged_count):
                    break
        return found, ragged, line


def _restored(array: pa.Array) -> pa.Array:
    return pa.array([restored(value) for value in array.to_pylist()], pa.binary())


_OPEN_QUOTE: Final = "a quote opens here and never closes: from here on nothing was read"


@contextmanager
def _any_length() -> Iterator[None]:
    """Let the csv module read fields of any length, as pyarrow has already done."""
    limit = csv.field_size_limit(sys.maxsize)
    try:
        yield
    finally:
        csv.field_size_limit(limit)
