"""What no placement of groups that talk can cost less than, and which places that rules out.

Each pair's traffic hands its two groups what it must cost at each of their places (messages), until
the sum of what everything costs at least by itself rises no more. On talk without circles that sum
comes to the optimum; else it stays below, and the integer programme has what is left to decide.
Limits only make placements dearer, so it bounds these too; the better once what is scarce has its
price.

Source: Globerson, Jaakkola: Fixing max-product: convergent message passing algorithms for MAP
LP-relaxations, NIPS 2007 (MPLP, edge-based).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, NamedTuple

import numpy as np

from costopt.optimize.placement.dominance import Floats, Ints
from costopt.optimize.placement.fleet import Fleet, Quota

ROUNDS: Final = 200
STALLED: Final = 1e-9
"""Of the bound's size: a round that raises it by less is the last."""


class Pair(NamedTuple):
    """Two groups that talk."""

    first: int
    second: int
    cost: Floats  # (options of the first, options of the second); inf = too far apart


@dataclass(frozen=True, slots=True, eq=False)
class Choices:
    """The places each group might take, and what they cost beyond `base`."""

    options: tuple[Ints, ...]  # of each group
    cost: tuple[Floats, ...]  # of each group's options
    pairs: tuple[Pair, ...]
    prices: Floats  # (quotas,) >= 0, what it costs to leave all of each unused
    base: float = 0.0

    @classmethod
    def of(cls, fleet: Fleet, options: tuple[Ints, ...]) -> Choices:
        """The fleet's costs at these options, limits, fees and pledges apart."""
        talk = fleet.talk
        pairs = []
        for k in range(0 if talk is None else len(talk.first)):
            assert talk is not None
            one, other = int(talk.first[k]), int(talk.second[k])
            pairs.append(Pair(one, other, fleet.pair(k)[np.ix_(options[one], options[other])]))
        cost = tuple(fleet.cost[g, some] for g, some in enumerate(options))
        return cls(options, cost, tuple(pairs), np.zeros(len(fleet.quotas)))

    @property
    def span(self) -> float:
        """The highest of the costs above the base."""
        every = (*self.cost, *(pair.cost[np.isfinite(pair.cost)] for pair in self.pairs))
        return max((float(cost.max()) for cost in every if cost.size), default=0.0)

    def lowered(self) -> Choices:
        """The same costs shared out so that `base` is as high as it gets: nothing costs less."""
        alone = [cost.copy() for cost in self.cost]
        pairs = [pair.cost.copy() for pair in self.pairs]
        least = -np.inf
        for _ in range(ROUNDS):
            for k, (one, other, _) in enumerate(self.pairs):
                _share(alone, pairs, k, one, other)
            sofar, least = least, _least(alone, pairs)
            if least - sofar <= STALLED * abs(least):
                break
        return replace(
            self,
            cost=tuple(cost - cost.min() for cost in alone),
            pairs=tuple(
                Pair(pair.first, pair.second, cost - cost.min())
                for pair, cost in zip(self.pairs, pairs, strict=True)
            ),
            base=self.base + _least(alone, pairs),
        )

    def charged(self, quotas: Sequence[Quota], prices: Floats) -> Choices:
        """The same with so much more to pay for each quota, and all of it paid back: what is left
        of a quota then costs its price, and the total of a placement is what it was."""
        cost = [cost.copy() for cost in self.cost]
        for quota, price in zip(quotas, prices, strict=True):
            for g, some in enumerate(self.options):
                cost[g] += price * quota.amounts[g, some] / quota.size
        paid_back = sum(
            price * quota.left / quota.size for quota, price in zip(quotas, prices, strict=True)
        )
        return replace(
            self,
            cost=tuple(cost),
            prices=self.prices + prices,
            base=self.base - float(paid_back),
        )

    def within(self, most: float) -> Choices:
        """Of `lowered` choices those with which all need not cost more than `most`."""
        spare = most - self.base
        kept = [np.flatnonzero(np.isfinite(cost) & (cost <= spare)) for cost in self.cost]
        pairs = []
        for one, other, cost in self.pairs:
            at_least = cost + self.cost[one][:, None] + self.cost[other]
            possible = np.where(at_least <= spare, cost, np.inf)
            pairs.append(Pair(one, other, possible[np.ix_(kept[one], kept[other])]))
        return replace(
            self,
            options=tuple(some[left] for some, left in zip(self.options, kept, strict=True)),
            cost=tuple(cost[left] for cost, left in zip(self.cost, kept, strict=True)),
            pairs=tuple(pairs),
        )

    def cheapest_alone(self) -> Ints:
        """(G,) the place that looks best to each group by itself."""
        return np.array(
            [some[np.argmin(cost)] for some, cost in zip(self.options, self.cost, strict=True)],
            np.int64,
        )


def _share(alone: list[Floats], pairs: list[Floats], k: int, one: int, other: int) -> None:
    """Half of what the pair and its groups cost at least goes to either group."""
    whole = pairs[k] + alone[one][:, None] + alone[other]
    alone[one] = whole.min(axis=1) / 2
    alone[other] = whole.min(axis=0) / 2
    known = np.isfinite(whole)  # elsewhere inf less inf
    np.subtract(whole, alone[one][:, None] + alone[other], out=whole, where=known)
    pairs[k] = whole


def _least(alone: list[Floats], pairs: list[Floats]) -> float:
    return float(sum(cost.min() for cost in (*alone, *pairs)))
