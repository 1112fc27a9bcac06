"""A week's stretches above its floor for schedulers that count seconds, which know no wall clock.

A stretch of eight hours through the night in which clocks go back ends an hour early by the wall
clock. So it is cut where they do: its first part lasts as much longer, into the second. One that
starts in an hour that clocks leave out may never start in that week: the rest of it stands there
once more. Pieces of one level that overlap are the stretch again.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from costopt.model.week import WeekPlan
from costopt.report.artefacts.schedules import clock
from costopt.report.artefacts.schedules.timetable import MINUTES_PER_WEEK, Run, runs
from costopt.units import MINUTES_PER_DAY


class _Piece(NamedTuple):
    start: int  # minute of the week
    minutes: int
    level: int


def pieces(plan: WeekPlan, above: int, year: int) -> tuple[Run, ...]:
    """The stretches above that level, cut; alike ones on several weekdays in one."""
    days: dict[tuple[int, int, int], set[int]] = {}
    for whole in _single(plan, above):
        for cut in _cut_back(whole, plan.time_zone, year):
            for piece in _said_again(cut, plan.time_zone, year):
                weekday, minute = divmod(piece.start % MINUTES_PER_WEEK, MINUTES_PER_DAY)
                days.setdefault((minute, piece.minutes, piece.level), set()).add(weekday)
    return tuple(Run(tuple(sorted(on)), *key) for key, on in sorted(days.items()))


def _single(plan: WeekPlan, above: int) -> Iterator[_Piece]:
    for weekdays, minute, minutes, level in runs(plan, above):
        for weekday in weekdays:
            yield _Piece(weekday * MINUTES_PER_DAY + minute, minutes, level)


def _cut_back(piece: _Piece, time_zone: str, year: int) -> Iterator[_Piece]:
    """The piece, cut wherever within it clocks go back."""
    cuts: dict[int, int] = {}  # minute of the piece -> how far they go back
    for at, minutes in clock.changeovers(time_zone, year):
        within = (_of_week(at.weekday(), at.hour, at.minute) - piece.start) % MINUTES_PER_WEEK
        if minutes < 0 and 0 < within < piece.minutes:
            cuts[within] = max(cuts.get(within, 0), -minutes)
    starts = [0, *sorted(cuts)]
    for start, end in zip(starts, [*starts[1:], piece.minutes], strict=True):
        until = min(end + cuts.get(end, 0), piece.minutes)
        yield _Piece(piece.start + start, until - start, piece.level)


def _said_again(piece: _Piece, time_zone: str, year: int) -> Iterator[_Piece]:
    """The piece, and what is left of it at the end of an hour left out in which it starts."""
    yield piece
    for weekday, first, until in clock.skipped(time_zone, year):
        into = (piece.start - (weekday * MINUTES_PER_DAY + first)) % MINUTES_PER_WEEK
        left = until - first - into
        if 0 < left < piece.minutes:
            yield _Piece(piece.start + left, piece.minutes - left, piece.level)


def _of_week(weekday: int, hour: int, minute: int) -> int:
    return weekday * MINUTES_PER_DAY + hour * 60 + minute
