"""Which rows are new, by tables: against the plain way, row by row."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from costopt import schema
from costopt.lake import versions
from costopt.lake.versions import KEYS, changed, latest, new_observations

T0 = datetime(2026, 9, 1, tzinfo=UTC)
EVER = datetime.min.replace(tzinfo=UTC)
MOMENTS = [None, *(T0 + timedelta(days=day) for day in range(3))]

PRICE_ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "ProviderName": st.sampled_from(["AWS", "Microsoft"]),
            "RegionId": st.sampled_from([None, "eu-west-1"]),
            "x_InstanceType": st.sampled_from(["m5.large", "m5.xlarge", "ünï"]),
            "x_OperatingSystem": st.sampled_from([None, "Linux"]),
            "PricingCategory": st.just("Standard"),
            "x_Term": st.none(),
            "ListUnitPrice": st.sampled_from([Decimal("0.1"), Decimal("0.2")]),
            "PricingCurrency": st.just("USD"),
            "x_ValidFrom": st.sampled_from([None, T0.date()]),
            "x_Source": st.sampled_from([None, "AWS price list"]),
        }
    ),
    max_size=12,
)
SHAPE_ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "ProviderName": st.just("AWS"),
            "x_InstanceType": st.sampled_from(["m5.large", "m5.xlarge"]),
            "x_vCPUs": st.sampled_from([2.0, 4.0]),
            "x_GPUCount": st.sampled_from([None, 1]),
            "x_CurrentGeneration": st.sampled_from([None, True, False]),
        }
    ),
    max_size=6,
)
RESOURCE_ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "ProviderName": st.just("AWS"),
            "ResourceId": st.sampled_from(["i-1", "i-2", "i-3"]),
            "x_vCPUs": st.sampled_from([None, 2.0, 4.0]),
            "Tags": st.sampled_from([None, (), (("team", "web"),)]),
            "x_ObservedAt": st.sampled_from(MOMENTS),
        }
    ),
    max_size=8,
)
Rows = list[dict[str, Any]]


def table(rows: Rows, kind: pa.Schema) -> pa.Table:
    return pa.Table.from_pylist(rows, schema=kind)


def plain(found: pa.Table) -> Rows:
    return found.to_pylist(maps_as_pydicts="strict")


def in_python(rows: Rows, held: Rows, key: tuple[str, ...]) -> Rows:
    """`changed`, row by row."""
    known = {tuple(row[name] for name in key): row for row in held}
    first: dict[tuple[Any, ...], dict[str, Any]] = {}
    for row in rows:
        first.setdefault(tuple(row[name] for name in key), row)
    return [row for one, row in first.items() if known.get(one) != row]


def observed_in_python(rows: Rows, held: Rows, observed_at: datetime | None) -> Rows:
    """`new_observations`, row by row; its own words for what its docstring says."""
    fresh: Rows = []
    for place, row in enumerate(rows):
        mine = [other for other in rows if other["ResourceId"] == row["ResourceId"]]
        history = [other for other in (*held, *fresh) if other["ResourceId"] == row["ResourceId"]]
        if any(other["x_ObservedAt"] for other in mine):
            if row["x_ObservedAt"] not in [other["x_ObservedAt"] for other in history]:
                fresh.append(row)
        elif rows.index(row) < place or mine[0] is not row:
            continue  # of several presents the first
        elif not history:
            fresh.append(row)
        else:
            last = sorted(history, key=lambda other: other["x_ObservedAt"] or EVER)[-1]
            since = max(last["x_ObservedAt"] or EVER, observed_at or EVER)
            if last | {"x_ObservedAt": None} != row:
                fresh.append(row | {"x_ObservedAt": None if since == EVER else since})
    return fresh


@given(PRICE_ROWS, PRICE_ROWS)
def test_changed_prices_are_those_of_the_plain_way(before: Rows, after: Rows) -> None:
    key = KEYS["prices"]
    held, rows = latest(table(before, schema.PRICES), key), table(after, schema.PRICES)
    assert plain(changed(rows, held, key)) == in_python(plain(rows), plain(held), key)


@given(SHAPE_ROWS, SHAPE_ROWS)
def test_changed_shapes_are_those_of_the_plain_way(before: Rows, after: Rows) -> None:
    key = KEYS["shapes"]
    held, rows = latest(table(before, schema.SHAPES), key), table(after, schema.SHAPES)
    assert plain(changed(rows, held, key)) == in_python(plain(rows), plain(held), key)


@given(RESOURCE_ROWS, RESOURCE_ROWS, st.sampled_from(MOMENTS), st.integers(1, 3))
def test_new_observations_are_those_of_the_plain_way(
    before: Rows, after: Rows, observed_at: datetime | None, at_a_time: int
) -> None:
    held, rows = table(before, schema.RESOURCES), table(after, schema.RESOURCES)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(versions, "_IDS", at_a_time)
        found = new_observations(rows, held, observed_at)
    assert found.schema.equals(schema.RESOURCES)
    assert plain(found) == observed_in_python(plain(rows), plain(held), observed_at)


@given(RESOURCE_ROWS, RESOURCE_ROWS, st.sampled_from(MOMENTS), st.sampled_from(MOMENTS))
def test_the_same_observations_again_are_not_new(
    before: Rows, after: Rows, observed_at: datetime | None, later: datetime | None
) -> None:
    held, rows = table(before, schema.RESOURCES), table(after, schema.RESOURCES)
    both = pa.concat_tables([held, new_observations(rows, held, observed_at)])
    assert new_observations(rows, both, later).num_rows == 0
