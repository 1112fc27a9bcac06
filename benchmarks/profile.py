"""How long compaction and profiles take, beside DuckDB merely reading the same samples.

    python benchmarks/profile.py [--instances 10000] [--days 30] [--rounds 5] [--peers 500]

Generates the samples once (benchmarks/.data/, about 1 GB at full size) and prints seconds, peak
memory and, in the end, lines `ratio NAME: X` of medians over the rounds.

What is measured: every figure comes from a process of its own, whose clock starts when its
libraries are imported, whose files are in the page cache, and whose peak memory is the kernel's
ru_maxrss. numba's machine code comes from its cache on disk, and loading it counts; compiling it,
which happens once after an installation, does not. Rounds interleave what is compared, so that a
neighbour's load falls on both sides.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

from runs import DATA, Measured, fresh_lake, generate, in_process, report, work

CLOCK = "Europe/Amsterdam"


# -- tasks: run in a process of their own, and return what the benchmark checks --------------


def read(place: Path, options: argparse.Namespace) -> Callable[[], Any]:
    """The floor: DuckDB reads the four columns, and sums what costs least to sum."""
    import duckdb

    def run() -> Any:
        with duckdb.connect() as connection:
            connection.execute(f"set threads = {options.threads}")
            return connection.execute(
                "select count(Value), sum(strlen(ResourceId)), sum(strlen(MetricName)),"
                f" epoch_us(max(Timestamp)), sum(Value) from read_parquet('{place}/*.parquet')"
            ).fetchone()

    return run


def compact(place: Path, options: argparse.Namespace) -> Callable[[], Any]:
    """Long files to packed days, in a lake made anew."""
    from costopt.lake import packed
    from costopt.lake.store import Lake

    def run() -> Any:
        return packed.compact(Lake(place)).samples

    return run


def profile(place: Path, options: argparse.Namespace) -> Callable[[], Any]:
    """Packed days to the profiles table: every column, in local time."""
    from samples import PERIOD, START

    from costopt.lake import packed
    from costopt.lake.store import Lake
    from costopt.model import Window
    from costopt.profile import kernel

    def run() -> Any:
        window = Window(START, START + timedelta(days=options.days))
        table = kernel.profile(
            packed.scan(Lake(place), window),
            window,
            clocks={},
            since={},
            default_clock=CLOCK,
            threads=options.threads,
        )
        idle = [s for s in table["longest_idle_seconds"].to_pylist() if s is not None]
        return {
            "series": float(table.num_rows),
            "count": float(sum(table["count"].to_pylist())),
            "maxima": sum(table["max"].to_pylist()),
            "p95": sum(table["p95"].to_pylist()),
            "idle": max(idle, default=0) / PERIOD,
        }

    return run


def peer(place: Path, options: argparse.Namespace) -> Callable[[], Any]:
    """A peer's way to the numbers of a profile."""
    from peers import PEERS

    __import__({"duckdb_sql": "duckdb"}.get(options.peer, options.peer))
    return lambda: PEERS[options.peer](sorted(place.glob("*.parquet")))


TASKS = {task.__name__: task for task in (read, compact, profile, peer)}


# -- the benchmark ---------------------------------------------------------------------------


def measure(task: str, place: Path, options: argparse.Namespace, *more: str) -> Measured:
    """Run a task in a process of its own."""
    command = [__file__, "--task", task, str(place), "--days", str(options.days)]
    return in_process([*command, "--threads", str(options.threads), *more])


def warm_up(options: argparse.Namespace) -> None:
    """Compile once, where nothing has been compiled yet."""
    few = argparse.Namespace(**vars(options) | {"days": 2})
    lake = fresh_lake(generate(20, 2), DATA / "lake-warm")
    measure("compact", lake, few)
    measure("profile", lake, few)


def compare(options: argparse.Namespace) -> dict[str, float]:
    """Rounds of reading, compacting and profiling; the medians, in seconds."""
    files = generate(options.instances, options.days)
    lake = DATA / f"lake-{options.instances}x{options.days}"
    runs: dict[str, list[Measured]] = {"read": [], "compact": [], "profile": []}
    for _ in range(options.rounds):
        runs["read"].append(measure("read", files[0].parent, options))
        runs["compact"].append(measure("compact", fresh_lake(files, lake), options))
        runs["profile"].append(measure("profile", lake, options))
    samples = runs["read"][0].result[0]
    assert all(run.result == samples for run in runs["compact"]), "compaction lost samples"
    assert all(run.result["count"] == samples for run in runs["profile"]), "profiles lost samples"
    print(f"{samples:,} samples; medians of {options.rounds} runs:")
    for name, measured in runs.items():
        report(name, [run.seconds for run in measured], max(run.peak_mb for run in measured))
    print(f"peak_mb profile: {max(run.peak_mb for run in runs['profile']):.0f}")
    return {name: statistics.median(run.seconds for run in found) for name, found in runs.items()}


def compare_peers(options: argparse.Namespace) -> dict[str, float]:
    """Peers on a part of the fleet, in seconds for all of it; those installed."""
    machines = min(options.peers, options.instances)
    files = generate(machines, options.days)
    lake = fresh_lake(files, DATA / "lake-peers")
    measure("compact", lake, options)
    ours = measure("profile", lake, options).result
    factor = options.instances / machines
    print(f"peers on {machines} machines; seconds are {factor:g} times what they took:")
    found = {}
    for name in ("duckdb_sql", "polars", "pandas"):
        try:
            run = measure("peer", files[0].parent, options, "--peer", name)
        except subprocess.CalledProcessError:
            print(f"  {name:12} skipped: not installed, or it failed (see above)")
            continue
        check(name, run.result, ours)
        found[name] = run.seconds * factor
        report(name, [found[name]], run.peak_mb)
    return found


def check(name: str, theirs: dict[str, float], ours: dict[str, float]) -> None:
    """The peer must have found the same, but for our rounding to hundredths of a percent."""
    rounding = 0.005 * ours["series"]
    for figure, value in theirs.items():
        if abs(value - ours[figure]) > (rounding if figure in ("maxima", "p95") else 0):
            sys.exit(f"{name} says {figure} {value}, costopt {ours[figure]}")


def main() -> None:
    """Parse, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--instances", type=int, default=10_000, help="machines")
    parser.add_argument("--days", type=int, default=30)
    parser.add_argument("--rounds", type=int, default=5, help="runs of what is compared")
    parser.add_argument("--peers", type=int, default=500, help="machines for peers; 0 = no peers")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--task", nargs=2, metavar=("TASK", "PLACE"), help=argparse.SUPPRESS)
    parser.add_argument("--peer", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.task:
        work(TASKS[options.task[0]](Path(options.task[1]), options))
        return
    print(f"{options.instances:,} machines x {options.days} d, {options.threads} threads")
    warm_up(options)
    seconds = compare(options)
    print(f"ratio profile_vs_duckdb_read: {seconds['profile'] / seconds['read']:.2f}")
    print(f"ratio compact_vs_duckdb_read: {seconds['compact'] / seconds['read']:.2f}")
    if options.peers:
        for name, theirs in compare_peers(options).items():
            print(f"ratio profile_vs_{name}: {seconds['profile'] / theirs:.4f}")


if __name__ == "__main__":
    main()
