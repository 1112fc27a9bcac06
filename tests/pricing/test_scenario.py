"""Savings as the difference of two bills: by hand, and shares that add up to it."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from costopt.model.bill import Held, Metered, Usage
from costopt.pricing import scenario
from costopt.pricing.commitments import replay
from costopt.pricing.scenario import Change, Difference, State, changed

HOURS = 4


def difference(before: Metered, changes: dict[str, Change]) -> Difference:
    return scenario.difference(State.of(before), changes)


def usage(name: str, hours: float = 1, rate: float = 1, **uses: float) -> Usage:
    return Usage(
        key=name,
        resource_id=name,
        provider="aws",
        account="1",
        region="r",
        quantity=np.full(HOURS, float(hours)),
        rate=np.full(HOURS, float(rate)),
        uses=uses,
    )


def held(
    name: str, amount: float, *, by_spend: bool = True, order: int = 2, bound: str = ""
) -> Held:
    cost, units = (
        np.full(HOURS, amount if by_spend else 0.6 * amount),
        np.full(HOURS, float(amount)),
    )
    return Held(name, name, "aws", "", order, by_spend, "1", units, cost, bound)


def bill(usages: list[Usage], commitments: list[Held]) -> Metered:
    starts = np.arange(HOURS) * 3600
    empty = np.zeros(HOURS)
    return Metered("aws", "USD", starts, 1.0, tuple(usages), tuple(commitments), empty, Decimal(0))


def test_on_demand_all_of_it_is_saved() -> None:
    found = difference(bill([usage("a", rate=2), usage("b")], []), {"a": Change(keep=0.25)})
    assert found.total == pytest.approx(0.75 * 2 * HOURS)


def test_a_stopped_machine_under_a_plan_saves_what_the_plan_covers_instead() -> None:
    """Each costs 1 on demand and 0.7 of the plan, which has 0.7: it moves on to the other."""
    found = difference(
        bill([usage("a", plan=0.7), usage("b", plan=0.7)], [held("plan", 0.7)]),
        {"a": Change(keep=0.0)},
    )
    assert found.of_each == {"a": pytest.approx(HOURS)}


def test_a_commitment_that_nobody_takes_up_saves_nothing() -> None:
    found = difference(bill([usage("a", plan=0.7)], [held("plan", 0.7)]), {"a": Change(keep=0.0)})
    assert found.total == 0


def test_a_machine_that_moves_off_its_reservation_costs_more() -> None:
    """Half the price on demand, but the reservation stays behind."""
    reserved = bill([usage("a", ri=1)], [held("ri", 1, by_spend=False, order=0)])
    assert difference(reserved, {"a": Change(price=0.5, moves=True)}).total == -0.5 * HOURS


def test_money_covers_a_smaller_machine_of_the_same_plan() -> None:
    """The plan covers half of `a` before (0.35 of 0.7), and all of it after."""
    found = difference(
        bill([usage("a", plan=0.7)], [held("plan", 0.35)]), {"a": Change(price=0.5, moves=True)}
    )
    assert found.total == pytest.approx(0.5 * HOURS)


HALF = Change(price=0.5, moves=True, units=0.5)
GONE = Change(price=0.5, moves=True)


def test_a_smaller_machine_takes_fewer_units_of_what_is_bound_to_its_family() -> None:
    """Half of the reservation goes on to b, which paid 1; c, bound to a's type, stays behind."""
    two = [usage("a", ri=1), usage("b", ri=1)]
    family = bill(two, [held("ri", 1, by_spend=False, order=0, bound="family")])
    assert difference(family, {"a": HALF}).total == pytest.approx(0.5 * HOURS)
    sized = bill(two[:1], [held("ri", 1, by_spend=False, order=0, bound="type")])
    assert difference(sized, {"a": HALF}).total == pytest.approx(-0.5 * HOURS)


def test_a_machine_that_leaves_its_family_leaves_the_plan_of_it() -> None:
    """The plan is paid for nothing, and the other machine costs 0.5."""
    plan = bill([usage("a", plan=0.6)], [held("plan", 0.6, order=1, bound="family")])
    assert difference(plan, {"a": GONE}).total == pytest.approx(-0.5 * HOURS)
    assert difference(plan, {"a": HALF}).total == 0


def test_vcpus_and_memory_are_freed_apart() -> None:
    """From 8 vCPUs and 32 GiB to 4 and 32: the freed vCPUs cover b's four, at 0.03 each."""

    def parts(name: str, cores: float) -> list[Usage]:
        memory = replace(usage(f"{name}-ram", 32, 0.004, gib=1), unit="GiB-Hours", resource_id=name)
        return [replace(usage(name, cores, 0.03, cpu=1), unit="vCPU-Hours"), memory]

    commitments = [
        held(name, amount, by_spend=False, order=0, bound="family")
        for name, amount in (("cpu", 8.0), ("gib", 32.0))
    ]
    before = bill([*parts("a", 8), *parts("b", 4)], commitments)
    change = Change(price=0.6, moves=True, units=0.5, memory=1.0)
    assert difference(before, {"a": change}).total == pytest.approx(4 * 0.03 * HOURS)


