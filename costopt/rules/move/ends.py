"""Who is meant by the names of `talks`: groups, and what stays.

What cannot be moved (a database, another system than Linux, a machine of which nobody knows where
it is) is an end all the same. What the plan stops, or is stopped, sends nothing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from costopt.errors import ConfigError
from costopt.model import Place, Resource, is_machine, is_stopped
from costopt.pricing.places import Places
from costopt.registry import suggest
from costopt.rules import roles
from costopt.rules.base import Case
from costopt.rules.move.bounds import Board
from costopt.rules.move.bundles import key_of
from costopt.rules.move.groups import Group
from costopt.rules.move.settings import MoveSettings, Talk
from costopt.rules.move.talks import Peer, Peers
from costopt.units import provider_key


class Standing(NamedTuple):
    """What stays: what belongs together and is no group, or a machine that is in none."""

    label: str
    names: frozenset[str]  # that people call it
    machines: frozenset[str]  # and its machines, where nothing else is called so
    place: Place
    known: bool  # whether its region lies somewhere
    sends: bool  # not where all of it is stopped, or will be


def standing(
    cases: Mapping[str, Case],
    ended: Collection[str],
    groups: Sequence[Group],
    places: Places,
    settings: MoveSettings,
) -> tuple[Standing, ...]:
    """All machines and managed services that are in no group.

    Args:
        ended: resource ids that the plan stops.
    """
    members = [one.resource for group in groups for one in group.members]
    inside, taken = {one.resource_id for one in members}, {key_of(o, settings) for o in members}
    found: dict[tuple[str, str], list[Resource]] = defaultdict(list)
    for resource_id, case in sorted(cases.items()):
        resource, key = case.resource, key_of(case.resource, settings)
        machine = is_machine(resource) or roles.managed_service(resource)
        if machine and case.replicas is None and resource_id not in inside:
            # What belongs to a group goes by its own name: the group's means the group.
            own = resource_id, resource.resource_name or resource_id
            found[own if key in taken else (key.name, key.called)].append(resource)
    return tuple(_standing(*told, found[told], ended, places) for told in sorted(found))


def _standing(
    name: str, label: str, resources: list[Resource], ended: Collection[str], places: Places
) -> Standing:
    provider, region = resources[0].provider_name, resources[0].region_id or ""
    lies = places.place(provider, region)
    machines = frozenset(_names(resources))
    tags = set.intersection(*(set(one.tags.values()) for one in resources))
    return Standing(
        label=label,
        names=machines if name in machines else frozenset({name, label, *tags}),
        machines=machines,
        place=lies or Place(provider, region, "", "", np.nan, np.nan, ""),
        known=lies is not None,
        sends=any(not is_stopped(one) and one.resource_id not in ended for one in resources),
    )


def peers(board: Board, others: Sequence[Standing]) -> tuple[Peers, ...]:
    """Of each group those that it talks to, each where it is today.

    Raises:
        ConfigError: a talk names nothing that there is.
    """
    found: list[list[Peer]] = [[] for _ in board.groups]
    ends = _Ends(board, others)
    for talk in board.settings.talks:
        meant = [
            (a, b) for a in ends.called(talk.first) for b in ends.called(talk.second) if a is not b
        ]
        for a, b in meant:
            # Where a name means several, what they send is shared out evenly.
            there, back = talk.there_gib / len(meant), talk.back_gib / len(meant)
            for one, other, sends, gets in ((a, b, there, back), (b, a, back, there)):
                if isinstance(one, Group):
                    seen = ends.seen(other, one, talk)
                    found[ends.number(one)].append(replace(seen, sends=sends, gets=gets))
    return tuple(map(tuple, found))


class _Ends(NamedTuple):
    board: Board
    others: Sequence[Standing]

    def called(self, name: str) -> list[Group | Standing]:
        """All that is meant and sends; of a machine its group."""
        found: list[Group | Standing] = [g for g in self.board.groups if g.is_called(name)]
        found += [one for one in self.others if name in one.names]
        if not found:
            found += [g for g in self.board.groups if name in set(_names(_resources(g)))]
            found += [one for one in self.others if name in one.machines]
        if not found:
            every: list[Group | Standing] = [*self.board.groups, *self.others]
            raise ConfigError(
                f"rules.move talks: no group and no machine is called {name!r}",
                hint=suggest(name, sorted({o.label for o in every if o.label.isprintable()})),
            )
        return [one for one in found if isinstance(one, Group) or one.sends]

    def number(self, group: Group) -> int:
        """Its position on the board."""
        return self.board.groups.index(group)

    def seen(self, other: Group | Standing, group: Group, talk: Talk) -> Peer:
        """The other end, as the group sees it."""
        place = other.home if isinstance(other, Group) else _place(other, group)
        number = self.number(other) if isinstance(other, Group) else None
        limit = talk.most_ms or np.inf
        return Peer(other.label, number, place, 0.0, 0.0, limit, place)


def _place(other: Standing, group: Group) -> Place:
    """Where nobody knows where it is at the group's own provider: with the group, today."""
    ours = provider_key(other.place.provider_name) == provider_key(group.home.provider_name)
    return group.home if ours and not other.known else other.place


def _resources(group: Group) -> list[Resource]:
    return [one.resource for one in group.members]


def _names(resources: Iterable[Resource]) -> Iterator[str]:
    for one in resources:
        yield from filter(None, (one.resource_id, one.resource_name))
