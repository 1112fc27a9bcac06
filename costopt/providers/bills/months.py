"""Months of a bill out of its files: each whole or not at all, and only when new or restated.

A file may hold several months, and a month may stand in many files and exports; which, only the
files themselves tell. So each file is read once and its rows are put aside by month; what months a
file holds is noted, and so is, of each month of an export, of which files it was made.
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final, NamedTuple, Protocol

import pyarrow as pa
import pyarrow.compute as pc

from costopt.errors import InputError
from costopt.frame.intake import Intake, Misread
from costopt.model import Window
from costopt.providers.base import Problem
from costopt.providers.bills import reading
from costopt.providers.bills.calendar import named, touches
from costopt.providers.bills.complaints import Complaints
from costopt.providers.bills.counts import MONTH_NOTE, Manner, noted
from costopt.providers.bills.places import Changed, Place, Stored
from costopt.providers.bills.spool import Spool
from costopt.providers.bills.statements import Compose, Month, Statement, as_they_are

_DELIVERED: Final = "is being delivered just now"


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
        return f"bill file {self.where}"

    @property
    def digest(self) -> str:
        """Changes with the file."""
        return _digest([self.stored.tag, str(self.stored.size)])


@dataclass(frozen=True, slots=True)
class Batch:
    """Some rows of a file as charges."""

    intake: Intake
    unread: Sequence[Misread] = ()  # costs, without which the file is of no use
    misread: Sequence[Misread] = ()  # other values that are missing now


class Layout(Protocol):
    """How one kind of file is read."""

    kind: str
    """What such a file tells; "" = all that there is."""

    def chosen(self, names: Sequence[str]) -> Sequence[str]:
        """Those of a file's columns that are read."""

    def batch(self, columns: reading.Columns) -> Batch:
        """Rows as charges."""


class _Holds(NamedTuple):
    """What a file was found to hold."""

    kind: str = ""
    months: frozenset[str] = frozenset()


class _Of(NamedTuple):
    """Which month of which export; files of several kinds in one place are as many exports."""

    export: str
    kind: str
    month: str

    @property
    def note(self) -> str:
        """Under which name it is noted of what files it was made."""
        return " ".join(filter(None, (f"{MONTH_NOTE}{self.export}", self.kind, self.month)))


class NoBill(Exception):
    """The file is of something else."""


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
            desk = _Desk(self, Path(folder), stack)
            for part in parts:
                held = self._held(part)
                desk.holds[part] = desk.read(part) if held is None else held
            made_of = self._made_of(desk)
            desk.read_again({of for of, files in made_of.items() if self._stale(of, files)})
            for month in sorted({of.month for of in made_of if touches(of.month, self.window)}):
                files = {of.note: (of, made_of[of]) for of in made_of if of.month == month}
                yield from Month(
                    [_statement(of, those) for of, those in files.values()],
                    partial(desk.told, files),
                    self.held,
                    self.problems,
                    self.notes,
                    self.manner,
                    self.compose,
                ).charges()
            self.notes |= {
                part.note: _file_note(part, desk.holds[part]) for part in desk.done - desk.broken
            }

    def unread(self, parts: Sequence[Part]) -> list[Part]:
        """Those of the files that are new or changed."""
        return [part for part in parts if self._held(part) is None]

    def _held(self, part: Part) -> _Holds | None:
        """What an earlier collect found in it; None = not read yet as it is now."""
        digest, holds = _noted(self.held.get(part.note))
        return holds if digest == part.digest else None

    def before(self, part: Part) -> _Holds:
        """What the file held when it was last read, whatever it holds now."""
        return _noted(self.held.get(part.note))[1]

    def _made_of(self, desk: _Desk) -> dict[_Of, list[Part]]:
        """The files of each month; none, where those that held it hold it no longer."""
        found: dict[_Of, list[Part]] = defaultdict(list)
        for part, holds in desk.holds.items():
            for month in holds.months:
                found[_Of(part.export, holds.kind, month)].append(part)
        for part in desk.done:
            before = self.before(part)
            for month in before.months:
                of = _Of(part.export, before.kind, month)
                if of.note in self.held:
                    found.setdefault(of, [])
        return found

    def _stale(self, of: _Of, files: Sequence[Part]) -> bool:
        known = noted(self.held.get(of.note)).digest
        return touches(of.month, self.window) and known != _statement(of, files).digest

    def has(self, export: str, month: str) -> bool:
        """Whether an earlier collect read that month of the export."""
        begins, ends = f"{MONTH_NOTE}{export} ", f" {month}"
        return any(name.startswith(begins) and name.endswith(ends) for name in self.held)


