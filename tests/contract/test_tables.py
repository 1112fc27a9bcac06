"""What is in the tables of every registered provider: each thing once, or nothing at all."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from costopt import pipeline, schema
from costopt.errors import ProviderError
from costopt.lake.store import Lake
from tests.contract.conftest import Told
from tests.contract.fleets import Fleet

_SERIES = ["ResourceId", "MetricName", "Statistic", "x_Device", "PeriodSeconds"]


def test_each_resource_is_there_once(told: Told) -> None:
    table = told.resources
    one_each = table.group_by(["ResourceId", "x_ObservedAt"]).aggregate([])
    assert one_each.num_rows == table.num_rows
    assert not any(name != name.strip() or not name for name in table["ResourceId"].to_pylist())


def test_each_sample_is_there_once_on_its_periods_grid_in_utc(told: Told) -> None:
    table = pa.concat_tables(told.metrics)
    assert table.schema.field("Timestamp").type.tz == "UTC"
    seconds = pc.divide(pc.cast(table["Timestamp"], pa.timestamp("us", "UTC")).cast("int64"), 10**6)
    off = pc.subtract(seconds, pc.multiply(pc.divide(seconds, table["PeriodSeconds"]),
                                           table["PeriodSeconds"]))  # fmt: skip
    assert pc.sum(pc.abs(off)).as_py() == 0
    assert pc.all(pc.is_finite(table["Value"])).as_py()
    assert table.group_by([*_SERIES, "Timestamp"]).aggregate([]).num_rows == table.num_rows


def test_where_there_is_nothing_nothing_is_collected(fleet: Fleet, tmp_path: Path) -> None:
    if fleet.empty is None:
        pytest.skip("it is never empty")
    provider = fleet.empty(tmp_path)
    if fleet.lost_if_empty:  # nothing tells it from a wrong address
        with pytest.raises(ProviderError, match="no machine") as raised:
            provider.resources()
        assert raised.value.hint
        return
    tables = [provider.resources(), provider.prices(), provider.shapes()]
    assert [table.num_rows for table in tables] == [0, 0, 0]
    names = ("resources", "prices", "shapes")
    assert [table.schema for table in tables] == [schema.SCHEMAS[name] for name in names]
    told = pipeline.collect(fleet.empty(tmp_path), Lake(tmp_path / "lake"))
    assert not any(told.rows.values())
    assert not [problem for problem in told.problems if problem.fatal]
