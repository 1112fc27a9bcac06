"""Machines in CSV, and those that the demo makes up."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from costopt.providers.base import Provider
from costopt.providers.demo import DemoProvider
from costopt.providers.files import FilesProvider, FilesSettings
from tests.contract import truth
from tests.contract.fleets.fleet import Fleet
from tests.contract.truth import Machine
from tests.frame.test_bill import SOUND

MACHINES = {
    f"i-{n}": Machine(n, "eu-west-1", 2.0**n, 4.0 * n, tags={"team": f"shop {n}"})
    for n in (1, 2, 3)
}
_HEADS = {
    "resources": ("ProviderName", "ResourceId", "region", "vcpus", "memory_gb", "status", "Tags"),
    "metrics": ("ResourceId", "Timestamp", "cpu_utilization", "network_in"),
    "charges": tuple(SOUND),
    "prices": ("provider", "instance_type", "hourly_price", "currency"),
    "shapes": ("provider", "instance_type", "vcpus"),
}


def _machines(machines: Mapping[str, Machine]) -> list[tuple[Any, ...]]:
    return [
        ("AWS", name, m.region, m.vcpus, m.memory_gib, m.state, json.dumps(m.tags))
        for name, m in machines.items()
    ]


def _samples(name: str, machine: int) -> Iterator[tuple[Any, ...]]:
    starts, cpu = truth.samples(machine, "cpu_utilization", "mean")
    _, received = truth.samples(machine, "network_in", "mean")
    for start, *values in zip(starts.tolist(), cpu.tolist(), received.tolist(), strict=True):
        yield name, datetime.fromtimestamp(start, UTC).isoformat(), *values


def _written(path: Path, head: tuple[str, ...], rows: Any) -> Path:
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(head)
        writer.writerows(rows)
    return path


@contextmanager
def files() -> Iterator[Fleet]:
    """Three machines in CSV."""
    machines = dict(MACHINES)

    def rows() -> dict[str, list[tuple[Any, ...]]]:
        return {
            "resources": _machines(machines),
            "metrics": [row for name, m in machines.items() for row in _samples(name, m.number)],
            "charges": [tuple(SOUND.values())],
            "prices": [("OnPrem", "g1", 0.05, "USD")],
            "shapes": [("OnPrem", "g1", 1)],
        }

    def written(folder: Path, rows: Mapping[str, list[tuple[Any, ...]]]) -> Provider:
        paths = {
            name: _written(folder / f"{name}.csv", head, rows.get(name, ()))
            for name, head in _HEADS.items()
        }
        return FilesProvider(FilesSettings(**paths))

    def change() -> Mapping[str, Machine]:
        machines["i-1"] = MACHINES["i-1"]._replace(state="stopped", tags={"team": "bank"})
        return machines

    def many(folder: Path, count: int) -> dict[str, Any]:
        crowd = {f"i-{n}": Machine(n, "eu-west-1", 2, 4) for n in range(count)}
        one = list(_samples("", 1))
        samples = ((name, *row[1:]) for name in crowd for row in one)
        given = {"resources": _machines(crowd), "metrics": samples}
        return {
            name: str(_written(folder / f"{name}-{count}.csv", _HEADS[name], rows))
            for name, rows in given.items()
        }

    yield Fleet(
        build=lambda folder, **more: written(folder, rows()),
        machines=MACHINES,
        told=frozenset({("cpu_utilization", "mean"), ("network_in", "mean")}),
        change=change,
        many=many,
        few=30,
        limits={"costopt.providers.files.csv_file._BLOCK": 1 << 16},
        empty=lambda folder: written(folder, {}),
        mend=lambda: machines.update(MACHINES),
    )


@contextmanager
def demo() -> Iterator[Fleet]:
    """The built-in fleet, small."""
    yield Fleet(
        build=lambda folder, **more: DemoProvider(instances=12, days=8, seed=1),
        many=lambda folder, count: {"instances": count, "days": 1},
        limits={"costopt.providers.demo.samples._CHUNK": 5},
    )
