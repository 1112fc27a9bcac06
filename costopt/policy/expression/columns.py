"""Expressions over whole columns: each part of one is a function from a table to an array.

Missing is neither true nor false: it makes unknown what depends on it, as an error does in CEL, and
`&&` and `||` take it as CEL does, which is Kleene's logic (`unknown && false` is false). A number
divided by zero is unknown.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from costopt.policy.expression.kinds import Kind

Values: TypeAlias = pa.Array | pa.Scalar
Run: TypeAlias = "Callable[[Batch], Values]"


@dataclass(slots=True)
class Batch:
    """Rows to be judged: a column a field, and what was computed of them already."""

    columns: Mapping[str, pa.Array]
    rows: int
    bound: Mapping[str, pa.Array] = field(default_factory=dict)  # variables of a comprehension
    known: dict[str, Values] = field(default_factory=dict)

    @classmethod
    def of(cls, table: pa.Table) -> Batch:
        """The table's columns in one piece each."""
        columns = {name: _whole(table.column(name)) for name in table.column_names}
        return cls(columns, table.num_rows)

    def taken(self, rows: pa.Array, fields: frozenset[str], **bound: pa.Array) -> Batch:
        """Those rows, with variables of their own."""
        columns = {name: self.columns[name].take(rows) for name in fields if name in self.columns}
        old = {name: values.take(rows) for name, values in self.bound.items()}
        return Batch(columns, len(rows), {**old, **bound})


def _whole(column: pa.ChunkedArray) -> pa.Array:
    return column.combine_chunks() if column.num_chunks != 1 else column.chunk(0)


@dataclass(frozen=True, slots=True)
class Column:
    """A part of an expression that has a value a row.

    Attributes:
        text: the same for parts that say the same: they are computed once.
        fields: paths of the columns that it reads.
        constant: its value, where it is the same for all.
    """

    kind: Kind
    text: str
    run: Run
    fields: frozenset[str] = frozenset()
    constant: bool | float | str | None = None

    def __call__(self, batch: Batch) -> Values:
        if self.text not in batch.known:
            batch.known[self.text] = self.run(batch)
        return batch.known[self.text]

    def array(self, batch: Batch) -> pa.Array:
        """Its value of every row."""
        found = self(batch)
        return pa.repeat(found, batch.rows) if isinstance(found, pa.Scalar) else found


def literal(value: bool | float | str) -> Column:
    """The same for all rows."""
    kind = {bool: Kind.BOOL, float: Kind.NUMBER, str: Kind.TEXT}[type(value)]
    scalar = pa.scalar(value, kind.arrow)
    return Column(kind, f"{value!r}", lambda batch: scalar, constant=value)


def column(path: str, kind: Kind) -> Column:
    """A field; unknown in all rows where the table has none of that name."""

    def run(batch: Batch) -> Values:
        found = batch.columns.get(path)
        return pa.nulls(batch.rows, kind.arrow) if found is None else found

    return Column(kind, path, run, frozenset({path}))


def bound(name: str) -> Column:
    """The variable of a comprehension."""
    return Column(Kind.TEXT, name, lambda batch: batch.bound[name])


def applied(kind: Kind, name: str, function: Callable[..., Values], *parts: Column) -> Column:
    """A function of the values of its parts."""
    text = f"{name}({', '.join(part.text for part in parts)})"
    fields = frozenset().union(*(part.fields for part in parts))
    return Column(kind, text, lambda batch: function(*(part(batch) for part in parts)), fields)


# -- functions of arrays -----------------------------------------------------------------------


def divide(left: Values, right: Values) -> Values:
    """Unknown where it is divided by zero."""
    zero = pc.equal(right, 0.0)
    return pc.divide(left, pc.if_else(zero, pa.scalar(None, pa.float64()), right))


def tag(tags: Values, key: Values) -> Values:
    """The value of that tag; unknown where there is none."""
    return pc.map_lookup(tags, key, "first")


def has_tag(key: Values, tags: Values) -> Values:
    """Whether there is such a tag; unknown where tags are."""
    found = pc.is_valid(tag(tags, key))
    return pc.if_else(pc.is_valid(tags), found, pa.scalar(None, pa.bool_()))


def joined(left: Values, right: Values) -> Values:
    """One text after the other."""
    return pc.binary_join_element_wise(left, right, "")


def length(text: Values) -> Values:
    """Characters."""
    return pc.cast(pc.utf8_length(text), pa.float64())


def count(tags: Values) -> Values:
    """How many there are."""
    lengths = _lengths(tags).astype(np.float64)
    return pa.array(lengths, mask=np.asarray(pc.is_null(tags)))


def _lengths(tags: Any) -> np.ndarray[Any, np.dtype[np.int64]]:
    offsets = np.asarray(tags.offsets, np.int64)
    return np.where(np.asarray(tags.is_valid()), np.diff(offsets), 0)


def over_keys(tags: Column, name: str, body: Column, *, every: bool) -> Column:
    """Whether the body holds for one of the tags' keys, or for every one."""

    def run(batch: Batch) -> Values:
        maps = tags.array(batch)
        counts = _lengths(maps)
        starts = np.asarray(maps.offsets, np.int64)[:-1]
        parent = np.repeat(np.arange(len(maps)), counts)
        first = np.repeat(np.cumsum(counts) - counts, counts)
        at = np.repeat(starts, counts) + np.arange(len(parent)) - first
        keys = maps.keys.take(pa.array(at))
        inner = batch.taken(pa.array(parent), body.fields, **{name: keys})
        held = body.array(inner)
        wanted = pc.invert(held) if every else held
        seen = np.bincount(parent[np.asarray(wanted.fill_null(False))], minlength=len(maps)) > 0
        unknown = np.bincount(parent[np.asarray(held.is_null())], minlength=len(maps)) > 0
        unknown = (unknown & ~seen) | np.asarray(maps.is_null())
        return pa.array(~seen if every else seen, mask=unknown)

    text = f"{'all' if every else 'exists'}({tags.text}, {name}, {body.text})"
    return Column(Kind.BOOL, text, run, tags.fields | body.fields)
