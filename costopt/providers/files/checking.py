"""A bill against the FOCUS rules, file by file, with the lines of what breaks them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from costopt.errors import InputError
from costopt.frame import focus
from costopt.providers.files.opening import Damage, found, opened
from costopt.providers.mapping import Csv


@dataclass(frozen=True, slots=True)
class Checked:
    """What one file of a bill breaks."""

    path: Path
    rows: int
    violations: tuple[tuple[focus.Violation, tuple[str, ...]], ...]  # with file and line of rows
    damage: tuple[Damage, ...]  # what could not even be split into rows


def checked(path: Path) -> Iterator[Checked]:
    """Check a bill, or every file of a folder, under the column names that it has.

    Raises:
        InputError: nothing there, or a file that is neither CSV nor Parquet.
    """
    for each in found(path):
        file = opened(each, Csv())
        rows, parts = 0, []
        for batch in file.batches(file.names):
            rows += batch.rows
            parts.append(focus.check(pa.table(dict(batch.columns)), batch.start))
        if not rows:
            told = file.damage()
            what = told[0].what if told else "no rows below the header"
            raise InputError(what, where=told[0].where if told else str(each))
        violations = focus.merge(parts)
        places = file.places({row for v in violations for row in v.rows})
        yield Checked(
            each,
            rows,
            tuple((v, tuple(places[row] for row in v.rows)) for v in violations),
            file.damage(),
        )
