"""Commitments as providers document them: their own examples by hand, and what always holds."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from costopt.model.bill import Held, Metered, Usage
from costopt.pricing.commitments import RECONCILED, Applied, apply, reconciled, replay, residue

RI, INSTANCE_PLAN, COMPUTE_PLAN = 0, 1, 2


def usage(
    name: str, quantity: float | list[float], rate: float, account: str = "1", **uses: float
) -> Usage:
    hours = np.atleast_1d(np.asarray(quantity, float))
    return Usage(name, name, "aws", account, "r", hours, np.full(len(hours), float(rate)), uses)


def held(
    name: str,
    amount: float | list[float],
    *,
    order: int = COMPUTE_PLAN,
    by_spend: bool = True,
    account: str | None = "1",
    provider: str = "aws",
    cost: float | None = None,
) -> Held:
    amounts = np.atleast_1d(np.asarray(amount, float))
    costs = amounts if cost is None else np.full(len(amounts), float(cost))
    return Held(name, name, provider, "", order, by_spend, account, amounts, costs)


def bill(usages: list[Usage], commitments: list[Held], actual: float = 0.0) -> Metered:
    hours = len(usages[0].quantity)
    billed = np.full(hours, float(actual))
    starts = np.arange(hours) * 3600
    return Metered("aws", "USD", starts, 1.0, tuple(usages), tuple(commitments), billed, Decimal(0))


def units(applied: Applied, commitment: str) -> dict[str, float]:
    return {
        key: round(float(covered.sum()), 9)
        for (key, name), covered in applied.covered.items()
        if name == commitment
    }


# -- AWS: Savings Plans User Guide, "Understanding how Savings Plans apply to your usage" ----------


def guide(**plans: float) -> Metered:
    """Its table of rates: on demand, and under a compute and an instance plan."""
    usages = [
        usage("c5.9xlarge", 1, 4, compute=2, instance=1),
        usage("c5.24xlarge windows", 1, 10, compute=8, instance=6),
        usage("fargate vcpu", 10, 1.5, compute=1),
        usage("fargate gb", 5, 2, compute=1),
    ]
    orders = {"compute": COMPUTE_PLAN, "instance": INSTANCE_PLAN}
    return bill(usages, [held(name, money, order=orders[name]) for name, money in plans.items()])


def test_a_plan_of_25_dollars_covers_all_of_the_guides_usage() -> None:
    found = guide(compute=25)
    applied = apply(found.usages, found.held)
    assert {key: left.sum() for key, left in applied.on_demand.items()} == dict.fromkeys(
        applied.on_demand, 0
    )
    assert applied.unused["compute"] == 0  # 2 + 8 + 10 x 1 + 5 x 1
    assert replay(found) == 25


def test_the_greatest_discount_first_and_of_equal_ones_the_lower_rate() -> None:
    """12: gigabytes (50 %, rate 1) take 5, c5.9xlarge (50 %, rate 2) takes 2, vCPUs (33 %) the
    last 5 for five of the ten; c5.24xlarge (20 %) gets nothing."""
    found = guide(compute=12)
    assert units(apply(found.usages, found.held), "compute") == {
        "fargate gb": 5,
        "c5.9xlarge": 1,
        "fargate vcpu": 5,
    }
    assert replay(found) == 12 + 5 * 1.5 + 10


def test_the_instance_plan_goes_before_the_compute_plan() -> None:
    """It takes c5.9xlarge (75 %) and 4 of the 6 of c5.24xlarge; the compute plan gets the rest:
    gigabytes 5, and vCPUs 7 of 10."""
    found = guide(compute=12, instance=5)
    applied = apply(found.usages, found.held)
    assert units(applied, "instance") == {
        "c5.9xlarge": 1,
        "c5.24xlarge windows": pytest.approx(2 / 3),
    }
    assert units(applied, "compute") == {"fargate gb": 5, "fargate vcpu": 7}
    assert replay(found)[0] == pytest.approx(5 + 12 + 10 / 3 + 3 * 1.5)


def test_a_part_of_an_hour_is_covered_by_the_last_dollars() -> None:
    found = bill([usage("a", 1, 1, plan=0.72)], [held("plan", 0.18)])
    assert replay(found)[0] == pytest.approx(0.18 + 0.75)


def test_the_owners_account_before_others_even_at_a_smaller_discount() -> None:
    usages = [
        usage("of the owner", 1, 1, plan=0.8),
        usage("of another", 1, 1, account="2", plan=0.5),
    ]
    applied = apply(usages, [held("plan", 0.8, account="1")])
    assert units(applied, "plan") == {"of the owner": 1}
    shared = apply(usages, [held("plan", 0.8, account="1", provider="azure")])
    assert units(shared, "plan") == {"of another": 1, "of the owner": 0.375}


def test_a_plan_that_knows_no_owner_goes_by_discount_alone() -> None:
    usages = [usage("a", 1, 1, plan=0.8), usage("b", 1, 1, account="2", plan=0.5)]
    assert units(apply(usages, [held("plan", 0.5, account=None)]), "plan") == {"b": 1}


# -- AWS: reserved instances, with size flexibility by normalization factors -----------------------


def test_two_small_machines_use_up_a_medium_reservation() -> None:
    """Cost Optimization whitepaper: t2.medium is 2 units, t2.small 1."""
    usages = [usage("s1", 1, 0.023, ri=1), usage("s2", 1, 0.023, ri=1)]
    applied = apply(usages, [held("ri", 2, order=RI, by_spend=False, cost=0.03)])
    assert applied.unused["ri"] == 0
    assert units(applied, "ri") == {"s1": 1, "s2": 1}


def test_a_medium_reservation_covers_half_of_a_large_machine() -> None:
    """The same: t2.large is 4 units; "50 % of the usage"."""
    found = bill(
        [usage("large", 1, 0.0928, ri=4)], [held("ri", 2, order=RI, by_spend=False, cost=0.03)]
    )
    assert replay(found)[0] == pytest.approx(0.03 + 0.5 * 0.0928)


def test_from_the_smallest_size_to_the_largest() -> None:
    usages = [usage("xlarge", 1, 0.2, ri=8), usage("large", 1, 0.1, ri=4)]
    applied = apply(usages, [held("ri", 8, order=RI, by_spend=False)])
    assert units(applied, "ri") == {"large": 1, "xlarge": 0.5}


def test_the_owners_machines_before_smaller_ones_of_others() -> None:
    usages = [usage("own", 1, 0.2, ri=8), usage("smaller", 1, 0.1, "2", ri=4)]
    applied = apply(usages, [held("ri", 8, order=RI, by_spend=False)])
    assert units(applied, "ri") == {"own": 1}


def test_reservations_go_before_plans_whatever_the_discount() -> None:
    usages = [usage("a", 1, 1, ri=1, plan=0.1), usage("b", 1, 1, plan=0.9)]
    commitments = [held("plan", 0.9), held("ri", 1, order=RI, by_spend=False, cost=0.6)]
    applied = apply(usages, commitments)
    assert units(applied, "ri") == {"a": 1}
    assert units(applied, "plan") == {"b": 1}
    assert replay(bill(usages, commitments))[0] == pytest.approx(1.5)


def test_two_plans_of_one_kind_are_applied_together() -> None:
    """Each covers what is left by the other, by discount."""
    usages = [usage("a", 1, 1, p1=0.5, p2=0.6), usage("b", 1, 1, p1=0.7, p2=0.8)]
    applied = apply(usages, [held("p2", 0.8), held("p1", 0.25)])
    assert units(applied, "p1") == {"a": 0.5}
    assert units(applied, "p2") == {"a": 0.5, "b": 0.625}


# -- Azure and Google ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sizes", "covered"),
    [
        ([1] * 8, [1] * 8),  # eight DS1_v2
        ([2, 2, 4], [1, 1, 1]),  # two DS2_v2 and a DS3_v2
        ([16], [0.5]),  # half of a DS5_v2
    ],
)
def test_azures_examples_of_size_flexibility(sizes: list[int], covered: list[float]) -> None:
    """Azure, "Virtual machine size flexibility": one DS4_v2, of ratio 8."""
    usages = [usage(f"{at}", 1, 0.1 * size, ri=size) for at, size in enumerate(sizes)]
    ri = held("ri", 8, order=RI, by_spend=False, provider="azure")
    applied = apply(usages, [ri])
    assert list(units(applied, "ri").values()) == covered
    assert applied.unused["ri"] == 0


def test_googles_resource_commitment_before_the_flexible_one() -> None:
    """10 vCPUs: 4 are committed by resource; 1.44 dollars at 28 % off cover two of 1 dollar."""
    cores = usage("cores", 10, 1, resource=1, flexible=0.72)
    found = bill(
        [cores],
        [
            held("flexible", 1.44, provider="gcp"),
            held("resource", 4, order=RI, by_spend=False, provider="gcp", cost=4 * 0.63),
        ],
    )
    applied = apply(found.usages, found.held)
    assert units(applied, "resource") == {"cores": 4}
    assert units(applied, "flexible") == {"cores": 2}
    assert replay(found)[0] == pytest.approx(4 * 0.63 + 1.44 + 4)


# -- in time ---------------------------------------------------------------------------------------


def test_what_one_hour_leaves_no_other_gets() -> None:
    found = bill([usage("a", [0, 2], 1, plan=0.5)], [held("plan", [0.5, 0.5])])
    applied = apply(found.usages, found.held)
    assert applied.unused["plan"].tolist() == [0.5, 0]
    assert replay(found).tolist() == [0.5, 1.5]


def test_a_commitment_covers_from_when_it_begins() -> None:
    found = bill([usage("a", [1, 1, 1], 1, ri=1)], [held("ri", [0, 1, 0], by_spend=False)])
    assert replay(found).tolist() == [1, 1, 1]
    assert apply(found.usages, found.held).on_demand["a"].tolist() == [1, 0, 1]


def test_residue_is_the_share_that_stands_in_a_wrong_period() -> None:
    found = bill([usage("a", [1, 1], 1)], [], actual=1.0)
    assert residue(found) == 0
    moved = bill([usage("a", [2, 0], 1)], [], actual=1.0)
    assert residue(moved) == 1  # the sums agree, no period does
    assert residue(bill([usage("a", [0], 1)], [])) == 0


def test_a_bill_is_reconciled_up_to_one_percent() -> None:
    assert RECONCILED == 0.01
    assert reconciled(bill([usage("a", 1, 0.9901)], [], actual=1.0))
    assert not reconciled(bill([usage("a", 1, 0.9899)], [], actual=1.0))


# -- what always holds -----------------------------------------------------------------------------

amounts = st.lists(st.floats(0, 20), min_size=3, max_size=3)


@st.composite
def bills(draw: st.DrawFn) -> Metered:
    commitments = [
        held(
            f"c{at}",
            draw(amounts),
            order=(order := draw(st.integers(RI, COMPUTE_PLAN))),
            by_spend=order != RI,
            account=draw(st.sampled_from(["1", "2", None])),
            provider=draw(st.sampled_from(["aws", "azure"])),
        )
        for at in range(draw(st.integers(0, 3)))
    ]
    usages = []
    for at in range(draw(st.integers(1, 4))):
        rate = draw(st.floats(0.01, 10))
        takes = {
            one.commitment_id: draw(st.floats(0.2, 1)) * (rate if one.by_spend else 8)
            for one in commitments
            if draw(st.booleans())
        }
        usages.append(
            usage(f"u{at}", draw(amounts), rate, draw(st.sampled_from(["1", "2"])), **takes)
        )
    return bill(usages, commitments)


@settings(max_examples=60)
@given(bills())
def test_nothing_is_covered_twice_or_out_of_nothing(found: Metered) -> None:
    applied = apply(found.usages, found.held)
    takes = {usage.key: usage.uses for usage in found.usages}
    for one in found.usages:
        mine = [c for (key, _), c in applied.covered.items() if key == one.key]
        assert all((c >= 0).all() for c in mine)
        assert sum(mine, applied.on_demand[one.key]) == pytest.approx(one.quantity)
    for one in found.held:
        used = [
            covered * takes[key][name]
            for (key, name), covered in applied.covered.items()
            if name == one.commitment_id
        ]
        assert sum(used, applied.unused[one.commitment_id]) == pytest.approx(one.amount)
        assert (applied.unused[one.commitment_id] >= 0).all()
    assert set(applied.covered) <= {
        (usage.key, name) for usage in found.usages for name in usage.uses
    }


@settings(max_examples=60)
@given(bills())
def test_nothing_is_left_both_on_demand_and_unused(found: Metered) -> None:
    applied = apply(found.usages, found.held)
    for one in found.usages:
        for name in one.uses:
            both = np.minimum(applied.on_demand[one.key], applied.unused[name])
            assert both == pytest.approx(0, abs=1e-6)


@settings(max_examples=60)
@given(bills())
def test_the_bill_is_what_runs_on_demand_and_what_is_committed(found: Metered) -> None:
    applied = apply(found.usages, found.held)
    free = sum(float((applied.on_demand[u.key] * u.rate).sum()) for u in found.usages)
    fees = sum(float(one.cost.sum()) for one in found.held)
    assert replay(found).sum() == pytest.approx(free + fees)


@settings(max_examples=60)
@given(bills(), st.randoms(use_true_random=False))
def test_the_order_of_input_does_not_matter(found: Metered, random: Random) -> None:
    usages, commitments = list(found.usages), list(found.held)
    random.shuffle(usages)
    random.shuffle(commitments)
    one, other = apply(found.usages, found.held), apply(usages, commitments)
    assert one.covered.keys() == other.covered.keys()
    for pair, covered in one.covered.items():
        assert (covered == other.covered[pair]).all()
    assert replay(found) == pytest.approx(replay(bill(usages, commitments)))


@settings(max_examples=60)
@given(bills(), amounts, st.integers(RI, COMPUTE_PLAN), st.floats(0.2, 1))
def test_one_commitment_more_leaves_no_more_on_demand(
    found: Metered, amount: list[float], order: int, take: float
) -> None:
    """Of no machine, wherever it comes in: what it covers first, others have left for the rest."""
    with_it = [replace(one, uses={**one.uses, "more": take}) for one in found.usages]
    more = held("more", amount, order=order, by_spend=order != RI)
    before, after = apply(found.usages, found.held), apply(with_it, [*found.held, more])
    for one in found.usages:
        assert (after.on_demand[one.key] <= before.on_demand[one.key] + 1e-9).all()
