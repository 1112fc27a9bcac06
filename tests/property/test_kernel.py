"""The kernel against the plain reference, and its promise of the same bits in any order."""

import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from costopt import schema
from costopt.lake.packed import compact, scan
from costopt.lake.store import Lake
from costopt.model import Window
from costopt.profile.kernel import profile
from tests.profile import reference
from tests.profile.reference import Sample, utc

ZONES = (
    "UTC",
    "Europe/Amsterdam",
    "America/New_York",
    "Asia/Kolkata",
    "Australia/Lord_Howe",
    "Pacific/Chatham",
)
# Two or three days before a change of clocks in one of the zones, and an ordinary week.
STARTS = (
    utc(2026, 3, 6),
    utc(2026, 3, 27),
    utc(2026, 4, 3),
    utc(2026, 10, 1),
    utc(2026, 10, 23),
    utc(2026, 10, 30),
    utc(2026, 7, 6),
)
METRICS = ("cpu_utilization", "memory_utilization", "network_in")
RATES = (0.0, 0.1, 7.25, 1e9)
RELATIVE = {"mean", "std", "week_mean"}


@dataclass(frozen=True)
class Case:
    samples: list[Sample] = field(repr=False)
    window: Window
    view: dict[str, Any]  # how profile() is asked to look
    made_of: str  # for a reader of a failure


@st.composite
def fleets(draw: st.DrawFn) -> Case:
    """A few machines over some days: gaps, silence, idleness, stuck sensors, in random order."""
    seed = draw(st.integers(0, 2**32 - 1))
    rng = np.random.default_rng(seed)
    first = draw(st.sampled_from(STARTS))
    days = draw(st.integers(1, 5))
    period = draw(st.sampled_from((300, 900, 3600, 1440, 86_400)))
    machines = [f"vm-{i}" for i in range(draw(st.integers(1, 3)))]
    samples: list[Sample] = []
    for machine in machines:
        metric = draw(st.sampled_from(METRICS))
        device = draw(st.sampled_from(("", "eth0")))
        values = draw_values(rng, metric, days * 86_400 // period)
        holes = rng.random(len(values)) < draw(st.sampled_from((0.0, 0.05, 0.6)))
        silent = rng.integers(0, len(values), 2)
        holes[silent.min() : silent.max()] = draw(st.booleans())
        for slot in np.flatnonzero(~holes).tolist():
            time = first + timedelta(seconds=slot * period + int(rng.integers(0, 2)) * period / 3)
            samples.append(Sample(machine, metric, "mean", device, period, time, values[slot]))
    minutes = st.integers(-1440, days * 1440)
    start = first + timedelta(minutes=draw(minutes))
    window = Window(start, start + timedelta(minutes=draw(st.integers(1, days * 1440))))
    if draw(st.booleans()):
        window = Window(first, first + timedelta(days=days))
    view = {
        "clocks": {m: draw(st.sampled_from(ZONES)) for m in machines[1:]},
        "since": {m: first + timedelta(minutes=draw(minutes)) for m in machines[2:]},
        "default_clock": draw(st.sampled_from(ZONES)),
    }
    return Case(samples, window, view, f"{seed=} {first=} {days=} {period=}")


def draw_values(rng: np.random.Generator, metric: str, count: int) -> list[float]:
    """Busy, idle and stuck stretches; percent with values to refuse, rates of any size."""
    levels = (0.0, 0.99, 1.0, 3.0, 4.99, 5.0, 40.0, 99.99, 105.0)
    values = rng.gamma(2, 8, count)
    for _ in range(4):
        a, b = sorted(rng.integers(0, count + 1, 2))
        values[a:b] = rng.choice(levels if metric != "network_in" else RATES)
    if metric != "network_in":
        values[rng.random(count) < 0.02] = rng.choice([-1.0, 106.0, np.nan])
    return [float(v) for v in values.astype(np.float32)]


@contextmanager
def packed(*commits: pa.Table, shards: int = 16) -> Iterator[Lake]:
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "lake.json").write_text(json.dumps({"format": 1, "shards": shards}))
        lake = Lake(Path(folder))
        for commit in commits:
            lake.append_metrics("test", [commit])
        compact(lake)
        yield lake


