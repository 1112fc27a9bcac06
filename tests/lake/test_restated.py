"""A bill restated however often: what the lake holds is what was stated last."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from costopt.lake.store import Lake
from tests.lake.test_store import T0, charge, charges

PERIODS = {name: T0.replace(month=month) for name, month in (("09", 9), ("10", 10))}
ACCOUNTS = ("111", "222", "333")

Statement = dict[tuple[str, str], int]  # of a period and account: what it was charged


def stated(statement: Statement) -> pa.Table:
    rows = [
        charge(0, str(cost), SubAccountId=account, BillingPeriodStart=PERIODS[period])
        for (period, account), cost in sorted(statement.items())
    ]
    return charges(*rows)


def held(lake: Lake) -> Statement:
    sums: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for row in lake.read_charges().to_pylist():
        period = f"{row['BillingPeriodStart']:%m}"
        sums[period, row["SubAccountId"]] += row["EffectiveCost"]
    return {key: int(cost) for key, cost in sums.items()}


def test_a_return_to_an_earlier_statement_counts_and_the_same_again_adds_nothing(
    tmp_path: Path,
) -> None:
    lake = Lake(tmp_path / "lake")
    first, second = stated({("09", "111"): 100}), stated({("09", "111"): 250})
    for bill in (first, second, first):
        assert lake.append_charges([bill], whole_periods=True).rows == 1
        assert lake.append_charges([bill], whole_periods=True).rows == 0
    assert held(lake) == {("09", "111"): 100}
    other = stated({("10", "111"): 7})
    assert lake.append_charges([other], whole_periods=True).rows == 1
    assert lake.append_charges([first], whole_periods=True).rows == 0  # of another period


def test_of_single_days_a_return_counts_too(tmp_path: Path) -> None:
    lake = Lake(tmp_path / "lake")
    whole = charges(charge(0, "1"), charge(1, "2"))
    for bill in (whole, charges(charge(1, "3")), whole):
        assert lake.append_charges([bill]).rows
    assert sum(lake.read_charges().column("EffectiveCost").to_pylist()) == 3


@settings(max_examples=15)
@given(
    st.lists(
        st.dictionaries(
            st.tuples(st.sampled_from(sorted(PERIODS)), st.sampled_from(ACCOUNTS)),
            st.integers(0, 3),
            min_size=1,
        ),
        min_size=1,
        max_size=6,
    )
)
def test_each_account_and_period_is_as_it_was_stated_last(statements: list[Statement]) -> None:
    expected: Statement = {}
    with TemporaryDirectory() as folder:
        lake = Lake(Path(folder))
        for statement in statements:
            lake.append_charges([stated(statement)], whole_periods=True)
            expected |= statement
            assert held(lake) == expected
            assert lake.append_charges([stated(statement)], whole_periods=True).rows == 0
