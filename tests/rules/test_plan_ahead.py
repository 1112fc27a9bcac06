"""What a plan buys ahead: its last step, the difference of two bills like all others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from costopt.model import Recommendation, Window
from costopt.model.bill import Held, Metered
from costopt.pricing.commitments import replay
from costopt.pricing.scenario import changed
from costopt.rules.billing import Billing
from costopt.rules.changes import changes_of
from costopt.rules.commit.ahead import Ahead
from costopt.rules.commit.settings import CommitSettings
from costopt.rules.plan import Plan, planned
from tests.report.builders import stop
from tests.rules.commit.bills import PLAN, RATE, START, SURE, WEEK, bill, machine, prices, usage
from tests.rules.test_plan import asleep, case, halved

pytestmark = pytest.mark.usefixtures("only_own_lists")
WEEKS = 8
SHARE = 0.75  # of the price on demand: what PLAN costs
HALF = ("m5.small", PLAN[1], "0.036")  # of the machine that `halved` advises
CATALOGUE = prices(PLAN, HALF)
LAST = Window(
    datetime.fromtimestamp(START, UTC) + timedelta(weeks=WEEKS - 4),
    datetime.fromtimestamp(START, UTC) + timedelta(weeks=WEEKS),
)


def ahead(one: Metered, names: Sequence[str]) -> Ahead:
    return Ahead(
        bills={"aws": one},
        spans={"aws": LAST},
        resources={name: machine(name) for name in names},
        cases={name: replace(case(name), resource=machine(name)) for name in names},
        catalogue=CATALOGUE,
        settings=SURE,
        min_monthly_savings=0.0,
        as_of=None,
    )


def last_weeks(one: Metered) -> dict[str, Billing]:
    """What a plan is priced on: four weeks of the eight."""
    at = slice((WEEKS - 4) * WEEK, None)
    usages = tuple(
        replace(each, quantity=each.quantity[at], rate=each.rate[at]) for each in one.usages
    )
    short = replace(one, starts=one.starts[at], usages=usages, actual=one.actual[at])
    return {"aws": Billing(short, Decimal(730) / (4 * WEEK))}


def of_kinds(plan: Plan) -> dict[str, Decimal]:
    return {step.kind: step.monthly_savings for step in plan.steps}


def test_what_is_stopped_is_not_bought_for() -> None:
    """Two machines always on, one to be stopped: a quarter of the other's price is saved."""
    one = bill([usage(name, np.ones(WEEKS * WEEK)) for name in ("a", "b")])
    buyer = ahead(one, ["a", "b"])
    advice = {"a": (stop("a"),)}
    plan = planned(advice, buyer.cases, last_weeks(one), buyer.buy)
    hourly = Decimal(repr(RATE))
    # Plans are sold in tenths of a cent an hour: 0.072 covers 0.096 on demand.
    assert of_kinds(plan) == {"stop": Decimal("70.08"), "commit": Decimal("17.52")}
    assert plan.monthly_savings == Decimal("87.60")
    bought = next(one for one in plan.recommendations if one.rule == "commit")
    assert bought.estimated_monthly_cost == hourly * 730 - Decimal("17.52")
    assert planned(advice, buyer.cases, last_weeks(one)).monthly_savings == Decimal("70.08")


def test_what_lost_in_the_last_weeks_is_not_bought_though_the_history_would_pay() -> None:
    """Always on for six weeks, and for two only at night since."""
    hours = np.ones(WEEKS * WEEK)
    hours[-4 * WEEK :] = np.tile((np.arange(24) < 10).astype(float), 4 * 7)
    one = bill([usage("a", hours)])
    assert ahead(one, ["a"]).buy([]) == []


def test_what_comes_before_purchases_is_told() -> None:
    one = bill([usage(name, np.ones(WEEKS * WEEK)) for name in ("a", "b")])
    buyer = ahead(one, ["a", "b"])
    plan = planned({"a": (stop("a"),)}, buyer.cases, last_weeks(one), buyer.buy)
    first = "what is bought ahead is for what the plan's other changes leave: make those first"
    assert first in buyer.notes(plan.recommendations, [stop("a")])
    alone = planned({}, buyer.cases, last_weeks(one), buyer.buy)
    assert first not in buyer.notes(alone.recommendations, [])
    assert first not in buyer.notes((), [stop("a")])


