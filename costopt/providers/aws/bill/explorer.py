"""The bill as Cost Explorer tells it: services by day, no resources; $0.01 a request.

The fallback where there is no export. It groups by two things at most, so rows say service and
record type (from which FOCUS's categories follow), for the payer as a whole.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc
from botocore.parsers import ResponseParserError

from costopt import schema
from costopt.errors import InputError
from costopt.frame import bill, intake
from costopt.model import Window
from costopt.providers.aws.access import Account, told, under
from costopt.providers.aws.bill import once
from costopt.providers.aws.bill.layout import following
from costopt.providers.aws.paging import pages
from costopt.providers.base import Problem
from costopt.providers.bills.complaints import Complaints
from costopt.providers.bills.items import money

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


def requests_needed(
    window: Window | None, now: datetime | None = None, held: Mapping[str, str] | None = None
) -> int:
    """At most so many requests: one for each month that touches the window or was told only in
    part, more only where one answer is long.

    Args:
        now: where the bill ends (UTC); None = by the clock.
        held: notes of earlier collects.
    """
    now = now or datetime.now(UTC)
    noted = {name.split()[1] for name in held or () if name.startswith(once.EXPLORER_NOTE)}
    asked = [len(_asked(account, held or {}, window, now)) for account in sorted(noted)]
    return max(asked, default=len(_months(window, now)))


def charges(
    home: Account,
    held: Mapping[str, str],
    window: Window | None,
    problems: list[Problem],
    notes: dict[str, str],
) -> Iterator[pa.Table]:
    """Charges of one day, service and record type, month by month (schema.CHARGES).

    A month that AWS no longer calls estimated is noted, and not paid for again; one that was told
    only in part is asked for until it is whole. One that an export tells is not asked for.
    """
    for start, end in _asked(home.account_id, held, window, datetime.now(UTC)):
        where = f"{home.account_id} ce:GetCostAndUsage {start:%Y-%m}"
        if export := once.told_by(held, home.account_id, start):
            what = f"not asked: {export} tells this month, and charges would count twice"
            problems.append(Problem(where, what))
            continue
        name = once.explorer_note(home.account_id, start)
        if held.get(name) == once.FINAL:
            continue
        month = _month(home, start, end, where, problems)
        if month is None:
            continue
        if month.table.num_rows:
            yield month.table
        over = end == following(start) and not month.estimated
        notes[name] = once.FINAL if over else once.SO_FAR


class _Month(NamedTuple):
    """What was charged in a month, or what of it is over."""

    table: pa.Table
    estimated: bool


def _month(
    home: Account, start: datetime, end: datetime, where: str, problems: list[Problem]
) -> _Month | None:
    """Whole or not at all: None is told."""
    try:
        with told(problems, where):
            days = list(_days(home, start, end))
            table = _charges([row for day in days for row in day.rows])
            return _Month(table, any(day.estimated for day in days))
    except InputError as error:
        problems.append(Problem(where, f"{error.what}: the month is left out", fatal=True))
    return None


def _asked(
    account: str, held: Mapping[str, str], window: Window | None, now: datetime
) -> list[tuple[datetime, datetime]]:
    """Billing months to ask for; without a window also those that were not over, or not final,
    when they were asked for last."""
    months = {start: (start, end) for start, end in _months(window, now)}
    for start in once.explored_so_far(held, account) if window is None else ():
        months.setdefault(start, (start, following(start)))
    return [months[start] for start in sorted(months)]


def _months(window: Window | None, now: datetime) -> list[tuple[datetime, datetime]]:
    """Billing months to ask for, the last up to today; default the last and this one."""
    tomorrow = now.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
    this = now.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    first = window.start if window else this - timedelta(days=1)
    until = min(window.end, tomorrow) if window else tomorrow
    start = first.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    found = []
    while start < until:
        found.append((start, min(following(start), tomorrow)))
        start = following(start)
    return found


class _Day(NamedTuple):
    """What was charged from one midnight to the next."""

    rows: list[dict[str, Any]]  # FOCUS's columns; amounts are text, or None
    estimated: bool


def _days(home: Account, start: datetime, end: datetime) -> Iterator[_Day]:
    answers = pages(
        home.client("ce").get_cost_and_usage,
        "NextPageToken",
        TimePeriod={"Start": f"{start:%Y-%m-%d}", "End": f"{end:%Y-%m-%d}"},
        Granularity="DAILY",
        Metrics=list(_METRICS.values()),
        GroupBy=[
            {"Type": "DIMENSION", "Key": "SERVICE"},
            {"Type": "DIMENSION", "Key": "RECORD_TYPE"},
        ],
    )
    for day in (day for answer in answers for day in under(answer, "ResultsByTime")):
        period = under(day, "TimePeriod")
        rows = [
            {
                "BillingAccountId": home.account_id,
                "BillingPeriodStart": start,
                "BillingPeriodEnd": following(start),
                "ChargePeriodStart": under(period, "Start"),
                "ChargePeriodEnd": under(period, "End"),
                **_row(group),
            }
            for group in under(day, "Groups")
        ]
        yield _Day(rows, under(day, "Estimated"))


def _row(group: Mapping[str, Any]) -> dict[str, Any]:
    """What a group of charges says of itself."""
    keys, metrics = under(group, "Keys"), under(group, "Metrics")
    if len(keys) != 2:
        raise ResponseParserError("a group by something else than was asked")
    service, record = keys
    return {
        **{ours: metrics.get(theirs, {}).get("Amount") for ours, theirs in _METRICS.items()},
        "BillingCurrency": metrics.get(_METRICS["BilledCost"], {}).get("Unit"),
        "ChargeCategory": _CATEGORIES.get(record.split(" ")[0], "Usage"),
        "ChargeDescription": f"{record} of {service}",
        "ProviderName": "AWS",
        "ServiceName": service,
        "ServiceCategory": _SERVICES.get(service, "Other"),
    }


def _charges(rows: list[dict[str, Any]]) -> pa.Table:
    """The rows as charges.

    Raises:
        InputError: an amount, a currency or a day is lacking or cannot be read.
    """
    if not rows:
        return schema.empty(schema.CHARGES)
    columns = {name: pa.array([row[name] for row in rows]) for name in rows[0]}
    unread = Complaints()
    for name in _METRICS:
        values, misread = money(columns[name].cast(pa.string()), name)
        absent = pc.is_null(values)
        if misread is not None:
            unread.add([misread])
        elif absent.true_count:
            unread.add([intake.told(name, "is missing", absent)])
        columns[name] = values
    found = bill.normalise(columns)
    unread.add([one for one in found.misread if one.column not in _METRICS])
    if unread.counts:
        raise InputError(unread.said())
    return found.table
