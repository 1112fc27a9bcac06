"""An organization on a moto server, collected, looked at and advised on by the command line."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from pathlib import Path

import boto3
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from costopt.lake import packed
from costopt.lake.store import Lake
from costopt.providers.demo import DemoProvider
from tests.e2e.conftest import Leave, Left
from tests.fakes import aws_account, bill_export
from tests.fakes.aws_cloud import Cloud, cloud
from tests.fakes.aws_front import Answer, Call, refused

NOW = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
REGIONS = ("us-east-1", "eu-west-1")
ASKED = (
    *(word for region in REGIONS for word in ("--region", region)),
    *("--days", "2", "--until", NOW.isoformat(), "--max-attempts", "2"),
)
SECRETS = ("PLANTEDsecretKEY0123456789abcdefghijklmn", "PLANTEDtoken/9876543210zyxwvutsrqponmlk")


@pytest.fixture(scope="module")
def aws() -> Iterator[Cloud]:
    """Three accounts in two regions, and the demo's bill in a bucket."""
    with cloud(NOW) as made:
        made.members = aws_account.organization(["shop", "lab"])
        for clients in (
            aws_account.own(),
            *(aws_account.member(one) for one in made.members.values()),
        ):
            aws_account.machines(clients, "us-east-1", "m6i.4xlarge", 2, {"Name": "=cmd()\u202e"})
            aws_account.machines(clients, "eu-west-1", "m6i.2xlarge", 1)
        aws_account.populate(aws_account.own(), "us-east-1")
        _bills(_demo())
        yield made


@pytest.fixture
def ordinary(aws: Cloud) -> Cloud:
    aws.ordinary()
    return aws


@cache
def _demo() -> pa.Table:
    bill = pa.concat_tables(DemoProvider(instances=20).charges(None))
    return bill.filter(pc.equal(bill.column("ProviderName"), "AWS"))


def _month(table: pa.Table) -> list[str]:
    return list(pc.strftime(table.column("BillingPeriodStart"), "%Y-%m").to_pylist())


def _bills(bill: pa.Table) -> None:
    """The same bill twice: as FOCUS, and as CUR 2.0."""
    s3 = boto3.client("s3")
    s3.create_bucket(Bucket="bills")

    def put(key: str, content: bytes) -> None:
        s3.put_object(Bucket="bills", Key=key, Body=content)

    for month in sorted(set(_month(bill))):
        mine = bill.filter(pa.array([one == month for one in _month(bill)]))
        items = bill_export.line_items(mine.to_pylist(maps_as_pydicts="strict"))
        bill_export.data_export(put, "focus/daily", month, [bill_export.focus_parquet(mine)])
        bill_export.data_export(put, "cur/daily", month, [bill_export.cur_parquet(items)])


Collect = Callable[..., Left]


@pytest.fixture
def costopt(leave: Leave) -> Leave:
    """A command, which breaks nothing off."""

    def call(*words: str | Path) -> Left:
        done = leave(*words)
        assert "Traceback" not in done.stderr, done.stderr
        return done

    return call


@pytest.fixture
def collect(costopt: Leave) -> Collect:
    """`costopt collect aws` into that home."""
    return lambda home, *words: costopt("collect", "aws", *ASKED, *words, "--home", home)


def everything(home: Path) -> dict[str, object]:
    """What the lake holds, without when it was written."""
    lake = Lake(home / "lake")
    order = [(name, "ascending") for name in ("ResourceId", "MetricName", "Statistic", "Day")]
    samples = pa.concat_tables(packed.scan(lake))
    return {
        "samples": samples.select([*(name for name, _ in order), "Samples"]).sort_by(order),
        **{name: lake.read(name) for name in ("resources", "shapes", "prices")},  # type: ignore[arg-type]
    }


