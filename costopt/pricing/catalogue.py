"""What machines there are and what they cost: the built-in snapshot, overridden by users' rows.

A price holds in its region only: where a region has none for a type, the answer is None, never
another region's. Amounts are never converted between currencies.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from costopt import schema
from costopt.model import Price, Rate, RateKind, Shape
from costopt.pricing import builtin, sanity, search
from costopt.pricing.layer import Layer, region_key, system_key, type_key
from costopt.pricing.listing import Listing, listing
from costopt.pricing.rates import Rates
from costopt.pricing.sanity import Refusal
from costopt.pricing.search import Found, Need
from costopt.units import provider_key

Floats = npt.NDArray[np.float64]

_DEFAULT_SYSTEM: Final = "linux"
_COMMITTED: Final = "Committed"


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


class Catalogue:
    """Shapes and prices by provider. Nothing is read before a provider is asked for."""

    def __init__(
        self,
        extra_prices: pa.Table | None,
        extra_shapes: pa.Table | None,
        extra_rates: pa.Table | None = None,
    ) -> None:
        self._extra_rates = extra_rates
        self._extra_prices = _by_provider(extra_prices, schema.PRICES)
        self._extra_shapes = _by_provider(extra_shapes, schema.SHAPES)
        self._layers: dict[str, tuple[Layer, ...]] = {}
        self._committed: dict[str, tuple[Layer, ...]] = {}
        self._refused: dict[str, tuple[Refusal, ...]] = {}
        self._shapes: dict[str, dict[str, Shape]] = {}
        self._prices: dict[tuple[str | None, ...], dict[str, Price]] = {}
        self._markets: dict[tuple[str | None, ...], Market] = {}

    @classmethod
    def load(
        cls,
        extra_prices: pa.Table | None = None,
        extra_shapes: pa.Table | None = None,
        extra_rates: pa.Table | None = None,
    ) -> Catalogue:
        """The built-in snapshot under the lake's rows, which override it; of these the user's own
        stand above those that a provider itself gave.

        Args:
            extra_prices: schema.PRICES columns. A row overrides the built-in row of its type,
                category and currency in its region (null: in every region). Rows that fail the
                sanity gate do not count: see `refusals`; nor do those that end a price
                (schema.WITHDRAWN).
            extra_shapes: schema.SHAPES columns; a row replaces the built-in shape of its type.
            extra_rates: schema.RATES columns; rows of a provider, kind and region stand in place of
                the built-in ones (see `rates`), if they pass the gate (see `charged.refusals`).
        """
        return cls(extra_prices, extra_shapes, extra_rates)

    @property
    def refusals(self) -> tuple[Refusal, ...]:
        """The user's prices that the sanity gate did not take."""
        for provider in self._extra_prices:
            self._layers_of(provider)
        return tuple(r for provider in sorted(self._refused) for r in self._refused[provider])

    def providers(self) -> tuple[str, ...]:
        """Keys (`units.provider_key`) of every provider with shapes or prices, sorted."""
        return tuple(sorted({*builtin.provider_keys(), *self._extra_prices, *self._extra_shapes}))

    def regions(self, provider_name: str) -> tuple[str, ...]:
        """Keys of the provider's regions that hold any price, sorted."""
        layers = self._layers_of(provider_key(provider_name))
        return tuple(sorted({key for layer in layers for key in layer.region.keys}))

    def places(self) -> tuple[tuple[str, str], ...]:
        """Every provider's regions that hold any price, as keys, sorted."""
        return tuple((name, region) for name in self.providers() for region in self.regions(name))

    @cached_property
    def charged(self) -> Rates:
        """What is charged beside machines; read when first asked for."""
        return Rates(self._extra_rates)

    def rates(
        self,
        provider_name: str,
        kind: RateKind,
        region_id: str | None = None,
        *,
        currency: str | None = None,
    ) -> tuple[Rate, ...]:
        """What a GiB of storage or traffic costs there: its tiers, ascending; () = nobody says.

        Of the region's own, else of every region; the user's before the built-in. Arguments as of
        `price`.
        """
        return self.charged.find(provider_name, kind, region_id, currency=currency)

    def shapes(self) -> Iterator[Shape]:
        """Every type of every provider, by provider."""
        for provider in self.providers():
            yield from self._shapes_of(provider).values()

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
        currency: str | None = None,
    ) -> Price | None:
        """The list price of one hour there; None = unknown, also where other regions have one.

        Args:
            region_id: None matches only prices that hold in every region.
            operating_system: None is Linux. Prices that name no system hold for any.
            currency: None = the one it is priced in there; USD where there are several.
        """
        prices = self._prices_in(
            provider_key(provider_name), region_id, operating_system, pricing_category, currency
        )
        return prices.get(type_key(instance_type))

    def prices(self, provider_name: str, instance_type: str) -> tuple[Price, ...]:
        """Every price of that type: all regions, categories, systems, currencies and terms."""
        found: list[Price] = []
        for layer in self._all_layers_of(provider_key(provider_name)):
            rows = layer.rows(layer.type.any_of([type_key(instance_type)]))
            nearer = tuple(found)
            found += [row for row in rows if not any(_hides(own, row) for own in nearer)]
        return tuple(
            sorted(
                found,
                key=lambda p: (
                    p.region_id or "",
                    p.pricing_category != "Standard",
                    p.pricing_category,
                    p.operating_system or "",
                    p.currency,
                    p.term or "",
                ),
            )
        )

    def market(
        self,
        provider_name: str,
        region_id: str | None,
        *,
        operating_system: str | None = None,
        pricing_category: str = "Standard",
        currency: str = "USD",
    ) -> Market:
        """Every type that has a shape and a price there and can be had; cached. Arguments as of
        `price`."""
        key = (provider_key(provider_name), region_id, operating_system, pricing_category, currency)
        if key not in self._markets:
            shapes = self._shapes_of(key[0])
            place = region_key(region_id or "")
            self._markets[key] = _market(
                Found(shapes[name], price)
                for name, price in self._prices_in(*key).items()
                if name in shapes and place not in shapes[name].not_offered_in
            )
        return self._markets[key]

    def listing(self, provider_name: str, regions: Sequence[str], currency: str) -> Listing:
        """What those regions sell on demand with Linux, as arrays: `market` of each, at once."""
        provider = provider_key(provider_name)
        return listing(
            self._layers_of(provider),
            self._shapes_of(provider),
            regions,
            system=_DEFAULT_SYSTEM,
            category="Standard",
            currency=currency,
        )

    def find(
        self,
        vcpus: float = 0.0,
        memory_gib: float = 0.0,
        gpu_model: str | None = None,
        gpu_count: int = 0,
        *,
        region: str | None = None,
        provider: str | None = None,
        architecture: str | None = None,
        spot: bool = False,
        currency: str = "USD",
        limit: int = 20,
    ) -> tuple[Found, ...]:
        """Types with at least that much, cheapest first (Linux).

        Without a region, each type stands once, where it costs least.
        """
        need = Need(vcpus, memory_gib, gpu_model, gpu_count, architecture)
        category = "Dynamic" if spot else "Standard"
        found: list[Found] = []
        for name in [provider_key(provider)] if provider else self.providers():
            shapes = {key: s for key, s in self._shapes_of(name).items() if need.holds(s)}
            if region is None:
                found += search.cheapest(
                    self._layers_of(name),
                    shapes,
                    system=_DEFAULT_SYSTEM,
                    category=category,
                    currency=currency,
                )
            else:
                prices = self._prices_in(name, region, None, category, currency)
                found += [Found(shapes[key], prices[key]) for key in shapes if key in prices]
        return tuple(search.by_price(found)[:limit])

    def nearest(self, instance_type: str, limit: int = 5) -> tuple[Shape, ...]:
        """Types of any provider whose names come closest."""
        return search.nearest(instance_type, self.shapes(), limit)

    def _prices_in(
        self,
        provider: str,
        region: str | None,
        system: str | None,
        category: str,
        currency: str | None,
    ) -> dict[str, Price]:
        """Type key -> price, of the first layer that has one."""
        key = (provider, region, system, category, currency)
        if key not in self._prices:
            found: dict[str, Price] = {}
            committed = category == _COMMITTED
            for layer in self._all_layers_of(provider) if committed else self._layers_of(provider):
                for name, price in _matching(layer, region, system, category, currency).items():
                    found.setdefault(name, price)
            self._prices[key] = found
        return self._prices[key]

    def _layers_of(self, provider: str) -> tuple[Layer, ...]:
        """The prices given that pass the sanity gate, the user's own first; then the snapshot's."""
        if provider not in self._layers:
            known = builtin.read(provider, "prices")
            extra = self._extra_prices.get(provider)
            if extra is not None:
                screened = sanity.screen(extra, self._shapes_of(provider), known)
                self._refused[provider] = screened.refused
                extra = screened.kept
            self._layers[provider] = tuple(
                Layer(table)
                for table in (*_ranked(extra), known)
                if table is not None and len(table)
            )
        return self._layers[provider]

    def _all_layers_of(self, provider: str) -> tuple[Layer, ...]:
        """With what commitments cost by the snapshot, which is read when first asked for."""
        if provider not in self._committed:
            table = builtin.read(provider, "commitments")
            self._committed[provider] = () if table is None else (Layer(table),)
        return (*self._layers_of(provider), *self._committed[provider])

    def _shapes_of(self, provider: str) -> dict[str, Shape]:
        if provider not in self._shapes:
            given = _ranked(self._extra_shapes.get(provider))
            tables = (builtin.read(provider, "shapes"), *reversed(given))
            self._shapes[provider] = {
                type_key(row["x_InstanceType"]): _shape(row)
                for table in tables
                if table is not None
                for row in table.to_pylist()
            }
        return self._shapes[provider]


