"""A weekly plan as what schedulers take: changes at a time of some weekdays, runs of one level,
and what differs on single dates."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from typing import Final, NamedTuple

from costopt.model.week import Change, DayPlan, WeekPlan
from costopt.report.artefacts.schedules import clock
from costopt.units import MINUTES_PER_DAY

_DAY: Final = timedelta(days=1)
MINUTES_PER_WEEK: Final = 7 * MINUTES_PER_DAY


class Firing(NamedTuple):
    """At that minute of those weekdays, the level becomes that."""

    weekdays: tuple[int, ...]  # ascending, 0 = Monday
    minute: int  # of the day
    level: int


class Run(NamedTuple):
    """From that minute of those weekdays on, for so long, that level."""

    weekdays: tuple[int, ...]  # on which it starts; ascending, 0 = Monday
    minute: int
    minutes: int  # how long, by the wall clock
    level: int


class Period(NamedTuple):
    """How long a firing recurs: between the two dates, both of which it leaves out."""

    after: date | None  # None: from now on
    before: date | None  # None: for ever


class Once(NamedTuple):
    """At that moment of the wall clock (naive), once, the level becomes that."""

    at: datetime
    level: int


class Stretch(NamedTuple):
    """A level that a single date has from one moment of the wall clock (naive) to another."""

    start: datetime
    end: datetime
    level: int


def firings(plan: WeekPlan, year: int) -> tuple[Firing, ...]:
    """Every change of the week, alike ones on several weekdays in one; in the order of the day.

    A change in an hour that clocks leave out would be lost until the next one. So where a zone has
    such hours, the change is said again at the hour's end, every week: that it is said twice does
    no harm.
    """
    return grouped([*plan.changes(), *_said_again(plan, year)])


def grouped(changes: Iterable[Change]) -> tuple[Firing, ...]:
    """Changes of one time and level in one firing."""
    days: dict[tuple[int, int], list[int]] = {}
    for weekday, minute, level in changes:
        days.setdefault((minute, level), []).append(weekday)
    return tuple(Firing(tuple(sorted(on)), *key) for key, on in sorted(days.items()))


def runs(plan: WeekPlan, above: int) -> tuple[Run, ...]:
    """Every stretch of one level above that one; together with `above` they are the week.

    A week all above it is no run with a start: an empty answer.
    """
    days: dict[tuple[int, int, int], list[int]] = {}
    changes = plan.changes()
    for number, (weekday, minute, level) in enumerate(changes):
        following = changes[(number + 1) % len(changes)]
        if level > above:
            minutes = (_of_week(following) - _of_week(changes[number])) % MINUTES_PER_WEEK
            days.setdefault((minute, minutes, level), []).append(weekday)
    return tuple(Run(tuple(sorted(on)), *key) for key, on in sorted(days.items()))


def lost_changes(plan: WeekPlan, year: int) -> tuple[Change, ...]:
    """The changes at a time that clocks leave out at some change-over, and that no later change of
    the same hour's end makes up for."""
    return tuple(before for before, _ in _left_out(plan, year))


def periods(firing: Firing, days: Iterable[DayPlan], today: date) -> list[Period]:
    """When a firing recurs so that it leaves the single dates alone; only where it ever fires."""
    blocked = [one.day for one in days if one.day.weekday() in firing.weekdays]
    found, after = [], None
    for day in blocked:
        if _fires_between(firing, after or today - _DAY, day):
            found.append(Period(after, day))
        after = day
    return [*found, Period(after, None)]


def first_after(firing: Firing, day: date) -> datetime:
    """The wall clock's moment of a firing's first time after that date."""
    following = next(
        on for ahead in range(1, 8) if (on := day + ahead * _DAY).weekday() in firing.weekdays
    )
    return at_minute(following, firing.minute)


def once(plan: WeekPlan) -> tuple[Once, ...]:
    """The changes that single dates bring, and the way back to the week after them.

    They stand beside the week's firings where these leave the dates alone (`periods`).
    """
    own = {one.day for one in plan.days}
    found = []
    for one in plan.days:
        found += _within(plan, one)
        after = one.day + _DAY
        if after not in own:
            back = plan.of_weekday(after.weekday())[0]
            weekly = plan.of_weekday(one.day.weekday())[-1] != back  # a firing of the week says it
            if one.levels[-1] != back and not weekly:
                found.append(Once(at_minute(after, 0), back))
    return tuple(found)


def stretches(plan: WeekPlan, one: DayPlan) -> tuple[Stretch, ...]:
    """A single date's levels, each from when to when."""
    starts = [slot for slot in range(len(one.levels)) if _starts(one.levels, slot)]
    ends = [*starts[1:], len(one.levels)]
    return tuple(
        Stretch(
            at_minute(one.day, start * plan.slot_minutes),
            at_minute(one.day, end * plan.slot_minutes),
            one.levels[start],
        )
        for start, end in zip(starts, ends, strict=True)
    )


def at_minute(day: date, minute: int) -> datetime:
    """The wall clock's moment (naive) at that minute of the date; 1440 is the next midnight."""
    return datetime.combine(day, time()) + timedelta(minutes=minute)


def _starts(levels: tuple[int, ...], slot: int) -> bool:
    return slot == 0 or levels[slot] != levels[slot - 1]


def _within(plan: WeekPlan, one: DayPlan) -> list[Once]:
    """The changes from that date's midnight on."""
    found = []
    before = _level_before(plan, one.day)
    for start, _, level in stretches(plan, one):
        if level != before:
            found.append(Once(start, level))
        before = level
    return found


def _level_before(plan: WeekPlan, day: date) -> int:
    eve = day - _DAY
    own = next((one.levels for one in plan.days if one.day == eve), None)
    return (plan.of_weekday(eve.weekday()) if own is None else own)[-1]


def _fires_between(firing: Firing, first: date, last: date) -> bool:
    return first_after(firing, first).date() < last


def _said_again(plan: WeekPlan, year: int) -> list[Change]:
    return [again for _, again in _left_out(plan, year)]


def _left_out(plan: WeekPlan, year: int) -> list[tuple[Change, Change]]:
    """The last change of each hour that clocks leave out, and the same at the hour's end; not where
    another change comes there."""
    changes = plan.changes()
    taken = {(one.weekday, one.minute) for one in changes}
    found = []
    for weekday, first, until in clock.skipped(plan.time_zone, year):
        within = [one for one in changes if one.weekday == weekday and first <= one.minute < until]
        days, minute = divmod(until, MINUTES_PER_DAY)
        end = ((weekday + days) % 7, minute)
        if within and end not in taken:
            found.append((within[-1], Change(*end, within[-1].level)))
    return found


def _of_week(change: Change) -> int:
    return change.weekday * MINUTES_PER_DAY + change.minute