def test_from_an_organization_to_advice(
    ordinary: Cloud, tmp_path: Path, collect: Collect, costopt: Leave
) -> None:
    done = collect(tmp_path, "--organization", "--days", "20")
    assert done.returncode == 0, done.stderr
    assert "CloudWatch GetMetricData: " in done.stderr
    assert done.stderr.index("at $0.01 per") < done.stderr.index("collected from aws")
    rows = Lake(tmp_path / "lake").read("resources").to_pylist()
    machines = {row["ResourceId"]: row for row in rows if row["x_InstanceType"]}
    where = {(row["SubAccountId"], row["RegionId"]) for row in machines.values()}
    accounts = {aws_account.MANAGEMENT, *ordinary.members.values()}
    assert where == {(account, region) for account in accounts for region in REGIONS}

    doctor = costopt("doctor", "--home", tmp_path)
    assert doctor.returncode == 0, doctor.stdout
    advice = json.loads(costopt("recommend", "--format", "json", "--home", tmp_path).stdout)
    smaller = {
        one["resource_id"]: one
        for one in advice["recommendations"]
        if one["action_type"] == "Rightsize"
    }
    large = {key for key, row in machines.items() if row["x_InstanceType"] == "m6i.4xlarge"}
    assert len(large) == 6
    assert large <= smaller.keys()
    assert all(smaller[key]["recommended"]["vcpus"] < 16 for key in large)
    table = costopt("recommend", "--home", tmp_path).stdout
    assert "\u202e" not in table


def test_a_second_collect_adds_nothing_and_asks_for_little(
    ordinary: Cloud, tmp_path: Path, collect: Collect
) -> None:
    assert collect(tmp_path).returncode == 0
    before, calls = everything(tmp_path), ordinary.front.counted()["monitoring:GetMetricData"]
    ordinary.front.calls.clear()
    again = collect(tmp_path)
    assert "nothing new" in again.stderr
    assert everything(tmp_path) == before
    assert ordinary.front.counted()["monitoring:GetMetricData"] < calls


def test_kill_9_in_the_middle_and_again_equals_an_undisturbed_one(
    ordinary: Cloud, tmp_path: Path, collect: Collect
) -> None:
    some = (*ASKED, "--days", "4")
    assert collect(tmp_path / "whole", *some).returncode == 0
    half = ordinary.front.counted()["monitoring:GetMetricData"] // 2
    assert half
    reached, go_on = threading.Event(), threading.Event()
    asked = iter(range(1_000_000))

    def stuck(call: Call) -> Answer | None:
        if call.action == "GetMetricData" and next(asked) >= half:
            reached.set()
            go_on.wait(60)
        return None

    ordinary.front.rules.insert(0, stuck)
    home = tmp_path / "killed"
    running = subprocess.Popen(
        [sys.executable, "-m", "costopt", "collect", "aws", *some, "--home", str(home)],
        stderr=subprocess.DEVNULL,
    )
    assert reached.wait(60)
    running.send_signal(signal.SIGKILL)
    assert running.wait(30) == -signal.SIGKILL
    go_on.set()
    assert Lake(home / "lake").read("resources").num_rows  # what was there before is kept
    ordinary.ordinary()
    assert collect(home, *some).returncode == 0
    assert everything(home) == everything(tmp_path / "whole")
    assert not list((home / "lake" / "staging").glob("*"))


def test_what_one_account_and_region_refuse_does_not_stop_the_rest(
    ordinary: Cloud, tmp_path: Path, collect: Collect
) -> None:
    shut = ordinary.members["lab"]

    def deny(call: Call) -> Answer | None:
        if call.action == "AssumeRole" and shut in call.fields["RoleArn"]:
            return refused(call, "AccessDenied", "is not authorized to perform: sts:AssumeRole")
        if call.action == "DescribeVolumes" and call.region == "eu-west-1":
            return refused(call, "UnauthorizedOperation", "You are not authorized.")
        if call.service == "monitoring" and call.region == "eu-west-1":
            return refused(call, "AccessDeniedException", "no cloudwatch:GetMetricData for you")
        return None

    ordinary.front.rules.insert(0, deny)
    done = collect(tmp_path, "--organization")
    assert done.returncode == 4
    assert f"MISSING {shut} lab role costopt" in done.stderr
    assert "eu-west-1 ec2:DescribeVolumes" in done.stderr
    assert "eu-west-1 cloudwatch:GetMetricData" in done.stderr
    lake = Lake(tmp_path / "lake")
    rows = lake.read("resources").to_pylist()
    assert {row["SubAccountId"] for row in rows} == {
        aws_account.MANAGEMENT,
        ordinary.members["shop"],
    }
    measured = {name for table in packed.scan(lake) for name in table["ResourceId"].to_pylist()}
    east = {r["ResourceId"] for r in rows if r["RegionId"] == "us-east-1" and r["x_InstanceType"]}
    assert len(measured & east) >= 8
    assert not measured & {r["ResourceId"] for r in rows if r["RegionId"] == "eu-west-1"}


