"""Lines that files have in common, against counting them one by one."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from decimal import Decimal
from itertools import combinations
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from costopt import schema
from costopt.providers.bills import lines
from costopt.providers.bills.lines import Lines, shared

START = datetime(2026, 9, 1, tzinfo=UTC)


def table(costs: list[int]) -> pa.Table:
    rows = [
        {
            "BilledCost": Decimal(cost),
            "EffectiveCost": Decimal(cost),
            "BillingCurrency": "EUR",
            "ChargePeriodStart": START,
            "ChargePeriodEnd": START,
        }
        for cost in costs
    ]
    return pa.Table.from_pylist(rows, schema=schema.CHARGES)


@settings(max_examples=30)
@given(
    files=st.lists(st.lists(st.integers(0, 5), min_size=1, max_size=9), min_size=2, max_size=5),
    at_once=st.sampled_from((3, 1000)),
)
def test_common_lines_are_counted_as_often_as_both_have_them(
    files: list[list[int]], at_once: int
) -> None:
    with (
        TemporaryDirectory() as folder,
        pytest.MonkeyPatch.context() as patch,
        duckdb.connect() as connection,
    ):
        patch.setattr(lines, "_AT_ONCE", at_once)  # in one go, or in parts
        made = []
        for number, costs in enumerate(files):
            made.append(Lines(Path(folder) / str(number), connection))
            made[-1].add(table(costs[:2]))
            made[-1].add(table(costs[2:]))
        expected = {
            (one, other): (Counter(files[one]) & Counter(files[other])).total()
            for one, other in combinations(range(len(files)), 2)
        }
        assert dict(shared(made)) == {pair: count for pair, count in expected.items() if count}
