"""One downloaded bill file as batches of columns: Parquet, and CSV as gzip, zip or plain text.

A file of a bill is whole or of no use. So, unlike the files of users, whatever is damaged refuses
the file: the gzip and zip checksums are verified by reading to the end.
"""

from __future__ import annotations

import csv
import gzip
import io
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, Any, Final

import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import csv as arrow_csv

from costopt.errors import InputError
from costopt.frame.intake import shown

Columns = dict[str, pa.Array]
Choose = Callable[[Sequence[str]], Sequence[str]]

_ROWS: Final = 1 << 16
_BLOCK: Final = 8 << 20
"""Of unpacked text. Arrow refuses rows longer than this, so a file takes no more memory, whatever
it unpacks to; a header is bounded by us."""
_LONGEST_HEADER: Final = 1 << 20
_DAMAGE: Final = (
    pa.ArrowException,
    OSError,
    EOFError,
    zlib.error,
    zipfile.BadZipFile,
    UnicodeDecodeError,
    csv.Error,
    StopIteration,
)
"""What reading a damaged file raises."""


def batches(path: Path, where: str, choose: Choose) -> Iterator[Columns]:
    """The file's rows, some ten thousand at a time; CSV values are text.

    Args:
        where: the file's address, for messages.
        choose: which of the file's columns are wanted; may refuse them by an InputError.
    Raises:
        InputError: the file is damaged, at whichever row.
    """
    try:
        with path.open("rb") as file:
            parquet = file.read(4) == b"PAR1"
        yield from (_parquet if parquet else _csv)(path, choose)
    except _DAMAGE as error:
        what = (str(error).splitlines() or [type(error).__name__])[0]
        raise InputError(f"a damaged or incomplete file: {shown(what)}", where=where) from None


def _parquet(path: Path, choose: Choose) -> Iterator[Columns]:
    with pq.ParquetFile(path, pre_buffer=False, page_checksum_verification=True) as file:
        wanted = list(choose(file.schema_arrow.names))
        for batch in file.iter_batches(batch_size=_ROWS, columns=wanted):
            yield dict(zip(batch.schema.names, batch.columns, strict=True))


def _csv(path: Path, choose: Choose) -> Iterator[Columns]:
    with _unpacked(path) as text:
        names = _unique(_header(text))
        reader = arrow_csv.open_csv(
            text,
            read_options=arrow_csv.ReadOptions(
                use_threads=False, block_size=_BLOCK, column_names=names
            ),
            parse_options=arrow_csv.ParseOptions(newlines_in_values=True),
            convert_options=arrow_csv.ConvertOptions(
                include_columns=list(choose(names)),
                column_types=dict.fromkeys(names, pa.string()),
                strings_can_be_null=False,
            ),
        )
        for batch in reader:
            yield dict(zip(batch.schema.names, batch.columns, strict=True))


@contextmanager
def _unpacked(path: Path) -> Iterator[IO[bytes]]:
    with ExitStack() as stack:
        raw: Any = stack.enter_context(path.open("rb"))
        magic = raw.read(4)
        raw.seek(0)
        if magic[:2] == b"\x1f\x8b":
            raw = stack.enter_context(gzip.open(raw))
        elif magic == b"PK\x03\x04":
            archive = stack.enter_context(zipfile.ZipFile(raw))
            raw = stack.enter_context(archive.open(archive.namelist()[0]))
        yield stack.enter_context(io.BufferedReader(raw, _BLOCK))


def _header(text: IO[bytes]) -> list[str]:
    """The first line; AWS's column names hold no line ends."""
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
