"""A cloud's price list on its way into the lake: part by part, and of each only what is new."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any, Final, NamedTuple

import pyarrow as pa

from costopt import __version__, schema
from costopt.model import Price
from costopt.pricing.rates import RateRefusal
from costopt.pricing.sanity import Refusal
from costopt.providers.held import Held

ALL: Final = "all"
"""In place of a region's name: every region of the list."""
HOURS_PER_YEAR: Final = 8760
Watch = Callable[[str, int], None]
"""Called with what is being read, and the bytes so far."""

_STEP: Final = Decimal("1e-10")  # schema.UNIT_PRICE


class Stamp(NamedTuple):
    """Which state of a list was read."""

    path: str  # where it stood
    mark: str  # what tells one state from another: the server's own mark, or the day; "" = nothing


@dataclass(frozen=True)
class Part:
    """What one list, or the spot market, of one region gave. Tables hold only what is new."""

    region: str
    source: str  # as in x_Source
    prices: pa.Table = field(default_factory=lambda: schema.empty(schema.PRICES))
    shapes: pa.Table = field(default_factory=lambda: schema.empty(schema.SHAPES))
    rates: pa.Table = field(default_factory=lambda: schema.empty(schema.RATES))
    host: str = ""
    published: str = ""  # the list's own date
    unchanged: int = 0  # prices that the lake holds already
    own: int = 0  # prices not taken, as the user's own stand
    left_out: Mapping[str, int] = field(default_factory=dict)  # rows that say no price, by reason
    refused: tuple[Refusal, ...] = ()
    refused_rates: tuple[RateRefusal, ...] = ()
    current: str = ""  # why the list was not read again
    failed: str = ""  # why there is nothing
    stamp: tuple[str, Stamp] | None = None  # to be remembered once the part is kept


class Memory:
    """Which lists were read, as kept beside the lake."""

    def __init__(self, text: bytes | None = None) -> None:
        """
        Args:
            text: what `dump` gave; of another costopt, or damaged, it counts as none.
        """
        self._stamps: dict[str, Stamp] = {}
        try:
            told = json.loads(text or b"{}")
            if told.get("costopt") == __version__:
                self._stamps = {
                    str(name): Stamp(str(path), str(mark))
                    for name, (path, mark) in told["files"].items()
                }
        except (ValueError, KeyError, TypeError, AttributeError):
            pass  # then every list is read again, which harms nothing

    def find(self, name: str) -> Stamp | None:
        """The state last read under that name."""
        return self._stamps.get(name)

    def keep(self, name: str, stamp: Stamp) -> None:
        """Remember a state; one without a mark cannot be recognised."""
        if stamp.mark:
            self._stamps[name] = stamp

    def dump(self) -> bytes:
        """For the next time."""
        told = {"costopt": __version__, "files": self._stamps}
        return json.dumps(told, indent=1, sort_keys=True).encode()


def sifted(
    part: Part, prices: Iterable[Price], shapes: Iterable[dict[str, Any]], held: Held
) -> Part:
    """The part with its tables: what passes the sanity gate and is new to the lake.

    Args:
        shapes: columns of schema.SHAPES.
    """
    given = list(prices)
    new = held.new_shapes(sorted(shapes, key=lambda shape: str(shape["x_InstanceType"])))
    described = pa.Table.from_pylist(new, schema=schema.SHAPES)
    refused = held.catalogue(table(given), described).refusals
    barred = {_identity(one.price) for one in refused}
    found = held.sift([price for price in given if _identity(price) not in barred])
    return replace(
        part,
        prices=table(found.fresh),
        shapes=described,
        unchanged=found.unchanged,
        own=part.own + found.own,
        refused=refused,
    )


def hourly(value: Decimal) -> Decimal:
    """The price rounded to the ten decimals that the frame keeps, half to even."""
    return value.quantize(_STEP, rounding=ROUND_HALF_EVEN)


def table(prices: Iterable[Price]) -> pa.Table:
    """The prices in schema.PRICES columns, sorted, so that the order of answers does not show."""
    ordered = sorted(
        prices,
        key=lambda p: (
            p.region_id or "",
            p.instance_type,
            p.operating_system or "",
            p.pricing_category,
            p.term or "",
        ),
    )
    return pa.Table.from_pylist([_row(price) for price in ordered], schema=schema.PRICES)


def _row(price: Price) -> dict[str, object]:
    return {
        "ProviderName": price.provider_name,
        "RegionId": price.region_id,
        "x_InstanceType": price.instance_type,
        "x_OperatingSystem": price.operating_system,
        "PricingCategory": price.pricing_category,
        "x_Term": price.term,
        "ListUnitPrice": price.list_unit_price,
        "PricingCurrency": price.currency,
        "x_ValidFrom": price.valid_from,
        "x_Source": price.source,
    }


def _identity(price: Price) -> tuple[str | None, ...]:
    return (
        price.region_id,
        price.instance_type,
        price.operating_system,
        price.pricing_category,
        price.term,
    )
