"""What every registered provider owes, whoever wrote it: add yours to fleets.FLEETS."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from costopt import pipeline, registry, schema
from costopt.model import Window
from costopt.providers.base import Problem, Provider
from tests.contract.collected import Alone, held, same
from tests.contract.conftest import Told


@pytest.fixture
def provider(build: Callable[[], Provider]) -> Provider:
    return build()


def _span(tables: Iterable[pa.Table]) -> Window:
    table = pa.concat_tables(tables)
    found = pc.min_max(table.column("Timestamp")).as_py()
    return Window(found["min"].astimezone(UTC), found["max"].astimezone(UTC))


def test_it_is_the_one_registered_under_its_name(provider: Provider) -> None:
    assert isinstance(provider, registry.find("provider", provider.name))
    assert provider.name
    assert provider.problems == []  # nothing was read yet


def test_its_tables_are_in_the_frames_columns(told: Told) -> None:
    tables = {
        "resources": [told.resources],
        "prices": [told.prices],
        "shapes": [told.shapes],
        "metrics": told.metrics,
        "charges": told.charges,
    }
    for name, some in tables.items():
        for table in some:
            assert table.schema.equals(schema.SCHEMAS[name]), name
            schema.conform(table, schema.SCHEMAS[name])  # no null where there may be none


def test_it_says_the_same_twice(provider: Provider, told: Told) -> None:
    assert provider.resources().equals(told.resources)
    assert tuple(provider.metrics(None)) == told.metrics
    assert tuple(provider.charges(None)) == told.charges


def test_metrics_keep_to_units_periods_and_known_resources(told: Told) -> None:
    known = set(told.resources.column("ResourceId").to_pylist())
    table = pa.concat_tables(told.metrics)
    assert table.num_rows
    assert set(pc.unique(table.column("ResourceId")).to_pylist()) <= known
    assert set(pc.unique(table.column("Statistic")).to_pylist()) <= set(schema.STATISTICS)
    for period in pc.unique(table.column("PeriodSeconds")).to_pylist():
        assert period > 0
        assert 86_400 % period == 0
    for name in pc.unique(table.column("MetricName")).to_pylist():
        assert name in schema.METRIC_CATALOGUE or name.startswith("x_"), name


def test_a_window_narrows_metrics_and_takes_whole_billing_periods(
    provider: Provider, told: Told
) -> None:
    whole = _span(told.metrics)
    half = Window(whole.start, whole.start + (whole.end - whole.start) / 2)
    inside = _span(provider.metrics(half))
    assert half.start <= inside.start
    assert inside.end < half.end
    counted = sum(table.num_rows for table in told.metrics)
    later = Window(half.end, whole.end + timedelta(seconds=1))
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


def test_collecting_twice_gives_the_same_lake(
    alone: Alone, provider: Provider, tmp_path: Path
) -> None:
    assert alone.told.rows["resources"] > 0
    assert alone.told.rows["metrics"] > 0
    assert all(isinstance(problem, Problem) for problem in alone.told.problems)
    again = pipeline.collect(provider, alone.lake)
    assert not any(rows for name, rows in again.rows.items() if name != "metrics")
    listed = held(alone.lake)
    same({name: listed[name] for name in ("resources", "prices", "shapes", "bill")}, alone.held)
