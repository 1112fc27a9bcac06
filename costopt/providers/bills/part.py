"""One file of a bill: where it is, how it is read, and what is noted of it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple, Protocol

from costopt.frame.intake import Intake, Misread
from costopt.providers.bills import reading
from costopt.providers.bills.places import Place, Stored

FILE_NOTE: Final = "bill file "
"""How the names of notes of files begin."""


@dataclass(frozen=True)
class Part:
    """One file of a bill."""

    place: Place
    stored: Stored
    export: str  # the address of the export that it is of; its files add up
    kind: str = ""  # what the export says that it is: ActualCost, say; "" = it does not say
    month: str | None = None  # 2026-09, where its path says so; it then holds no other
    hint: str | None = None  # the month that its path suggests
    rows: int | None = None  # how many there are in it, where a manifest says so

    @property
    def where(self) -> str:
        """Its address."""
        return self.place.where(self.stored)

    @property
    def note(self) -> str:
        """Under which name it is noted what months it holds."""
        return f"{FILE_NOTE}{self.where}"

    @property
    def digest(self) -> str:
        """Changes with the file."""
        return digest([self.stored.tag, str(self.stored.size)])


@dataclass(frozen=True, slots=True)
class Batch:
    """Some rows of a file as charges."""

    intake: Intake
    unread: Sequence[Misread] = ()  # costs and days, without which the file is of no use
    misread: Sequence[Misread] = ()  # other values that are missing now

    @property
    def refused(self) -> Sequence[Misread]:
        """Why the file is of no use: rows of it would be missing."""
        return self.unread or [one for one in self.intake.misread if one.refused]


class Layout(Protocol):
    """How one kind of file is read."""

    kind: str
    """What such a file tells; "" = all that there is, or that it does not say."""

    def chosen(self, names: Sequence[str]) -> Sequence[str]:
        """Those of a file's columns that are read."""

    def batch(self, columns: reading.Columns) -> Batch:
        """Rows as charges."""


class NoBill(Exception):
    """The file is of something else."""


class Holds(NamedTuple):
    """What a file was found to hold."""

    kind: str = ""
    months: frozenset[str] = frozenset()


class FileNote(NamedTuple):
    """What is noted of a file."""

    digest: str = ""
    holds: Holds = Holds()
    export: str = ""  # whose months it is a part of; "" = one of many runs, each of them whole

    @property
    def text(self) -> str:
        """For the note."""
        return json.dumps([self.digest, self.holds.kind, sorted(self.holds.months), self.export])


def file_note(part: Part, holds: Holds) -> FileNote:
    """The note of a file that was read."""
    return FileNote(part.digest, holds, "" if part.month else part.export)


def noted_file(text: str | None) -> FileNote:
    """What a note says; one that is none, or of another making, says nothing."""
    try:
        found, kind, months, export = json.loads(text or "")
        return FileNote(found, Holds(kind, frozenset(months)), export)
    except (ValueError, TypeError):
        return FileNote()


def digest(parts: Sequence[str]) -> str:
    """Changes with any of them."""
    return hashlib.blake2b(json.dumps(parts).encode(), digest_size=12).hexdigest()
