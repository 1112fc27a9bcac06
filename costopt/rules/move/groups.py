"""The fleet in groups that move together (bundles.py), and what each sends, stores and costs."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final

from costopt.frame.traffic import Traffic
from costopt.model import Place, Resource, Skip
from costopt.pricing.places import Places
from costopt.rules.base import Case
from costopt.rules.move.bundles import bundles
from costopt.rules.move.settings import CODE, MoveSettings
from costopt.rules.move.subjects import Known, Subject, concerns, subject
from costopt.rules.scope import Refusal

_NOWHERE: Final[Refusal] = ("place-unknown", "where its region lies is not known")
Bound = Mapping[str, tuple[Resource, Refusal]]
"""Group -> the machine that cannot be moved, and why: it keeps the others there."""


@dataclass(frozen=True, slots=True, eq=False)
class Group:
    """Machines that stay together, sorted by id. Amounts a month, of all of them."""

    name: str  # unique: "app=search, aws/eu-west-1"
    label: str  # for people, as unique: the tag's value, the scaling group's name, or the machine's
    home: Place
    members: tuple[Subject, ...]

    @property
    def run(self) -> float:
        """What computing costs."""
        return sum(one.run for one in self.members)

    @property
    def stranded(self) -> float:
        """Of it what commitments pay for."""
        return sum(one.stranded for one in self.members)

    @property
    def stored_gib(self) -> float:
        """On its disks; NaN = of one the size is not known."""
        return sum(one.stored_gib for one in self.members)

    @property
    def sent(self) -> Traffic:
        """What the bill says that it sends."""
        return sum((one.sent for one in self.members), Traffic())

    @property
    def internal(self) -> float:
        """GiB that it sends to what is near, and one of its machines to another."""
        return sum(one.internal for one in self.members)

    @property
    def among(self) -> float:
        """GiB of `internal` that its machines may send one another, at most: no more than the
        others receive, where that is measured. How much it is, only flow logs say."""
        received = [_received(one) for one in self.members]
        others = [sum(received[:n] + received[n + 1 :]) for n in range(len(received))]
        return sum(min(one.internal, of) for one, of in zip(self.members, others, strict=True))

    @property
    def inward(self) -> float:
        """GiB that what is near sends it."""
        return sum(one.inward for one in self.members)

    def is_called(self, name: str) -> bool:
        """Whether people mean it: by its label, or a tag's value that all its machines have."""
        tags = (set(one.resource.tags.values()) for one in self.members)
        return name in {self.name, self.label, *set.intersection(*tags)}


def _received(one: Subject) -> float:
    """GiB a month from what is near; inf = it is not measured."""
    return one.inward if one.case.profile("network_in") else float("inf")


@dataclass(frozen=True, slots=True, eq=False)
class Gathered:
    """The fleet in groups, and what is in none."""

    groups: tuple[Group, ...]  # by name
    skips: tuple[Skip, ...]  # machines that cannot be placed
    bound: Bound


def gathered(
    cases: Mapping[str, Case],
    ended: Collection[str],
    known: Known,
    places: Places,
    settings: MoveSettings,
) -> Gathered:
    """Every machine that runs.

    Args:
        ended: resource ids that a plan ends: they move nowhere, and keep nobody.
    """
    machines = {
        resource_id: case
        for resource_id, case in sorted(cases.items())
        if resource_id not in ended and concerns(case)
    }
    of_each = bundles((case.resource for case in machines.values()), known.disks.shared, settings)
    found: dict[str, Group] = {}
    skips: list[Skip] = []
    bound: dict[str, tuple[Resource, Refusal]] = {}
    for resource_id, case in machines.items():
        bundle, resource = of_each[resource_id], case.resource
        home = places.place(resource.provider_name, resource.region_id or "")
        one = subject(case, known, settings) if home else _NOWHERE
        if home and isinstance(one, Subject):
            others = found[bundle.name].members if bundle.name in found else ()
            found[bundle.name] = Group(bundle.name, bundle.label, home, (*others, one))
        elif not isinstance(one, Subject):
            skips.append(Skip(resource_id, CODE, *one))
            bound.setdefault(bundle.name, (resource, one))
    return Gathered(tuple(found[name] for name in sorted(found)), tuple(skips), bound)
