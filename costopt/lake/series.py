"""Numbers for series: the five key columns of a batch of rows become one integer a row.

A series is one (ResourceId, MetricName, Statistic, x_Device, PeriodSeconds). Strings are compared
once per distinct series of a batch, never once per sample.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from costopt.schema import is_percent

TEXT_KEYS: Final = ("ResourceId", "MetricName", "Statistic", "x_Device")
"""Read these as dictionaries: much quicker, for them to be numbered."""
KEYS: Final = (*TEXT_KEYS, "PeriodSeconds")

_KIND_BITS: Final = 32
Codes = NDArray[np.integer[Any]]
Kind = tuple[str, str, str, int]  # KEYS without the resource


class Batch(NamedTuple):
    """The series of a batch of rows."""

    codes: NDArray[np.int32]  # per row: where its series stands in `ids`
    ids: NDArray[np.int64]  # distinct series, numbered for the life of one Vocabulary


class Vocabulary:
    """Gives every series it meets a number: resource << 32 | kind."""

    def __init__(self, shards: int) -> None:
        self._shards = shards
        self._resources = pa.array([], pa.string())
        self._shard_of = np.zeros(0, np.int64)
        self._kinds: list[Kind] = []  # only ever appended to: other threads read it meanwhile
        self._kind_numbers: dict[Kind, int] = {}

    def batch(self, table: pa.Table) -> Batch:
        """Number the series of a table that has the columns KEYS; a null x_Device is ""."""
        columns = [_encoded(table.column(name)) for name in KEYS]
        codes, (resource, *kind) = _combine([(c.codes, len(c.values)) for c in columns])
        resources = self._number_resources(columns[0].values)[resource]
        kinds = self._number_kinds(kind, [column.values for column in columns[1:]])
        return Batch(codes, resources << _KIND_BITS | kinds)

    def periods(self, ids: NDArray[np.int64]) -> NDArray[np.int64]:
        """Seconds between samples of each of these series."""
        periods = np.array([kind[-1] for kind in self._kinds], np.int64)
        of_each: NDArray[np.int64] = periods[_kind(ids)]
        return of_each

    def percent(self, ids: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Which of these series are packed as hundredths of a percent."""
        percent = np.array([is_percent(kind[0]) for kind in self._kinds], np.bool_)
        of_each: NDArray[np.bool_] = percent[_kind(ids)]
        return of_each

    def shards(self, ids: NDArray[np.int64]) -> NDArray[np.int64]:
        """The shard of each of these series: CRC-32 of its ResourceId, modulo the shards."""
        shards: NDArray[np.int64] = self._shard_of[ids >> _KIND_BITS]
        return shards

    def columns(self, ids: NDArray[np.int64]) -> dict[str, pa.Array]:
        """The key columns of these series."""
        kinds = pa.array(_kind(ids))
        resources = self._resources.take(pa.array(ids >> _KIND_BITS))
        parts = zip(KEYS[1:], zip(*list(self._kinds), strict=True), strict=True)
        return {KEYS[0]: resources} | {name: pa.array(part).take(kinds) for name, part in parts}

    def order(self, ids: NDArray[np.int64]) -> NDArray[np.int64]:
        """What sorts these series by shard, then by KEYS."""
        known = list(self._kinds)
        kind_rank = np.argsort(sorted(range(len(known)), key=known.__getitem__))
        present, inverse = np.unique(ids >> _KIND_BITS, return_inverse=True)
        ranks = pc.rank(self._resources.take(pa.array(present))).to_numpy()
        order: NDArray[np.int64] = np.lexsort(
            (kind_rank[_kind(ids)], ranks[inverse], self.shards(ids))
        )
        return order

    def _number_resources(self, names: pa.Array) -> NDArray[np.int64]:
        found = pc.index_in(names, value_set=self._resources)
        if found.null_count:
            new = names.filter(found.is_null())
            shards = [zlib.crc32(name.encode()) % self._shards for name in new.to_pylist()]
            self._resources = pa.concat_arrays([self._resources, new])
            self._shard_of = np.concatenate([self._shard_of, np.array(shards, np.int64)])
            found = pc.index_in(names, value_set=self._resources)
        numbers: NDArray[np.int64] = found.to_numpy().astype(np.int64)
        return numbers

    def _number_kinds(
        self, columns: Sequence[Codes], values: Sequence[pa.Array]
    ) -> NDArray[np.int64]:
        sized = [(codes, len(known)) for codes, known in zip(columns, values, strict=True)]
        codes, parts = _combine(sized)
        texts = [v.take(pa.array(p)).to_pylist() for v, p in zip(values, parts, strict=True)]
        numbers = [self._number_kind(kind) for kind in zip(*texts, strict=True)]
        return np.array(numbers, np.int64)[codes]

    def _number_kind(self, kind: Kind) -> int:
        if kind not in self._kind_numbers:
            self._kind_numbers[kind] = len(self._kinds)
            self._kinds.append(kind)
        return self._kind_numbers[kind]


class _Encoded(NamedTuple):
    codes: Codes  # per row: where its value stands in `values`
    values: pa.Array


def _kind(ids: NDArray[np.int64]) -> NDArray[np.int64]:
    return ids & ((1 << _KIND_BITS) - 1)


def _encoded(column: pa.ChunkedArray) -> _Encoded:
    """The column as positions in its distinct values; null stands for the empty text."""
    array = column.combine_chunks()
    if pa.types.is_integer(array.type):
        bounds = pc.min_max(array)
        if bounds["min"] == bounds["max"]:  # a batch of one period: no need to number a million
            return _constant(len(array), pa.array([bounds["min"].as_py()], array.type))
    if array.null_count == len(array):
        return _constant(len(array), pa.array([""]))
    encoded = array if pa.types.is_dictionary(array.type) else array.dictionary_encode()
    values, indices = encoded.dictionary, encoded.indices
    if indices.null_count:
        place = pc.index(values, "").as_py()
        if place < 0:
            place, values = len(values), pa.concat_arrays([values, pa.array([""], values.type)])
        indices = indices.fill_null(place)
    return _Encoded(indices.to_numpy(), values)


def _constant(rows: int, values: pa.Array) -> _Encoded:
    return _Encoded(np.broadcast_to(np.int32(0), rows), values)


def _combine(
    columns: Sequence[tuple[Codes, int]], *, largest: int = 1 << 62
) -> tuple[NDArray[np.int32], list[Codes]]:
    """Number the distinct combinations of the columns' codes.

    Args:
        columns: each with the count that its codes stay below.
        largest: the combinations that an integer can tell apart.
    Returns:
        Per row its combination's number; per column the code that each combination has there.
    """
    size = math.prod(count for _, count in columns)
    if size > largest and len(columns) > 2:
        head, parts = _combine(columns[:-1], largest=largest)
        codes, (of_head, tail) = _combine([(head, len(parts[0])), columns[-1]])
        return codes, [*(part[of_head] for part in parts), tail]
    mixed: Codes = np.zeros(len(columns[0][0]), np.int32 if size < 1 << 31 else np.int64)
    for column, count in columns:
        if count > 1:
            np.multiply(mixed, count, out=mixed)
            np.add(mixed, column, out=mixed)
    encoded = pa.array(mixed).dictionary_encode()
    left, parts = encoded.dictionary.to_numpy(), []
    for _, count in reversed(columns):
        left, part = np.divmod(left, count)
        parts.append(part)
    return encoded.indices.to_numpy(), parts[::-1]
