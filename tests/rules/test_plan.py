"""The joint plan: the best combination a resource, and steps that add up to two bills."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from itertools import chain, product
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from costopt.model import Cost, Recommendation, Resource, Savings, WeekPlan, Window
from costopt.model.bill import Held, Metered, Usage
from costopt.pricing.catalogue import Catalogue
from costopt.pricing.commitments import replay
from costopt.pricing.scenario import Change, changed
from costopt.rules.base import Case
from costopt.rules.billing import Billing
from costopt.rules.plan import Plan, planned
from costopt.rules.sharing import shared_cents
from tests.report.builders import offer, recommendation, savings, schedule, stop

DAYS = 7
START = datetime(2026, 10, 5, tzinfo=UTC)  # a Monday
HOURS = 24 * DAYS
NIGHTS_OFF = WeekPlan("UTC", tuple(int(8 <= slot % 24 < 20) for slot in range(168)))


def usage(name: str, rate: float = 1.0, **uses: float) -> Usage:
    return Usage(name, name, "aws", "1", "r", np.ones(HOURS), np.full(HOURS, rate), uses)


def held(name: str, amount: float, *, by_spend: bool = True) -> Held:
    cost = np.full(HOURS, amount if by_spend else 0.6 * amount)
    return Held(name, name, "aws", "", 2, by_spend, "1", np.full(HOURS, amount), cost)


def billing(usages: list[Usage], *commitments: Held) -> dict[str, Billing]:
    starts = int(START.timestamp()) + 3600 * np.arange(HOURS)
    bill = Metered(
        "aws", "USD", starts, 1.0, tuple(usages), commitments, np.zeros(HOURS), Decimal(0)
    )
    return {"aws": Billing(bill, Decimal(730) / HOURS)}


def case(name: str, monthly: str = "730") -> Case:
    cost = Cost(*[Decimal(monthly)] * 3, Decimal(1), 1.0, 0.0, "USD", "charges")
    return Case(
        resource=Resource(name, "AWS"),
        shape=None,
        price=None,
        profiles=(),
        findings=(),
        disputed=None,
        cost=cost,
        catalogue=Catalogue.load(),
        window=Window(START, START),
        as_of=START,
        min_monthly_savings=5,
    )


def halved(name: str, target: str = "365") -> Recommendation:
    """To half the price."""
    return recommendation(
        name,
        current=offer("m5.large", hourly_price=Decimal(1), currency="USD"),
        recommended=offer("m5.small", hourly_price=Decimal("0.5"), currency="USD"),
        estimated_monthly_savings=Savings(*[Decimal(target)] * 3, None, "charges"),
    )


def asleep(name: str) -> Recommendation:
    """Off for twelve hours a night."""
    own = {"schedule": NIGHTS_OFF, "replicas": None, "estimated_monthly_savings": savings("365")}
    own["evidence"] = {"schedule": {"hours_a_week_today": 168.0, "hours_a_week": 84.0}}
    return schedule(name, **own)


def told(plan: Plan) -> dict[str, list[tuple[str, Decimal]]]:
    found: dict[str, list[tuple[str, Decimal]]] = {}
    for one in plan.recommendations:
        saving = one.estimated_monthly_savings.target
        found.setdefault(one.resource_id, []).append((one.action_type.value, saving))
    return found


def test_smaller_and_off_at_night_by_hand() -> None:
    """730 a month: the nights take half, the smaller machine half of what is left."""
    plan = planned({"a": (halved("a"), asleep("a"))}, {"a": case("a")}, billing([usage("a")]))
    assert told(plan) == {
        "a": [("x_Schedule", Decimal("365.00")), ("Rightsize", Decimal("182.50"))]
    }
    assert [(step.kind, step.monthly_savings) for step in plan.steps] == [
        ("schedule", Decimal("365.00")),
        ("size", Decimal("182.50")),
    ]
    assert [one.estimated_monthly_cost for one in plan.recommendations] == [
        Decimal("365.00"),
        Decimal("182.50"),
    ]


def test_what_is_stopped_is_neither_made_smaller_nor_scheduled() -> None:
    advice = (halved("a"), asleep("a"), stop("a", estimated_monthly_savings=savings("730")))
    plan = planned({"a": advice}, {"a": case("a")}, billing([usage("a")]))
    assert told(plan) == {"a": [("Stop", Decimal("730.00"))]}
    (one,) = plan.recommendations
    assert {lost["rule"] for lost in one.evidence["instead_of"]} == {"rightsize", "schedule"}


def test_a_commitment_that_a_stop_frees_covers_another_machine() -> None:
    """Both cost 1 on demand; the plan's 0.7 covered a, and covers b afterwards."""
    bills = billing([usage("a", plan=0.7), usage("b", plan=0.7)], held("plan", 0.7))
    plan = planned({"a": (stop("a", estimated_monthly_savings=savings("0")),)},
                   {"a": case("a", "511")}, bills)  # fmt: skip
    assert told(plan) == {"a": [("Stop", Decimal("730.00"))]}


