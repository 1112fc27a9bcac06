"""How fast samples come from Cloud Monitoring: beside only decoding the same protobuf answers.

    python -m benchmarks.collect_gcp [--machines 40] [--days 40] [--rounds 7]

The server is a process of its own and answers from memory, so that it is not what is measured.
Rounds collect and decode in turn, so that a neighbour's load falls on both; the ratios are of
medians. Decoding alone makes messages; to read the time and value of each point of them, one by
one, as every client must, is timed as well.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import statistics
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from multiprocessing.connection import Connection
from typing import Any

import pyarrow as pa
from google.cloud.monitoring_v3 import ListTimeSeriesResponse

from costopt import schema
from costopt.providers.base import Known, Problem
from costopt.providers.gcp import metrics
from costopt.providers.gcp.access import Access
from costopt.providers.gcp.projects import Project
from costopt.providers.gcp.settings import GcpSettings
from tests.fakes import gcp_monitoring as monitoring

NOW = datetime(2026, 10, 5, 9, 12, tzinfo=UTC)
PROJECT = "shop-prod"
OVERRIDE = "CLOUDSDK_API_ENDPOINT_OVERRIDES_MONITORING"


def serve(pipe: Connection, machines: int) -> None:
    """The server, until the other end says stop."""
    series = [one for n in range(machines) for one in monitoring.machine(PROJECT, str(n + 1))]
    service = monitoring.Monitoring(NOW, series, remembers=True)
    with monitoring.served(service) as url:
        pipe.send(url)
        pipe.recv()


def fleet(machines: int) -> pa.Table:
    """Machines of one project."""
    rows = [
        {
            "ProviderName": "GCP",
            "SubAccountId": PROJECT,
            "ResourceId": f"//compute.googleapis.com/projects/{PROJECT}/zones/z/instances/vm-{n}",
            "x_Attributes": {"instance_id": str(n + 1)},
        }
        for n in range(machines)
    ]
    return schema.conform(pa.Table.from_pylist(rows, schema=schema.RESOURCES), schema.RESOURCES)


class Kept(Access):
    """Keeps the answers as they came."""

    def pages(self, call: Any, request: dict[str, Any]) -> Any:
        for page in super().pages(call, request):
            self.told.append(type(page).pb(page).SerializeToString())
            yield page


def decoded(bodies: Sequence[bytes]) -> list[Any]:
    """The answers as messages."""
    message = ListTimeSeriesResponse.pb()
    return [message.FromString(body) for body in bodies]


def points(messages: Sequence[Any]) -> int:
    """Read each point; how many there are."""
    count = 0
    for message in messages:
        for series in message.time_series:
            kind = series.points[0].value.WhichOneof("value")
            read = [(p.interval.end_time.seconds, getattr(p.value, kind)) for p in series.points]
            count += len(read)
    return count


def measure(machines: int, days: int, rounds: int) -> None:
    """Collect and decode in turn, and print."""
    settings = GcpSettings(days=days)
    table = fleet(machines)

    def collect(access: Access) -> int:
        problems: list[Problem] = []
        prepared = metrics.prepare(
            access, [Project(PROJECT)], table, settings, Known(), problems, now=NOW
        )
        rows = sum(one.num_rows for one in metrics.read(prepared, settings, problems))
        assert not problems, problems
        return rows

    keeping = Kept(settings)
    keeping.told = []
    collect(keeping)  # the server remembers the answers now
    told = [body for body in keeping.told if len(body) > 1_000]  # without lists of descriptors
    access = Access(settings)
    times: list[tuple[float, float, float]] = []
    for _ in range(rounds):
        start = time.perf_counter()
        rows = collect(access)
        collected = time.perf_counter()
        messages = decoded(told)
        made = time.perf_counter()
        count = points(messages)
        times.append((collected - start, made - collected, time.perf_counter() - collected))
        del messages
    whole, only, read = (statistics.median(column) for column in zip(*times, strict=True))
    size = sum(map(len, told)) / 1e6
    print(f"{len(told)} answers, {size:.0f} MB, {count:,} points, {rows:,} samples")
    print(f"collect {whole:.2f} s: {rows / whole:,.0f} samples a second")
    print(f"decoding the same answers {only:.2f} s; and reading their points {read:.2f} s")
    print(f"ratio collect_vs_decoding: {only / whole:.2f}")
    print(f"ratio collect_vs_reading: {read / whole:.2f}")


def main() -> None:
    """Parse, serve, measure."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--machines", type=int, default=40)
    parser.add_argument("--days", type=int, default=40)
    parser.add_argument("--rounds", type=int, default=7)
    given = parser.parse_args()
    here, there = multiprocessing.Pipe()
    context = multiprocessing.get_context("spawn")
    stub = context.Process(target=serve, args=(there, given.machines))
    stub.start()
    try:
        os.environ[OVERRIDE] = here.recv()
        measure(given.machines, given.days, given.rounds)
    finally:
        here.send("stop")
        stub.join()


if __name__ == "__main__":
    main()
