"""What one machine did, drawn: every measured metric, its week, its idle runs, and data quality."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import numpy as np

from costopt import schema
from costopt.frame.subject import duration
from costopt.model import Finding, FindingLevel, Profile
from costopt.report import words
from costopt.report.screen import HEAD, PLAIN, STRONG, WARN, Screen
from costopt.rules.base import Case
from costopt.units import counted

_DAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_FIGURES: Final[Sequence[tuple[str, Callable[[Profile], float]]]] = (
    ("mean", lambda p: p.mean),
    ("P95", lambda p: p.p95),
    ("P99.5", lambda p: p.p99_5),
    ("max", lambda p: p.max),
)
_ESSENTIAL: Final = ("cpu_utilization", "memory_utilization", "network_in", "network_out")


def draw(screen: Screen, case: Case) -> None:
    """The metrics, the week of the CPU, and what the quality gate found."""
    if case.profiles:
        _metrics(screen, case.profiles)
        _cpu(screen, case)
    if missing := unknown(case):
        screen.bullet(f"Unknown, which is never zero: {', '.join(missing)}.")
    _disputed(screen, case)
    _findings(screen, case.findings)


def unknown(case: Case) -> list[str]:
    """What advice would like to know and cannot: metrics without a sample, or without a usable one.

    Either statistic of a metric will do.
    """
    seen = {profile.metric_name for profile in case.profiles}
    return [
        f"{words.metric(metric)} ({'unusable' if metric in seen else 'not measured'})"
        for metric in _ESSENTIAL
        if not any(case.profile(metric, statistic) for statistic in schema.STATISTICS)
    ]


def _metrics(screen: Screen, profiles: Sequence[Profile]) -> None:
    titles = ["", *(name for name, _ in _FIGURES), "samples", "coverage"]
    table = [[(title, HEAD) for title in titles]]
    for profile in profiles:
        figures = [_measured(profile, say(profile)) for _, say in _FIGURES]
        tail = [f"{profile.count:,}", words.percent(profile.coverage)]
        texts = [(text, PLAIN) for text in (*figures, *tail)]
        table.append([(_series(profile), STRONG), *texts])
    screen.table(table, [False, *(True for _ in titles[1:])])
    screen.blank()


def _series(profile: Profile) -> str:
    parts = [words.metric(profile.metric_name)]
    if profile.device:
        parts.append(profile.device)
    if profile.statistic != "mean":
        parts.append(f"({profile.statistic})")
    return " ".join(parts)


def _measured(profile: Profile, value: float) -> str:
    return words.measure(value, schema.metric_unit(profile.metric_name))


def _cpu(screen: Screen, case: Case) -> None:
    profile = case.profile("cpu_utilization")
    if profile is None:
        return
    period = duration(profile.period_seconds)
    screen.bullet(
        f"CPU: one sample every {period} on {counted(profile.days, 'day')}, from "
        f"{profile.first:%Y-%m-%d %H:%M} to {profile.last:%Y-%m-%d %H:%M} UTC."
    )
    week = np.array(profile.week_p95)
    if not np.isnan(week).all():
        busy, quiet = int(np.nanargmax(week)), int(np.nanargmin(week))
        screen.bullet(
            f"Busiest hour of the week: {_hour(busy)} (P95 {_measured(profile, week[busy])}); "
            f"quietest: {_hour(quiet)} (P95 {_measured(profile, week[quiet])}), "
            f"{profile.time_zone} time."
        )
    if profile.longest_idle_seconds is not None and profile.share_under_5 is not None:
        screen.bullet(
            f"Under 5 % for {words.percent(profile.share_under_5)} of the samples, longest for "
            f"{duration(profile.longest_idle_seconds)} without a break."
        )
    if profile.longest_gap_seconds:
        screen.bullet(f"Longest gap without a sample: {duration(profile.longest_gap_seconds)}.")


def _hour(slot: int) -> str:
    return f"{_DAYS[slot // 24]} {slot % 24:02d}:00"


def _disputed(screen: Screen, case: Case) -> None:
    if case.disputed is None:
        return
    seen, cpu = case.disputed, case.profile("cpu_utilization")
    text = (
        f"{counted(seen.samples, 'CPU spike')} that no other metric confirms, for example "
        f"{seen.example_value:.0f} % at {seen.example_at:%Y-%m-%d %H:%M} UTC"
    )
    if cpu is not None:
        text += f": without them the P99.5 is {seen.p99_5:.1f} % instead of {cpu.p99_5:.1f} %"
    screen.bullet(text + ".")


def _findings(screen: Screen, findings: Sequence[Finding]) -> None:
    if not findings:
        screen.bullet("The quality gate found nothing wrong with its data.")
    for finding in findings:
        metric = f"{words.metric(finding.metric_name)}: " if finding.metric_name else ""
        example = f" ({finding.example})" if finding.example else ""
        text = f"{metric}{finding.detail}{example} [{finding.check}]"
        if finding.level is FindingLevel.GATE:
            screen.bullet(f"Unusable: {text}", style=WARN)
        else:
            screen.bullet(text)
