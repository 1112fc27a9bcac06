"""What each group costs where it is and at every other place, as the arrays of optimize/placement.

A place whose price of something that the group needs is not known is no place for it: nothing is
taken to be free. What a group sends to its neighbours, and does not take along, costs what leaves
the new place: across regions, or over the internet to another provider. What they send it, and no
bill says came from outside, is free today, and costs what leaves the old place. Talks that are told
of stand apart: what they cost hangs on where the others go (talks.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from costopt.model import Place, RateKind
from costopt.optimize.placement import NONE, Moving, Needs, Staying, cheapest
from costopt.optimize.placement.dominance import Floats, Ints
from costopt.pricing.equivalence import Speed
from costopt.rules.families import family, is_plain
from costopt.rules.move.bounds import Board, Bools
from costopt.rules.move.market import (
    ARM,
    BURSTABLE,
    CARDS,
    ODD,
    Sold,
    World,
    charged,
    is_burstable,
)
from costopt.rules.move.settings import MoveSettings
from costopt.rules.move.subjects import Subject
from costopt.rules.move.talks import Peers, told
from costopt.units import HOURS_PER_MONTH, provider_key

_ALWAYS: Final = 0.98
"""Of the month: what runs so long has all that comes off for long use."""
_DAYS_A_MONTH: Final = HOURS_PER_MONTH / 24
_STRANDED_MONTHS: Final = 12.0
"""Until commitments end: nothing says when those of a machine do."""


@dataclass(frozen=True, slots=True, eq=False)
class Taken:
    """The cheapest machine for each, everywhere: machines in the order of groups and members."""

    members: tuple[Subject, ...]
    first: Ints  # (G + 1,) where each group's machines begin
    offer: npt.NDArray[np.int32]  # (M, P) into what is sold; NONE where nothing will do
    hourly: Floats  # (M, P) with the discount that it has today; inf

    def by_group(self, amounts: Floats) -> Floats:
        """(M, P) summed to (G, P)."""
        return np.asarray(np.add.reduceat(amounts, self.first[:-1], axis=0))


def taken(board: Board, sold: Sold, threads: int) -> Taken:
    """What every machine would run on at every place that sells anything."""
    settings = board.settings
    members = tuple(one for group in board.groups for one in group.members)
    first = np.cumsum([0, *(len(group.members) for group in board.groups)])
    offer = np.full((len(members), len(sold.places)), NONE, np.int32)
    hourly = np.full(offer.shape, np.inf)
    alike: dict[_Alike, list[int]] = {}
    for number, one in enumerate(members):
        alike.setdefault(_Alike.of(one), []).append(number)
    for like, rows in alike.items():
        needs = _needs([members[row] for row in rows], settings)
        offers = sold.offers(like.speed, like.only, like.own, always=like.always)
        found = cheapest(needs, offers, threads)
        offer[rows], hourly[rows] = found.offer, found.hourly
    own = np.array([[discounted(one, place) for place in sold.places] for one in members])
    return Taken(members, first, offer, hourly * own)


class _Alike(NamedTuple):
    """What machines share to whom the same offers are open at the same prices."""

    speed: Speed | None
    only: str | None
    own: str | None
    always: bool

    @classmethod
    def of(cls, one: Subject) -> _Alike:
        unknown = one.need.speed is None and one.need.vcpus > 0
        odd = not one.need.gpu_count and not is_plain(one.shape)
        return cls(
            speed=one.need.speed,
            only=one.shape.instance_type if unknown else None,
            own=family(one.shape) if odd else None,
            always=one.hours >= _ALWAYS * HOURS_PER_MONTH,
        )


def _needs(members: Sequence[Subject], settings: MoveSettings) -> Needs:
    """In vCPUs of their own speed."""
    least = np.array([[one.need.vcpus, *one.need.least[1:]] for one in members])
    return Needs(least, np.array([_refused(one, settings) for one in members], np.int64))


def _refused(one: Subject, settings: MoveSettings) -> int:
    arm = "arm64" in one.need.architectures
    burstable = settings.allow_burstable or is_burstable(one.shape)
    cards = 0 if one.need.gpu_count else CARDS
    return ODD | cards | (0 if arm else ARM) | (0 if burstable else BURSTABLE)


def discounted(one: Subject, place: Place) -> float:
    """What it pays of the list price at its own provider, where no commitment is part of that."""
    cost = one.case.cost
    provider = provider_key(place.provider_name)
    here = provider == provider_key(one.resource.provider_name)
    if (
        not here
        or provider == "gcp"
        or cost is None
        or cost.committed_share
        or not cost.compute_list
    ):
        return 1.0
    return min(1.0, float(cost.compute / cost.compute_list))


@dataclass(frozen=True, slots=True, eq=False)
class Sums:
    """What staying and going cost; the rest of what goes with each place."""

    staying: Staying
    moving: Moving
    traffic: Floats  # (G, P) a month, of `moving.egress`: to and from neighbours that stay behind
    talk: Floats  # (G, P) a month, of both sides' egress: what is told of talks, at home today's
    years: Floats  # (G, P) how old the prices of its machines are, on average
    unpriced: Bools  # (G, 2) storage, traffic that nobody prices at home: compared nowhere


def sums(board: Board, found: Taken, sold: Sold, peers: Sequence[Peers]) -> Sums:
    """All of it in the currency of the bill, but for talks.

    Args:
        peers: of each group: what is told of them is not in the rest.
    """
    groups, home, settings = board.groups, board.home, board.settings
    hours = np.array([[one.hours] for one in found.members])
    run = found.by_group(np.where(np.isfinite(found.hourly), found.hourly * hours, np.inf))
    years = _years(found, sold)
    amounts, tariffs = _Amounts.of(board, peers), _Tariffs(board.places, board.world)
    storage = tariffs(RateKind.BLOCK_STORAGE, amounts.stored)
    sent = tariffs(RateKind.EGRESS_INTERNET, amounts.internet)
    sent += tariffs(RateKind.EGRESS_REGION, amounts.regions)
    traffic = tariffs.between(amounts.near, home)[0] + tariffs.between(amounts.inward, home)[1]
    _, once = tariffs.between(amounts.stored, home)
    leaving = once / np.maximum(amounts.stored, 1.0)[:, None]  # of one GiB
    here = np.arange(len(groups)), home
    unpriced = np.column_stack((np.isnan(storage[here]), np.isnan(sent[here])))
    # What nobody prices at home would seem free there: it is left out everywhere.
    storage[np.isnan(storage[here])] = 0.0
    sent[np.isnan(sent[here])] = 0.0
    known = np.isfinite(storage) & np.isfinite(sent + traffic + leaving)
    staying = Staying(
        run=np.array([group.run for group in groups]),
        storage=storage[here],
        egress=sent[here],
    )
    moving = Moving(
        run=np.where(known, run, np.inf),
        storage=np.nan_to_num(storage),
        egress=np.nan_to_num(sent + traffic),
        leaving=np.nan_to_num(leaving),
        stored_gib=np.nan_to_num(amounts.stored),
        labour=_labour(board),
        dual_months=np.full(len(groups), settings.dual_run_days / _DAYS_A_MONTH),
        stranded=np.array([group.stranded for group in groups]),
        stranded_months=np.full(len(groups), _STRANDED_MONTHS),
        price_spread=np.minimum(0.99, years * settings.price_drift_percent / 100),
        speed_spread=np.zeros(run.shape),  # needs are at their high end, offers at their low one
    )
    return Sums(staying, moving, np.nan_to_num(traffic), np.zeros(run.shape), years, unpriced)


def with_talk(totals: Sums, talk: Floats, home: Ints) -> Sums:
    """The same with what talks cost.

    Args:
        talk: (G, P) a month; at home today's.
    """
    here = np.arange(len(home)), home
    return replace(
        totals,
        staying=replace(totals.staying, egress=totals.staying.egress + talk[here]),
        moving=replace(totals.moving, egress=totals.moving.egress + talk),
        talk=talk,
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Amounts:
    """GiB of each group, a month what is sent, without what is told of its talks; (G,) each."""

    stored: Floats
    internet: Floats
    regions: Floats
    near: Floats  # to neighbours
    inward: Floats  # from them

    @classmethod
    def of(cls, board: Board, peers: Sequence[Peers]) -> _Amounts:
        rows = []
        for group, of_it in zip(board.groups, peers, strict=True):
            less = told(of_it, group.home)
            rows.append(
                (
                    group.stored_gib,
                    max(0.0, group.sent.internet - less.internet),
                    max(0.0, group.sent.regions - less.regions),
                    max(0.0, group.internal - less.near),
                    max(0.0, group.inward - less.inward),
                )
            )
        return cls(*np.array(rows).T)


def _labour(board: Board) -> Floats:
    """(G, P) what people's time costs."""
    settings = board.settings
    machines = np.array([len(group.members) for group in board.groups])
    provider = np.array([provider_key(place.provider_name) for place in board.places])
    changes = provider[board.home][:, None] != provider
    hours = settings.labour_hours_group + settings.labour_hours_machine * machines[:, None]
    return np.asarray(settings.labour_rate * (hours + settings.labour_hours_provider * changes))


