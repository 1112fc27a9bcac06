"""Charges on this machine's disk, until all of a month are there."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

import pyarrow as pa
from pyarrow import ipc

from costopt import schema

Scope = tuple[str | None, str | None]
"""BillingAccountId and SubAccountId."""


class Spool:
    """Tables written once and then given back, never all in memory."""

    def __init__(self, path: Path, columns: pa.Schema = schema.CHARGES) -> None:
        self._path = path
        self._columns = columns
        self.scopes: set[Scope] = set()
        self.rows = 0

    def __enter__(self) -> Self:
        options = ipc.IpcWriteOptions(compression="lz4")
        self._writer = ipc.new_stream(self._path, self._columns, options=options)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._writer.close()

    def add(self, table: pa.Table) -> None:
        """Write a table of these columns."""
        self._writer.write_table(table)
        self.rows += table.num_rows
        pairs = table.group_by(["BillingAccountId", "SubAccountId"]).aggregate([]).to_pylist()
        self.scopes |= {(pair["BillingAccountId"], pair["SubAccountId"]) for pair in pairs}

    def tables(self) -> Iterator[pa.Table]:
        """What was written, in order; after the block only."""
        with pa.OSFile(str(self._path)) as file, ipc.open_stream(file) as reader:
            for batch in reader:
                yield pa.Table.from_batches([batch])
