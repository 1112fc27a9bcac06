"""Months of a bill out of its files: each whole or not at all, and only when new or restated.

A file may hold several months, and a month may stand in many files and exports; which, only the
files themselves tell. So each file is read once and its rows are put aside by month; what months a
file holds is noted, and so is, of each month that was given, of which files it was made.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final, Protocol

import pyarrow as pa
import pyarrow.compute as pc

from costopt.errors import InputError
from costopt.frame.intake import Intake, Misread
from costopt.model import Window
from costopt.providers.base import Problem
from costopt.providers.bills import reading
from costopt.providers.bills.calendar import named, touches
from costopt.providers.bills.complaints import Complaints
from costopt.providers.bills.places import Changed, Place, Stored
from costopt.providers.bills.spool import Scope, Spool

_DELIVERED: Final = "is being delivered just now"


@dataclass(frozen=True)
class Part:
    """One file of a bill."""

    place: Place
    stored: Stored
    export: str = ""  # which export of the place it is of, for people; files of one add up
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


class NoBill(Exception):
    """The file is of something else."""


@dataclass(frozen=True, slots=True)
class Told:
    """What one export tells of one month."""

    month: str
    export: str
    kind: str
    spool: Spool

    @property
    def where(self) -> str:
        """For messages."""
        return f"{self.export}, {self.month}"


Compose = Callable[[Sequence[Told], list[Problem]], Iterator[pa.Table]]
"""A month's charges out of what its exports tell of it."""


@dataclass
class Bill:
    """One reading of a bill.

    Args:
        layout: how to read a file of these columns; InputError = lacks some, NoBill = is none.
        held: notes of earlier collects, whose charges were kept.
        window: only months that touch it; None = all.
        problems: gets what could not be had; `fatal` where charges are missing.
        notes: gets one for each file read and for each month given whole.
        name: of the bill, for its notes.
    """

    layout: Callable[[Part, Sequence[str]], Layout]
    compose: Compose
    held: Mapping[str, str]
    window: Window | None
    problems: list[Problem]
    notes: dict[str, str]
    name: str

    def charges(self, parts: Sequence[Part]) -> Iterator[pa.Table]:
        """The charges in these files (schema.CHARGES), month by month."""
        if not all(part.month for part in parts):
            yield from self._together(parts)
            return
        for month in sorted({part.month for part in parts if part.month}):  # less to put aside
            yield from self._together([part for part in parts if part.month == month])

    def _together(self, parts: Sequence[Part]) -> Iterator[pa.Table]:
        known = {part: months for part in parts if (months := self._noted(part)) is not None}
        with TemporaryDirectory(prefix="costopt-bill-") as folder, ExitStack() as stack:
            desk = _Desk(self, Path(folder), stack)
            for part in parts:
                if part not in known:
                    known[part] = desk.read(part)
            stale = {month for month in self._months(known) if self._stale(month, known)}
            for part, months in known.items():
                if part not in desk.done and stale.intersection(months):
                    desk.read(part, stale)
            stack.close()
            for month in sorted(month for month in stale if not desk.lacks(month)):
                told = [one for one in desk.told if one.month == month]
                yield from self.compose(told, self.problems)
                self.notes[self.note(month)] = _made_of(month, known)
            self.notes |= {
                part.note: " ".join((part.digest, *sorted(known[part])))
                for part in desk.done
                if part not in desk.broken
            }

    def unread(self, parts: Sequence[Part]) -> list[Part]:
        """Those of the files that are new or changed."""
        return [part for part in parts if self._noted(part) is None]

    def _noted(self, part: Part) -> frozenset[str] | None:
        """The months that an earlier collect found in it; None = not read yet as it is now."""
        digest, _, months = self.held.get(part.note, "").partition(" ")
        return frozenset(months.split()) if digest == part.digest else None

    def _months(self, known: Mapping[Part, frozenset[str]]) -> set[str]:
        return {month for months in known.values() for month in months}

    def _stale(self, month: str, known: Mapping[Part, frozenset[str]]) -> bool:
        made_of = _made_of(month, known)
        return touches(month, self.window) and self.held.get(self.note(month)) != made_of

    def note(self, month: str) -> str:
        """Under which name it is noted of what files a month was made."""
        return f"bill {self.name} {month}"

    def before(self, part: Part) -> frozenset[str]:
        """The months that the file held when it was last read, whatever it holds now."""
        return frozenset(self.held.get(part.note, "").split()[1:])


