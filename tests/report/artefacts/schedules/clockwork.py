"""What schedulers would do: small ones of our own, each moment by moment on the wall clock."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from tests.report.artefacts.schedules import plans

_NAMES = {
    name: number for number, name in enumerate(("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"))
}
Keys = frozenset[tuple[int, int]]  # weekday (0 = Monday), minute of the day


@dataclass(frozen=True)
class Event:
    """A change of level: weekly, between two moments, and not or only on dates; or once."""

    level: int
    weekly: Keys = frozenset()
    once: datetime | None = None  # wall clock (naive)
    start: datetime | None = None
    end: datetime | None = None
    not_on: frozenset[str] = frozenset()  # ISO dates


def cron(text: str) -> Keys:
    """The times of a week, of five fields with a free date, or EventBridge's six."""
    minute, hour, day, month, weekday, *year = text.split()
    assert (day, month, year) in (("*", "*", []), ("?", "*", ["*"]))
    return frozenset(
        ((number - 1) % 7, h * 60 + m)
        for number in _field(weekday, 0, 7)
        for h in _field(hour, 0, 24)
        for m in _field(minute, 0, 60)
    )


def dated(text: str) -> datetime:
    """The moment of a cron with day, month and year: m h d mon * year."""
    minute, hour, day, month, weekday, year = text.split()
    assert weekday == "*"
    return datetime(int(year), int(month), int(day), int(hour), int(minute))  # noqa: DTZ001


def _field(text: str, first: int, until: int) -> set[int]:
    if text == "*":
        return set(range(first, until))
    found: set[int] = set()
    for part in text.split(","):
        low, _, high = part.partition("-")
        found |= set(range(_number(low), _number(high or low) + 1))
    assert found <= set(range(first, until))
    return found


def _number(text: str) -> int:
    return _NAMES[text] if text in _NAMES else int(text)


def stamp(text: str | None) -> datetime | None:
    """2026-12-24T07:00:00Z."""
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC) if text else None


def run(events: Iterable[Event], zone: str) -> list[int | None]:
    """The level at each of plans.moments: what fired last. What is skipped never fires, what comes
    twice fires twice; two levels at one moment are a fault."""
    events = list(events)
    weekly: dict[tuple[int, int], list[Event]] = {}
    once: dict[datetime, list[Event]] = {}
    for event in events:
        for key in event.weekly:
            weekly.setdefault(key, []).append(event)
        if event.once:
            once.setdefault(event.once, []).append(event)
    level: int | None = None
    found = []
    for at, local in plans.moments(zone):
        wall = local.replace(tzinfo=None, fold=0)
        key = (local.weekday(), local.hour * 60 + local.minute)
        fired = {
            event.level
            for event in weekly.get(key, ())
            if (event.start is None or event.start <= at)
            and (event.end is None or at < event.end)
            and wall.date().isoformat() not in event.not_on
        }
        if not local.fold:
            fired |= {event.level for event in once.get(wall, ())}
        assert len(fired) <= 1, f"{fired} at {local}"
        level = next(iter(fired), level)
        found.append(level)
    return found


@dataclass(frozen=True)
class Lift:
    """A floor for so long from each start on."""

    level: int
    lasts: timedelta
    weekly: Keys = frozenset()
    once: datetime | None = None


def lifted(floor: int, lifts: Iterable[Lift], zone: str) -> list[int]:
    """The highest floor at each of plans.moments."""
    lifts = list(lifts)
    until: dict[int, datetime] = {}
    found = []
    for at, local in plans.moments(zone):
        wall = local.replace(tzinfo=None, fold=0)
        key = (local.weekday(), local.hour * 60 + local.minute)
        for number, lift in enumerate(lifts):
            if key in lift.weekly or lift.once == wall:
                until[number] = at + lift.lasts
        active = [lifts[number].level for number, end in until.items() if at < end]
        found.append(max([floor, *active]))
    return found
