"""How long it takes to decide on a fleet once it is profiled, beside the profiling itself.

    python benchmarks/deciding.py [--machines 10000] [--days 30] [--rounds 3]

A lake of machines of AWS's m6i family, each with CPU and memory every five minutes. Every figure
comes from a process of its own: `observing` profiles the fleet and looks through its data;
`deciding` replays every machine's past, learns the fleet's risk, and judges every machine by every
rule. The time that `deciding` takes before, to observe, is not counted. Prints seconds, peak
memory, and `ratio deciding_vs_observing: X` of the medians.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
from runs import DATA, Measured, fresh_lake, generate, in_process, report, work
from samples import START

TYPES = ("m6i.large", "m6i.xlarge", "m6i.2xlarge", "m6i.4xlarge", "m6i.8xlarge")


def lake_of(machines: int, days: int) -> Path:
    """The lake, made where it is not there yet."""
    place = DATA / f"deciding-{machines}x{days}"
    if not (place / "packed").exists():
        import pyarrow as pa
        import pyarrow.parquet as pq

        from costopt import schema
        from costopt.lake import packed
        from costopt.lake.store import Lake

        files = generate(machines, days)
        lake = Lake(fresh_lake(files, place))
        ids = pq.read_table(files[0], columns=["ResourceId"]).column(0).unique().to_pylist()
        kinds = np.random.default_rng(0).choice(TYPES, len(ids)).tolist()
        rows = [
            {"ProviderName": "AWS", "ResourceId": i, "RegionId": "us-east-1", "x_InstanceType": k}
            for i, k in zip(ids, kinds, strict=True)
        ]
        lake.append("resources", pa.Table.from_pylist(rows, schema=schema.RESOURCES))
        packed.compact(lake)
    return place


def observing(place: Path, options: argparse.Namespace) -> Callable[[], Any]:
    """Profiles and quality."""
    from costopt import pipeline
    from costopt.config import Settings
    from costopt.lake.store import Lake

    settings = Settings(threads=options.threads, lookback_days=options.days)
    end = START + timedelta(days=options.days)
    return lambda: len(pipeline.observe(Lake(place), settings, end).profiles)


def deciding(place: Path, options: argparse.Namespace) -> Callable[[], Any]:
    """Everything after that: its first step is announced by the pipeline itself."""
    from costopt import pipeline
    from costopt.config import Settings
    from costopt.lake.store import Lake

    settings = Settings(threads=options.threads, lookback_days=options.days)
    end = START + timedelta(days=options.days)

    def run() -> Any:
        started: dict[str, float] = {}
        found = pipeline.analyse(
            Lake(place), settings, end, lambda step: started.setdefault(step, time.perf_counter())
        )
        seconds = time.perf_counter() - started["prices"]
        return {"seconds": seconds, "advice": len(found.report.recommendations)}

    return run


TASKS = {task.__name__: task for task in (observing, deciding)}


def measure(task: str, place: Path, options: argparse.Namespace) -> Measured:
    """Run a task in a process of its own."""
    command = [__file__, "--task", task, str(place), "--days", str(options.days)]
    return in_process([*command, "--threads", str(options.threads)])


def main() -> None:
    """Parse, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--machines", type=int, default=10_000)
    parser.add_argument("--days", type=int, default=30)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--task", nargs=2, metavar=("TASK", "PLACE"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.task:
        work(TASKS[options.task[0]](Path(options.task[1]), options))
        return
    place = lake_of(options.machines, options.days)
    print(f"{options.machines:,} machines x {options.days} d, {options.threads} threads")
    observed, decided = [], []
    for _ in range(options.rounds):
        observed.append(measure("observing", place, options))
        decided.append(measure("deciding", place, options))
    first = [run.seconds for run in observed]
    then = [run.result["seconds"] for run in decided]
    report("observing", first, max(run.peak_mb for run in observed))
    report("deciding", then, max(run.peak_mb for run in decided))
    print(f"{decided[0].result['advice']:,} recommendations")
    print(f"ratio deciding_vs_observing: {statistics.median(then) / statistics.median(first):.2f}")


if __name__ == "__main__":
    main()
