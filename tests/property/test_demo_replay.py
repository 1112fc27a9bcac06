"""The demo's bill, reckoned anew from its own rows, comes to the cent: each provider, each day."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cache
from random import Random

import pyarrow as pa
import pytest

from costopt.frame.cost import resource_key
from costopt.frame.metered import COLUMNS, read
from costopt.model import Window
from costopt.model.bill import Metered
from costopt.pricing.commitments import reconciled, replay, residue
from costopt.pricing.scenario import Change, changed
from costopt.providers.demo import DemoProvider, bill
from costopt.providers.demo.commitments import held
from costopt.providers.demo.machines import Machine
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


OCTOBER = Window(datetime(2026, 10, 1, tzinfo=UTC), datetime(2026, 11, 1, tzinfo=UTC))


def october(fleet: list[Machine]) -> dict[str, Metered]:
    first = OCTOBER.start.date()
    tables = bill.charges(fleet, (), first, OCTOBER.end, date(first.year, first.month, 1))
    return read(pa.concat_tables(table.select(COLUMNS) for table in tables), OCTOBER, "USD")


def total(bills: dict[str, Metered]) -> float:
    return sum(float(one.actual.sum()) for one in bills.values())


def test_the_bill_without_some_machines_is_what_the_demo_would_have_billed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The demo applies what it holds hour by hour, without these machines; the replay has the bill
    with them, by the day."""
    fleet = list(DemoProvider().machines)
    commitments = held(fleet)
    monkeypatch.setattr(bill, "held", lambda _: commitments)
    reserved = [one for one in fleet if one.shape.instance_type == "Standard_D4s_v5"]
    gone = Random(1).sample([one for one in fleet if not one.role.spot], 20) + reserved[:4]
    keys = {resource_key(one.resource_id) for one in gone}
    before, after = october(fleet), october([one for one in fleet if one not in gone])
    stopped = {key: Change(keep=0.0) for key in sorted(keys)}
    again = sum(float(replay(changed(one, stopped)).sum()) for one in before.values())
    saved = total(before) - total(after)
    assert total(before) - again == pytest.approx(saved, rel=0.001)
    alone = sum(
        float((usage.rate * usage.quantity).sum())
        for one in before.values()
        for usage in one.usages
        if usage.resource_id in keys
    )
    assert alone > saved * 1.01  # what prices alone would promise
