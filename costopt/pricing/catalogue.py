"""What machines there are and what they cost: the built-in snapshot, overridden by users' rows.

A price holds in its region only: where a region has none for a type, the answer is None, never
another region's. Amounts are never converted between currencies.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from costopt import schema
from costopt.model import Price, Shape
from costopt.pricing import builtin
from costopt.pricing.layer import Layer, region_key, type_key
from costopt.units import provider_key

Floats = npt.NDArray[np.float64]

_DEFAULT_SYSTEM: Final = "linux"


@dataclass(frozen=True, eq=False)
class Market:
    """Every type with a price in one region: parallel, sorted by price, then by type."""

    shapes: tuple[Shape, ...]
    prices: tuple[Price, ...]
    vcpus: Floats
    memory_gib: Floats  # NaN = unknown
    hourly: Floats
    network_gbps: Floats  # NaN = unknown
    local_disk_gib: Floats
    gpu_count: npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Found:
    """A machine type and what it costs in one place."""

    shape: Shape
    price: Price


class Catalogue:
    """Shapes and prices by provider. Nothing is read before a provider is asked for."""

    def __init__(self, extra_prices: pa.Table, extra_shapes: pa.Table) -> None:
        self._extra_prices = _by_provider(extra_prices)
        self._extra_shapes = _by_provider(extra_shapes)
        self._layers: dict[str, tuple[Layer, ...]] = {}
        self._shapes: dict[str, dict[str, Shape]] = {}
        self._prices: dict[tuple[str | None, ...], dict[str, Price]] = {}
        self._markets: dict[tuple[str | None, ...], Market] = {}

    @classmethod
    def load(
        cls, extra_prices: pa.Table | None = None, extra_shapes: pa.Table | None = None
    ) -> Catalogue:
        """The built-in snapshot under the user's own rows, which override it.

        Args:
            extra_prices: schema.PRICES columns. A row overrides the built-in row of its type,
                category and currency in its region (null: in every region).
            extra_shapes: schema.SHAPES columns; a row replaces the built-in shape of its type.
        """
        return cls(
            schema.empty(schema.PRICES) if extra_prices is None else extra_prices,
            schema.empty(schema.SHAPES) if extra_shapes is None else extra_shapes,
        )

    def providers(self) -> tuple[str, ...]:
        """Keys (`units.provider_key`) of every provider with shapes or prices, sorted."""
        return tuple(sorted({*builtin.provider_keys(), *self._extra_prices, *self._extra_shapes}))

    def shape(self, provider_name: str, instance_type: str) -> Shape | None:
        """What that type is; None = not in the catalogue. Case does not matter."""
        return self._shapes_of(provider_key(provider_name)).get(type_key(instance_type))

    def price(
        self,
        provider_name: str,
        region_id: str | None,
        instance_type: str,
        *,
        operating_system: str | None = None,
        pricing_category: str = "Standard",
        currency: str = "USD",
    ) -> Price | None:
        """The list price of one hour there; None = unknown, also where other regions have one."""
        prices = self._prices_in(
            provider_key(provider_name), region_id, operating_system, pricing_category, currency
        )
        return prices.get(type_key(instance_type))

    def market(
        self,
        provider_name: str,
        region_id: str | None,
        *,
        operating_system: str | None = None,
        pricing_category: str = "Standard",
        currency: str = "USD",
    ) -> Market:
        """Every type that has a shape and a price there; cached.

        Args:
            region_id: None matches only prices that hold in every region.
            operating_system: None is Linux. Prices that name no system hold for any.
        """
        key = (provider_key(provider_name), region_id, operating_system, pricing_category, currency)
        if key not in self._markets:
            shapes = self._shapes_of(key[0])
            offers = [
                Found(shapes[name], price)
                for name, price in self._prices_in(*key).items()
                if name in shapes
            ]
            self._markets[key] = _market(offers)
        return self._markets[key]

    def _prices_in(
        self, provider: str, region: str | None, system: str | None, category: str, currency: str
    ) -> dict[str, Price]:
        """Type key -> price, of the layers' best matching rows."""
        key = (provider, region, system, category, currency)
        if key not in self._prices:
            best: dict[str, tuple[tuple[bool, ...], Decimal, Price]] = {}
            for layer in self._layers_of(provider):
                for name, found in _matching(layer, region, system, category, currency).items():
                    best.setdefault(name, found)
            self._prices[key] = {name: found[2] for name, found in best.items()}
        return self._prices[key]

    def _layers_of(self, provider: str) -> tuple[Layer, ...]:
        """The user's prices first, then the snapshot's."""
        if provider not in self._layers:
            tables = (self._extra_prices.get(provider), builtin.read(provider, "prices"))
            self._layers[provider] = tuple(Layer(t) for t in tables if t is not None and len(t))
        return self._layers[provider]

    def _shapes_of(self, provider: str) -> dict[str, Shape]:
        if provider not in self._shapes:
            rows = builtin.read(provider, "shapes").to_pylist()
            if provider in self._extra_shapes:
                rows += self._extra_shapes[provider].to_pylist()
            self._shapes[provider] = {type_key(r["x_InstanceType"]): _shape(r) for r in rows}
        return self._shapes[provider]


