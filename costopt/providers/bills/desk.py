"""Where the rows of a bill's files are put aside by month, each file read once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Final

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from costopt.errors import InputError
from costopt.providers.base import Problem
from costopt.providers.bills import reading
from costopt.providers.bills.calendar import named
from costopt.providers.bills.complaints import Complaints
from costopt.providers.bills.lines import Lines, shared
from costopt.providers.bills.part import Holds, Layout, NoBill, Part
from costopt.providers.bills.places import Changed
from costopt.providers.bills.spool import Joined, Spool

_DELIVERED: Final = "is being delivered just now"
_FEW: Final = 10
"""Lines that two files may have in common by chance."""


@dataclass
class Desk:
    """Where rows are put aside.

    Args:
        layout: how to read a file of these columns; InputError = lacks some, NoBill = is none.
        shown: what a file is by its rows, where nothing else says so.
        before: what a file held when it was read last.
        has: whether an earlier collect read that month of an export.
        folder: on this machine, for as long as the desk.
    """

    layout: Callable[[Part, Sequence[str]], Layout]
    shown: Callable[[Spool], str]
    before: Callable[[Part], Holds]
    has: Callable[[str, str], bool]
    problems: list[Problem]
    folder: Path
    stack: ExitStack
    done: set[Part] = field(default_factory=set)
    broken: set[Part] = field(default_factory=set)
    spoiled: set[tuple[str, str | None]] = field(default_factory=set)
    """Exports and months of which a part could not be read; no month: it may be any."""
    _aside: dict[tuple[Part, str], Spool] = field(default_factory=dict)
    _lines: dict[tuple[Part, str], Lines] = field(default_factory=dict)

    @cached_property
    def _connection(self) -> duckdb.DuckDBPyConnection:
        return self.stack.enter_context(duckdb.connect())

    def told(self, export: str, kind: str, month: str, files: Sequence[Part]) -> Spool | None:
        """The month whole, out of its files; None = a part of it could not be read."""
        for part in files:
            if (part, month) not in self._aside and not self._lacks(export, month):
                self.read(part, {month})
        if self._lacks(export, month):
            return None
        return Joined([self._aside[part, month] for part in self._once(files, month)], kind)

    def read(self, part: Part, only: set[str] | None = None) -> Holds:
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
            self._tell(part.where, "no bill of a kind that is known: left out", fatal=False)
            return Holds()
        except Changed as change:
            self._broken(part, seen, f"{_DELIVERED} ({change})")
        except InputError as error:
            self._broken(part, seen, error.what, error.where)
        finally:
            for month in only or seen:
                self._spool(part, month).close()
        return Holds(kind, frozenset(seen))

    def spoil(self, part: Part, month: str, what: str) -> None:
        """The export's month cannot be had."""
        self.spoiled.add((part.export, month))
        self._tell(part.where, f"{what}: {month} is left out", fatal=True)

    def _rows(self, part: Part, only: set[str] | None, seen: set[str]) -> str:
        path = part.place.fetch(part.stored, self.folder / "download")
        complaints, unread = Complaints(), Complaints()
        layouts: list[Layout] = []  # the last one is that of the file, or of the member of a zip
        kinds: set[str] = set()

        def choose(names: Sequence[str]) -> Sequence[str]:
            layouts[:] = [self.layout(part, names)]
            kinds.add(layouts[0].kind)
            return layouts[0].chosen(names)

        rows = 0
        for columns in reading.batches(path, part.where, choose):
            rows += len(next(iter(columns.values())))
            batch = layouts[0].batch(columns)
            unread.add(batch.refused)
            if not unread.counts:  # else only to count them
                complaints.add((*batch.intake.misread, *batch.misread))
                self._put(part, batch.intake.table, only, seen)
        if part.rows not in (None, rows):
            what = f"holds {rows:,} rows, and its manifest says {part.rows:,}"
            raise InputError(what, where=part.where)
        if unread.counts:
            raise InputError(unread.said(), where=part.where)
        self.problems += complaints.problems(part.where)
        (self.folder / "download").unlink(missing_ok=True)
        return self._kind(part, kinds or {part.kind})

    def _kind(self, part: Part, kinds: set[str]) -> str:
        if len(kinds) > 1:
            raise InputError("holds bills of several kinds: unpack it", where=part.where)
        mine = [spool for (one, _), spool in self._aside.items() if one == part]
        for spool in mine:
            spool.close()
        return min(kinds) or self.shown(Joined(mine, ""))

    def _put(self, part: Part, table: pa.Table, only: set[str] | None, seen: set[str]) -> None:
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
                self._spool(part, month).add(rows)
                if part.rows is None:  # of files that a manifest names none is another's copy
                    self._lines[part, month].add(rows)

    def _spool(self, part: Part, month: str) -> Spool:
        key = (part, month)
        if key not in self._aside:
            number = len(self._aside)
            self._aside[key] = self.stack.enter_context(Spool(self.folder / f"{number}.arrow"))
            self._lines[key] = Lines(self.folder / f"{number}.lines", self._connection)
        return self._aside[key]

    def _once(self, files: Sequence[Part], month: str) -> list[Part]:
        """The files without those that are all in another one, which is told."""
        every = {part: self._lines[part, month] for part in files}
        ordered = sorted(
            (part for part in files if every[part].rows),
            key=lambda part: (-every[part].rows, part.where),
        )
        if len(ordered) < 2:
            return list(files)
        again: set[Part] = set()
        for (one, other), count in sorted(shared([every[part] for part in ordered]).items()):
            larger, smaller = ordered[one], ordered[other]
            rows = every[smaller].rows
            if again.isdisjoint({larger, smaller}) and count == rows:
                again.add(smaller)
                what = f"all its lines of {month} are in {larger.where}, too: they count once"
                self._tell(smaller.where, what, fatal=False)
            elif again.isdisjoint({larger, smaller}) and count > max(_FEW, rows / 2):
                what = (
                    f"{count:,} of its {rows:,} lines of {month} are in {larger.where}, too, and "
                    "count twice: collect one of them"
                )
                self._tell(smaller.where, what, fatal=True)
        return [part for part in files if part not in again]

    def _lacks(self, export: str, month: str) -> bool:
        return not self.spoiled.isdisjoint({(export, None), (export, month)})

    def _broken(self, part: Part, seen: set[str], what: str, where: str = "") -> None:
        """Its months are not whole; where its path does not say which they are, none may be."""
        self.broken.add(part)
        lost = {*seen, *self.before(part).months, *filter(None, (part.month, part.hint))}
        told = part.month or part.hint
        self.spoiled |= {(part.export, month) for month in (lost if told else {None})}
        left = ", ".join(sorted(lost)) if told else "the bill"
        # What the lake has of a month that is just being delivered anew is as good as it was.
        kept = told and all(self.has(part.export, month) for month in lost)
        fatal = not (kept and what.startswith(_DELIVERED))
        self._tell(where or part.where, f"{what}: {left} is left out", fatal=fatal)

    def _tell(self, where: str, what: str, *, fatal: bool) -> None:
        self.problems.append(Problem(where, what, fatal=fatal))
