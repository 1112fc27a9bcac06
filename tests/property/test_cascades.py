"""Plans where one commitment, freed by a change, frees another one, held against all combinations.

A reservation of one type applies before a plan of a family, and that before a plan for all: what
leaves the first lets a machine leave the second, which then covers a third.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import chain, product
from typing import Final

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from costopt.model import Recommendation
from costopt.model.bill import FAMILY, TYPE, Held
from costopt.pricing.commitments import replay
from costopt.pricing.scenario import Change, changed
from costopt.rules.billing import Billing
from costopt.rules.plan import Plan, planned
from tests.report.builders import stop
from tests.rules.test_plan import DOES, HOURS, asleep, billing, case, halved, told, usage

SEEDS: Final = st.integers(0, 100_000)
CENT: Final = 0.010001
LEFT_AWAY: Final = 0.001
"""Share of the best saving that trying one or two machines at a time may miss: room for
fleets of more combinations than are all reckoned."""


@dataclass(frozen=True)
class Fleet:
    advice: Mapping[str, tuple[Recommendation, ...]]
    bills: dict[str, Billing]

    @classmethod
    def of(cls, seed: int, machines: int) -> Fleet:
        """Two families, the first of them with a type that is reserved."""
        random = np.random.default_rng(seed)
        names = [f"m{at}" for at in range(machines)]
        rates = {name: float(random.choice([0.25, 0.5, 1, 2])) for name in names}
        whole = sum(rates.values())
        held = (
            _held("reserved", float(random.integers(1, 3)), 0, TYPE),
            _held("of-family", float(random.uniform(0.05, 0.3)) * whole, 1, FAMILY),
            _held("for-all", float(random.uniform(0.05, 0.5)) * whole, 2, ""),
        )
        usages = []
        for name, rate in rates.items():
            uses = {"for-all": 0.75 * rate}
            if random.random() < 0.6:
                uses = {"for-all": 0.7 * rate, "of-family": 0.6 * rate}
                if random.random() < 0.6:
                    uses["reserved"] = 1.0
            usages.append(usage(name, rate, **uses))
        advice = {
            name: tuple(
                one for one in (stop(name), asleep(name), halved(name)) if random.random() < 0.5
            )
            for name in names
        }
        return cls(advice, billing(usages, *held))

    def plan(self) -> Plan:
        cases = {name: replace(case(name), min_monthly_savings=0) for name in self.advice}
        return planned(self.advice, cases, self.bills)

    def saved(self, changes: Mapping[str, Change]) -> float:
        """A month, by two bills replayed."""
        bill = self.bills["aws"].bill
        return float((replay(bill) - replay(changed(bill, changes))).sum()) * 730 / HOURS

    def most(self) -> float:
        """Of all combinations."""
        every = product(*(_choices(name, said) for name, said in self.advice.items()))
        return max(self.saved(dict(chain.from_iterable(c.items() for c in each))) for each in every)


def _held(name: str, amount: float, order: int, bound: str) -> Held:
    paid = np.full(HOURS, amount)
    return Held(name, name, "aws", "", order, order > 0, "1", paid, 0.6 * paid, bound)


def _choices(name: str, said: tuple[Recommendation, ...]) -> list[dict[str, Change]]:
    kinds = [one.action_type.value for one in said]
    found = [{}, *({name: DOES[kind]} for kind in kinds)]
    if {"x_Schedule", "Rightsize"} <= set(kinds):
        found.append({name: DOES["x_Schedule"].then(DOES["Rightsize"])})
    return found


def _done(plan: Plan) -> list[tuple[str, str, Decimal]]:
    """Machine, kind of change and share of all that is part of the plan."""
    return [
        (name, kind, saving)
        for name, every in told(plan).items()
        for kind, saving in every
        if saving
    ]


def _made(done: list[tuple[str, str, Decimal]]) -> dict[str, Change]:
    changes: dict[str, Change] = {}
    for name, kind, _ in done:
        changes[name] = changes.get(name, Change()).then(DOES[kind])
    return changes


@settings(max_examples=30)
@given(SEEDS, st.integers(3, 8))
def test_shares_are_above_nothing_and_add_up_to_the_difference_of_two_bills(
    seed: int, machines: int
) -> None:
    fleet = Fleet.of(seed, machines)
    plan = fleet.plan()
    done = _done(plan)
    whole = fleet.saved(_made(done))
    assert float(sum((saving for *_, saving in done), Decimal(0))) == pytest.approx(whole, abs=CENT)
    assert plan.monthly_savings == sum((saving for *_, saving in done), Decimal(0))
    for one in done:
        assert one[-1] > 0
        # What the bill would be more without it.
        assert whole - fleet.saved(_made([each for each in done if each != one])) > 0


@settings(max_examples=8)
@given(SEEDS, st.integers(3, 6))
def test_no_combination_saves_more_than_the_plan(seed: int, machines: int) -> None:
    fleet = Fleet.of(seed, machines)
    most = fleet.most()
    assert float(fleet.plan().monthly_savings) >= most * (1 - LEFT_AWAY) - CENT


def test_each_of_a_chain_saves_what_it_frees() -> None:
    """a leaves its reservation to b, that its plan to c, that the other plan to d, which paid 1."""
    usages = [
        usage("a", reserved=1.0),
        usage("b", **{"reserved": 1.0, "of-family": 0.6}),
        usage("c", **{"of-family": 0.6, "for-all": 0.7}),
        usage("d", **{"for-all": 0.7}),
    ]
    held = (
        _held("reserved", 1.0, 0, TYPE),
        _held("of-family", 0.6, 1, FAMILY),
        _held("for-all", 0.7, 2, ""),
    )
    bills = billing(usages, *held)
    cases = {name: case(name) for name in "abcd"}
    plan = planned({"a": (stop("a"),)}, cases, bills)
    assert told(plan) == {"a": [("Stop", Decimal("730.00"))]}
    # Two of four stop: what each frees is as much as the other's.
    both = planned({name: (stop(name),) for name in "ab"}, cases, bills)
    assert both.monthly_savings == Decimal("730.00")
