"""The bill out of BigQuery: capped, only what is new, each month whole or not at all."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from costopt.model import Window
from costopt.providers.base import Problem
from costopt.providers.gcp import bill
from costopt.providers.gcp.access import Access
from tests.fakes import gcp_cloud, gcp_export
from tests.fakes.bigquery import BigQuery
from tests.fakes.gcp_rest import error
from tests.providers.gcp.bills import TABLE, collect, demo_bill, lines, sums
from tests.providers.gcp.conftest import Opened

LATER = datetime(2026, 10, 20, tzinfo=UTC)


@pytest.fixture
def bigquery(gcp: gcp_cloud.Cloud) -> BigQuery:
    made = BigQuery(gcp.rest)
    made.put(TABLE, gcp_export.table(lines()), "_PARTITIONTIME")
    return made


@pytest.fixture
def access(opened: Opened, bigquery: BigQuery) -> Access:
    return opened(billing_table=TABLE)


def test_the_demo_comes_back_to_the_cent(access: Access) -> None:
    found = collect(access)
    assert found.problems == []
    for column in ("BilledCost", "EffectiveCost", "ListCost"):
        wanted = sums(demo_bill(), column, "BillingPeriodStart")
        assert sums(found.bill, column, "BillingPeriodStart") == wanted
    wanted = sums(demo_bill(), "EffectiveCost", "ResourceId")
    assert len(wanted) > 10  # machines and disks; the fee was used throughout and is nobody's
    assert sums(found.bill, "EffectiveCost", "ResourceId") == wanted


def test_pages_give_the_same(access: Access, bigquery: BigQuery) -> None:
    bigquery.page = 37
    assert sums(collect(access).bill, "BilledCost", "ResourceId") == sums(
        demo_bill(), "EffectiveCost", "ResourceId"
    )


def test_a_table_as_it_was_is_not_queried(access: Access, bigquery: BigQuery) -> None:
    first = collect(access)
    asked = len(bigquery.queries)
    again = collect(access, first.notes)
    assert again.tables == []
    assert len(bigquery.queries) == asked
    said = bill.estimate(access, first.notes, [])
    assert said.usd == 0
    assert "unchanged" in said.lines[0]


def test_a_view_is_looked_at_each_time_and_only_new_months_are_read(
    opened: Opened, bigquery: BigQuery
) -> None:
    bigquery.put(TABLE, gcp_export.table(lines(), partitioned=False))
    bigquery.views.add(TABLE)
    first = collect(opened(billing_table=TABLE))
    assert collect(opened(billing_table=TABLE), first.notes).tables == []
    late = gcp_export.line(cost=7.25, export_time=LATER, invoice={"month": "202610"})
    bigquery.put(TABLE, gcp_export.table([*lines(), late], partitioned=False))
    assert "unchanged" not in bill.estimate(opened(billing_table=TABLE), first.notes, []).lines[0]
    again = collect(opened(billing_table=TABLE), first.notes)
    assert list(sums(again.bill, "BilledCost", "BillingPeriodStart")) == [("2026-10",)]


def test_lines_of_no_invoice_month_are_told_each_time(opened: Opened, bigquery: BigQuery) -> None:
    lost = gcp_export.line(invoice={"month": None})
    bigquery.put(TABLE, gcp_export.table([*lines(), lost, lost]), "_PARTITIONTIME")
    first = collect(opened(billing_table=TABLE))
    assert len(sums(first.bill, "BilledCost", "BillingPeriodStart")) == 3
    for found in (first, collect(opened(billing_table=TABLE), first.notes)):
        (problem,) = found.problems
        assert "2 lines without invoice.month" in problem.what
        assert problem.fatal


def test_only_restated_months_are_read(opened: Opened, bigquery: BigQuery) -> None:
    first = collect(opened(billing_table=TABLE))
    late = gcp_export.line(cost=7.25, export_time=LATER, invoice={"month": "202610"})
    bigquery.put(TABLE, gcp_export.table([*lines(), late]), "_PARTITIONTIME")
    before = len(bigquery.queries)
    again = collect(opened(billing_table=TABLE), first.notes)
    assert len(bigquery.queries) - before == 2  # which months there are, and one of them
    (month,) = sums(again.bill, "BilledCost", "BillingPeriodStart")
    assert month == ("2026-10",)
    wanted = sums(first.bill, "BilledCost", "BillingPeriodStart")[month] + Decimal("7.25")
    assert sums(again.bill, "BilledCost", "BillingPeriodStart")[month] == wanted


def test_estimates_count_open_months_only_and_cost_nothing(
    opened: Opened, bigquery: BigQuery
) -> None:
    bigquery.weight = 1_000_000
    whole = bill.estimate(opened(billing_table=TABLE), {}, [])
    notes = {f"bill {TABLE} 2026-{m}": "x" for m in ("09", "10", "11")} | {
        f"bill {TABLE} 2026-{m} since": f"2026-{m}-01T00:00:00+00:00" for m in ("09", "10", "11")
    }
    part = bill.estimate(opened(billing_table=TABLE), notes, [])
    assert 0 < part.usd < whole.usd
    assert "at $6.25 per TiB" in whole.lines[0]
    assert bigquery.billed == 0


def test_no_query_costs_more_than_it_may(access: Access, bigquery: BigQuery) -> None:
    bigquery.weight = 1_000_000  # a month is some 200 GB then
    found = collect(access, most="0.000001")
    assert found.tables == []
    assert bigquery.billed == 0
    assert "bytes billed" in found.said()
    assert found.problems[0].fatal


def test_what_is_spent_on_one_month_is_not_there_for_the_next(
    access: Access, bigquery: BigQuery
) -> None:
    least = Decimal("6.25") * (10 << 20) / (1 << 40)
    found = collect(access, most=str(least * 2))
    assert list(sums(found.bill, "BilledCost", "BillingPeriodStart")) == [("2026-09",)]
    assert len([one for one in found.problems if one.fatal]) == 2
    assert bigquery.billed == 2 * (10 << 20)


@pytest.mark.parametrize("cost", [float("nan"), None])
def test_a_month_with_a_cost_that_is_none_is_left_out_and_told(
    opened: Opened, bigquery: BigQuery, cost: float | None
) -> None:
    bad = gcp_export.line(cost=cost, invoice={"month": "202610"}, export_time=LATER)
    bigquery.put(TABLE, gcp_export.table([*lines(), bad]), "_PARTITIONTIME")
    found = collect(opened(billing_table=TABLE))
    months = {key[0] for key in sums(found.bill, "BilledCost", "BillingPeriodStart")}
    assert months == {"2026-09", "2026-11"}
    (problem,) = found.problems
    assert problem.fatal
    assert "2026-10" in problem.where
    assert problem.what.startswith("cost ")
    assert f"bill {TABLE}" not in found.notes  # asked for again
    assert f"bill {TABLE} 2026-10" not in found.notes


def test_a_window_asks_for_its_months(access: Access) -> None:
    window = Window(datetime(2026, 10, 5, tzinfo=UTC), datetime(2026, 10, 6, tzinfo=UTC))
    found = collect(access, window=window)
    assert list(sums(found.bill, "BilledCost", "BillingPeriodStart")) == [("2026-10",)]


def test_throttling_is_waited_for_and_a_job_is_not_paid_twice(
    access: Access, gcp: gcp_cloud.Cloud, bigquery: BigQuery, waits: list[float]
) -> None:
    gcp.fail("bigquery.", error(503, "busy", "backendError"), times=3)
    assert collect(access).problems == []
    assert len(waits) >= 3
    assert bigquery.billed == 4 * (10 << 20)  # which months there are, and three of them


def test_what_is_refused_is_told(access: Access, gcp: gcp_cloud.Cloud) -> None:
    gcp.fail("bigquery.tables.get", error(403, "Access Denied: Table", "accessDenied"), times=99)
    found = collect(access)
    assert found.tables == []
    assert "Access Denied" in found.said()
    problems: list[Problem] = []
    assert bill.estimate(access, {}, problems).usd == 0
    assert problems[0].fatal


def test_who_may_not_query_is_told_so_in_one_way(access: Access, gcp: gcp_cloud.Cloud) -> None:
    message = "Access Denied: User does not have bigquery.jobs.create permission"
    gcp.fail("bigquery.jobs.insert", error(403, message, "accessDenied"), times=99)
    problems: list[Problem] = []
    bill.estimate(access, {}, problems)
    assert collect(access).problems == problems
    assert "Job ID" not in problems[0].what


def test_a_table_of_something_else_is_told(access: Access, bigquery: BigQuery) -> None:
    bigquery.put(TABLE, gcp_export.table(lines()).drop_columns(["credits", "invoice"]))
    found = collect(access)
    assert found.tables == []
    assert "lacks invoice.month, credits" in found.said()
    assert "gcp_billing_export_resource_v1" in found.said()


@pytest.mark.parametrize("partition", [None, "usage_start_time"])
def test_a_copy_of_the_table_has_other_parts_or_none(
    opened: Opened, bigquery: BigQuery, partition: str | None
) -> None:
    rows = gcp_export.table(lines(), partitioned=False)
    bigquery.put(TABLE, rows, partition)
    found = collect(opened(billing_table=TABLE))
    assert found.problems == []
    wanted = sums(demo_bill(), "EffectiveCost", "BillingPeriodStart")
    assert sums(found.bill, "EffectiveCost", "BillingPeriodStart") == wanted


def test_an_old_line_of_a_month_is_found_by_its_partition(
    opened: Opened, bigquery: BigQuery
) -> None:
    old = gcp_export.line(export_time=LATER - timedelta(days=60), invoice={"month": "202610"})
    bigquery.put(TABLE, gcp_export.table([old]), "_PARTITIONTIME")
    assert collect(opened(billing_table=TABLE)).total == Decimal("1.5")