@dataclass
class _Desk:
    """Where rows are put aside."""

    bill: Bill
    folder: Path
    stack: ExitStack
    spools: dict[tuple[str, str, str], Spool] = field(default_factory=dict)
    done: set[Part] = field(default_factory=set)
    broken: set[Part] = field(default_factory=set)
    spoiled: set[str] = field(default_factory=set)
    all_spoiled: bool = False  # a file that does not say what it holds could not be read

    def lacks(self, month: str) -> bool:
        """Whether a part of the month could not be read."""
        return self.all_spoiled or month in self.spoiled

    @property
    def told(self) -> list[Told]:
        """By month and export."""
        return [
            Told(month, export, kind, spool)
            for (month, export, kind), spool in sorted(self.spools.items(), key=lambda one: one[0])
        ]

    def read(self, part: Part, only: set[str] | None = None) -> frozenset[str]:
        """Put the file's rows aside; the months that it holds.

        Args:
            only: months that are wanted; None = all.
        """
        self.done.add(part)
        seen: set[str] = {part.month} if part.month else set()
        try:
            self._rows(part, only, seen)
        except NoBill:
            self._note(part.where, "no bill of a kind that is known: left out", fatal=False)
            return frozenset()
        except Changed as change:
            self._broken(part, seen, f"{_DELIVERED} ({change})")
        except InputError as error:
            self._broken(part, seen, error.what, error.where)
        return frozenset(seen)

    def _rows(self, part: Part, only: set[str] | None, seen: set[str]) -> None:
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
                self._spool(part, kind, month).add(table.filter(pc.equal(months, month)))

    def _spool(self, part: Part, kind: str, month: str) -> Spool:
        key = (month, part.export or part.place.address, kind)
        if key not in self.spools:
            spool = Spool(self.folder / f"{len(self.spools)}.arrow")
            self.spools[key] = self.stack.enter_context(spool)
        return self.spools[key]

    def _broken(self, part: Part, seen: set[str], what: str, where: str = "") -> None:
        """Its months are not whole; where its path does not say which they are, none may be."""
        self.broken.add(part)
        lost = {*seen, *self.bill.before(part), *filter(None, (part.month, part.hint))}
        told = part.month or part.hint
        self.spoiled |= lost
        self.all_spoiled |= not told
        left = ", ".join(sorted(lost)) if told else "the bill"
        # What the lake has of a month that is just being delivered anew is as good as it was.
        kept = told and all(self.bill.note(month) in self.bill.held for month in lost)
        fatal = not (kept and what.startswith(_DELIVERED))
        self._note(where or part.where, f"{what}: {left} is left out", fatal=fatal)

    def _note(self, where: str, what: str, *, fatal: bool) -> None:
        self.bill.problems.append(Problem(where, what, fatal=fatal))


def once(told: Sequence[Told], problems: list[Problem]) -> Iterator[pa.Table]:
    """Each bill once: of exports that tell the same accounts, the first counts."""
    for one in distinct(told, problems):
        yield from one.spool.tables()


def distinct(told: Sequence[Told], problems: list[Problem]) -> list[Told]:
    """Those that tell accounts which none before tells."""
    given: dict[Scope, Told] = {}
    kept = []
    for one in told:
        other = next((given[scope] for scope in one.spool.scopes if scope in given), None)
        if other is None:
            given |= dict.fromkeys(one.spool.scopes, one)
            kept.append(one)
        else:
            what = f"the same bill as {other.export}, which counts: name one of them"
            problems.append(Problem(one.where, what))
    return kept


def _made_of(month: str, known: Mapping[Part, frozenset[str]]) -> str:
    return _digest(
        sorted(f"{part.where} {part.digest}" for part, months in known.items() if month in months)
    )


def _digest(parts: Sequence[str]) -> str:
    return hashlib.blake2b(json.dumps(parts).encode(), digest_size=12).hexdigest()