def long_table(samples: list[Sample]) -> pa.Table:
    names = [
        "ResourceId",
        "MetricName",
        "Statistic",
        "x_Device",
        "PeriodSeconds",
        "Timestamp",
        "Value",
    ]
    rows = [dict(zip(names, sample, strict=True)) for sample in samples]
    return pa.Table.from_pylist(rows, schema=schema.METRICS)


@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow])
@given(fleets())
def test_equals_the_plain_reference(case: Case) -> None:
    with packed(long_table(case.samples)) as lake:
        found = profile(scan(lake, case.window), case.window, **case.view)
    assert found.schema == schema.PROFILES
    expected = reference.profiles(case.samples, case.window, **case.view)
    assert found.num_rows == len(expected)
    for row, wanted in zip(found.to_pylist(), expected, strict=True):
        for name, value in wanted.items():
            assert_same(name, row[name], value)


def assert_same(name: str, found: Any, wanted: Any) -> None:
    if name in RELATIVE:
        relative = 1e-6 if name == "week_mean" else 1e-9
        assert found == pytest.approx(wanted, rel=relative, abs=1e-9, nan_ok=True), name
    elif name == "week_p95":
        assert np.array_equal(np.float32(found), np.float32(wanted), equal_nan=True)
    else:
        assert found == wanted, name


@settings(max_examples=15, suppress_health_check=[HealthCheck.too_slow])
@given(fleets(), st.randoms(use_true_random=False), st.sampled_from((1, 2, 5)))
def test_the_same_bits_whatever_the_order_the_shards_and_the_threads(
    case: Case, random: Any, shards: int
) -> None:
    samples, window, view = case.samples, case.window, case.view
    shuffled = random.sample(samples, len(samples))
    cut = random.randint(0, len(samples))
    with packed(long_table(samples)) as lake:
        one = profile(scan(lake), window, **view)
    parts = long_table(shuffled[:cut]), long_table(shuffled[cut:])
    with packed(*parts, shards=shards) as lake:
        tables = [
            t.take(pa.array(random.sample(range(t.num_rows), t.num_rows), pa.int64()))
            for t in scan(lake, window)
        ]
        random.shuffle(tables)
        other = profile(tables, window, **view, threads=3)
    assert bits(one) == bits(other)


def bits(table: pa.Table) -> bytes:
    """Everything in the table but what compaction counted per file."""
    table = table.select([n for n in table.column_names if n not in COUNTED]).combine_chunks()
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return bytes(sink.getvalue())


COUNTED = {"duplicates", "conflicts", "refused_low", "refused_high", "not_finite", "off_grid"}


@settings(max_examples=15)
@given(st.integers(0, 167), st.sampled_from(ZONES), st.integers(0, 2**32 - 1))
def test_a_missing_hour_is_never_zero(hour: int, zone: str, seed: int) -> None:
    """Take one local hour of the week away: it becomes NaN, and nothing else moves to zero."""
    start = utc(2026, 7, 6)
    rng = np.random.default_rng(seed)
    window = Window(start, start + timedelta(days=8))
    samples = [
        Sample("vm", "cpu_utilization", "mean", "", 900, time, float(rng.uniform(5, 90)))
        for time in (start + timedelta(minutes=15 * i) for i in range(8 * 96))
        if local_hour(time, zone) != hour
    ]
    with packed(long_table(samples)) as lake:
        (row,) = profile(scan(lake), window, clocks={"vm": zone}, since={}).to_pylist()
    assert np.isnan(row["week_mean"][hour])
    assert np.isnan(row["week_p95"][hour])
    assert row["week_count"][hour] == 0
    assert np.count_nonzero(np.isnan(row["week_mean"])) == 1
    assert row["min"] >= 5
    assert row["coverage"] < 1


def local_hour(time: datetime, zone: str) -> int:
    local = time.astimezone(reference.ZoneInfo(zone))
    return local.weekday() * 24 + local.hour
