"""Where a group may be at all: providers, residency, distance, and machines that keep it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from costopt.errors import ConfigError
from costopt.model import Place
from costopt.optimize.placement import Horizon
from costopt.optimize.placement.dominance import Ints
from costopt.pricing.layer import region_key
from costopt.pricing.partitions import may_go
from costopt.pricing.places import EEA, Places, latency_ms
from costopt.registry import suggest
from costopt.rules.move.groups import Bound, Group
from costopt.rules.move.market import World
from costopt.rules.move.settings import MoveSettings
from costopt.units import provider_key

Bools = npt.NDArray[np.bool_]

ANY: Final = "any"


@dataclass(frozen=True, slots=True, eq=False)
class Board:
    """What is placed, and where it could be."""

    groups: tuple[Group, ...]
    places: tuple[Place, ...]
    home: Ints  # (G,) positions in `places`
    world: World
    settings: MoveSettings
    opened: Sequence[str] = ()  # regions that are named: they are open, whoever they are for

    @classmethod
    def of(
        cls,
        groups: tuple[Group, ...],
        world: World,
        settings: MoveSettings,
        opened: Sequence[str] = (),
    ) -> Board:
        """With every place that may be moved to or is a home, sorted.

        Args:
            opened: region ids that somebody has access to, beside those of `settings.places`.
        Raises:
            ConfigError: a setting names no place, or a provider without prices.
        """
        opened = (*opened, *settings.places)
        places = places_to(groups, world, settings, opened)
        at = {place: number for number, place in enumerate(places)}
        home = np.array([at[group.home] for group in groups], np.int64)
        return cls(groups, places, home, world, settings, opened)

    @property
    def horizon(self) -> Horizon:
        """How far ahead one looks."""
        return Horizon(self.settings.horizon_months, self.settings.yearly_rate)


class Bounds(NamedTuple):
    """(G, P) each; home is always within them."""

    resides: Bools  # residency: what people said of the machines
    near: Bools  # no farther from today's place than is borne
    free: Bools  # nothing that cannot be moved keeps it


def providers_to(groups: Sequence[Group], world: World, settings: MoveSettings) -> tuple[str, ...]:
    """Keys of the providers that may be moved to.

    Raises:
        ConfigError: one of them has no prices.
    """
    known = world.catalogue.providers()
    if ANY in settings.to:
        return known
    wanted = {provider_key(name) for name in settings.to}
    for name in sorted(wanted - set(known)):
        raise ConfigError(
            f"no prices of a provider {name!r} to move to", hint=suggest(name, [*known, ANY])
        )
    return tuple(sorted(wanted or {provider_key(group.home.provider_name) for group in groups}))


_BEYOND: Final = 2.0
"""Times what is borne: places that far away are looked at, to say what distance costs."""


def places_to(
    groups: Sequence[Group], world: World, settings: MoveSettings, opened: Sequence[str]
) -> tuple[Place, ...]:
    """Every place that may be moved to and is not out of reach of all, and every home, sorted.

    Args:
        opened: see `is_open`.
    Raises:
        ConfigError: a setting names no place.
    """
    _check(world.places, settings)
    homes = {group.home for group in groups}
    found = {
        place
        for provider in providers_to(groups, world, settings)
        for region in world.catalogue.regions(provider)
        if (place := world.places.place(provider, region))
        and (not settings.places or _within(place, settings.places, world.places))
        and any(is_open(home, place, opened) for home in homes)
        and min(latency_ms(home, place) for home in homes) <= _BEYOND * settings.most_ms
    }
    return tuple(sorted(found | homes, key=lambda one: (one.provider_name, one.region_id)))


def is_open(home: Place, place: Place, opened: Sequence[str]) -> bool:
    """Whether who runs there today would be sold machines in the other place.

    Args:
        opened: places that are named; a region among them is open, a country opens nothing.
    """
    named = {region_key(one) for one in opened}
    here, there = ((one.provider_name, one.region_id) for one in (home, place))
    return region_key(place.region_id) in named or may_go(here, there)


def _check(places: Places, settings: MoveSettings) -> None:
    told = [("places", settings.places)]
    told += [(f"residency, {key}", wanted) for key, wanted in settings.residency.items()]
    for where, wanted in told:
        for name in wanted:
            if not places.knows(name):
                raise ConfigError(
                    f"rules.move {where}: {name!r} is no region, country or continent we know",
                    hint="countries have two letters, like DE; or EU, EEA, UK, Europe",
                )


def bounds(board: Board, bound: Bound) -> Bounds:
    """Where each group may be.

    Args:
        bound: groups with a machine that cannot be moved.
    """
    places, world = board.places, board.world
    home = board.home[:, None] == np.arange(len(places))
    allowed = [
        [may_reside(group, place, world.places, board.settings) for place in places]
        for group in board.groups
    ]
    homes = {group.home for group in board.groups}
    apart = {one: [latency_ms(one, place) for place in places] for one in homes}
    near = np.array([apart[group.home] for group in board.groups]) <= board.settings.most_ms
    free = np.array([[group.name not in bound] for group in board.groups])
    # Homes of others that nobody asked for: no single reason bars them, and none is told.
    asked = _asked(board)
    return Bounds((np.array(allowed) & asked) | home, (near & asked) | home, free | home)


def _asked(board: Board) -> Bools:
    """(G, P) places of providers and regions that may be moved to, and that are open to it."""
    settings, world = board.settings, board.world
    providers = providers_to(board.groups, world, settings)
    asked = [
        provider_key(place.provider_name) in providers
        and (not settings.places or _within(place, settings.places, world.places))
        for place in board.places
    ]
    homes = {group.home for group in board.groups}
    open_ = {one: [is_open(one, place, board.opened) for place in board.places] for one in homes}
    found: Bools = np.array([open_[group.home] for group in board.groups]) & np.array(asked)
    return found


def wishes(group: Group, settings: MoveSettings) -> list[tuple[str, ...]]:
    """What is said of where its machines must be: each is a choice of places, told once."""
    found: list[tuple[str, ...]] = []
    for one in group.members:
        tags = one.resource.tags
        if value := tags.get(settings.residency_tag):
            found.append(told_places(value))
        found += [
            wanted
            for told, wanted in settings.residency.items()
            if tags.get(told.partition("=")[0]) == told.partition("=")[2]
        ]
    return list(dict.fromkeys(found))


def told_places(value: str) -> tuple[str, ...]:
    """The places of a residency tag; what names none binds as well, as a place that nothing is."""
    return tuple(part.strip() for part in value.split(",") if part.strip()) or (value,)


def may_reside(group: Group, place: Place, places: Places, settings: MoveSettings) -> bool:
    """Whether its machines may be there: by what people said of them, else by where they are."""
    said = wishes(group, settings)
    if any(not _within(place, wanted, places) for wanted in said):
        return False
    if said or settings.places:
        return True
    # Nobody said anything: personal data may be there, and the Union's law bars the way out.
    if group.home.country in EEA:
        return place.country in EEA
    return place.continent == group.home.continent


def _within(place: Place, wanted: Sequence[str], places: Places) -> bool:
    return any(places.matches(place, one) for one in wanted)
