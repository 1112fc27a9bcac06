"""The account of one file's reading: rows seen and kept, what could not be used, and where."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from costopt.errors import InputError
from costopt.frame.intake import Misread
from costopt.providers.base import Problem
from costopt.providers.files.opening import DataFile


class Reading:
    """Counts while a file streams by, and tells at its end."""

    def __init__(self, file: DataFile) -> None:
        self.file = file
        self._seen = 0
        self._skipped = 0
        self._kept = 0
        self._complaints: dict[tuple[str, str, bool], Misread] = {}

    @property
    def header(self) -> str:
        """File and line of the header."""
        return self.file.places([-1])[-1]

    def see(self, rows: int, *, skipped: int) -> None:
        """Count rows of the file, and those of them that the mapping leaves out."""
        self._seen += rows
        self._skipped += skipped

    def keep(self, rows: int) -> None:
        """Count rows of use."""
        self._kept += rows

    def note(self, misread: Iterable[Misread], number: npt.NDArray[np.int64]) -> None:
        """Add a batch's complaints; `number` gives its rows' places in the file."""
        for one in misread:
            which = (one.column, one.what, one.refused)
            known = self._complaints.get(which) or replace(one, count=0, row=int(number[one.row]))
            self._complaints[which] = replace(known, count=known.count + one.count)

    def close(self) -> list[Problem]:
        """What could not be used, once the file was read through.

        Raises:
            InputError: nothing could be used.
        """
        complaints = sorted(self._complaints.values(), key=lambda m: (not m.refused, m.row))
        places = self.file.places([m.row for m in complaints])
        problems = [Problem(d.where, d.what, d.count, d.fatal) for d in self.file.damage()]
        problems += [Problem(places[m.row], _sentence(m), m.count) for m in complaints]
        if self._kept:
            return problems
        if problems:
            raise InputError(
                f"no row could be used; the first: {problems[0].what}",
                where=problems[0].where,
                hint="correct the file, or describe it in a mapping file (--mapping)",
            )
        return [Problem(self.header, self._nothing())]

    def _nothing(self) -> str:
        if not self._seen:
            return "no rows below the header"
        if self._seen == self._skipped:
            return "every row is left out by skip_where"
        return "no row has a value: all of them are missing"


def _sentence(misread: Misread) -> str:
    value = f" {misread.example!r}" if misread.example else ""
    taken = f"taken as {misread.instead or 'missing'}"
    cost = "row left out" if misread.refused else taken
    return f"{misread.column}{value} {misread.what}: {cost}"
