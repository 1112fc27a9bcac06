"""What is held today counts over all of the history; what has ended, or ends soon, does not."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import numpy as np
import pytest

from costopt.model import Resource
from costopt.model.bill import Held, Metered
from costopt.rules.commit import Commitments
from costopt.rules.commit.standing import standing
from tests.rules.commit.bills import (
    PLAN,
    RATE,
    WEEK,
    advise,
    bill,
    bought,
    held,
    machine,
    prices,
    usage,
)

pytestmark = pytest.mark.usefixtures("only_own_lists")
WEEKS = 9
HOURS = WEEKS * WEEK
END = datetime(2026, 8, 3, tzinfo=UTC)
SP = "aws/compute-savings-plan"
COVERED = 0.072  # an hour of one m5.large under the plan
NAMES = [f"i-{n}" for n in range(4)]


def level(*steps: tuple[int, float]) -> np.ndarray:
    """Money an hour: so much more each, since so many days."""
    found = np.zeros(HOURS)
    for days, share in steps:
        found[HOURS - days * 24 :] += share * 4 * COVERED
    return found


def fleet(plan: Held) -> Metered:
    """Four machines that always run, and a plan that may cover them all."""
    return bill([usage(n, np.ones(HOURS), uses={"plan": COVERED}) for n in NAMES], [plan])


def found(plan: Held, known: Resource | None = None) -> Commitments:
    resources = [*map(machine, NAMES), *([known] if known else [])]
    return advise(fleet(plan), prices(PLAN), resources=resources)


@pytest.mark.parametrize("days", [1, 6, 27, 62])
def test_what_was_just_bought_is_not_bought_again(days: int) -> None:
    told = found(held("plan", level((days, 1.0))))
    assert told.recommendations == ()
    assert told.held == ()  # used in full, as if it had always been there
    (curve,) = told.curves
    assert curve.held == pytest.approx(4 * RATE)


def test_the_ladders_own_tranches_leave_the_rest_only() -> None:
    """A quarter, a quarter and 40 % bought 61, 30 and 2 days ago: a tenth is left."""
    told = found(held("plan", level((61, 0.25), (30, 0.25), (2, 0.4))))
    (one,) = told.recommendations
    assert float(one.evidence["hourly_commitment"]) == pytest.approx(0.1 * 4 * COVERED, abs=0.002)
    assert one.evidence["utilisation_share"] == pytest.approx(1.0, abs=0.01)
    assert float(one.current.hourly_price or 0) == pytest.approx(0.1 * 4 * RATE, abs=0.003)


@pytest.mark.parametrize("told", [True, False])
def test_what_has_ended_is_open(told: bool) -> None:
    """Held until ten days ago, by the bill; the inventory still lists it, or does not."""
    amount = level((63, 1.0)) - level((10, 1.0))
    known = bought("plan", end="2026-07-24T00:00:00+00:00") if told else None
    seen = found(held("plan", amount), known)
    (one,) = seen.recommendations
    assert float(one.evidence["hourly_commitment"]) == pytest.approx(4 * COVERED, abs=0.001)
    assert seen.held == ()
    when = "ended on 2026-07-24" if told else "is no longer on the bill"
    assert f"plan {when}: what it covered is on demand since" in seen.notes


def test_an_end_in_the_past_counts_though_the_bill_goes_on() -> None:
    seen = found(held("plan", level((63, 1.0))), bought("plan", end="2026-08-01T00:00:00+00:00"))
    assert [one.resource_id for one in seen.recommendations] == [SP]


def test_what_ends_soon_is_bought_for_its_end() -> None:
    """It saves nothing today: the bill falls no further. From then on a quarter of the price."""
    own = bought("plan", end="2026-08-23T00:00:00+00:00")
    seen = found(held("plan", level((63, 1.0))), own)
    (one,) = seen.recommendations
    assert one.resource_id == f"{SP}@2026-08-23"
    assert one.estimated_monthly_savings.target == 0
    later = 4 * (RATE - COVERED) * 730
    assert float(one.estimated_monthly_savings.high) == pytest.approx(later, abs=0.02)
    assert float(one.evidence["saves_a_month_from_then_on"]) == pytest.approx(later, abs=0.02)
    (part,) = one.evidence["tranches"]
    assert part["buy_on"].isoformat() == "2026-08-23"
    assert "takes the place of plan, which ends on 2026-08-23" in one.reason
    assert seen.bought["aws"] == ()
    (note,) = seen.notes
    assert "what to buy for its end stands among the purchases" in note


def test_what_lasts_longer_is_not_bought_for_yet() -> None:
    own = bought("plan", end="2027-08-23T00:00:00+00:00")
    assert found(held("plan", level((63, 1.0))), own).recommendations == ()


def test_a_month_of_31_days_is_no_new_commitment() -> None:
    """Paid by the month, an hour costs a tenth more in February: no period is changed."""
    paid = np.where(np.arange(HOURS) < HOURS // 2, 1.0, 28 / 31)
    one = fleet(held("ri", paid, by_spend=False, cost=2.0))
    same = standing(one, {}, END).bill.held[0]
    assert same.amount.tolist() == paid.tolist()


def test_short_days_stay_short() -> None:
    """Of a day on which it was short the bill tells no unused part, while the cost stays."""
    amount = np.array([24.0, 12.0, 24.0])
    ri = Held("ri", "ri", "aws", "", 0, False, "1", amount, np.full(3, 2.4))
    days = bill([usage("i-1", np.full(3, 24.0))], [ri], hours=24.0)
    assert standing(days, {}, END).bill.held[0].amount.tolist() == [24.0, 12.0, 24.0]


def test_a_last_day_that_came_in_part_halves_nothing() -> None:
    amount = np.array([24.0, 24.0, 24.0, 12.0])
    ri = Held("ri", "ri", "aws", "", 0, False, "1", amount, amount * 0.1)
    days = bill([usage("i-1", amount)], [ri], hours=24.0)
    assert standing(days, {}, END).bill.held[0].amount.tolist() == [24.0] * 4


def test_the_spend_is_not_touched() -> None:
    one = fleet(held("plan", level((6, 1.0))))
    assert one.rest == Decimal(0)
    assert standing(one, {}, END).bill.actual is one.actual