def test_a_move_off_a_reservation_is_left_away() -> None:
    """It would cost half of an hour's price more, and leave the reservation unused."""
    bills = billing([usage("a", ri=1.0)], held("ri", 1.0, by_spend=False))
    plan = planned({"a": (halved("a"),)}, {"a": case("a", "438")}, bills)
    assert told(plan) == {"a": [("Rightsize", Decimal(0))]}
    assert plan.recommendations[0].stranded_commitment == 365
    assert plan.monthly_savings == 0
    assert plan.steps == ()


def test_what_no_bill_meters_saves_what_its_advice_says() -> None:
    plan = planned({"x": (halved("x", "12.34"),)}, {"x": case("x")}, billing([usage("a")]))
    assert told(plan) == {"x": [("Rightsize", Decimal("12.34"))]}


def test_money_adds_up_of_one_resource_with_two_changes() -> None:
    """730 today. At night off 365, and half of the rest: a commitment may hold up to all of it."""
    covered: dict[str, Any] = {"stranded_commitment": Decimal("365")}
    whole = halved("a").estimated_monthly_savings  # of which 365 at most
    nights = replace(asleep("a"), estimated_monthly_savings=whole, **covered)
    advice = (replace(halved("a"), **covered), nights)
    plan = planned({"a": advice}, {"a": case("a")}, billing([usage("a")]))
    assert [one.current_monthly_cost for one in plan.recommendations] == [Decimal(730)] * 2
    highs = [one.estimated_monthly_savings.high for one in plan.recommendations]
    assert highs == [Decimal(365), Decimal("182.50")]  # half of what the nights leave
    assert [one.saved_on_others for one in plan.recommendations] == [0, 0]


def test_what_a_stop_saves_beyond_its_own_cost_falls_on_others() -> None:
    """a costs 511 under the plan; b, which the plan covers then, 730 on demand."""
    bills = billing([usage("a", plan=0.7), usage("b", plan=0.7)], held("plan", 0.7))
    advice = stop("a", estimated_monthly_savings=savings("0"), stranded_commitment=Decimal(511))
    advice = replace(advice, reason="idle; 511 of it only once the commitment is reused or ends")
    (one,) = planned({"a": (advice,)}, {"a": case("a", "511")}, bills).recommendations
    assert one.saved_on_others == Decimal("219.00")
    assert (one.current_monthly_cost, one.estimated_monthly_cost) == (511, 0)
    assert one.reason == (
        "idle; as part of the plan the bill falls by 730.00 USD a month, 730.00 of it as the "
        "commitment that it frees covers others"
    )


def test_a_guess_is_told() -> None:
    other = replace(usage("b", plan=0.7), assumed=frozenset({"plan"}))
    bills = billing([usage("a", plan=0.7), other], held("plan", 0.7))
    advice = {"a": (stop("a", estimated_monthly_savings=savings("0")),)}
    (one,) = planned(advice, {"a": case("a", "511")}, bills).recommendations
    assert one.assumed_coverage == ("plan covers b",)
    assert one.reason.endswith("; it assumes that plan covers b, as it was never seen to")


