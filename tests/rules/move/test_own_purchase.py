"""All that is bought of a class, by hand: whole spares, its break-even, its month, its parts.

Two machines of 60,000 in use and one to spare. CRF = 0.301921, 3,000 in four years are worth
2,205.09: (57,794.91 x 0.301921 + 5,400) x 1.5 + 3,200 + 735.84 = 38,210 a year each; an hour of
work takes 1.7 x 1.4 x 0.12 = 0.2856 more.
"""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis
from hypothesis import strategies as st

from costopt.optimize.own import Swing
from costopt.rules.move.market import World
from costopt.rules.move.own import Owned
from costopt.rules.move.own_answer import Answer
from costopt.rules.move.settings import MoveSettings
from tests.rules.move.test_own import ALBA, STANDING, judged, paid, site
from tests.rules.move.test_own import card as a_card
from tests.rules.move.world import world

PAID = 10.49264
POWER = 0.2856
SPARED = (57_794.91 * 0.301921 + 5_400) * 1.5 + 3_200 + 735.84
CLASS: dict[str, Any] = {
    "gpu_count": 4, "vcpus": 64, "memory_gib": 512, "price": 60_000, "salvage_price": 3_000,
    "busy_kw": 2.2, "idle_kw": 0.5, "hosting_yearly": 2_400, "maintenance_yearly": 3_000,
    "staff_yearly": 3_200, "spares_percent": 10,
}  # fmt: skip
NEAR = MoveSettings(most_ms=1000.0, price_drift_percent=0.0)


def three(factor: float = 1.0, **figures: Any) -> tuple[Owned, Answer]:
    """Machines that are used all the time, half and a quarter of it.

    Args:
        factor: of every amount of the class.
    """
    dear = {key: CLASS[key] * factor for key in CLASS if "price" in key or "yearly" in key}
    told = site(**(CLASS | dear | figures), place={"power_price_kwh": 0.12 * factor})
    uses = (("a", 1.0), ("b", 0.5), ("c", 0.25))
    cases = [a_card(name, PAID, share, cards=4, tags={"app": "train"}) for name, share in uses]
    owned, _ = judged(told, *cases, settings=NEAR)
    return owned, owned.answers[0]


def swing(answer: Answer, name: str) -> Swing:
    return next(one for one in answer.swings() if one.name == name)


def test_the_break_even_is_with_whole_spares_in_words_and_picture() -> None:
    _, answer = three()
    assert (answer.bought.count, answer.bought.spares) == (2, 1)
    share = SPARED / (8760 * (PAID - POWER))
    assert share == pytest.approx(0.427, abs=5e-4)
    assert answer.bought.break_even(PAID) == pytest.approx(share, rel=1e-6)
    price = swing(answer, "price")
    ends = [SPARED / (8760 * (PAID * part - POWER)) for part in (0.8, 1.2)]
    assert (price.at_low, price.at_high) == pytest.approx(ends, rel=1e-6)
    assert ends == pytest.approx([0.538, 0.354], abs=5e-4)
    # a fifth more or fewer of 10 % is one spare still
    assert not [one for one in answer.swings() if one.name == "spares"]
    _, more = three(ranges={"spares_percent": (0, 60)})
    spares = swing(more, "spares")
    assert (spares.low, spares.high) == (0.0, 1.0)  # none, or two for two


def month_by_month(factor: float) -> int:
    """As a ledger has it: 180,000 and what going takes, against what is saved each month."""
    once = 90.0 * (24 + 40)
    days, machines = 14 / (730 / 24), 2
    rate = 1.08 ** (1 / 12) - 1
    for used in (1.0, 0.5):
        both = PAID * 730 * used * (1 - (1 + rate) ** -days) / rate
        once += 90 * 4 + both
    kept = machines * (3_200 + 735.84) + 3 * 5_400
    saved = (8760 * 1.5 * (PAID - POWER * factor) - kept * factor) / 12
    owed, month = 180_000 * factor + once, 0
    while owed > 0:
        month += 1
        owed -= saved / (1 + rate) ** month
    return month


def test_the_month_is_of_all_that_is_bought() -> None:
    _, answer = three()
    assert answer.month == month_by_month(1.0) == 23
    owned, dear = three(1.361)
    assert dear.month == month_by_month(1.361) == 35
    assert dear.paid_by is not None
    assert owned.recommendations[0].evidence["break_even_months"] == 35


@pytest.mark.parametrize("factor", [1.0, 1.361])
def test_rows_are_parts_of_the_purchase_and_add_up(factor: float) -> None:
    owned, answer = three(factor)
    saved = [one.estimated_monthly_savings for one in owned.recommendations]
    assert len(saved) == 2
    yearly = 8760 * 1.5 * (PAID - POWER * factor) - 2 * SPARED * factor
    assert 12 * sum(float(one.target) for one in saved) == pytest.approx(yearly, rel=1e-4)
    assert float(sum(one.low for one in saved)) == pytest.approx(answer.bought.saved.low, abs=0.03)
    assert all(0 < one.low <= one.target <= one.high for one in saved)
    half = next(one for one in owned.recommendations if one.resource_id == "b")
    assert half.evidence["utilization"]["break_even"] < 0.5
    assert "do from" in half.reason


