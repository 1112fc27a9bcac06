"""Parquet, a batch of rows at a time, of any flat type."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.parquet as pq

from costopt.errors import InputError
from costopt.providers.files.opening import Batch, Damage, unique

_ROWS: Final = 1 << 17
"""Rows in a batch: a few MiB, whatever the size of the file's row groups."""
_FAILURES: Final = (pa.ArrowException, OSError, ValueError, MemoryError)
"""What pyarrow raises over a damaged file."""


class ParquetFile:
    """One Parquet file (see DataFile)."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            with pq.ParquetFile(path) as file:
                self._given = file.schema_arrow.names
        except _FAILURES as error:
            raise InputError(
                f"a damaged or incomplete Parquet file: {_first_line(error)}",
                where=str(path),
                hint="download or export it again",
            ) from None
        if not self._given:
            raise InputError("a Parquet file without columns", where=str(path))
        self.names = unique(self._given)
        self._rows = 0
        self._broken: str | None = None

    def batches(self, wanted: Sequence[str]) -> Iterator[Batch]:
        """The rows, of those columns."""
        # Columns can be asked for by name only where no name comes twice.
        chosen = list(wanted) if len(set(self._given)) == len(self._given) else None
        try:
            with pq.ParquetFile(
                self.path,
                pre_buffer=False,
                buffer_size=1 << 20,
                page_checksum_verification=True,
            ) as file:
                for batch in file.iter_batches(batch_size=_ROWS, columns=chosen):
                    names = self.names if chosen is None else batch.schema.names
                    columns = dict(zip(names, batch.columns, strict=True))
                    start, self._rows = self._rows, self._rows + batch.num_rows
                    yield Batch(start, batch.num_rows, columns)
        except _FAILURES as error:
            self._broken = f"from here on nothing was read: {_first_line(error)}"

    def places(self, rows: Collection[int]) -> dict[int, str]:
        """File and row."""
        return {row: f"{self.path}, row {row + 1}" if row >= 0 else str(self.path) for row in rows}

    def damage(self) -> tuple[Damage, ...]:
        """Where the file is damaged."""
        if self._broken is None:
            return ()
        return (Damage(f"{self.path}, row {self._rows + 1}", self._broken, 1, fatal=True),)


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
