"""The legacy Cost and Usage Report, by the command line from S3 to advice."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import boto3
import pytest
from click.testing import CliRunner

from costopt.cli import costopt
from costopt.lake.store import Lake
from tests.fakes import aws_account, bill_export
from tests.fakes.aws_cloud import cloud

NOW = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
TODAY = NOW.replace(hour=0)
BILLED = 31  # days
HOURLY = Decimal("0.768")  # m6i.4xlarge on demand


def _month(day: datetime) -> datetime:
    return day.replace(day=1)


def item(resource: str, day: datetime, **more: Any) -> dict[str, Any]:
    """A day of a machine on demand, as the report has it."""
    return {
        **dict.fromkeys(bill_export.CUR_TYPES),
        "bill_bill_type": "Anniversary",
        "bill_billing_period_start_date": _month(day),
        "bill_billing_period_end_date": _month(_month(day) + timedelta(days=32)),
        "bill_invoicing_entity": "Amazon Web Services, Inc.",
        "bill_payer_account_id": "123456789012",
        "line_item_availability_zone": "us-east-1a",
        "line_item_currency_code": "USD",
        "line_item_line_item_type": "Usage",
        "line_item_operation": "RunInstances",
        "line_item_product_code": "AmazonEC2",
        "line_item_resource_id": resource,
        "line_item_unblended_cost": HOURLY * 24,
        "line_item_unblended_rate": str(HOURLY),
        "line_item_usage_account_id": "123456789012",
        "line_item_usage_amount": Decimal(24),
        "line_item_usage_start_date": day,
        "line_item_usage_end_date": day + timedelta(days=1),
        "line_item_usage_type": "BoxUsage:m6i.4xlarge",
        "pricing_public_on_demand_cost": HOURLY * 24,
        "pricing_public_on_demand_rate": str(HOURLY),
        "pricing_unit": "Hrs",
        "product": {"product_name": "Amazon Elastic Compute Cloud"},
        "product_instance_type": "m6i.4xlarge",
        "product_product_family": "Compute Instance",
        "product_region_code": "us-east-1",
        "resource_tags": {"user_team": "shop"},
        **more,
    }


def discount(resource: str, day: datetime) -> dict[str, Any]:
    """A quarter off, as a line of its own."""
    off = {
        "line_item_line_item_type": "EdpDiscount",
        "line_item_unblended_cost": -HOURLY * 6,
        "line_item_usage_amount": None,
        "pricing_public_on_demand_cost": None,
    }
    return item(resource, day, **off)


def deliver(form: str, rows: list[dict[str, Any]]) -> None:
    """A month of the report into the bucket, as CSV or as Athena's Parquet."""
    month = rows[0]["bill_billing_period_start_date"]
    client = boto3.client("s3")

    def put(key: str, content: bytes) -> None:
        client.put_object(Bucket="bills", Key=key, Body=content)

    half = len(rows) // 2
    if form == "csv":
        files = [bill_export.legacy_csv(part) for part in (rows[:half], rows[half:])]
        bill_export.legacy_export(put, "csv/report", month, files, assembly="a-1")
    else:
        files = [bill_export.legacy_parquet(part) for part in (rows[:half], rows[half:])]
        bill_export.athena_export(put, "parquet/report", month, files)


@pytest.fixture(scope="module")
def machines() -> Iterator[list[str]]:
    """Two machines, one of them at a discount, and their bill in both forms."""
    with cloud(NOW):
        ids = aws_account.machines(aws_account.own(), "us-east-1", "m6i.4xlarge", 2)
        boto3.client("s3").create_bucket(Bucket="bills")
        months: dict[datetime, list[dict[str, Any]]] = {}
        for day in (TODAY - timedelta(days=n) for n in range(1, BILLED + 1)):
            rows = [*(item(one, day) for one in ids), discount(ids[1], day)]
            months.setdefault(_month(day), []).extend(rows)
        for form in ("csv", "parquet"):
            for rows in months.values():
                deliver(form, rows)
        yield ids


def run(*words: str | Path) -> str:
    done = CliRunner().invoke(costopt, [str(word) for word in words], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.output


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_a_legacy_report_leads_to_advice(machines: list[str], tmp_path: Path, form: str) -> None:
    words = ["--region", "us-east-1", "--days", "14", "--until", NOW.isoformat()]
    words += ["--max-attempts", "2", "--export", f"s3://bills/{form}"]
    told = run("collect", "aws", *words, "--home", tmp_path)
    assert f"charges                {3 * BILLED} new rows" in told
    charges = Lake(tmp_path / "lake").read_charges().to_pylist(maps_as_pydicts="strict")
    assert {row["Tags"]["team"] for row in charges} == {"shop"}

    advice = json.loads(run("recommend", "--format", "json", "--home", tmp_path))
    # 730 hours a month, of one machine at list price and of one at three quarters of it.
    monthly = {machines[0]: HOURLY * 730, machines[1]: HOURLY * 730 * 3 / 4}
    assert Decimal(str(advice["summary"]["monthly_spend"])) == sum(monthly.values())
    costs = {
        one["resource_id"]: Decimal(str(one["current_monthly_cost"]))
        for one in advice["recommendations"]
        if one["rule"] != "commit"
    }
    assert costs == monthly

    again = run("collect", "aws", *words, "--skip", "metrics", "--home", tmp_path)
    assert "nothing new" in again
