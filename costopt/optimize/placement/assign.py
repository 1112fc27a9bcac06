"""Where all groups go together: the moves of least cost, proven or with the bound that is.

Groups that nothing ties to others go where they cost least. The others are taken apart where
nothing connects them; of each part, bounds rule out most places, and an integer programme decides
among what is left.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final, NamedTuple

import numpy as np

from costopt.optimize.placement.bounds import Choices
from costopt.optimize.placement.descent import descend, together
from costopt.optimize.placement.dominance import Ints, undominated
from costopt.optimize.placement.fleet import Fleet, Pledge, Quota, at, connected
from costopt.optimize.placement.programme import Limits, quota_prices, solve

NODES: Final = 10_000
"""Of a branch and bound, unless told otherwise."""

PRICED: Final = 8
"""Times that quotas are charged anew, with the traffic shared out in between."""

GAP: Final = 1e-6
"""Of all costs: an answer so near the bound is taken. A dollar in a million."""

TIE: Final = 1e-9
"""Of all costs: differences below it are rounding."""


@dataclass(frozen=True, slots=True, eq=False)
class Assignment:
    """Where each group goes, and how far from the best that can be."""

    places: Ints  # (G,)
    cost: float  # over the horizon, in present money
    at_least: float  # nothing that keeps the same limits costs less
    staying: float  # what all cost where they are
    over: tuple[str, ...]  # limits that could not be kept, by name: held no worse than today

    @property
    def saving(self) -> float:
        """What going there saves."""
        return self.staying - self.cost

    @property
    def gap(self) -> float:
        """What a better answer could save more at most, as a share of what staying costs."""
        return (self.cost - self.at_least) / self.staying if self.staying else 0.0


class _Found(NamedTuple):
    places: Ints
    at_least: float


def assign(fleet: Fleet, *, nodes: int = NODES, seconds: float = np.inf) -> Assignment:
    """The placement of least cost within the limits.

    Exact but for `GAP`, unless the solver stops at `nodes` or `seconds`: `at_least` holds also
    then. Limits that cannot be kept (a quota that is exceeded today, and nowhere to go) are named,
    and kept no worse than they are today. A group that gains nothing by moving stays. Other ties go
    to the lower place among groups that nothing ties, and elsewhere depend on the order of groups:
    sort these by name.

    Args:
        nodes: of a branch and bound, for each part of the fleet that takes one.
        seconds: the same as a time; then an answer may differ from one machine to another.
    """
    size = float(np.abs(at(fleet.cost, fleet.home)).sum())
    whole, tolerance, limits = fleet, TIE * size, Limits(GAP * size, nodes, seconds)
    fleet, at_least = _without_idle_limits(fleet)
    ties = _ties(fleet)
    places = _each_alone(fleet, tolerance)
    tied = np.zeros(len(places), np.bool_)
    for tie in ties:
        tied[tie] = True
    for groups in connected(len(places), ties):
        if tied[groups[0]]:
            found = _solve(fleet.only(groups), tolerance, limits)
            places[groups] = found.places
            at_least += found.at_least
    at_least += float(at(fleet.cost, places)[~tied].sum())
    cost = whole.total(places)
    return Assignment(
        places, cost, min(at_least, cost), whole.total(fleet.home), whole.broken(places)
    )


def _each_alone(fleet: Fleet, tolerance: float) -> Ints:
    """(G,) home, or the first of the places that cost least."""
    stays = at(fleet.cost, fleet.home) <= fleet.cost.min(axis=1) + tolerance
    return np.where(stays, fleet.home, fleet.cost.argmin(axis=1))


def _without_idle_limits(fleet: Fleet) -> tuple[Fleet, float]:
    """The fleet without limits that hold wherever groups go, and what is paid in any case."""
    possible = np.isfinite(fleet.cost)
    quotas = tuple(
        quota
        for quota in fleet.quotas
        if np.where(possible, quota.amounts, 0.0).max(axis=1).sum() > quota.left
    )
    pledges, paid = [], 0.0
    for pledge in fleet.pledges:
        if not pledge.amounts.any():
            paid += max(0.0, pledge.least)
        elif np.where(possible, pledge.amounts, np.inf).min(axis=1).sum() < pledge.least:
            # What is beyond all that could be spent is paid in any case.
            most = float(np.where(possible, pledge.amounts, 0.0).max(axis=1).sum())
            pledges.append(replace(pledge, least=min(pledge.least, most)))
            paid += max(0.0, pledge.least - most)
    providers = fleet.providers
    if providers is not None and not providers.fee.any():
        count = len(np.unique(providers.of))
        providers = None if providers.most is None or providers.most >= count else providers
    return replace(fleet, quotas=quotas, pledges=tuple(pledges), providers=providers), paid


def _ties(fleet: Fleet) -> list[Ints]:
    """Groups that must be looked at together, by what ties them."""
    shares: tuple[Quota | Pledge, ...] = (*fleet.quotas, *fleet.pledges)
    ties = [np.flatnonzero(shared.amounts.any(axis=1)) for shared in shares]
    if fleet.providers is not None:
        ties.append(np.arange(len(fleet.home)))
    return ties + _talking(fleet)


def _talking(fleet: Fleet) -> list[Ints]:
    talk = fleet.talk
    return [] if talk is None else list(np.column_stack((talk.first, talk.second)))


def _solve(fleet: Fleet, tolerance: float, limits: Limits) -> _Found:
    """One part: within the limits, or else no worse than today."""
    if fleet.broken(fleet.home):
        found = _search(fleet, None, tolerance, limits)
        if found is not None:
            return found
        fleet = fleet.no_worse_than_today()
    found = _search(fleet, fleet.home, tolerance, limits)
    assert found is not None  # home, if nothing else
    return found


def _search(fleet: Fleet, start: Ints | None, tolerance: float, limits: Limits) -> _Found | None:
    """The best placement known in the end; None where none was found that keeps the limits.

    Args:
        start: a placement that keeps them.
    """
    choices = _priced(fleet, Choices.of(fleet, _options(fleet)), tolerance)
    known = _nearby(fleet, start, choices.cheapest_alone(), tolerance)
    most = np.inf if known is None else fleet.total(known)
    if known is not None and most - choices.base <= limits.gap:
        return _Found(known, choices.base)
    solved = solve(fleet, choices.within(most + tolerance), limits)
    if solved.places is not None and not fleet.broken(solved.places):
        better = descend(fleet, solved.places, tolerance)
        if known is None or fleet.total(better) < fleet.total(known) - tolerance:
            known = better
    return None if known is None else _Found(known, min(solved.at_least, fleet.total(known)))


def _priced(fleet: Fleet, choices: Choices, tolerance: float) -> Choices:
    """The choices with scarce quotas charged, as long as that raises what all costs at least."""
    choices = choices.lowered().within(np.inf)
    for _ in range(PRICED if fleet.quotas else 0):
        more = choices.charged(fleet.quotas, quota_prices(fleet, choices)).lowered()
        if more.base <= choices.base + tolerance:
            break
        choices = more
    return choices


def _nearby(fleet: Fleet, start: Ints | None, wanted: Ints, tolerance: float) -> Ints | None:
    """A good placement from which to rule out others."""
    if start is None:
        allowed = np.isfinite(fleet.total(wanted)) and not fleet.broken(wanted)
        return descend(fleet, wanted, tolerance) if allowed else None
    parts = connected(len(fleet.home), _talking(fleet))
    return descend(fleet, together(fleet, start, wanted, parts), tolerance)


def _options(fleet: Fleet) -> tuple[Ints, ...]:
    """Of each group the places where it may be; of one that talks to none, those worth a thought.

    Such a group has no use for a place that costs no less than another of the same provider, takes
    as much of each quota and counts as little towards each pledge.
    """
    possible = np.isfinite(fleet.cost)
    options = [np.flatnonzero(row) for row in possible]
    alone = np.ones(len(options), np.bool_)
    for pair in _talking(fleet):
        alone[pair] = False
    groups, places = np.nonzero(possible & alone[:, None])
    good = [-quota.amounts[groups, places] for quota in fleet.quotas]
    good += [pledge.amounts[groups, places] for pledge in fleet.pledges]
    if fleet.providers is not None:  # neither less nor more: the same
        of = fleet.providers.of[places].astype(np.float64)
        good += [of, -of]
    table = np.array(good, np.float64).reshape(len(good), len(groups)).T
    none = np.zeros(len(groups), np.int64)
    left = undominated(groups, len(options), fleet.cost[groups, places], table, none)
    for g in np.flatnonzero(alone):
        options[g] = places[left.choices[left.starts[g] : left.starts[g + 1]]]
    return tuple(options)
