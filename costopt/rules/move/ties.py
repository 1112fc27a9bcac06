"""What ties groups to one another: traffic between them, quotas, promised spending.

What is in no group counts as well: its vCPUs for quotas, what it costs for promised spending, and
as an end of talks. It stays, whatever moves.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from costopt.errors import ConfigError
from costopt.model import Offer, Place
from costopt.optimize.placement import NONE, Fleet, Pledge, Providers, Quota
from costopt.optimize.placement.dominance import Floats, Ints
from costopt.pricing.layer import region_key
from costopt.registry import suggest
from costopt.rules.base import Case
from costopt.rules.move import talks
from costopt.rules.move.bounds import Board
from costopt.rules.move.ends import Standing, standing
from costopt.rules.move.groups import Group
from costopt.rules.move.market import Sold, World
from costopt.rules.move.settings import MoveSettings
from costopt.rules.move.subjects import concerns
from costopt.rules.move.sums import Sums, Taken
from costopt.rules.move.talks import Fares, Peers
from costopt.units import provider_key

_SLACK: Final = 1e-6
"""Of a limit: rounding."""


@dataclass(frozen=True, slots=True, eq=False)
class Beside:
    """What limits and talks know beside the groups. Money a month, in the bill's currency."""

    standing: tuple[Standing, ...] = ()
    vcpus: tuple[tuple[str, str, float], ...] = ()  # provider, region: of what is in no group
    left: Mapping[str, float] | None = None  # resource id -> vCPUs that the plan leaves it
    spend: Mapping[str, float] | None = None  # by `provider_key`, all of it, once the plan is done

    @classmethod
    def of(
        cls,
        cases: Mapping[str, Case],
        ended: Collection[str],
        groups: Sequence[Group],
        advised: Mapping[str, Offer],
        spend: Mapping[str, float],
        *,
        world: World,
        settings: MoveSettings,
    ) -> Beside:
        """Of the whole fleet.

        Args:
            ended: resource ids that the plan stops.
            advised: resource id -> the machine that the plan leaves it with.
        """
        inside = {one.resource.resource_id for group in groups for one in group.members}
        left = {
            key: float(advised[key].vcpus or 0) or float(case.shape.vcpus)
            if key in advised
            else float(case.shape.vcpus)
            for key, case in sorted(cases.items())
            if case.shape and concerns(case) and key not in ended
        }
        where = {key: cases[key].resource for key in left if key not in inside}
        return cls(
            standing(cases, ended, groups, world.places, settings),
            tuple((one.provider_name, one.region_id or "", left[key])
                  for key, one in where.items()),
            left,
            spend,
        )  # fmt: skip


def tied(
    board: Board,
    cost: Floats,
    found: Taken,
    totals: Sums,
    *,
    market: Sold,
    peers: Sequence[Peers],
    price: Fares,
    beside: Beside,
) -> Fleet:
    """The groups with what they share.

    Args:
        cost: (G, P) present cost without talks; inf = must not be there.
    Raises:
        ConfigError: a setting names no place or no provider.
    """
    names = [provider_key(place.provider_name) for place in board.places]
    every = sorted(set(names))
    most = board.settings.most_providers
    of = np.array([every.index(name) for name in names], np.int64)
    paid = float(board.horizon.paid(board.horizon.months))
    going = np.isfinite(cost)
    off = float(np.where(going, totals.moving.price_spread, 0.0).max(initial=0.0))
    return Fleet(
        cost=cost + _standing(board, peers, price, off) * paid,
        home=board.home,
        talk=talks.pairs(peers, board.places, price, paid=paid, off=off),
        quotas=tuple(_quotas(board, found, market, beside)),
        pledges=tuple(_pledges(board, totals, beside, paid)),
        providers=Providers(of, np.zeros(len(every)), most) if most else None,
    )


def _standing(board: Board, peers: Sequence[Peers], price: Fares, off: float) -> Floats:
    """(G, P) a month, of talks with what stays, at the unfavourable end; inf = too far from it."""
    found = np.zeros((len(board.groups), len(board.places)))
    for number, of_it in enumerate(peers):
        if of_it:
            home = int(board.home[number])
            each = talks.with_standing(of_it, board.places, board.places[home], price)
            found[number] = np.where(np.arange(len(each)) == home, each, each * (1 + off))
    return found


