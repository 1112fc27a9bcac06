"""What to do with what is held: by hand."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest

from costopt.optimize.commitment import Action
from costopt.rules.commit import Commitments
from costopt.rules.commit.over import ended
from tests.rules.commit.bills import (
    REGION,
    SURE,
    WEEK,
    advise,
    bill,
    bought,
    held,
    machine,
    prices,
    usage,
)

HOURS = 8 * WEEK
ALWAYS = np.ones(HOURS)
END = datetime(2026, 7, 27, tzinfo=UTC)
RI = "arn:aws:ec2::1:reserved-instances/ri-1"


def reserved(used: int, size: float = 2.0, **attributes: str) -> Commitments:
    """`size` reserved m5.large at 0.06, of which so many machines use one each."""
    ri = held(
        RI, np.full(HOURS, size), cost=0.06, by_spend=False, order=0, kind="Reserved Instance"
    )
    usages = [usage(f"i-{n}", ALWAYS, rate=0.1, uses={RI: 1.0}) for n in range(used)]
    other = usage("i-big", ALWAYS, rate=0.2, sku="m5.xlarge")
    resources = [machine(f"i-{n}") for n in range(used)] + [machine("i-big", "m5.xlarge")]
    resources.append(bought(RI, **attributes))
    return advise(bill([*usages, other], [ri]), prices(), resources=resources)


def test_half_used() -> None:
    (told,) = reserved(1).held
    assert told.utilisation == pytest.approx(0.5)
    assert told.monthly_cost == pytest.approx(2 * 0.06 * 730)
    assert told.monthly_unused == pytest.approx(0.06 * 730)
    assert told.spare == "m5.xlarge"
    by_action = {one.action: one for one in told.choices}
    assert by_action[Action.RENEW].quantity == pytest.approx(1.0)
    assert by_action[Action.RENEW].gain == pytest.approx((0.1 - 0.06) * 8760)
    assert by_action[Action.LAPSE].gain == pytest.approx(0.06 * 8760)
    # Given away, the unused one saves its payments; over a month, as no end is known.
    assert by_action[Action.SELL].quantity == pytest.approx(1.0)
    assert by_action[Action.SELL].gain == pytest.approx(0.06 * 730)


def test_it_is_told_in_words() -> None:
    (note,) = reserved(1).notes
    assert note.startswith(
        f"{RI} (Reserved Instance): 50 % used in the last 4 weeks, 43.80 of 87.60"
    )
    assert "m5.xlarge run on demand" in note
    assert "renew 1 of 2 m5.large: 350 USD a year" in note


def test_nothing_is_bought_for_what_the_spare_part_could_cover() -> None:
    """0.06 an hour unused at 60 % of the price on demand covers half of m5.xlarge: no whole one of
    it is left to reserve."""
    assert reserved(1).recommendations == ()
    none_spare = reserved(2)
    assert none_spare.held == ()
    (one,) = none_spare.recommendations
    assert one.resource_id == f"aws/{REGION}/m5/reserved-instances"
    assert one.evidence["reserved"] == {"instance_type": "m5.xlarge", "count": 1.0}


def test_one_that_ends_soon_is_told_however_well_used() -> None:
    (told,) = reserved(2, end="2026-09-01T00:00:00+00:00").held
    assert told.utilisation == pytest.approx(1.0)
    assert told.ends == datetime(2026, 9, 1, tzinfo=UTC)
    assert told.months_left == pytest.approx(36 * 24 / 730)
    assert reserved(2, end="2027-06-01T00:00:00+00:00").held == ()


def test_convertible_ones_are_not_sold_and_paid_ones_give_nothing_back() -> None:
    (told,) = reserved(1, offering_class="convertible").held
    assert Action.SELL not in {one.action for one in told.choices}
    (told,) = reserved(1, payment_option="All Upfront").held
    assert all(one.gain <= 0 for one in told.choices if one.action is Action.SELL)


def test_what_passing_it_on_brings_hangs_on_how_it_was_paid() -> None:
    """Of one paid half upfront only the other half is saved; of an unknown one that is said."""
    whole = 0.06 * 730
    for paid, brings, words in (
        ("No Upfront", whole, "brings 44 USD a month"),
        ("Partial Upfront", whole / 2, "brings 22 USD (about half was paid upfront, and is gone)"),
        ("", whole, "brings 44 USD if nothing of it was paid upfront, which nothing tells, a"),
    ):
        found = reserved(1, payment_option=paid)
        (told,) = found.held
        (sold,) = [one for one in told.choices if one.action is Action.SELL]
        assert sold.gain == pytest.approx(brings)
        assert words in found.notes[0]


def test_the_marketplace_takes_nothing_of_less_than_a_month() -> None:
    (told,) = reserved(1, end="2026-08-20T00:00:00+00:00").held
    assert Action.SELL not in {one.action for one in told.choices}


def test_a_plan_with_room_that_never_covered_a_machine_of_its_type() -> None:
    """Half of it idle beside i-2 of the same type: sharing is off. Nothing is bought for i-2."""
    plan = held("plan", 4 * 0.06 * ALWAYS, kind="Compute Savings Plan")
    usages = [usage(f"i-{n}", ALWAYS, rate=0.1, uses={"plan": 0.06} if n < 2 else {})
              for n in range(3)]  # fmt: skip
    known = [*(machine(f"i-{n}") for n in range(3)), bought("plan")]
    found = advise(bill(usages, [plan]), prices(("m5.large", "1yr", "0.06")), resources=known)
    assert found.recommendations == ()
    (note,) = found.notes
    assert "50 % used" in note
    assert "never applied, though there was room, to i-2 (m5.large): is sharing off" in note
    # With no room left it is bought for.
    full = held("plan", 2 * 0.06 * ALWAYS, kind="Compute Savings Plan")
    listed = prices(("m5.large", "1yr", "0.06"))
    (one,) = advise(bill(usages, [full]), listed, resources=known).recommendations
    assert one.evidence["reserved"]["count"] == 1.0


def test_what_counts_is_the_last_month() -> None:
    """Used until five weeks ago, and since for nothing."""
    ri = held(RI, ALWAYS, cost=0.06, by_spend=False, order=0)
    before = np.where(np.arange(HOURS) < 3 * WEEK, 1.0, 0.0)
    one = bill([usage("i-1", before, uses={RI: 1.0}), usage("i-2", ALWAYS)], [ri])
    (told,) = advise(one, prices(), SURE).held
    assert told.utilisation == 0.0
    assert told.choices[0].action in (Action.LAPSE, Action.SELL)


def test_whole_machines_are_passed_on() -> None:
    """Four of seven are unused: each saves its payments over the nine months left."""
    (told,) = reserved(3, 7.0, payment_option="No Upfront", end="2027-04-27T00:00:00+00:00").held
    (sold,) = [one for one in told.choices if one.action is Action.SELL]
    assert sold.quantity == pytest.approx(4.0)
    assert sold.gain == pytest.approx(4 * 0.06 * 274 * 24)  # days from the bill's end
    assert told.part(sold.quantity) == "4 of 7 m5.large"
    assert told.part(7.0) == "all of it"
    (note,) = reserved(3, 7.0).notes
    assert "to pass on 4 of 7 m5.large to who" in note
    assert "let 4 of 7 m5.large go" in note


def test_what_counts_no_machines_is_passed_on_by_shares() -> None:
    """Two and a half machines by the bill are no count of machines."""
    (told,) = reserved(2, 2.5).held
    assert told.machines is None
    assert told.part(0.5) == "20 % of it"


def test_one_that_is_well_used_has_its_story_as_well() -> None:
    found = reserved(2, end="2027-06-01T00:00:00+00:00")
    assert found.held == ()
    (holding,) = found.holdings
    (one,) = holding.in_force
    told = holding.told_of(one)
    assert (told.name, told.utilisation, told.monthly_unused) == (
        RI, pytest.approx(1.0), pytest.approx(0.0),
    )  # fmt: skip
    assert told.ends == datetime(2027, 6, 1, tzinfo=UTC)
    assert Action.RENEW in {choice.action for choice in told.choices}
    assert found.over == ()


def test_one_that_has_ended_is_remembered() -> None:
    """Two for four of eight weeks, of which one machine used one: half of 40.32 USD of use."""
    until = np.where(np.arange(HOURS) < 4 * WEEK, 2.0, 0.0)
    ri = held(RI, until, cost=0.06, by_spend=False, order=0, kind="Reserved Instance")
    found = advise(bill([usage("i-1", ALWAYS, uses={RI: 1.0})], [ri]), prices())
    (over,) = found.over
    assert (over.commitment_id, over.ended) == (RI, None)
    assert over.last == datetime(2026, 6, 29, tzinfo=UTC)
    assert over.utilisation == pytest.approx(0.5)
    assert over.cost == pytest.approx(2 * 0.06 * 4 * WEEK)
    assert "is on the bill until 2026-06-29 and no longer; 50 % of it was used" in ended(
        over, "USD"
    )
    assert found.holdings[0].in_force == ()
