"""Files written all or nothing: beside their place, fsynced, renamed."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.parquet as pq

_ROW_GROUP: Final = 1 << 20


def write_parquet(
    target: Path, tables: Iterable[pa.Table], *, row_group_size: int = _ROW_GROUP
) -> int:
    """Write the tables as one Parquet file, all or nothing: beside, fsync, rename. Returns rows.

    No rows: no file.
    """
    rows = 0
    with replacing(target) as temporary, contextlib.ExitStack() as closing:
        writer: pq.ParquetWriter | None = None
        for table in tables:
            if not table.num_rows:
                continue
            writer = writer or closing.enter_context(
                pq.ParquetWriter(temporary, table.schema, compression="zstd", compression_level=1)
            )
            writer.write_table(table, row_group_size=row_group_size)
            rows += table.num_rows
    return rows


def write_atomically(target: Path, data: bytes) -> None:
    """Write the bytes all or nothing: beside, fsync, rename."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with replacing(target) as temporary:
        temporary.write_bytes(data)


@contextlib.contextmanager
def replacing(target: Path) -> Iterator[Path]:
    """A path beside the target to write to; it takes the target's place, durably, if all goes well.

    Where the block raises, or writes no file, the target stays as it was.
    """
    temporary = target.with_name(f".tmp-{os.getpid()}-{target.name}")
    try:
        yield temporary
        if temporary.exists():
            with temporary.open("rb") as file:
                os.fsync(file.fileno())
            temporary.replace(target)
            sync_folder(target.parent)
    finally:
        temporary.unlink(missing_ok=True)


def sync_folder(folder: Path) -> None:
    """Make the folder's entries (files renamed into it, files removed) durable."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
