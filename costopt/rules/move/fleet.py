"""The whole fleet: every group at every place, and the moves of all together."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from types import MappingProxyType
from typing import Final

import numpy as np

from costopt.model import Place, Recommendation, Skip, Window
from costopt.optimize.placement import Assignment, Worth, assign, worth
from costopt.rules.base import Case, Fit
from costopt.rules.move.advice import advice
from costopt.rules.move.bounds import ANY, Board, Bounds, bounds
from costopt.rules.move.ends import peers
from costopt.rules.move.grounds import Ground
from costopt.rules.move.groups import Gathered, Group, gathered
from costopt.rules.move.market import Sold, World, sold
from costopt.rules.move.settings import MoveSettings
from costopt.rules.move.spot import on_spot
from costopt.rules.move.stays import stays
from costopt.rules.move.subjects import Known
from costopt.rules.move.sums import Sums, Taken, here, sums, taken, with_talk
from costopt.rules.move.talks import Peers, fares, monthly, settled, together
from costopt.rules.move.ties import Beside, Shared, tied

_SECONDS: Final = 30.0
"""Of searching, for groups that share limits; what is left to gain then is told."""


@dataclass(frozen=True, slots=True, eq=False)
class Moves:
    """What every group should do, and what stands behind it."""

    recommendations: tuple[Recommendation, ...]  # one a machine that moves, by resource
    skips: tuple[Skip, ...]  # machines that could not be placed, or stay for a reason
    fits: tuple[Fit, ...]  # machines that are where they cost least
    grounds: tuple[Ground, ...]  # by group
    assignment: Assignment | None  # None = nothing to place
    notes: tuple[str, ...] = ()  # what one should know of limits

    def said(self, resource_id: str) -> list[Recommendation | Skip | Fit]:
        """What is said of one machine."""
        every: list[Recommendation | Skip | Fit] = [
            *self.recommendations,
            *self.skips,
            *self.fits,
        ]
        return [one for one in every if one.resource_id == resource_id]


def moves(
    cases: Mapping[str, Case],
    ended: Collection[str],
    known: Known,
    world: World,
    settings: MoveSettings,
    *,
    window: Window,
    spend: Mapping[str, float] = MappingProxyType({}),
    min_monthly_savings: float = 0.0,
    threads: int = 1,
) -> Moves:
    """Where everything should run.

    Args:
        cases: of every resource; groups' cases are passed over.
        ended: resource ids that the plan stops.
        known: with what else the plan changes.
        spend: by `provider_key`, what is spent a month in all once the plan is done.
        window: what the bill and the metrics looked back on; prices age until its end.
        min_monthly_savings: of one machine on spot, in the bill's currency.
    Raises:
        ConfigError: a setting names no group, place or provider.
    """
    found = gathered(cases, ended, known, world.places, settings)
    spot, refused = on_spot(found, world, settings, window, least=min_monthly_savings)
    if not found.groups:
        return Moves((), found.skips, (), (), None)
    groups = tuple(_with_spot(group, spot) for group in found.groups)
    board = Board.of(groups, world, settings)
    beside = Beside.of(cases, ended, groups, known.advised, spend, world=world, settings=settings)
    decided = _decided(board, found, window.end, threads, beside=beside)
    grounds = _grounds(decided, board, found)
    gone = [one for ground in grounds if ground.moves for one in advice(ground, window)]
    away = {one.resource_id for one in gone}
    kept = [one for key, one in spot.items() if key not in away]
    settled = away | {one.resource_id for one in kept} | {skip.resource_id for skip in refused}
    outcomes = [
        one
        for ground in grounds
        if not ground.moves
        for one in stays(ground)
        if one.resource_id not in settled
    ]
    return Moves(
        recommendations=tuple(sorted([*gone, *kept], key=lambda one: one.resource_id)),
        skips=(
            *found.skips,
            *(skip for skip in refused if skip.resource_id not in away),
            *(one for one in outcomes if isinstance(one, Skip)),
        ),
        fits=tuple(one for one in outcomes if isinstance(one, Fit)),
        grounds=grounds,
        assignment=decided.assignment,
        notes=tuple(decided.shared.short(float(board.horizon.paid(board.horizon.months)))),
    )


def anywhere(ground: Ground, as_of: datetime) -> Ground:
    """The same group with every provider and place asked for, and nothing shared: to tell what bars
    it.

    Args:
        as_of: prices age until then.
    """
    open_ = {"to": (ANY,), "places": (), "talks": (), "quotas": {}, "minimum_spend": {}}
    settings = ground.board.settings.model_copy(update={**open_, "most_providers": None})
    board = Board.of((ground.group,), ground.board.world, settings, ground.board.opened)
    seen = _Seen.of(board, as_of, threads=1)
    beside = tuple(replace(peer, number=None) for peer in ground.peers)
    totals = sums(board, seen.taken, seen.market, [beside])
    target = ground.target if ground.moves else None
    totals = _with_talks(totals, board, [beside], [target])
    return Ground(
        number=0,
        board=board,
        market=seen.market,
        taken=seen.taken,
        sums=totals,
        worth=worth(totals.staying, totals.moving, board.horizon),
        bounds=bounds(board, ground.bound),
        chosen=int(board.home[0]),
        bound=ground.bound,
        peers=beside,
    )


def _with_spot(group: Group, spot: Mapping[str, Recommendation]) -> Group:
    """What costs less where it is has less reason to go."""
    members = [
        replace(one, run=float(advised.estimated_monthly_cost))
        if (advised := spot.get(one.resource.resource_id))
        else one
        for one in group.members
    ]
    return replace(group, members=tuple(members))


@dataclass(frozen=True, slots=True, eq=False)
class _Seen:
    """What is sold, and what of it would do."""

    market: Sold
    taken: Taken

    @classmethod
    def of(cls, board: Board, as_of: datetime, threads: int) -> _Seen:
        market = sold(board.places, board.world, as_of)
        return cls(market, taken(board, market, threads))


@dataclass(frozen=True, slots=True, eq=False)
class _Decided:
    seen: _Seen
    sums: Sums
    worth: Worth
    bounds: Bounds
    assignment: Assignment
    shared: Shared
    peers: tuple[Peers, ...]  # each where it is to be


def _grounds(decided: _Decided, board: Board, found: Gathered) -> tuple[Ground, ...]:
    seen, places = decided.seen, decided.assignment.places
    others = together(decided.peers, (places != board.home).tolist())
    return tuple(
        Ground(
            number=number,
            board=board,
            market=seen.market,
            taken=seen.taken,
            sums=decided.sums,
            worth=decided.worth,
            bounds=decided.bounds,
            chosen=int(place),
            bound=found.bound,
            peers=decided.peers[number],
            company=tuple(board.groups[other] for other in others[number]),
            shared=decided.shared,
        )
        for number, place in enumerate(places)
    )


def _decided(
    board: Board, found: Gathered, as_of: datetime, threads: int, beside: Beside
) -> _Decided:
    """Where each group goes, and what that costs with the others where they go."""
    seen, talking = _Seen.of(board, as_of, threads), peers(board, beside.standing)
    totals = sums(board, seen.taken, seen.market, talking)
    value = worth(totals.staying, totals.moving, board.horizon)
    within = bounds(board, found.bound)
    # By the unfavourable end: nothing moves that might not pay.
    going = np.where(within.resides & within.near & within.free, value.move_high, np.inf)
    # What another machine saves here as well is no reason to go.
    going[np.arange(len(board.home)), board.home] = np.minimum(value.stay, here(board, totals))
    price = fares(board.places, talking, board.world)
    fleet = tied(board, going, seen.taken, totals, market=seen.market, peers=talking, price=price,
                 beside=beside)  # fmt: skip
    # A limit that is exceeded today is told, and makes nothing go that loses by it.
    placed = assign(fleet.no_worse_than_today(), seconds=_SECONDS)
    placed = replace(placed, over=fleet.broken(placed.places))
    talking = settled(talking, board.places, board.home, placed.places)
    targets = [
        board.places[place] if place != home else None
        for place, home in zip(placed.places.tolist(), board.home.tolist(), strict=True)
    ]
    totals = _with_talks(totals, board, talking, targets)
    value = worth(totals.staying, totals.moving, board.horizon)
    return _Decided(seen, totals, value, within, placed, Shared(fleet, placed.places), talking)


def _with_talks(
    totals: Sums, board: Board, talking: Sequence[Peers], targets: Sequence[Place | None]
) -> Sums:
    """The sums with what talks cost each group at every place.

    Args:
        talking: each peer where it is to be.
        targets: where each group goes; None = it stays.
    """
    if not any(talking):
        return totals
    price = fares(board.places, talking, board.world)
    talk = [
        monthly(of_it, board.places, group.home, target, price)
        for of_it, group, target in zip(talking, board.groups, targets, strict=True)
    ]
    return with_talk(totals, np.array(talk), board.home)
