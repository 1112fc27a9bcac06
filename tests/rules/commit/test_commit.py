"""What is bought, on bills small enough to reckon by hand."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from costopt.model import ActionType
from costopt.model.bill import Usage
from costopt.pricing.scenario import Change
from costopt.rules.commit.settings import CommitSettings
from tests.conftest import ROOT
from tests.rules.commit.bills import (
    PLAN,
    RATE,
    REGION,
    RESERVED,
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

pytestmark = pytest.mark.usefixtures("only_own_lists")
HOURS = 8 * WEEK
ALWAYS = np.ones(HOURS)
BY_DAY = (np.arange(HOURS) % 24 < 12).astype(float)
RI = f"aws/{REGION}/m5/reserved-instances"
SP = "aws/compute-savings-plan"


def four() -> list[Usage]:
    return [usage(f"i-{n}", ALWAYS) for n in range(4)]


def test_four_machines_that_always_run_are_reserved_one_a_month() -> None:
    found = advise(bill(four()), prices(RESERVED))
    (one,) = found.recommendations
    assert (one.rule, one.resource_id) == ("commit", RI)
    assert one.action_type is ActionType.PURCHASE_RESERVED_INSTANCES
    # 4 x 40 % of 0.096 an hour, 730 hours
    expected = Decimal("112.12")
    saved = one.estimated_monthly_savings
    assert (saved.low, saved.target, saved.high) == (expected, expected, expected)
    assert one.estimated_monthly_cost == Decimal("280.32") - expected
    told = one.evidence
    assert told["reserved"] == {"instance_type": "m5.large", "count": 4.0}
    assert float(told["hourly_commitment"]) == pytest.approx(4 * 0.0576)
    assert told["break_even_utilisation_share"] == 0.6
    assert (told["utilisation_share"], told["coverage_share"]) == (1.0, 1.0)
    lowest = 4 * 0.0384 * 8760
    assert float(told["lowest_4_weeks_over_terms"]) == pytest.approx(lowest, abs=0.01)
    assert float(told["bound_over_terms"]) == pytest.approx(4 * 0.0576 * 8760, abs=0.01)
    assert float(told["upfront"]) == 0
    assert told["price_source"] == "a list, of 2026-05-01"
    first = date(2026, 7, 27)
    days = [first, date(2026, 8, 27), date(2026, 9, 27), date(2026, 10, 27)]
    assert [part["buy_on"] for part in told["tranches"]] == days
    assert told["tranches"][0]["ends_on"] == date(2027, 7, 27)
    assert told["saves_in_full_from"] == days[-1]
    each = {"instance_type": "m5.large", "count": 1.0}
    assert [part["reserved"] for part in told["tranches"]] == [each] * 4
    assert (told["buy_in_account"], one.sub_account_id) == ("1", "1")
    assert found.skips == ()


def test_what_runs_by_day_only_is_not_worth_it() -> None:
    """Needed in half of all hours, and pays from 60 %; from 40 % it is."""
    usages = [*four(), usage("i-day", BY_DAY)]
    (one,) = advise(bill(usages), prices(RESERVED)).recommendations
    assert one.evidence["reserved"]["count"] == 4.0
    assert one.evidence["coverage_share"] == pytest.approx(4 / 4.5, abs=1e-4)
    cheap = ("m5.large", "1yr no-upfront", "0.0384")
    (one,) = advise(bill(usages), prices(cheap)).recommendations
    assert one.evidence["reserved"]["count"] == 5.0
    saved = (4.5 * RATE - 5 * 0.0384) * 730
    assert float(one.estimated_monthly_savings.target) == pytest.approx(saved, abs=0.01)
    assert one.evidence["utilisation_share"] == 0.9


def test_a_bill_by_the_day_is_taken_at_its_worst() -> None:
    """Two machines of half a day each: one could be used all day, or both by day. The bill does not
    say, so nothing is bought for them."""
    days = np.full(8 * 7, 12.0)
    usages = [usage("i-1", days), usage("i-2", days)]
    found = advise(bill(usages, hours=24.0), prices(RESERVED))
    assert found.recommendations == ()
    whole = [usage("i-1", np.full(8 * 7, 24.0))]
    (one,) = advise(bill(whole, hours=24.0), prices(RESERVED)).recommendations
    assert one.evidence["reserved"]["count"] == 1.0


def test_the_cheaper_of_two_offers_is_bought_and_the_plan_for_the_rest() -> None:
    other = [usage(f"i-c{n}", ALWAYS, rate=0.085, sku="c5.large") for n in range(2)]
    resources = [
        *(machine(f"i-{n}") for n in range(4)),
        *(machine(f"i-c{n}", "c5.large") for n in range(2)),
    ]
    listed = prices(RESERVED, PLAN, ("c5.large", "1yr no-upfront compute-savings-plan", "0.0612"))
    found = advise(bill([*four(), *other]), listed, resources=resources)
    by_scope = {one.resource_id: one for one in found.recommendations}
    assert by_scope.keys() == {RI, SP}
    assert by_scope[RI].evidence["reserved"]["count"] == 4.0
    assert float(by_scope[SP].evidence["hourly_commitment"]) == pytest.approx(0.122, abs=0.001)
    assert by_scope[SP].action_type is ActionType.PURCHASE_SAVINGS_PLANS


def test_what_is_held_already_is_not_bought_again() -> None:
    plan = held("plan", np.full(HOURS, 2 * 0.072))
    covered = [usage(f"i-{n}", ALWAYS, uses={"plan": 0.072}) for n in range(4)]
    (one,) = advise(bill(covered, [plan]), prices(RESERVED)).recommendations
    assert one.evidence["reserved"]["count"] == 2.0


def test_the_bills_own_discount_where_no_list_is_known() -> None:
    plan = held("plan", np.full(HOURS, 2 * 0.072), kind="Compute Savings Plan")
    covered = [usage(f"i-{n}", ALWAYS, uses={"plan": 0.072}) for n in range(4)]
    known = [*(machine(f"i-{n}") for n in range(4)), bought("plan")]
    (one,) = advise(bill(covered, [plan]), prices(), resources=known).recommendations
    assert one.resource_id == SP
    assert one.evidence["price_source"] == "the bill: plan takes 25 % off there"
    assert float(one.evidence["hourly_commitment"]) == pytest.approx(0.144)


def test_no_price_is_made_up() -> None:
    found = advise(bill(four()), prices())
    assert found.recommendations == ()
    (skip,) = found.skips
    assert (skip.resource_id, skip.reason) == (f"aws/{REGION}", "no-commitment-price")
    assert "m5 0.384" in skip.detail
    other_region = prices(RESERVED, region="eu-west-1")
    assert advise(bill(four()), other_region).recommendations == ()
    dearer = ("m5.large", "1yr no-upfront", "0.096")
    assert advise(bill(four()), prices(dearer)).recommendations == ()


@pytest.mark.parametrize(("weeks", "buys"), [(3, False), (4, True)])
def test_a_short_history_buys_nothing(weeks: int, buys: bool) -> None:
    found = advise(bill([usage("i-1", np.ones(weeks * WEEK))]), prices(RESERVED))
    assert bool(found.recommendations) is buys
    assert [skip.reason for skip in found.skips] == ([] if buys else ["short-history"])


def test_a_bill_by_the_month_tells_too_little() -> None:
    found = advise(bill([usage("i-1", np.full(12, 730.0))], hours=730.0), prices(RESERVED))
    assert [skip.reason for skip in found.skips] == ["coarse-bill"]


def young() -> Usage:
    hours = ALWAYS.copy()
    hours[: HOURS - 20 * 24] = 0  # since 20 days
    return usage("i-young", hours)


def gone() -> Usage:
    hours = ALWAYS.copy()
    hours[HOURS - 8 * 24 :] = 0  # until 8 days ago
    return usage("i-gone", hours)


@pytest.mark.parametrize(
    ("one", "why"), [(young(), "first billed less than 28"), (gone(), "ended more than 7")]
)
def test_what_is_young_or_gone_or_spot_is_left_out(one: Usage, why: str) -> None:
    usages = [
        usage("i-1", ALWAYS), one, usage("i-spot", ALWAYS, pricing="Dynamic"),
        usage("i-off", ALWAYS), usage("i-1", ALWAYS, sku="windows", unit="vCPU-Hours"),
    ]  # fmt: skip
    names = ("i-1", "i-young", "i-gone", "i-spot")
    resources = [*map(machine, names), machine("i-off", state="stopped")]
    found = advise(bill(usages), prices(RESERVED), resources=resources)
    (advice,) = found.recommendations
    assert advice.evidence["reserved"]["count"] == 1.0
    (note,) = found.notes
    for reason in ("spot", "stopped now", why, "licences"):
        assert reason in note


def test_nodes_that_are_replaced_are_counted_together() -> None:
    """Ten that always run, each in turn for three days only; and one that took another's place."""
    nodes = []
    for slot in range(10):
        for first in range(0, 56, 3):
            hours = np.zeros(HOURS)
            hours[first * 24 : (first + 3) * 24] = 1
            nodes.append(usage(f"i-{slot}-{first}", hours))
    (one,) = advise(bill(nodes), prices(RESERVED)).recommendations
    assert one.evidence["reserved"]["count"] == 10.0
    (one,) = advise(bill([usage("i-1", ALWAYS), young(), gone()]), prices(RESERVED)).recommendations
    assert one.evidence["reserved"]["count"] == 2.0


