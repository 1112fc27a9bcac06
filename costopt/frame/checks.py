"""The checks of one series: what each sees in a profile, from which threshold on, and why there.

docs/quality.md holds the evidence in full.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from types import MappingProxyType
from typing import Final

import numpy as np

from costopt import schema
from costopt.frame import scales
from costopt.frame.corroboration import refused_is_busy
from costopt.frame.subject import Seen, Subject, duration, gate, note, percent
from costopt.model import Profile
from costopt.units import counted

LONG_GAP: Final = timedelta(hours=24)
"""A gap of a day hides at least one whole daily cycle."""
MAX_REFUSED_SHARE: Final = 0.05
"""Of CPU or memory samples. Up to there they take part in the decision: where other samples confirm
those that were too high they count as full ones (rules/demand.py), so that the P99.5 may lie among
them; the rest is missing, as half of all samples may be. More is the wrong unit: of 1,130 Bitbrains
fortnights 4 come past it as measured, 126 to 230 as percent of one core of two to sixteen."""
MAX_LEFT_OUT_SHARE: Final = 0.01
"""Of those refused as too high that nothing confirms; of other metrics, whose refused ones no rule
counts, of all. Percent of one core hides work here where a machine is idle or full and seldom
between. Of the same fortnights, taken so, with 1 to 5 % unconfirmed, 45 of 133 would be made too
small; with 0.5 to 1 %, 3 of 74. As measured, 64 of the 65 that have any are confirmed. Memory
seldom jumps: taken as percent of a half to a sixteenth of itself, none of 76 with 0.5 to 5 %
unconfirmed would get too little."""
UNSEEN_SHARE: Final = 0.25
"""Of the time that is to be expected of an hour of the week: less is the odd sample amid a gap."""
MAX_UNSEEN_HOURS: Final = 1
"""Of memory where CPU is: in two hours a weekly job takes place."""
_CPU: Final = "cpu_utilization"
_MEMORY: Final = "memory_utilization"
_SIZED_BY: Final = frozenset({_CPU, _MEMORY})


def stale(subject: Subject) -> Seen | None:
    """The last sample is too old: decisions on data older than 3 d err as hourly averages do."""
    age = subject.as_of - subject.end
    if age <= timedelta(days=subject.settings.max_age_days):
        return None
    return gate(
        age.days,
        f"last sample {subject.profile.last:%Y-%m-%d %H:%M} UTC",
        f"the newest sample is {duration(age.total_seconds())} old; "
        f"advice needs one of the last {counted(subject.settings.max_age_days, 'day', 'g')}",
    )


def short_history(subject: Subject) -> Seen | None:
    """Too little time since the first sample, or since the machine was last resized."""
    history = subject.end - subject.profile.first
    if history >= timedelta(days=subject.settings.min_days):
        return None
    resized = subject.resource.resized_at if subject.resource else None
    since = f" since its resize on {resized:%Y-%m-%d}" if resized else ""
    return gate(
        subject.profile.days,
        f"first sample {subject.profile.first:%Y-%m-%d %H:%M} UTC",
        f"{duration(history.total_seconds())} of history{since}; "
        f"advice needs {counted(subject.settings.min_days, 'day', 'g')}",
    )


def hourly_only(subject: Subject) -> Seen | None:
    """Averages over a long period hide peaks: 8 to 20 % bad outcomes, 10 to 52 % on Azure."""
    period = subject.profile.period_seconds
    if period <= subject.settings.max_period_seconds:
        return None
    return gate(
        subject.profile.count,
        f"one sample every {duration(period)}",
        f"one sample every {duration(period)} hides peaks; "
        f"advice needs one every {duration(subject.settings.max_period_seconds)} or finer",
    )


def coverage(subject: Subject) -> Seen | None:
    """Too few of the samples that should be there are."""
    profile = subject.profile
    if profile.coverage >= subject.settings.min_coverage:
        return None
    return gate(
        profile.expected - profile.count,
        f"{profile.count:,} of {counted(profile.expected, 'sample')}",
        f"{percent(profile.coverage)} of the samples are there; "
        f"advice needs {percent(subject.settings.min_coverage)}",
    )


def week_coverage(subject: Subject) -> Seen | None:
    """Gaps at the same hours of every week: random gaps are harmless, biased ones are not."""
    hours = subject.profile.week_count
    empty = hours.count(0)
    enough = 1 - empty / schema.WEEK_SLOTS >= subject.settings.min_week_coverage
    if enough or short_history(subject):
        return None
    return gate(
        empty,
        _hour(hours.index(0), subject.profile),
        f"no sample ever falls in {empty} of the week's {schema.WEEK_SLOTS} hours, "
        "so what happens then is unknown",
    )


def memory_hours(subject: Subject) -> Seen | None:
    """Memory that is missing in hours of the week in which CPU is there: perhaps the busy ones."""
    memory, cpu = subject.profile, subject.siblings.get(_CPU)
    if memory.metric_name != _MEMORY or cpu is None:
        return None
    seen, running = (np.asarray(p.week_count) * p.period_seconds for p in (memory, cpu))
    expected = running * (seen.sum() / max(1, running.sum()))  # it may be younger, or have gaps
    unseen = np.flatnonzero(seen < UNSEEN_SHARE * expected)
    if len(unseen) <= MAX_UNSEEN_HOURS:
        return None
    return gate(
        len(unseen),
        _hour(int(unseen[0]), memory),
        f"memory is (nearly) never measured in {len(unseen)} of the week's "
        f"{np.count_nonzero(running)} hours in which CPU is, so what it holds then is unknown",
    )


def _hour(place: int, profile: Profile) -> str:
    return f"{_DAYS[place // 24]} {place % 24:02d}:00 ({profile.time_zone})"


_DAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def gap(subject: Subject) -> Seen | None:
    """A long stretch without a sample."""
    length = subject.profile.longest_gap_seconds
    if length < LONG_GAP.total_seconds():
        return None
    return note(
        length // subject.profile.period_seconds,
        duration(length),
        f"the longest gap lasts {duration(length)}; nothing is assumed about it",
    )


def duplicates(subject: Subject) -> Seen | None:
    """The same sample twice."""
    return _of_samples(
        subject.profile.duplicates, "came more than once with the same value; kept once"
    )


def conflicts(subject: Subject) -> Seen | None:
    """Another value for a moment that had one: how quiet samples are slipped in, or two sources."""
    return _of_samples(
        subject.profile.conflicts,
        "contradicted an earlier one; the first was kept",
    )


def not_finite(subject: Subject) -> Seen | None:
    """NaN and infinities: missing, not zero."""
    return _of_samples(
        subject.profile.not_finite, "without a finite number; taken as missing, not as zero"
    )


def off_grid(subject: Subject) -> Seen | None:
    """Samples that do not start on their period's grid."""
    period = duration(subject.profile.period_seconds)
    return _of_samples(
        subject.profile.off_grid,
        f"started between the marks of {period}; put on the mark before",
    )


