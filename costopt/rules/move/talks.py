"""What groups and what stays send each other, and what that costs with each at its place.

A GiB costs what leaves the place that sends it: across regions, or over the internet to another
provider. What it costs is a matter of both ends. Where one goes and the other stays, all that
changes is on the one that goes; where both go, each bears its part of what they send. So what is
told of groups adds up.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from costopt.model import Place, RateKind
from costopt.optimize.placement import Talk as Pairs
from costopt.optimize.placement.dominance import Floats, Ints
from costopt.optimize.placement.fleet import connected
from costopt.pricing.layer import region_key
from costopt.pricing.places import latency_ms
from costopt.rules.move.market import World, charged
from costopt.units import provider_key

_GIB: Final = 1000.0
"""What the price of one GiB is taken from: what is free at first is not free."""


@dataclass(frozen=True, slots=True)
class Peer:
    """The other end of a talk, as one group sees it. GiB a month."""

    label: str
    number: int | None  # of the group that it is; None = it stays
    now: Place
    sends: float  # the group to it
    gets: float  # the group from it
    most_ms: float  # round trip that they bear; inf = any
    then: Place  # where it is to be
    share: float = 1.0  # of what their talk costs: what is on the group


Peers = Sequence[Peer]


def same(a: Place, b: Place) -> bool:
    """Whether they are one region."""
    return _key(a) == _key(b)


def _key(place: Place) -> tuple[str, str]:
    return provider_key(place.provider_name), region_key(place.region_id)


def settled(
    peers: Sequence[Peers], places: Sequence[Place], home: Ints, chosen: Ints
) -> tuple[Peers, ...]:
    """Every group's peers with each where it is to be."""
    goes = chosen != home
    return tuple(
        tuple(
            peer
            if peer.number is None
            else replace(
                peer,
                then=places[int(chosen[peer.number])],
                share=_share(peer) if goes[number] and goes[peer.number] else 1.0,
            )
            for peer in of_it
        )
        for number, of_it in enumerate(peers)
    )


def _share(peer: Peer) -> float:
    both = peer.sends + peer.gets
    return peer.sends / both if both else 1.0


def together(peers: Sequence[Peers], goes: Sequence[bool]) -> list[tuple[int, ...]]:
    """Of each group the others that talk to it, go as well, and would not without one another."""
    ties = [
        np.array([number, peer.number])
        for number, of_it in enumerate(peers)
        for peer in of_it
        if peer.number is not None and goes[number] and goes[peer.number]
    ]
    found: list[tuple[int, ...]] = [()] * len(peers)
    for part in connected(len(peers), ties):
        for number in part.tolist():
            found[number] = tuple(other for other in part.tolist() if other != number)
    return found


@dataclass(frozen=True, slots=True)
class Told:
    """What is told of a group's talks, by where it shows today; GiB a month."""

    near: float  # sent to its own region
    regions: float  # to others of its provider
    internet: float  # to other providers
    inward: float  # that its own region sends it


def told(peers: Peers, home: Place) -> Told:
    """What the group's bill and metrics have of it."""
    provider = provider_key(home.provider_name)
    near = [peer for peer in peers if same(peer.now, home)]
    abroad = [peer for peer in peers if not same(peer.now, home)]
    inside = [p for p in abroad if provider_key(p.now.provider_name) == provider]
    outside = [p for p in abroad if provider_key(p.now.provider_name) != provider]
    return Told(
        near=sum(peer.sends for peer in near),
        regions=sum(peer.sends for peer in inside),
        internet=sum(peer.sends for peer in outside),
        inward=sum(peer.gets for peer in near),
    )


