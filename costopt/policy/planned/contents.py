"""What one planned resource is made of: machines, disks, and what else it bills."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TypeAlias

from costopt.policy.planned.terraform import Plan, Planned, Side
from costopt.policy.planned.values import Values


@dataclass(frozen=True, slots=True)
class Machine:
    """One machine of a kind."""

    instance_type: str | None  # None = not known
    system: str = "Linux"
    gpu_model: str | None = None  # of cards added to the type; the type's own are in the catalogue
    gpu_count: int | None = 0  # likewise; None = not known
    apart: str = ""  # why it has no list price on demand: spot, dedicated, ...


@dataclass(frozen=True, slots=True)
class Disk:
    """One network disk."""

    volume_type: str | None  # None = not known
    size_gib: Decimal | None  # None = not known
    apart: str = ""  # what of it a price of its GiB does not hold: more IOPS, ...


@dataclass(frozen=True, slots=True)
class Contents:
    """Of one resource. What is in it `count` times is told once."""

    region: str | None  # None = not known
    machine: Machine | None = None
    count: Decimal | None = Decimal(1)  # None = not known
    disks: Mapping[str, Disk] = field(default_factory=dict)  # by what people call them
    others: Mapping[str, str] = field(default_factory=dict)  # what else is billed -> why no price


Reader: TypeAlias = Callable[["Seen"], Contents]


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """One side of one resource, with the plan around it."""

    planned: Planned
    values: Values
    side: Side
    plan: Plan

    def text(self, name: str) -> str | None:
        """Its own attribute, as text."""
        return self.values.text(name)

    def setting(self, name: str) -> str | None:
        """What its provider is configured with."""
        return self.plan.configuration.setting(self.planned.address, self.planned.kind, name)

    def other(self, name: str, value: str | None, kinds: tuple[str, ...]) -> Seen | None:
        """The resource that an attribute names, or is made from.

        Args:
            value: the attribute, where it is known: an id or a name.
        """
        found: Planned | None = None
        if value:
            found = next(
                (
                    one
                    for kind in kinds
                    for called in ("id", "name", "self_link")
                    if (one := self.plan.called(kind, called, value))
                ),
                None,
            )
        found = found or self.plan.referred(self.planned, name, kinds)
        values = found.values(self.side) if found else None
        return Seen(found, values, self.side, self.plan) if found and values else None


def last(path: str | None) -> str | None:
    """The last part of a name that may be a URL: zones/us-central1-a -> us-central1-a."""
    return path.rsplit("/", 1)[-1] if path else None
