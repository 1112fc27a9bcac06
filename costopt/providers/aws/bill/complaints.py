"""What of a bill could not be used or does not add up, gathered over its batches."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

from costopt.frame.intake import Misread
from costopt.providers.base import Problem
from costopt.units import counted

_CENT: Final = Decimal("0.01")


@dataclass
class Complaints:
    """Each kind of complaint of a column with its rows and its first example."""

    counts: Counter[tuple[str, str, bool]] = field(default_factory=Counter)
    examples: dict[tuple[str, str, bool], Misread] = field(default_factory=dict)
    left: Decimal = Decimal(0)  # of usage under savings plans that no negation takes back

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
        if abs(self.left) >= _CENT:
            what = (
                f"usage under savings plans and its negations differ by {self.left:.2f}: are lines "
                "left out of the export? Billed costs are as if they did not"
            )
            yield Problem(where, what)
