"""Weekly plans at random, recommendations of them, and the moments at which they are read."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from functools import cache
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from costopt.model import ActionType, Recommendation, Report, Risk
from costopt.model.week import DayPlan, WeekPlan
from tests.report import builders
from tests.report.artefacts import guards

AS_OF = datetime(2026, 8, 25, 9, 20, tzinfo=UTC)
STEP = timedelta(minutes=30)
PLACES = {
    "aws-machine": ("AWS", "i-0123456789abcdef0", "eu-west-1", "123456789012"),
    "aws-group": ("AWS", "web-asg", "eu-west-1", "123456789012"),
    "azure-machine": ("Azure", guards.AZURE, "westeurope", guards.SUBSCRIPTION),
    "azure-group": (
        "Azure",
        guards.AZURE.replace("virtualMachines", "virtualMachineScaleSets"),
        "westeurope",
        guards.SUBSCRIPTION,
    ),
    "gcp-machine": ("GCP", guards.GCP, "europe-west4", "shop-1"),
    "gcp-group": (
        "GCP",
        "projects/shop-1/regions/europe-west4/instanceGroupManagers/cache",
        "europe-west4",
        "shop-1",
    ),
    "workload": ("Kubernetes", "shop/deployment/checkout", None, None),
}
ZONES = (
    "Europe/Berlin",
    "America/New_York",
    "Asia/Kolkata",
    "UTC",
    "Australia/Lord_Howe",  # whose clocks go forward by half an hour
    "America/Santiago",  # at midnight
)


def row(kind: str, plan: WeekPlan, **fields: Any) -> Recommendation:
    """A recommendation of that plan."""
    provider, resource_id, region, account = PLACES[kind]
    every = (plan.levels, *(one.levels for one in plan.days))
    known: dict[str, Any] = {
        "action_type": ActionType.SCHEDULE,
        "risk": Risk(60.0, 0.0, 0.01, "held-out weeks"),
        "current": builders.offer(provider_name=provider, region_id=region),
        "sub_account_id": account,
        "schedule": plan,
        "replicas": None if kind.endswith("machine") else max(map(max, every)),
    }
    return builders.recommendation(fields.pop("resource_id", resource_id), **(known | fields))


def report(*rows: Recommendation) -> Report:
    """A report of those, at AS_OF."""
    return builders.report(rows, as_of=AS_OF)


def week(text: str, zone: str = "Europe/Berlin", *days: DayPlan) -> WeekPlan:
    """Seven words of 24 digits, or one for Monday to Friday, or one and another for the weekend."""
    words = text.split()
    if len(words) < 7:
        words = [words[0]] * 5 + [words[-1] if len(words) > 1 else "0" * 24] * 2
    return WeekPlan(zone, tuple(int(digit) for word in words for digit in word), days)


OFFICE = "0" * 8 + "1" * 11 + "0" * 5  # 08:00 to 19:00


def day(when: date, digits: str, reason: str = "a holiday") -> DayPlan:
    """That date with 24 digits, or one digit for all day."""
    return DayPlan(when, tuple(int(digit) for digit in (digits * 24)[:24]), reason)


@st.composite
def weeks(draw: st.DrawFn, most: int, dates: int = 0, changes: int = 8) -> WeekPlan:
    """A week of half hours with levels to `most`: alike days, so that it has few changes."""
    patterns = [_pattern(draw, most, changes) for _ in range(draw(st.integers(1, 2)))]
    levels = [level for _ in range(7) for level in draw(st.sampled_from(patterns))]
    found = draw(
        st.lists(
            st.integers(2, 60).map(lambda ahead: AS_OF.date() + timedelta(days=ahead)),
            max_size=dates,
            unique=True,
        )
    )
    days = tuple(DayPlan(when, _pattern(draw, most, 4), "own") for when in sorted(found))
    return WeekPlan(draw(st.sampled_from(ZONES)), tuple(levels), days)


def _pattern(draw: st.DrawFn, most: int, changes: int) -> tuple[int, ...]:
    """A day of half hours."""
    cuts = sorted(draw(st.sets(st.integers(1, 47), max_size=changes - 1)))
    levels: list[int] = []
    for start, end in zip([0, *cuts], [*cuts, 48], strict=True):
        levels += [draw(st.integers(0, most))] * (end - start)
    return tuple(levels)


@cache
def moments(zone: str) -> tuple[tuple[datetime, datetime], ...]:
    """Every half hour of two stretches that hold both change-overs of every zone, in UTC and on the
    zone's clock: 25 August to 15 November, and 1 March to 10 April."""
    found = []
    start = AS_OF - timedelta(minutes=20)
    for first, days in ((start, 82), (datetime(2027, 3, 1, tzinfo=UTC), 40)):
        at = first
        while at < first + timedelta(days=days):
            found.append((at, at.astimezone(ZoneInfo(zone))))
            at += STEP
    return tuple(found)


@cache
def settled(zone: str) -> list[int]:
    """The indexes of moments at which any plan is settled: a week after each start, and not in the
    second pass of an hour that comes twice, in which plans and schedulers may differ."""
    pairs = moments(zone)
    found, since = [], 0
    for index, (at, local) in enumerate(pairs):
        if index and at - pairs[index - 1][0] > STEP:
            since = index
        # a week and an hour: the last change before it was seen
        if index - since > 7 * 48 + 2 and local.fold == 0:
            found.append(index)
    return found


@cache
def nights_of_changeovers(zone: str) -> frozenset[date]:
    """The dates on which its clocks change, of the moments."""
    pairs = [local for _, local in moments(zone)]
    return frozenset(
        after.date() for before, after in pairwise(pairs) if before.utcoffset() != after.utcoffset()
    )


def wanted(plan: WeekPlan) -> list[int]:
    """The plan's level at each moment."""
    levels = {one.day: one.levels for one in plan.days}
    size = plan.slot_minutes
    return [
        levels.get(local.date(), plan.of_weekday(local.weekday()))[
            (local.hour * 60 + local.minute) // size
        ]
        for _, local in moments(plan.time_zone)
    ]
