"""Where groups go together, held to trying every placement of small fleets."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from costopt.optimize.placement import (
    MOST_PROVIDERS,
    Fleet,
    Pledge,
    Providers,
    Quota,
    Talk,
    assign,
)

seeds = st.integers(0, 2**32)
few = settings(max_examples=40)


def _talk(random: np.random.Generator, groups: int, places: int) -> Talk | None:
    count = int(random.integers(0, 4))
    if groups == 1 or not count:
        return None
    first = random.integers(0, groups, count)
    second = (first + random.integers(1, groups, count)) % groups
    traffic, apart = random.integers(0, 5, (places, places)), random.integers(1, 50, (places,) * 2)
    np.fill_diagonal(traffic, 0)
    latency = (apart + apart.T) * (1.0 - np.eye(places))
    if random.random() < 0.3:
        latency[0, -1] = np.nan
    there, back = random.integers(0, 4, (2, count))
    most = random.choice([20, 50, np.inf], count)
    off = float(random.choice([0.0, 0.25]))
    return Talk(first, second, there * 1.0, back * 1.0, most, traffic * 1.0, latency, off)


def _fleet(seed: int, *, limits: bool = True) -> Fleet:
    """Small whole figures, so that ties are common; a third have limits broken today."""
    random = np.random.default_rng(seed)
    groups, places = (int(n) for n in random.integers((1, 2), (5, 5)))
    cost = random.integers(1, 30, (groups, places)).astype(np.float64)
    cost[random.random(cost.shape) < 0.2] = np.inf
    home = random.integers(0, places, groups)
    cost[np.arange(groups), home] = random.integers(10, 40, groups)
    fleet = Fleet(cost, home, _talk(random, groups, places))
    return _limited(fleet, random) if limits else fleet


def _limited(fleet: Fleet, random: np.random.Generator) -> Fleet:
    shape = fleet.cost.shape
    quotas = [
        Quota(
            f"quota {n}",
            random.integers(0, 5, shape) * 1.0,
            float(random.integers(0, 12)),
            float(max(0, random.integers(-5, 6))),
        )
        for n in range(random.integers(0, 3))
    ]
    spent = np.where(np.isfinite(fleet.cost), fleet.cost, 0.0) * (random.random(shape[1]) < 0.5)
    pledges = (Pledge("pledge", spent, float(random.integers(0, 60))),) * random.integers(0, 2)
    providers = Providers(
        random.integers(0, 3, shape[1]),
        random.integers(0, 8, 3) * 1.0,
        [None, 1, 2][random.integers(0, 3)],
    )
    given = providers if random.random() < 0.5 else None
    return replace(fleet, quotas=tuple(quotas), pledges=pledges, providers=given)


def _placements(fleet: Fleet) -> Iterator[np.ndarray]:
    for places in product(*(np.flatnonzero(np.isfinite(row)) for row in fleet.cost)):
        yield np.array(places, np.int64)


def _least(fleet: Fleet) -> float:
    """By trying all: within the limits, or else no worse than today."""
    for held in (fleet, fleet.no_worse_than_today()):
        costs = [held.total(some) for some in _placements(held) if not held.broken(some)]
        if min(costs, default=np.inf) < np.inf:
            return min(costs)
    raise AssertionError("staying is always possible")


@settings(max_examples=150)
@given(seed=seeds)
def test_costs_what_the_best_of_all_placements_costs(seed: int) -> None:
    fleet = _fleet(seed)
    found, least = assign(fleet), _least(fleet)
    assert found.cost == pytest.approx(least, rel=1e-5)
    assert found.at_least <= found.cost
    assert found.at_least == pytest.approx(least, rel=1e-5)
    assert fleet.total(found.places) == found.cost
    assert found.staying == fleet.total(fleet.home)
    held = fleet.no_worse_than_today() if found.over else fleet
    assert held.broken(found.places) == ()
    assert found.over == fleet.broken(found.places)


@few
@given(seed=seeds)
def test_without_limits_and_talk_each_goes_where_it_costs_least(seed: int) -> None:
    fleet = replace(_fleet(seed, limits=False), talk=None)
    found = assign(fleet, nodes=0)
    np.testing.assert_array_equal(
        fleet.cost[np.arange(len(found.places)), found.places], fleet.cost.min(axis=1)
    )
    stays = fleet.cost[np.arange(len(fleet.home)), fleet.home] == fleet.cost.min(axis=1)
    np.testing.assert_array_equal(found.places[stays], fleet.home[stays])
    assert found.gap == 0


@few
@given(seed=seeds, cheap=st.integers(0, 20))
def test_one_more_place_never_raises_the_cost(seed: int, cheap: int) -> None:
    fleet = _fleet(seed)
    talk, providers = fleet.talk, fleet.providers

    def wider(table: np.ndarray, value: float) -> np.ndarray:
        return np.pad(table, ((0, 0), (0, 1)), constant_values=value)

    if talk is not None:
        traffic, latency = (
            np.pad(table, (0, 1), constant_values=1.0) for table in (talk.traffic, talk.latency_ms)
        )
        talk = replace(talk, traffic=traffic, latency_ms=latency)
    if providers is not None:
        providers = replace(providers, of=np.append(providers.of, 0))
    more = Fleet(
        wider(fleet.cost, cheap),
        fleet.home,
        talk,
        tuple(replace(q, amounts=wider(q.amounts, 0.0)) for q in fleet.quotas),
        tuple(replace(p, amounts=wider(p.amounts, 0.0)) for p in fleet.pledges),
        providers,
    )
    before, after = assign(fleet), assign(more)
    # Limits that only the new place lets one keep may cost something.
    assume(bool(after.over) or not before.over)
    assert after.cost <= before.cost * (1 + 2e-6) + 1e-9


@few
@given(seed=seeds)
def test_where_a_group_must_not_be_it_never_is(seed: int) -> None:
    fleet = _fleet(seed)
    found = assign(fleet)
    assert np.isfinite(fleet.cost[np.arange(len(found.places)), found.places]).all()
    talk = fleet.talk
    if talk is None:
        return
    here, there = found.places[talk.first], found.places[talk.second]
    moved = (here != fleet.home[talk.first]) | (there != fleet.home[talk.second])
    limited = moved & np.isfinite(talk.most_ms)
    assert (talk.latency_ms[here, there] <= talk.most_ms)[limited].all()


@few
@given(seed=seeds)
def test_egress_large_enough_keeps_everything_where_it_is(seed: int) -> None:
    fleet = _fleet(seed, limits=False)
    leaving = np.full(fleet.cost.shape, 1000.0)
    leaving[np.arange(len(fleet.home)), fleet.home] = 0
    talk = None if fleet.talk is None else replace(fleet.talk, traffic=fleet.talk.traffic * 0)
    found = assign(replace(fleet, cost=fleet.cost + leaving, talk=talk))
    np.testing.assert_array_equal(found.places, fleet.home)


@few
@given(seed=seeds, factor=st.sampled_from([1e-6, 0.01, 0.14, 83.2, 1e6]))
def test_another_currency_changes_nothing(seed: int, factor: float) -> None:
    fleet = _fleet(seed)
    talk, providers = fleet.talk, fleet.providers
    in_other = Fleet(
        fleet.cost * factor,
        fleet.home,
        talk and replace(talk, traffic=talk.traffic * factor),
        fleet.quotas,
        tuple(Pledge(p.name, p.amounts * factor, p.least * factor) for p in fleet.pledges),
        providers and replace(providers, fee=providers.fee * factor),
    )
    here, there = assign(fleet), assign(in_other)
    assert there.cost == pytest.approx(here.cost * factor, rel=1e-5)
    assert fleet.total(there.places) == pytest.approx(here.cost, rel=1e-5)
    assert there.over == here.over


@few
@given(seed=seeds)
def test_the_order_of_groups_and_places_changes_no_cost(seed: int) -> None:
    fleet = _fleet(seed)
    random = np.random.default_rng(seed)
    groups, places = (random.permutation(n) for n in fleet.cost.shape)
    number, where = np.argsort(groups), np.argsort(places)
    talk, providers, both = fleet.talk, fleet.providers, np.ix_(groups, places)
    mixed = Fleet(
        fleet.cost[both],
        where[fleet.home[groups]],
        talk
        and replace(
            talk,
            first=number[talk.first],
            second=number[talk.second],
            traffic=talk.traffic[np.ix_(places, places)],
            latency_ms=talk.latency_ms[np.ix_(places, places)],
        ),
        tuple(replace(q, amounts=q.amounts[both]) for q in fleet.quotas),
        tuple(replace(p, amounts=p.amounts[both]) for p in fleet.pledges),
        providers and replace(providers, of=providers.of[places]),
    )
    one, other = assign(fleet), assign(mixed)
    assert other.cost == pytest.approx(one.cost, rel=1e-5)
    assert fleet.total(places[other.places][number]) == pytest.approx(one.cost, rel=1e-5)


TRAFFIC = np.array([[0.0, 1.0], [1.0, 0.0]])


def _two(gib: float, most_ms: float = np.inf) -> Fleet:
    """A saves 10 by going, B loses 4; they send each other `gib`."""
    one = np.ones(1)
    talk = Talk(np.array([0]), np.array([1]), one * gib, one * 0, one * most_ms, TRAFFIC, TRAFFIC)
    return Fleet(np.array([[50.0, 40.0], [20.0, 24.0]]), np.array([0, 0]), talk)


@pytest.mark.parametrize(
    ("fleet", "places", "cost"),
    [
        (_two(3), [1, 0], 63.0),  # apart: 40 + 20 + 3
        (_two(5), [1, 1], 64.0),  # together: 40 + 24
        (_two(3, most_ms=0.5), [1, 1], 64.0),  # apart is too far
    ],
)
def test_groups_that_talk_by_hand(fleet: Fleet, places: list[int], cost: float) -> None:
    found = assign(fleet)
    assert found.places.tolist() == places
    assert found.cost == pytest.approx(cost)
    assert found.saving == pytest.approx(70 - cost)
    assert found.gap < 1e-6


def test_a_quota_goes_to_whom_it_saves_most() -> None:
    """10, 12 and 9 saved for 4, 8 and 4 vCPUs, of which there are 8."""
    fleet = Fleet(
        np.array([[30.0, 20.0], [30.0, 18.0], [30.0, 21.0]]),
        np.zeros(3, np.int64),
        quotas=(Quota("vCPUs there", np.array([[0.0, 4.0], [0.0, 8.0], [0.0, 4.0]]), 8.0),),
    )
    found = assign(fleet)
    assert found.places.tolist() == [1, 0, 1]
    assert found.saving == pytest.approx(19)


def test_spending_promised_is_paid_all_the_same() -> None:
    """Leaving saves 10, but 40 are promised here and only 30 would be spent."""
    fleet = Fleet(
        np.array([[30.0, 30.0], [30.0, 20.0]]),
        np.zeros(2, np.int64),
        pledges=(Pledge("here", np.array([[30.0, 0.0], [30.0, 0.0]]), 40.0),),
    )
    stays = assign(fleet)
    assert stays.places.tolist() == [0, 0]
    less = replace(fleet.pledges[0], least=39.0)
    leaves = assign(replace(fleet, pledges=(less,)))
    assert leaves.places.tolist() == [0, 1]
    assert leaves.cost == pytest.approx(59)  # 30 + 20 + 9 for nothing


def test_a_provider_is_left_for_its_fee_or_its_number() -> None:
    cost = np.array([[30.0, 20.0, 25.0], [30.0, 26.0, 19.0]])
    fleet = Fleet(cost, np.zeros(2, np.int64))
    assert assign(fleet).places.tolist() == [1, 2]
    dear = Providers(np.arange(3), np.array([0.0, 7.0, 6.0]))
    assert assign(replace(fleet, providers=dear)).places.tolist() == [2, 2]  # 44 + 6 of 39 + 13
    single = Providers(np.arange(3), np.zeros(3), most=1)
    assert assign(replace(fleet, providers=single)).places.tolist() == [2, 2]  # 44 of 46
    apart = Fleet(np.where(np.eye(2, 3, dtype=bool), 9.0, np.inf), np.array([0, 1]))
    found = assign(replace(apart, providers=single))
    assert found.over == (MOST_PROVIDERS,)
    assert found.places.tolist() == [0, 1]


def test_a_quota_exceeded_today_is_told_and_grows_no_worse() -> None:
    """9 of 8 are in use: the second could go there for less, the first cannot leave."""
    fleet = Fleet(
        np.array([[10.0, np.inf], [5.0, 9.0]]),
        np.array([0, 1]),
        quotas=(Quota("GPUs", np.array([[9.0, 0.0], [1.0, 0.0]]), 8.0),),
    )
    found = assign(fleet)
    assert found.over == ("GPUs",)
    assert found.places.tolist() == [0, 1]
    can_leave = replace(fleet, cost=np.array([[10.0, 12.0], [5.0, 9.0]]))
    assert assign(can_leave).over == ()
    assert assign(can_leave).places.tolist() == [1, 0]


def test_where_the_solver_stops_early_the_bound_still_holds() -> None:
    random = np.random.default_rng(3)
    groups, places = 40, 12
    cost = random.uniform(10, 20, (groups, places))
    amounts = random.uniform(1, 4, (groups, 3))[:, np.arange(places) % 3]
    quotas = tuple(
        Quota(str(p), amounts * (np.arange(places) % 3 == p), 30.0 + 80 * (p == 0))
        for p in range(3)
    )
    pairs = np.arange(groups - 2)
    ones = np.ones(groups - 2)
    traffic = random.uniform(0, 2, (places, places)) * (1 - np.eye(places))
    talk = Talk(pairs, pairs + 2, ones, ones, ones * np.inf, traffic, traffic)
    fleet = Fleet(cost, np.zeros(groups, np.int64), talk, quotas)
    early = assign(fleet, nodes=0)
    assert 0 <= early.gap < 0.2
    assert early.cost < early.staying
    assert fleet.broken(early.places) == ()
    assert assign(fleet, nodes=3).cost >= early.at_least - 1e-6


def test_what_cannot_be_is_refused() -> None:
    cost, home = np.ones((1, 2)), np.zeros(1, np.int64)
    with pytest.raises(ValueError, match="staying has a cost"):
        Fleet(np.array([[np.inf, 1.0]]), home)
    with pytest.raises(ValueError, match="a cost is a number"):
        Fleet(np.array([[1.0, np.nan]]), home)
    with pytest.raises(ValueError, match="a home for each"):
        Fleet(cost, np.zeros(2, np.int64))
    with pytest.raises(ValueError, match="GPUs: a finite amount"):
        Fleet(cost, home, quotas=(Quota("GPUs", np.zeros((1, 3)), 1.0),))
    with pytest.raises(ValueError, match="not below 0"):
        Quota("GPUs", np.zeros((1, 2)), -1.0)
    with pytest.raises(ValueError, match="not below 0"):
        Pledge("here", -np.ones((1, 2)), 1.0)
    with pytest.raises(ValueError, match="sends itself"):
        Talk(home, home, home * 1.0, home * 1.0, home * 1.0, TRAFFIC, TRAFFIC)