def test_what_is_freed_goes_to_those_who_freed_it() -> None:
    """a and b leave the plan with 0.6 and 0.3 of it; c, on demand, takes up all at 0.6 a unit."""
    three = [usage("a", plan=0.6), usage("b", 0.5, plan=0.6), usage("c", 2, plan=0.6)]
    small = bill([three[0], three[1], usage("z-c", 2, plan=0.6)], [held("plan", 0.9)])
    found = difference(small, {"a": Change(keep=0.0), "b": Change(keep=0.0)})
    assert found.of_each["a"] == pytest.approx(HOURS)
    assert found.of_each["b"] == pytest.approx(HOURS / 2)


def cascade(*more: Usage) -> Metered:
    """a runs under the reservation, b under the plan, which has a fifth of what c needs left."""
    usages = [
        usage("a", 1, 0.4, ri=1),
        usage("b", 1, 0.4, ri=1, plan=0.3),
        usage("c", 1, 1.0, plan=0.75),
        *more,
    ]
    return bill(usages, [held("ri", 1, by_spend=False, order=0), held("plan", 0.45)])


def test_a_reservation_frees_the_plan_and_that_what_is_on_demand() -> None:
    """b leaves 0.3 of the plan, which is 0.4 of c: 0.4 an hour, and d what it costs."""
    gone = Change(keep=0.0)
    assert difference(cascade(), {"a": gone}).of_each == {"a": pytest.approx(0.4 * HOURS)}
    found = difference(cascade(usage("d", 1, 0.085)), {"a": gone, "d": gone})
    assert found.of_each == {
        "a": pytest.approx(0.4 * HOURS),
        "d": pytest.approx(0.085 * HOURS),
    }


def test_who_frees_the_same_as_another_saves_as_much() -> None:
    """a and e leave the reservation to b, and 0.6 of the plan to c, which has work for all."""
    three = cascade(usage("e", 1, 0.4, ri=1), usage("f", 1, 0.4, ri=1, plan=0.3))
    more = replace(three, held=(held("ri", 2, by_spend=False, order=0), held("plan", 0.6)))
    gone = dict.fromkeys("ae", Change(keep=0.0))
    found = difference(more, gone)
    assert found.total == pytest.approx(0.8 * HOURS)
    assert found.of_each == dict.fromkeys("ae", pytest.approx(0.4 * HOURS))


def _random(seed: int) -> tuple[Metered, dict[str, Change]]:
    random = np.random.default_rng(seed)
    plans = [held(f"c{i}", float(random.exponential(1)), by_spend=bool(i % 2), order=i % 2 * 2)
             for i in range(3)]  # fmt: skip
    usages = [
        Usage(
            f"u{i}",
            f"u{i}",
            "aws",
            str(random.integers(2)),
            "r",
            random.exponential(1, HOURS).round(3),
            random.exponential(1, HOURS).round(3),
            {
                p.commitment_id: float(random.uniform(0.2, 1))
                for p in plans
                if random.random() < 0.6
            },
        )
        for i in range(6)
    ]
    changes = {
        f"u{i}": Change(
            random.uniform(0, 1, HOURS), float(random.uniform(0.3, 1.2)), bool(random.integers(2))
        )
        for i in random.choice(6, 3, replace=False)
    }
    return bill(usages, plans), changes


@given(st.integers(0, 5000))
def test_shares_add_up_to_the_difference_of_the_two_bills(seed: int) -> None:
    before, changes = _random(seed)
    after = changed(before, changes)
    found = difference(before, changes)
    assert found.total == pytest.approx((replay(before) - replay(after)).sum())
    assert sum(found.of_each.values()) == pytest.approx(found.total)
    assert set(found.of_each) == set(changes)


@given(st.integers(0, 5000))
def test_what_no_commitment_covers_saves_what_it_cost(seed: int) -> None:
    before, changes = _random(seed)
    alone = Change(keep=0.3, price=0.8)
    found = difference(
        replace(before, usages=(*before.usages, usage("x", 2, 1.5))), {**changes, "x": alone}
    )
    assert found.of_each["x"] == pytest.approx(2 * 1.5 * (1 - 0.3 * 0.8) * HOURS)


@given(st.integers(0, 5000))
def test_the_order_of_the_bill_does_not_matter(seed: int) -> None:
    before, changes = _random(seed)
    turned = bill(list(before.usages[::-1]), list(before.held[::-1]))
    one, other = difference(before, changes), difference(turned, dict(reversed(changes.items())))
    assert one.of_each == pytest.approx(other.of_each)


def test_no_change_saves_nothing() -> None:
    before, changes = _random(1)
    assert difference(before, dict.fromkeys(changes, Change())).total == 0
    assert difference(before, {}).total == 0


def test_changes_one_after_the_other() -> None:
    both = Change(keep=0.5).then(Change(price=0.4, moves=True))
    assert (both.keep, both.price, both.moves) == (0.5, 0.4, True)
