"""Reserved instances and savings plans in force, with what Cost Explorer says of their use."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from typing import Any

import pytest

from costopt import schema
from costopt.providers.aws.access import own_account
from costopt.providers.aws.commitments import UTILIZATION_REQUESTS, commitments
from costopt.providers.aws.settings import AwsSettings
from costopt.providers.base import Problem
from tests.fakes.aws_billing import Billing, serving

TODAY = date(2026, 11, 2)
EC2 = "Amazon Elastic Compute Cloud - Compute"
RDS = "Amazon Relational Database Service"


def reserved(name: str = "11-aa", **more: str) -> dict[str, str]:
    return {
        "reservedInstancesId": name,
        "instanceType": "r6i.xlarge",
        "scope": "Region",
        "start": "2026-03-01T00:00:00.000Z",
        "end": "2027-03-01T00:00:00.000Z",
        "duration": "31536000",
        "usagePrice": "0.0",
        "fixedPrice": "876.0",
        "instanceCount": "3",
        "productDescription": "Linux/UNIX",
        "state": "active",
        "instanceTenancy": "default",
        "currencyCode": "USD",
        "offeringClass": "convertible",
        "offeringType": "Partial Upfront",
        "recurringCharges": "<item><frequency>Hourly</frequency><amount>0.05</amount></item>",
        "tagSet": "<item><key>team</key><value>data</value></item>",
        **more,
    }


def database(name: str, state: str = "active") -> dict[str, str]:
    return {
        "ReservedDBInstanceId": name,
        "ReservedDBInstanceArn": f"arn:aws:rds:eu-west-1:410200000009:ri:{name}",
        "DBInstanceClass": "db.r6g.large",
        "StartTime": "2025-01-01T00:00:00Z",
        "Duration": "94608000",
        "FixedPrice": "0.0",
        "UsagePrice": "0.0",
        "CurrencyCode": "USD",
        "DBInstanceCount": "2",
        "ProductDescription": "postgresql",
        "OfferingType": "No Upfront",
        "MultiAZ": "true",
        "State": state,
        "LeaseId": f"lease-{name}",
        "RecurringCharges": "<RecurringCharge><RecurringChargeAmount>0.125</RecurringChargeAmount>"
        "<RecurringChargeFrequency>Hourly</RecurringChargeFrequency></RecurringCharge>",
    }


def plan(name: str, **more: Any) -> dict[str, Any]:
    return {
        "savingsPlanId": name,
        "savingsPlanArn": f"arn:aws:savingsplans::410200000009:savingsplan/{name}",
        "start": "2026-01-01T00:00:00.000Z",
        "end": "2028-12-31T23:59:59.000Z",
        "state": "active",
        "savingsPlanType": "Compute",
        "paymentOption": "No Upfront",
        "productTypes": ["EC2", "Fargate", "Lambda"],
        "currency": "USD",
        "commitment": "1.500",
        "termDurationInSeconds": 94608000,
        "tags": {"owner": "finance"},
        **more,
    }


def used(service: str, percent: str, **names: str) -> dict[str, Any]:
    return {
        "Key": "SUBSCRIPTION_ID",
        "Value": "1",
        "Attributes": {"service": service, **names},
        "Utilization": {"UtilizationPercentage": percent},
    }


@pytest.fixture
def billing(aws_environment: pytest.MonkeyPatch) -> Iterator[Billing]:
    with serving(Billing()) as found, pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL", found.url)
        yield found


Collect = Callable[..., tuple[dict[str, dict[str, Any]], list[Problem]]]


@pytest.fixture
def collect(billing: Billing, settings: Callable[..., AwsSettings]) -> Collect:
    def collected(**more: object) -> tuple[dict[str, dict[str, Any]], list[Problem]]:
        home = own_account(settings(**{"region": ("eu-west-1",), **more}))
        problems: list[Problem] = []
        table = commitments(
            home, [home], problems, utilization=home.settings.cost_explorer, today=TODAY
        )
        assert table.schema.equals(schema.RESOURCES)
        rows = table.to_pylist(maps_as_pydicts="strict")
        return {row["ResourceId"]: row for row in rows}, problems

    return collected


def test_a_reserved_instance_stands_under_the_id_that_bills_carry(
    billing: Billing, collect: Collect
) -> None:
    billing.reserved.append(reserved())
    rows, problems = collect()
    assert problems == []
    (row,) = rows.values()
    assert row["ResourceId"] == "arn:aws:ec2:eu-west-1:410200000009:reserved-instances/11-aa"
    assert row["ResourceType"] == "Reserved Instance"
    assert row["ServiceName"] == "Amazon Elastic Compute Cloud"
    assert (row["SubAccountId"], row["RegionId"]) == ("410200000009", "eu-west-1")
    assert row["x_LaunchedAt"] == datetime(2026, 3, 1, tzinfo=UTC)
    assert row["x_InstanceType"] is None  # it is no machine
    assert row["Tags"] == {"team": "data"}
    # 876 over 8,760 hours is 0.10, and 0.05 an hour, for three.
    assert row["x_Attributes"] == {
        "end": "2027-03-01T00:00:00+00:00",
        "term": "1yr",
        "payment_option": "Partial Upfront",
        "hourly_commitment_usd": "0.45",
        "count": "3",
        "instance_type": "r6i.xlarge",
        "offering_class": "convertible",
        "scope": "Region",
        "platform": "Linux/UNIX",
        "tenancy": "default",
    }
    (asked,) = billing.asked("DescribeReservedInstances")
    assert (asked["Filter.1.Name"], asked["Filter.1.Value.1"]) == ("state", "active")


def test_reserved_databases_are_read_page_by_page_and_only_active_ones(
    billing: Billing, collect: Collect
) -> None:
    billing.databases += [database("a"), database("b", "retired"), database("c"), database("d")]
    rows, problems = collect()
    assert problems == []
    assert [arn.rsplit(":", 1)[-1] for arn in rows] == ["a", "c", "d"]
    row = rows["arn:aws:rds:eu-west-1:410200000009:ri:a"]
    assert row["ServiceName"] == RDS
    assert row["x_Attributes"]["hourly_commitment_usd"] == "0.25"
    assert row["x_Attributes"]["term"] == "3yr"
    assert row["x_Attributes"]["multi_az"] == "true"


def test_savings_plans_of_every_page(billing: Billing, collect: Collect) -> None:
    billing.plans += [
        plan("p1"),
        plan("p2", region="us-east-1", ec2InstanceFamily="m6i", savingsPlanType="EC2Instance"),
        plan("p3", state="retired"),
        plan("p4", currency="CNY"),
    ]
    rows, problems = collect()
    assert problems == []
    assert [arn.rsplit("/", 1)[-1] for arn in rows] == ["p1", "p2", "p4"]
    first, second, third = rows.values()
    assert first["RegionId"] is None
    assert first["ResourceType"] == "Savings Plan"
    assert first["Tags"] == {"owner": "finance"}
    assert first["x_Attributes"] == {
        "end": "2028-12-31T23:59:59+00:00",
        "term": "3yr",
        "payment_option": "No Upfront",
        "hourly_commitment_usd": "1.5",
        "plan_type": "Compute",
        "applies_to": "EC2, Fargate, Lambda",
    }
    assert second["RegionId"] == "us-east-1"
    assert second["x_Attributes"]["instance_family"] == "m6i"
    assert third["x_Attributes"]["hourly_commitment"] == "1.5"
    assert third["x_Attributes"]["currency"] == "CNY"


def test_utilization_is_paid_for_only_where_allowed(billing: Billing, collect: Collect) -> None:
    billing.reserved += [reserved("1"), reserved("2")]
    billing.databases += [database("d")]
    billing.plans += [plan("p")]
    region = "arn:aws:ec2:eu-west-1:410200000009:reserved-instances"
    billing.reservation_use += [
        used(EC2, "61.5", reservationARN=f"{region}/1"),
        used(EC2, "100", leaseId="2"),
        used(EC2, "7", leaseId="gone"),
        used(RDS, "0", reservationARN="arn:aws:rds:eu-west-1:410200000009:ri:d"),
    ]
    billing.plan_use.append(
        {
            "SavingsPlanArn": plan("p")["savingsPlanArn"],
            "Attributes": {},
            "Utilization": {"UtilizationPercentage": "88.25"},
        }
    )
    free, _ = collect()
    assert all("utilization_percent" not in row["x_Attributes"] for row in free.values())
    assert not [name for name, _ in billing.calls if name.startswith("Get") and "Util" in name]
    paid, problems = collect(cost_explorer=True)
    assert problems == []
    percents = [row["x_Attributes"]["utilization_percent"] for row in paid.values()]
    assert percents == ["61.5", "100", "0", "88.25"]
    asked = billing.asked("GetSavingsPlansUtilizationDetails")
    assert asked[0]["TimePeriod"] == {"Start": "2026-10-03", "End": "2026-11-02"}
    pages = len(billing.asked("GetReservationUtilization")) + len(asked)
    assert pages == UTILIZATION_REQUESTS + 1  # EC2's three groups take two of the stub's pages


def test_nothing_is_paid_for_where_there_are_no_commitments(
    billing: Billing, collect: Collect
) -> None:
    assert collect(cost_explorer=True) == ({}, [])
    assert not [name for name, _ in billing.calls if "Utilization" in name]


@pytest.mark.parametrize(
    ("refused", "fatal", "left"),
    [
        ("DescribeReservedInstances", True, 2),
        ("DescribeReservedDBInstances", True, 2),
        ("DescribeSavingsPlans", True, 2),
        ("GetReservationUtilization", False, 3),
        ("GetSavingsPlansUtilizationDetails", False, 3),
    ],
)
def test_what_is_refused_does_not_stop_the_rest(
    billing: Billing, collect: Collect, refused: str, fatal: bool, left: int
) -> None:
    billing.reserved.append(reserved())
    billing.databases.append(database("d"))
    billing.plans.append(plan("p"))
    billing.refused.add(refused)
    rows, problems = collect(cost_explorer=True)
    assert len(rows) == left
    assert problems
    assert all(refused in problem.where for problem in problems)
    assert {problem.fatal for problem in problems} == {fatal}


@pytest.mark.parametrize("amount", ["NaN", "Infinity", "-inf", "1e999"])
def test_an_amount_that_is_no_number_is_told_and_never_a_commitment(
    billing: Billing, collect: Collect, amount: str
) -> None:
    billing.reserved.append(reserved(fixedPrice=amount))
    billing.databases.append(database("d"))
    billing.plans += [plan("p"), plan("q", commitment=amount)]
    rows, problems = collect()
    assert [arn.rsplit("/", 1)[-1].rsplit(":", 1)[-1] for arn in rows] == ["d", "p"]
    assert [one.where.rsplit(" ", 1)[-1] for one in problems] == [
        "ec2:DescribeReservedInstances",
        "savingsplans:DescribeSavingsPlans",
    ]
    assert all(one.fatal for one in problems)


@pytest.mark.parametrize("percent", ["NaN", "", "Infinity"])
def test_a_utilization_that_is_no_number_is_told(
    billing: Billing, collect: Collect, percent: str
) -> None:
    billing.reserved.append(reserved("1"))
    billing.reservation_use.append(used(EC2, percent, leaseId="1"))
    rows, (problem,) = collect(cost_explorer=True)
    (row,) = rows.values()
    assert "utilization_percent" not in row["x_Attributes"]
    assert problem.where.endswith("ce:GetReservationUtilization")
    assert not problem.fatal
