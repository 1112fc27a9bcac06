"""Where each series ends."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from costopt import schema
from costopt.errors import InputError
from costopt.lake import packed
from costopt.lake.held import held
from costopt.lake.store import Lake
from costopt.model import Series

T0 = datetime(2026, 3, 1, tzinfo=UTC)
CPU = "cpu_utilization"


def rows(*samples: tuple[str, str, str, float, int]) -> pa.Table:
    """(resource, metric, device, minutes after T0, period) with the value 5."""
    return pa.Table.from_pylist(
        [
            {
                "ResourceId": resource,
                "MetricName": metric,
                "Statistic": "mean",
                "Timestamp": T0 + timedelta(minutes=minutes),
                "PeriodSeconds": period,
                "Value": 5.0,
                "x_Device": device or None,
            }
            for resource, metric, device, minutes, period in samples
        ],
        schema=schema.METRICS,
    )


def filled(root: Path, table: pa.Table) -> Lake:
    lake = Lake(root)
    lake.append_metrics("test", [table])
    packed.compact(lake)
    return lake


def test_the_end_of_the_newest_sample_of_each_series(tmp_path: Path) -> None:
    lake = filled(
        tmp_path,
        rows(
            ("a", CPU, "", 0, 300),
            ("a", CPU, "", 1445, 300),
            ("a", "network_in", "", 60, 3600),
            ("b", CPU, "", 10, 300),
            ("b", "gpu_power", "0", 4 * 1440, 60),
            ("b", "gpu_power", "1", 5, 60),
        ),
    )
    assert held(lake) == {
        Series("a", CPU, "mean", ""): T0 + timedelta(minutes=1450),
        Series("a", "network_in", "mean", ""): T0 + timedelta(minutes=120),
        Series("b", CPU, "mean", ""): T0 + timedelta(minutes=15),
        Series("b", "gpu_power", "mean", "0"): T0 + timedelta(days=4, minutes=1),
        Series("b", "gpu_power", "mean", "1"): T0 + timedelta(minutes=6),
    }


def test_of_two_periods_the_later_end(tmp_path: Path) -> None:
    lake = filled(tmp_path, rows(("a", CPU, "", 0, 3600), ("a", CPU, "", 70, 300)))
    assert held(lake) == {Series("a", CPU, "mean", ""): T0 + timedelta(minutes=75)}


def test_days_of_refused_samples_alone_do_not_count(tmp_path: Path) -> None:
    lake = filled(tmp_path, rows(("a", CPU, "", 0, 300)))
    bad = rows(("a", CPU, "", 1440, 300))
    bad = bad.set_column(5, schema.METRICS.field("Value"), pa.array([900.0], pa.float32()))
    lake.append_metrics("test", [bad])
    packed.compact(lake)
    assert held(lake) == {Series("a", CPU, "mean", ""): T0 + timedelta(minutes=5)}


def test_days_before_the_one_asked_for_are_not_read(tmp_path: Path) -> None:
    lake = filled(tmp_path, rows(("old", CPU, "", 0, 300), ("new", CPU, "", 3000, 300)))
    assert {key.resource_id for key in held(lake, T0 + timedelta(days=1))} == {"new"}


def test_an_empty_lake_and_a_damaged_one(tmp_path: Path) -> None:
    assert held(Lake(tmp_path / "none")) == {}
    lake = filled(tmp_path / "lake", rows(("a", CPU, "", 0, 300)))
    (path,) = (lake.root / "packed").glob("*.parquet")
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(InputError, match="damaged packed day"):
        held(lake)


@settings(max_examples=15)
@given(
    st.lists(
        st.tuples(
            st.sampled_from("abc"),
            st.sampled_from([CPU, "network_in"]),
            st.sampled_from(["", "0"]),
            st.integers(0, 5 * 288).map(lambda slot: slot * 5),
            st.just(300),
        ),
        min_size=1,
        max_size=30,
    )
)
def test_it_is_the_maximum(
    tmp_path_factory: pytest.TempPathFactory, given: list[tuple[str, str, str, int, int]]
) -> None:
    lake = filled(tmp_path_factory.mktemp("lake"), rows(*given))
    ends: dict[Series, datetime] = {}
    for resource, metric, device, minutes, period in given:
        key = Series(resource, metric, "mean", device)
        end = T0 + timedelta(minutes=minutes, seconds=period)
        ends[key] = max(ends.get(key, end), end)
    assert held(lake) == ends
