"""Text files as streams of whole lines: gzip, byte order marks, encodings, headers."""

from __future__ import annotations

import csv
import gzip
import io
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from costopt.errors import InputError
from costopt.providers.mapping import Csv
from costopt.units import counted

END: Final = "\x1ecostopt end of file\x1e"
"""Sent after the last line: where it does not come back as a row, an open quote swallowed it."""

_CHUNK: Final = 1 << 20
_LONGEST: Final = 8 << 20
"""Bytes of a line that are held together; CsvFile refuses longer rows anyway."""
_MOST_COLUMNS: Final = 10_000
_DELIMITERS: Final = (",", ";", "\t", "|")
_BOM: Final = b"\xef\xbb\xbf"
_WIDE: Final = {b"\xff\xfe": "UTF-16", b"\xfe\xff": "UTF-16", b"\x00\x00\xfe\xff": "UTF-32"}
_DAMAGED: Final = (zlib.error, gzip.BadGzipFile)


# pyarrow cannot report a ragged row that is not UTF-8: such bytes travel as characters of a plane
# that nobody uses, and become bytes again in the values.
_HIDDEN: Final = {0xDC00 + byte: 0x10FE00 + byte for byte in range(0x80, 0x100)}
_SHOWN: Final = {hidden: byte for byte, hidden in _HIDDEN.items()}
# read1 gives what is there; read would lose the last of a gzip that breaks off.
_Bytes = io.BufferedReader | gzip.GzipFile


@contextmanager
def stream(path: Path) -> Iterator[_Bytes]:
    """The file's bytes, unpacked where they are gzip."""
    with path.open("rb") as file:
        packed = file.read(2) == b"\x1f\x8b"
        file.seek(0)
        if not packed:
            yield file
            return
        with gzip.open(file) as unpacked:
            yield unpacked


