"""Providers' words in FOCUS's: small vocabularies, and columns put through them."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import pyarrow as pa
import pyarrow.compute as pc


def by_word(text: str, mark: str) -> Mapping[str, str]:
    """Words with what stands before the colon of their line; lines that are indented go on.

    Args:
        text: lines like "Compute: Compute Engine|Cloud Run".
        mark: what separates the words.
    """
    found: dict[str, str] = {}
    name = ""
    for line in text.strip().splitlines():
        head, colon, rest = line.partition(": ")
        name, words = (head, rest) if colon else (name, line)
        found |= {word.strip(): name for word in words.split(mark) if word.strip()}
    return MappingProxyType(found)


def renamed(values: pa.Array, names: Mapping[str, str]) -> pa.Array:
    """Each value's name; null for those that have none."""
    place = pc.index_in(values, pa.array(list(names), pa.string()))
    return pa.array(list(names.values()), pa.string()).take(place)
