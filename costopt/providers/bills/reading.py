"""One file of a bill as batches of columns: Parquet; CSV and lines of JSON, also in gzip or zip.

A file of a bill is whole or of no use. So, unlike the files of users, whatever is damaged refuses
the file: the gzip and zip checksums are verified by reading to the end.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from itertools import islice
from pathlib import Path
from typing import IO, Any, Final

import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import csv as arrow_csv

from costopt.errors import InputError
from costopt.frame.intake import shown
from costopt.providers.bills.places import SUFFIXES

Columns = dict[str, pa.Array]
Choose = Callable[[Sequence[str]], Sequence[str]]

_ROWS: Final = 1 << 16
_BLOCK: Final = 8 << 20
"""Of unpacked text. Arrow refuses rows longer than this, so a file takes no more memory, whatever
it unpacks to; a header is bounded by us."""
_LONGEST_HEADER: Final = 1 << 20
_LONGEST_OBJECT: Final = 1 << 20
_OBJECTS: Final = 1 << 13  # a batch; each is Python's until it is a column
_BOM: Final = b"\xef\xbb\xbf"
_DAMAGE: Final = (
    pa.ArrowException,
    OSError,
    EOFError,
    zlib.error,
    zipfile.BadZipFile,
    UnicodeDecodeError,
    csv.Error,
    json.JSONDecodeError,
    RecursionError,
    StopIteration,
)
"""What reading a damaged file raises."""


def batches(path: Path, where: str, choose: Choose) -> Iterator[Columns]:
    """The file's rows, some ten thousand at a time; values of CSV and JSON are text.

    Args:
        where: the file's address, for messages.
        choose: which of the file's columns are wanted; may refuse them by an InputError. Of lines
            of JSON it is asked for each batch: these leave out what is null.
    Raises:
        InputError: the file is damaged, at whichever row.
    """
    try:
        with path.open("rb") as file:
            magic = file.read(4)
        parquet = magic != b"" and b"PAR1".startswith(magic)  # also one that is cut off so early
        yield from (_parquet if parquet else _text)(path, choose)
    except _DAMAGE as error:
        what = (str(error).splitlines() or [type(error).__name__])[0]
        raise InputError(f"a damaged or incomplete file: {shown(what)}", where=where) from None


def _parquet(path: Path, choose: Choose) -> Iterator[Columns]:
    with pq.ParquetFile(path, pre_buffer=False, page_checksum_verification=True) as file:
        wanted = list(choose(file.schema_arrow.names))
        for batch in file.iter_batches(batch_size=_ROWS, columns=wanted):
            yield dict(zip(batch.schema.names, batch.columns, strict=True))


def _text(path: Path, choose: Choose) -> Iterator[Columns]:
    with path.open("rb") as raw:
        if raw.read(4) != b"PK\x03\x04":
            raw.seek(0)
            yield from _member(raw, choose)
            return
        with zipfile.ZipFile(raw) as archive:
            for name in _members(archive):
                with archive.open(name) as packed:
                    yield from _member(packed, choose)


def _members(archive: zipfile.ZipFile) -> list[str]:
    """The files of the bill; where none is named as such, all."""
    every = [one.filename for one in archive.infolist() if not one.is_dir()]
    plain = [name for name in every if not name.startswith("__MACOSX/")]
    named = [name for name in plain if name.lower().endswith(SUFFIXES)]
    return sorted(name for name in named or plain if not name.endswith("anifest.json"))


def _member(raw: IO[bytes], choose: Choose) -> Iterator[Columns]:
    """One file, also in gzip."""
    with ExitStack() as stack:
        text: Any = stack.enter_context(io.BufferedReader(raw, _BLOCK))  # type: ignore[type-var]
        head = text.peek(4)[:4]
        if head == b"PAR1":
            raise zipfile.BadZipFile("Parquet in a zip: unpack it")
        if head[:2] == b"\x1f\x8b":
            unpacked: Any = stack.enter_context(gzip.open(text))
            text = stack.enter_context(io.BufferedReader(unpacked, _BLOCK))
            head = text.peek(4)[:4]
        yield from (_json if head.lstrip(_BOM)[:1] == b"{" else _csv)(text, choose)


def _csv(text: io.BufferedReader, choose: Choose) -> Iterator[Columns]:
    names = _unique(_header(text))
    wanted = list(choose(names))
    if not text.peek(1):  # nothing was charged
        return
    reader = arrow_csv.open_csv(
        text,
        read_options=arrow_csv.ReadOptions(
            use_threads=False, block_size=_BLOCK, column_names=names
        ),
        parse_options=arrow_csv.ParseOptions(newlines_in_values=True),
        convert_options=arrow_csv.ConvertOptions(
            include_columns=wanted,
            column_types=dict.fromkeys(names, pa.string()),
            strings_can_be_null=False,
        ),
    )
    for batch in reader:
        yield dict(zip(batch.schema.names, batch.columns, strict=True))


def _json(text: io.BufferedReader, choose: Choose) -> Iterator[Columns]:
    """An object a line; those within become columns `outer.inner`, lists stay JSON."""
    text.read(len(_BOM) if text.peek(3)[:3] == _BOM else 0)
    while lines := list(islice(_lines(text), _OBJECTS)):
        rows = [_flat(_object(line)) for line in lines if line.strip()]
        names = list(dict.fromkeys(name for row in rows for name in row))
        if names:
            yield {
                name: pa.array([row.get(name) for row in rows], pa.string())
                for name in choose(names)
            }


def _lines(text: IO[bytes]) -> Iterator[bytes]:
    while line := text.readline(_LONGEST_OBJECT + 1):
        if len(line) > _LONGEST_OBJECT:
            raise csv.Error("a line of JSON is longer than 1 MiB")
        yield line


def _object(line: bytes) -> dict[str, Any]:
    # Numbers stay as they are written, NaN too: it is for the reader of amounts to refuse.
    found = json.loads(line, parse_float=str, parse_int=str, parse_constant=str)
    if not isinstance(found, dict):
        raise csv.Error("a line is no JSON object")
    return found


def _flat(found: dict[str, Any], above: str = "") -> dict[str, str]:
    row: dict[str, str] = {}
    for name, value in found.items():
        if isinstance(value, dict):
            row |= _flat(value, f"{above}{name}.")
        elif value is not None:
            row[above + name] = value if isinstance(value, str) else json.dumps(value)
    return row


def _header(text: IO[bytes]) -> list[str]:
    """The first line; names of columns hold no line ends."""
    raw = text.readline(_LONGEST_HEADER + 1)
    if len(raw) > _LONGEST_HEADER:
        raise csv.Error("its first line is no header: it is longer than 1 MiB")
    line = raw.decode("utf-8-sig")
    if not line.strip():
        raise EOFError("empty")
    return next(csv.reader([line.rstrip("\r\n")]))


def _unique(names: Sequence[str]) -> list[str]:
    """Names that come again (tags that differ in nothing) are numbered."""
    seen: dict[str, int] = {}
    out = []
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        out.append(name if seen[name] == 1 else f"{name} ({seen[name]})")
    return out
