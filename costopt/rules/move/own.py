"""Machines of one's own: which of the fleet's work they should take, and which racks to close.

Anti-pattern: machines are bought because the cloud is dear, or kept because they are paid for.
Better: as many as the fleet's measured hours fill beyond the break-even utilization, against the
best that the cloud has, with every range at the end that speaks against them; the rest stays.

For each class of onprem.toml (pricing/onprem.py): what one machine could take the place of
(own_fit.py), for how many hours that is paid (own_use.py), what stands together on one machine
(optimize/packing.py), what each saves (own_sums.py), how many pay (own_purchase.py), in words and
figures (own_told.py); and the way back (own_racks.py). A machine that several classes could take
goes to the one that saves most; the classes are asked one after the other, which need not be the
best of all ways to share them out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from types import MappingProxyType
from typing import Final

import numpy as np

from costopt.model import ActionType, Place, Recommendation, Skip, Window
from costopt.optimize.packing import pack
from costopt.pricing.onprem import PROVIDER, Site
from costopt.pricing.places import Places, latency_ms
from costopt.rules.base import Case
from costopt.rules.move.bounds import Board, may_reside, wishes
from costopt.rules.move.converted import exchanged
from costopt.rules.move.fleet import Moves
from costopt.rules.move.groups import Group
from costopt.rules.move.own_answer import Answer
from costopt.rules.move.own_fit import Kind
from costopt.rules.move.own_purchase import chosen
from costopt.rules.move.own_racks import Racks, Standing
from costopt.rules.move.own_racks_told import note
from costopt.rules.move.own_sums import Candidate, Costs, Rack, candidate
from costopt.rules.move.own_told import advice, skips
from costopt.rules.move.own_use import Floats, Paid, Use, uses
from costopt.rules.move.subjects import Known, Subject
from costopt.rules.scope import Refusal

__all__ = ["Answer", "Owned", "joined", "own_machines", "site_place"]

_MOVES: Final = (ActionType.MOVE_REGION, ActionType.MOVE_PROVIDER)


@dataclass(frozen=True, slots=True, eq=False)
class Owned:
    """What every class is worth."""

    recommendations: tuple[Recommendation, ...]  # one a machine that is to go, by resource
    skips: tuple[Skip, ...]  # machines that a class could take, and that stay
    answers: tuple[Answer, ...]  # by class, in the order of their names
    racks: tuple[Racks, ...]  # of the classes of which machines are owned already
    notes: tuple[str, ...]
    currency: str  # of the bill, and of every amount here
    rates: tuple[str, ...] = ()  # in words, by which the file's amounts were converted


def own_machines(
    found: Moves,
    site: Site,
    paid: Mapping[str, Paid],
    window: Window,
    *,
    cases: Mapping[str, Case] = MappingProxyType({}),
    known: Known | None = None,
) -> Owned:
    """What machines of one's own should take over, and which of those owned are to be closed.

    Args:
        found: where everything should run in the cloud: own machines must beat that.
        paid: by `provider_key`: for which hours each machine is paid.
        cases: of every resource, to find what runs on owned machines.
        known: what is known beside the cases; None = owned machines are not looked at.
    """
    if not found.grounds:
        return _none("nothing that runs could be compared with own machines", "")
    board = found.grounds[0].board
    world = board.world
    factor = world.rate(site.currency)
    if factor is None:
        return _none(
            f"own machines are priced in {site.currency}, and what that is worth in "
            f"{world.currency} is not known",
            world.currency,
        )
    asked = _Asked(found, site, board, window.end.date(), factor, _use_of_each(found, paid))
    answers = _shared_out(asked)
    gone = [one for answer in answers for one in advice(answer, window)]
    away = {one.resource_id for one in gone}
    place = site_place(site, board.world.places)
    standing = (
        Standing(site, place, factor, cases, known, board, window.end).racks() if known else ()
    )
    rates = tuple(exchanged(world, site.currency, window.end))
    return Owned(
        recommendations=tuple(sorted(gone, key=lambda one: one.resource_id)),
        skips=_first_of_each([skip for answer in answers for skip in skips(answer)], away),
        answers=answers,
        racks=standing,
        notes=(
            *_notes(site, answers),
            *(note(one, world.currency) for one in standing),
            *rates,
        ),
        currency=world.currency,
        rates=rates,
    )


def _none(why: str, currency: str) -> Owned:
    return Owned((), (), (), (), (why,), currency)


def joined(found: Moves, own: Owned) -> Moves:
    """The moves with those to machines of one's own in the place of what they better."""
    away = {one.resource_id for one in own.recommendations}
    kept = [one for one in found.recommendations if one.resource_id not in away]
    advised = away | {one.resource_id for one in kept}
    told = {skip.resource_id for skip in own.skips} - advised
    return replace(
        found,
        recommendations=tuple(
            sorted([*kept, *own.recommendations], key=lambda one: one.resource_id)
        ),
        skips=(
            *(skip for skip in found.skips if skip.resource_id not in away),
            *(skip for skip in own.skips if skip.resource_id in told),
        ),
        fits=tuple(one for one in found.fits if one.resource_id not in away | told),
    )


