"""What belongs together: machines of one place with one tag, in one scaling group, on one disk."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from costopt.frame.cost import resource_key
from costopt.model import Resource
from costopt.rules.groups import group_of
from costopt.rules.move.settings import MoveSettings
from costopt.units import provider_key

_NAMED: Final = 3
"""Parts of a bundle that its label names."""


@dataclass(frozen=True, slots=True, order=True)
class Key:
    """What machines that move together have in common."""

    alone: bool  # a machine of no group
    place: str  # "aws/eu-west-1", with the account
    tag: str  # "" = a scaling group's, or a machine's own
    value: str  # of the tag; a scaling group's name; a machine's id
    called: str  # the same for people

    @property
    def name(self) -> str:
        """Whole: "app=search, aws/eu-west-1"."""
        return self.value if self.alone else f"{self._tagged}, {self.place}"

    @property
    def labels(self) -> tuple[str, ...]:
        """For people, ever longer: the first that nothing else is called by will do."""
        placed = self.value if self.alone else f"{self.called} in {self.place}"
        return self.called, self._tagged if self.tag else self.called, placed, self.name

    @property
    def _tagged(self) -> str:
        return f"{self.tag}={self.value}" if self.tag else self.value


@dataclass(frozen=True, slots=True)
class Bundle:
    """One or more keys whose machines move together."""

    name: str  # whole; no other bundle's, as the next
    label: str  # for people: no longer than it takes


def key_of(resource: Resource, settings: MoveSettings) -> Key:
    """What a machine belongs to; of nothing: itself."""
    where = f"{provider_key(resource.provider_name)}/{resource.region_id or ''}"
    account = resource.sub_account_id
    place = f"{where} ({account})" if account else where
    for tag in settings.group_tags:
        if value := resource.tags.get(tag):
            return Key(False, place, tag, value, value)
    if group := group_of(resource):
        return Key(False, place, "", group, group)
    own = resource.resource_id
    return Key(True, place, "", own, resource.resource_name or own)


def bundles(
    machines: Iterable[Resource], shared: Iterable[Sequence[str]], settings: MoveSettings
) -> Mapping[str, Bundle]:
    """The bundle of each machine, by its id.

    Args:
        shared: machines that share a disk, by `resource_key`; they are tied where they are in one
            region, as no disk is in two.
    """
    keys = {one.resource_id: key_of(one, settings) for one in machines}
    by_machine = {resource_key(name): key for name, key in keys.items()}
    leads = {key: key for key in keys.values()}
    for holders in shared:
        tied = (by_machine[one] for one in holders if one in by_machine)
        for one, other in pairwise(sorted(tied, key=lambda key: (key.place, key))):
            if one.place == other.place:
                low, high = sorted((_lead(leads, one), _lead(leads, other)))
                leads[high] = low
    parts: dict[Key, list[Key]] = {}
    for key in sorted(leads):
        parts.setdefault(_lead(leads, key), []).append(key)
    found = dict(zip(parts, _labelled([tuple(one) for one in parts.values()]), strict=True))
    return {name: found[_lead(leads, key)] for name, key in keys.items()}


def _lead(leads: Mapping[Key, Key], key: Key) -> Key:
    """The first of those that a key is tied to."""
    while leads[key] != key:
        key = leads[key]
    return key


def _labelled(every: Sequence[tuple[Key, ...]]) -> list[Bundle]:
    """With the shortest labels that tell them apart."""
    steps = [[_joined([key.labels[n] for key in keys]) for n in range(4)] for keys in every]
    labels = [step[0] for step in steps]
    for n in range(1, 4):
        seen = Counter(labels)
        labels = [
            step[n] if seen[label] > 1 else label for step, label in zip(steps, labels, strict=True)
        ]
    names = _apart([" + ".join(key.name for key in keys) for keys in every])
    return [Bundle(name, label) for name, label in zip(names, _apart(labels), strict=True)]


def _apart(names: Sequence[str]) -> list[str]:
    """Those that are alike for all that (a scaling group called "app=web") with a number."""
    seen: Counter[str] = Counter()
    found = []
    for name in names:
        seen[name] += 1
        found.append(f"{name} ({seen[name]})" if seen[name] > 1 else name)
    return found


def _joined(labels: Sequence[str]) -> str:
    """Of several, the first few."""
    plain = list(dict.fromkeys(labels))
    rest = len(plain) - _NAMED
    return " + ".join(plain[:_NAMED]) + (f" and {rest} more" if rest > 0 else "")
