"""Resources, prices, shapes, rates, exchange rates and charges out of one file, by batches."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final, Literal

import pyarrow as pa

from costopt import schema
from costopt.frame import bill, focus
from costopt.frame.intake import Intake, Notation, take_in
from costopt.frame.tags import attributes
from costopt.frame.values import Read, values_of
from costopt.providers.files.columns import Plan, check_complete, plan, require
from costopt.providers.files.evaluate import Rows, evaluate, kept, notation
from costopt.providers.files.opening import DataFile
from costopt.providers.files.reading import Reading
from costopt.providers.files.sound import (
    charged,
    clocked,
    exchanged,
    replaced,
    sized,
    spelled,
)
from costopt.providers.mapping import Resources, Table

Listed = Literal["resources", "prices", "shapes", "rates", "exchange"]
_SOUND: Final[Mapping[str, Callable[[Intake], Intake]]] = {"rates": charged, "exchange": exchanged}


def listed(name: Listed, reading: Reading, part: Table) -> Iterator[pa.Table]:
    """The rows of a file of any table but metrics and charges.

    Raises:
        InputError: a required column is not there.
    """
    file = reading.file
    laid = plan(name, file.names, part, reading.header)
    check_complete(name, laid, file.names, reading.header)
    tags = part.tags if isinstance(part, Resources) else {}
    for column in tags.values():
        require(column, file.names, reading.header)

    def make(rows: Rows) -> Intake:
        intake = made(name, rows, laid, file, part)
        return _tagged(intake, rows, tags) if tags else intake

    return streamed(reading, part, file.names if name == "resources" else laid.wanted, make)


def charges(
    reading: Reading, part: Table, violations: list[tuple[focus.Violation, ...]]
) -> Iterator[pa.Table]:
    """The rows of a bill; what of FOCUS they break is added to `violations`, batch by batch.

    A bill that needs a mapping was never FOCUS, and is not checked.

    Raises:
        InputError: a required column is not there.
    """
    file = reading.file
    laid = plan("charges", file.names, part, reading.header)
    check_complete("charges", laid, file.names, reading.header)
    written = _notation(laid, part)

    def make(rows: Rows) -> Intake:
        if not part.columns and len(rows.number):
            violations.append(focus.check(pa.table(rows.columns), int(rows.number[0])))
        given = columns_of(laid, rows, file, part)
        given |= {column: rows.columns[column] for column in laid.unknown}
        return bill.normalise(given, written)

    return streamed(reading, part, file.names, make)


def streamed(
    reading: Reading, part: Table, wanted: Sequence[str], make: Callable[[Rows], Intake]
) -> Iterator[pa.Table]:
    """The file's batches, made into ours and accounted for."""
    for batch in reading.file.batches(wanted):
        rows = kept(batch, part.skip_where, part.csv)
        reading.see(batch.rows, skipped=batch.rows - len(rows.number))
        intake = make(rows)
        reading.note(intake.misread, rows.number)
        reading.keep(intake.table.num_rows)
        yield intake.table


def made(name: Listed, rows: Rows, laid: Plan, file: DataFile, part: Table) -> Intake:
    """Rows of a file as rows of that table."""
    given = columns_of(laid, rows, file, part)
    if name == "resources":
        unknown = {c: rows.columns[c] for c in laid.unknown if c in rows.columns}
        own = given.get("x_Attributes")
        own = None if own is None else values_of(own)
        given["x_Attributes"] = attributes(unknown, len(rows.number), own)
    if name == "prices":
        given.setdefault("PricingCategory", pa.repeat("Standard", len(rows.number)))
    if name == "rates":
        given.setdefault("x_FromGiB", pa.repeat(0.0, len(rows.number)))
    taken = take_in(given, schema.SCHEMAS[name], notation=_notation(laid, part))
    intake = _SOUND.get(name, sized)(taken)
    if name == "resources":
        intake = clocked(intake)
    return Intake(spelled(intake.table), intake.kept, intake.misread)


def columns_of(laid: Plan, rows: Rows, file: DataFile, part: Table) -> dict[str, pa.Array | Read]:
    """Our columns' values, as the file and the mapping give them."""
    return {
        ours: evaluate(source, rows, file.path, part.csv) for ours, source in laid.sources.items()
    }


def _notation(laid: Plan, part: Table) -> dict[str, Notation]:
    return {ours: notation(source, part.csv) for ours, source in laid.sources.items()}


def _tagged(intake: Intake, rows: Rows, tags: dict[str, str]) -> Intake:
    """The resources with tags out of columns of their own; they win over those of Tags."""
    at = pa.array(intake.kept)
    columns = {tag: rows.columns[column].take(at) for tag, column in tags.items()}
    own = intake.table.column("Tags").combine_chunks()
    table = replaced(intake.table, "Tags", attributes(columns, len(own), own))
    return Intake(table, intake.kept, intake.misread)
