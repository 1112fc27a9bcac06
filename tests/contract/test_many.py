"""Thousands of machines: every registered provider takes them in bounded memory.

What a machine more takes is what counts, so few machines and ten times as many are enough to know
it of ten thousand; the limits of a call are lowered, so that many have to be made of them.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

from tests.contract.fleets import Fleet

_CHILD = """
import gc, importlib, json, sys, tracemalloc
from datetime import datetime

import pyarrow as pa

from costopt import registry
from costopt.model import Window


def taken(since):  # by Python and by Arrow
    return tracemalloc.get_traced_memory()[0] + pa.total_allocated_bytes() - since


def run(given):
    made = registry.find("provider", name)
    provider = made(made.Settings(**given)) if hasattr(made, "Settings") else made(**given)
    gc.collect()
    tracemalloc.reset_peak()
    before = taken(0)
    things = provider.resources()
    peak = tracemalloc.get_traced_memory()[1] + pa.total_allocated_bytes() - before
    gc.collect()
    kept = taken(before) - things.nbytes
    tracemalloc.reset_peak()
    before = taken(0)
    samples = size = arrow = 0
    for table in provider.metrics(window):
        samples, size = samples + table.num_rows, size + table.nbytes
        arrow = max(arrow, pa.total_allocated_bytes())
    most = tracemalloc.get_traced_memory()[1] + arrow - before
    return [things.num_rows, peak, kept, samples, size, most]


name, limits, between, few, many = json.loads(sys.stdin.read())
window = between and Window(*map(datetime.fromisoformat, between))
for path, value in limits.items():
    module, _, limit = path.rpartition(".")
    setattr(importlib.import_module(module), limit, value)
run(many)  # the libraries, first buffers and what is looked up once are there now
tracemalloc.start()
print(json.dumps([run(few), run(many)]))
"""
"""Two runs in a process of their own."""


class Run(NamedTuple):
    """What one run brought and took, in rows and bytes."""

    resources: int
    listing: int  # at the most, while they were listed
    kept: int  # beside the table, when they were
    samples: int
    size: int  # of the tables of samples
    reading: int  # at the most, while they were read, none of them kept by us


def _runs(fleet: Fleet, folder: Path) -> tuple[Run, Run]:
    assert fleet.many is not None
    window = fleet.narrow and [fleet.narrow.start, fleet.narrow.end]
    settings = [fleet.many(folder, count) for count in (fleet.few, 10 * fleet.few)]
    given: list[Any] = [fleet.build(folder).name, fleet.limits, window, *settings]
    ran = subprocess.run(
        [sys.executable, "-c", _CHILD],
        input=json.dumps(given, default=str),
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert ran.returncode == 0, ran.stderr
    few, many = json.loads(ran.stdout)
    return Run(*few), Run(*many)


def test_a_machine_more_takes_bounded_memory(fleet: Fleet, tmp_path: Path) -> None:
    few, many = _runs(fleet, tmp_path)
    assert many.resources > 5 * few.resources > 0
    assert many.samples > 5 * few.samples > 0
    more = 9 * fleet.few
    assert many.kept - few.kept < 6_000 * more  # a row, as Python has it, takes three thousand
    assert many.listing - few.listing < fleet.listing * more
    assert many.reading - few.reading < (many.size - few.size) / 2  # portions, not all of them
