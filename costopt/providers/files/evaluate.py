"""What a mapping says of a column, done to a batch of rows."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from costopt.errors import InputError
from costopt.frame.intake import Notation
from costopt.frame.moments import times
from costopt.frame.values import Read, either, numbers, texts
from costopt.providers.files.opening import Batch
from costopt.providers.mapping import Condition, Csv, Source


@dataclass(frozen=True, slots=True)
class Rows:
    """A batch of a file's rows, with their places in it."""

    columns: dict[str, pa.Array]
    number: npt.NDArray[np.int64]  # of each row in the file, from 0


def kept(batch: Batch, conditions: tuple[Condition, ...], csv: Csv) -> Rows:
    """The batch without the rows that a condition leaves out."""
    columns = dict(batch.columns)
    number = np.arange(batch.start, batch.start + batch.rows)
    out: pa.Array | None = None
    for condition in conditions:
        out = either(out, pc.fill_null(_holds(condition, columns[condition.column], csv), False))
    if out is None or not out.true_count:
        return Rows(columns, number)
    stays = pc.invert(out)
    return Rows(
        {name: array.filter(stays) for name, array in columns.items()},
        number[stays.to_numpy(zero_copy_only=False)],
    )


def notation(source: Source, csv: Csv) -> Notation:
    """How the source's values are written."""
    return Notation(csv.decimal, csv.thousands, source.unit, source.zone, source.format)


def evaluate(source: Source, rows: Rows, path: Path, csv: Csv) -> pa.Array | Read:
    """The source's values, one a row.

    Raises:
        InputError: the file's name does not match the source's pattern.
    """
    if source.column is None:
        value = _of_name(source.file_name, path) if source.file_name else source.value
        array = pa.repeat(pa.scalar(value), len(rows.number))
    else:
        array = rows.columns[source.column]
    if source.plus is not None:
        return _later(source, array, rows.columns[source.plus], csv)
    if source.computed:
        array = _computed(source, array, rows, csv)
    if not source.prefix:
        return array
    text = texts(array.values if isinstance(array, Read) else array)
    joined = pc.binary_join_element_wise(source.prefix, text.values, "")
    return Read(joined, text.misread, text.values)


def _of_name(pattern: str, path: Path) -> str:
    match = re.search(pattern, path.name)
    if match is None:
        raise InputError(
            f"the file's name does not match the mapping's {pattern!r}",
            where=str(path),
            hint="choose the files by `files:` in the mapping, or correct the pattern",
        )
    return match[1]


def _later(source: Source, start: pa.Array, steps: pa.Array, csv: Csv) -> Read:
    begin = times(start, unit=source.unit, zone=source.zone, form=source.format)
    count = numbers(steps, csv.decimal, csv.thousands)
    microseconds = pc.round(pc.multiply(count.values, source.plus_seconds * 1e6))
    after = microseconds.cast(pa.int64(), safe=False).cast(pa.duration("us"))
    return Read(pc.add(begin.values, after), either(begin.misread, count.misread), steps)


def _computed(source: Source, array: pa.Array, rows: Rows, csv: Csv) -> Read:
    read = numbers(array, csv.decimal, csv.thousands)
    values, misread = read.values, read.misread
    if source.over is not None:
        below = numbers(rows.columns[source.over], csv.decimal, csv.thousands)
        divisor = pc.if_else(pc.equal(below.values, 0), None, below.values)
        values, misread = pc.divide(values, divisor), either(misread, below.misread)
    values = pc.add(pc.multiply(values, source.scale), source.offset)
    return Read(values, misread, array)


def _holds(condition: Condition, array: pa.Array, csv: Csv) -> pa.Array:
    if condition.missing:
        return pc.is_null(texts(array).values)
    if isinstance(condition.equals, str):
        return pc.equal(texts(array).values, condition.equals)
    values = numbers(array, csv.decimal, csv.thousands).values
    if condition.equals is not None:
        return pc.equal(values, condition.equals)
    if condition.less_than is not None:
        return pc.less(values, condition.less_than)
    return pc.greater(values, condition.greater_than)
