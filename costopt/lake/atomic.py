"""Files written all or nothing: beside their place, fsynced, renamed."""

from __future__ import annotations

import contextlib
import hashlib
import os
import stat
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
    """Write the bytes all or nothing: beside, fsync, rename; into a pipe or device, straight."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with replacing(target) as temporary:
        temporary.write_bytes(data)


@contextlib.contextmanager
def replacing(target: Path) -> Iterator[Path]:
    """A path beside the target to write to; it takes the target's place, durably, if all goes well.

    Where the block raises, or writes no file, the target stays as it was. Symbolic links stay:
    what they lead to is replaced. What exists and is no regular file (a pipe, a device, a terminal)
    cannot be replaced without destroying it: there the path is the target itself.
    """
    place = _replaceable(target)
    if place is None:
        yield target
        return
    # not the target's name, which may be as long as a name can be
    ending = hashlib.sha256(os.fsencode(place.name)).hexdigest()[:16]
    temporary = place.with_name(f".tmp-{os.getpid()}-{ending}")
    try:
        yield temporary
        if temporary.exists():
            with temporary.open("rb") as file:
                os.fsync(file.fileno())
            temporary.replace(place)
            sync_folder(place.parent)
    finally:
        temporary.unlink(missing_ok=True)


def _replaceable(target: Path) -> Path | None:
    """Where the regular file is, or would be, once links are followed; None: there is none.

    A link in /proc is an open descriptor of a process (/dev/stdout leads there): its text names no
    file one could put another in place of.
    """
    with contextlib.suppress(FileNotFoundError):  # raises where links go in a circle
        if not stat.S_ISREG(target.stat().st_mode):
            return None
    place = target
    while place.is_symlink():
        folder = Path(os.path.realpath(place.parent))
        if folder.parts[:2] == ("/", "proc"):
            return None
        place = folder / place.readlink()
    return place


def sync_folder(folder: Path) -> None:
    """Make the folder's entries (files renamed into it, files removed) durable."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
