"""What the newest hosts file prices no more: it must not be advised as if it could be had."""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import Any, Final

import pyarrow as pa

from costopt import schema
from costopt.providers.base import Known
from costopt.providers.gone import GONE
from costopt.providers.prometheus.gone import PROVIDER

_PLACE: Final = ("RegionId", "x_InstanceType", "PricingCurrency")
Place = tuple[str | None, ...]


def replaced(
    now: pa.Table, known: Known, key: str, reporting: Collection[str]
) -> tuple[pa.Table, str]:
    """The rows that end what an earlier file priced, and the note for the next collect.

    Only what this server's own files priced is ended. A type stays as long as a machine bears it
    that is in the lake and does not report just now.

    Args:
        now: what the newest file prices (schema.PRICES).
        key: of the note in which the earlier one's prices stand.
        reporting: ids of machines that this collect lists anew.
    """
    priced = set(_places(now))
    worn = {
        (row["RegionId"], row["x_InstanceType"])
        for row in known.resources
        if row["ProviderName"] == PROVIDER
        and row["x_State"] != GONE
        and row["ResourceId"] not in reporting
    }
    before = {place for place in _noted(known, key) if place not in priced}
    kept = {place for place in before if place[:2] in worn}
    rows = known.prices.to_pylist()
    ended = [
        row | {"x_Source": schema.WITHDRAWN}
        for row, place in zip(rows, _places(known.prices), strict=True)
        if row["ProviderName"] == PROVIDER and place in before - kept
    ]
    note = json.dumps(sorted(priced | kept, key=lambda place: [name or "" for name in place]))
    return pa.Table.from_pylist(ended, schema=schema.PRICES), note


def _places(prices: pa.Table) -> list[Place]:
    return list(zip(*(prices.column(name).to_pylist() for name in _PLACE), strict=True))


def _noted(known: Known, key: str) -> set[Place]:
    found: Any = json.loads(known.notes.get(key, "[]"))
    return {tuple(place) for place in found}
