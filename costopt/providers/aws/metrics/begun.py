"""From when on each series was asked for, so that more days fetch what is before it. Pure.

The lake says up to when it holds samples of a series, not from when on they were asked for.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from costopt.providers.aws.metrics.plan import Unit
from costopt.providers.aws.metrics.targets import Place

_NOTE: Final = "cloudwatch asked from "
"""How the names of notes begin; account and region follow."""
_OTHERS: Final = ""
"""What all are called that a note does not name."""


@dataclass(frozen=True, slots=True)
class Begun:
    """From when on what the lake holds was asked for, seconds since 1970: by place, and there by
    `Unit.name`, by resource where its units agree, or of all others."""

    by_place: Mapping[Place, Mapping[str, int]]

    def of(self, unit: Unit, otherwise: int) -> int:
        """
        Args:
            otherwise: what to take it for where nothing was noted (the collect was killed).
        """
        told = self.by_place.get(unit.place, {})
        names = (unit.name, unit.resource_id, _OTHERS)
        return next((told[name] for name in names if name in told), otherwise)


def remembered(notes: Mapping[str, str]) -> Begun:
    """What earlier collects noted; a note that cannot be read is none."""
    by_place = {}
    for name, text in notes.items():
        if name.startswith(_NOTE):
            account, _, region = name.removeprefix(_NOTE).partition(" ")
            by_place[account, region] = _told(text)
    return Begun(by_place)


def noted(since: Mapping[Unit, int]) -> dict[str, str]:
    """What to note for the next collect, of every unit there is.

    The latest moment stands for all that are not named: what a failure hides this time is at worst
    asked for anew.
    """
    places: dict[Place, dict[str, dict[str, int]]] = {}
    for unit, moment in since.items():
        places.setdefault(unit.place, {}).setdefault(unit.resource_id, {})[unit.name] = moment
    return {
        f"{_NOTE}{' '.join(place)}": json.dumps(_short(resources), sort_keys=True)
        for place, resources in places.items()
    }


def _short(resources: Mapping[str, Mapping[str, int]]) -> dict[str, int]:
    latest = max(moment for units in resources.values() for moment in units.values())
    found = {_OTHERS: latest}
    for resource, units in resources.items():
        moments = set(units.values())
        if len(moments) > 1:
            found |= units
        elif moments != {latest}:
            found[resource] = moments.pop()
    return found


def _told(text: str) -> dict[str, int]:
    try:
        return {name: int(moment) for name, moment in json.loads(text).items()}
    except (ValueError, TypeError, AttributeError):
        return {}
