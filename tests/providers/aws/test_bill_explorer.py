"""The bill as Cost Explorer tells it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest

from costopt import schema
from costopt.model import Window
from costopt.providers.aws import bill, costs
from costopt.providers.aws.access import own_account
from costopt.providers.aws.bill.explorer import requests_needed
from costopt.providers.aws.settings import AwsSettings
from costopt.providers.base import Problem
from tests.fakes.aws_billing import PAGE, Billing, serving

SPRING = Window(datetime(2026, 3, 10, tzinfo=UTC), datetime(2026, 4, 2, tzinfo=UTC))


def day(at: str, *groups: tuple[str, str, str, str], estimated: bool = False) -> dict[str, Any]:
    start = datetime.fromisoformat(at)
    return {
        "TimePeriod": {"Start": at, "End": f"{start + timedelta(days=1):%Y-%m-%d}"},
        "Estimated": estimated,
        "Groups": [
            {
                "Keys": [service, record],
                "Metrics": {
                    "UnblendedCost": {"Amount": billed, "Unit": "USD"},
                    "NetAmortizedCost": {"Amount": effective, "Unit": "USD"},
                },
            }
            for service, record, billed, effective in groups
        ],
    }


EC2 = "Amazon Elastic Compute Cloud - Compute"
DAYS = [
    day("2026-03-30", (EC2, "Usage", "10.5000000001", "10.5"), ("Tax", "Tax", "2", "2")),
    day("2026-03-31", (EC2, "SavingsPlanCoveredUsage", "4", "3"), (EC2, "Credit", "-1", "-1")),
    day("2026-03-31", (EC2, "SavingsPlanNegation", "-4", "0")),
    day("2026-04-01", ("Amazon SimpleDB", "Usage", "0.1", "0.1"), estimated=True),
]


@pytest.fixture
def billing(aws_environment: pytest.MonkeyPatch) -> Iterator[Billing]:
    with serving(Billing(costs=deepcopy(DAYS))) as found, pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL", found.url)
        yield found


@pytest.fixture
def collect(
    billing: Billing, settings: Callable[..., AwsSettings]
) -> Callable[..., tuple[pa.Table, list[Problem], dict[str, str]]]:
    def collected(
        held: dict[str, str] | None = None, window: Window | None = SPRING
    ) -> tuple[pa.Table, list[Problem], dict[str, str]]:
        home = own_account(settings(cost_explorer=True))
        problems: list[Problem] = []
        notes: dict[str, str] = {}
        tables = list(bill.charges(home, held or {}, window, problems, notes))
        whole = pa.concat_tables([schema.empty(schema.CHARGES), *tables])
        return whole, problems, notes

    return collected


def test_days_services_and_record_types_become_charges(collect: Any) -> None:
    table, problems, _ = collect()
    assert problems == []
    rows = table.to_pylist()
    assert [(r["ChargeCategory"], r["BilledCost"], r["EffectiveCost"]) for r in rows] == [
        ("Usage", Decimal("10.500000000100"), Decimal("10.5")),
        ("Tax", 2, 2),
        ("Usage", 4, 3),
        ("Credit", -1, -1),
        ("Usage", -4, 0),
        ("Usage", Decimal("0.1"), Decimal("0.1")),
    ]
    first = rows[0]
    assert first["ServiceCategory"] == "Compute"
    assert first["ChargePeriodStart"] == datetime(2026, 3, 30, tzinfo=UTC)
    assert first["ChargePeriodEnd"] == datetime(2026, 3, 31, tzinfo=UTC)
    assert first["BillingPeriodStart"] == datetime(2026, 3, 1, tzinfo=UTC)
    assert first["BillingPeriodEnd"] == datetime(2026, 4, 1, tzinfo=UTC)
    assert first["BillingAccountId"] == "410200000009"
    assert {r["ResourceId"] for r in rows} == {None}
    assert {r["ListCost"] for r in rows} == {None}  # not told, so not 0


def test_whole_months_are_asked_for_page_by_page(billing: Billing, collect: Any) -> None:
    collect()
    asked = billing.asked("GetCostAndUsage")
    spans = [(one["TimePeriod"]["Start"], one["TimePeriod"]["End"]) for one in asked]
    assert spans == [("2026-03-01", "2026-04-01")] * 2 + [("2026-04-01", "2026-05-01")]
    assert "NextPageToken" not in asked[0]
    assert asked[1]["NextPageToken"] == str(PAGE)
    assert requests_needed(SPRING) == 2


def test_a_month_that_is_final_is_not_paid_for_again(billing: Billing, collect: Any) -> None:
    _, _, notes = collect()
    assert notes == {
        "cost-explorer 410200000009 2026-03": "final",
        "cost-explorer 410200000009 2026-04": "so far",
    }
    billing.calls.clear()
    table, _, _ = collect(held=notes)
    assert table.num_rows == 1
    assert len(billing.asked("GetCostAndUsage")) == 1


def test_months_that_were_not_over_are_asked_for_until_they_are(
    billing: Billing, collect: Any
) -> None:
    own, other = "cost-explorer 410200000009", "cost-explorer 999900000000"
    held = {f"{own} 2026-02": "final", f"{own} 2026-03": "so far", f"{other} 2026-01": "so far"}
    table, problems, notes = collect(held=held, window=None)
    asked = billing.asked("GetCostAndUsage")
    spans = {(one["TimePeriod"]["Start"], one["TimePeriod"]["End"]) for one in asked}
    assert ("2026-03-01", "2026-04-01") in spans
    assert not {"2026-01-01", "2026-02-01"} & {start for start, _ in spans}
    assert notes[f"{own} 2026-03"] == "final"
    assert problems == []
    assert {f"{row['BillingPeriodStart']:%Y-%m}" for row in table.to_pylist()} >= {"2026-03"}


def test_a_refusal_is_told(billing: Billing, collect: Any) -> None:
    billing.refused.add("GetCostAndUsage")
    table, problems, notes = collect()
    assert table.num_rows == 0
    assert notes == {}
    assert [problem.fatal for problem in problems] == [True, True]
    assert "ce:GetCostAndUsage 2026-03" in problems[0].where


def test_requests_needed_are_those_of_the_months_up_to_now() -> None:
    now = datetime(2026, 3, 15, 12, tzinfo=UTC)
    assert requests_needed(None, now) == 2
    assert requests_needed(SPRING, now) == 1  # April is yet to come
    held = {"cost-explorer 1 2025-11": "so far", "cost-explorer 1 2026-03": "so far"}
    assert requests_needed(None, now, held) == 3
    assert requests_needed(None, now, held | {"cost-explorer 1 2025-11": "final"}) == 2


def test_the_estimate_is_an_upper_bound_and_says_so() -> None:
    now = datetime(2026, 3, 15, 12, tzinfo=UTC)
    asked = AwsSettings(cost_explorer=True)
    made = costs.estimate(asked, None, now)
    assert made.lines == ("Cost Explorer: up to 5 requests at $0.01: $0.05",)
    held = {"cost-explorer 1 2025-11": "so far"}
    made = costs.estimate(asked, None, now, held=held)
    assert made.lines == ("Cost Explorer: up to 6 requests at $0.01: $0.06",)
    assert made.usd == Decimal("0.06")


def spoilt(**metrics: Any) -> dict[str, Any]:
    """A day of April whose only group says something else of its costs."""
    one = day("2026-04-01", (EC2, "Usage", "1", "1"))
    one["Groups"][0]["Metrics"] |= metrics
    return one


@pytest.mark.parametrize("metric", ["UnblendedCost", "NetAmortizedCost"])
@pytest.mark.parametrize(
    "amount", ["NaN", "Infinity", "-inf", "1e999", "9e15", "", " ", "-", "N/A", "abc", None]
)
def test_an_amount_that_is_none_costs_its_month_and_is_told(
    billing: Billing, collect: Any, metric: str, amount: str | None
) -> None:
    told = {"Unit": "USD"} if amount is None else {"Amount": amount, "Unit": "USD"}
    billing.costs[-1] = spoilt(**{metric: told})
    table, (problem,), notes = collect()
    assert table.num_rows == 5
    assert list(notes) == ["cost-explorer 410200000009 2026-03"]
    assert problem.fatal
    assert problem.where == "410200000009 ce:GetCostAndUsage 2026-04"
    column = "BilledCost" if metric == "UnblendedCost" else "EffectiveCost"
    assert problem.what.startswith(f"{column} ")
    assert problem.what.endswith(": the month is left out")


def test_a_day_without_a_currency_or_time_costs_its_month(billing: Billing, collect: Any) -> None:
    billing.costs[-1] = spoilt(UnblendedCost={"Amount": "1"})
    assert "BillingCurrency is missing in 1 row" in collect()[1][0].what
    billing.costs[-1] = spoilt()
    billing.costs[-1]["TimePeriod"]["End"] = "soon"
    assert "ChargePeriodEnd is not a time in 1 row ('soon', say)" in collect()[1][0].what


@pytest.mark.parametrize("lacking", ["Estimated", "Groups", "Keys", "Metrics"])
def test_an_answer_that_lacks_something_is_told(
    billing: Billing, collect: Any, lacking: str
) -> None:
    del billing.costs[-1]["Groups"][0]["Keys"][1]
    assert "cannot be read" in collect()[1][0].what
    one = spoilt()
    billing.costs[-1] = one
    del (one if lacking in one else one["Groups"][0])[lacking]
    table, (problem,), _ = collect()
    assert table.num_rows == 5
    assert problem.fatal
