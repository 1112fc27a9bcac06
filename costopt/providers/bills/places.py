"""Where files of a bill are kept: a listing, and each file as the listing saw it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Protocol

SUFFIXES: Final = (".parquet", ".csv", ".json", ".jsonl", ".ndjson", ".gz", ".gzip", ".zip")
"""How the names of files end that may be a bill's."""


class Changed(Exception):
    """The file is being written while we look: read it next time."""


@dataclass(frozen=True, slots=True)
class Stored:
    """One file as the listing tells it."""

    name: str  # path below the place's root
    tag: str  # changes with the content
    size: int
    modified: datetime


class Place(Protocol):
    """A folder or bucket. Its failures are InputErrors that say what the provider said."""

    @property
    def address(self) -> str:
        """For people: gs://bucket/prefix."""

    def objects(self) -> Iterator[Stored]:
        """Everything there is, by name."""

    def fetch(self, stored: Stored, target: Path) -> Path:
        """The file on this machine: at `target`, or where it already is.

        Raises:
            Changed: it is not what the listing saw.
            InputError: it is refused.
        """

    def where(self, stored: Stored) -> str:
        """The file's address, for people and notes."""


@dataclass(frozen=True)
class Folder:
    """A folder of this machine, or one file."""

    path: Path

    @property
    def address(self) -> str:
        """As the user gave it."""
        return str(self.path)

    def objects(self) -> Iterator[Stored]:
        """Files, also those in folders; hidden ones (.git, say) are none of a bill's."""
        if self.path.is_file():
            yield self._stored(self.path, self.path.name)
            return
        for path in sorted(self.path.rglob("*")):
            name = path.relative_to(self.path)
            if path.is_file() and not any(part.startswith(".") for part in name.parts):
                yield self._stored(path, name.as_posix())

    def fetch(self, stored: Stored, target: Path) -> Path:
        """The file itself, if it was not written to meanwhile."""
        path = self._path(stored)
        try:
            now = self._stored(path, stored.name)
        except FileNotFoundError:
            raise Changed(f"{stored.name} is gone") from None
        if now != stored:
            raise Changed(f"{stored.name} was overwritten")
        return path

    def where(self, stored: Stored) -> str:
        """Its path."""
        return str(self._path(stored))

    def _path(self, stored: Stored) -> Path:
        return self.path if self.path.is_file() else self.path / stored.name

    @staticmethod
    def _stored(path: Path, name: str) -> Stored:
        found = path.stat()
        modified = datetime.fromtimestamp(found.st_mtime, UTC)
        return Stored(name, f"{found.st_mtime_ns}", found.st_size, modified)