def _quotas(board: Board, found: Taken, market: Sold, beside: Beside) -> Iterator[Quota]:
    """Of vCPUs, by place: of the machines chosen there, and of what runs there today."""
    sold = np.array([market.shapes[of].vcpus for of in market.of.tolist()] or [0], np.float64)
    vcpus = np.where(found.offer == NONE, 0.0, sold[found.offer])
    left = beside.left or {}
    own = np.array([[left.get(one.resource.resource_id, one.shape.vcpus)] for one in found.members])
    groups = np.arange(len(board.groups)), board.home
    for name, most in sorted(board.settings.quotas.items()):
        there = np.array(
            [_is(name, place.provider_name, place.region_id) for place in board.places]
        )
        fixed = [count for provider, region, count in beside.vcpus if _is(name, provider, region)]
        if not there.any() and not fixed:
            known = sorted(f"{provider_key(p.provider_name)}/{p.region_id}" for p in board.places)
            raise ConfigError(f"rules.move quotas: {name!r} is no place", hint=suggest(name, known))
        amounts = found.by_group(vcpus) * there
        amounts[groups] = found.by_group(own)[:, 0] * there[board.home]
        yield Quota(f"quotas, {name}: {most:g} vCPUs", amounts, most, sum(fixed))


def _is(name: str, provider: str, region: str) -> bool:
    """Whether the setting's name means that place: a provider, or one of its regions."""
    of, _, where = name.partition("/")
    return provider_key(of) == provider_key(provider) and (
        not where or region_key(where) == region_key(region)
    )


def _pledges(board: Board, totals: Sums, beside: Beside, paid: float) -> Iterator[Pledge]:
    """All that is spent with the provider: what groups cost there, and the rest of its bill."""
    spend = {provider_key(name): amount for name, amount in (beside.spend or {}).items()}
    names = np.array([provider_key(place.provider_name) for place in board.places])
    monthly = np.where(
        np.isfinite(totals.moving.run),
        totals.moving.run + totals.moving.storage + totals.moving.egress,
        0.0,
    )
    staying = totals.staying.run + totals.staying.storage + totals.staying.egress
    monthly[np.arange(len(staying)), board.home] = staying
    for name, least in sorted(board.settings.minimum_spend.items()):
        key = provider_key(name)
        if key not in names and key not in spend:
            known = sorted({*names.tolist(), *spend})
            raise ConfigError(
                f"rules.move minimum_spend: nothing is spent with {name!r}, and nothing may go "
                "there", hint=suggest(name, known)
            )  # fmt: skip
        here = float(staying[names[board.home] == key].sum())
        rest = max(0.0, spend.get(key, 0.0) - here)
        yield Pledge(
            f"minimum_spend, {name}: {least:,.0f} a month",
            monthly * (names == key) * paid,
            (least - rest) * paid,
        )


# -- in words ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class Shared:
    """What groups share, and where all of them are to be."""

    fleet: Fleet
    places: Ints  # (G,)

    def keep(self, group: int, place: int) -> list[str]:
        """The limits that keep the group from going there, the others being where they are."""
        there = self.places.copy()
        there[group] = place
        known = set(self.fleet.broken(self.places))
        found = [name for name in self.fleet.broken(there) if name not in known]
        found += [
            quota.name
            for quota in self.fleet.quotas
            if quota.name in known and quota.taken(there) > quota.taken(self.places)
        ]
        return found + [
            pledge.name
            for pledge in self.fleet.pledges
            if pledge.shortfall(there) > pledge.shortfall(self.places) + _SLACK
        ]

    def short(self, paid: float) -> list[str]:
        """What is promised and not spent, once all are there.

        Args:
            paid: present worth of 1 a month.
        """
        return [
            f"{pledge.name} is promised, and {pledge.shortfall(self.places) / paid:,.2f} of it "
            "will not be spent: it is due all the same, and is in no figure here"
            for pledge in self.fleet.pledges
            if pledge.shortfall(self.places) > _SLACK * max(1.0, pledge.least)
        ]


def too_far(peers: Peers, place: Place) -> list[str]:
    """Those of a group's talks that the place is too far from."""
    return [
        f"talks, {peer.label}: most_ms = {peer.most_ms:g}"
        for peer in peers
        if not talks.within(peer, place, peer.then)
    ]
