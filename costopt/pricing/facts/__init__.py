"""Small tables of public facts that ship with costopt: CSV, one source and day a row.

cpus.csv, gpus.csv (docs/equivalence.md) and regions.csv. They are read when first asked for; the
csv module is quicker on so little than any library's import.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Final, Literal

import pyarrow as pa

from costopt.errors import InputError

FOLDER: Final = Path(__file__).parent


@cache
def rows(table: Literal["cpus", "gpus", "regions"]) -> tuple[Mapping[str, str], ...]:
    """The table's rows, in its own order; an empty cell is ""."""
    with (FOLDER / f"{table}.csv").open(encoding="utf-8", newline="") as file:
        return tuple(csv.DictReader(file))


def own_rows(
    table: pa.Table | None, columns: Sequence[str], name: str
) -> Iterator[tuple[int, dict[str, Any]]]:
    """A user's rows of such a table with their numbers, from 1.

    Raises:
        InputError: a column is missing, or a cell of these columns is empty.
    """
    if table is None:
        return
    if missing := [column for column in columns if column not in table.column_names]:
        raise InputError(
            f"no column {', '.join(missing)}", where=name, hint=f"it needs {', '.join(columns)}"
        )
    for number, row in enumerate(table.to_pylist(), 1):
        for column in columns:
            if row[column] in (None, ""):
                raise InputError(
                    f"{column} is empty", where=f"{name}, row {number}", hint="fill it in"
                )
        yield number, row
