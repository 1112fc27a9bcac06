"""Listings of a cloud's own recommendations, as every cloud's provider gives them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Final

import pyarrow as pa

from costopt import schema
from costopt.providers.base import Problem
from costopt.providers.rows import Row
from costopt.units import money

_LARGEST: Final = Decimal(10) ** 15
"""Beyond it no amount is one; the lake could not hold it either."""


@dataclass(frozen=True, slots=True)
class Listing:
    """What a source was asked for, by the columns that tell one listing from another."""

    provider: str  # AWS, GCP, Azure
    source: str  # schema.AWS_ADVICE, ...
    account: str
    scope: str  # which part of the account; "" = all of it
    asked_at: datetime  # UTC

    def rows(self, told: Iterable[Row]) -> list[Row]:
        """That it was asked for, then what it said, by id.

        Args:
            told: the other columns of schema.VENDOR_RECOMMENDATIONS, those left out are null; of
                several rows with one x_RecommendationId the first counts.
        """
        own = {
            "ProviderName": self.provider,
            "SubAccountId": self.account,
            "x_Source": self.source,
            "x_Scope": self.scope,
            "x_ObservedAt": self.asked_at,
        }
        by_id: dict[str, Row] = {}
        for row in told:
            by_id.setdefault(row["x_RecommendationId"], {**own, **row})
        return [own, *(row for _, row in sorted(by_id.items()))]


def amount(told: object) -> Decimal | None:
    """A figure as a source writes it: text, float or integer; None where it is none."""
    try:
        found = Decimal(str(told))
    except InvalidOperation:
        return None
    return found if found.is_finite() and _is_bounded(found) else None


def savings(month: Decimal | None, currency: str | None) -> Row:
    """The columns of what a source says is saved a month; none where it says nothing that can be
    believed.

    Args:
        month: the amount of a month of 730 hours.
    """
    if month is None or not currency or not _is_bounded(month):
        return {}
    return {"x_MonthlySavings": money(month), "BillingCurrency": currency.upper()}


def _is_bounded(figure: Decimal) -> bool:
    return figure.copy_abs() < _LARGEST  # abs() itself fails on 1e9999999


def once(refusals: Iterable[Problem]) -> Iterator[Problem]:
    """The first problem of each place, with how often it was told there."""
    of_place: dict[str, list[Problem]] = {}
    for one in refusals:
        of_place.setdefault(one.where, []).append(one)
    for where, told in of_place.items():
        yield Problem(where, told[0].what, len(told))


def table(listings: Iterable[list[Row]]) -> pa.Table:
    """Their rows, one listing after the other (schema.VENDOR_RECOMMENDATIONS)."""
    rows = [row for listing in listings for row in listing]
    return pa.Table.from_pylist(rows, schema=schema.VENDOR_RECOMMENDATIONS)