# -- what it costs -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Fares:
    """What a GiB costs from one place to another."""

    leaving: dict[tuple[str, str], tuple[float, float]]  # to another region, to the internet
    dearest: tuple[float, float]  # of the same, known: for places where nobody says

    @classmethod
    def of(cls, places: Sequence[Place], world: World) -> Fares:
        """Of all places that are asked for."""
        found = {_key(one): (_price(one, RateKind.EGRESS_REGION, world),
                             _price(one, RateKind.EGRESS_INTERNET, world))
                 for one in places}  # fmt: skip
        regions, internet = np.nanmax([*found.values(), (0.0, 0.0)], axis=0).tolist()
        return cls(found, (regions, internet))

    def __call__(self, here: Place, there: Place) -> float:
        """From here to there; what nobody says costs as much as the dearest known."""
        if same(here, there):
            return 0.0
        out = provider_key(here.provider_name) != provider_key(there.provider_name)
        price = self.leaving[_key(here)][out]
        return self.dearest[out] if np.isnan(price) else price

    def both(self, peer: Peer, here: Place, there: Place) -> float:
        """A month of the talk, with the group here and its peer there."""
        return peer.sends * self(here, there) + peer.gets * self(there, here)


def _price(place: Place, kind: RateKind, world: World) -> float:
    return float(charged(world, place, kind, np.array([_GIB]))[0]) / _GIB


def fares(places: Sequence[Place], peers: Sequence[Peers], world: World) -> Fares:
    """Among these places and wherever the peers are."""
    theirs = (place for of_it in peers for peer in of_it for place in (peer.now, peer.then))
    return Fares.of([*places, *theirs], world)


def monthly(
    peers: Peers, places: Sequence[Place], home: Place, target: Place | None, price: Fares
) -> Floats:
    """(P,) what a group's talks cost it a month at every place, its peers where they are to be.

    Args:
        peers: settled.
        target: where it goes; None = it stays. Of one that goes, at home is what they cost today.
    """
    found = np.zeros(len(places))
    at_home = np.array([same(one, home) for one in places])
    for peer in peers:
        each = np.array([price.both(peer, one, peer.then) for one in places])
        if target is not None:
            # What is on its peer is on it whatever the group does.
            theirs = (1 - peer.share) * price.both(peer, target, peer.then)
            each = np.maximum(0.0, each - theirs)
            each[at_home] = peer.share * price.both(peer, home, peer.now)
        found += each
    return found


# -- for the search ------------------------------------------------------------------------------


def pairs(
    peers: Sequence[Peers], places: Sequence[Place], price: Fares, *, paid: float, off: float
) -> Pairs | None:
    """Groups that talk to groups.

    Args:
        paid: present worth of 1 a month.
        off: the share by which prices may be off the wrong way.
    """
    found = [
        (number, peer.number, peer)
        for number, of_it in enumerate(peers)
        for peer in of_it
        if peer.number is not None and number < peer.number
    ]
    if not found:
        return None
    first, second, each = zip(*found, strict=True)
    return Pairs(
        first=np.array(first, np.int64),
        second=np.array(second, np.int64),
        there_gib=np.array([peer.sends for peer in each]),
        back_gib=np.array([peer.gets for peer in each]),
        most_ms=np.array([peer.most_ms for peer in each]),
        traffic=np.array([[price(a, b) for b in places] for a in places]) * paid,
        latency_ms=np.array([[latency_ms(a, b) for b in places] for a in places]),
        off=off,
    )


def with_standing(peers: Peers, places: Sequence[Place], home: Place, price: Fares) -> Floats:
    """(P,) what its talks with what stays cost a group a month; inf = too far from it."""
    found = np.zeros(len(places))
    for peer in peers:
        if peer.number is None:
            each = np.array([price.both(peer, one, peer.now) for one in places])
            near = np.array([within(peer, one, peer.now) for one in places])
            near |= np.array([same(one, home) for one in places])
            found += np.where(near, each, np.inf)
    return found


def within(peer: Peer, here: Place, there: Place) -> bool:
    """Whether the round trip is one that they bear; what is not known is too long."""
    return bool(np.isposinf(peer.most_ms) or latency_ms(here, there) <= peer.most_ms)
