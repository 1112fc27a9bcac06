"""Azure Advisor's recommendations on cost, to be compared with ours.

Asked in every subscription; the calls are free. They are those that Advisor holds: none is asked to
be made anew. A subscription that does not let us ask, or has Advisor not registered, is told once,
and one whose listing does not come to its end gives none of it.

x_Attributes, all of them text: current_type; description (what Advisor says to do); impact;
suppressed, true where people snoozed or dismissed it; and of a commitment quantity, term.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

import pyarrow as pa
from azure.core.exceptions import HttpResponseError
from azure.mgmt.advisor import AdvisorManagementClient

from costopt.parallel import in_threads
from costopt.providers import advised
from costopt.providers.advised import Listing
from costopt.providers.azure.access import FAILURES, Access, arm_id, denied, listed, said
from costopt.providers.azure.inventory.place import unregistered
from costopt.providers.azure.subscriptions import Subscription
from costopt.providers.base import Problem
from costopt.providers.rows import Row, attributes
from costopt.schema import AZURE_ADVICE

CALL: Final = "Microsoft.Advisor/recommendations/read"

_ABOUT_COST: Final = "Category eq 'Cost'"
_MACHINES: Final = "microsoft.compute/virtualmachines"
_SHUTDOWN: Final = "shutdown"
"""What Advisor says instead of a size (extendedProperties.targetSku, recommendationType).
Source: the recommendation's own metadata, LowUsageVmV2."""
_UNATTACHED_DISK: Final = "48eda464-1485-4dcf-a674-d0905df5054a"
"""Its recommendationTypeId. Source: "Cost recommendations", learn.microsoft.com/azure/advisor."""
_GROUPED: Final = re.compile(r"-?\d{1,3}(,\d{3})+\.\d+|-?\d{1,3}(,\d{3}){2,}")
"""12,345.67 and 1,234,567; but not 1,234 alone, which may be a little more than one."""
_NEVER: Final = (1, 9999)
"""Years of .NET's least and greatest moments."""


def advice(
    access: Access, subscriptions: Sequence[Subscription], problems: list[Problem], now: datetime
) -> pa.Table:
    """What Advisor recommends about cost (schema.VENDOR_RECOMMENDATIONS).

    Args:
        problems: what is not permitted or fails, once for each subscription.
        now: when it is asked (UTC).
    """
    listings: list[list[Row]] = []

    def asked(subscription: Subscription) -> tuple[list[Row] | None, Problem | None]:
        return _listed(access, subscription, now)

    for rows, refused in in_threads(asked, subscriptions, access.settings.max_concurrency):
        listings += [rows] if rows is not None else []
        problems += [refused] if refused else []
    return advised.table(listings)


def _listed(
    access: Access, subscription: Subscription, now: datetime
) -> tuple[list[Row] | None, Problem | None]:
    name = subscription.subscription_id
    listing = Listing("Azure", AZURE_ADVICE, name, "", now)
    client = access.management(AdvisorManagementClient, name)

    def recommended() -> Iterable[Any]:
        found: Iterable[Any] = client.recommendations.list(filter=_ABOUT_COST)
        return found

    try:
        rows = [_row(one) for one in listed(recommended, lambda one: arm_id({"id": one.id}))]
    except FAILURES as error:
        return None, _refusal(error, name)
    return listing.rows(rows), None


def _refusal(error: Exception, subscription: str) -> Problem:
    if isinstance(error, HttpResponseError) and unregistered(error):
        what = "Microsoft.Advisor is not registered there: no advice to compare with"
        return Problem(f"{subscription} {CALL}", what)
    hint = ""
    if denied(error):
        hint = "; no advice to compare with; grant it (costopt doctor azure --policy)"
    return Problem(f"{subscription} {CALL}", f"{said(error)}{hint}")


# -- what it says ----------------------------------------------------------------------------


def _row(one: Any) -> Row:
    more: Mapping[str, str] = one.extended_properties or {}
    said_short = one.short_description
    target = more.get("targetSku") or more.get("recommendedSkuName") or ""
    current = more.get("currentSku") or more.get("vmSize") or ""
    action = _action(one, more, current, target)
    problem = said_short.problem if said_short else None
    solution = said_short.solution if said_short else None
    return {
        "x_RecommendationId": one.id.lower(),
        "ResourceId": _resource(one),
        "x_Action": action,
        "x_InstanceType": target if action in ("resize", "change-family") else None,
        **_savings(more),
        "x_Finding": more.get("recommendationType") or problem,
        "x_Reasons": [problem] if problem else [],
        "x_LookbackDays": _days(more.get("lookbackPeriod") or more.get("lookBackPeriod")),
        "x_UpdatedAt": _moment(one.last_updated),
        "x_Attributes": attributes(
            current_type=current,
            description=solution,
            impact=str(one.impact or ""),
            suppressed=True if one.suppression_ids else None,
            quantity=more.get("displayQty") or more.get("qty"),
            term=more.get("term"),
        ),
    }


def _resource(one: Any) -> str | None:
    """The id of what it speaks of, in lower case; None where that is a whole subscription."""
    told = one.resource_metadata.resource_id if one.resource_metadata else None
    name = told or one.id.lower().partition("/providers/microsoft.advisor/")[0]
    found: str = name.lower().rstrip("/")
    return found if "/providers/" in found else None


def _action(one: Any, more: Mapping[str, str], current: str, target: str) -> str:
    kind = (one.impacted_field or "").lower()
    if kind.startswith(_MACHINES):
        if _SHUTDOWN in (target.lower(), (more.get("recommendationType") or "").lower()):
            return "stop"
        if target:
            return "resize" if _family(target) == _family(current) else "change-family"
    if "term" in more or "reservedResourceType" in more:
        return "buy-commitment"
    return "delete" if one.recommendation_type_id == _UNATTACHED_DISK else "other"


def _family(size: str) -> str:
    """A size's name without its number of vCPUs: standard_ds_v5 of Standard_D8s_v5."""
    return re.sub(r"(?<=[a-z])\d+(-\d+)?", "", size.lower(), count=1)


def _savings(more: Mapping[str, str]) -> Row:
    """Of a month: Advisor states a year, or a month alone."""
    year, month = _amount(more.get("annualSavingsAmount")), _amount(more.get("savingsAmount"))
    return advised.savings(month if year is None else year / 12, more.get("savingsCurrency"))


def _amount(text: str | None) -> Decimal | None:
    told = str(text or "").strip()
    return advised.amount(told.replace(",", "") if _GROUPED.fullmatch(told) else told)


def _moment(told: datetime | None) -> datetime | None:
    """In UTC, which it means where it names no offset."""
    if told is None or told.year in _NEVER:
        return None
    return told.replace(tzinfo=UTC) if told.tzinfo is None else told.astimezone(UTC)


def _days(text: str | None) -> float | None:
    """Of 7, or P7D."""
    found = re.fullmatch(r"P?(\d{1,4})D?", str(text or ""))
    return float(found[1]) if found else None
