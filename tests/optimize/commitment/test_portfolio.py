"""Portfolios against one linear or integer programme of all hours, and by hand."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from costopt.errors import InsufficientData
from costopt.optimize.commitment import (
    Offer,
    Usage,
    apply,
    best_quantity,
    by_greatest_discount,
    newsvendor,
    open_to,
    portfolio,
)
from costopt.optimize.commitment.application import bound, order_of
from tests.optimize.commitment import naive


def _fleet(seed: int, *, families: int = 2, sizes: int = 3, hours: int = 40, alike: bool = True):
    """Usage of several families in sizes 1, 2, 4; reservations, plans of a family, plans of all."""
    random = np.random.default_rng(seed)
    count = families * sizes
    amounts = random.poisson(random.uniform(0.5, 5, count), (hours, count)).astype(float)
    size = 2.0 ** (np.arange(count) % sizes)
    per_unit = random.uniform(0.02, 0.1, families)
    prices = size * np.repeat(per_unit, sizes)
    offers = []
    for f in range(families):
        mine = tuple(range(f * sizes, (f + 1) * sizes))
        offers.append(Offer(f"ri{f}", per_unit[f] * 0.6, mine, tuple(size[list(mine)]), 1, 1.0))
        rates = prices * (0.66 if alike else random.uniform(0.6, 0.75, count))
        offers.append(Offer(f"family{f}", 1.0, *by_greatest_discount(prices, rates, mine), 2))
    rates = prices * np.repeat(random.uniform(0.68, 0.85, families), sizes)
    offers.append(Offer("all", 1.0, *by_greatest_discount(prices, rates, range(count)), 3))
    return Usage(amounts, prices), offers


# Application


def test_reservations_first_then_plans_by_greatest_discount() -> None:
    # Two sizes of a family and one of another; a reservation of 3 units, a plan of 2 USD an hour.
    usage = Usage(np.array([[2.0, 1.0, 1.0]]), np.array([1.0, 2.0, 4.0]))
    reserved = Offer("ri", 0.5, (0, 1), (1.0, 2.0), rank=1)
    plan = Offer("plan", 1.0, *by_greatest_discount([1, 2, 4], [0.8, 1.6, 2.0], (0, 1, 2)), rank=2)
    assert plan.classes == (2, 0, 1)  # half off, then a fifth: the lower rate first
    found = apply(usage, [plan, reserved], [2.4, 3.0])
    # The reservation takes both small ones and half the large; the plan all of the third class and
    # 0.4 of the 1.6 that half a large one would need.
    assert found.replaced[0] == pytest.approx(2 + 1 + 4 + 0.5)
    assert found.used[0].tolist() == pytest.approx([2.4, 3.0])
    assert found.reached[0].tolist() == pytest.approx([2.0 + 0.8, 4.0])
    assert found.reached_cost[0].tolist() == pytest.approx([4.0 + 1.0, 4.0])


def test_a_missing_class_makes_the_hour_missing() -> None:
    usage = Usage(np.array([[1.0, np.nan], [1.0, 1.0]]), np.ones(2))
    found = apply(usage, [Offer("x", 0.5, (0,), (1.0,))], [1.0])
    assert np.isnan(found.replaced[0])
    assert found.replaced[1] == 1.0


@given(st.integers(0, 10_000), st.booleans())
@settings(max_examples=30)
def test_planes_bound_every_application(seed: int, alike: bool) -> None:
    """The plane cut at one point is above what any other quantities replace, in the best order."""
    usage, offers = _fleet(seed, hours=5, alike=alike)
    random = np.random.default_rng(seed)
    here, there = random.uniform(0, 6, (2, len(offers)))
    args = usage.amounts, usage.prices, order_of(offers)
    value, slope, constant = bound(*args, here)
    assert value == pytest.approx(apply(usage, offers, here).replaced.sum())
    assert slope @ here + constant >= value - 1e-9
    if alike:  # equal discounts in each family, so the order of application is the best
        assert slope @ here + constant == pytest.approx(value)
    fixed = [replace(one, held=x, most=0.0) for one, x in zip(offers, there, strict=True)]
    best = naive.best(usage, fixed).saving * len(usage.amounts)
    assert slope @ there + constant >= best - 1e-7


# Portfolios


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("alike", [True, False])
def test_as_good_as_the_integer_programme(seed: int, alike: bool) -> None:
    usage, offers = _fleet(seed, alike=alike)
    best = naive.best(usage, offers, whole=True).saving
    found = portfolio(usage, offers)
    spent = found.before
    assert found.before - found.at_least >= best - 1e-7 * spent  # truly a bound
    assert found.outcome.saving <= best + 1e-6 * spent  # which no real order beats
    assert best - found.outcome.saving <= (2e-4 if alike else 1e-3) * spent
    assert found.gap <= (3e-4 if alike else 2e-2)
    for bought in found.purchases:
        if bought.offer.startswith("ri"):
            assert bought.quantity == round(bought.quantity)


@pytest.mark.parametrize("seed", range(6))
def test_what_is_held_is_used_and_not_bought_again(seed: int) -> None:
    usage, offers = _fleet(seed)
    owned = [replace(one, held=3.0) if one.name == "ri0" else one for one in offers]
    before = portfolio(usage, [owned[0]]).before
    nothing = [replace(one, most=0.0) for one in owned]
    base = naive.best(usage, nothing).saving
    best = naive.best(usage, owned, whole=True).saving - base
    found = portfolio(usage, owned)
    assert best - found.outcome.saving <= 2e-4 * before
    assert found.before - found.at_least >= best - 1e-9
    assert found.before == pytest.approx(
        float((usage.amounts @ usage.prices).mean()) - base + 3.0 * owned[0].rate
    )


@given(st.integers(0, 10_000), st.integers(5, 95))
@settings(max_examples=20)
def test_one_offer_of_one_class_is_the_newsvendor(seed: int, percent: int) -> None:
    demand = np.random.default_rng(seed).poisson(6, 60).astype(float)
    usage = Usage(demand[:, None], np.array([2.0]))
    rate = 2.0 * percent / 100
    found = portfolio(usage, [Offer("x", rate, (0,), (1.0,), step=1.0)], tolerance=1e-9)
    expected = newsvendor(demand, 2.0, rate)
    assert found.outcome.saving == pytest.approx(expected.outcome.saving, abs=1e-6)
    quantity = sum(one.quantity for one in found.purchases)
    if quantity:
        saved = 2 * np.minimum(demand, quantity).mean() - rate * quantity
        assert saved == pytest.approx(expected.outcome.saving, abs=1e-6)


def test_vcpus_and_memory_are_committed_apart_and_flexibly_above() -> None:
    """As at Google: resources by class, spend over both; the flexible one costs 0.72 of spend."""
    cores = np.repeat([10.0, 16.0], [60, 40])
    gib = np.repeat([40.0, 40.0], [60, 40])
    usage = Usage(np.stack((cores, gib), axis=1), np.array([0.03, 0.004]))
    offers = [
        Offer("vcpu", 0.03 * 0.63, (0,), (1.0,), rank=1, step=1.0),
        Offer("gib", 0.004 * 0.63, (1,), (1.0,), rank=1, step=1.0),
        Offer("flexible", 0.72, (0, 1), (0.03, 0.004), rank=2),
    ]
    found = portfolio(usage, offers)
    # What runs 40 % of the time pays for neither.
    assert {one.offer: one.quantity for one in found.purchases} == {"vcpu": 10.0, "gib": 40.0}
    assert found.outcome.saving == pytest.approx(0.37 * (0.3 + 0.16))
    assert found.after == pytest.approx(found.before - found.outcome.saving)
    worth = {one.offer: one.worth for one in found.purchases}
    assert worth == pytest.approx({"vcpu": 0.37 * 0.3, "gib": 0.37 * 0.16})


def test_separate_clouds_do_not_disturb_each_other() -> None:
    one, offers = _fleet(1)
    other, more = _fleet(2)
    shift = len(one.prices)
    moved = [
        replace(o, name=f"z{o.name}", classes=tuple(u + shift for u in o.classes)) for o in more
    ]
    both = Usage(np.hstack((one.amounts, other.amounts)), np.append(one.prices, other.prices))
    together = portfolio(both, [*offers, *moved])
    apart = portfolio(one, offers), portfolio(other, more)
    assert together.after == pytest.approx(sum(p.after for p in apart), rel=2e-4)
    assert together.at_least <= together.after


def test_the_order_of_offers_and_a_missing_hour_change_nothing() -> None:
    usage, offers = _fleet(3)
    found = portfolio(usage, offers)
    holed = usage.amounts.copy()
    holed = np.insert(holed, 7, np.nan, axis=0)
    other = portfolio(Usage(holed, usage.prices), offers[::-1])
    assert [one.offer for one in other.purchases] == [one.offer for one in found.purchases]
    for one, same in zip(other.purchases, found.purchases, strict=True):
        assert one.quantity == pytest.approx(same.quantity)
    assert (other.after, other.at_least) == pytest.approx((found.after, found.at_least))
    assert other.outcome.missing == 1


def test_nothing_is_bought_that_does_not_pay() -> None:
    usage = Usage(np.array([[0.0], [0.0], [5.0]]), np.array([1.0]))
    found = portfolio(usage, [Offer("x", 0.6, (0,), (1.0,), step=1.0)])
    assert found.purchases == ()
    assert found.after == found.before == pytest.approx(5 / 3)
    assert found.gap == pytest.approx(0.0, abs=1e-9)
    assert portfolio(usage, []).after == found.before


def test_no_more_is_bought_than_may_be() -> None:
    usage = Usage(np.full((10, 1), 8.0), np.array([1.0]))
    (bought,) = portfolio(usage, [Offer("x", 0.6, (0,), (1.0,), step=2.0, most=5.0)]).purchases
    assert bought.quantity == 4.0
    assert (bought.utilisation, bought.cost) == pytest.approx((1.0, 2.4))


def test_what_an_offer_finds_is_what_those_before_it_leave() -> None:
    usage, offers = _fleet(4)
    found = portfolio(usage, offers)
    units, price = open_to(usage, offers, found, "ri0")
    size = np.array([1.0, 2.0, 4.0])
    assert units.tolist() == pytest.approx((usage.amounts[:, :3] @ size).tolist())
    assert price == pytest.approx(usage.prices[0])
    bought = {one.offer: one.quantity for one in found.purchases}
    left, _ = open_to(usage, offers, found, "family0")
    rest = np.maximum(units - bought.get("ri0", 0.0), 0.0)
    assert left.tolist() == pytest.approx((rest * price * 0.66).tolist())
    assert best_quantity(units, price, offers[0].rate) >= bought.get("ri0", 0.0) - 1


@pytest.mark.parametrize(
    ("offers", "says"),
    [
        ([Offer("x", 1, (0,), (1.0,)), Offer("x", 1, (0,), (1.0,))], "name of its own"),
        ([Offer("x", 1, (3,), (1.0,))], "class that usage has not"),
    ],
)
def test_offers_that_cannot_be(offers: list[Offer], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        portfolio(Usage(np.ones((2, 1)), np.ones(1)), offers)


def test_numbers_that_cannot_be() -> None:
    with pytest.raises(ValueError, match="each class once"):
        Offer("x", 1, (0, 0), (1.0, 1.0))
    with pytest.raises(ValueError, match="above 0"):
        Offer("x", 0, (0,), (1.0,))
    with pytest.raises(ValueError, match="not below 0"):
        Offer("x", 1, (0,), (1.0,), held=-1)
    with pytest.raises(ValueError, match="amounts"):
        Usage(-np.ones((2, 1)), np.ones(1))
    with pytest.raises(ValueError, match="price for each"):
        Usage(np.ones((2, 1)), np.ones(2))
    with pytest.raises(ValueError, match="prices"):
        Usage(np.ones((2, 1)), -np.ones(1))
    with pytest.raises(InsufficientData):
        portfolio(Usage(np.full((2, 1), np.nan), np.ones(1)), [])


def test_the_solver_prints_nothing() -> None:
    code = (
        "import numpy as np; from costopt.optimize.commitment import *;"
        "portfolio(Usage(np.ones((3, 1)), np.ones(1)), [Offer('x', .5, (0,), (1.,), step=1.)])"
    )
    run = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, timeout=120)
    assert (run.stdout, run.stderr) == (b"", b"")