def here(board: Board, totals: Sums) -> Floats:
    """(G,) present cost of staying on the machines that would cost least there; inf where today's
    alone will do."""
    at = np.arange(len(board.home)), board.home
    monthly = totals.moving.run[at] + totals.staying.storage + totals.staying.egress
    return np.asarray(monthly * float(board.horizon.paid(board.horizon.months)))


def _years(found: Taken, sold: Sold) -> Floats:
    """(G, P) by what the machines cost."""
    there = found.offer != NONE
    paid = np.where(there, found.hourly, 0.0)
    old = np.append(sold.years, 0.0)[found.offer]
    total = found.by_group(paid)
    weighed = found.by_group(paid * old)
    return np.asarray(np.divide(weighed, total, out=np.zeros(total.shape), where=total > 0))


@dataclass(frozen=True, slots=True, eq=False)
class _Tariffs:
    """What amounts cost at every place, a month; NaN = nobody says."""

    places: Sequence[Place]
    world: World

    def __call__(self, kind: RateKind, gib: Floats) -> Floats:
        """(G, P) of each group's GiB."""
        return np.stack([charged(self.world, place, kind, gib) for place in self.places], axis=1)

    def between(self, gib: Floats, home: Ints) -> tuple[Floats, Floats]:
        """(G, P) of each group's GiB from there to its home, and from home to there."""
        inside, outside = self(RateKind.EGRESS_REGION, gib), self(RateKind.EGRESS_INTERNET, gib)
        provider = np.array([provider_key(place.provider_name) for place in self.places])
        same = provider[home][:, None] == provider
        rows = np.arange(len(gib))
        stays = home[:, None] == np.arange(len(self.places))
        to_home = np.where(same, inside, outside)
        leaving = np.where(same, inside[rows, home][:, None], outside[rows, home][:, None])
        return np.where(stays, 0.0, to_home), np.where(stays, 0.0, leaving)
