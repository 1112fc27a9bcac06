"""What an expression is made of, each part with where it stands in the text."""

from __future__ import annotations

from dataclasses import dataclass, fields


@dataclass(frozen=True, slots=True)
class Node:
    """A part of an expression, text[start:end]."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Literal(Node):
    """A value as it is written; whole numbers and decimals are both numbers."""

    value: bool | float | str


@dataclass(frozen=True, slots=True)
class Name(Node):
    """A variable."""

    name: str


@dataclass(frozen=True, slots=True)
class Field(Node):
    """`of.name`."""

    of: Node
    name: str


@dataclass(frozen=True, slots=True)
class Item(Node):
    """`of[key]`."""

    of: Node
    key: Node


@dataclass(frozen=True, slots=True)
class Call(Node):
    """`function(...)`, or of a value: `target.function(...)`."""

    function: str
    target: Node | None
    arguments: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Unary(Node):
    """`!of` or `-of`."""

    operator: str
    of: Node


@dataclass(frozen=True, slots=True)
class Binary(Node):
    """`left operator right`."""

    operator: str
    left: Node
    right: Node


@dataclass(frozen=True, slots=True)
class Choice(Node):
    """`condition ? then : otherwise`."""

    condition: Node
    then: Node
    otherwise: Node


@dataclass(frozen=True, slots=True)
class Items(Node):
    """`[a, b, c]`."""

    items: tuple[Node, ...]


def parts(node: Node) -> tuple[Node, ...]:
    """What it is directly made of."""
    values = (getattr(node, field.name) for field in fields(node))
    within = (value if isinstance(value, tuple) else (value,) for value in values)
    return tuple(part for several in within for part in several if isinstance(part, Node))


class ExpressionError(ValueError):
    """What is wrong with an expression, and where in its text.

    Attributes:
        offset: position in the text, from 0.
        hint: what to write instead; "" = nothing comes to mind.
    """

    def __init__(self, message: str, offset: int, hint: str = "") -> None:
        super().__init__(message)
        self.offset = offset
        self.hint = hint
