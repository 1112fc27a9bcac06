"""Prices of one provider from one origin, as codes: a market is found in them in milliseconds."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from costopt.model import Price

Mask = npt.NDArray[np.bool_]
Integers = npt.NDArray[np.int64]

NULL: Final = -1
"""The code of what is null."""
_AZURE_PREFIX: Final = re.compile(r"standard_(?=[a-z]+\d)")


def region_key(name: str) -> str:
    """One key for "eastus", "EastUS" and Azure's display name "East US"."""
    return "".join(name.split()).casefold()


def type_key(name: str) -> str:
    """One key for a type's spellings: Azure's bills lower-case it, its meters say "D4s v5"."""
    return _AZURE_PREFIX.sub("", "_".join(name.split()).casefold())


def system_key(name: str) -> str:
    """linux for "Linux/UNIX", windows for "Windows Server 2022"; others verbatim, lower case."""
    plain = name.strip().casefold()
    return next((system for system in ("linux", "windows") if plain.startswith(system)), plain)


class Codes:
    """A text column as small integers, one per distinct key; null is -1."""

    def __init__(self, column: pa.ChunkedArray, key: Callable[[str], str]) -> None:
        encoded = pc.dictionary_encode(column).unify_dictionaries().combine_chunks()
        names: list[str] = encoded.dictionary.to_pylist()
        codes: dict[str, int] = {}
        of_name = [codes.setdefault(key(name), len(codes)) for name in names]
        indices = encoded.indices
        if indices.null_count:
            indices = indices.fill_null(NULL)
        # Null is -1: it finds the last entry.
        self.values: Integers = np.array([*of_name, NULL], np.int64)[_numpy(indices)]
        self.keys: tuple[str, ...] = tuple(codes)
        self._codes: Mapping[str, int] = codes

    def code(self, key: str | None) -> int:
        """The key's code; -1 for None; -2, which no row has, for a key that no row has."""
        return NULL if key is None else self._codes.get(key, NULL - 1)

    def any_of(self, keys: Iterable[str | None]) -> Mask:
        """Which rows hold one of the keys (None: null rows)."""
        return np.isin(self.values, [self.code(key) for key in keys])

    def translated(self, other: Codes) -> Integers:
        """The other column's rows in this column's codes; -2 where this column lacks the key."""
        return np.array([*(self.code(key) for key in other.keys), NULL], np.int64)[other.values]


class Layer:
    """One table of prices (schema.PRICES columns, at least one row), in its own order."""

    def __init__(self, table: pa.Table) -> None:
        self._table = table.combine_chunks()
        self.region = Codes(table.column("RegionId"), region_key)
        self.type = Codes(table.column("x_InstanceType"), type_key)
        self.system = Codes(table.column("x_OperatingSystem"), system_key)
        self.category = Codes(table.column("PricingCategory"), str)
        self.currency = Codes(table.column("PricingCurrency"), str.upper)
        hourly = self._table.column("ListUnitPrice").chunk(0).cast(pa.float64())
        self.hourly: npt.NDArray[np.float64] = _numpy(hourly)

    @property
    def days(self) -> npt.NDArray[np.float64]:
        """Since when each price holds, days since 1970; NaN = not told."""
        column = self._table.column("x_ValidFrom").chunk(0).cast(pa.int32()).cast(pa.float64())
        found: npt.NDArray[np.float64] = _numpy(column.fill_null(np.nan))
        return found

    def offered(self, system: str, category: str, currency: str | None) -> Mask:
        """Rows of that system (or of any), category and currency (None: every currency)."""
        mask: Mask = self.system.any_of([system, None])
        mask &= self.category.values == self.category.code(category)
        if currency is not None:
            mask &= self.currency.values == self.currency.code(currency.upper())
        return mask

    def hidden_by(self, other: Layer, rows: Mask) -> Mask:
        """Rows of a type and region that the other layer's `rows` price too (null: everywhere)."""
        types = self.type.translated(other.type)[rows]
        regions = self.region.translated(other.region)[rows]
        everywhere = types[regions == NULL]
        width = len(self.region.keys) + 2
        pairs = self.type.values * width + self.region.values
        return np.isin(pairs, types * width + regions) | np.isin(self.type.values, everywhere)

    def rows(self, mask: Mask) -> list[Price]:
        """The prices where the mask holds."""
        return self.take(np.flatnonzero(mask))

    def take(self, positions: npt.NDArray[np.intp]) -> list[Price]:
        """The prices at these rows, in this order."""
        plain = np.ascontiguousarray(positions, np.int64)
        # Not pa.array: that loads pandas (0.2 s).
        indices = pa.Array.from_buffers(pa.int64(), len(plain), [None, pa.py_buffer(plain)])
        return [_price(row) for row in self._table.take(indices).to_pylist()]


def _numpy(array: pa.Array) -> npt.NDArray[Any]:
    """Without nulls, without copying. Not to_numpy, nor pa.scalar: they load pandas (0.2 s)."""
    return np.from_dlpack(array)


def _price(row: Mapping[str, Any]) -> Price:
    return Price(
        provider_name=row["ProviderName"],
        region_id=row["RegionId"],
        instance_type=row["x_InstanceType"],
        list_unit_price=row["ListUnitPrice"],
        currency=row["PricingCurrency"].upper(),
        pricing_category=row["PricingCategory"],
        operating_system=row["x_OperatingSystem"],
        term=row["x_Term"],
        valid_from=row["x_ValidFrom"],
        source=row["x_Source"],
    )
