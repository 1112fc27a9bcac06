"""Which files a path means, and what kind of file each one is, by its first bytes."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Final, Protocol

import pyarrow as pa

from costopt.errors import InputError
from costopt.providers.mapping import Csv

SUFFIXES: Final = (".csv", ".csv.gz", ".parquet")
"""What counts as data in a folder."""

_FOREIGN: Final = {
    b"PK\x03\x04": "a ZIP archive or an Excel workbook",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook",
    b"BZh": "compressed by bzip2",
    b"\xfd7zXZ\x00": "compressed by xz",
    b"\x28\xb5\x2f\xfd": "compressed by zstd",
    b"%PDF": "a PDF",
    b"ORC": "an ORC file",
    b"Obj\x01": "an Avro file",
    b"SQLite format 3": "an SQLite database",
}


@dataclass(frozen=True, slots=True)
class Batch:
    """Some consecutive rows of a file."""

    start: int  # the file's row that is the first here, from 0
    rows: int
    columns: Mapping[str, pa.Array]


@dataclass(frozen=True, slots=True)
class Damage:
    """What of a file could not even be split into rows and columns."""

    where: str  # file and line
    what: str
    count: int
    fatal: bool  # the rest of the file is lost


class DataFile(Protocol):
    """One CSV or Parquet file, its columns known, its rows streamed."""

    path: Path
    names: tuple[str, ...]  # unique, in the file's order

    def batches(self, wanted: Sequence[str]) -> Iterator[Batch]:
        """The rows, of those columns (all of them in `names`), a batch at a time."""

    def places(self, rows: Collection[int]) -> dict[int, str]:
        """File and line of each row, or of the header for -1; after `batches` has run."""

    def damage(self) -> tuple[Damage, ...]:
        """What could not be read; after `batches` has run."""


def found(path: Path, patterns: Sequence[str] = ("*",)) -> tuple[Path, ...]:
    """The data files that the path means: itself, or all below it, sorted.

    Args:
        patterns: in a folder, only files whose name matches one of these.
    Raises:
        InputError: nothing there, or no data file in the folder.
    """
    try:
        if path.is_file():
            return (path,)
        if not path.is_dir():
            what = "neither a file nor a folder" if path.exists() else "no such file or folder"
            hint = "check the path; a relative one is taken from the current folder"
            raise InputError(what, where=str(path), hint=hint)
        below = [p for p in path.rglob("*") if p.name.lower().endswith(SUFFIXES) and p.is_file()]
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", where=str(path)) from None
    visible = [p for p in below if not any(part[0] == "." for part in p.relative_to(path).parts)]
    chosen = [p for p in visible if any(fnmatchcase(p.name, pattern) for pattern in patterns)]
    if not chosen:
        named = "" if "*" in patterns else f" named like {' or '.join(patterns)}"
        raise InputError(
            f"no data files{named} in this folder",
            where=str(path),
            hint=f"a folder needs files ending in {', '.join(SUFFIXES)} at any depth",
        )
    return tuple(sorted(chosen, key=lambda p: p.relative_to(path).parts))


def opened(path: Path, csv: Csv) -> DataFile:
    """The file, whatever its name says, with its columns known.

    Raises:
        InputError: empty, unreadable, or of a kind that cannot be read.
    """
    from costopt.providers.files.csv_file import CsvFile
    from costopt.providers.files.parquet_file import ParquetFile

    try:
        with path.open("rb") as file:
            start = file.read(16)
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", where=str(path)) from None
    if not start:
        raise InputError("an empty file", where=str(path), hint="export it again")
    for magic, kind in _FOREIGN.items():
        if start.startswith(magic):
            raise InputError(
                f"{kind}, neither CSV nor Parquet",
                where=str(path),
                hint="export it as CSV (gzip is fine) or Parquet",
            )
    return ParquetFile(path) if start.startswith(b"PAR1") else CsvFile(path, csv)


def unique(names: Sequence[str]) -> tuple[str, ...]:
    """The names, with those that come again numbered: cpu, cpu (2)."""
    seen: dict[str, int] = {}
    out = []
    for position, given in enumerate(names, start=1):
        name = given or f"column {position}"
        seen[name] = seen.get(name, 0) + 1
        out.append(name if seen[name] == 1 else f"{name} ({seen[name]})")
    return tuple(out)