def test_what_adds_nothing_to_the_rest_is_left_away() -> None:
    """a and b are covered by a plan of two; c alone could take what one of them leaves."""
    bills = billing(
        [usage("a", plan=0.7), usage("b", plan=0.7), usage("c", 1.0, plan=0.7)], held("plan", 1.4)
    )
    none: dict[str, Any] = {
        "estimated_monthly_savings": Savings(*map(Decimal, ["0", "0", "511"]), None, "charges")
    }
    advice = {name: (stop(name, **none),) for name in "ab"}
    plan = planned(advice, {name: case(name, "511") for name in "abc"}, bills)
    assert plan.monthly_savings == Decimal("730.00")
    assert [step.recommendations for step in plan.steps] == [1]
    assert sorted(one.estimated_monthly_savings.target for one in plan.recommendations) == [0, 730]


def test_each_provider_has_its_own_choice() -> None:
    """On AWS to make it smaller would leave a reservation unused; on Azure there is none."""
    bills = billing([usage("a", ri=1.0)], held("ri", 1.0, by_spend=False))
    there = replace(usage("b"), provider="azure")
    azure = replace(bills["aws"].bill, provider="azure", usages=(there,), held=())
    bills["azure"] = Billing(azure, bills["aws"].pace)
    other = halved("b")
    other = replace(other, current=replace(other.current, provider_name="Azure"))
    cases = {"a": case("a", "438"), "b": case("b")}
    plan = planned({"a": (halved("a"),), "b": (other,)}, cases, bills)
    assert told(plan) == {"a": [("Rightsize", Decimal(0))], "b": [("Rightsize", Decimal(365))]}


def test_what_saves_less_than_it_must_as_part_of_the_plan_is_no_part_of_it() -> None:
    """By itself the smaller machine saves 365, after the nights 182.50."""
    wanted = {"a": replace(case("a"), min_monthly_savings=200)}
    plan = planned({"a": (halved("a"), asleep("a"))}, wanted, billing([usage("a")]))
    assert told(plan) == {"a": [("x_Schedule", Decimal("365.00"))]}
    wanted = {"a": replace(case("a"), min_monthly_savings=400)}
    plan = planned({"a": (halved("a"),)}, wanted, billing([usage("a")]))
    assert told(plan) == {}
    assert [(one.reason, one.detail) for one in plan.skips] == [
        ("small-saving", "as part of the plan it saves less than 400.00 USD a month")
    ]


@given(st.dictionaries(st.text("abc", min_size=1), st.decimals(-100, 100, places=6)))
def test_cents_add_up_and_are_never_more(amounts: dict[str, Decimal]) -> None:
    whole = shared_cents(amounts)
    total, exact = sum(whole.values(), Decimal(0)), sum(amounts.values(), Decimal(0))
    assert exact - Decimal("0.01") < total <= exact
    assert all(abs(whole[key] - amounts[key]) < Decimal("0.01") for key in amounts)


def _random(
    seed: int,
) -> tuple[dict[str, tuple[Recommendation, ...]], list[str], dict[str, Billing]]:
    random = np.random.default_rng(seed)
    names = [f"m{i}" for i in range(5)]
    usages = [
        usage(name, float(random.uniform(0.5, 2)), **{
            c: float(random.uniform(0.3, 0.9)) for c in ("ri", "plan") if random.random() < 0.6
        })
        for name in names
    ]  # fmt: skip
    commitments = (
        held("ri", float(random.uniform(0, 2)), by_spend=False),
        held("plan", float(random.uniform(0, 2))),
    )
    advice = {}
    for name in names:
        every = (stop(name), asleep(name), halved(name))
        advice[name] = tuple(one for one in every if random.random() < 0.5)
    return advice, names, billing(usages, *commitments)


