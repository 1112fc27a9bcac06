"""Collects into lakes, and what these hold then, in an order that only the rows decide."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import pyarrow as pa

from costopt import pipeline, schema
from costopt.frame.inventory import newest
from costopt.lake import packed
from costopt.lake.store import Lake
from costopt.model import Window
from costopt.providers.base import Provider

Held = dict[str, pa.Table]

_SERIES = ("ResourceId", "MetricName", "Statistic", "x_Device", "PeriodSeconds", "Day")


class Alone(NamedTuple):
    """One collect of everything that nothing came between."""

    lake: Lake
    held: Held
    told: pipeline.Collected


def collect(
    provider: Provider, folder: Path, window: Window | None = None
) -> tuple[Held, pipeline.Collected]:
    """What the lake of that folder holds after one more collect, and what that told."""
    lake = Lake(folder)
    told = pipeline.collect(provider, lake, window)
    return held(lake), told


def held(lake: Lake) -> Held:
    """Its tables; of the resources what they are now, whenever that was first told. The samples are
    as packed, so what came twice is counted in them."""
    found: Held = {name: _sorted(lake.read(name)) for name in ("prices", "shapes")}
    now = pa.Table.from_pylist(newest(lake.read("resources")), schema=schema.RESOURCES)
    found["resources"] = _sorted(now.drop_columns("x_ObservedAt"))
    found["bill"] = _sorted(lake.read_charges())
    found["samples"] = pa.concat_tables(packed.scan(lake)).sort_by(
        [(name, "ascending") for name in _SERIES]
    )
    return found


def same(one: Held, other: Held) -> None:
    """Fails where they are not."""
    for name, table in one.items():
        assert table.num_rows == other[name].num_rows, name
        assert table.equals(other[name]), name


def _sorted(table: pa.Table) -> pa.Table:
    rows = sorted(table.to_pylist(), key=lambda row: repr(sorted(row.items())))
    return pa.Table.from_pylist(rows, schema=table.schema)
