"""What is charged beside machines: storage and traffic, by provider and region, with tiers.

The shipped table (snapshot/rates.csv) is kept by hand, since no list at hand has them all: every
row has the source and the day of its own. Where no source is known there is no row, and no answer.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cache
from typing import Any, Final

import pyarrow as pa

from costopt import schema
from costopt.model import Rate, RateKind
from costopt.pricing.builtin import FOLDER
from costopt.pricing.exchange_gate import is_currency
from costopt.pricing.layer import region_key
from costopt.pricing.money import Exchanges
from costopt.pricing.multiples import multiple
from costopt.units import money, provider_key

NEAR: Final = Decimal(4)
"""How many times a provider's dearest known rate of the kind (or below its cheapest) is too far.
Within one provider regions and tiers differ up to 8 times (AWS between regions, 0.02 to 0.147)."""
FAR: Final = Decimal(10)
"""The same against all providers, where the provider's own are not known."""

_KINDS: Final = frozenset(kind.value for kind in RateKind)
Rows = tuple[Rate, ...]
ByRegion = Mapping[str | None, Rows]
_Key = tuple[str, RateKind]


@dataclass(frozen=True, slots=True)
class RateRefusal:
    """A rate that was not taken, and why."""

    rate: Rate
    reason: str  # negative | unknown-currency | implausible
    detail: str  # one sentence for people


@dataclass(frozen=True, slots=True)
class UnknownKind:
    """Rows whose kind is none of RateKind's."""

    provider_name: str
    kind: str
    rows: int

    @property
    def detail(self) -> str:
        """One sentence for people."""
        return f"{self.kind!r} is no kind of rate; there are {', '.join(RateKind)}"


class Rates:
    """Rates by provider: the user's own above those that a provider's list gave, above the shipped
    ones."""

    def __init__(self, extra: pa.Table | None = None) -> None:
        self._layers: tuple[Mapping[_Key, ByRegion], ...] = (_shipped(),)
        self.refusals: tuple[RateRefusal, ...] = ()
        self.unknown: tuple[UnknownKind, ...] = ()
        if extra is None or not len(extra):
            return
        given, self.unknown = _read(schema.conform(extra, schema.RATES).to_pylist())
        exchanges = Exchanges.load()
        refused = [r for one in given if (r := _refusal(one, exchanges))]
        bad = {id(refusal.rate) for refusal in refused}
        sound = [one for one in given if id(one) not in bad]
        own = [one for one in sound if one.source not in schema.PUBLISHED]
        listed = [one for one in sound if one.source in schema.PUBLISHED]
        self._layers = (_by_key(own), _by_key(listed), _shipped())
        self.refusals = tuple(refused)

    def providers(self) -> tuple[str, ...]:
        """Keys (`units.provider_key`) of every provider with a rate, sorted."""
        return tuple(sorted({provider for layer in self._layers for provider, _ in layer}))

    def regions(self, provider_name: str) -> tuple[str, ...]:
        """Keys of the regions that have a rate of their own, sorted."""
        mine = provider_key(provider_name)
        keys = {
            region
            for layer in self._layers
            for (provider, _), by_region in layer.items()
            if provider == mine
            for region in by_region
        }
        return tuple(sorted(key for key in keys if key is not None))

    def find(
        self,
        provider_name: str,
        kind: RateKind,
        region_id: str | None = None,
        *,
        currency: str | None = None,
    ) -> Rows:
        """The tiers that hold there, ascending; () = nobody says.

        The user's rows of the region, then the user's of every region, then the shipped ones
        likewise: the first that has any has all the tiers.

        Args:
            region_id: None finds only what holds in every region.
            currency: None = the one it is priced in there; USD where there are several.
        """
        place = None if region_id is None else region_key(region_id)
        for layer in self._layers:
            by_region = layer.get((provider_key(provider_name), kind), {})
            for key in dict.fromkeys((place, None)):
                if rows := _in_currency(by_region.get(key, ()), currency):
                    return rows
        return ()

    def listed(self, provider_name: str, region_id: str | None = None) -> Rows:
        """Everything known of the provider, by region and kind; those of every region come first.

        Args:
            region_id: only what holds there, be it of the region or of every region.
        """
        if region_id is not None:
            return tuple(
                one for kind in RateKind for one in self.find(provider_name, kind, region_id)
            )
        return tuple(
            one
            for place in (None, *self.regions(provider_name))
            for kind in RateKind
            for one in self.find(provider_name, kind, place)
            if place is None or one.region_id is not None
        )


