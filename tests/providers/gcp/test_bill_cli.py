"""The bill out of BigQuery, by the command line into the lake."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from click.testing import CliRunner

from costopt.cli import costopt
from costopt.lake.store import Lake
from tests.fakes import gcp_cloud, gcp_export
from tests.fakes.bigquery import BigQuery
from tests.providers.gcp.bills import TABLE

PROJECT = "shop-prod-1"
WORDS = ("--project", PROJECT, "--billing-table", TABLE, "--skip", "metrics", "--skip", "prices")


def run(home: Path, *words: str, exit_code: int = 0) -> str:
    given = ["collect", "gcp", *WORDS, "--skip", "advice", *words, "--home", str(home)]
    done = CliRunner().invoke(costopt, given, catch_exceptions=False)
    assert done.exit_code == exit_code, done.output
    return done.output


def day(number: int, cost: float, thing: gcp_cloud.Thing) -> gcp_export.Row:
    """A day of the machine, which the bill knows by numbers alone."""
    start = datetime(2026, 9, 1, 7, tzinfo=UTC) + timedelta(days=number)
    zone = f"projects/{gcp_export.number(PROJECT)}/zones/{gcp_cloud.ZONE}"
    return gcp_export.line(
        usage_start_time=start,
        usage_end_time=start + timedelta(days=1),
        export_time=start + timedelta(hours=30),
        cost=cost,
        resource={"global_name": f"//compute.googleapis.com/{zone}/instances/{thing['id']}"},
    )


@pytest.fixture
def machine(gcp: gcp_cloud.Cloud) -> gcp_cloud.Thing:
    return gcp.project(PROJECT).instance("web-1")


def test_bills_join_the_inventory_and_restated_months_replace_what_was_told(
    gcp: gcp_cloud.Cloud, machine: gcp_cloud.Thing, tmp_path: Path
) -> None:
    bigquery = BigQuery(gcp.rest)
    lines = [day(number, 2.5, machine) for number in range(20)]
    bigquery.put(TABLE, gcp_export.table(lines), "_PARTITIONTIME")
    told = run(tmp_path)
    assert "BigQuery" in told  # what it costs is said
    assert _lake(tmp_path) == {_id(): Decimal(50)}
    queries = len(bigquery.queries)
    assert "nothing new" in run(tmp_path)
    assert len(bigquery.queries) == queries
    lines = [day(number, 2.0, machine) for number in range(10)]  # restated, and shorter
    bigquery.put(TABLE, gcp_export.table(lines), "_PARTITIONTIME")
    run(tmp_path)
    assert _lake(tmp_path) == {_id(): Decimal(20)}


def test_a_dry_run_queries_nothing_and_says_the_cost(
    gcp: gcp_cloud.Cloud, machine: gcp_cloud.Thing, tmp_path: Path
) -> None:
    bigquery = BigQuery(gcp.rest, weight=1 << 31)
    bigquery.put(TABLE, gcp_export.table([day(0, 1.0, machine)]), "_PARTITIONTIME")
    assert "per TiB" in run(tmp_path, "--dry-run")
    above = run(tmp_path, "--max-api-cost", "0.001", exit_code=4)
    assert "$6.76 for the calls, above the limit of $0.001" in above
    assert (bigquery.billed, bigquery.queries) == (0, [])


def _id() -> str:
    zone = f"projects/{PROJECT}/zones/{gcp_cloud.ZONE}"
    return f"//compute.googleapis.com/{zone}/instances/web-1"


def _lake(home: Path) -> dict[str, Decimal]:
    found: dict[str, Decimal] = {}
    for row in Lake(home / "lake").read_charges().to_pylist():
        found[row["ResourceId"]] = found.get(row["ResourceId"], Decimal(0)) + row["EffectiveCost"]
    return found
