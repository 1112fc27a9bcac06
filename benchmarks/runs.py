"""How benchmarks run what they measure: a process for each figure, on samples made once."""

from __future__ import annotations

import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).parents[1]
DATA = Path(__file__).parent / ".data"


class Measured(NamedTuple):
    """One run of a task in a process of its own."""

    seconds: float
    peak_mb: float
    result: Any


def work(run: Callable[[], Any]) -> None:
    """Do a task whose libraries are imported, and print what was measured of it."""
    start = time.perf_counter()
    result = run()
    seconds = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps(Measured(seconds, peak, result)))


def in_process(command: list[str]) -> Measured:
    """Run a script that ends in `work`, and read what it printed."""
    run = subprocess.run([sys.executable, *command], check=True, stdout=subprocess.PIPE, cwd=ROOT)
    return Measured(*json.loads(run.stdout.splitlines()[-1]))


def fresh_lake(files: list[Path], place: Path) -> Path:
    """A lake with these long files pending, linked rather than copied."""
    shutil.rmtree(place, ignore_errors=True)
    folder = place / "metrics" / "bench"
    folder.mkdir(parents=True)
    for number, path in enumerate(files):
        os.link(path, folder / f"{number:020d}-bench.parquet")
    return place


def generate(machines: int, days: int) -> list[Path]:
    """The long files, made by another process, so that this one stays small."""
    code = "import sys; from pathlib import Path; import samples; "
    code += "samples.generate(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))"
    command = [sys.executable, "-c", code, str(DATA), str(machines), str(days)]
    subprocess.run(command, check=True, cwd=Path(__file__).parent)
    (place,) = DATA.glob(f"long-*-{machines}x{days}")
    return sorted(place.glob("*.parquet"))


def report(name: str, seconds: list[float], peak_mb: float) -> None:
    """A line for people."""
    spread = f"{min(seconds):.2f} .. {max(seconds):.2f}" if len(seconds) > 1 else ""
    print(f"  {name:12} {statistics.median(seconds):9.2f} s  {peak_mb:7.0f} MB  {spread}")
