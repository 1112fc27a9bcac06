"""What a check is given and what it says."""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import dataclass
from datetime import datetime, timedelta

from costopt.config import QualitySettings
from costopt.model import FindingLevel, Profile, Resource
from costopt.units import counted


@dataclass(frozen=True, slots=True)
class Subject:
    """One series, and what it is judged against."""

    profile: Profile
    resource: Resource | None  # None: samples of something that the inventory does not know
    siblings: Mapping[str, Profile]  # the resource's other metrics, by name
    fractions: Set[str]  # metrics that this provider's whole fleet sends as 0..1
    flat_since: datetime | None  # start of the run of one value that its last samples form
    as_of: datetime
    settings: QualitySettings

    @property
    def end(self) -> datetime:
        """When the last sample's period ends."""
        return self.profile.last + timedelta(seconds=self.profile.period_seconds)


@dataclass(frozen=True, slots=True)
class Seen:
    """What a check saw."""

    level: FindingLevel
    count: int
    example: str
    detail: str


def note(count: int, example: str, detail: str) -> Seen:
    """Something to show with the evidence."""
    return Seen(FindingLevel.NOTE, count, example, detail)


def gate(count: int, example: str, detail: str) -> Seen:
    """Something that makes the metric unusable."""
    return Seen(FindingLevel.GATE, count, example, detail)


def percent(share: float) -> str:
    """A share for people; never "100 %" or "0 %" of what is not quite all or nothing."""
    shown = min(max(100 * share, 0.1), 99.9) if 0 < share < 1 else 100 * share
    return f"{shown:.3g} %"


def duration(seconds: float) -> str:
    """A length of time for people: minutes, hours or days, whichever reads best."""
    if seconds < 2 * 3600:
        return counted(seconds / 60, "minute", ".0f")
    if seconds < 3 * 86_400:
        return counted(seconds / 3600, "hour", ".0f")
    return counted(seconds / 86_400, "day", ".1f")
