"""What every target of alarms shares: one guard of one recommendation, its times, its words."""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from costopt.model import Guard, Offer, Recommendation, Report
from costopt.report.safe import terminal
from costopt.units import SECONDS_PER_DAY, counted

METRICS: Final[Mapping[str, str]] = {"cpu_utilization": "CPU", "memory_utilization": "memory"}
_LONGEST_NAME: Final = 80  # characters; an alarm's whole text must fit 1,024 at CloudWatch


@dataclass(frozen=True, slots=True)
class Artefact:
    """One file to write, and the command that deploys it, in which DIR is the folder."""

    path: str  # relative, with forward slashes
    data: bytes
    deploy: str


@dataclass(frozen=True, slots=True)
class Watch:
    """One guard of one recommendation: what to count, from the change until the rule ends."""

    recommendation: Recommendation
    guard: Guard
    since: datetime
    until: datetime

    @property
    def metric(self) -> str:
        """What is measured, as people say it: CPU or memory."""
        return METRICS[self.guard.metric_name]

    @property
    def name(self) -> str:
        """Stable and unique in a report; letters, digits and hyphens only."""
        return f"costopt-{self.recommendation.recommendation_id}-{self.metric.lower()}"

    @property
    def label(self) -> str:
        """The machine's name (else its id) on one line, at most 80 characters."""
        return _short(self.recommendation.resource_name or self.recommendation.resource_id)


def watches(report: Report, changed_at: datetime | None) -> list[Watch]:
    """Every guard of the report, by name; counted from `changed_at`, else from the report's moment.

    Args:
        changed_at: when the change was or will be made, UTC.
    """
    found = []
    for one in report.recommendations:
        for guard in one.guards:
            lasting = timedelta(days=guard.horizon_days)
            since = changed_at or guard.until - lasting
            found.append(Watch(one, guard, since, since + lasting))
    return sorted(found, key=lambda watch: watch.name)


def rule(watch: Watch) -> str:
    """The stop rule in words: what to count, and how much of it is allowed for and why; names in it
    are one line, but not yet escaped."""
    one, guard = watch.recommendation, watch.guard
    times = counted(guard.samples, "period")
    return (
        f"Undo the change of {watch.label} ({_type(one.current)} to {_type(one.recommended)}) once "
        f"{watch.metric} was over {guard.limit_percent:g} % in {times} of "
        f"{lasting(guard.period_seconds)} from {moment(watch.since)} to {moment(watch.until)}."
        f"{_allowed(guard)}"
    )


def _allowed(guard: Guard) -> str:
    """Why more periods are allowed than the budget of the change has; "" where none are."""
    reasons = (
        (guard.allowed_disputed, "for brief CPU spikes that no other metric confirms"),
        (guard.allowed_today, "for load that is over the former machine's limit, too"),
    )
    told = " and ".join(f"{count:,} {why}" for count, why in reasons if count)
    return f" Allowed of these, by its past: {told}." if told else ""


def moment(when: datetime) -> str:
    """2026-11-15 00:00 UTC."""
    return f"{when:%Y-%m-%d %H:%M} UTC"


def lasting(seconds: int) -> str:
    """A length of time in the largest whole unit: 5 minutes, 1 hour, 90 seconds."""
    for unit, size in (("hour", 3600), ("minute", 60)):
        if seconds % size == 0:
            return counted(seconds // size, unit)
    return counted(seconds, "second")


def days_of(watch: Watch) -> int:
    """The horizon in whole days, rounded up."""
    return math.ceil((watch.until - watch.since) / timedelta(seconds=SECONDS_PER_DAY))


def pretty(value: Any) -> bytes:
    """Indented JSON in ASCII: nothing in it can steer a screen, and nothing is lost."""
    return (json.dumps(value, indent=2, allow_nan=False) + "\n").encode()


# -- places and files ------------------------------------------------------------------------


def by_place(
    found: Iterable[Watch], place: Callable[[Watch], tuple[str, ...]]
) -> dict[tuple[str, ...], list[Watch]]:
    """The guards by where they are deployed (account and region, say), places sorted."""
    places: dict[tuple[str, ...], list[Watch]] = {}
    for watch in found:
        places.setdefault(place(watch), []).append(watch)
    return dict(sorted(places.items()))


def slug(*parts: str) -> str:
    """Parts as one piece of a file name; two different ones never become the same."""
    raw = "-".join(parts)
    clean = re.sub(r"[^A-Za-z0-9]+", "-", raw).strip("-")[:60] or "unknown"
    if clean == raw and not any("-" in part for part in parts[:-1]):
        return clean
    return f"{clean}-{hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:8]}"


def portions(
    resources: Sequence[tuple[str, Any]], *, most: int, most_bytes: int
) -> Iterator[dict[str, Any]]:
    """Named resources in as few templates as a service's limits on number and size allow.

    Args:
        most_bytes: of a template; a tenth is left for what stands around the resources.
    """
    portion: dict[str, Any] = {}
    used = 0
    for name, resource in resources:
        text = json.dumps(resource, indent=2)
        size = len(text) + 8 * (text.count("\n") + 2) + len(name)  # 8: what nesting indents
        if portion and (len(portion) == most or used + size > most_bytes * 9 // 10):
            yield portion
            portion, used = {}, 0
        portion[name] = resource
        used += size
    if portion:
        yield portion


def numbered(stem: str, number: int, of: int) -> str:
    """The stem, and which file of several it is."""
    return f"{stem}-{number}.json" if of > 1 else f"{stem}.json"


def _type(offer: Offer | None) -> str:
    if offer is None:
        return "nothing"
    return _short(offer.instance_type or f"{offer.vcpus or 0:g} vCPUs", 40)


def _short(text: str, longest: int = _LONGEST_NAME) -> str:
    plain = " ".join(terminal(text).split())
    return plain if len(plain) <= longest else plain[: longest - 3] + "..."
