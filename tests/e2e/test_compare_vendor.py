"""From AWS Compute Optimizer to `costopt recommend --compare-vendor`, by the command line alone."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from costopt.lake.store import Lake
from tests.e2e.conftest import Leave, Left
from tests.fakes import aws_account
from tests.fakes.aws_cloud import Cloud, cloud

NOW = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
REGION = "us-east-1"
ASKED = ("--region", REGION, "--days", "20", "--until", NOW.isoformat(), "--max-attempts", "1")


@pytest.fixture(scope="module")
def aws() -> Iterator[Cloud]:
    """Three quiet machines of 16 vCPUs, and a disk."""
    with cloud(NOW) as made:
        clients = aws_account.own()
        aws_account.machines(clients, REGION, "m6i.4xlarge", 3)
        yield made


def _collected(leave: Leave, home: Path) -> Left:
    done = leave("collect", "aws", *ASKED, "--home", home)
    assert "Traceback" not in done.stderr
    return done


def _machines(home: Path) -> list[str]:
    rows = Lake(home / "lake").read("resources").to_pylist()
    return sorted(row["ResourceId"] for row in rows if row["x_InstanceType"])


def test_what_compute_optimizer_says_stands_beside_ours(
    aws: Cloud, tmp_path: Path, leave: Leave
) -> None:
    aws.ordinary()
    assert _collected(leave, tmp_path).returncode == 0
    same, other, silent = _machines(tmp_path)
    advice = json.loads(leave("recommend", "--format", "json", "--home", tmp_path).stdout)
    chosen = {
        one["resource_id"]: one["recommended"]["instance_type"] for one in advice["recommendations"]
    }
    asked = leave("recommend", "--compare-vendor", "--home", tmp_path)
    assert asked.returncode == 0  # who was asked and says nothing was asked
    assert "3 only us" in asked.stdout

    aws.optimizer.instance(REGION, same, "m6i.4xlarge", chosen[same], saves=400)
    aws.optimizer.instance(REGION, other, "m6i.4xlarge", "m6i.2xlarge", saves=280.32)
    again = _collected(leave, tmp_path)
    assert "advice" in again.stderr
    assert "2 new rows" in again.stderr
    done = leave("recommend", "--compare-vendor", "--format", "json", "--home", tmp_path)
    found = json.loads(done.stdout)
    rows = {one["resource_id"]: one for one in found["compared"]}
    assert {key: row["verdict"] for key, row in rows.items()} == {
        same: "agree",
        other: "same direction",
        silent: "only us",
    }
    assert found["totals"]["claimed_monthly_savings"] == 680.32
    # 8 of 16 vCPUs at 0.048 dollars an hour, as the built-in list has it for us-east-1
    assert rows[other]["vendor_judged"]["monthly_savings"] == 280.32
    table = leave("recommend", "--compare-vendor", "--home", tmp_path).stdout
    assert "1 same direction · 1 agree" in table.replace("1 only us · ", "")
    story = leave("recommend", "--explain", other, "--home", tmp_path).stdout
    assert "What the vendor says" in story

    aws.optimizer.items.clear()  # taken back
    _collected(leave, tmp_path)
    assert "3 only us" in leave("recommend", "--compare-vendor", "--home", tmp_path).stdout


def test_an_account_that_did_not_opt_in(aws: Cloud, tmp_path: Path, leave: Leave) -> None:
    aws.ordinary()
    aws.optimizer.opted_in = False
    done = _collected(leave, tmp_path)
    assert done.returncode == 0  # no data are missing
    assert done.stderr.count("not opted in") == 1
    left = leave("recommend", "--compare-vendor", "--home", tmp_path)
    assert left.returncode == 3
    assert "no vendor's recommendations were collected" in left.stderr
