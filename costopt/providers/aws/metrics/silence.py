"""Series that CloudWatch answers with nothing: from when on they are asked next time. Pure.

What was never measured, or is no more, has no samples in the lake to take up from, and would be
asked for over the whole window by each collect: a call of 60 days holds five such queries, one of
an hour 500. So what was asked in vain is noted, and asked from there on. Once a week it is asked
over the whole again, for samples that came late (an agent may send those of two weeks); and when
it speaks again, from the beginning of its silence.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

from costopt.providers.aws.metrics.plan import Unit
from costopt.providers.aws.metrics.retention import DAY
from costopt.providers.aws.metrics.targets import Place

_LAG: Final = DAY
"""Seconds: a shorter silence is asked for again, which costs a slot or some hundred in a call."""
_AGAIN: Final = 7 * DAY
_NOTE: Final = "cloudwatch in vain "
"""How the names of notes begin; account and region follow."""


class Vain(NamedTuple):
    """A range that was asked for and gave nothing; seconds since 1970."""

    since: int
    until: int
    asked: int  # when all of it was asked for


class Answer(NamedTuple):
    """What became of asking for a unit, where nothing failed."""

    since: int  # the range that was asked for
    until: int
    newest: int | None  # the end of the newest sample that came; None = none did


@dataclass(frozen=True, slots=True)
class Silence:
    """What was asked in vain, by place and `Unit.name`."""

    by_place: Mapping[Place, Mapping[str, Vain]]

    def since(self, unit: Unit, lacking: int, start: int, now: int) -> int:
        """From when on to ask: from the beginning of its silence what speaks again, as samples of
        that time may have come late, too.

        Args:
            lacking: from when on the lake lacks samples, within the window that is wanted.
            start: of that window.
        """
        vain = self.of(unit)
        if vain is None or vain.until <= start:
            return lacking
        if lacking > vain.until:
            return max(vain.since, start)
        if vain.since <= lacking and now - vain.asked < _AGAIN:
            return vain.until
        return lacking

    def after(
        self, lacking: Mapping[Unit, int], answers: Mapping[Unit, Answer], now: int
    ) -> dict[str, str]:
        """What to note for the next collect.

        Args:
            lacking: of every unit there is, from when on the lake lacked samples.
            answers: of those that were asked for; what is known of others stays.
        """
        found: dict[Place, dict[str, Vain]] = {}
        for unit, since in lacking.items():
            vain = self.of(unit)
            if unit in answers:
                vain = _vain(vain, since, answers[unit], now)
            of_place = found.setdefault(unit.place, {})
            if vain is not None:
                of_place[unit.name] = vain
        return {
            f"{_NOTE}{' '.join(place)}": json.dumps(of_place, sort_keys=True)
            for place, of_place in found.items()
            if of_place or self.by_place.get(place)
        }

    def of(self, unit: Unit) -> Vain | None:
        """What is known of one; None = it is not silent."""
        return self.by_place.get(unit.place, {}).get(unit.name)


def remembered(notes: Mapping[str, str]) -> Silence:
    """What earlier collects noted; a note that cannot be read is none."""
    by_place = {}
    for name, text in notes.items():
        if name.startswith(_NOTE):
            account, _, region = name.removeprefix(_NOTE).partition(" ")
            by_place[account, region] = _told(text)
    return Silence(by_place)


def _vain(before: Vain | None, lacking: int, answer: Answer, now: int) -> Vain | None:
    """What is silent up to the end of an answer; None = nothing to speak of."""
    if before and answer.since > lacking:  # only what was new was asked
        return before._replace(until=answer.until) if answer.newest is None else before
    since = lacking if answer.newest is None else answer.newest
    return Vain(since, answer.until, now) if answer.until - since > _LAG else None


def _told(text: str) -> dict[str, Vain]:
    try:
        return {name: Vain(*map(int, numbers)) for name, numbers in json.loads(text).items()}
    except (ValueError, TypeError, AttributeError):
        return {}
