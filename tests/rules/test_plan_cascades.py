"""Commitments that free one another: a reservation that a machine leaves covers a second one, which
leaves the savings plan of its family, which covers a third, which leaves the compute plan."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from decimal import Decimal
from itertools import chain, product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from costopt.model import Recommendation
from costopt.model.bill import FAMILY, Held
from costopt.pricing.scenario import Change, State, on_demand
from costopt.rules.billing import Billing
from costopt.rules.plan import Plan, planned
from costopt.rules.sharing import Item, Lets, shared_evenly
from tests.report.builders import savings, stop
from tests.rules.test_plan import (
    DOES,
    HOURS,
    asleep,
    billing,
    case,
    halved,
    held,
    told,
    usage,
)

Advice = dict[str, tuple[Recommendation, ...]]
MONTHS = 730 / HOURS
ORDER = ("Stop", "x_Schedule", "Rightsize")


def _held(name: str, amount: float, order: int, bound: str) -> Held:
    return replace(held(name, amount, by_spend=order > 0), order=order, bound=bound)


def saved(bill: Billing, items: Sequence[tuple[str, str]]) -> float:
    """A month, of bills before and after reckoned in full."""
    made: dict[str, Change] = {}
    for name, action in sorted(items, key=lambda item: ORDER.index(item[1])):
        made[name] = made.get(name, Change()).then(DOES[action])
    before = State.of(bill.bill)
    return (on_demand(before) - on_demand(before.with_(made))) * MONTHS


def every(advice: Advice) -> Iterator[list[tuple[str, str]]]:
    """All combinations of changes."""
    options = []
    for name, said in advice.items():
        actions = [one.action_type.value for one in said]
        both = [["x_Schedule", "Rightsize"]] if {"x_Schedule", "Rightsize"} <= {*actions} else []
        options.append(
            [[(name, one) for one in each] for each in ([], *([a] for a in actions), *both)]
        )
    for each in product(*options):
        yield list(chain.from_iterable(each))


def best(advice: Advice, bills: dict[str, Billing]) -> Plan:
    return planned(
        advice, {name: replace(case(name), min_monthly_savings=0) for name in advice}, bills
    )


def test_a_better_combination_of_three_machines_is_found() -> None:
    """m4's nights and size save more than what of m3, m4 and m5 a step of two machines leads to."""
    plan = _held("plan", 1.1049476830666294, 1, FAMILY)
    usages = [
        usage(name, rate, plan=0.6 * rate)
        for name, rate in {"m1": 1.0, "m2": 0.25, "m3": 0.5, "m4": 2.0, "m5": 1.0}.items()
    ]
    bills = billing([usage("m0", 0.25), *usages], plan)
    advice = {"m1": (stop("m1"), asleep("m1"), halved("m1"))}
    advice |= {name: (asleep(name), halved(name)) for name in ("m3", "m4", "m5")}
    assert float(best(advice, bills).monthly_savings) == pytest.approx(
        max(saved(bills["aws"], items) for items in every(advice)), abs=0.010001
    )


def test_all_that_must_be_done_for_a_saving_have_as_much_of_it() -> None:
    """Three reserved machines, two that would take what they leave and have a plan of their own: so
    only once a and b are stopped d gets what c leaves at night, and saves 365."""
    usages = [usage(name, ri=1.0) for name in "abc"]
    usages += [usage(name, ri=1.0, plan=0.5) for name in ("c1", "c2")]
    bills = billing(
        [*usages, usage("d", ri=1.0)], held("ri", 3.0, by_spend=False), held("plan", 1.0)
    )
    none = savings("0")
    advice: Advice = {name: (stop(name, estimated_monthly_savings=none),) for name in "ab"}
    plan = best(advice | {"c": (asleep("c"),)}, bills)
    assert plan.monthly_savings == Decimal("365.00")
    assert sorted(told(plan).values()) == [
        [("Stop", Decimal("121.67"))],
        [("Stop", Decimal("121.67"))],
        [("x_Schedule", Decimal("121.66"))],
    ]


@given(
    st.lists(st.decimals(-20, 0, places=2), min_size=1, max_size=3),
    st.lists(st.decimals(10, 100, places=2), min_size=1, max_size=3),
    st.data(),
)
def test_what_others_let_save_is_shared_evenly(
    costs: list[Decimal], gains: list[Decimal], data: st.DataObject
) -> None:
    has: dict[Item, Decimal] = {("stop", f"{at}"): cost for at, cost in enumerate(costs)}
    has |= {("size", f"{at}"): gain for at, gain in enumerate(gains)}
    lets = {}
    for at, cost in enumerate(costs):
        lost = {
            ("size", f"{each}"): data.draw(st.decimals(1, gain, places=2))
            for each, gain in enumerate(gains)
        }
        worth = max(Decimal("0.01"), sum(lost.values(), cost))
        lets["stop", f"{at}"] = Lets(worth, lost)
    now = shared_evenly(has, lets)
    assert float(sum(now.values())) == pytest.approx(float(sum(has.values())))
    assert all(now[one] >= has[one] for one in lets)
    if sum(costs) == 0:
        assert min(now.values()) >= 0
