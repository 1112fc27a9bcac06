"""Rates of storage and traffic that a price list tells, on their way into the lake."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pyarrow as pa

from costopt import schema
from costopt.pricing.layer import region_key
from costopt.pricing.rates import Rates
from costopt.providers.held import RENEWED
from costopt.providers.listed import Part, hourly
from costopt.providers.lists.layout import Charge
from costopt.units import provider_key

_Key = tuple[str, str | None]  # kind, region


def charged(
    part: Part,
    charges: Sequence[Charge],
    held: pa.Table,
    *,
    provider_name: str,
    currency: str,
    day: date,
) -> Part:
    """The part with what is new of the rates, and passes the sanity gate.

    A kind of which the lake has a rate of the user's own is not touched: tiers of two sources would
    mix, and an own rate of a region stands for all of it.

    Args:
        held: the lake's (schema.RATES).
    """
    key = provider_key(provider_name)
    rows = [row for row in held.to_pylist() if provider_key(row["ProviderName"]) == key]
    own = {row["x_RateKind"] for row in rows if row["x_Source"] not in schema.PUBLISHED}
    before = [row for row in rows if row["x_Source"] in schema.PUBLISHED]
    wanted = [one for one in charges if one.kind.value not in own]
    given = [_row(one, provider_name, currency, day, part.source) for one in _whole(wanted, before)]
    refused = Rates(pa.Table.from_pylist(given, schema=schema.RATES)).refusals
    barred = {_place(r.rate.kind.value, r.rate.region_id) for r in refused}
    known = {
        _identity(row)
        for row in before
        if row["x_ValidFrom"] is not None and day - row["x_ValidFrom"] < RENEWED
    }
    fresh = [
        row
        for row in given
        if _place(row["x_RateKind"], row["RegionId"]) not in barred and _identity(row) not in known
    ]
    return replace(
        part,
        rates=pa.Table.from_pylist(fresh, schema=schema.RATES),
        refused_rates=refused,
        own=part.own + len(charges) - len(wanted),
    )


def _whole(charges: Iterable[Charge], before: Sequence[dict[str, Any]]) -> list[Charge]:
    """The tiers, and at each bound that an earlier list had and this one has no more, the price
    that now holds there: a row of the lake is only ever taken the place of."""
    tiers: dict[_Key, dict[Decimal, Charge]] = {}
    for one in charges:
        tiers.setdefault(_place(one.kind.value, one.region), {})[one.from_gib] = one
    for row in before:
        found = tiers.get(_place(row["x_RateKind"], row["RegionId"]))
        bound = Decimal(str(row["x_FromGiB"] or 0.0))
        below = max((b for b in found or () if b <= bound), default=None)
        if found and below is not None and bound not in found:
            found[bound] = replace(found[below], from_gib=bound)
    return [
        tiers[key][bound]
        for key in sorted(tiers, key=lambda key: (key[0], key[1] or ""))
        for bound in sorted(tiers[key])
    ]


def _row(one: Charge, provider_name: str, currency: str, day: date, source: str) -> dict[str, Any]:
    return {
        "ProviderName": provider_name,
        "RegionId": one.region,
        "x_RateKind": one.kind.value,
        "ListUnitPrice": hourly(one.price),
        "PricingCurrency": currency,
        "x_FromGiB": float(one.from_gib),
        "x_ValidFrom": day,
        "x_Source": source,
    }


def _place(kind: str, region: str | None) -> _Key:
    return kind, region and region_key(region)


def _identity(row: dict[str, Any]) -> tuple[Any, ...]:
    """Of what a row says; its day is none of it."""
    return (
        *_place(row["x_RateKind"], row["RegionId"]),
        row["PricingCurrency"],
        row["x_FromGiB"] or 0.0,
        row["ListUnitPrice"],
    )