@cache
def builtin() -> Rows:
    """The shipped rates, in the file's order."""
    with (FOLDER / "rates.csv").open(encoding="utf-8", newline="") as file:
        return tuple(
            Rate(
                provider_name=row["ProviderName"],
                region_id=row["RegionId"] or None,
                kind=RateKind(row["x_RateKind"]),
                list_unit_price=Decimal(row["ListUnitPrice"]),
                currency=row["PricingCurrency"],
                from_gib=Decimal(row["x_FromGiB"]),
                valid_from=date.fromisoformat(row["x_ValidFrom"]) if row["x_ValidFrom"] else None,
                source=row["x_Source"],
            )
            for row in csv.DictReader(file)
        )


@cache
def _shipped() -> Mapping[_Key, ByRegion]:
    return _by_key(builtin())


def _by_key(rates: Iterable[Rate]) -> dict[_Key, ByRegion]:
    found: dict[_Key, dict[str | None, Rows]] = {}
    for one in rates:
        regions = found.setdefault((provider_key(one.provider_name), one.kind), {})
        place = None if one.region_id is None else region_key(one.region_id)
        regions[place] = (*regions.get(place, ()), one)
    return {
        key: {
            place: tuple(sorted(rows, key=lambda r: (r.currency != "USD", r.currency, r.from_gib)))
            for place, rows in regions.items()
        }
        for key, regions in found.items()
    }


def _in_currency(rows: Rows, currency: str | None) -> Rows:
    wanted = currency.upper() if currency else rows[0].currency if rows else ""
    return tuple(row for row in rows if row.currency == wanted)


def _read(rows: Sequence[Mapping[str, Any]]) -> tuple[list[Rate], tuple[UnknownKind, ...]]:
    """The rows as rates; those of no known kind counted instead."""
    found: list[Rate] = []
    unknown: dict[tuple[str, str], int] = {}
    for row in rows:
        kind = str(row["x_RateKind"]).strip().casefold()
        if kind in _KINDS:
            found.append(_rate(row, RateKind(kind)))
        else:
            key = (row["ProviderName"], row["x_RateKind"])
            unknown[key] = unknown.get(key, 0) + 1
    return found, tuple(UnknownKind(*key, rows=count) for key, count in sorted(unknown.items()))


def _rate(row: Mapping[str, Any], kind: RateKind) -> Rate:
    return Rate(
        provider_name=row["ProviderName"],
        region_id=row["RegionId"],
        kind=kind,
        list_unit_price=row["ListUnitPrice"],
        currency=row["PricingCurrency"].strip().upper(),
        from_gib=money(row["x_FromGiB"] or 0.0),
        valid_from=row["x_ValidFrom"],
        source=row["x_Source"],
    )


# -- the sanity gate -------------------------------------------------------------------------


def _refusal(given: Rate, exchanges: Exchanges) -> RateRefusal | None:
    """Why it cannot be what it says: below zero, in no currency, or far off what is usual.

    A rate of zero says that it is included. One of a currency that nobody can exchange is not
    compared.
    """
    if given.list_unit_price < 0 or given.from_gib < 0:
        return RateRefusal(given, "negative", "a rate, and where it begins, is not below zero")
    if not is_currency(given.currency):
        return RateRefusal(
            given, "unknown-currency", f"{given.currency!r} is no currency of ISO 4217"
        )
    amount = exchanges.convert(given.list_unit_price, given.currency, "USD")
    if not amount:
        return None
    own = _span(provider_key(given.provider_name), given.kind)
    low, high, whose, factor = (
        (*own, f"{given.provider_name}'s", NEAR)
        if own
        else (*(_span(None, given.kind) or (amount, amount)), "all providers'", FAR)
    )
    if low / factor <= amount <= high * factor:
        return None
    times = multiple(
        float(amount / (high if amount > high else low)), "the dearest", share="the cheapest"
    )
    return RateRefusal(given, "implausible", f"{times} of {whose} known rates of {given.kind}")


@cache
def _span(provider: str | None, kind: RateKind) -> tuple[Decimal, Decimal] | None:
    """The cheapest and the dearest shipped rate above zero, in USD; None = there is none."""
    exchanges = Exchanges.load()
    amounts = [
        exchanges.convert(one.list_unit_price, one.currency, "USD")
        for one in builtin()
        if one.kind is kind
        and one.list_unit_price > 0
        and provider in (None, provider_key(one.provider_name))
    ]
    known = [amount for amount in amounts if amount is not None]
    return (min(known), max(known)) if known else None
