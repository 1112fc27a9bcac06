"""Groups that each move as a whole, and what ties them to one another."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np

from costopt.optimize.placement.dominance import Floats, Ints
from costopt.optimize.placement.worth import Bools

MOST_PROVIDERS = "providers in use"
"""What the limit on them is called where it cannot be met."""

SLACK = 1e-6
"""Of a quota: to that the solver keeps it."""


@dataclass(frozen=True, slots=True, eq=False)
class Talk:
    """Pairs of groups that send each other data, and what that costs between places."""

    first: Ints  # (K,) groups
    second: Ints  # (K,) groups, another than `first`
    there_gib: Floats  # (K,) a month from the first to the second
    back_gib: Floats  # (K,) a month from the second to the first
    most_ms: Floats  # (K,) that they may be apart; inf = any
    traffic: (
        Floats  # (P, P) of 1 GiB a month from here to there, over the horizon, in present money
    )
    latency_ms: Floats  # (P, P); NaN = unknown: too far for any limit
    off: float = 0.0
    """By which share the traffic may cost more than that, unless both are where they are today."""

    def __post_init__(self) -> None:
        if (self.first == self.second).any():
            raise ValueError("what a group sends itself belongs to its own cost")
        for amounts in (self.there_gib, self.back_gib, self.traffic):
            if not ((amounts >= 0) & (amounts < np.inf)).all():
                raise ValueError("traffic and its cost are finite and not below 0")
        if not 0 <= self.off < np.inf:
            raise ValueError("what traffic may cost more is finite and not below 0")

    def only(self, pairs: Bools, number: Ints) -> Talk:
        """Those pairs, of groups with other numbers."""
        return replace(
            self,
            first=number[self.first[pairs]],
            second=number[self.second[pairs]],
            there_gib=self.there_gib[pairs],
            back_gib=self.back_gib[pairs],
            most_ms=self.most_ms[pairs],
        )


@dataclass(frozen=True, slots=True, eq=False)
class Quota:
    """So many vCPUs, GPUs or whatever else there is for all groups together."""

    name: str
    amounts: Floats  # (G, P) that each group takes of it at each place; 0 where it takes none
    most: float
    fixed: float = 0.0  # taken wherever groups go, by what is none of them

    def __post_init__(self) -> None:
        if not ((self.amounts >= 0).all() and 0 <= self.most < np.inf and self.fixed >= 0):
            raise ValueError(f"{self.name}: amounts and their limit are finite and not below 0")

    @property
    def size(self) -> float:
        """What rounding is measured by."""
        return self.most or 1.0

    @property
    def left(self) -> float:
        """Of it for groups; below 0 where it is exceeded wherever they go."""
        return self.most - self.fixed

    def taken(self, places: Ints) -> float:
        """What all take, placed so."""
        return self.fixed + float(at(self.amounts, places).sum())


@dataclass(frozen=True, slots=True, eq=False)
class Pledge:
    """Spending promised to a provider: what is missing of it is paid nevertheless."""

    name: str
    amounts: Floats  # (G, P) of each group's cost there that counts, in present money
    least: float  # in present money

    def __post_init__(self) -> None:
        if not (self.amounts >= 0).all():
            raise ValueError(f"{self.name}: what is spent is not below 0")

    def spent(self, places: Ints) -> float:
        """What counts, placed so."""
        return float(at(self.amounts, places).sum())

    def shortfall(self, places: Ints) -> float:
        """What is paid for nothing, placed so."""
        return max(0.0, self.least - self.spent(places))


@dataclass(frozen=True, slots=True, eq=False)
class Providers:
    """Which provider each place is of, and what it takes to have one."""

    of: Ints  # (P,)
    fee: Floats  # (providers,) present cost of using it at all; >= 0
    most: int | None = None  # in use at the same time

    def used(self, places: Ints) -> Bools:
        """(providers,) whether anything runs there."""
        used = np.zeros(len(self.fee), np.bool_)
        used[self.of[places]] = True
        return used


@dataclass(frozen=True, slots=True, eq=False)
class Fleet:
    """All groups, where they are, and what each place would cost them over the horizon.

    Money is present money in one currency. Staying where it is must be possible for each group, and
    for each pair that talks, however far apart it is today.
    """

    cost: Floats  # (G, P), traffic among groups apart; inf = must not be there
    home: Ints  # (G,) where each one is; there `cost` is of staying
    talk: Talk | None = None
    quotas: tuple[Quota, ...] = ()
    pledges: tuple[Pledge, ...] = ()
    providers: Providers | None = None

    def __post_init__(self) -> None:
        if self.cost.ndim != 2 or len(self.cost) != len(self.home):
            raise ValueError("costs are (groups, places), with a home for each group")
        if np.isnan(self.cost).any() or np.isneginf(self.cost).any():
            raise ValueError("a cost is a number, or inf where a group must not be")
        if not np.isfinite(at(self.cost, self.home)).all():
            raise ValueError("staying has a cost for each group")
        shares: tuple[Quota | Pledge, ...] = (*self.quotas, *self.pledges)
        for shared in shares:
            if shared.amounts.shape != self.cost.shape or not np.isfinite(shared.amounts).all():
                raise ValueError(f"{shared.name}: a finite amount for each group and place")

    def pair(self, k: int) -> Floats:
        """(P, P) what the k-th pair's traffic costs, by its first and its second group's place."""
        here = np.arange(self.cost.shape[1])
        return self._between(np.array([k]), here[:, None], here)

    def total(self, places: Ints) -> float:
        """What all costs, placed so; inf where something must not be. Limits are not looked at."""
        cost = float(at(self.cost, places).sum())
        if self.talk is not None:
            pairs = np.arange(len(self.talk.first))
            first, second = places[self.talk.first], places[self.talk.second]
            cost += float(self._between(pairs, first, second).sum())
        if self.providers is not None:
            cost += float(self.providers.fee[self.providers.used(places)].sum())
        return cost + sum(pledge.shortfall(places) for pledge in self.pledges)

    def broken(self, places: Ints) -> tuple[str, ...]:
        """Names of the limits that are not kept, placed so."""
        names = [q.name for q in self.quotas if q.taken(places) > q.most + SLACK * q.size]
        providers = self.providers
        if providers is not None and providers.most is not None:
            names += [MOST_PROVIDERS] * bool(providers.used(places).sum() > providers.most)
        return tuple(names)

    def no_worse_than_today(self) -> Fleet:
        """The same with each limit at what staying takes, where that is more."""
        providers = self.providers
        if providers is not None and providers.most is not None:
            used = int(providers.used(self.home).sum())
            providers = replace(providers, most=max(providers.most, used))
        quotas = tuple(replace(q, most=max(q.most, q.taken(self.home))) for q in self.quotas)
        return replace(self, quotas=quotas, providers=providers)

    def only(self, groups: Ints) -> Fleet:
        """Those groups by themselves, with what ties them to one another."""
        number = np.full(len(self.home), -1)
        number[groups] = np.arange(len(groups))
        talk = None
        if self.talk is not None:
            talk = self.talk.only(number[self.talk.first] >= 0, number)
        return Fleet(
            self.cost[groups],
            self.home[groups],
            talk if talk is not None and len(talk.first) else None,
            tuple(replace(q, amounts=q.amounts[groups]) for q in self.quotas),
            tuple(replace(p, amounts=p.amounts[groups]) for p in self.pledges),
            self.providers,
        )

    def _between(self, pairs: Ints, first: Ints, second: Ints) -> Floats:
        """What the traffic of pairs costs with their groups there; inf where too far apart."""
        talk = self.talk
        assert talk is not None
        there, back = talk.traffic[first, second], talk.traffic[second, first]
        cost = talk.there_gib[pairs] * there + talk.back_gib[pairs] * back
        limit = talk.most_ms[pairs]
        near = (talk.latency_ms[first, second] <= limit) | np.isposinf(limit)
        homes = (first == self.home[talk.first[pairs]]) & (second == self.home[talk.second[pairs]])
        return np.where(homes, cost, np.where(near, cost * (1 + talk.off), np.inf))


def at(values: Floats, places: Ints) -> Floats:
    """(G,) each group's value at its place."""
    return np.asarray(values[np.arange(len(places)), places])


def connected(count: int, ties: Iterable[Ints]) -> list[Ints]:
    """The parts into which so many groups fall when all of each tie stay together; sorted."""
    part = list(range(count))

    def head(g: int) -> int:
        while part[g] != g:
            part[g] = part[part[g]]
            g = part[g]
        return g

    for tie in ties:
        members = [head(g) for g in tie.tolist()]
        for g in members:
            part[head(g)] = head(members[0])
    heads = np.array([head(g) for g in range(count)], np.int64)
    return [np.flatnonzero(heads == one) for one in np.unique(heads)]
