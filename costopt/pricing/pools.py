"""What hangs together on a bill: meters that the same commitments may cover."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeVar

Name = TypeVar("Name", bound=str)


def pools(linked: Iterable[Sequence[Name]]) -> dict[Name, Name]:
    """Of each name the first one, by order, of all that it hangs together with.

    Args:
        linked: names that hang together.
    """
    parent: dict[Name, Name] = {}

    def root(name: Name) -> Name:
        while parent[name] != name:
            parent[name] = parent[parent[name]]
            name = parent[name]
        return name

    for names in linked:
        for name in names:
            parent.setdefault(name, name)
            one, other = sorted((root(names[0]), root(name)))
            parent[other] = one
    return {name: root(name) for name in sorted(parent)}
