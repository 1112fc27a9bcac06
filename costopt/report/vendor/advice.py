"""A vendor's recommendation as a noun, read from the lake's table."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from functools import cached_property
from typing import Any, Final

import pyarrow as pa

_RANK: Final = ("stop", "delete", "resize", "change-family", "schedule", "other", "keep")
"""Of several recommendations on one thing, whatever comes first here is the one to compare."""


@dataclass(frozen=True, slots=True)
class Advice:
    """What a vendor recommends for one resource, or for none: a commitment to be bought."""

    source: str  # schema.AWS_ADVICE, ...
    recommendation_id: str
    account: str
    resource_id: str | None
    action: str  # of schema.VENDOR_ACTIONS
    instance_type: str | None  # its first choice
    monthly_savings: Decimal | None  # as the vendor states it; None = it does not
    currency: str | None
    finding: str | None  # the vendor's own word
    lookback_days: float | None
    updated_at: datetime | None  # when the vendor last looked
    current_type: str | None = None  # the type that it speaks of
    dismissed: bool = False  # people snoozed or dismissed it


@dataclass(frozen=True)
class Told:
    """All that the vendors said when they were asked."""

    asked: Mapping[str, frozenset[tuple[str, str]]]  # source -> accounts and places; "" = all
    advice: tuple[Advice, ...]

    def source_for(self, account: str | None, region: str | None) -> str | None:
        """Who was asked there, so that its silence means something; None: nobody."""
        for source, places in self.asked.items():
            if any(one == account and place.startswith(region or "") for one, place in places):
                return source
            if (account, "") in places:
                return source
        return None

    @cached_property
    def by_resource(self) -> dict[str, tuple[Advice, ...]]:
        """All of each resource that any is of: that to compare first, those dismissed last."""
        found: dict[str, list[Advice]] = {}
        for one in self.advice:
            if one.resource_id is not None:
                found.setdefault(one.resource_id, []).append(one)
        return {key: tuple(sorted(mine, key=_order)) for key, mine in sorted(found.items())}


def told(table: pa.Table) -> Told:
    """What a lake holds of vendors' recommendations.

    Args:
        table: schema.VENDOR_RECOMMENDATIONS; rows without x_RecommendationId say who was asked.
    """
    asked: dict[str, set[tuple[str, str]]] = {}
    rows = table.to_pylist(maps_as_pydicts="strict")
    for row in rows:
        place = row["x_Scope"].partition(" ")[0]  # a region, or a zone in it
        asked.setdefault(row["x_Source"], set()).add((row["SubAccountId"], place))
    return Told(
        {source: frozenset(places) for source, places in sorted(asked.items())},
        tuple(_advice(rows)),
    )


def _advice(rows: Iterable[Mapping[str, Any]]) -> Iterable[Advice]:
    for row in rows:
        more = row["x_Attributes"] or {}
        if row["x_RecommendationId"] is not None:
            yield Advice(
                source=row["x_Source"],
                recommendation_id=row["x_RecommendationId"],
                account=row["SubAccountId"],
                resource_id=row["ResourceId"],
                action=row["x_Action"] or "other",
                instance_type=row["x_InstanceType"],
                monthly_savings=row["x_MonthlySavings"],
                currency=row["BillingCurrency"],
                finding=row["x_Finding"],
                lookback_days=row["x_LookbackDays"],
                updated_at=row["x_UpdatedAt"] and row["x_UpdatedAt"].astimezone(UTC),
                current_type=more.get("current_type"),
                dismissed=more.get("suppressed") == "true" or more.get("state") == "DISMISSED",
            )


def _order(one: Advice) -> tuple[bool, int, Decimal, str]:
    rank = _RANK.index(one.action) if one.action in _RANK else len(_RANK)
    return one.dismissed, rank, -(one.monthly_savings or Decimal(0)), one.recommendation_id
