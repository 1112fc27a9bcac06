"""What is said of where things may run and means nothing: else a typing error would bind nobody."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from difflib import get_close_matches

from costopt.model import Resource
from costopt.pricing.places import Places
from costopt.rules.move.bounds import told_places
from costopt.rules.move.settings import MoveSettings
from costopt.units import counted


def unmatched(
    resources: Collection[Resource], places: Places, settings: MoveSettings
) -> tuple[str, ...]:
    """A sentence on each setting that no machine has, with the nearest; and on each residency tag
    of a place that nobody knows."""
    return (
        *_stay(resources, settings),
        *_residency(resources, settings),
        *_places(resources, places, settings),
    )


def _stay(resources: Iterable[Resource], settings: MoveSettings) -> Iterator[str]:
    if not settings.stay:
        return
    texts: set[str] = set()
    for one in resources:
        texts |= {one.resource_id, one.resource_name or "", *one.tags.values()}
    for word in settings.stay:
        if word not in texts:
            yield (
                f"rules.move.stay: {word!r} is no name and no tag's value of anything, so it keeps "
                f"nothing{_nearest(word, texts)}"
            )


def _residency(resources: Iterable[Resource], settings: MoveSettings) -> Iterator[str]:
    if not settings.residency:
        return
    tags = {f"{key}={value}" for one in resources for key, value in one.tags.items()}
    for tag in sorted(set(settings.residency) - tags):
        yield f"rules.move.residency: nothing has {tag!r}, so it binds nothing{_nearest(tag, tags)}"


def _places(resources: Iterable[Resource], places: Places, settings: MoveSettings) -> Iterator[str]:
    named: dict[str, int] = {}
    for one in resources:
        for place in told_places(one.tags.get(settings.residency_tag, "")):
            named[place] = named.get(place, 0) + 1
    for place, count in sorted(named.items()):
        if place and not places.knows(place):
            yield (
                f"{counted(count, 'resource')} with {settings.residency_tag} {place!r}, which is "
                "no region, country or continent we know: nothing lies within it"
            )


def _nearest(name: str, known: Iterable[str]) -> str:
    found = get_close_matches(name, sorted(filter(None, known)), n=3)
    return f"; did you mean {' or '.join(map(repr, found))}?" if found else ""
