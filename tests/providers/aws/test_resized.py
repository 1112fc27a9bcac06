"""A resized machine: its new size counts from the start with it, neither earlier nor later."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import pyarrow as pa
import pytest
from moto.ec2.models import ec2_backends

from costopt import pipeline, schema
from costopt.frame.inventory import newest, present
from costopt.lake.store import Lake
from costopt.model import Resource
from costopt.providers.aws import AwsProvider
from costopt.providers.aws.inventory.resized import dated
from costopt.providers.aws.settings import AwsSettings
from tests.fakes import aws_account

REGION = "eu-north-1"
NOW = datetime.now(UTC).replace(microsecond=0)
HOUR = timedelta(hours=1)
FIRST = NOW - 100 * HOUR
LARGE = {"x_InstanceType": "m5.xlarge", "x_vCPUs": 4.0}


def row(**columns: Any) -> dict[str, Any]:
    plain = {"ProviderName": "AWS", "ResourceId": "i-1", "x_InstanceType": "m5.large"}
    return plain | {"x_vCPUs": 2.0, "x_LaunchedAt": FIRST} | columns


def since(known: dict[str, Any], listed: dict[str, Any]) -> datetime | None:
    """x_ObservedAt of what is listed, where the lake knows the other."""
    before = newest(pa.Table.from_pylist([known], schema=schema.RESOURCES))
    table = dated(pa.Table.from_pylist([listed], schema=schema.RESOURCES), before, NOW)
    assert table.schema.equals(schema.RESOURCES)
    (found,) = table.to_pylist(maps_as_pydicts="strict")
    moment: datetime | None = found.pop("x_ObservedAt")
    (same,) = pa.Table.from_pylist([listed], schema=schema.RESOURCES).to_pylist(
        maps_as_pydicts="strict"
    )
    assert found | {"x_ObservedAt": None} == same
    return moment


STOPPED = {"x_State": "stopped", "x_Attributes": {"stopped_at": (NOW - 2 * HOUR).isoformat()}}


@pytest.mark.parametrize(
    ("known", "listed", "hours_ago"),
    [
        ({}, LARGE | {"x_LaunchedAt": NOW - 5 * HOUR}, 5),
        ({"x_ObservedAt": NOW - 50 * HOUR}, LARGE | {"x_LaunchedAt": NOW - 5 * HOUR}, 5),
        ({}, {"x_vCPUs": 1.0, "x_LaunchedAt": NOW - 5 * HOUR}, 5),  # vCPUs switched off
        ({}, LARGE | {"x_LaunchedAt": NOW + 5 * HOUR}, 0),  # their clock is ahead
        ({}, LARGE | STOPPED, 2),  # resized, and not started yet
        ({}, {"x_LaunchedAt": NOW - 5 * HOUR}, None),  # stopped and started
        ({}, STOPPED, None),
        ({"x_MemoryGiB": None}, {"x_MemoryGiB": 8.0, "x_LaunchedAt": NOW - 5 * HOUR}, None),
        ({}, LARGE, None),  # no start since: AWS does not tell
        ({"x_ObservedAt": NOW - 3 * HOUR}, LARGE | {"x_LaunchedAt": NOW - 5 * HOUR}, None),
        ({"x_ObservedAt": NOW + HOUR}, LARGE | {"x_LaunchedAt": NOW + 5 * HOUR}, None),
        ({}, LARGE | {"x_LaunchedAt": None}, None),
        ({"ResourceId": "i-2"}, LARGE | {"x_LaunchedAt": NOW - 5 * HOUR}, None),  # new here
    ],
)
def test_since_when_a_size_holds(
    known: dict[str, Any], listed: dict[str, Any], hours_ago: int | None
) -> None:
    expected = None if hours_ago is None else NOW - hours_ago * HOUR
    assert since(row(**known), row(**listed)) == expected


# -- collected from moto ---------------------------------------------------------------------


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(tmp_path / "lake")


@pytest.fixture
def machine(aws_server: str) -> str:
    (made,) = aws_account.machines(aws_account.own(), REGION, "m5.large")
    started(made, FIRST)
    return made


def started(machine: str, moment: datetime) -> None:
    """Stop and start it. EC2 sets the launch time of the start then; moto does not."""
    ec2 = boto3.client("ec2", REGION)
    ec2.stop_instances(InstanceIds=[machine])
    ec2.start_instances(InstanceIds=[machine])
    backend = ec2_backends[aws_account.MANAGEMENT][REGION]
    backend.get_instance(machine).launch_time = moment.replace(tzinfo=None)


def resized(machine: str, instance_type: str, moment: datetime) -> None:
    ec2 = boto3.client("ec2", REGION)
    ec2.stop_instances(InstanceIds=[machine])
    ec2.modify_instance_attribute(InstanceId=machine, InstanceType={"Value": instance_type})
    started(machine, moment)


def collected(lake: Lake, settings: Callable[..., AwsSettings]) -> None:
    skip = ("metrics", "charges", "prices")
    pipeline.collect(AwsProvider(settings(region=(REGION,), skip=skip)), lake)


def measured(lake: Lake, until: datetime) -> None:
    """The lake's newest samples end then."""
    sample = {
        "ResourceId": "i-0",
        "MetricName": "cpu_utilization",
        "Statistic": "mean",
        "Timestamp": until - HOUR,
        "PeriodSeconds": 3600,
        "Value": 10.0,
    }
    lake.append_metrics("aws", [pa.Table.from_pylist([sample], schema=schema.METRICS)])


