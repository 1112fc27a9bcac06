"""What a plan does to meters: at the price of the machine advised, whatever its share comes to."""

from __future__ import annotations

from decimal import Decimal

from costopt.rules.changes import changes_of, of_plan
from costopt.rules.plan import planned
from tests.rules.test_plan import billing, case, halved, held, usage


def test_a_share_that_is_more_than_the_machine_costs_is_not_its_price() -> None:
    """a costs 511 under the plan, and 255.50 as the smaller machine; the plan's freed half covers b
    at a higher price, so that its share is more than that. Its meter still costs half."""
    bills = billing([usage("a", plan=0.7), usage("b", plan=0.7)], held("plan", 0.7))
    cases = {"a": case("a", "511")}
    advice = {"a": (halved("a", "255.50"),)}
    plan = planned(advice, cases, bills)
    assert plan.recommendations[0].estimated_monthly_savings.target == Decimal("365.00")
    done = of_plan(plan.recommendations, advice.values())
    made = changes_of(done, cases, {"aws": bills["aws"].bill})
    assert made["aws"]["a"].price == 0.5
    assert made["aws"]["a"].moves


def test_what_saves_nothing_is_not_done() -> None:
    bills = billing([usage("a", ri=1.0)], held("ri", 1.0, by_spend=False))
    cases = {"a": case("a", "438")}
    advice = {"a": (halved("a", "219"),)}
    plan = planned(advice, cases, bills)
    assert of_plan(plan.recommendations, advice.values()) == []
