"""What every registered provider owes, whoever wrote it: add yours to fleets.FLEETS."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from costopt import pipeline, registry, schema
from costopt.lake.store import Lake
from costopt.model import Window
from costopt.providers.base import Problem, Provider


@pytest.fixture
def provider(build: Callable[[], Provider]) -> Provider:
    return build()


def _span(tables: Iterator[pa.Table]) -> Window:
    table = pa.concat_tables(tables)
    found = pc.min_max(table.column("Timestamp")).as_py()
    return Window(found["min"].astimezone(UTC), found["max"].astimezone(UTC))


def test_it_is_the_one_registered_under_its_name(provider: Provider) -> None:
    assert isinstance(provider, registry.find("provider", provider.name))
    assert provider.name
    assert provider.problems == []  # nothing was read yet


def test_its_tables_are_in_the_frames_columns(provider: Provider) -> None:
    listed = {
        "resources": provider.resources(),
        "prices": provider.prices(),
        "shapes": provider.shapes(),
    }
    for name, table in listed.items():
        assert table.schema.equals(schema.SCHEMAS[name]), name
        schema.conform(table, schema.SCHEMAS[name])  # no null where there may be none
    for name, tables in (("metrics", provider.metrics(None)), ("charges", provider.charges(None))):
        for table in tables:
            assert table.schema.equals(schema.SCHEMAS[name]), name
            schema.conform(table, schema.SCHEMAS[name])


def test_it_says_the_same_twice(build: Callable[[], Provider]) -> None:
    one, other = build(), build()
    assert one.resources().equals(other.resources())
    assert list(one.metrics(None)) == list(other.metrics(None))
    assert list(one.charges(None)) == list(other.charges(None))
    assert one.problems == other.problems


def test_metrics_keep_to_units_periods_and_known_resources(provider: Provider) -> None:
    known = set(provider.resources().column("ResourceId").to_pylist())
    table = pa.concat_tables(provider.metrics(None))
    assert table.num_rows
    assert set(pc.unique(table.column("ResourceId")).to_pylist()) <= known
    assert set(pc.unique(table.column("Statistic")).to_pylist()) <= set(schema.STATISTICS)
    for period in pc.unique(table.column("PeriodSeconds")).to_pylist():
        assert period > 0
        assert 86_400 % period == 0
    for name in pc.unique(table.column("MetricName")).to_pylist():
        assert name in schema.METRIC_CATALOGUE or name.startswith("x_"), name


def test_a_window_narrows_metrics_and_takes_whole_billing_periods(provider: Provider) -> None:
    whole = _span(provider.metrics(None))
    half = Window(whole.start, whole.start + (whole.end - whole.start) / 2)
    inside = _span(provider.metrics(half))
    assert half.start <= inside.start
    assert inside.end < half.end
    counted = sum(table.num_rows for table in provider.metrics(None))
    later = Window(half.end, whole.end + timedelta(days=1))
    parts = [sum(t.num_rows for t in provider.metrics(window)) for window in (half, later)]
    assert sum(parts) == counted  # each sample starts in exactly one of two windows that touch
    for table in provider.charges(half):
        for start, end in zip(
            table.column("BillingPeriodStart"), table.column("BillingPeriodEnd"), strict=True
        ):
            assert start.as_py() < half.end
            assert end.as_py() > half.start


def test_nothing_happened_long_ago(provider: Provider) -> None:
    past = Window(datetime(1990, 1, 1, tzinfo=UTC), datetime(1990, 1, 2, tzinfo=UTC))
    assert sum(table.num_rows for table in provider.metrics(past)) == 0
    assert sum(table.num_rows for table in provider.charges(past)) == 0


def test_money_is_exact_and_has_a_currency(provider: Provider) -> None:
    for table in provider.charges(None):
        for name in ("EffectiveCost", "BillingCurrency", "ChargePeriodStart", "ChargePeriodEnd"):
            assert table.column(name).null_count == 0, name
    for price in provider.prices().to_pylist():
        assert price["ListUnitPrice"] > 0
        assert len(price["PricingCurrency"]) == 3


def test_collecting_twice_gives_the_same_lake(
    build: Callable[[], Provider], tmp_path: Path
) -> None:
    lake = Lake(tmp_path / "lake")
    first = pipeline.collect(build(), lake)
    assert first.rows["resources"] > 0
    assert first.rows["metrics"] > 0
    assert all(isinstance(problem, Problem) for problem in first.problems)
    held = {name: lake.read(name) for name in ("resources", "prices", "shapes")}
    bill = lake.read_charges()
    again = pipeline.collect(build(), lake)
    assert not any(rows for name, rows in again.rows.items() if name != "metrics")
    assert {name: lake.read(name) for name in held} == held
    assert lake.read_charges().equals(bill)
