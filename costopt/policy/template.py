"""Messages with values: `{resource.name} costs {charges.monthly:.2f} {charges.currency} a month`.

What stands in braces is an expression, after a colon how a number is written (Python's format
specification, of numbers). `{{` and `}}` are braces. An unknown value is written "unknown".
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from costopt.policy.expression import (
    Batch,
    Column,
    ExpressionError,
    Kind,
    Variables,
    compiled,
)

_PIECE: Final = re.compile(
    r"""(?P<brace>\{\{|\}\})
      | \{(?P<expression>(?:[^{}"']|"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')*)\}
      | (?P<wrong>[{}])
      | (?P<plain>[^{}]+)""",
    re.VERBOSE,
)
_FORM: Final = re.compile(r":\s*(?P<form>,?(?:\.\d{1,2})?[efg%]?)\s*$")
_LONGEST: Final = 2_000
"""Characters of a value: a message is read by people."""


@dataclass(frozen=True, slots=True)
class Template:
    """A message with values.

    Attributes:
        pieces: plain text, or a value and how it is written.
    """

    pieces: tuple[str | tuple[Column, str], ...]

    @property
    def fields(self) -> frozenset[str]:
        """Paths of the columns that it reads."""
        parts = (piece[0].fields for piece in self.pieces if isinstance(piece, tuple))
        return frozenset().union(*parts)

    def filled(self, batch: Batch) -> list[str]:
        """The message of each row."""
        parts = [
            [piece] * batch.rows
            if isinstance(piece, str)
            else [_written(value, piece[1]) for value in piece[0].array(batch).to_pylist()]
            for piece in self.pieces
        ]
        return ["".join(row) for row in zip(*parts, strict=True)] if parts else [""] * batch.rows


def template(text: str, variables: Variables) -> Template:
    """The message, its expressions typed.

    Raises:
        ExpressionError: what is in braces is no expression, and where in the text.
    """
    return Template(tuple(_pieces(text, variables)))


def _pieces(text: str, variables: Variables) -> Iterator[str | tuple[Column, str]]:
    for found in _PIECE.finditer(text):
        if found["wrong"]:
            hint = "write {{ or }} for a brace"
            raise ExpressionError("a brace that nothing closes or opens", found.start(), hint)
        if found["expression"] is None:
            yield found["plain"] or found[0][0]
            continue
        yield _value(found["expression"], found.start("expression"), variables)


def _value(text: str, start: int, variables: Variables) -> tuple[Column, str]:
    form = _FORM.search(text)
    try:
        column = compiled(text[: form.start()] if form else text, variables)
    except ExpressionError as error:
        raise ExpressionError(str(error), start + error.offset, error.hint) from None
    if column.kind is Kind.TAGS:
        raise ExpressionError("tags are not written whole: name one", start)
    if form and column.kind is not Kind.NUMBER:
        raise ExpressionError("only numbers have a form", start + form.start())
    return column, form["form"] if form else ""


def _written(value: Any, form: str) -> str:
    if value is None:
        return "unknown"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return format(value, form or ",.6g")
    return str(value)[:_LONGEST]
