"""A weekly plan in words: `Mon-Fri 07:30-19:00; Sat, Sun 09:00-12:00`, or of a group how many."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Final

from costopt.model.week import WEEKDAYS, WeekPlan

_MOST_STEPS: Final = 4
"""A day that changes more often is told by its least and its most: the levels have the rest."""
_MOST_KINDS: Final = 3
"""So is every day of a group whose week has more kinds of days."""


def in_words(plan: WeekPlan) -> str:
    """When it runs, days that are alike together, the earliest first; days on which nothing runs
    are left away.

    A machine, and a group that is on or off: `Mon-Fri 07:30-19:00`, `daily 22:00-06:00`, `at all
    hours`, `never`. A group: `Mon-Fri 2 until 07:00, 5 until 19:00, then 2; Sat, Sun 2`; where
    that would be long, `Mon-Fri 2 to 9`.
    """
    if len(set(plan.levels)) == 1:
        return _always(plan.levels[0])
    days = [plan.of_weekday(weekday) for weekday in range(7)]
    kinds = len(set(days))
    if max(plan.levels) == 1:
        told = [_hours(levels, whole_week=kinds == 1) for levels in days]
    else:
        told = [_counts(levels, short=kinds > _MOST_KINDS) for levels in days]
    alike: dict[str, list[int]] = {}
    for weekday, text in enumerate(told):
        alike.setdefault(text, []).append(weekday)
    return "; ".join(f"{_days(weekdays)} {text}" for text, weekdays in alike.items() if text)


def _always(level: int) -> str:
    if not level:
        return "never"
    return "at all hours" if level == 1 else f"{level} at all hours"


def _days(weekdays: Sequence[int]) -> str:
    return "daily" if len(weekdays) == len(WEEKDAYS) else spans(weekdays, WEEKDAYS, ", ")


def spans(values: Sequence[int], names: Sequence[str], between: str = ",") -> str:
    """Ascending values by their names, three or more in a row as a span: 1-5, or 0,6."""
    parts: list[list[int]] = []
    for value in values:
        if parts and value == parts[-1][-1] + 1:
            parts[-1].append(value)
        else:
            parts.append([value])
    return between.join(
        f"{names[part[0]]}-{names[part[-1]]}"
        if len(part) > 2
        else between.join(names[value] for value in part)
        for part in parts
    )


def _hours(levels: Sequence[int], *, whole_week: bool) -> str:
    """`07:30-19:00`, `00:00-02:00 and 22:00-24:00`, `all day`; "" where it is off all day.

    Args:
        whole_week: every day is so, and a night is told as one: `22:00-02:00`.
    """
    if all(levels):
        return "all day"
    on = [(begin, end) for begin, end, level in _runs(levels) if level]
    if whole_week and levels[0] and levels[-1]:
        (_, morning), *between, (evening, _) = on
        on = [*between, (evening, morning)]
    return " and ".join(f"{_time(begin, levels)}-{_time(end, levels)}" for begin, end in on)


def _counts(levels: Sequence[int], *, short: bool) -> str:
    """`2 until 07:00, 5 until 19:00, then 2`; in short, or of many steps, `2 to 5`."""
    runs = list(_runs(levels))
    if len(runs) == 1:
        return f"{levels[0]}"
    if short or len(runs) > _MOST_STEPS + 1:
        return f"{min(levels)} to {max(levels)}"
    until = [f"{level} until {_time(end, levels)}" for _, end, level in runs[:-1]]
    return f"{', '.join(until)}, then {runs[-1][2]}"


def _runs(levels: Sequence[int]) -> Iterator[tuple[int, int, int]]:
    """Slots alike in a row: first, one after the last, their level."""
    first = 0
    for level, same in groupby(levels):
        end = first + len(list(same))
        yield first, end, level
        first = end


def _time(slot: int, levels: Sequence[int]) -> str:
    hour, minute = divmod(slot * 24 * 60 // len(levels), 60)
    return f"{hour:02d}:{minute:02d}"