@settings(max_examples=40)
@given(st.integers(0, 5000))
def test_the_steps_are_the_difference_of_two_bills(seed: int) -> None:
    advice, names, bills = _random(seed)
    cases = {name: case(name) for name in names}
    plan = planned(advice, cases, bills)
    changes: dict[str, Change] = {}
    keep = np.tile(np.array(NIGHTS_OFF.levels, float), DAYS // 7)
    does: dict[str, Any] = {
        "Stop": Change(keep=0.0),
        "x_Schedule": Change(keep=keep),
        "Rightsize": Change(price=0.5, moves=True),
    }
    for name, done in told(plan).items():
        for action, saving in done:
            if not saving:
                continue  # told, and no part of the plan
            changes[name] = changes.get(name, Change()).then(does[action])
    bill = bills["aws"].bill
    fallen = (replay(bill) - replay(changed(bill, changes))).sum() * 730 / HOURS
    assert float(plan.monthly_savings) == pytest.approx(fallen, abs=0.01 + 1e-6)
    assert plan.monthly_savings == sum(
        (one.estimated_monthly_savings.target for one in plan.recommendations), Decimal(0)
    )
    assert float(plan.monthly_savings) <= replay(bill).sum() * 730 / HOURS


@settings(max_examples=25)
@given(st.integers(0, 5000), st.sampled_from(["Stop", "x_Schedule", "Rightsize"]))
def test_a_kind_of_advice_more_never_saves_less(seed: int, kind: str) -> None:
    advice, names, bills = _random(seed)
    cases = {name: case(name) for name in names}
    fewer = {
        name: tuple(one for one in said if one.action_type.value != kind)
        for name, said in advice.items()
    }
    least = planned(fewer, cases, bills).monthly_savings
    assert planned(advice, cases, bills).monthly_savings >= least


@settings(max_examples=20)
@given(st.integers(0, 5000), st.integers(0, 4))
def test_one_recommendation_more_never_saves_less(seed: int, which: int) -> None:
    advice, names, bills = _random(seed)
    cases = {name: case(name) for name in names}
    fewer = {**advice, names[which]: advice[names[which]][1:]}
    least = planned(fewer, cases, bills).monthly_savings
    assert planned(advice, cases, bills).monthly_savings >= least


DOES: dict[str, Change] = {
    "Stop": Change(keep=0.0),
    "x_Schedule": Change(keep=np.tile(np.array(NIGHTS_OFF.levels, float), DAYS // 7)),
    "Rightsize": Change(price=0.5, moves=True),
}


def _every(name: str, said: tuple[Recommendation, ...]) -> list[dict[str, Change]]:
    """All that may be done with one machine."""
    stays = [{}, *({name: DOES[one.action_type.value]} for one in said)]
    if {"x_Schedule", "Rightsize"} <= {one.action_type.value for one in said}:
        stays.append({name: DOES["x_Schedule"].then(DOES["Rightsize"])})
    return stays


@settings(max_examples=10)
@given(st.integers(0, 5000))
def test_nothing_saves_more_than_the_plan(seed: int) -> None:
    """Each of all combinations is billed anew: at most 5 to the power of 5."""
    advice, names, bills = _random(seed)
    cases = {name: replace(case(name), min_monthly_savings=0) for name in names}
    bill = bills["aws"].bill
    most = max(
        (replay(bill) - replay(changed(bill, dict(chain.from_iterable(c.items() for c in each)))))
        .sum() * 730 / HOURS
        for each in product(*(_every(name, advice[name]) for name in names))
    )  # fmt: skip
    assert float(planned(advice, cases, bills).monthly_savings) >= most - 0.010001


def test_what_lets_others_save_has_half_of_that() -> None:
    """Two of a, b, c and d are covered, in that order; c has a plan of its own, too. What a leaves
    is c's: its plan is left unused. What b then leaves at night is d's, which paid 365 for it."""
    bills = billing(
        [usage("a", ri=1.0), usage("b", ri=1.0), usage("c", ri=1.0, plan=0.5), usage("d", ri=1.0)],
        held("ri", 2.0, by_spend=False),
        held("plan", 0.5),
    )
    advice = {"a": (stop("a", estimated_monthly_savings=savings("0")),), "b": (asleep("b"),)}
    plan = planned(advice, {n: case(n, "438") for n in "abcd"}, bills)
    half = Decimal("182.50")
    assert told(plan) == {"a": [("Stop", half)], "b": [("x_Schedule", half)]}
    one = planned({"a": advice["a"]}, {n: case(n, "438") for n in "abcd"}, bills)
    assert told(one) == {"a": [("Stop", Decimal(0))]}


@settings(max_examples=20)
@given(st.integers(0, 5000))
def test_the_order_of_input_does_not_matter(seed: int) -> None:
    advice, names, bills = _random(seed)
    cases = {name: case(name) for name in names}
    turned = {name: tuple(reversed(said)) for name, said in reversed(advice.items())}
    assert planned(advice, cases, bills) == planned(turned, cases, bills)
