"""Of what kind a value is, and which variables there are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

import pyarrow as pa


class Kind(Enum):
    """A value of a column; `words` for people."""

    BOOL = "true or false"
    NUMBER = "a number"
    TEXT = "a text"
    TAGS = "tags"

    @property
    def words(self) -> str:
        """As it is called in messages."""
        return self.value

    @property
    def arrow(self) -> pa.DataType:
        """As it is stored."""
        return {
            Kind.BOOL: pa.bool_(),
            Kind.NUMBER: pa.float64(),
            Kind.TEXT: pa.string(),
            Kind.TAGS: pa.map_(pa.string(), pa.string()),
        }[self]


@dataclass(frozen=True, slots=True)
class Record:
    """A variable with fields: `resource`, and within it no column but theirs."""

    fields: Mapping[str, Described | Record]
    help: str = ""


@dataclass(frozen=True, slots=True)
class Described:
    """A field, and what it says, with its unit."""

    kind: Kind
    help: str


Variables = Mapping[str, Record]
"""By name; the column of a field is called by its whole path: `profile.cpu.p99_5`."""


def paths(variables: Variables) -> dict[str, Described]:
    """Every field by its path."""
    found: dict[str, Described] = {}

    def walk(path: str, record: Record) -> None:
        for name, field in record.fields.items():
            if isinstance(field, Record):
                walk(f"{path}.{name}", field)
            else:
                found[f"{path}.{name}"] = field

    for name, record in variables.items():
        walk(name, record)
    return found