def test_half_a_fleet_that_has_ended_is_not_bought_for() -> None:
    """Five of ten ended ten days ago; a batch of five runs for an hour a day since, by others."""
    before, batch = ALWAYS.copy(), np.zeros(HOURS)
    before[HOURS - 240 :] = 0
    batch[HOURS - 240 :: 24] = 1
    usages = [
        *(usage(f"i-{n}", ALWAYS) for n in range(5)),
        *(usage(f"i-old{n}", before) for n in range(5)),
        *(usage(f"i-batch{n}", batch) for n in range(5)),
    ]
    (one,) = advise(bill(usages), prices(RESERVED)).recommendations
    assert one.evidence["reserved"]["count"] == 5.0


def test_members_of_a_scaling_group_come_and_go_and_it_stays() -> None:
    first, second = ALWAYS.copy(), ALWAYS.copy()
    first[HOURS // 2 :] = 0
    second[: HOURS // 2] = 0
    usages = [usage("i-1", first), usage("i-2", second, sku="m6i.large")]
    grouped = [
        machine("i-1", scaling_group="web"), machine("i-2", "m6i.large", scaling_group="web")
    ]  # fmt: skip
    listed = prices(PLAN, ("m6i.large", PLAN[1], "0.072"))
    (one,) = advise(bill(usages), listed, resources=grouped).recommendations
    assert float(one.evidence["hourly_commitment"]) == pytest.approx(0.072)
    # Of other families, and of no group, one has ended and the other is not known to stay.
    alone = advise(bill(usages), listed, resources=[machine("i-1"), machine("i-2", "m6i.large")])
    assert alone.recommendations == ()


def test_changes_come_first() -> None:
    stopped = {"aws": {"i-0": Change(keep=0.0), "i-1": Change(keep=BY_DAY)}}
    (one,) = advise(bill(four()), prices(RESERVED), changes=stopped).recommendations
    assert one.evidence["reserved"]["count"] == 2.0


def test_a_long_term_needs_a_long_history() -> None:
    long = ("m5.large", "3yr no-upfront", "0.0384")
    (one,) = advise(bill(four()), prices(RESERVED, long)).recommendations
    assert {part["term"] for part in one.evidence["tranches"]} == {"1yr"}
    wished = SURE.model_copy(update={"least_weeks_long": 8.0})
    (one,) = advise(bill(four()), prices(RESERVED, long), wished).recommendations
    assert {part["term"] for part in one.evidence["tranches"]} == {"3yr"}
    assert float(one.estimated_monthly_savings.target) == pytest.approx(4 * 0.0576 * 730, abs=0.01)
    short = wished.model_copy(update={"term": "1yr"})
    (one,) = advise(bill(four()), prices(RESERVED, long), short).recommendations
    assert {part["term"] for part in one.evidence["tranches"]} == {"1yr"}


def test_the_way_of_payment_is_asked_for_or_the_cheapest() -> None:
    upfront = ("m5.large", "1yr all-upfront", "0.056")
    listed = prices(RESERVED, upfront)
    (one,) = advise(bill(four()), listed).recommendations
    assert one.evidence["tranches"][0]["payment"] == "all-upfront"
    # At 8 % a year, 0.056 paid now is dearer than 0.0576 by and by.
    dear = SURE.model_copy(update={"cost_of_capital": 0.08})
    (one,) = advise(bill(four()), listed, dear).recommendations
    assert one.evidence["tranches"][0]["payment"] == "no-upfront"
    asked = dear.model_copy(update={"payment": "all-upfront"})
    (one,) = advise(bill(four()), listed, asked).recommendations
    assert float(one.evidence["hourly_commitment"]) == pytest.approx(4 * 0.056)


def test_falling_demand_is_not_committed_to() -> None:
    falling = np.where(np.arange(HOURS) < 6 * WEEK, 1.0, 0.0)
    falling[-24:] = 1  # it is not gone
    found = advise(bill([usage("i-1", falling)]), prices(RESERVED))
    assert found.recommendations == ()
    assert [skip.reason for skip in found.skips] == ["falling-demand"]


def test_small_savings_are_told_and_not_advised() -> None:
    found = advise(bill(four()), prices(RESERVED), min_monthly_savings=200.0)
    assert found.recommendations == ()
    assert [skip.reason for skip in found.skips] == ["small-saving"]


demand = st.lists(st.lists(st.integers(0, 3), min_size=3, max_size=7), min_size=1, max_size=4)


@settings(max_examples=25)
@given(patterns=demand, order=st.randoms(use_true_random=False), share=st.floats(0.3, 0.95))
def test_whatever_runs(patterns: list[list[int]], order: object, share: float) -> None:
    """Never more than demand or spend, and whatever the order."""
    usages = [
        usage(f"i-{n}", np.resize(np.repeat(pattern, 8).astype(float), 5 * WEEK))
        for n, pattern in enumerate(patterns)
    ]
    listed = prices(("m5.large", "1yr no-upfront", f"{share * RATE:.6f}"), PLAN)
    found = advise(bill(usages), listed, CommitSettings())
    shuffled = list(usages)
    order.shuffle(shuffled)  # type: ignore[attr-defined]
    again = advise(bill(shuffled), listed, CommitSettings())
    assert [one.evidence for one in again.recommendations] == [
        one.evidence for one in found.recommendations
    ]
    total = np.sum([one.quantity for one in usages], axis=0)
    spent = float(total.mean()) * RATE * 730
    saved = float(sum(one.estimated_monthly_savings.target for one in found.recommendations))
    most = float(sum(one.evidence["on_demand_hourly"] for one in found.recommendations))
    assert 0 <= saved <= spent
    assert most <= float(total.max()) * RATE + 1e-6
    for one in found.recommendations:
        amounts = one.estimated_monthly_savings
        assert amounts.low <= amounts.target <= amounts.high
        assert float(amounts.high) <= spent + 0.01


def test_every_setting_and_code_is_documented() -> None:
    page = (ROOT / "docs" / "commitments.md").read_text(encoding="utf-8")
    for name, field in CommitSettings.model_fields.items():
        default = field.default
        shown = f"{default:g}" if isinstance(default, float) else str(default)
        assert re.search(rf"^\| `{name}` \| `?{re.escape(shown)}`? \|", page, re.MULTILINE), name
    for code in ("short-history", "coarse-bill", "no-commitment-price", "falling-demand",
                 "unsure-demand", "small-saving"):  # fmt: skip
        assert f"| `{code}` |" in page


def test_days_here_and_there_are_no_history() -> None:
    """Four weeks of hours, but one day of each week: no week is seen."""
    days = bill([usage("i-1", np.full(28, 24.0))], hours=24.0)
    sparse = replace(days, starts=days.starts[0] + np.arange(28) * 7 * 86_400)
    found = advise(sparse, prices(RESERVED))
    assert found.recommendations == ()
    assert [skip.reason for skip in found.skips] == ["short-history"]


def test_a_single_machine_is_bought_now() -> None:
    (one,) = advise(bill([usage("i-1", ALWAYS)]), prices(RESERVED)).recommendations
    assert [part["buy_on"] for part in one.evidence["tranches"]] == [date(2026, 7, 27)]
    # Feared to fall by a tenth it is still needed nearly all the time: a whole one pays.
    (one,) = advise(
        bill([usage("i-1", ALWAYS)]), prices(RESERVED), CommitSettings()
    ).recommendations
    assert one.evidence["reserved"]["count"] == 1.0
    # Where almost all of it must be used to pay, that is not sure enough.
    dear = ("m5.large", "1yr no-upfront", "0.0941")
    found = advise(bill([usage("i-1", ALWAYS)]), prices(dear), CommitSettings())
    assert [skip.reason for skip in found.skips] == ["unsure-demand"]


def test_a_cent_is_rounded_once() -> None:
    """27.229 a month: as much in its lowest weeks as on the mean, and in what is not bought."""
    listed = prices(("m5.large", "1yr no-upfront", "0.0627"))
    machines = [usage("i-1", ALWAYS, rate=0.1)]
    (one,) = advise(bill(machines), listed).recommendations
    saved = one.estimated_monthly_savings
    assert {saved.low, saved.target, saved.high} == {Decimal("27.22")}
    assert one.evidence["lowest_4_weeks_a_month"] == Decimal("27.22")
    (skip,) = advise(bill(machines), listed, min_monthly_savings=28.0).skips
    assert "would save 27.22 a month" in skip.detail


def test_page_and_picture_say_the_same_share() -> None:
    """Used in 109 of each 168 hours, as hours by the week: 64.88 % rounded once."""
    week = (np.arange(HOURS) % WEEK < 109).astype(float)
    (found,) = [advise(bill([usage("i-1", week)]), prices(RESERVED))]
    (one,), (curve,) = found.recommendations, found.curves
    assert one.evidence["utilisation_share"] == curve.deals[0].utilisation == 0.6488
    assert one.evidence["break_even_utilisation_share"] == curve.deals[0].break_even == 0.6


def test_the_picture_shows_what_was_unused_lately() -> None:
    """Used in the first half of eight weeks alone; the note says the same."""
    before = np.where(np.arange(HOURS) < HOURS // 2, 1.0, 0.0)
    ri = held("ri", ALWAYS, cost=0.06, by_spend=False, order=0)
    found = advise(bill([usage("i-1", before, uses={"ri": 1.0}), usage("i-2", ALWAYS)], [ri]),
                   prices())  # fmt: skip
    (curve,), (told,) = found.curves, found.held
    assert curve.idle == pytest.approx(0.06)
    assert curve.idle * 730 == pytest.approx(told.monthly_unused)