def site_place(site: Site, places: Places) -> Place | None:
    """Where it stands; None = the file does not tell country and coordinates."""
    if site.country is None or site.latitude is None or site.longitude is None:
        return None
    continent = places.continent(site.country) or ""
    return Place(
        PROVIDER, site.name, site.country, continent, site.latitude, site.longitude, "onprem.toml"
    )


# -- which machines ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class _Asked:
    """What every class is asked about."""

    found: Moves
    site: Site
    board: Board
    as_of: date
    factor: float  # of the file's currency in the bill's
    use: Mapping[str, Use]  # by resource id

    def answer(self, name: str, taken: set[str]) -> Answer:
        """What the class is worth for what no other has taken."""
        kind = Kind.of(self.site, name, self.board.world.facts)
        settings = self.board.settings
        costs = Costs.of(self.site, name, self.factor, settings.price_drift_percent)
        could, refused = self._candidates(kind, taken)
        packed = pack(
            [one.share for one in could],
            [one.use.expected for one in could],
        )
        racks = [Rack(tuple(could[n] for n in one), costs) for one in packed.machines]
        best = chosen(racks, costs, kind.told, settings, self.board.horizon)
        return Answer(kind, self.site, self.board, self.as_of, costs, best, packed, refused)

    def _candidates(
        self, kind: Kind, taken: set[str]
    ) -> tuple[list[Candidate], dict[str, Refusal]]:
        place = site_place(self.site, self.board.world.places)
        saved = {
            one.resource_id: float(one.estimated_monthly_savings.target)
            for one in self.found.recommendations
            if one.action_type in _MOVES
        }
        could: list[Candidate] = []
        refused: dict[str, Refusal] = {}
        for group, one in _members(self.found):
            resource_id = one.resource.resource_id
            share = None if resource_id in taken else kind.shares(one)
            if share is None:
                continue
            made: Candidate | Refusal
            if isinstance(share, tuple):
                made = share
            else:
                left = saved.get(resource_id, 0.0)
                made = self._barred(group, place) or self._priced(group, one, share, left)
            if isinstance(made, Candidate):
                could.append(made)
            else:
                refused[resource_id] = made
        return could, refused

    def _priced(
        self, group: Group, one: Subject, share: Floats, saved: float
    ) -> Candidate | Refusal:
        use = self.use[one.resource.resource_id]
        if one.hours <= 0 or one.run <= saved or use.expected <= 0:
            return "own-nothing-paid", "its computing costs nothing"
        made = candidate(one, group, share, use=use, world=self.board.world, saved=saved)
        if np.isnan(sum(made.once(self.board.settings, self.board.horizon)) + made.traffic):
            return (
                "own-data-unknown",
                "how much it stores, or what that costs to leave, is not known",
            )
        return made

    def _barred(self, group: Group, place: Place | None) -> Refusal | None:
        """Why its group may not be there."""
        settings, places = self.board.settings, self.board.world.places
        if place is None:
            if wanted := wishes(group, settings):
                words = " and ".join(", ".join(one) for one in wanted)
                return "residency", (
                    f"it must stay within {words}, and the file does not tell where it would stand "
                    "(country, latitude, longitude)"
                )
            return None
        if not may_reside(group, place, places, settings):
            return "residency", f"it must not run in {place.country}"
        apart = latency_ms(group.home, place)
        if apart > settings.most_ms:
            return "too-far", (
                f"{self.site.name} is {apart:.0f} ms away, farther than most_ms = "
                f"{settings.most_ms:g} allows"
            )
        return None


def _members(found: Moves) -> list[tuple[Group, Subject]]:
    return [(ground.group, one) for ground in found.grounds for one in ground.group.members]


def _use_of_each(found: Moves, paid: Mapping[str, Paid]) -> dict[str, Use]:
    every = [one for _, one in _members(found)]
    return {
        one.resource.resource_id: use for one, use in zip(every, uses(every, paid), strict=True)
    }


def _shared_out(asked: _Asked) -> tuple[Answer, ...]:
    """The class that saves most first; what it takes, the others are not asked about."""
    names, taken = sorted(asked.site.classes), set[str]()
    done: dict[str, Answer] = {}
    while len(done) < len(names):
        open_ = [asked.answer(name, taken) for name in names if name not in done]
        best = max(open_, key=lambda one: one.bought.present_low)
        if not best.taken:
            done |= {one.kind.name: one for one in open_}
            break
        done[best.kind.name] = best
        taken |= {one.subject.resource.resource_id for rack in best.taken for one in rack.members}
    return tuple(done[name] for name in names)


def _first_of_each(told: Sequence[Skip], away: set[str]) -> tuple[Skip, ...]:
    found: dict[str, Skip] = {}
    for skip in told:
        if skip.resource_id not in away:
            found.setdefault(skip.resource_id, skip)
    return tuple(found[key] for key in sorted(found))


def _notes(site: Site, answers: Sequence[Answer]) -> list[str]:
    found = []
    if site.country is None or site.latitude is None:
        found.append(
            "where own machines would stand is not told (country, latitude, longitude): residency "
            "and distance were not looked at"
        )
    return found + [note for answer in answers for note in answer.notes]
