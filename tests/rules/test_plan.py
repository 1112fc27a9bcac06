"""The plan: one saving a resource, never more than it costs."""

from __future__ import annotations

from decimal import Decimal

from costopt.model import Recommendation, Skip
from costopt.rules.base import Fit
from costopt.rules.idle import Idle, IdleSettings
from costopt.rules.plan import plan
from costopt.rules.rightsize import Rightsize
from costopt.rules.rightsize_settings import RightsizeSettings
from tests.report.builders import recommendation, savings, stop
from tests.rules.builders import case, samples


def test_the_larger_saving_wins_and_the_other_stays_as_an_alternative() -> None:
    given = case("g8", samples(level=0.1))
    idle = Idle(IdleSettings()).judge(given)
    smaller = Rightsize(RightsizeSettings()).judge(given)
    assert isinstance(idle, Recommendation)
    assert isinstance(smaller, Recommendation)
    (chosen,) = plan({"m-1": (smaller, idle)})
    assert chosen.rule == "idle"
    assert chosen.estimated_monthly_savings == idle.estimated_monthly_savings
    assert chosen.recommendation_id == idle.recommendation_id
    assert chosen.alternatives == (smaller.recommended,)
    (told,) = chosen.evidence["instead_of"]
    assert told["rule"] == "rightsize"
    assert told["instance_type"] == "g1"
    assert told["monthly_savings"] == "255.50"


def test_a_smaller_machine_beats_a_stop_that_saves_less() -> None:
    resized = recommendation("a", estimated_monthly_savings=savings("50"))
    stopped = stop("a", estimated_monthly_savings=savings("40"))
    (chosen,) = plan({"a": (stopped, resized)})
    assert chosen.rule == "rightsize"
    assert chosen.evidence["instead_of"][0]["instance_type"] is None
    assert chosen.alternatives == resized.alternatives


def test_the_plan_is_sorted_by_saving_then_resource() -> None:
    advice = {
        name: (recommendation(name, estimated_monthly_savings=savings(amount)),)
        for name, amount in (("c", "5"), ("b", "9"), ("a", "5"))
    }
    expected = ["b", "a", "c"]
    assert [r.resource_id for r in plan(advice)] == expected
    turned = dict(reversed(advice.items()))
    assert [r.resource_id for r in plan(turned)] == expected


def test_the_order_of_rules_does_not_matter() -> None:
    one = recommendation("a", estimated_monthly_savings=savings("50"))
    other = stop("a", estimated_monthly_savings=savings("50"))
    assert plan({"a": (one, other)}) == plan({"a": (other, one)})


def test_skips_and_fits_are_no_advice() -> None:
    skip = Skip("a", "idle", "no-price", "")
    assert plan({"a": (skip, Fit("a", "rightsize", "", {}), None), "b": ()}) == ()
    assert sum((r.estimated_monthly_savings.target for r in plan({})), Decimal(0)) == 0
