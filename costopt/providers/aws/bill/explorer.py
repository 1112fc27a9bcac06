"""The bill as Cost Explorer tells it: services by day, no resources; $0.01 a request.

The fallback where there is no export. It groups by two things at most, so rows say service and
record type (from which FOCUS's categories follow), for the payer as a whole.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

import pyarrow as pa

from costopt.frame import bill
from costopt.model import Window
from costopt.providers.aws.access import Account, told
from costopt.providers.base import Problem

USD_A_REQUEST: Final = Decimal("0.01")

_METRICS: Final = {"BilledCost": "UnblendedCost", "EffectiveCost": "NetAmortizedCost"}
_CATEGORIES: Final[Mapping[str, str]] = {
    "Usage": "Usage",
    "DiscountedUsage": "Usage",
    "SavingsPlanCoveredUsage": "Usage",
    "SavingsPlanNegation": "Usage",
    "RIFee": "Purchase",
    "Recurring": "Purchase",
    "Fee": "Purchase",
    "Upfront": "Purchase",
    "SavingsPlanRecurringFee": "Purchase",
    "SavingsPlanUpfrontFee": "Purchase",
    "Support": "Purchase",
    "Tax": "Tax",
    "Credit": "Credit",
    "Refund": "Adjustment",
}
"""By record type; any other (discounts of several names) comes off usage."""
_SERVICES: Final[Mapping[str, str]] = {
    "Amazon Elastic Compute Cloud - Compute": "Compute",
    "EC2 - Other": "Other",
    "AWS Lambda": "Compute",
    "Amazon Relational Database Service": "Databases",
    "Amazon DynamoDB": "Databases",
    "Amazon ElastiCache": "Databases",
    "Amazon Simple Storage Service": "Storage",
    "Amazon Elastic File System": "Storage",
    "Amazon Virtual Private Cloud": "Networking",
    "Amazon Elastic Load Balancing": "Networking",
    "Amazon CloudFront": "Networking",
    "AmazonCloudWatch": "Management and Governance",
    "Savings Plans for AWS Compute usage": "Compute",
}


def requests_needed(window: Window | None, now: datetime | None = None) -> int:
    """Requests for the months that touch the window: one each, more only where one answer is long.

    Args:
        now: where the bill ends (UTC); None = by the clock.
    """
    return len(_months(window, now or datetime.now(UTC)))


def charges(
    home: Account,
    held: Mapping[str, str],
    window: Window | None,
    problems: list[Problem],
    notes: dict[str, str],
) -> Iterator[pa.Table]:
    """Charges of one day, service and record type, month by month (schema.CHARGES).

    A month that AWS no longer calls estimated is noted, and not paid for again.
    """
    client = home.client("ce")
    for start, end in _months(window, datetime.now(UTC)):
        name = f"cost-explorer {home.account_id} {start:%Y-%m}"
        if held.get(name) == "final":
            continue
        days: list[dict[str, Any]] | None = None
        with told(problems, f"{home.account_id} ce:GetCostAndUsage {start:%Y-%m}"):
            days = list(_days(client, start, end))
        if days is None:
            continue
        rows = [row for day in days for row in _rows(day, home, start)]
        if rows:
            yield bill.normalise(_columns(rows)).table
        if end == _following(start) and not any(day["Estimated"] for day in days):
            notes[name] = "final"


def _months(window: Window | None, now: datetime) -> list[tuple[datetime, datetime]]:
    """Billing months to ask for, the last up to today; default the last and this one."""
    tomorrow = now.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
    this = now.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    first = window.start if window else this - timedelta(days=1)
    until = min(window.end, tomorrow) if window else tomorrow
    start = first.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    found = []
    while start < until:
        found.append((start, min(_following(start), tomorrow)))
        start = _following(start)
    return found


def _following(month: datetime) -> datetime:
    return (month.replace(day=28) + timedelta(days=7)).replace(day=1)


def _days(client: Any, start: datetime, end: datetime) -> Iterator[dict[str, Any]]:
    asked: dict[str, Any] = {
        "TimePeriod": {"Start": f"{start:%Y-%m-%d}", "End": f"{end:%Y-%m-%d}"},
        "Granularity": "DAILY",
        "Metrics": list(_METRICS.values()),
        "GroupBy": [
            {"Type": "DIMENSION", "Key": "SERVICE"},
            {"Type": "DIMENSION", "Key": "RECORD_TYPE"},
        ],
    }
    while True:
        answer = client.get_cost_and_usage(**asked)
        yield from answer["ResultsByTime"]
        if not answer.get("NextPageToken"):
            return
        asked["NextPageToken"] = answer["NextPageToken"]


def _rows(day: dict[str, Any], home: Account, month: datetime) -> Iterator[dict[str, Any]]:
    for group in day["Groups"]:
        service, record = group["Keys"]
        amounts = {
            ours: group["Metrics"][theirs]["Amount"]
            for ours, theirs in _METRICS.items()
            if theirs in group["Metrics"]
        }
        yield {
            **amounts,
            "BillingCurrency": group["Metrics"][_METRICS["BilledCost"]]["Unit"],
            "BillingPeriodStart": month,
            "BillingPeriodEnd": _following(month),
            "ChargePeriodStart": day["TimePeriod"]["Start"],
            "ChargePeriodEnd": day["TimePeriod"]["End"],
            "BillingAccountId": home.account_id,
            "ChargeCategory": _CATEGORIES.get(record.split(" ")[0], "Usage"),
            "ChargeDescription": f"{record} of {service}",
            "ProviderName": "AWS",
            "ServiceName": service,
            "ServiceCategory": _SERVICES.get(service, "Other"),
        }


def _columns(rows: list[dict[str, Any]]) -> dict[str, pa.Array]:
    return {name: pa.array([row[name] for row in rows]) for name in rows[0]}