def _by_provider(table: pa.Table) -> dict[str, pa.Table]:
    keys = [provider_key(name) for name in table.column("ProviderName").to_pylist()]
    array = pa.array(keys, pa.string())
    return {key: table.filter(pc.equal(array, key)) for key in sorted(set(keys))}


def _matching(
    layer: Layer, region: str | None, system: str | None, category: str, currency: str
) -> dict[str, tuple[tuple[bool, ...], Decimal, Price]]:
    """Type key -> its best row: of this region before every region, of this system before any."""
    place = None if region is None else region_key(region)
    wanted = (system or _DEFAULT_SYSTEM).casefold()
    mask = (
        layer.region.any_of([place, None])
        & layer.system.any_of([wanted, None])
        & (layer.category.values == layer.category.code(category))
        & (layer.currency.values == layer.currency.code(currency.upper()))
    )
    best: dict[str, tuple[tuple[bool, ...], Decimal, Price]] = {}
    for price in layer.rows(mask):
        rank = (price.region_id is None, price.operating_system is None)
        name = type_key(price.instance_type)
        found = (rank, price.list_unit_price, price)
        if name not in best or found[:2] < best[name][:2]:
            best[name] = found
    return best


def _market(offers: Iterable[Found]) -> Market:
    ordered = sorted(offers, key=lambda o: (o.price.list_unit_price, o.price.instance_type))
    shapes = tuple(offer.shape for offer in ordered)
    return Market(
        shapes=shapes,
        prices=tuple(offer.price for offer in ordered),
        vcpus=_floats(s.vcpus for s in shapes),
        memory_gib=_floats(s.memory_gib for s in shapes),
        hourly=_floats(float(o.price.list_unit_price) for o in ordered),
        network_gbps=_floats(s.network_gbps for s in shapes),
        local_disk_gib=_floats(s.local_disk_gib for s in shapes),
        gpu_count=np.array([s.gpu_count for s in shapes], np.int64),
    )


def _floats(values: Iterable[float | None]) -> Floats:
    return np.array([np.nan if v is None else v for v in values], np.float64)


def _shape(row: dict[str, Any]) -> Shape:
    return Shape(
        provider_name=row["ProviderName"],
        instance_type=row["x_InstanceType"],
        vcpus=row["x_vCPUs"],
        memory_gib=row["x_MemoryGiB"],
        physical_cores=row["x_PhysicalCores"],
        architecture=row["x_Architecture"],
        gpu_model=row["x_GPUModel"],
        gpu_count=row["x_GPUCount"] or 0,
        gpu_memory_gib=row["x_GPUMemoryGiB"],
        burstable_baseline_percent=row["x_BurstableBaselinePercent"],
        network_gbps=row["x_NetworkGbps"],
        local_disk_gib=row["x_LocalDiskGiB"] or 0.0,
        family=row["x_Family"],
        current_generation=row["x_CurrentGeneration"],
    )
