"""Savings as the difference of two bills: by hand, and shares that add up to it."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given, settings
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


def held(name: str, amount: float, *, by_spend: bool = True, order: int = 2) -> Held:
    cost = np.full(HOURS, amount if by_spend else 0.6 * amount)
    return Held(name, name, "aws", "", order, by_spend, "1", np.full(HOURS, float(amount)), cost)


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


def test_what_is_freed_goes_to_those_who_freed_it() -> None:
    """a and b leave the plan with 0.6 and 0.3 of it; c, on demand, takes up all at 0.6 a unit."""
    three = [usage("a", plan=0.6), usage("b", 0.5, plan=0.6), usage("c", 2, plan=0.6)]
    small = bill([three[0], three[1], usage("z-c", 2, plan=0.6)], [held("plan", 0.9)])
    found = difference(small, {"a": Change(keep=0.0), "b": Change(keep=0.0)})
    assert found.of_each["a"] == pytest.approx(HOURS)
    assert found.of_each["b"] == pytest.approx(HOURS / 2)


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


@settings(deadline=None)
@given(st.integers(0, 5000))
def test_shares_add_up_to_the_difference_of_the_two_bills(seed: int) -> None:
    before, changes = _random(seed)
    after = changed(before, changes)
    found = difference(before, changes)
    assert found.total == pytest.approx((replay(before) - replay(after)).sum())
    assert sum(found.of_each.values()) == pytest.approx(found.total)
    assert set(found.of_each) == set(changes)


@settings(deadline=None)
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
