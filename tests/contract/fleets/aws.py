"""Machines of AWS: a moto, and CloudWatch."""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest

from costopt.model import Window
from costopt.providers.aws import AwsProvider
from costopt.providers.aws.settings import AwsSettings
from costopt.providers.base import Provider
from tests.contract.fleets.fleet import Fleet, Refusal, by_month, demo_bill
from tests.contract.truth import DAYS, ENDED, NOW, Machine, demand, silent
from tests.fakes import aws_account, aws_cloud, aws_front, aws_wire, bill_export, cloudwatch

_REGIONS = ("eu-west-1", "us-east-1")
_MEASURED = {
    "CPUUtilization": ("cpu_utilization", 1),
    "mem_used_percent": ("memory_utilization", 1),
    "NetworkIn": ("network_in", 60),
    "NetworkOut": ("network_out", 60),
    "EBSReadBytes": ("disk_read", 60),
    "EBSWriteBytes": ("disk_write", 60),
}
"""Ours, and what it is multiplied by: bytes of a datapoint, which covers a minute."""
_GIVEN = {"days": DAYS, "until": NOW, "max_attempts": 1}


@contextmanager
def aws() -> Iterator[Fleet]:
    """Two machines of two regions on a moto, and the demo's bill in a bucket."""
    with aws_cloud.cloud(NOW) as made, pytest.MonkeyPatch.context() as patch:
        patch.setattr("costopt.providers.aws.metrics.reading._PAUSES", (0.01,) * 3)
        machines = {
            aws_account.machines(aws_account.own(), region, "m5.large", tags=tags)[0]: Machine(
                n, region, 2, 8, tags=tags
            )
            for n, (region, tags) in enumerate(
                zip(_REGIONS, ({"Name": "web", "team": "shop"}, {"team": "bank"}), strict=True)
            )
        }
        _measured(made.metrics, machines, patch)
        ec2 = boto3.client("ec2", region_name=_REGIONS[0])
        first = next(iter(machines))
        far = {one["VolumeId"] for one in ec2.describe_volumes()["Volumes"]} | {first}
        bill = demo_bill("AWS", instances=3, days=8)
        s3 = boto3.client("s3")
        s3.create_bucket(Bucket="bills")
        for month, charges in by_month(bill).items():
            bill_export.data_export(
                lambda key, content: s3.put_object(Bucket="bills", Key=key, Body=content),
                "focus",
                month,
                [bill_export.focus_parquet(charges)],
            )

        def build(folder: Path, **more: Any) -> Provider:
            asked = {"region": _REGIONS, "export": ("s3://bills/focus",), **_GIVEN, **more}
            return AwsProvider(AwsSettings(**asked))

        def change() -> Mapping[str, Machine]:
            ec2.stop_instances(InstanceIds=[first])
            ec2.create_tags(Resources=[first], Tags=[{"Key": "team", "Value": "bank"}])
            tags = {**machines[first].tags, "team": "bank"}
            return {**machines, first: machines[first]._replace(state="stopped", tags=tags)}

        def throttle() -> None:
            made.front.rules.insert(0, _once(lambda call: call.service == "ec2"))
            made.front.rules.insert(0, _once(lambda call: call.action == "ListMetrics"))
            burst = _once(lambda call: call.action == "GetMetricData", 3)
            made.front.rules.insert(0, burst)

        def refuse() -> Refusal:
            def rule(call: aws_front.Call) -> aws_front.Answer | None:
                away = call.region == _REGIONS[0]
                return aws_front.refused(call, "UnauthorizedOperation", "No.") if away else None

            made.front.rules.insert(0, rule)
            return Refusal(_REGIONS[0], lambda row: row["ResourceId"] in far)

        def stumble() -> Window:
            """Beyond 63 days CloudWatch keeps hours only, which are requests of their own."""
            made.front.rules.insert(0, _of_hours)
            return Window(NOW - timedelta(days=64), NOW - timedelta(days=62))

        def ahead() -> datetime:
            made.metrics.now = NOW + timedelta(hours=3)
            patch.setattr(AwsProvider, "_now", ENDED)
            return ENDED - timedelta(minutes=15)  # API reference of ListMetrics

        clock = AwsProvider.__dict__["_now"]

        def mend() -> None:
            patch.setattr(AwsProvider, "_now", clock)
            made.ordinary()
            made.metrics.now = NOW
            ec2.start_instances(InstanceIds=[first])
            tags = machines[first].tags
            pairs = [{"Key": key, "Value": value} for key, value in tags.items()]
            ec2.create_tags(Resources=[first], Tags=pairs)

        def many(folder: Path, count: int) -> dict[str, Any]:
            listed = aws_wire.paged_instances([f"i-{n:017x}" for n in range(count)])
            region = "eu-west-2" if count == fleet.few else "eu-central-1"
            made.front.rules.insert(0, lambda call: listed(call) if call.region == region else None)
            return {**_GIVEN, "region": [region], "max_concurrency": 1}

        def empty(folder: Path) -> Provider:
            return AwsProvider(AwsSettings(**_GIVEN, region=("eu-west-3",)))

        fleet = Fleet(
            build=build,
            machines=machines,
            bill=bill,
            change=change,
            empty=empty,
            throttle=throttle,
            attempts=2,
            refuse=refuse,
            stumble=stumble,
            ahead=ahead,
            many=many,
            limits={"costopt.providers.aws.metrics.packing.MOST_QUERIES": 50},
            narrow=Window(NOW - timedelta(hours=5), NOW),
            mend=mend,
        )
        yield fleet


def _measured(
    service: cloudwatch.CloudWatch, machines: Mapping[str, Machine], patch: pytest.MonkeyPatch
) -> None:
    """Have CloudWatch measure what the machines do, minute by minute."""

    def number(series: cloudwatch.Series) -> int:
        name = dict(series[2])["InstanceId"]
        return machines[name].number if name in machines else zlib.crc32(name.encode())

    def value(series: cloudwatch.Series, minute: Any) -> Any:
        name, scale = _MEASURED[series[1]]
        return demand(number(series), name, minute) * scale

    patch.setattr(aws_cloud, "QUIET", 1)
    patch.setattr(cloudwatch, "datapoint", value)
    patch.setattr(cloudwatch, "missing", lambda series, minute: silent(number(series), minute))
    service.native = lambda series: 60 if series[1] in _MEASURED else None
    service.listed = [("CWAgent", "mem_used_percent", (("InstanceId", one),)) for one in machines]


def _once(concerned: Callable[[aws_front.Call], bool], times: int = 1) -> aws_front.Rule:
    """So many of the next calls are one too many."""
    left = [503] * times

    def rule(call: aws_front.Call) -> aws_front.Answer | None:
        if not left or not concerned(call):
            return None
        left.pop()
        code = "RequestLimitExceeded" if call.service == "ec2" else "ThrottlingException"
        return aws_front.refused(call, code, "Slow down.", 503 if call.service == "ec2" else 400)

    return rule


def _of_hours(call: aws_front.Call) -> aws_front.Answer | None:
    """Refuses requests for hours."""
    if call.action != "GetMetricData":
        return None
    queries = json.loads(call.body)["MetricDataQueries"]
    if all(query["MetricStat"]["Period"] < 3600 for query in queries):
        return None
    return aws_front.refused(call, "InternalServiceFault", "Try later.", 500)