def _of_samples(count: int, detail: str) -> Seen | None:
    told = counted(count, "sample")
    return note(count, told, f"{told} {detail}") if count else None


def out_of_range(subject: Subject) -> Seen | None:
    """Samples below 0 or above 105 % of capacity: unit errors, counter resets, poison."""
    profile = subject.profile
    refused = profile.refused_low + profile.refused_high
    if not refused:
        return None
    detail = (
        f"{percent(refused / (profile.count + refused))} of the samples were refused: "
        f"{profile.refused_low:,} below 0, "
        f"{profile.refused_high:,} above {schema.PERCENT_LIMIT:g} %"
    )
    example = _refused_example(profile)
    if _too_many_refused(profile):
        return gate(refused, example, detail + _remedy(profile))
    return note(refused, example, detail + _done_with_refused(profile) + _remedy(profile))


def _too_many_refused(profile: Profile) -> bool:
    low, high = profile.refused_low, profile.refused_high
    seen = profile.count + low + high
    if profile.metric_name not in _SIZED_BY:
        return low + high > MAX_LEFT_OUT_SHARE * seen
    left_out = 0 if refused_is_busy(profile) else high
    return low + high > MAX_REFUSED_SHARE * seen or left_out > MAX_LEFT_OUT_SHARE * seen


def _refused_example(profile: Profile) -> str:
    high = profile.refused_high >= profile.refused_low
    return f"above {schema.PERCENT_LIMIT:g} %" if high else "below 0"


def _done_with_refused(profile: Profile) -> str:
    if profile.metric_name not in _SIZED_BY or not profile.refused_high:
        return "; they count as missing"
    if not refused_is_busy(profile):
        return "; they count as missing: so few others come near full that a counter was broken"
    low = "; those below 0 count as missing" if profile.refused_low else ""
    return f"; those above count as full, for others come near it{low}"


def _remedy(profile: Profile) -> str:
    high = profile.refused_high
    if profile.metric_name == _CPU and high > MAX_LEFT_OUT_SHARE * (profile.count + high):
        return "; if these are percent of one core, divide them by the number of vCPUs"
    if profile.refused_low and not schema.is_percent(profile.metric_name):
        return "; a rate below 0 is a counter that was reset"
    return ""


Check = Callable[[Subject], Seen | None]

CHECKS: Final[Mapping[str, Check]] = MappingProxyType(
    {
        "stale": stale,
        "short-history": short_history,
        "hourly-only": hourly_only,
        "coverage": coverage,
        "week-coverage": week_coverage,
        "memory-hours": memory_hours,
        "stuck": scales.stuck,
        "unit": scales.unit,
        "unit-doubtful": scales.unit_doubtful,
        "out-of-range": out_of_range,
        "zeros": scales.zeros,
        "conflicts": conflicts,
        "gap": gap,
        "not-finite": not_finite,
        "duplicates": duplicates,
        "off-grid": off_grid,
    }
)
"""By code, the gravest first: a resource that several make unusable is skipped for the first."""
