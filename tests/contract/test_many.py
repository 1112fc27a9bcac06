"""Thousands of machines: every registered provider takes them in bounded memory."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.contract.fleets import Fleet

_CHILD = """
import json, sys
from costopt import registry

def peak():
    status = open("/proc/self/status").read()
    return int(status.partition("VmHWM:")[2].split()[0]) // 1024

def rows(name, part, given):
    made = registry.find("provider", name)
    provider = made(made.Settings(**given)) if hasattr(made, "Settings") else made(**given)
    if part == "resources":
        return provider.resources().num_rows
    return sum(table.num_rows for table in provider.metrics(None))

name, part, few, many = json.loads(sys.stdin.read())
first, before = rows(name, part, few), peak()  # the libraries and first buffers are there now
print(json.dumps([first, rows(name, part, many), peak() - before]))
"""
"""What the memory of a process of its own grows by (MiB) from few machines to many."""


def _grown(name: str, part: str, few: dict[str, Any], many: dict[str, Any]) -> list[int]:
    ran = subprocess.run(
        [sys.executable, "-c", _CHILD],
        input=json.dumps([name, part, few, many], default=str),
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert ran.returncode == 0, ran.stderr
    found: list[int] = json.loads(ran.stdout)
    return found


@pytest.mark.skipif(sys.platform != "linux", reason="the peak is read from /proc")
@pytest.mark.parametrize(("part", "bound"), [("resources", 120), ("metrics", 300)])
def test_many_machines_fit_into_bounded_memory(
    fleet: Fleet, tmp_path: Path, part: str, bound: int
) -> None:
    assert fleet.many is not None
    few, many = (20, fleet.crowd) if part == "resources" else (10, 100)
    settings = [fleet.many(tmp_path, part, few), fleet.many(tmp_path, part, many)]
    before, after, mebibytes = _grown(fleet.build(tmp_path).name, part, *settings)
    assert after >= (many if part == "resources" else 9 * before)
    assert mebibytes < bound