class Lines(io.RawIOBase):
    """The bytes after the header, as UTF-8, whole lines only, and `END` as the last.

    A stream that breaks off (an incomplete download) ends with its last whole line, so that half
    a number is never taken for one; `broken` then says so.
    """

    def __init__(self, raw: _Bytes, skip: int, encoding: str) -> None:
        raw.seek(skip)
        self._raw = raw
        self._encoding = encoding
        self._ready = memoryview(b"")
        self._carry: list[bytes] = []
        self._done = False
        self.broken: str | None = None
        self.spoilt = False  # something was not UTF-8; see `restored`

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill the buffer as far as there is anything; 0 at the end."""
        size = 0
        while size < len(buffer):
            if not self._ready:
                if self._done:
                    break
                self._fill()
            step = min(len(buffer) - size, len(self._ready))
            buffer[size : size + step] = self._ready[:step]
            self._ready = self._ready[step:]
            size += step
        return size

    def _fill(self) -> None:
        data = self._read()
        if not data:
            rest = b"" if self.broken else b"".join(self._carry)
            self._done = True
            self._send(rest + b"\n" + END.encode() + b"\n")
            return
        cut = max(data.rfind(b"\n"), data.rfind(b"\r")) + 1
        if not cut and sum(map(len, self._carry)) < _LONGEST:
            self._carry.append(data)
            return
        self._send(b"".join((*self._carry, data[:cut] if cut else data)))
        self._carry = [data[cut:]] if cut else []

    def _read(self) -> bytes:
        try:
            return self._raw.read1(_CHUNK)
        except (EOFError, OSError):
            self.broken = "the file breaks off after this line (an incomplete download?)"
            return b""

    def _send(self, data: bytes) -> None:
        if self._encoding != "utf-8":
            data = data.decode(self._encoding, "replace").encode()
        try:
            data.decode()
        except UnicodeDecodeError:
            data = data.decode("utf-8", "surrogateescape").translate(_HIDDEN).encode()
            self.spoilt = True
        self._ready = memoryview(data)


def restored(value: bytes) -> bytes:
    """A value with the bytes in it that are not UTF-8 as the file has them."""
    return value.decode().translate(_SHOWN).encode("utf-8", "surrogateescape")


@dataclass(frozen=True, slots=True)
class Start:
    """How a CSV begins: its header, and where the data start."""

    names: tuple[str, ...]
    delimiter: str
    line: int  # of the header, from 1
    lines: int  # up to the header's end
    data_at: int  # bytes up to the header's end

    @classmethod
    def of(cls, path: Path, csv_format: Csv) -> Start:
        """Read it.

        Raises:
            InputError: no text, no header, or in an encoding that cannot be read.
        """
        head = _head(path)
        skipped = len(_BOM) if head.startswith(_BOM) else 0
        told: str | None = None
        number, held = 0, ""
        for raw in head[skipped:].splitlines(keepends=True):
            number, skipped = number + 1, skipped + len(raw)
            held += _decoded(raw, csv_format, f"{path}:{number}")
            if not held.strip():
                held = ""
            elif held.lower().startswith("sep=") and len(held.strip()) == 5:
                told, held = held.strip()[4], ""  # Excel's own first line
            elif held.count('"') % 2 == 0:
                return _start(path, held, csv_format.delimiter or told, number, skipped)
        what = "no header: nothing but blank lines" if not held else "no header that ends"
        raise InputError(what, where=str(path), hint="the first line must name the columns")


def _start(path: Path, header: str, delimiter: str | None, number: int, data_at: int) -> Start:
    where = f"{path}:{number}"
    chosen = delimiter[0] if delimiter else max(_DELIMITERS, key=lambda d: len(_fields(header, d)))
    names = _fields(header, chosen)
    if not 0 < len(names) <= _MOST_COLUMNS:
        raise InputError(f"{counted(len(names), 'column')}: not a table", where=where)
    line = number - header.rstrip("\r\n").count("\n")
    return Start(names, chosen, line, number, data_at)


def _fields(header: str, delimiter: str) -> tuple[str, ...]:
    try:
        found = next(csv.reader(io.StringIO(header, newline=""), delimiter=delimiter), [])
    except csv.Error:
        return ()
    return tuple(field.strip() for field in found)


def _head(path: Path) -> bytes:
    head = b""
    try:
        # gzip data that break off give what they have
        with stream(path) as raw, suppress(EOFError):
            while len(head) < _CHUNK and (more := raw.read1(_CHUNK - len(head))):
                head += more
            _verify(raw)
    except _DAMAGED as error:
        raise InputError(
            f"damaged gzip data: {error}", where=str(path), hint="download or export it again"
        ) from None
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", where=str(path)) from None
    if not head:
        raise InputError("nothing in it", where=str(path), hint="download or export it again")
    for mark, name in _WIDE.items():
        if head.startswith(mark):
            raise InputError(f"{name} text", where=f"{path}:1", hint="save it as UTF-8")
    if len(head) == _CHUNK and b"\n" not in head and b"\r" not in head:
        raise InputError("no line ends in the first MiB: not a CSV", where=f"{path}:1")
    return head


def _verify(raw: _Bytes) -> None:
    """Read gzip data through to their checksum: a damaged stream unpacks into plausible numbers."""
    if isinstance(raw, gzip.GzipFile):
        while raw.read1(_CHUNK):
            pass


def _decoded(raw: bytes, csv_format: Csv, where: str) -> str:
    if b"\x00" in raw:
        raise InputError(
            "binary data (or UTF-16 text), neither CSV nor Parquet",
            where=where,
            hint="export it as CSV in UTF-8 or as Parquet",
        )
    try:
        return raw.decode(csv_format.encoding)
    except UnicodeDecodeError as error:
        raise InputError(
            f"not UTF-8 text (byte 0x{raw[error.start]:02x} in column {error.start + 1})",
            where=where,
            hint="save it as UTF-8, or name its encoding in a mapping: csv: {encoding: latin-1}",
        ) from None