@pytest.mark.parametrize("kind", ["focus", "cur"])
def test_the_export_of_the_demos_bill_comes_back_to_the_cent(
    ordinary: Cloud, tmp_path: Path, collect: Collect, kind: str
) -> None:
    done = collect(tmp_path, "--skip", "metrics", "--export", f"s3://bills/{kind}")
    assert done.returncode == 0, done.stderr
    found, true = Lake(tmp_path / "lake").read_charges(), _demo()
    assert found.num_rows
    newest = max(_month(true))
    for column in ("BilledCost", "EffectiveCost"):
        tables = [found, true]
        if kind == "cur" and column == "EffectiveCost":
            # The demo's support fee is a share of each day's costs, billed and effective: one while
            # the month is under way is not the other. AWS has a single cost of the fee, which is
            # CUR's only one.
            tables = [_without_support(table, newest) for table in tables]
        sums = [_by_month(table, column) for table in tables]
        assert sums[0].keys() == sums[1].keys()
        for month in sums[1]:
            assert abs(sums[0][month] - sums[1][month]) < Decimal("0.01"), (column, month)
    again = collect(tmp_path, "--skip", "metrics", "--export", f"s3://bills/{kind}")
    assert "nothing new" in again.stderr
    assert Lake(tmp_path / "lake").read_charges().equals(found)


def _without_support(bill: pa.Table, month: str) -> pa.Table:
    support = pc.equal(bill.column("ServiceName"), "AWS Support (Developer)").combine_chunks()
    there = pa.array([one == month for one in _month(bill)])
    assert pc.any(pc.and_(support, there)).as_py()
    return bill.filter(pc.invert(pc.and_(support, there)))


def _by_month(bill: pa.Table, column: str) -> dict[str, Decimal]:
    sums: dict[str, Decimal] = {}
    for month, cost in zip(_month(bill), bill.column(column).to_pylist(), strict=True):
        sums[month] = sums.get(month, Decimal(0)) + cost
    return sums


def test_nothing_paid_is_asked_above_the_limit_or_in_a_dry_run(
    ordinary: Cloud, tmp_path: Path, collect: Collect
) -> None:
    dry = collect(tmp_path, "--dry-run")
    assert dry.returncode == 0, dry.stderr
    assert "dry run: none of these calls is made" in dry.stderr
    assert "nothing was collected" in dry.stderr
    assert not list(tmp_path.rglob("*.parquet"))
    above = collect(tmp_path, "--max-api-cost", "0.0001")
    assert above.returncode == 4
    assert "raise --max-api-cost" in above.stderr
    assert ordinary.front.counted()["monitoring:GetMetricData"] == 0
    assert Lake(tmp_path / "lake").read("resources").num_rows


LOGGED = """
import logging, sys
logging.basicConfig(level=logging.DEBUG, filename={log!r})
logging.debug("everything is logged")
from costopt.cli import main
sys.argv = ["costopt", *{words!r}]
main()
"""


def test_no_secret_is_logged_told_or_kept(ordinary: Cloud, tmp_path: Path) -> None:
    key, token = SECRETS

    def deny(call: Call) -> Answer | None:
        if call.action == "DescribeAddresses":
            return refused(call, "AccessDenied", f"token={token} of key {key} is not authorized")
        return None

    ordinary.front.rules.insert(0, deny)
    home, log = tmp_path / "home", tmp_path / "debug.log"
    words = ["collect", "aws", "--region", "us-east-1", "--days", "1", "--home", str(home)]
    words += ["--export", "s3://bills/focus", "--organization", "--external-id", "e-1"]
    script = LOGGED.format(log=str(log), words=words)
    planted = {"AWS_SECRET_ACCESS_KEY": key, "AWS_SESSION_TOKEN": token}
    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        env={**os.environ, **planted},
        check=False,
    )
    assert b"MISSING" in done.stderr, done.stderr
    written = [path.read_bytes() for path in home.rglob("*") if path.is_file()]
    assert len(written) > 4
    assert "everything is logged" in log.read_text()
    signature = b"X-Amz-Signature", b"AWS4-HMAC-SHA256"
    for text in (done.stdout, done.stderr, log.read_bytes(), *written):
        for secret in (key.encode(), token.encode(), *signature):
            assert secret not in text
