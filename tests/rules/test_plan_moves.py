"""Moves and spot as steps of a plan: what leaves the bill, less what is paid elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from costopt.model import ActionType, Recommendation, Savings
from costopt.pricing.commitments import replay
from costopt.pricing.scenario import Change, changed
from costopt.rules.plan import planned
from tests.report.builders import stop
from tests.rules.test_plan import HOURS, billing, case, halved, held, usage

MONTH = Decimal(730)


def moved(name: str, there: str, group: str = "") -> Recommendation:
    """A machine of 730 a month that costs so much elsewhere."""
    saving = MONTH - Decimal(there)
    saved = Savings(saving, saving, saving, None, "charges")
    return replace(
        halved(name),
        rule="move",
        action_type=ActionType.MOVE_REGION,
        estimated_monthly_savings=saved,
        estimated_monthly_cost=Decimal(there),
        paid_elsewhere=Decimal(there),
        evidence={"group_name": group or name},
    )


def on_spot(name: str) -> Recommendation:
    """At 40 % of the price."""
    return replace(
        halved(name),
        rule="move",
        action_type=ActionType.SPOT,
        estimated_monthly_savings=Savings(
            Decimal(438), Decimal(438), Decimal(438), None, "charges"
        ),
        estimated_monthly_cost=Decimal(292),
        evidence={},
    )


def told(plan: object) -> dict[str, Decimal]:
    return {step.kind: step.monthly_savings for step in plan.steps}  # type: ignore[attr-defined]


def test_what_leaves_the_bill_less_what_is_paid_there() -> None:
    bills = billing([usage("a"), usage("b")])
    plan = planned(
        {}, {n: case(n) for n in "ab"}, bills, None, lambda _: [moved("a", "400"), on_spot("b")]
    )
    assert told(plan) == {"spot": Decimal("438.00"), "move": Decimal("330.00")}
    one = next(one for one in plan.recommendations if one.resource_id == "a")
    assert (one.current_monthly_cost, one.estimated_monthly_cost) == (MONTH, Decimal("400.00"))


def test_moves_are_asked_for_what_the_rest_leaves() -> None:
    asked: list[Sequence[Recommendation]] = []

    def place(done: Sequence[Recommendation]) -> Sequence[Recommendation]:
        asked.append(done)
        return []

    advice = {"a": (stop("a"),), "b": (halved("b"),)}
    planned(advice, {n: case(n) for n in "ab"}, billing([usage("a"), usage("b")]), None, place)
    assert [sorted(one.resource_id for one in done) for done in asked] == [["a", "b"]]


def test_a_commitment_left_behind_is_still_paid() -> None:
    """a costs 0.7 an hour under its plan, whether or not it is there."""
    bills = billing([usage("a", plan=0.7)], held("plan", 0.7))
    plan = planned({}, {"a": case("a", "511")}, bills, None, lambda _: [moved("a", "100")])
    assert plan.steps == ()
    both = billing([usage("a", plan=0.7), usage("b", plan=0.7)], held("plan", 0.7))
    cases = {"a": case("a", "511"), "b": case("b")}
    plan = planned({}, cases, both, None, lambda _: [moved("a", "100")])
    assert told(plan) == {"move": Decimal("630.00")}  # b is covered then: 730 less 100 paid there


def test_spot_is_not_covered_by_what_covered_it() -> None:
    """On spot it costs 0.4 an hour, and the plan is paid for nothing: 0.4 more than today."""
    bills = billing([usage("a", plan=0.7)], held("plan", 0.7))
    assert planned({}, {"a": case("a", "511")}, bills, None, lambda _: [on_spot("a")]).steps == ()


def test_a_group_goes_or_stays_as_a_whole() -> None:
    """b alone loses 70, a saves 630: together they go. If b lost 770, both would stay."""
    bills = billing([usage("a"), usage("b")])
    cases = {n: case(n) for n in "ab"}
    go = [moved("a", "100", "app"), moved("b", "800", "app")]
    assert told(planned({}, cases, bills, None, lambda _: go)) == {"move": Decimal("560.00")}
    stay = [moved("a", "100", "app"), moved("b", "1500", "app")]
    assert planned({}, cases, bills, None, lambda _: stay).steps == ()


@settings(max_examples=25)
@given(st.integers(0, 5000))
def test_steps_are_two_bills_and_what_is_paid_elsewhere_and_moves_never_save_less(
    seed: int,
) -> None:
    random = np.random.default_rng(seed)
    names = [f"m{number}" for number in range(5)]
    usages = [
        usage(name, float(random.uniform(0.5, 2)), **(
            {"plan": float(random.uniform(0.3, 0.9))} if random.random() < 0.6 else {}
        ))
        for name in names
    ]  # fmt: skip
    bills = billing(usages, held("plan", float(random.uniform(0, 2))))
    cases = {name: case(name) for name in names}
    advice = {name: (stop(name),) if random.random() < 0.3 else (halved(name),) for name in names}
    costs = {name: str(round(float(random.uniform(10, 900)), 2)) for name in names}
    going = [name for name in names if random.random() < 0.6 and advice[name][0].rule != "idle"]
    moves = [moved(name, costs[name], "one" if random.random() < 0.5 else "") for name in going]
    plan = planned(advice, cases, bills, None, lambda _: moves)
    changes: dict[str, Change] = {}
    elsewhere = Decimal(0)
    for one in plan.recommendations:
        if not one.estimated_monthly_savings.target:
            continue
        change = {
            ActionType.STOP: Change(keep=0.0),
            ActionType.RIGHTSIZE: Change(price=0.5, moves=True),
            ActionType.MOVE_REGION: Change(keep=0.0),
        }[one.action_type]
        elsewhere += one.paid_elsewhere
        before = changes.get(one.resource_id, Change())
        changes[one.resource_id] = before.then(change)
    bill = bills["aws"].bill
    fallen = (replay(bill) - replay(changed(bill, changes))).sum() * 730 / HOURS - float(elsewhere)
    assert float(plan.monthly_savings) == pytest.approx(fallen, abs=0.011 * (len(plan.steps) + 1))
    assert plan.monthly_savings >= planned(advice, cases, bills).monthly_savings


@pytest.mark.parametrize(("there", "saved"), [("400", Decimal("300.00")), ("720", None)])
def test_who_goes_along_goes_or_stays_with_whom_it_goes(there: str, saved: Decimal | None) -> None:
    """b loses 30 elsewhere; a saves 330, or 10: together 300, or nothing."""
    a, b = moved("a", there), moved("b", "760")
    pair = [
        replace(a, evidence={"group_name": "a", "goes_with": ["b"]}),
        replace(b, evidence={"group_name": "b", "goes_with": ["a"]}),
    ]
    bills = billing([usage("a"), usage("b")])
    plan = planned({}, {n: case(n) for n in "ab"}, bills, None, lambda _: pair)
    assert told(plan).get("move") == saved
