"""The resource that a person means by an id or a name."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Final

from costopt.errors import ConfigError
from costopt.model import Resource, is_machine
from costopt.report.safe import terminal

_SHOWN: Final = 5


def resource_named(resources: Mapping[str, Resource], wanted: str) -> Resource:
    """The resource of that id, or the only one of that name; letters' case does not matter.

    Raises:
        ConfigError: there is none, with the nearest; or there are several, with their ids.
    """
    if wanted in resources:
        return resources[wanted]
    plain = _plain(wanted)
    called: dict[str, list[Resource]] = {}
    for resource in resources.values():
        for name in {_plain(resource.resource_id), _plain(resource.resource_name or "")} - {""}:
            called.setdefault(name, []).append(resource)
    found = called.get(plain, [])
    if len(found) > 1:  # a machine and its disk often share a name: the machine is meant
        found = [resource for resource in found if is_machine(resource)] or found
    if len(found) == 1:
        return found[0]
    if found:
        ids = ", ".join(terminal(resource.resource_id) for resource in found[:_SHOWN])
        more = f" and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
        raise ConfigError(
            f"{len(found)} resources are named {terminal(wanted)!r}", hint=f"say which: {ids}{more}"
        )
    nearest = get_close_matches(plain, called, n=3)
    hint = f"did you mean {', '.join(nearest)}?" if nearest else "costopt profile lists them all"
    raise ConfigError(f"no resource has the id or name {terminal(wanted)!r}", hint=hint)


def _plain(text: str) -> str:
    return terminal(text).casefold()