def test_what_is_bought_in_parts_saves_in_full_from_the_last_on() -> None:
    """Eight machines, under the fear of a fall."""
    names = [f"m{at}" for at in range(8)]
    one = bill([usage(name, np.ones(WEEKS * WEEK)) for name in names])
    buyer = replace(ahead(one, names), settings=CommitSettings())
    plan = planned({}, buyer.cases, last_weeks(one), buyer.buy)
    (bought,) = plan.recommendations
    first, *_, last = (part["buy_on"] for part in bought.evidence["tranches"])
    assert first < last
    (note,) = buyer.notes(plan.recommendations, [])
    assert f"{bought.estimated_monthly_savings.target:,} USD a month" in note
    assert f"save in full from {last} on" in note


def test_that_nothing_is_bought_for_want_of_a_price_is_told() -> None:
    one = bill([usage("a", np.ones(WEEKS * WEEK))])
    buyer = replace(ahead(one, ["a"]), catalogue=prices())
    (note,) = buyer.notes((), [])
    assert "nothing is bought ahead" in note
    assert "in aws/us-east-1: costopt commit --skips" in note
    # What is stopped needs no price.
    assert buyer.notes((), [stop("a")]) == ()


def _random(seed: int) -> tuple[Metered, list[str], dict[str, tuple[Recommendation, ...]]]:
    random = np.random.default_rng(seed)
    names = [f"m{number}" for number in range(4)]
    on = [np.tile(random.random(WEEK) < random.uniform(0.3, 1.2), WEEKS) for _ in names]
    one = bill([usage(name, hours.astype(float)) for name, hours in zip(names, on, strict=True)])
    advice = {
        name: tuple(
            each for each in (stop(name), asleep(name), halved(name)) if random.random() < 0.4
        )
        for name in names
    }
    return one, names, advice


def _bought(after: Metered, plan: Plan) -> Metered:
    """The bill with a commitment of its own for every purchase, for the billing engine."""
    spent = {
        one.resource_id: float(one.evidence["hourly_commitment"])
        for one in plan.recommendations
        if one.rule == "commit"
    }
    periods = len(after.starts)
    held = tuple(
        Held(name, name, "aws", "", 2, True, "1", *[np.full(periods, hourly)] * 2)
        for name, hourly in spent.items()
    )
    uses: Mapping[str, Mapping[str, float]] = {
        each.key: {name: SHARE * float(each.rate[0]) for name in spent} for each in after.usages
    }
    usages = tuple(replace(each, uses=uses[each.key]) for each in after.usages)
    return replace(after, held=held, usages=usages)


# Each example is some twenty plans and purchases: few of them, and what each shows is asked of it.
@settings(max_examples=10)
@given(st.integers(0, 5000), st.sampled_from(["Stop", "x_Schedule", "Rightsize", "commit"]))
def test_steps_are_the_difference_of_two_bills_and_a_kind_more_never_saves_less(
    seed: int, kind: str
) -> None:
    one, names, advice = _random(seed)
    buyer, bills = ahead(one, names), last_weeks(one)
    plan = planned(advice, buyer.cases, bills, buyer.buy)
    done = [
        each
        for said in advice.values()
        for each in said
        if any(
            each.recommendation_id == kept.recommendation_id
            and kept.estimated_monthly_savings.target
            for kept in plan.recommendations
        )
    ]
    before = bills["aws"].bill
    changes = changes_of(done, buyer.cases, {"aws": before})
    after = _bought(changed(before, changes.get("aws", {})), plan)
    fallen = (replay(before) - replay(after)).sum() * 730 / (4 * WEEK)
    assert float(plan.monthly_savings) == pytest.approx(fallen, abs=0.01 * len(plan.steps) + 1e-6)
    fewer = {
        name: tuple(each for each in said if each.action_type.value != kind)
        for name, said in advice.items()
    }
    least = planned(fewer, buyer.cases, bills, None if kind == "commit" else buyer.buy)
    assert plan.monthly_savings >= least.monthly_savings - Decimal("0.03")  # cents of the steps
