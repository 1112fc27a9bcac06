"""Tags and attributes: maps of text, from JSON, from `k=v;k=v`, from nested Parquet columns."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from costopt.frame.values import Read, either, marked, plain, present, texts
from costopt.schema import STRING_MAP

_KEYS: Final = ("key", "Key", "name", "Name")
_VALUES: Final = ("value", "Value")
_HALVES: Final = re.compile("[\ud800-\udfff]")


def tags(array: pa.Array) -> Read:
    """Maps of text to text.

    Takes JSON objects (also without their braces, as Azure's exports write them), JSON lists of
    {"Key": ..., "Value": ...}, `k=v;k=v` text, and Parquet's maps, structs and lists of structs.
    Keys without a value (JSON null) are left out; numbers and booleans keep their JSON text. What
    JSON can spell and no text can hold (half of a character, "\\ud800") becomes U+FFFD.
    """
    values, misread, _ = plain(array)
    if pa.types.is_string(values.type):
        coded = present(values).dictionary_encode()  # bills repeat few sets of tags
        known = [_parsed(text) for text in coded.dictionary.to_pylist()]
        found = pa.array(known, STRING_MAP).take(coded.indices)
        unread = pa.array([pairs is None for pairs in known], pa.bool_()).take(coded.indices)
        return Read(found, either(misread, marked(unread)))
    if not pa.types.is_nested(values.type):
        return Read(pa.nulls(len(values), STRING_MAP), marked(pc.is_valid(values)))
    try:
        rows = values.to_pylist()
    except (ValueError, OverflowError, pa.ArrowException):
        return Read(pa.nulls(len(values), STRING_MAP), marked(pc.is_valid(values)))
    found = pa.array([None if row is None else _pairs(row) for row in rows], STRING_MAP)
    return Read(found, marked(pc.and_(pc.is_valid(values), pc.is_null(found))))


def attributes(columns: Mapping[str, pa.Array], rows: int, own: pa.Array | None = None) -> pa.Array:
    """One map a row of the columns we have no place for; missing values are left out.

    A value that cannot be told as text is left out.

    Args:
        own: maps that the rows already bring, added to; a column wins over them.
    """
    if not columns or not rows:
        return pa.nulls(rows, STRING_MAP) if own is None else tags(own).values
    found = [texts(array).values for array in columns.values()]
    there = np.column_stack([values.is_valid().to_numpy(zero_copy_only=False) for values in found])
    row, column = np.nonzero(there)  # row by row, columns in order
    items = pa.concat_arrays(found).take(pa.array(column * rows + row))
    keys = pa.array(list(columns), pa.string()).take(pa.array(column))
    offsets = np.concatenate([[0], np.cumsum(there.sum(axis=1))]).astype(np.int32)
    made = pa.MapArray.from_arrays(pa.array(offsets), keys, items)
    if own is None:
        return made
    pairs = zip(tags(own).values.to_pylist(), made.to_pylist(), strict=True)
    return pa.array([list(dict([*(a or []), *b]).items()) for a, b in pairs], STRING_MAP)


def _parsed(text: str | None) -> list[tuple[str, str]] | None:
    if text is None:
        return None
    if text[0] in "{[":
        return _loaded(text)
    if text[0] == '"':
        return _loaded("{" + text + "}")
    pairs = [part.partition("=") for part in text.replace(",", ";").split(";") if part.strip()]
    if not all(mark and key.strip() for key, mark, _ in pairs):
        return None
    return list({key.strip(): value.strip() for key, _, value in pairs}.items())


def _loaded(text: str) -> list[tuple[str, str]] | None:
    try:
        return _pairs(json.loads(text))
    except (ValueError, RecursionError):
        return None


def _pairs(value: Any) -> list[tuple[str, str]] | None:
    """Key and value text of a dict, or of a list of pairs or of {key, value}; None = neither."""
    if isinstance(value, list):
        found = [_pair(item) for item in value]
        if any(pair is None for pair in found):
            return None
        value = dict(pair for pair in found if pair is not None)
    if not isinstance(value, dict):
        return None
    held = {_whole(key): _whole(_text(item)) for key, item in value.items() if item is not None}
    return [(key, item) for key, item in held.items() if key]


def _pair(item: Any) -> tuple[str, Any] | None:
    if isinstance(item, tuple) and len(item) == 2:
        return str(item[0]), item[1]
    if isinstance(item, dict):
        key = next((item[name] for name in _KEYS if name in item), None)
        value = next((item[name] for name in _VALUES if name in item), None)
        return None if key is None else (str(key), value)
    return None


def _whole(text: str) -> str:
    return text if text.isascii() else _HALVES.sub("\ufffd", text)


def _text(item: Any) -> str:
    return item if isinstance(item, str) else json.dumps(item, default=str, ensure_ascii=False)
