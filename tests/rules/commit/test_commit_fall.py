"""A fall of demand meets what was bought last: what is held is used first, while it is held."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from costopt.rules.commit import Commitments
from costopt.rules.commit.settings import CommitSettings
from tests.rules.commit.bills import (
    PLAN,
    RATE,
    RESERVED,
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
HOURS = 8 * WEEK
END = datetime(2026, 7, 27, tzinfo=UTC)  # of the bill
ALWAYS = np.ones(HOURS)
CAREFUL = CommitSettings()
COMMITTED = 0.0576


def fleet(count: int, owned: int, end: str = "", **more: object) -> Commitments:
    """So many machines that always run, so many of them under reservations."""
    ri = [held("ri", owned * ALWAYS, cost=COMMITTED, by_spend=False, order=0)] if owned else []
    uses = {"ri": 1.0} if owned else {}
    usages = [usage(f"i-{n:03}", ALWAYS, uses=uses) for n in range(count)]
    known = [machine(one.resource_id or "") for one in usages]
    known.append(bought("ri", **({"end": end} if end else {})))
    return advise(bill(usages, ri), prices(RESERVED), CAREFUL, known, **more)


def count(found: Commitments, later: bool = False) -> float:
    """Machines advised for now, or for the end of what is held."""
    return sum(
        one.evidence["reserved"]["count"]
        for one in found.recommendations
        if ("@" in one.resource_id) is later
    )


def test_nothing_held_buys_nineteen_of_twenty() -> None:
    assert count(fleet(20, 0)) == 19


def test_a_fall_is_of_all_demand_and_not_of_what_is_left() -> None:
    """In the middle of the year 18.97 machines run, of which 17 are covered."""
    found = fleet(20, 17)
    assert count(found) == 2
    (one,) = found.recommendations
    saved = (20 * 0.9**0.5 - 17) * RATE - 2 * COMMITTED
    assert saved > 0
    told = float(one.evidence["if_demand_falls_over_terms"])
    assert told == pytest.approx(saved * 8760, abs=0.01)


def test_the_twentieth_of_twenty_is_not_bought() -> None:
    found = fleet(20, 19)
    assert found.recommendations == ()
    assert [skip.reason for skip in found.skips] == ["unsure-demand"]


def test_what_ends_leaves_its_demand_to_what_is_bought_now() -> None:
    """Six of ten end in 40 days: nine are bought in all, as with nothing held."""
    found = fleet(10, 6, "2026-09-05T00:00:00+00:00")
    assert count(fleet(10, 0)) == 9
    assert count(found) + count(found, later=True) == 9
    assert count(fleet(10, 6, "2026-07-26T00:00:00+00:00")) == 9  # which has ended


def test_a_renewal_stands_on_what_is_bought_before_it() -> None:
    """Nothing is bought now for the tenth, and the nine are renewed."""
    found = fleet(10, 9, "2026-09-05T00:00:00+00:00")
    now, later = count(found), count(found, later=True)
    assert now + later == 9
    (renewed,) = [one for one in found.recommendations if "@" in one.resource_id]
    # A year from the end of the 40 days on: its middle lies 40 days and half a year from now.
    left = 10 * 0.9 ** ((40 * 24 / 730 + 6) / 12) - now
    saved = (min(later, left) * RATE - later * COMMITTED) * 8760
    assert float(renewed.evidence["if_demand_falls_over_terms"]) == pytest.approx(saved, abs=0.01)


def test_a_plan_meets_the_fall_before_the_reservations_that_are_held() -> None:
    """The plan's last increment is needed for three quarters of the year: of ten, 9.24 machines."""
    sure = 10 * 0.9**0.75

    def hourly(owned: int) -> float:
        ri = [held("ri", owned * ALWAYS, cost=COMMITTED, by_spend=False, order=0)]
        usages = [usage(f"i-{n}", ALWAYS, uses={"ri": 1.0}) for n in range(10)]
        (one,) = advise(bill(usages, ri if owned else []), prices(PLAN), CAREFUL).recommendations
        return float(one.evidence["hourly_commitment"])

    assert hourly(0) == pytest.approx(sure * 0.072, rel=0.01)
    assert hourly(9) == pytest.approx((sure - 9) * 0.072, abs=0.003)


