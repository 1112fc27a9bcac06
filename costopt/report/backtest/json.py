"""A backtest as one JSON object of its published schema: the same backtest, the same bytes."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import fields, is_dataclass
from importlib.resources import files
from typing import Any, Final

from costopt.backtest.base import Baseline
from costopt.backtest.result import Backtest
from costopt.report.document import plain

SCHEMA_VERSION: Final = "1"


def as_json(result: Backtest) -> bytes:
    """UTF-8 JSON, indented, ending with a newline; NaN, which is unknown, is null.

    ASCII only: a text in it cannot steer the terminal it is printed on.
    """
    document = {"schema_version": SCHEMA_VERSION, **_fields(result)}
    for counts in ("skipped", "left_out"):
        document[counts] = dict(sorted(document[counts].items()))
    return _written(document)


def listed_as_json(baselines: Iterable[Baseline]) -> bytes:
    """Every baseline for programs: one JSON array.

    `also`: what its vendor has and decides by beside CPU; where it is missing, CPU alone decides.
    """
    return _written(
        [
            {"name": b.name, "title": b.title, "source": b.source, "also": list(b.also)}
            for b in baselines
        ]
    )


def _written(document: Any) -> bytes:
    return (json.dumps(document, allow_nan=False, indent=2) + "\n").encode()


def schema() -> bytes:
    """The published JSON Schema (draft 2020-12) that `as_json` keeps to."""
    return files("costopt.report").joinpath("schema/backtest-1.json").read_bytes()


def _fields(noun: Any) -> dict[str, Any]:
    """Every field of a noun under its own name."""
    return {field.name: _value(getattr(noun, field.name)) for field in fields(noun)}


def _value(value: Any) -> Any:
    if is_dataclass(value):
        return _fields(value)
    if isinstance(value, tuple):
        return [_value(item) for item in value]
    return dict(value) if isinstance(value, Mapping) else plain(value)