def seen(lake: Lake, machine: str) -> Resource:
    return present(lake.read("resources"), NOW, "UTC")[machine]


def test_a_resized_machine_counts_from_its_start(
    lake: Lake, machine: str, settings: Callable[..., AwsSettings]
) -> None:
    collected(lake, settings)
    measured(lake, NOW - 30 * HOUR)
    resized(machine, "m5.2xlarge", NOW - 10 * HOUR)
    collected(lake, settings)
    found = seen(lake, machine)
    assert (found.instance_type, found.vcpus) == ("m5.2xlarge", 8)
    assert found.resized_at == NOW - 10 * HOUR
    rows = lake.read("resources").num_rows
    for until in (NOW - 20 * HOUR, NOW - 5 * HOUR):
        measured(lake, until)
        collected(lake, settings)
        assert lake.read("resources").num_rows == rows
    assert seen(lake, machine).resized_at == NOW - 10 * HOUR


def test_a_machine_that_was_only_stopped_and_started_keeps_its_samples(
    lake: Lake, machine: str, settings: Callable[..., AwsSettings]
) -> None:
    collected(lake, settings)
    measured(lake, NOW - 30 * HOUR)
    started(machine, NOW - 10 * HOUR)
    collected(lake, settings)
    found = seen(lake, machine)
    assert found.launched_at == NOW - 10 * HOUR
    assert found.resized_at is None


def test_other_changes_follow_a_resize(
    lake: Lake, machine: str, settings: Callable[..., AwsSettings]
) -> None:
    """Though the newest samples are older than that."""
    collected(lake, settings)
    measured(lake, NOW - 30 * HOUR)
    resized(machine, "m5.2xlarge", NOW - 10 * HOUR)
    collected(lake, settings)
    tag = {"Key": "team", "Value": "web"}
    boto3.client("ec2", REGION).create_tags(Resources=[machine], Tags=[tag])
    collected(lake, settings)
    rows = lake.read("resources").num_rows
    collected(lake, settings)
    assert lake.read("resources").num_rows == rows
    found = seen(lake, machine)
    assert (found.tags, found.resized_at) == ({"team": "web"}, NOW - 10 * HOUR)


def test_the_users_own_shape_of_a_type_stays(
    lake: Lake, machine: str, settings: Callable[..., AwsSettings]
) -> None:
    collected(lake, settings)
    shapes = {one["x_InstanceType"]: one for one in lake.read("shapes").to_pylist()}
    own = shapes["m5.large"] | {"x_NetworkGbps": 7.5, "x_Source": None}
    lake.append("shapes", pa.Table.from_pylist([own], schema=schema.SHAPES))
    collected(lake, settings)
    after = {one["x_InstanceType"]: one for one in lake.read("shapes").to_pylist()}
    assert after == shapes | {"m5.large": own}
