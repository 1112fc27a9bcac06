"""One layer of prices (the snapshot's, or the user's own) as codes that filter in microseconds."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from costopt.model import Price

_NULL: Final = -1


def region_key(name: str) -> str:
    """One key for "eastus", "EastUS" and Azure's display name "East US"."""
    return "".join(name.split()).casefold()


def type_key(name: str) -> str:
    """Types join without regard to case (Azure's bills lower-case names)."""
    return name.strip().casefold()


class Codes:
    """A text column as small integers, one per distinct key; null is -1."""

    def __init__(self, column: pa.ChunkedArray, key: Callable[[str], str]) -> None:
        encoded = pc.dictionary_encode(column).unify_dictionaries().combine_chunks()
        if isinstance(encoded, pa.ChunkedArray):  # no rows: no chunk
            encoded = pa.array([], pa.dictionary(pa.int32(), pa.string()))
        self.names: list[str] = encoded.dictionary.to_pylist()
        self._codes: dict[str, int] = {}
        of_name = [self._codes.setdefault(key(name), len(self._codes)) for name in self.names]
        raw = encoded.indices.fill_null(_NULL).to_numpy(zero_copy_only=False)
        self.values: npt.NDArray[np.int32] = np.array([*of_name, _NULL], np.int32)[raw]

    @property
    def keys(self) -> Iterable[str]:
        """Every distinct key, in code order."""
        return self._codes.keys()

    def code(self, key: str | None) -> int:
        """The key's code; -1 for None; -2, which no row has, for a key that no row has."""
        return _NULL if key is None else self._codes.get(key, _NULL - 1)

    def any_of(self, keys: Iterable[str | None]) -> npt.NDArray[np.bool_]:
        """Which rows hold one of the keys (None: null rows)."""
        return np.isin(self.values, [self.code(key) for key in keys])


class Layer:
    """The prices of one provider from one origin. Rows keep their table's order."""

    def __init__(self, table: pa.Table) -> None:
        self._table = table
        self.region = Codes(table.column("RegionId"), region_key)
        self.type = Codes(table.column("x_InstanceType"), type_key)
        self.system = Codes(table.column("x_OperatingSystem"), str.casefold)
        self.category = Codes(table.column("PricingCategory"), str)
        self.currency = Codes(table.column("PricingCurrency"), str.upper)
        hourly = table.column("ListUnitPrice").cast(pa.float64())
        self.hourly: npt.NDArray[np.float64] = hourly.to_numpy()

    def rows(self, mask: npt.NDArray[np.bool_]) -> list[Price]:
        """The prices where the mask holds."""
        return self.take(np.flatnonzero(mask))

    def take(self, positions: npt.NDArray[np.intp]) -> list[Price]:
        """The prices at these rows, in this order."""
        return [_price(row) for row in self._table.take(pa.array(positions)).to_pylist()]


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
