"""Months of a bill out of its files: each whole or not at all, and only when new or restated.

A file may hold several months, and a month may stand in many files and exports; which, only the
files themselves tell. So each file is read once and its rows are put aside by month; what months a
file holds is noted, and so is, of each month of an export, of which files it was made.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import pyarrow as pa

from costopt.model import Window
from costopt.providers.base import Problem
from costopt.providers.bills.calendar import touches
from costopt.providers.bills.counts import MONTH_NOTE, Manner, noted
from costopt.providers.bills.desk import Desk
from costopt.providers.bills.part import (
    FILE_NOTE,
    FileNote,
    Holds,
    Layout,
    Part,
    digest,
    file_note,
    noted_file,
)
from costopt.providers.bills.spool import Spool
from costopt.providers.bills.statements import Compose, Month, Statement, as_they_are


class _Of(NamedTuple):
    """Which month of which export; files of several kinds in one place are as many exports."""

    export: str
    kind: str
    month: str

    @property
    def note(self) -> str:
        """Under which name it is noted of what files it was made."""
        return " ".join(filter(None, (f"{MONTH_NOTE}{self.export}", self.kind, self.month)))


@dataclass
class Bill:
    """One reading of a bill.

    Args:
        layout: how to read a file of these columns; InputError = lacks some, NoBill = is none.
        held: notes of earlier collects, whose charges were kept.
        window: only months that touch it; None = all.
        problems: gets what could not be had; `fatal` where charges are missing.
        notes: gets one for each file read and for each month given whole.
        manner: what this cloud's exports have of their own, and how charges are made of them.
    """

    layout: Callable[[Part, Sequence[str]], Layout]
    held: Mapping[str, str]
    window: Window | None
    problems: list[Problem]
    notes: dict[str, str]
    manner: Manner
    compose: Compose = as_they_are

    def charges(self, parts: Sequence[Part]) -> Iterator[pa.Table]:
        """The charges in these files (schema.CHARGES), month by month, in whichever order these
        are named."""
        ordered = sorted(parts, key=lambda part: part.where)
        if not all(part.month for part in ordered):
            yield from self._together(ordered)
            return
        for month in sorted({part.month for part in ordered if part.month}):  # less to put aside
            yield from self._together([part for part in ordered if part.month == month])

    def _together(self, parts: Sequence[Part]) -> Iterator[pa.Table]:
        with TemporaryDirectory(prefix="costopt-bill-") as folder, ExitStack() as stack:
            desk = Desk(
                self.layout,
                self.manner.shown,
                self._before,
                self._has,
                self.problems,
                Path(folder),
                stack,
            )
            holds = {
                part: desk.read(part) if held is None else held
                for part, held in ((part, self._held(part)) for part in parts)
            }
            made_of = self._made_of(desk, holds)
            for part, stale in self._stale(made_of).items():  # each is read once
                if part not in desk.done:
                    desk.read(part, stale)
            gone = self._gone(parts)
            for month in sorted({of.month for of in made_of if touches(of.month, self.window)}):
                mine = {of: files for of, files in made_of.items() if of.month == month}
                yield from self._given(desk, mine, gone)
            self.notes |= {
                part.note: file_note(part, holds[part]).text for part in desk.done - desk.broken
            }

    def _given(
        self, desk: Desk, made_of: Mapping[_Of, Sequence[Part]], gone: Mapping[str, FileNote]
    ) -> Iterator[pa.Table]:
        """One month."""
        by_note = {of.note: of for of in made_of}

        def read(one: Statement) -> Spool | None:
            of = by_note[one.name]
            return desk.told(*of, made_of[of])

        month = Month(
            [_statement(of, files) for of, files in made_of.items()],
            read,
            self.held,
            self.problems,
            self.notes,
            self.manner,
            self.compose,
        )
        yield from month.charges()
        for of in map(by_note.__getitem__, month.given):
            for name, note in gone.items():
                if note.export == of.export and of.month in note.holds.months:
                    self._tell_gone(name, of.month)

    def _gone(self, parts: Sequence[Part]) -> dict[str, FileNote]:
        """Notes of files that are there no longer."""
        there = {part.note for part in parts}
        return {
            name: note
            for name, text in sorted(self.held.items())
            if name.startswith(FILE_NOTE)
            and name not in there
            and (note := noted_file(text)).export
        }

    def _tell_gone(self, name: str, month: str) -> None:
        """A file that held a part of the month when it was given before; once."""
        _, holds, export = noted_file(self.notes.get(name, self.held[name]))
        if month in holds.months:
            what = f"it is gone, and {month} is told without what it held"
            self.problems.append(Problem(name.removeprefix(FILE_NOTE), what))
            rest = Holds(holds.kind, holds.months - {month})
            self.notes[name] = FileNote("", rest, export).text

    def unread(self, parts: Sequence[Part]) -> list[Part]:
        """Those of the files that are new or changed."""
        return [part for part in parts if self._held(part) is None]

    def _held(self, part: Part) -> Holds | None:
        """What an earlier collect found in it; None = not read yet as it is now."""
        note = noted_file(self.held.get(part.note))
        return note.holds if note.digest == part.digest else None

    def _before(self, part: Part) -> Holds:
        """What the file held when it was last read, whatever it holds now."""
        return noted_file(self.held.get(part.note)).holds

    def _made_of(self, desk: Desk, holds: Mapping[Part, Holds]) -> dict[_Of, list[Part]]:
        """The files of each month; none, where those that held it hold it no longer."""
        found: dict[_Of, list[Part]] = defaultdict(list)
        halves: dict[tuple[str, str], set[str]] = defaultdict(set)
        for part, held in holds.items():
            for month in held.months if held.kind in self.manner.halves else ():
                halves[part.export, month].add(held.kind)
        for part, held in holds.items():
            for month in held.months:
                kinds = {held.kind} if held.kind else halves[part.export, month]
                if len(kinds) > 1:
                    which = " and ".join(sorted(kinds))
                    what = f"neither its name nor its rows tell which of {which} it is"
                    desk.spoil(part, month, what)
                kind = min(kinds) if len(kinds) == 1 else held.kind
                found[_Of(part.export, kind, month)].append(part)
        for part in desk.done:
            before = self._before(part)
            for month in before.months:
                of = _Of(part.export, before.kind, month)
                if of.note in self.held:
                    found.setdefault(of, [])
        return found

    def _stale(self, made_of: Mapping[_Of, Sequence[Part]]) -> dict[Part, set[str]]:
        """The files that new or restated months are made of, with these months."""
        found: dict[Part, set[str]] = defaultdict(set)
        for of, files in made_of.items():
            known = noted(self.held.get(of.note)).digest
            if touches(of.month, self.window) and known != _statement(of, files).digest:
                for part in files:
                    found[part].add(of.month)
        return found

    def _has(self, export: str, month: str) -> bool:
        """Whether an earlier collect read that month of the export."""
        begins, ends = f"{MONTH_NOTE}{export} ", f" {month}"
        return any(name.startswith(begins) and name.endswith(ends) for name in self.held)


def _statement(of: _Of, files: Sequence[Part]) -> Statement:
    told = digest(sorted(f"{part.where} {part.digest}" for part in files))
    delivered = max((part.stored.modified.date() for part in files), default=date.min)
    return Statement(of.note, of.export, of.month, told, delivered)
