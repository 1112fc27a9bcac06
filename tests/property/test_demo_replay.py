"""The demo's bill, reckoned anew from its own rows, comes to the cent: each provider, each day."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache

import pyarrow as pa
import pytest

from costopt.frame.metered import COLUMNS, read
from costopt.model import Window
from costopt.pricing.commitments import reconciled, replay, residue
from costopt.providers.demo import DemoProvider
from costopt.units import cents, provider_key

WHOLE = Window(datetime(2026, 9, 1, tzinfo=UTC), datetime(2026, 11, 2, tzinfo=UTC))
SPELLED = ("aws", "azure", "gcp", "onprem")


@cache
def charges() -> pa.Table:
    return pa.concat_tables(table.select(COLUMNS) for table in DemoProvider().charges(None))


@cache
def by_day() -> dict[str, dict[int, Decimal]]:
    """Effective cost of machines' time and of commitments, by the demo's own categories of rows."""
    found: dict[str, dict[int, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
    for row in charges().to_pylist():
        if (
            row["ChargeCategory"] == "Usage"
            and row["ServiceCategory"] == "Compute"
            and row["ChargePeriodEnd"] <= WHOLE.end
        ):
            day = int(row["ChargePeriodStart"].timestamp())
            found[provider_key(row["ProviderName"])][day] += row["EffectiveCost"]
    return found


@pytest.mark.parametrize("provider", SPELLED)
def test_every_day_comes_to_the_cent(provider: str) -> None:
    bill = read(charges(), WHOLE, "USD")[provider]
    again = dict(zip(bill.starts.tolist(), replay(bill).tolist(), strict=True))
    billed = by_day()[provider]
    assert again.keys() == billed.keys()
    assert len(billed) == 62
    for day, cost in billed.items():
        assert cents(Decimal(again[day])) == cents(cost)
    assert residue(bill) < 1e-9
    assert reconciled(bill)


def test_what_is_reckoned_and_what_is_left_out_are_the_bill() -> None:
    whole = sum(
        row["EffectiveCost"] for row in charges().to_pylist() if row["ChargePeriodEnd"] <= WHOLE.end
    )
    bills = read(charges(), WHOLE, "USD")
    reckoned = sum(float(bill.actual.sum()) for bill in bills.values())
    assert cents(Decimal(reckoned) + sum(bill.rest for bill in bills.values())) == cents(whole)
    assert {one.reason for one in bills["aws"].left_out} == {
        "commitments' own fees, paid whatever runs",
        "credits",
        "storage, traffic and whatever else is not machines' time",
    }


def test_commitments_bought_for_other_days_are_found() -> None:
    """A reservation of a type that machines left, and plans that have more to cover than they
    can."""
    held = {one.name: one for one in read(charges(), WHOLE, "USD")["aws"].held}
    assert {name: (one.order, one.by_spend) for name, one in held.items()} == {
        "ri-catalog": (0, False),
        "ri-orders-db": (0, False),
        "compute-plan": (2, True),
    }
