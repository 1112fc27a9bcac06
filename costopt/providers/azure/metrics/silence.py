"""Metrics that were asked for in vain: from when on they are asked next time. Pure.

What was never measured, or is no more (disk limits of sizes that have none, machines deallocated
for weeks), has no samples in the lake to take up from, and would be asked for over the whole window
by each collect. So how far it was asked in vain is noted, and asked from there on.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

from costopt.providers.azure.metrics.retention import DAY

_LAG: Final = DAY
"""Seconds: a shorter silence is asked for again, which fits into the calls there are."""
_NOTE: Final = "azure monitor in vain "
"""How the names of notes begin; the subscription follows."""

Unit = tuple[str, str]
"""A resource and an entry: what is resumed, and broken, as a whole."""


class Answer(NamedTuple):
    """What became of asking for a unit, where nothing failed; seconds since 1970."""

    subscription: str
    since: int  # the range that was asked for
    until: int
    newest: int | None  # the end of the newest sample that came; None = none did


def remembered(notes: Mapping[str, str]) -> dict[Unit, int]:
    """Until when each unit was asked in vain; a note that cannot be read is none."""
    vain: dict[Unit, int] = {}
    for name, text in notes.items():
        if name.startswith(_NOTE):
            vain |= _told(text)
    return vain


def after(vain: Mapping[Unit, int], answers: Mapping[Unit, Answer]) -> dict[str, str]:
    """What to note for the next collect; what is known of units that were not asked for is kept.

    Args:
        vain: as remembered.
    """
    found = dict(vain)
    for unit, answer in answers.items():
        last = answer.newest if answer.newest is not None else answer.since
        silent = unit in vain and answer.newest is None
        if silent or answer.until - last > _LAG:
            found[unit] = answer.until
        else:
            found.pop(unit, None)
    touched = {answer.subscription for answer in answers.values()}
    return {_NOTE + name: _text(name, found.items()) for name in sorted(touched)}


def _text(subscription: str, vain: Iterable[tuple[Unit, int]]) -> str:
    """By moment and entry: of thousands of machines the moment is mostly the same."""
    grouped: dict[str, dict[str, list[str]]] = {}
    for (resource, entry), until in sorted(vain):
        if resource.split("/")[2:3] == [subscription]:
            grouped.setdefault(str(until), {}).setdefault(entry, []).append(resource)
    return json.dumps(grouped, sort_keys=True)


def _told(text: str) -> dict[Unit, int]:
    try:
        return {
            (str(resource), str(entry)): int(until)
            for until, entries in json.loads(text).items()
            for entry, resources in entries.items()
            for resource in resources
        }
    except (ValueError, TypeError, AttributeError):
        return {}
