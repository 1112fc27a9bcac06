"""Disks by what they are attached to: how much each machine stores, and which share one.

A disk of several machines (a cluster's, `multi-attach`) is in one place, so they move together; it
counts once, in equal parts.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np

from costopt.frame.cost import resource_key
from costopt.model import Resource, is_stopped


@dataclass(frozen=True, slots=True)
class Disks:
    """Machines are called by `resource_key`."""

    stored: Mapping[str, float]  # GiB, its part of those that it shares; NaN = not told
    shared: tuple[tuple[str, ...], ...]  # machines of one disk, where they are several

    @classmethod
    def of(cls, resources: Mapping[str, Resource], ended: Collection[str]) -> Disks:
        """From the inventory.

        Args:
            ended: ids of machines that a plan ends: like stopped ones they hold no part of what
                others hold as well.
        """
        gone = {resource_key(one.resource_id) for one in resources.values() if is_stopped(one)}
        gone |= {resource_key(one) for one in ended}
        stored: dict[str, float] = {}
        shared: set[tuple[str, ...]] = set()
        for disk in resources.values():
            every = _holders(disk)
            holders = [one for one in every if one not in gone] or every
            size = disk.attributes.get("size_gib")
            for one in holders:
                part = float(size) / len(holders) if size else np.nan
                stored[one] = stored.get(one, 0.0) + part
            if len(holders) > 1:
                shared.add(tuple(holders))
        return cls(stored, tuple(sorted(shared)))


def _holders(disk: Resource) -> list[str]:
    names = (name.strip() for name in disk.attributes.get("attached_to", "").split(","))
    return sorted({resource_key(name) for name in names if name})
