"""How long `costopt --help` takes, beside Python merely importing click.

    python benchmarks/startup.py [--rounds 30]

Rounds run the two in turn, so that a neighbour's load falls on both; the ratio is of medians.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import time
from pathlib import Path

HELP = [sys.executable, "-m", "costopt", "--help"]
CLICK = [sys.executable, "-c", "import click"]


def seconds(command: list[str]) -> float:
    """From start to end of the process."""
    start = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd=Path(__file__).parents[1])
    return time.perf_counter() - start


def main() -> None:
    """Parse, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--rounds", type=int, default=30)
    rounds = parser.parse_args().rounds
    seconds(HELP), seconds(CLICK)  # byte code and page cache
    pairs = [(seconds(HELP), seconds(CLICK)) for _ in range(rounds)]
    helped, clicked = (statistics.median(times) for times in zip(*pairs, strict=True))
    print(f"costopt --help {helped * 1000:.0f} ms, import click {clicked * 1000:.0f} ms")
    print(f"ratio help_vs_click: {helped / clicked:.2f}")


if __name__ == "__main__":
    main()