def test_a_plan_meets_the_fall_before_the_reservations_bought_with_it() -> None:
    """Of eight sizes of one family a reservation takes the cheapest, and a plan stands on it."""
    other = [usage(f"i-c{n}", ALWAYS, rate=0.085, sku="c5.large") for n in range(10)]
    usages = [*(usage(f"i-{n}", ALWAYS) for n in range(10)), *other]
    known = [machine(f"i-{n}") for n in range(10)]
    known += [machine(f"i-c{n}", "c5.large") for n in range(10)]
    listed = prices(RESERVED, PLAN, ("c5.large", "1yr no-upfront compute-savings-plan", "0.0612"))
    found = advise(bill(usages), listed, CAREFUL, known)
    by_sort = {one.action_type.value: one.evidence for one in found.recommendations}
    reserved = by_sort["PurchaseReservedInstances"]["reserved"]["count"]
    plan = float(by_sort["PurchaseSavingsPlans"]["hourly_commitment"])
    left = 0.9**0.5
    found_by_plan = (10 * left - min(10 * left, reserved)) * RATE + 10 * left * 0.085
    covered = min(found_by_plan, plan / 0.72)
    falls = float(by_sort["PurchaseSavingsPlans"]["if_demand_falls_over_terms"])
    assert falls > 0
    assert falls == pytest.approx((covered - plan) * 8760, rel=0.05)
    assert plan <= 0.0612 * 10 * 0.9**0.7 + 0.072


def test_what_a_fall_frees_goes_to_what_the_commitment_covers_next() -> None:
    """A plan covers all ten c5 and five of ten m5: a fall of both frees it for m5 alone."""
    own = (10 * 0.085 * 0.6) + 5 * 0.072
    plan = held("plan", own * ALWAYS, kind="Compute Savings Plan")
    usages = [usage(f"i-c{n}", ALWAYS, rate=0.085, sku="c5.large", uses={"plan": 0.051})
              for n in range(10)]  # fmt: skip
    usages += [usage(f"i-m{n}", ALWAYS, uses={"plan": 0.072}) for n in range(10)]
    known = [machine(f"i-c{n}", "c5.large") for n in range(10)]
    known += [machine(f"i-m{n}") for n in range(10)]
    (one,) = advise(bill(usages, [plan]), prices(RESERVED), CAREFUL, known).recommendations
    left = 0.9**0.5
    freed = (1 - left) * own / 0.072
    found = 10 * left - 5 * left - freed
    bought_ = one.evidence["reserved"]["count"]
    saved = (min(bought_, found) * RATE - bought_ * COMMITTED) * 8760
    assert float(one.evidence["if_demand_falls_over_terms"]) == pytest.approx(saved, abs=0.01)


@settings(max_examples=25)
@given(machines=st.integers(1, 60), share=st.floats(0, 1), price=st.floats(0.3, 0.95))
def test_however_much_is_held_no_more_is_bought_than_with_nothing_held(
    machines: int, share: float, price: float
) -> None:
    listed = prices(("m5.large", "1yr no-upfront", f"{price * RATE:.6f}"))
    owned = round(share * machines)

    def held_and_bought(owned: int) -> float:
        usages = [usage(f"i-{n:03}", ALWAYS, uses={"ri": 1.0}) for n in range(machines)]
        ri = [held("ri", owned * ALWAYS, cost=price * RATE, by_spend=False, order=0)]
        return owned + count(advise(bill(usages, ri if owned else []), listed, CAREFUL))

    most, found = held_and_bought(0), held_and_bought(owned)
    assert found <= max(most, owned) + 1
    again = held_and_bought(round(found))  # bought, and asked once more
    assert again == found


@settings(max_examples=15)
@given(machines=st.integers(2, 40), share=st.floats(0, 1), days=st.integers(1, 89))
def test_what_ends_soon_and_what_takes_its_place_is_no_more(
    machines: int, share: float, days: int
) -> None:
    owned = round(share * machines)
    end = datetime.fromtimestamp(END.timestamp() + days * 86_400, UTC)
    found = fleet(machines, owned, end.isoformat())
    assert count(found) + count(found, later=True) <= count(fleet(machines, 0)) + 1
