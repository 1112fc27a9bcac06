"""How fast samples come from CloudWatch: beside Python merely parsing the JSON of the same answers.

    python -m benchmarks.collect_aws [--machines 40] [--days 60] [--rounds 7]

The stub is a process of its own and answers from memory, so that it is not what is measured. Rounds
collect and parse in turn, so that a neighbour's load falls on both; the ratio is of medians.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import statistics
import time
from collections.abc import Callable
from datetime import UTC, datetime
from multiprocessing.connection import Connection

import boto3
import pyarrow as pa

from costopt import schema
from costopt.providers.aws import metrics
from costopt.providers.aws.access import Account
from costopt.providers.aws.settings import AwsSettings
from costopt.providers.base import Known, Problem
from tests.fakes import cloudwatch

NOW = datetime(2026, 10, 5, 9, 12, tzinfo=UTC)
REGION = "eu-west-1"


def serve(pipe: Connection) -> None:
    """The stub, until the other end says stop."""
    with cloudwatch.served(cloudwatch.CloudWatch(NOW, remembers=True)) as url:
        pipe.send(url)
        pipe.recv()


def fleet(machines: int) -> pa.Table:
    """Machines of one region."""
    rows = [
        {
            "ProviderName": "AWS",
            "SubAccountId": "123456789012",
            "RegionId": REGION,
            "ResourceId": f"i-{number:017x}",
            "x_InstanceType": "m5.large",
        }
        for number in range(machines)
    ]
    return pa.Table.from_pylist(rows, schema=schema.RESOURCES)


def bodies(account: Account, collect: Callable[[], int]) -> list[bytes]:
    """The answers as they came, of one collect."""
    kept: list[bytes] = []

    def keep(response_dict: dict[str, bytes], **_: object) -> None:
        kept.append(response_dict["body"])

    events = account.client("cloudwatch", REGION).meta.events
    events.register_first("before-parse.cloudwatch.GetMetricData", keep)
    collect()
    events.unregister("before-parse.cloudwatch.GetMetricData", keep)
    return kept


def measure(machines: int, days: int, rounds: int) -> None:
    """Collect and parse in turn, and print."""
    settings = AwsSettings(days=days)
    account = Account("123456789012", "", boto3.Session("key", "secret"), settings)
    table = fleet(machines)

    def collect() -> int:
        problems: list[Problem] = []
        prepared = metrics.prepare([account], table, settings, Known(), problems, now=NOW)
        rows = sum(one.num_rows for one in metrics.read(prepared, settings, problems, {}))
        assert not problems, problems
        return rows

    told = bodies(account, collect)  # the stub remembers them now
    pairs = []
    for _ in range(rounds):
        start = time.perf_counter()
        rows = collect()
        middle = time.perf_counter()
        points = 0
        for body in told:
            points += sum(len(r["Values"]) for r in json.loads(body)["MetricDataResults"])
        pairs.append((middle - start, time.perf_counter() - middle))
    collected, parsed = (statistics.median(times) for times in zip(*pairs, strict=True))
    size = sum(map(len, told)) / 1e6
    print(f"{len(told)} answers, {size:.0f} MB, {points:,} datapoints, {rows:,} samples")
    print(f"collect {collected:.2f} s: {rows / collected:,.0f} samples a second")
    print(f"json.loads of the same answers {parsed:.2f} s")
    print(f"ratio collect_vs_parsing: {parsed / collected:.2f}")


def main() -> None:
    """Parse, serve, measure."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--machines", type=int, default=40)
    parser.add_argument("--days", type=int, default=60)
    parser.add_argument("--rounds", type=int, default=7)
    given = parser.parse_args()
    here, there = multiprocessing.Pipe()
    stub = multiprocessing.get_context("spawn").Process(target=serve, args=(there,))
    stub.start()
    try:
        os.environ["AWS_ENDPOINT_URL_CLOUDWATCH"] = here.recv()
        measure(given.machines, given.days, given.rounds)
    finally:
        here.send("stop")
        stub.join()


if __name__ == "__main__":
    main()
