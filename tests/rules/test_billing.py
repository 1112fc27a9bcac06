"""The bills that a plan is priced on: what makes a month of each."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from costopt.frame.cost import read_bill
from costopt.pricing.scenario import Change, State, difference
from costopt.rules.billing import billings, overfull
from tests.frame.test_metered import row, table
from tests.rules.test_plan import case

Span = tuple[datetime, datetime]
SUMMER = timedelta(hours=2)  # of Berlin's clock before UTC


def month(year: int, number: int, ahead: timedelta = timedelta(0)) -> Span:
    """By a clock that is so far ahead of UTC."""
    start = datetime(year, number, 1, tzinfo=UTC)
    return start - ahead, (start + timedelta(days=32)).replace(day=1) - ahead


def days(first: int, end: int) -> Span:
    return datetime(2026, 9, first, tzinfo=UTC), datetime(2026, 9, end, tzinfo=UTC)


@pytest.mark.parametrize(
    "spans",
    [
        [month(2026, 8)],
        [month(2026, 9)],
        [month(2026, 2)],
        [month(2028, 2)],
        [month(2026, 2), month(2026, 3)],
        [month(2026, 9, SUMMER)],
        [days(1, 15)],
        [days(1, 8), days(8, 15)],
    ],
)
def test_a_machine_that_runs_every_hour_saves_all_that_it_costs(spans: Sequence[Span]) -> None:
    """730 a month at 1 an hour, by months of any length and clock, by weeks and half months."""
    charges = table(
        row(0, hours, hours, ResourceId=name, ChargePeriodStart=start, ChargePeriodEnd=end)
        for start, end in spans
        for hours in [str((end - start) // timedelta(hours=1))]
        for name in ("i-1", "i-2")
    )
    bill = read_bill(charges, spans[-1][1], "USD")
    assert bill is not None
    assert bill.costs["i-1"].monthly == pytest.approx(730)
    assert bill.costs["i-1"].running_share == 1
    one = billings(charges, bill, [], "USD")["aws"]
    saved = difference(State.of(one.bill), {"i-1": Change(keep=0.0)}).total * float(one.pace)
    assert saved == pytest.approx(730)
    assert one.bill.usages[0].quantity == pytest.approx(one.bill.lengths)


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ([], None),
        ([{}], "48 h a day"),  # the same rows once more
        ([{"SkuId": "other"}], "48 h a day"),
        ([{"ServiceName": "Licences"}], None),
        ([{"PricingUnit": "vCPU-Hours"}], None),
        ([{"ResourceId": "i-2"}], None),
        ([{"CommitmentDiscountId": "plan", "CommitmentDiscountStatus": "Used",
           "CommitmentDiscountCategory": "Spend"}], "48 h a day"),
    ],
)  # fmt: skip
def test_a_machine_that_is_billed_for_more_hours_than_there_were_is_told(
    more: list[dict[str, Any]], told: str | None
) -> None:
    every = [{}, *more]
    charges = table(row(at, "1", **columns) for at in range(48) for columns in every)
    bill = read_bill(charges, datetime(2026, 9, 3, tzinfo=UTC), "USD")
    found = overfull(billings(charges, bill, [], "USD"), [case("i-1"), case("i-2")])
    assert len(found) == (told is not None)
    for note in found:
        assert f"1 machine billed for more hours than there were, most i-1 ({told})" in note
    # What many machines are billed as is no single one.
    assert overfull(billings(charges, bill, [], "USD"), []) == ()
