"""The joint plan: the best combination a resource, and steps that add up to two bills."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
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
from costopt.rules.plan import Plan, in_cents, planned
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


@given(st.dictionaries(st.text("abc", min_size=1), st.decimals(-100, 100, places=6)))
def test_cents_add_up_and_are_never_more(amounts: dict[str, Decimal]) -> None:
    whole = in_cents(amounts)
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


@settings(max_examples=40, deadline=None)
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
    assert float(plan.monthly_savings) == pytest.approx(fallen, abs=0.01 * len(plan.steps) + 1e-6)
    assert plan.monthly_savings == sum(
        (one.estimated_monthly_savings.target for one in plan.recommendations), Decimal(0)
    )
    assert float(plan.monthly_savings) <= replay(bill).sum() * 730 / HOURS


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 5000), st.sampled_from(["Stop", "x_Schedule", "Rightsize"]))
def test_a_kind_of_advice_more_never_saves_less(seed: int, kind: str) -> None:
    advice, names, bills = _random(seed)
    cases = {name: case(name) for name in names}
    fewer = {
        name: tuple(one for one in said if one.action_type.value != kind)
        for name, said in advice.items()
    }
    least = planned(fewer, cases, bills).monthly_savings - Decimal("0.03")  # cents of the steps
    assert planned(advice, cases, bills).monthly_savings >= least


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 5000))
def test_the_order_of_input_does_not_matter(seed: int) -> None:
    advice, names, bills = _random(seed)
    cases = {name: case(name) for name in names}
    turned = {name: tuple(reversed(said)) for name, said in reversed(advice.items())}
    assert planned(advice, cases, bills) == planned(turned, cases, bills)
