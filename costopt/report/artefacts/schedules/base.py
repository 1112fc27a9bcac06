"""What every target of schedules shares: one scheduled resource, where it runs, and its words."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import cached_property
from typing import Final, Protocol
from zoneinfo import ZoneInfo

from costopt.model import Recommendation, Report
from costopt.model.spoken_week import spans
from costopt.model.week import WEEKDAYS, DayPlan, WeekPlan
from costopt.report.artefacts.base import Artefact
from costopt.report.artefacts.schedules import timetable
from costopt.report.safe import terminal
from costopt.units import counted, provider_key

ALL_WEEK: Final = tuple(range(7))
_LONGEST_LABEL: Final = 80
_LABEL_END: Final = 50  # of these
_TOLD_DATES: Final = 3
_TARGET_PERCENT: Final = 60.0  # where the advice tells no risk
_SLACK: Final = timedelta(hours=12)
"""From the emission to the first single date, so that it can still be deployed: a service that is
given a moment in the past refuses it, or everything with it."""


@dataclass(frozen=True)
class Scheduled:
    """One recommendation with its plan: single dates that are over, or no exception, are gone."""

    recommendation: Recommendation
    plan: WeekPlan
    today: date  # on the plan's wall clock
    near: tuple[DayPlan, ...] = ()  # dates too near to be deployed in time, which the plan lacks

    @property
    def name(self) -> str:
        """Of the resource, whatever its plan and size; letters, digits and hyphens only: what is
        deployed by it takes the place of what was."""
        return f"costopt-{hashlib.sha256(self.resource_id.encode()).hexdigest()[:16]}"

    @property
    def label(self) -> str:
        """The resource's name (else its id) on one line, at most 80 characters: of a longer one its
        beginning and its end, where an id has the name."""
        one = self.recommendation
        plain = " ".join(terminal(one.resource_name or one.resource_id).split())
        if len(plain) <= _LONGEST_LABEL:
            return plain
        return f"{plain[: _LONGEST_LABEL - 3 - _LABEL_END]}...{plain[-_LABEL_END:]}"

    @property
    def resource_id(self) -> str:
        """The machine's id, or the group's."""
        return self.recommendation.resource_id

    @property
    def provider(self) -> str:
        """The provider's one key: aws, azure, gcp, or what it is called."""
        return provider_key(self.recommendation.current.provider_name)

    @property
    def account(self) -> str:
        """The account, project or subscription on the bill; "" if unknown."""
        return self.recommendation.sub_account_id or ""

    @property
    def region(self) -> str:
        """The region; "" if unknown."""
        return self.recommendation.current.region_id or ""

    @property
    def is_group(self) -> bool:
        """Whether it is a scaling group, of replicas; else a machine, on or off."""
        return self.recommendation.replicas is not None

    @property
    def target_percent(self) -> float:
        """CPU that a replica is planned for, which what scales beside the plan keeps to."""
        risk = self.recommendation.risk
        return risk.limit_percent if risk else _TARGET_PERCENT

    @property
    def floor(self) -> int:
        """The lowest level of the week."""
        return min(self.plan.levels)

    @property
    def peak(self) -> int:
        """The highest level of the week and of the single dates."""
        days = (max(one.levels) for one in self.plan.days)
        return max(*self.plan.levels, *days)

    @cached_property
    def firings(self) -> tuple[timetable.Firing, ...]:
        """Every change of the week, as `timetable.firings`."""
        return timetable.firings(self.plan, self.today.year)


class Target(Protocol):
    """Where schedules can be deployed."""

    def stands_for(self, one: Scheduled) -> bool:
        """Whether the resource is of the kind that the target schedules, whatever its plan."""

    def refusal(self, one: Scheduled) -> str | None:
        """Why the week cannot be expressed; None: it can."""

    def missing(self, one: Scheduled) -> list[str]:
        """What of a plan that can be expressed is not in the artefact, a sentence's end each."""

    def artefacts(self, held: Sequence[Scheduled]) -> list[Artefact]:
        """The files of those resources, each of which the target stands for and does not refuse."""


def scheduled(report: Report, now: datetime | None = None) -> list[Scheduled]:
    """Every recommendation with a schedule that changes anything, by name.

    Args:
        now: when the files are written; None: the report's moment, which may lie days back.
    """
    moment = max(report.as_of, now) if now else report.as_of
    found = [
        one
        for recommendation in report.recommendations
        if recommendation.schedule is not None
        and (one := _ahead(recommendation, recommendation.schedule, moment))
    ]
    return sorted(found, key=lambda one: one.name)


def flat(report: Report, now: datetime | None = None) -> list[str]:
    """Sentences about the schedules that never change anything."""
    planned = sum(one.schedule is not None for one in report.recommendations)
    if count := planned - len(scheduled(report, now)):
        return [f"{counted(count, 'schedule')} without a change of level: nothing to deploy"]
    return []


def by_place(
    held: Iterable[Scheduled], place: Callable[[Scheduled], tuple[str, ...]]
) -> dict[tuple[str, ...], list[Scheduled]]:
    """The resources by where their schedules are deployed, places sorted."""
    places: dict[tuple[str, ...], list[Scheduled]] = {}
    for one in held:
        places.setdefault(place(one), []).append(one)
    return dict(sorted(places.items()))


def account_and_region(one: Scheduled) -> tuple[str, str]:
    """Where most of AWS's files belong."""
    return (one.account, one.region)


def token(text: str, otherwise: str) -> str:
    """An account, project or region for a command line, where it can be one."""
    return text if re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9-]*", text) else otherwise


def single_dates(days: Sequence[DayPlan], why: str, how: str = "run as the week does") -> list[str]:
    """What becomes of those dates and why: one sentence's end; no dates: none."""
    if not days:
        return []
    named = [f"{one.day:%Y-%m-%d} ({_plain(one.reason)})" for one in days[:_TOLD_DATES]]
    if len(days) > _TOLD_DATES:
        named.append(f"{len(days) - _TOLD_DATES:,} more")
    return [f"{', '.join(named)}: {how}, since {why}"]


def clock_time(minute: int) -> str:
    """08:30, of the minute of the day."""
    return f"{minute // 60:02}:{minute % 60:02}"


def days_in_words(weekdays: Iterable[int]) -> str:
    """Mon-Fri, or Mon, Wed, of weekdays (0 = Monday)."""
    return spans(tuple(weekdays), WEEKDAYS, ", ")


def _ahead(recommendation: Recommendation, plan: WeekPlan, now: datetime) -> Scheduled | None:
    zone = ZoneInfo(plan.time_zone)
    today, reached = now.astimezone(zone).date(), (now + _SLACK).astimezone(zone).date()
    ahead = [
        one
        for one in plan.days
        if one.day > today and one.levels != plan.of_weekday(one.day.weekday())
    ]
    days = tuple(one for one in ahead if one.day > reached)
    if not days and not plan.changes():
        return None
    near = tuple(one for one in ahead if one.day <= reached)
    return Scheduled(recommendation, replace(plan, days=days), today, near)


def _plain(text: str) -> str:
    return " ".join(terminal(text).split())[:40]
