"""What must hold of the whole way, whatever the fleet: order, duplicates, gaps, money."""

from __future__ import annotations

import dataclasses
import json
import random
import tempfile
from datetime import timedelta, timezone, tzinfo
from functools import cache
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from costopt import pipeline
from costopt.config import Settings
from costopt.errors import InsufficientData
from costopt.lake.store import Lake
from costopt.model import Report
from costopt.providers.files import FilesProvider, FilesSettings
from costopt.report.json import render
from tests.fakes.fleet import LADDER, FakeFleet, Machine, steady

SLOW = settings(max_examples=9, suppress_health_check=[HealthCheck.too_slow], derandomize=True)

machines = st.builds(
    lambda number, size, level, seed: Machine(
        f"m-{number}", size, steady(8.5, level, seed=seed), network=steady(8.5, 1e6, seed=seed)
    ),
    st.integers(0, 5),
    st.sampled_from(LADDER),
    st.floats(0.1, 95),
    st.integers(0, 9),
)
fleets = st.lists(machines, min_size=1, max_size=4, unique_by=lambda m: m.resource_id)


def report(fleet: FakeFleet) -> Report:
    with tempfile.TemporaryDirectory() as folder:
        lake = Lake(Path(folder) / "lake")
        pipeline.collect(fleet, lake)
        return pipeline.analyse(lake, Settings(), None).report


def advice(fleet: FakeFleet) -> dict[str, object]:
    """The report as published, without the findings that count what was dropped."""
    document = json.loads(render(report(fleet)))
    document.pop("findings", None)
    return document


class Shuffled(FakeFleet):
    """The same rows in another order, cut into other tables."""

    def __init__(self, machines: list[Machine], seed: int) -> None:
        super().__init__(machines)
        self.random = random.Random(seed)

    def resources(self) -> pa.Table:
        table = super().resources()
        return table.take(self.random.sample(range(table.num_rows), table.num_rows))

    def metrics(self, window):
        table = pa.concat_tables(super().metrics(window))
        rows = np.random.default_rng(self.random.random().as_integer_ratio()[0]).permutation(
            table.num_rows
        )
        mixed = table.take(pa.array(rows))
        cut = self.random.randrange(table.num_rows)
        yield mixed.slice(cut)
        yield mixed.slice(0, cut)


class Doubled(FakeFleet):
    """Every sample twice."""

    def metrics(self, window):
        for table in super().metrics(window):
            yield table
            yield table


@SLOW
@given(fleets, st.booleans())
def test_savings_never_exceed_spend(fleet: list[Machine], billed: bool) -> None:
    found = report(FakeFleet(fleet, billed=billed))
    summary = found.summary
    assert summary.monthly_savings <= summary.monthly_spend
    assert summary.monthly_spend_after == summary.monthly_spend - summary.monthly_savings
    assert summary.monthly_savings == sum(
        r.estimated_monthly_savings.target for r in found.recommendations
    )
    for advised in found.recommendations:
        saving = advised.estimated_monthly_savings
        assert saving.low <= saving.target <= saving.high
        assert advised.estimated_monthly_cost >= 0
        target = advised.recommended  # below zero only where a larger machine is advised
        larger = target is not None and (target.vcpus or 0) > (advised.current.vcpus or 0)
        assert (saving.target < 0) == larger


@SLOW
@given(fleets, st.integers(0, 2**32))
def test_neither_the_order_of_rows_nor_duplicates_matter(fleet: list[Machine], seed: int) -> None:
    found = advice(FakeFleet(fleet))
    assert advice(Shuffled(fleet, seed)) == found
    assert advice(Doubled(fleet)) == found


def from_files(fleet: FakeFleet, folder: Path, clock: tzinfo) -> dict[str, object]:
    """The fleet's advice by way of files whose timestamps are told by that clock."""
    tables = {"resources": fleet.resources(), "prices": fleet.prices(), "shapes": fleet.shapes()}
    for name, table in tables.items():
        pq.write_table(table, folder / f"{name}.parquet")
    with (folder / "metrics.csv").open("w") as file:
        file.write("ResourceId,MetricName,Timestamp,PeriodSeconds,Value\n")
        for table in fleet.metrics(None):
            for row in table.to_pylist():
                told = row["Timestamp"].astimezone(clock).isoformat()
                named = f"{row['ResourceId']},{row['MetricName']}"
                file.write(f"{named},{told},300,{row['Value']}\n")
    paths = {name: folder / f"{name}.parquet" for name in tables}
    given_files = FilesSettings(**paths, metrics=folder / "metrics.csv")
    lake = Lake(folder / "lake")
    pipeline.collect(FilesProvider(given_files), lake)
    document = json.loads(render(pipeline.analyse(lake, Settings(), None).report))
    document.pop("findings")
    return document


@settings(SLOW, max_examples=4)
@given(machines, st.integers(-14 * 60, 14 * 60))
def test_the_time_zone_of_the_input_does_not_matter(machine: Machine, minutes: int) -> None:
    fleet = FakeFleet([machine])
    clock = timezone(timedelta(minutes=minutes))
    with tempfile.TemporaryDirectory() as one:
        assert from_files(fleet, Path(one), clock) == advice(fleet)


@cache
def without_holes(level: float) -> Report:
    return report(FakeFleet([Machine("m", 16, steady(14, level))]))


@SLOW
@given(st.sampled_from((20.0, 37.5, 62.0, 90.0)), st.integers(0, 23), st.integers(1, 4))
def test_a_missing_hour_is_never_zero(level: float, hour: int, width: int) -> None:
    cpu = steady(14, level)
    hours = np.arange(len(cpu)) // 12 % 24
    holed = np.where((hours >= hour) & (hours < hour + width), np.nan, cpu)
    whole = without_holes(level)
    gaps = FakeFleet([Machine("m", 16, holed)])
    try:
        thinned = report(gaps)
    except InsufficientData:
        return
    sizes = [
        {r.resource_id: r.recommended for r in found.recommendations} for found in (whole, thinned)
    ]
    for resource_id, offer in sizes[1].items():
        assert offer == sizes[0][resource_id]


@SLOW
@given(fleets)
def test_what_was_applied_is_not_shrunk_again(fleet: list[Machine]) -> None:
    first = report(FakeFleet(fleet))
    target = {r.resource_id: r.recommended for r in first.recommendations}
    applied = []
    for machine in fleet:
        offer = target.get(machine.resource_id)
        if offer is None or offer.vcpus is None:
            continue
        scaled = np.minimum(100, np.round(machine.cpu * machine.vcpus / offer.vcpus, 2))
        applied.append(dataclasses.replace(machine, vcpus=int(offer.vcpus), cpu=scaled))
    if applied:
        again = report(FakeFleet(applied))
        assert [r for r in again.recommendations if r.recommended is not None] == []
