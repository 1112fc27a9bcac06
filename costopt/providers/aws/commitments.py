"""Commitments in force: reserved instances and savings plans, as billed things.

Each stands under the ARN that bills carry as CommitmentDiscountId. They are no machines: they have
no x_InstanceType, and what they apply to is told in x_Attributes. How far they were used is asked
of Cost Explorer, which costs $0.01 a request, so only where the settings allow it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

import pyarrow as pa

from costopt import schema
from costopt.parallel import in_threads
from costopt.providers.aws.access import Account, told, under
from costopt.providers.aws.inventory.place import Place
from costopt.providers.aws.paging import figure, pages
from costopt.providers.base import Problem
from costopt.providers.rows import Row, attributes

UTILIZATION_REQUESTS: Final = 3
"""Paid requests to Cost Explorer: two for reservations, one for savings plans (a page each)."""

_DAYS: Final = 30
_YEAR: Final = timedelta(days=365)
_EC2: Final = "Amazon Elastic Compute Cloud"
_RDS: Final = "Amazon Relational Database Service"
_RESERVED: Final = {_EC2: f"{_EC2} - Compute", _RDS: _RDS}
"""ServiceName in bills -> what Cost Explorer calls it."""


def commitments(
    home: Account,
    accounts: Sequence[Account],
    problems: list[Problem],
    *,
    utilization: bool,
    today: date | None = None,
) -> pa.Table:
    """Reserved instances of EC2 and RDS and savings plans that are active (schema.RESOURCES).

    x_Attributes: end, term, payment_option, hourly_commitment_usd (upfront payments spread over
    the term; another currency's is hourly_commitment), count, offering class, scope, what it
    applies to, and utilization_percent of the last 30 days.

    Args:
        home: the payer, who is asked for utilization.
        accounts: whose commitments to list; home is one of them.
        problems: gets what could not be had, by account, region and call.
        utilization: whether to ask for it, in up to `UTILIZATION_REQUESTS` paid requests.
        today: up to which day utilization is asked for (UTC); None = by the clock.
    """
    places = [
        Place(account, region) for account in accounts for region in _regions(account, problems)
    ]
    found = in_threads(_reserved, places, home.settings.max_concurrency)
    rows = [row for reserved in found for row in reserved]
    for place in places:
        problems += place.problems
    for account in accounts:
        with told(problems, f"{account.account_id} savingsplans:DescribeSavingsPlans"):
            rows += _plans(account)
    if utilization and rows:
        _add_utilization(home, rows, today or datetime.now(UTC).date(), problems)
    rows.sort(key=lambda row: (row["SubAccountId"], row["ResourceId"]))
    return pa.Table.from_pylist(rows, schema=schema.RESOURCES)


def _regions(account: Account, problems: list[Problem]) -> tuple[str, ...]:
    with told(problems, f"{account.account_id} ec2:DescribeRegions"):
        return account.regions()
    return ()


def _reserved(place: Place) -> list[Row]:
    rows: list[Row] = []
    with place.told("ec2:DescribeReservedInstances"):
        rows += _instances(place)
    with place.told("rds:DescribeReservedDBInstances"):
        rows += _databases(place)
    return rows


def _instances(place: Place) -> Iterator[Row]:
    answer = place.account.client("ec2", place.region).describe_reserved_instances(
        Filters=[{"Name": "state", "Values": ["active"]}]
    )
    for one in under(answer, "ReservedInstances"):
        arn = _arn(place, "ec2", f"reserved-instances/{one['ReservedInstancesId']}")
        term = timedelta(seconds=one["Duration"])
        yield place.row(
            arn,
            one.get("Tags", ()),
            ResourceType="Reserved Instance",
            ServiceName=_EC2,
            x_State="active",
            x_LaunchedAt=one["Start"],
            x_Attributes=attributes(
                end=one["End"],
                term=_years(term),
                payment_option=one["OfferingType"],
                **_hourly(one, "Amount", one["InstanceCount"], term),
                count=one["InstanceCount"],
                instance_type=one["InstanceType"],
                offering_class=one.get("OfferingClass"),
                scope=one.get("Scope"),
                availability_zone=one.get("AvailabilityZone"),
                platform=one.get("ProductDescription"),
                tenancy=one.get("InstanceTenancy"),
            ),
        )


def _databases(place: Place) -> Iterator[Row]:
    listed = place.pages("rds", "describe_reserved_db_instances", "ReservedDBInstances", 100)
    for one in listed:
        if one["State"] != "active":
            continue
        term = timedelta(seconds=one["Duration"])
        yield place.row(
            one["ReservedDBInstanceArn"],
            (),
            ResourceName=one["ReservedDBInstanceId"],
            ResourceType="Reserved Instance",
            ServiceName=_RDS,
            x_State="active",
            x_LaunchedAt=one["StartTime"],
            x_Attributes=attributes(
                end=one["StartTime"] + term,
                term=_years(term),
                payment_option=one["OfferingType"],
                **_hourly(one, "RecurringChargeAmount", one["DBInstanceCount"], term),
                count=one["DBInstanceCount"],
                instance_type=one["DBInstanceClass"],
                engine=one.get("ProductDescription"),
                multi_az=one.get("MultiAZ"),
                lease_id=one.get("LeaseId"),
            ),
        )


def _plans(account: Account) -> Iterator[Row]:
    asked = account.client("savingsplans").describe_savings_plans
    for answer in pages(asked, "nextToken", states=["active"], maxResults=1000):
        yield from (_plan(account, one) for one in under(answer, "savingsPlans"))


def _plan(account: Account, one: Mapping[str, Any]) -> Row:
    tags = [{"Key": key, "Value": value} for key, value in one.get("tags", {}).items()]
    term = timedelta(seconds=one["termDurationInSeconds"])
    return Place(account, one.get("region") or "").row(
        one["savingsPlanArn"],
        tags,
        RegionId=one.get("region") or None,
        ResourceType="Savings Plan",
        ServiceName="Savings Plans",
        x_State="active",
        x_LaunchedAt=datetime.fromisoformat(one["start"]),
        x_Attributes=attributes(
            end=datetime.fromisoformat(one["end"]),
            term=_years(term),
            payment_option=one["paymentOption"],
            **_committed(figure(one["commitment"]), one.get("currency", "USD")),
            plan_type=one["savingsPlanType"],
            instance_family=one.get("ec2InstanceFamily"),
            applies_to=", ".join(one.get("productTypes", ())),
        ),
    )


def _hourly(
    one: Mapping[str, Any], charge: str, count: int, term: timedelta
) -> dict[str, str | None]:
    """What all of it costs an hour: the fixed price over the term, and the recurring charges."""
    hours = Decimal(int(term.total_seconds())) / 3600
    recurring = sum((figure(each[charge]) for each in one.get("RecurringCharges", ())), Decimal(0))
    fixed = figure(one.get("FixedPrice", 0)) / hours
    usage = figure(one.get("UsagePrice", 0))
    return _committed((fixed + recurring + usage) * count, one.get("CurrencyCode", "USD"))


def _committed(hourly: Decimal, currency: str) -> dict[str, str | None]:
    amount = format(hourly.quantize(Decimal("0.000001")).normalize(), "f")
    if currency == "USD":
        return {"hourly_commitment_usd": amount}
    return {"hourly_commitment": amount, "currency": currency}


def _years(term: timedelta) -> str:
    return f"{round(term / _YEAR)}yr"


def _arn(place: Place, service: str, name: str) -> str:
    partition = place.account.session.get_partition_for_region(place.region)
    return f"arn:{partition}:{service}:{place.region}:{place.account.account_id}:{name}"


# -- how far they were used -----------------------------------------------------------------------


def _add_utilization(home: Account, rows: list[Row], today: date, problems: list[Problem]) -> None:
    """Adds utilization_percent to the rows that Cost Explorer knows."""
    client = home.client("ce")
    period = {"Start": str(today - timedelta(days=_DAYS)), "End": str(today)}
    used: dict[str, str] = {}
    for name, service in _RESERVED.items():
        if not any(row["ServiceName"] == name for row in rows):
            continue
        with told(problems, f"{home.account_id} ce:GetReservationUtilization", fatal=False):
            used |= _of_reservations(client, service, period)
    if any(row["ResourceType"] == "Savings Plan" for row in rows):
        with told(problems, f"{home.account_id} ce:GetSavingsPlansUtilizationDetails", fatal=False):
            used |= _of_plans(client, period)
    for row in rows:
        percent = used.get(row["ResourceId"]) or used.get(row["ResourceId"].rsplit("/", 1)[-1])
        if percent is not None:
            row["x_Attributes"]["utilization_percent"] = percent


def _of_reservations(client: Any, service: str, period: dict[str, str]) -> dict[str, str]:
    """Percent by ARN and by lease id: which of them Cost Explorer names differs by service."""
    answers = pages(
        client.get_reservation_utilization,
        "NextPageToken",
        TimePeriod=period,
        GroupBy=[{"Type": "DIMENSION", "Key": "SUBSCRIPTION_ID"}],
        Filter={"Dimensions": {"Key": "SERVICE", "Values": [service]}},
    )
    spans = (span for answer in answers for span in under(answer, "UtilizationsByTime"))
    found: dict[str, str] = {}
    for group in (group for span in spans for group in under(span, "Groups")):
        percent = _percent(group)
        names = (group["Attributes"].get(name) for name in ("reservationARN", "leaseId"))
        found |= {name: percent for name in names if name}
    return found


def _of_plans(client: Any, period: dict[str, str]) -> dict[str, str]:
    asked = client.get_savings_plans_utilization_details
    return {
        one["SavingsPlanArn"]: _percent(one)
        for answer in pages(asked, "NextToken", TimePeriod=period)
        for one in under(answer, "SavingsPlansUtilizationDetails")
    }


def _percent(used: Mapping[str, Any]) -> str:
    """The share used, as it is told."""
    percent: str = under(under(used, "Utilization"), "UtilizationPercentage")
    figure(percent)
    return percent
