"""Which rules of the FOCUS specification a bill breaks, by column and row.

A violation is worth telling, and no reason to refuse the bill: real exports break several.
The rules themselves, and what is left out of them, stand in focus_rules.py.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from costopt.frame import focus_terms as terms
from costopt.frame.focus_rules import RULES, Bill, Level, Rule
from costopt.frame.intake import example
from costopt.frame.values import marked

EXAMPLES: Final = 5
"""Rows that a violation names; the others are counted."""
HEADER: Final = -1
"""The row of a violation that lies in the columns themselves."""


@dataclass(frozen=True, slots=True)
class Violation:
    """One rule that one column breaks, with the rows it breaks it in."""

    rule: str  # Column/rule
    level: Level
    column: str
    message: str
    count: int
    rows: tuple[int, ...]  # the first EXAMPLES, from 0; HEADER = the columns themselves
    value: str  # what stands in the first of them


def check(table: pa.Table, first_row: int = 0) -> tuple[Violation, ...]:
    """The rules that a bill breaks, sorted by rule.

    Args:
        table: a bill under FOCUS's column names as the file has them, text or typed.
        first_row: number of the table's first row, where it is a part of a bill.
    """
    bill = Bill(table)
    found = [*_columns(table.column_names)]
    for rule in RULES:
        if not bill.names.issuperset((rule.column, *rule.also)):
            continue
        broken = marked(rule.breaks(bill))
        if broken is not None:
            found.append(_violation(rule, bill, broken, first_row))
    return tuple(sorted(found, key=lambda v: v.rule))


def merge(parts: Iterable[tuple[Violation, ...]]) -> tuple[Violation, ...]:
    """The violations of a bill's parts, checked in order, as those of the whole."""
    whole: dict[str, Violation] = {}
    for violation in (v for part in parts for v in part):
        known = whole.get(violation.rule)
        if known is None:
            whole[violation.rule] = violation
        elif HEADER not in known.rows:
            rows = (*known.rows, *violation.rows)[:EXAMPLES]
            whole[violation.rule] = replace(known, count=known.count + violation.count, rows=rows)
    return tuple(whole[rule] for rule in sorted(whole))


def _violation(rule: Rule, bill: Bill, broken: pa.Array, first_row: int) -> Violation:
    rows = pc.indices_nonzero(broken).slice(0, EXAMPLES).to_pylist()
    return Violation(
        rule=rule.code,
        level=rule.level,
        column=rule.column,
        message=rule.message,
        count=broken.true_count,
        rows=tuple(first_row + row for row in rows),
        value=example(bill.raw(rule.column), rows[0]),
    )


def _columns(names: list[str]) -> Iterator[Violation]:
    """What the list of columns breaks."""
    older, newer = ({n for n in pair if n not in names} for pair in terms.PROVIDERS)
    absent = {name for name in terms.MANDATORY if name not in names}
    # Whichever vocabulary the bill speaks; one that speaks neither is told of the newest.
    absent |= older if len(older) < len(newer) else newer if older else set()
    for name in sorted(absent):
        message = "a mandatory column is absent"
        yield Violation(f"{name}/present", "MUST", name, message, 1, (HEADER,), "")
    for name in names:
        if name not in terms.COLUMNS and not name.startswith("x_"):
            message = "a column that FOCUS does not define must begin with x_"
            yield Violation(f"{name}/custom-prefix", "MUST", name, message, 1, (HEADER,), name)
