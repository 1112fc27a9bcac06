"""What a lake holds of a cloud's prices already, so that only what is new is written to it.

Lists restate all their prices at every publication, most of them unchanged; and a lake may hold
prices and shapes of the user's own, which nothing of the cloud's may take the place of.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, Final, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from costopt import schema
from costopt.model import Price
from costopt.pricing.catalogue import Catalogue
from costopt.pricing.layer import region_key, system_key, type_key
from costopt.providers.own import beside_own
from costopt.units import provider_key

RENEWED: Final = timedelta(days=30)
"""An unchanged price is written again only after this long, to say that it still holds: lists carry
a new day at every publication, and each would double the lake's prices."""
Key = tuple[str | None, ...]


class Sifted(NamedTuple):
    """A list's prices, told apart."""

    fresh: list[Price]
    unchanged: int
    own: int  # not taken, as the user's own price of the same thing stands


class Held:
    """One cloud's rows of one lake, as it was when this was made."""

    def __init__(self, provider_name: str, prices: pa.Table, shapes: pa.Table) -> None:
        """
        Args:
            provider_name: as prices and shapes have it: AWS, Azure, GCP.
            prices: the lake's (schema.PRICES).
            shapes: the lake's (schema.SHAPES); with the built-in ones they are the types known.
        """
        self._provider_name = provider_name
        self._shapes = shapes
        self._known = Catalogue.load(extra_shapes=shapes)
        here = _of_provider(prices, provider_key(provider_name))
        listed = schema.published(here)
        self._listed = here.filter(listed)
        self._own = _own(here.filter(pc.invert(listed)).to_pylist())

    def holds(self, region: str | None, source: str) -> bool:
        """Whether any price of that list is there; without, it has to be read again.

        Args:
            region: None = in any region.
        """
        here = self._listed if region is None else self._of({region})
        return source in pc.unique(here.column("x_Source")).to_pylist()

    def sift(self, prices: Collection[Price]) -> Sifted:
        """The prices that are new or changed, and how many are not, or may not be taken."""
        held = {
            _key(row): (row["ListUnitPrice"], row["x_ValidFrom"])
            for row in self._of({price.region_id for price in prices}).to_pylist()
        }
        fresh, unchanged, own = [], 0, 0
        for price in prices:
            if self._overridden(price):
                own += 1
            elif _same(held.get(_key_of(price)), price):
                unchanged += 1
            else:
                fresh.append(price)
        return Sifted(fresh, unchanged, own)

    def beside_own(self, shapes: pa.Table) -> pa.Table:
        """Those of types that no shape of the user's own describes (schema.SHAPES)."""
        return beside_own(shapes, self._shapes)

    def new_shapes(self, shapes: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
        """Those of types that neither the snapshot nor the lake knows."""
        return [
            shape
            for shape in shapes
            if self._known.shape(self._provider_name, shape["x_InstanceType"]) is None
        ]

    def catalogue(self, prices: pa.Table, shapes: pa.Table) -> Catalogue:
        """The built-in catalogue under these prices, with all the types known."""
        return Catalogue.load(prices, pa.concat_tables([self._shapes, shapes]))

    def _of(self, regions: Collection[str | None]) -> pa.Table:
        wanted = pa.array(sorted(region for region in regions if region), pa.string())
        return self._listed.filter(pc.is_in(self._listed.column("RegionId"), value_set=wanted))

    def _overridden(self, price: Price) -> bool:
        """Whether a price of the user's own holds wherever this one would."""
        return any(
            own["PricingCategory"] == price.pricing_category
            and own["PricingCurrency"].upper() == price.currency
            and own["x_Term"] == price.term
            and _covers(own["RegionId"], price.region_id, region_key)
            and _covers(own["x_OperatingSystem"], price.operating_system, system_key)
            for own in self._own.get(type_key(price.instance_type), ())
        )


def _of_provider(table: pa.Table, key: str) -> pa.Table:
    names = pc.unique(table.column("ProviderName")).to_pylist()
    wanted = pa.array([name for name in names if provider_key(name) == key], pa.string())
    return table.filter(pc.is_in(table.column("ProviderName"), value_set=wanted))


def _own(found: list[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    by_type: dict[str, list[dict[str, Any]]] = {}
    for row in found:
        by_type.setdefault(type_key(row["x_InstanceType"]), []).append(row)
    return by_type


def _covers(own: str | None, other: str | None, key: Any) -> bool:
    return own is None or (other is not None and key(own) == key(other))


def _key(row: dict[str, Any]) -> Key:
    return (
        row["RegionId"],
        row["x_InstanceType"],
        row["x_OperatingSystem"],
        row["PricingCategory"],
        row["x_Term"],
        row["PricingCurrency"],
    )


def _key_of(price: Price) -> Key:
    return (
        price.region_id,
        price.instance_type,
        price.operating_system,
        price.pricing_category,
        price.term,
        price.currency,
    )


def _same(held: tuple[Decimal, date | None] | None, price: Price) -> bool:
    """Whether the price is held already, and its day is not so old that it should be renewed."""
    if held is None or held[0] != price.list_unit_price:
        return False
    since, until = held[1], price.valid_from
    return until is None or (since is not None and until - since < RENEWED)