def test_the_next_machine_bears_only_the_spare_that_it_would_take_more() -> None:
    """One spare does for three as for two: 30 %, not 43 %; at 50 % the third takes another."""
    owned, _ = three()
    (skip,) = owned.skips
    assert "an own one costs less from 30 % of the hours on, and would be used 25 %" in skip.detail
    own, _ = three(spares_percent=50)
    third = next(one for one in own.skips if one.resource_id == "c")
    assert "and the spare that it takes" in third.detail


def test_the_least_weeks_of_the_pool_are_its_own() -> None:
    """Two machines that take turns every four weeks are used half each, all the time together."""
    on, off = [1.0] * 672, [0.0] * 672
    bill = paid(a=[*on, *off], b=[*off, *on])
    cases = [a_card(name, 9.0) for name in ("a", "b")]
    owned, _ = judged(site(), *cases, bill=bill)
    shown = owned.answers[0].shown
    assert shown is not None
    both = judged(site(price=10_000), *cases, bill=bill)[0].answers[0].left
    assert [rack.used_low for rack in both] == [0.0, 0.0]
    told = judged(site(gpu_count=2), *cases, bill=bill)[0].answers[0].shown
    assert told is not None
    assert (told.used, told.used_low) == (0.5, 0.5)


def test_without_a_range_the_clouds_price_may_fall_for_as_long_as_it_lives() -> None:
    """3 % for each of four years: 8760 x (0.88 x 4 - 0.1176) - 16,118.34."""
    drifting = MoveSettings(
        labour_rate=0, dual_run_days=0, yearly_rate=0, most_ms=1000, price_drift_percent=3
    )
    owned, _ = judged(site(), a_card("a", 4.0), settings=drifting)
    low = owned.recommendations[0].estimated_monthly_savings.low
    assert 12 * float(low) == pytest.approx(8760 * (0.88 * 4.0 - 0.1176) - STANDING, abs=0.2)
    assert "12 % less for the cloud" in owned.recommendations[0].reason
    told = site(ranges={"cloud_price_hourly": (3.9, 5.0)})
    owned, _ = judged(told, a_card("a", 4.0), settings=drifting)
    low = owned.recommendations[0].estimated_monthly_savings.low
    assert 12 * float(low) == pytest.approx(8760 * (3.9 - 0.1176) - STANDING, abs=0.2)


def test_own_machines_must_beat_what_is_bought_ahead() -> None:
    """At 3.00 an hour always, 730 x (4 - 3) = 730 a month less; an own one saves 1,489.17."""
    yearly = 8760 * (4.0 - 0.1176) - STANDING
    for hourly, bought in ((3.0, True), (1.9, False)):
        here = ahead(hourly)
        owned, _ = judged(site(), a_card("a", 4.0, here=here), here=here)
        assert bool(owned.recommendations) == bought
        shown = owned.answers[0].shown
        assert shown is not None
        assert shown.ahead == pytest.approx(730 * (4 - hourly))
        assert shown.saved.target == pytest.approx(yearly / 12, abs=0.01)
    assert [skip.reason for skip in owned.skips] == ["own-dearer"]
    assert "buying it ahead in the cloud (3yr) 1,533" in owned.skips[0].detail
    # a quarter of the hours is cheaper by the hour than all of them ahead
    here = ahead(1.9)
    owned, _ = judged(site(price=4_000), a_card("a", 4.0, 0.25, here=here), here=here)
    assert owned.answers[0].bought.ahead == 0


def ahead(hourly: float) -> World:
    """Machines of sixteen vCPUs can be bought for three years at that price."""
    return world({ALBA: "0.05"}, committed=str(hourly / 16))


@hypothesis(max_examples=20)
@given(
    st.lists(st.floats(0.3, 1.0), min_size=1, max_size=6),
    st.sampled_from([0, 5, 12.5, 40]),
)
def test_parts_are_never_negative_where_all_is_bought(uses: list[float], spares: float) -> None:
    cases = [a_card(f"m{n}", 6.0, use) for n, use in enumerate(uses)]
    owned, _ = judged(site(spares_percent=spares), *cases)
    bought = owned.answers[0].bought
    parts = [bought.part(rack, one) for rack in bought.racks for one in rack.members]
    assert all(0 <= one.low <= one.target <= one.high for one in parts)
    assert sum(one.target for one in parts) == pytest.approx(bought.saved.target if parts else 0)
