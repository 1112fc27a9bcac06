"""Lists of objects in the export's columns: Parquet's own, JSON, and Python's spelling of them."""

from __future__ import annotations

import ast
import json
from typing import Any, Final

import pyarrow as pa

_LONGEST: Final = 1 << 20


def parsed(text: str) -> list[dict[str, Any]] | None:
    """The list that the text spells; None = it spells none.

    JSON, or what Python's str() makes of it: Koku's files are written so. Numbers of JSON stay as
    they are written.
    """
    if not text.strip():
        return []
    if len(text) > _LONGEST:
        return None
    try:
        found = json.loads(text, parse_float=str, parse_int=str, parse_constant=str)
    except (ValueError, RecursionError):
        try:
            found = ast.literal_eval(text)
        except (ValueError, SyntaxError, RecursionError, MemoryError):
            return None
    whole = isinstance(found, list) and all(isinstance(one, dict) for one in found)
    return found if whole else None


def as_json(column: pa.Array) -> pa.Array:
    """The column with Python's spelling made JSON; what is neither stays, for others to refuse."""
    if not pa.types.is_string(column.type):
        return column
    coded = column.dictionary_encode()  # a bill repeats few lists
    texts = [_json(text) for text in coded.dictionary.to_pylist()]
    return pa.array(texts, pa.string()).take(coded.indices)


def _json(text: str) -> str:
    found = parsed(text) if text.startswith("[") and "'" in text else None
    return text if found is None else json.dumps(found)
