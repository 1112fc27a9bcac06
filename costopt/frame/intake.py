"""Foreign columns into one of our tables: every value read, what could not be read told.

A value that cannot be read in a required column costs its row; elsewhere only the value, which is
then missing. Both are counted, with the first place and an example.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from costopt.frame.moments import times
from costopt.frame.tags import tags
from costopt.frame.values import (
    Read,
    amounts,
    booleans,
    either,
    integers,
    marked,
    numbers,
    texts,
    values_of,
)

_EXAMPLE: Final = 60
"""Characters of an unreadable value that a message shows."""


@dataclass(frozen=True, slots=True)
class Notation:
    """How a column writes its values, where it differs from the usual."""

    decimal: str = "."
    thousands: str = ""
    unit: str | None = None  # of times as counts since 1970: s, ms, us, ns; None = told by size
    zone: str = "UTC"  # clock of times without an offset
    form: str | None = None  # strptime pattern of times


USUAL: Final = Notation()


@dataclass(frozen=True, slots=True)
class Misread:
    """Values of one column that could not be used, and what that cost."""

    column: str
    what: str  # "is not a number", ...
    refused: bool  # the rows were left out; else only the values are missing
    count: int
    row: int  # the first, counted from 0 among the rows given
    example: str  # the first value, shortened
    instead: str = ""  # what was taken in its place; "" = nothing: it is missing


@dataclass(frozen=True, slots=True)
class Intake:
    """One table made of foreign columns."""

    table: pa.Table
    kept: npt.NDArray[np.int64]  # which of the rows given, in order
    misread: tuple[Misread, ...]


_Reader = Callable[[pa.Array, pa.DataType, Notation], Read]
_KINDS: Final[tuple[tuple[Callable[[pa.DataType], bool], str, _Reader], ...]] = (
    (pa.types.is_string, "UTF-8 text", lambda a, _, n: texts(a)),
    (pa.types.is_float64, "a number", lambda a, _, n: numbers(a, n.decimal, n.thousands)),
    (pa.types.is_float32, "a number", lambda a, _, n: _single(numbers(a, n.decimal, n.thousands))),
    (pa.types.is_decimal, "an amount", lambda a, k, n: amounts(a, k, n.decimal, n.thousands)),
    (pa.types.is_int32, "a whole number", lambda a, _, n: integers(a, n.decimal, n.thousands)),
    (pa.types.is_boolean, "true or false", lambda a, _, n: booleans(a)),
    (pa.types.is_map, "a set of tags (JSON or k=v;k=v)", lambda a, _, n: tags(a)),
    (pa.types.is_date, "a date", lambda a, _, n: _dates(times(a, zone=n.zone, form=n.form))),
    (
        pa.types.is_timestamp,
        "a time",
        lambda a, _, n: times(a, unit=n.unit, zone=n.zone, form=n.form),
    ),
)
"""How each type that our tables use is read, and what its values are called in messages."""
_FIGURES: Final = ("a number", "an amount", "a whole number")


def read(array: pa.Array, kind: pa.DataType, notation: Notation = USUAL) -> Read:
    """The array's values as that type of our tables; unreadable ones are missing and marked."""
    if array.type == kind and pa.types.is_map(kind):
        return Read(array)
    return next(reader for holds, _, reader in _KINDS if holds(kind))(array, kind, notation)


def take_in(
    columns: Mapping[str, pa.Array | Read],
    schema: pa.Schema,
    *,
    required: Collection[str] | None = None,
    notation: Mapping[str, Notation] | None = None,
) -> Intake:
    """The columns as a table of `schema`; columns that are not given are null throughout.

    Args:
        columns: by our names, all of one length, at least one; of any type, or already read.
        required: columns without which a row is worth nothing. Default: the schema's.
        notation: how columns are written, where not as usual.
    """
    wanted = {f.name for f in schema if not f.nullable} if required is None else set(required)
    rows = len(values_of(next(iter(columns.values()))))
    found, misread, refused = [], list[Misread](), None
    for field in schema:
        given = columns.get(field.name)
        if given is None:
            found.append(pa.nulls(rows, field.type))
        else:
            result = _read(given, field.type, (notation or {}).get(field.name, USUAL))
            found.append(result.values)
            misread += _told(field, result, required=field.name in wanted)
        if field.name in wanted:
            refused = either(refused, marked(pc.is_null(found[-1])))
    table, kept = pa.table(found, schema=schema), np.arange(rows)
    if refused is not None:
        stays = pc.invert(refused)
        table, kept = table.filter(stays), kept[stays.to_numpy(zero_copy_only=False)]
    return Intake(table, kept, tuple(misread))


def example(array: pa.Array, row: int) -> str:
    """The value in that row as short text for a message, control characters escaped."""
    try:
        value = array[row].as_py()
    except (ValueError, OverflowError):  # a time that Python's calendar does not reach
        value = f"a {array.type} out of range"
    text = value.decode("utf-8", "backslashreplace") if isinstance(value, bytes) else str(value)
    return shown(text)


def shown(text: str) -> str:
    """Foreign text for a message: short, control characters escaped."""
    safe = "".join(c if c.isprintable() else repr(c)[1:-1] for c in text[:_EXAMPLE])
    return safe + "..." if len(text) > _EXAMPLE else safe


def _read(given: pa.Array | Read, kind: pa.DataType, notation: Notation) -> Read:
    if not isinstance(given, Read):
        return read(given, kind, notation)._replace(origin=given)
    result = read(given.values, kind, notation)
    origin = given.values if given.origin is None else given.origin
    return Read(result.values, either(given.misread, result.misread), origin)


def _told(field: pa.Field, result: Read, *, required: bool) -> list[Misread]:
    found = []
    if result.misread is not None:
        noun = _noun(field.type)
        what = f"is not {noun}"
        one = told(field.name, what, result.misread, result.origin, refused=required)
        if "," in one.example and noun in _FIGURES:
            what += " (a decimal comma, or groups of thousands, must be named in a mapping)"
            one = replace(one, what=what)
        found.append(one)
    if required:
        absent = pc.is_null(result.values)
        absent = absent if result.misread is None else pc.and_not(absent, result.misread)
        if absent.true_count:
            found.append(told(field.name, "is missing", absent, refused=True))
    return found


def told(
    column: str, what: str, mask: pa.Array, origin: pa.Array | None = None, *, refused: bool = False
) -> Misread:
    """The complaint about the rows marked (at least one).

    Args:
        origin: what stood in the rows; the first of it becomes the example.
    """
    row = int(pc.index(mask, True).as_py())
    shown_value = "" if origin is None else example(origin, row)
    return Misread(column, what, refused, mask.true_count, row, shown_value)


def _noun(kind: pa.DataType) -> str:
    return next(noun for holds, noun, _ in _KINDS if holds(kind))


def _single(result: Read) -> Read:
    narrow = result.values.cast(pa.float32(), safe=False)
    beyond = marked(pc.is_inf(narrow))
    if beyond is not None:
        narrow = pc.if_else(beyond, None, narrow)
    return Read(narrow, either(result.misread, beyond))


def _dates(result: Read) -> Read:
    return Read(result.values.cast(pa.date32(), safe=False), result.misread)
