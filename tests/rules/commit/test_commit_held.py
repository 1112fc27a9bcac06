"""What to do with what is held: by hand."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest

from costopt.model import Resource
from costopt.optimize.commitment import Action
from costopt.rules.commit import Commitments
from tests.rules.commit.bills import REGION, SURE, WEEK, advise, bill, held, machine, prices, usage

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
    if attributes:
        own = Resource(resource_id=RI, provider_name="AWS", attributes=attributes)
        resources.append(own)
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
    assert "renew 50 % of it: 350 USD a year" in note


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


def test_what_counts_is_the_last_month() -> None:
    """Used until five weeks ago, and since for nothing."""
    ri = held(RI, ALWAYS, cost=0.06, by_spend=False, order=0)
    before = np.where(np.arange(HOURS) < 3 * WEEK, 1.0, 0.0)
    one = bill([usage("i-1", before, uses={RI: 1.0}), usage("i-2", ALWAYS)], [ri])
    (told,) = advise(one, prices(), SURE).held
    assert told.utilisation == 0.0
    assert told.choices[0].action in (Action.LAPSE, Action.SELL)
