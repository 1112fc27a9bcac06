"""How fast samples come from Azure Monitor: beside only decoding the same JSON, and beside the SDK.

    python -m benchmarks.collect_azure [--machines 20] [--days 30] [--rounds 5]

The server is a process of its own and answers from memory, so that it is not what is measured.
Rounds collect and decode in turn, so that a neighbour's load falls on both; the ratios are of
medians. The SDK's own way makes an object of each point; its time is for the same answers.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import statistics
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from multiprocessing.connection import Connection
from typing import Any

import pyarrow as pa
from azure.monitor.querymetrics import MetricsQueryResult

from costopt import schema
from costopt.providers.azure import metrics
from costopt.providers.azure.access import Access
from costopt.providers.azure.metrics import asking
from costopt.providers.azure.settings import AzureSettings
from costopt.providers.azure.subscriptions import Subscription
from costopt.providers.base import Known, Problem
from tests.fakes.azure_arm import Door, serve
from tests.fakes.azure_cloud import guid
from tests.fakes.azure_monitor import Monitor

NOW = datetime(2026, 10, 5, 9, 12, tzinfo=UTC)
SHOP = guid(1)


def names(machines: int) -> list[str]:
    """Ids of so many machines."""
    group = f"/subscriptions/{SHOP}/resourcegroups/shop/providers/microsoft.compute"
    return [f"{group}/virtualmachines/vm-{n}" for n in range(machines)]


def run(pipe: Connection, machines: int) -> None:
    """The server, until the other end says stop."""
    monitor = Monitor(NOW, remembers=True)
    for name in names(machines):
        monitor.add(name)
    with serve(Door(services=[monitor.service])) as door:
        pipe.send(door.url)
        pipe.recv()


def fleet(machines: int) -> pa.Table:
    """Machines of one subscription and region."""
    rows = [
        {
            "ProviderName": "Azure",
            "SubAccountId": SHOP,
            "RegionId": "westeurope",
            "ResourceId": name,
            "x_InstanceType": "Standard_D4s_v5",
            "x_MemoryGiB": 16.0,
        }
        for name in names(machines)
    ]
    return schema.conform(pa.Table.from_pylist(rows, schema=schema.RESOURCES), schema.RESOURCES)


def objects(bodies: Sequence[bytes]) -> int:
    """The answers as the SDK has them; how many points there are."""
    count = 0
    for body in bodies:
        for value in json.loads(body)["values"]:
            result: Any = MetricsQueryResult._from_generated(value)
            count += sum(
                len(series.data) for metric in result.metrics for series in metric.timeseries
            )
    return count


def measure(url: str, machines: int, days: int, rounds: int) -> None:
    """Collect and decode in turn, and print."""
    settings = AzureSettings(endpoint=url, days=days)
    access, table = Access(settings), fleet(machines)

    def collect() -> int:
        problems: list[Problem] = []
        prepared = metrics.prepare(
            access, [Subscription(SHOP)], table, settings, Known(), problems, now=NOW
        )
        stream = metrics.read(prepared, settings, problems, {}, pause=lambda _: None)
        rows = sum(one.num_rows for one in stream)
        assert not problems, problems
        return rows

    collect()  # the server remembers the answers now
    told = bodies(access, table, settings)
    times: list[tuple[float, float, float]] = []
    for _ in range(rounds):
        start = time.perf_counter()
        rows = collect()
        collected = time.perf_counter()
        decoded = [json.loads(body) for body in told]
        made = time.perf_counter()
        del decoded
        begun = time.perf_counter()
        count = objects(told)
        times.append((collected - start, made - collected, time.perf_counter() - begun))
    whole, only, sdk = (statistics.median(column) for column in zip(*times, strict=True))
    size = sum(map(len, told)) / 1e6
    print(f"{len(told)} answers, {size:.0f} MB, {count:,} points, {rows:,} samples")
    print(f"collect {whole:.2f} s: {rows / whole:,.0f} samples a second")
    print(f"json.loads of the same answers {only:.2f} s; the SDK's objects of them {sdk:.2f} s")
    print(f"ratio collect_vs_decoding: {only / whole:.2f}")
    print(f"ratio collect_vs_sdk: {sdk / whole:.2f}")


def bodies(access: Access, table: pa.Table, settings: AzureSettings) -> list[bytes]:
    """The answers as they come."""
    prepared = metrics.prepare(access, [Subscription(SHOP)], table, settings, Known(), [], now=NOW)
    return [asking.ask(access, one, one.parts, one.names).body for one in prepared.plan.calls]


def main() -> None:
    """Parse, serve, measure."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--machines", type=int, default=20)
    parser.add_argument("--days", type=int, default=30)
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    here, there = multiprocessing.Pipe()
    context = multiprocessing.get_context("spawn")
    stub = context.Process(target=run, args=(there, given.machines))
    stub.start()
    try:
        measure(here.recv(), given.machines, given.days, given.rounds)
    finally:
        here.send("stop")
        stub.join()


if __name__ == "__main__":
    main()
