"""Whatever the size, seed and dates: the demo is reproducible, divisible and adds up."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from hypothesis import given, settings
from hypothesis import strategies as st

from costopt import schema
from costopt.model import Window
from costopt.providers.demo import DemoProvider

ENDS = st.dates(date(2025, 3, 1), date(2027, 12, 31)).map(
    lambda day: datetime(day.year, day.month, day.day, tzinfo=UTC)
)
SEEDS = st.integers(0, 2**32)


def ordered(tables: Iterable[pa.Table]) -> pa.Table:
    table = pa.concat_tables([schema.empty(schema.METRICS), *tables])
    return table.sort_by([(name, "ascending") for name in table.column_names])


@settings(max_examples=12)
@given(seed=SEEDS, end=ENDS, instances=st.integers(1, 40), cut=st.integers(1, 71))
def test_samples_do_not_depend_on_how_they_are_asked_for(
    seed: int, end: datetime, instances: int, cut: int
) -> None:
    fleet = DemoProvider(instances, 3, seed, end)
    middle = fleet.window.start + cut * timedelta(hours=1)
    halves = [
        *fleet.metrics(Window(fleet.window.start, middle)),
        *fleet.metrics(Window(middle, fleet.window.end)),
    ]
    assert ordered(halves).equals(ordered(fleet.metrics(None)))


@settings(max_examples=12)
@given(seed=SEEDS, end=ENDS, few=st.integers(1, 20), more=st.integers(21, 60))
def test_a_larger_fleet_begins_with_the_smaller(
    seed: int, end: datetime, few: int, more: int
) -> None:
    small, large = DemoProvider(few, 1, seed, end), DemoProvider(more, 1, seed, end)
    ids = {m.resource_id for m in small.machines}
    theirs = ordered(large.metrics(None))
    mine = theirs.filter(pc.is_in(theirs["ResourceId"], pa.array(sorted(ids))))
    assert mine.equals(ordered(small.metrics(None)))


@settings(max_examples=12)
@given(seed=SEEDS, end=ENDS, instances=st.integers(1, 140), days=st.integers(1, 35))
def test_every_bill_adds_up(seed: int, end: datetime, instances: int, days: int) -> None:
    """Costs are quantity times price, and in closed months commitments cost what they cost."""
    fleet = DemoProvider(instances, days, seed, end)
    paid: dict[tuple[str, datetime], Decimal] = defaultdict(Decimal)
    tables: dict[tuple[Any, ...], int] = {}
    for number, table in enumerate(fleet.charges(None)):
        for row in table.to_pylist(maps_as_pydicts="strict"):
            day = row["ChargePeriodStart"].date()
            key = (row["ProviderName"], row["SubAccountId"], row["BillingPeriodStart"], day)
            # The lake keeps the newest table per such key: none may be spread over two.
            assert tables.setdefault(key, number) == number
            if row["PricingQuantity"] is not None:
                for cost, price in (
                    ("ListCost", "ListUnitPrice"),
                    ("ContractedCost", "ContractedUnitPrice"),
                ):
                    assert abs(row["PricingQuantity"] * row[price] - row[cost]) < Decimal("1e-9")
            if row["CommitmentDiscountId"] and row["BillingPeriodEnd"] <= end:
                where = (row["CommitmentDiscountId"], row["BillingPeriodStart"])
                sign = -1 if row["ChargeCategory"] == "Purchase" else 1
                paid[where] += sign * (row["EffectiveCost"] + row["BilledCost"])
    assert all(abs(difference) < Decimal("0.005") for difference in paid.values())
