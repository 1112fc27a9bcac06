"""What of a bill could not be used, gathered over its batches."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from costopt.frame.intake import Misread
from costopt.providers.base import Problem
from costopt.units import counted


@dataclass
class Complaints:
    """Each kind of complaint of a column with its rows and its first example."""

    counts: Counter[tuple[str, str, bool]] = field(default_factory=Counter)
    examples: dict[tuple[str, str, bool], Misread] = field(default_factory=dict)

    def add(self, misread: Sequence[Misread]) -> None:
        """Count them with those of the same column and kind."""
        for one in misread:
            key = (one.column, one.what, one.refused)
            self.counts[key] += one.count
            self.examples.setdefault(key, one)

    def said(self) -> str:
        """In one line: columns, rows and examples."""
        return ", ".join(
            f"{one.column} {one.what} in {counted(self.counts[key], 'row')}"
            + (f" ({one.example!r}, say)" if one.example else "")
            for key, one in self.examples.items()
        )

    def problems(self, where: str) -> Iterator[Problem]:
        """One for each kind; fatal where it cost rows."""
        for key, one in self.examples.items():
            value = f" {one.example!r}" if one.example else ""
            cost = "row left out" if one.refused else "taken as missing"
            what = f"{one.column}{value} {one.what}: {cost}"
            yield Problem(where, what, self.counts[key], fatal=one.refused)