@dataclass
class _Desk:
    """Where rows are put aside."""

    bill: Bill
    folder: Path
    stack: ExitStack
    holds: dict[Part, _Holds] = field(default_factory=dict)
    spools: dict[_Of, Spool] = field(default_factory=dict)
    done: set[Part] = field(default_factory=set)
    aside: set[tuple[Part, str]] = field(default_factory=set)  # files and months
    broken: set[Part] = field(default_factory=set)
    spoiled: set[tuple[str, str | None]] = field(default_factory=set)
    """Exports and months of which a part could not be read; no month: it may be any."""

    def told(
        self, made_of: Mapping[str, tuple[_Of, Sequence[Part]]], statement: Statement
    ) -> Spool | None:
        """The month whole, out of its files; None = a part of it could not be read."""
        of, files = made_of[statement.name]
        for part in files:
            if (part, of.month) not in self.aside and not self._lacks(of):
                self.read(part, {of.month})
        if self._lacks(of):
            return None
        spool = self._spool(of)
        spool.close()
        return spool

    def read_again(self, stale: set[_Of]) -> None:
        """Put aside what files that are known hold of these months; each is read once."""
        for part, holds in self.holds.items():
            months = {m for m in holds.months if _Of(part.export, holds.kind, m) in stale}
            if part not in self.done and months:
                self.read(part, months)

    def read(self, part: Part, only: set[str] | None = None) -> _Holds:
        """Put the file's rows aside; what it holds.

        Args:
            only: months that are wanted; None = all.
        """
        self.done.add(part)
        seen: set[str] = {part.month} if part.month else set()
        kind = part.kind
        try:
            kind = self._rows(part, only, seen)
        except NoBill:
            self._note(part.where, "no bill of a kind that is known: left out", fatal=False)
            return _Holds()
        except Changed as change:
            self._broken(part, seen, f"{_DELIVERED} ({change})")
        except InputError as error:
            self._broken(part, seen, error.what, error.where)
        self.aside |= {(part, month) for month in (only or seen)}
        return _Holds(kind, frozenset(seen))

    def _rows(self, part: Part, only: set[str] | None, seen: set[str]) -> str:
        path = part.place.fetch(part.stored, self.folder / "download")
        complaints, unread = Complaints(), Complaints()
        layouts: list[Layout] = []

        def choose(names: Sequence[str]) -> Sequence[str]:
            layouts[:] = [self.bill.layout(part, names)]
            return layouts[0].chosen(names)

        rows = 0
        for columns in reading.batches(path, part.where, choose):
            rows += len(next(iter(columns.values())))
            batch = layouts[0].batch(columns)
            unread.add(batch.unread)
            if not unread.counts:  # else only to count them
                complaints.add((*batch.intake.misread, *batch.misread))
                self._aside((part, layouts[0].kind), batch.intake.table, only, seen)
        if part.rows not in (None, rows):
            what = f"holds {rows:,} rows, and its manifest says {part.rows:,}"
            raise InputError(what, where=part.where)
        if unread.counts:
            raise InputError(unread.said(), where=part.where)
        self.bill.problems += complaints.problems(part.where)
        (self.folder / "download").unlink(missing_ok=True)
        return layouts[0].kind if layouts else part.kind

    def _aside(
        self, of: tuple[Part, str], table: pa.Table, only: set[str] | None, seen: set[str]
    ) -> None:
        part, kind = of
        months = named(table.column("BillingPeriodStart"))
        for month in pc.unique(months).to_pylist():
            if month is None or month != (part.month or month):
                what = (
                    f"holds charges of {month or 'no month'} among those of {part.month or 'one'}"
                )
                raise InputError(what, where=part.where)
            seen.add(month)
            if only is None or month in only:
                rows = table.filter(pc.equal(months, month))
                self._spool(_Of(part.export, kind, month)).add(rows)

    def _spool(self, of: _Of) -> Spool:
        if of not in self.spools:
            spool = Spool(self.folder / f"{len(self.spools)}.arrow")
            spool.kind = of.kind
            self.spools[of] = self.stack.enter_context(spool)
        return self.spools[of]

    def _lacks(self, of: _Of) -> bool:
        return not self.spoiled.isdisjoint({(of.export, None), (of.export, of.month)})

    def _broken(self, part: Part, seen: set[str], what: str, where: str = "") -> None:
        """Its months are not whole; where its path does not say which they are, none may be."""
        self.broken.add(part)
        lost = {*seen, *self.bill.before(part).months, *filter(None, (part.month, part.hint))}
        told = part.month or part.hint
        self.spoiled |= {(part.export, month) for month in (lost if told else {None})}
        left = ", ".join(sorted(lost)) if told else "the bill"
        # What the lake has of a month that is just being delivered anew is as good as it was.
        kept = told and all(self.bill.has(part.export, month) for month in lost)
        fatal = not (kept and what.startswith(_DELIVERED))
        self._note(where or part.where, f"{what}: {left} is left out", fatal=fatal)

    def _note(self, where: str, what: str, *, fatal: bool) -> None:
        self.bill.problems.append(Problem(where, what, fatal=fatal))


def _statement(of: _Of, files: Sequence[Part]) -> Statement:
    digest = _digest(sorted(f"{part.where} {part.digest}" for part in files))
    delivered = max((part.stored.modified.date() for part in files), default=date.min)
    return Statement(of.note, of.export, of.month, digest, delivered)


def _file_note(part: Part, holds: _Holds) -> str:
    return json.dumps([part.digest, holds.kind, sorted(holds.months)])


def _noted(text: str | None) -> tuple[str, _Holds]:
    """What the note of a file says; one that is none, or of another making, says nothing."""
    try:
        digest, kind, months = json.loads(text or "")
        return digest, _Holds(kind, frozenset(months))
    except (ValueError, TypeError):
        return "", _Holds()


def _digest(parts: Sequence[str]) -> str:
    return hashlib.blake2b(json.dumps(parts).encode(), digest_size=12).hexdigest()