def _by_provider(table: pa.Table | None, expected: pa.Schema) -> dict[str, pa.Table]:
    if table is None or not len(table):
        return {}
    table = schema.conform(table, expected)
    ended = pc.equal(table.column("x_Source"), schema.WITHDRAWN).fill_null(False)
    table = table.filter(pc.invert(ended))
    names: dict[str, list[str]] = {}
    for name in table.column("ProviderName").unique().to_pylist():
        names.setdefault(provider_key(name), []).append(name)
    column = table.column("ProviderName")
    return {
        key: table.filter(pc.is_in(column, value_set=pa.array(spellings)))
        for key, spellings in sorted(names.items())
    }


def _ranked(given: pa.Table | None) -> tuple[pa.Table, ...]:
    """The user's own rows, then those that a provider itself gave."""
    if given is None:
        return ()
    listed = schema.published(given)
    return given.filter(pc.invert(listed)), given.filter(listed)


def _matching(
    layer: Layer, region: str | None, system: str | None, category: str, currency: str | None
) -> dict[str, Price]:
    """Type key -> its best row: of this region before every region, of this system before any.

    Of several terms of a commitment, and of rows that differ in nothing else, the cheapest.
    """
    place = None if region is None else region_key(region)
    wanted = system_key(system) if system else _DEFAULT_SYSTEM
    mask = layer.offered(wanted, category, currency) & layer.region.any_of([place, None])
    best: dict[str, tuple[tuple[bool, bool, bool, str, Decimal], Price]] = {}
    for price in layer.rows(mask):
        rank = (
            price.region_id is None,
            price.operating_system is None,
            price.currency != "USD",
            price.currency,
            price.list_unit_price,
        )
        name = type_key(price.instance_type)
        if name not in best or rank < best[name][0]:
            best[name] = (rank, price)
    return {name: price for name, (_, price) in best.items()}


def _hides(own: Price, other: Price) -> bool:
    """Whether a price of an upper layer holds wherever the other one would."""
    return (
        own.region_id in (None, other.region_id)
        and own.operating_system in (None, other.operating_system)
        and own.pricing_category == other.pricing_category
        and own.currency == other.currency
        and own.term == other.term
    )


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


def _shape(row: Mapping[str, Any]) -> Shape:
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
        not_offered_in=frozenset((row.get("x_NotOfferedIn") or "").split()),
        shared_cpu=row.get("x_SharedCPU"),
    )
