"""Better placements nearby: one group, or all that talk to one another, moved at a time."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import numpy as np

from costopt.optimize.placement.dominance import Floats, Ints
from costopt.optimize.placement.fleet import Fleet
from costopt.optimize.placement.worth import Bools

ROUNDS: Final = 20


def together(fleet: Fleet, places: Ints, wanted: Ints, parts: Iterable[Ints]) -> Ints:
    """Each part of the fleet moved to where it is wanted, where that is allowed and costs less."""
    best = fleet.total(places)
    for part in parts:
        tried = places.copy()
        tried[part] = wanted[part]
        if (cost := fleet.total(tried)) < best and not fleet.broken(tried):
            places, best = tried, cost
    return places


def descend(fleet: Fleet, places: Ints, tolerance: float) -> Ints:
    """One group moved after another, to where all costs least, until none gains by it.

    A group that gains nothing by being away from home goes home. `places` keeps the limits, and so
    does what comes back.
    """
    places = places.copy()
    with_talk = _neighbours(fleet)
    for _ in range(ROUNDS):
        before = places.copy()
        for g in range(len(places)):
            cost = np.where(
                _allowed(fleet, places, g), _costs(fleet, places, g, with_talk[g]), np.inf
            )
            enough = cost <= cost.min() + tolerance
            if enough[fleet.home[g]]:
                places[g] = fleet.home[g]
            elif not enough[places[g]]:
                places[g] = np.argmin(cost)
        if (places == before).all():
            break
    return places


def _neighbours(fleet: Fleet) -> list[list[tuple[int, bool]]]:
    """Of each group the pairs it is in, and whether it is the first of them."""
    found: list[list[tuple[int, bool]]] = [[] for _ in fleet.home]
    if fleet.talk is not None:
        ends = zip(fleet.talk.first.tolist(), fleet.talk.second.tolist(), strict=True)
        for k, (first, second) in enumerate(ends):
            found[first].append((k, True))
            found[second].append((k, False))
    return found


def _costs(fleet: Fleet, places: Ints, g: int, pairs: list[tuple[int, bool]]) -> Floats:
    """(P,) all costs that depend on where the group is, the others being where they are."""
    cost = fleet.cost[g].copy()
    talk, providers = fleet.talk, fleet.providers
    for k, is_first in pairs:
        assert talk is not None
        between = fleet.pair(k)
        cost += between[:, places[talk.second[k]]] if is_first else between[places[talk.first[k]]]
    for pledge in fleet.pledges:
        others = pledge.spent(places) - pledge.amounts[g, places[g]]
        cost += np.maximum(0.0, pledge.least - others - pledge.amounts[g])
    if providers is not None:
        used = providers.used(np.delete(places, g))
        cost += np.where(used, 0.0, providers.fee)[providers.of]
    return np.asarray(cost)


def _allowed(fleet: Fleet, places: Ints, g: int) -> Bools:
    """(P,) where the group may be by the limits; where it is, it may stay."""
    allowed = np.ones(fleet.cost.shape[1], np.bool_)
    for quota in fleet.quotas:
        others = quota.taken(places) - quota.amounts[g, places[g]]
        allowed &= others + quota.amounts[g] <= quota.most
    providers = fleet.providers
    if providers is not None and providers.most is not None:
        used = providers.used(np.delete(places, g))
        allowed &= (used | (used.sum() < providers.most))[providers.of]
    allowed[places[g]] = True
    return allowed
