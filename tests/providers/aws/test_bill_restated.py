"""Exports restated in any order, in one lake: it holds what a collect of their last state would."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, cast

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from costopt import schema
from costopt.lake.store import Lake
from costopt.providers.aws.bill.exports import Exports, Listed
from costopt.providers.aws.bill.layout import Month, Stored
from costopt.providers.aws.bill.spool import Spool

PAYER = "999900000000"
MONTHS = {"2026-09": datetime(2026, 9, 1, tzinfo=UTC), "2026-10": datetime(2026, 10, 1, tzinfo=UTC)}
Of = tuple[str, str]  # an export and a month
Told = Mapping[str, int]  # by account, what it was charged


def charges(month: datetime, told: Told) -> pa.Table:
    rows = [
        {
            "ProviderName": "AWS",
            "BillingAccountId": PAYER,
            "SubAccountId": account,
            "BillingCurrency": "USD",
            "BillingPeriodStart": month,
            "ChargePeriodStart": month + timedelta(days=cost),
            "ChargePeriodEnd": month + timedelta(days=cost + 1),
            "BilledCost": Decimal(cost),
            "EffectiveCost": Decimal(cost),
        }
        for account, cost in sorted(told.items())
    ]
    return pa.Table.from_pylist(rows, schema=schema.CHARGES)


@dataclass
class Stated(Exports):
    """Exports that lie in memory instead of in S3."""

    states: dict[Of, Told] = field(default_factory=dict)

    def listed(self, addresses: tuple[str, ...]) -> Iterator[Listed]:
        for (export, month), told in sorted(self.states.items()):
            file = Stored(f"{export}/{month}", repr(sorted(told.items())), 1, MONTHS["2026-10"])
            listed = Month("b", export, MONTHS[month], None, {"": [file]})
            yield Listed(cast("Any", None), listed, manifests=False)

    def spool(self, one: Listed, folder: Path) -> Spool:
        told = self.states[one.month.export, f"{one.month.start:%Y-%m}"]
        with Spool(folder / "charges.arrow") as spool:
            spool.add(charges(one.month.start, told))
        return spool


def collect(lake: Lake, states: dict[Of, Told]) -> int:
    exports = Stated(cast("Any", None), lake.notes("aws"), None, [], {}, states)
    rows = lake.append_charges(exports.charges(()), whole_periods=True).rows
    lake.note("aws", exports.notes)
    return rows


def held(lake: Lake) -> dict[Of, Decimal]:
    sums: dict[Of, Decimal] = defaultdict(Decimal)
    for row in lake.read_charges().to_pylist():
        sums[f"{row['BillingPeriodStart']:%Y-%m}", row["SubAccountId"]] += row["BilledCost"]
    return {key: cost for key, cost in sums.items() if cost}


TOLD = st.dictionaries(st.sampled_from(("111", "222", "333")), st.integers(1, 4))
MONTH = st.sampled_from(sorted(MONTHS))


@settings(max_examples=10, deadline=None)
@given(st.lists(st.dictionaries(MONTH, TOLD, min_size=1), min_size=1, max_size=4))
def test_of_one_export_the_last_statement_is_the_bill(steps: list[dict[str, Told]]) -> None:
    with TemporaryDirectory() as folder:
        lake = Lake(Path(folder))
        now: dict[Of, Told] = {}
        for step in steps:
            now |= {("e", month): told for month, told in step.items()}
            collect(lake, now)
            assert held(lake) == {
                (month, account): cost
                for (_, month), told in now.items()
                for account, cost in told.items()
            }
            assert collect(lake, now) == 0


@settings(max_examples=10, deadline=None)
@given(
    st.lists(
        st.dictionaries(st.tuples(st.sampled_from("ab"), MONTH), TOLD, min_size=1),
        min_size=1,
        max_size=4,
    )
)
def test_of_several_exports_each_account_counts_once_whatever_came_before(
    steps: list[dict[Of, Told]],
) -> None:
    with TemporaryDirectory() as folder, TemporaryDirectory() as anew:
        lake = Lake(Path(folder))
        now: dict[Of, Told] = {}
        for step in steps:
            now |= step
            collect(lake, now)
            assert collect(lake, now) == 0
            for month in MONTHS:
                told = {export: one for (export, at), one in now.items() if at == month}
                first = sorted(told, key=lambda export: (-len(told[export]), export))
                expected: dict[str, int] = {}
                for export in first:
                    expected = {**told[export], **expected}
                found = {account: cost for (at, account), cost in held(lake).items() if at == month}
                assert found == expected
        other = Lake(Path(anew))
        collect(other, now)
        assert held(other) == held(lake)
