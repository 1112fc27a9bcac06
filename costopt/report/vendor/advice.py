"""A vendor's recommendation as a noun, read from the lake's table."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from functools import cached_property
from typing import Any, Final, NamedTuple

import pyarrow as pa

from costopt.model import ActionType, Recommendation, Resource
from costopt.report.safe import terminal

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


class Asked(NamedTuple):
    """That a source was asked, and answered."""

    source: str
    account: str
    place: str  # a region, or a zone in it; "" = everywhere
    call: str  # for what; "" = everything
    since: datetime  # when it first said what it says now

    def is_about(self, resource: Resource, ours: Recommendation) -> bool:
        """Whether it would have told of such advice where that resource is, so that silence means
        something."""
        kind = "end" if ours.action_type in ENDED else "size"
        here = self.place in ("", resource.region_id, resource.attributes.get("zone"))
        return here and kind in TELLS.get(self.call, (kind,))


ENDED: Final = (ActionType.STOP, ActionType.DELETE)
TELLS: Final[Mapping[str, tuple[str, ...]]] = {
    "ec2_instance_recommendations": ("size",),
    "idle_recommendations": ("end",),
    "google.compute.instance.MachineTypeRecommender": ("size",),
    "google.compute.instance.IdleResourceRecommender": ("end",),
    "google.compute.disk.IdleResourceRecommender": (),
    "google.compute.address.IdleResourceRecommender": (),
}
"""What calls tell of machines, of which alone costopt has advice; others are about everything."""


@dataclass(frozen=True)
class Told:
    """All that the vendors said when they were asked."""

    asked: tuple[Asked, ...]
    advice: tuple[Advice, ...]

    def silent_on(self, resource: Resource, ours: Recommendation) -> str | None:
        """Who was asked for such advice on that resource; None: nobody."""
        asked = self._asked_in.get(resource.sub_account_id or "", ())
        return next((one.source for one in asked if one.is_about(resource, ours)), None)

    @cached_property
    def _asked_in(self) -> dict[str, list[Asked]]:
        found: dict[str, list[Asked]] = {}
        for one in self.asked:
            found.setdefault(one.account, []).append(one)
        return found

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
    rows = table.to_pylist(maps_as_pydicts="strict")
    asked = {_asked(row) for row in rows if row["x_RecommendationId"] is None}
    return Told(tuple(sorted(asked)), tuple(_advice(rows)))


def _asked(row: Mapping[str, Any]) -> Asked:
    place, _, call = row["x_Scope"].partition(" ")
    since = row["x_ObservedAt"].astimezone(UTC)
    return Asked(row["x_Source"], row["SubAccountId"], place, call, since)


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
                instance_type=_plain(row["x_InstanceType"]),
                monthly_savings=row["x_MonthlySavings"],
                currency=row["BillingCurrency"],
                finding=_plain(row["x_Finding"]),
                lookback_days=row["x_LookbackDays"],
                updated_at=row["x_UpdatedAt"] and row["x_UpdatedAt"].astimezone(UTC),
                current_type=_plain(more.get("current_type")),
                dismissed=more.get("suppressed") == "true" or more.get("state") == "DISMISSED",
            )


def _plain(text: str | None) -> str | None:
    """A vendor's words for people, in every form: what would act on a screen is no part of them."""
    return terminal(text or "").strip() or None


def _order(one: Advice) -> tuple[bool, int, Decimal, str]:
    rank = _RANK.index(one.action) if one.action in _RANK else len(_RANK)
    return one.dismissed, rank, -(one.monthly_savings or Decimal(0)), one.recommendation_id
