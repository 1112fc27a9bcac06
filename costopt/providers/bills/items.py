"""A batch of a bill's rows, by one name for each column in all the spellings that it has.

`lineItem/UsageAmount` and `line_item_usage_amount` are one, and so are `usage.pricing_unit` and
`usage_pricing_unit`. Money that a file holds as float64 goes to decimals by its shortest text
(0.1 is 0.1), and so do quantities.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from costopt.frame.intake import Intake, Misread, told
from costopt.frame.values import amounts, either, marked, texts
from costopt.frame.values import plain as unwrapped
from costopt.providers.bills.reading import Columns
from costopt.schema import COST

_LARGEST: Final = pa.scalar(Decimal(10) ** 15, COST)
"""No line of a bill is larger, in any currency; sums of such lines still fit into COST."""
_EMPTY: Final = pa.array(["", "NULL", "null", "Null"])


def plain(name: str) -> str:
    """The name without case and punctuation."""
    return re.sub(r"[^a-z0-9]", "", name.lower())


class Items:
    """Some rows. What a column lacks is null, for a column that is not there too."""

    def __init__(self, columns: Columns) -> None:
        self._given = columns
        self._columns: Columns = {}
        for name, column in columns.items():
            self._columns.setdefault(plain(name), column)
        self._amounts: dict[str, tuple[pa.Array, Misread | None]] = {}
        self.rows = len(next(iter(columns.values())))

    def has(self, name: str) -> bool:
        """Whether there is a column of that name, in any spelling."""
        return plain(name) in self._columns

    def column(self, name: str) -> pa.Array | None:
        """The column as the file has it; None = there is none."""
        return self._columns.get(plain(name))

    def text(self, *names: str) -> pa.Array:
        """The first of these columns that says something, row by row."""
        there = [self._columns[plain(name)] for name in names if self.has(name)]
        found = pa.nulls(self.rows, pa.string())
        for column in there:
            found = pc.coalesce(found, texts(column).values)
        return found

    def amount(self, name: str) -> pa.Array:
        """Money or a quantity, exact to 12 digits after the point (schema.COST)."""
        if name not in self._amounts:
            column = self.column(name)
            nothing = pa.nulls(self.rows, COST), None
            self._amounts[name] = nothing if column is None else money(column, name)
        return self._amounts[name][0]

    def unread(self) -> Iterator[Misread]:
        """What stood in the amounts asked for so far and could not be read."""
        for _, misread in self._amounts.values():
            if misread is not None:
                yield misread


def money(column: pa.Array, name: str) -> tuple[pa.Array, Misread | None]:
    """Amounts of a bill (schema.COST), and the complaint about those that cannot be read.

    Unlike in the files of users, a NaN is no missing value: no bill says it.
    """
    found, misread, _ = amounts(column, COST)
    misread = either(misread, marked(pc.greater(pc.abs(found), _LARGEST)))
    given = unwrapped(column).values
    stood = pc.is_valid(given)
    if pa.types.is_string(given.type):
        empty = pc.is_in(pc.utf8_trim_whitespace(given), _EMPTY)
        stood = pc.and_not(stood, empty)
    misread = either(misread, marked(pc.and_(stood, pc.is_null(found))))
    if misread is None:
        return found, None
    what = told(name, "cannot be read", misread, column)
    return pc.if_else(misread, None, found), what


def refused(intake: Intake, names: Mapping[str, str]) -> list[Misread]:
    """The complaints about rows that are worth nothing, by the names that the file has.

    Args:
        names: the file's names by ours; what is not among them stands for one that is.
    """
    return [
        replace(one, column=names[one.column])
        for one in intake.misread
        if one.refused and one.column in names
    ]


def required(names: Sequence[str], wanted: Sequence[str]) -> list[str]:
    """Those of `wanted` that no column stands for."""
    there = {plain(name) for name in names}
    return [name for name in wanted if plain(name) not in there]
