"""What stands in words beside a heatmap: metric, clock, span, and what the figures rest on."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

import numpy as np

from costopt.profile.heatmap import WeekMap
from costopt.profile.overview import Overview
from costopt.profile.week import LOCAL
from costopt.report.safe import terminal

DAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_UPPER: Final = {"cpu": "CPU", "gpu": "GPU", "sm": "SM", "p99": "P99"}
DOT: Final = " \u00b7 "


def metric_words(metric_name: str) -> str:
    """cpu_utilization -> CPU utilization; names we do not know come out safe."""
    words = [_UPPER.get(word, word) for word in terminal(metric_name).split("_")]
    text = " ".join(words)
    return text[:1].upper() + text[1:]


def statistic_words(picture: WeekMap | Overview) -> str:
    """What a cell says of its hour."""
    if picture.statistic == "mean":
        return "mean of each hour"
    grouped = isinstance(picture, WeekMap) and picture.machines > 1
    return "P95 of each hour, mean of the machines" if grouped else "P95 of each hour"


def clock_words(picture: WeekMap | Overview) -> str:
    """Whose clock the hours are."""
    if picture.time_zone == LOCAL:
        return "local time of each machine"
    return f"{picture.time_zone} time" + (", moved from local clocks" if picture.moved else "")


def span_words(first: datetime, end: datetime) -> str:
    """First to last day, UTC: 31 Aug - 27 Sep 2026."""
    last = end - timedelta(microseconds=1)
    start = f"{first.day} {first:%b}" + (f" {first.year}" if first.year != last.year else "")
    return f"{start} \u2013 {last.day} {last:%b} {last.year}"


def subtitle(picture: WeekMap | Overview) -> str:
    """The line below the title."""
    return DOT.join(
        (
            f"{metric_words(picture.metric_name)}, {statistic_words(picture)}",
            clock_words(picture),
            span_words(picture.first, picture.end),
        )
    )


def basis(week: WeekMap) -> str:
    """What the figures rest on: how many machines, by which weight, how much of the data."""
    parts = []
    if week.grouped_by:
        machines = f"{week.machines:,} machine{'s' * (week.machines != 1)}"
        weighed = week.weight != "machines"
        parts.append(machines + (f", {week.capacity:,.0f} {week.weight}" if weighed else ""))
        if week.left_out:
            parts.append(f"{week.left_out:,} left out: {week.weight} unknown")
    parts.append(f"coverage {coverage_words(week)}")
    return DOT.join(parts)


def coverage_words(picture: WeekMap | Overview) -> str:
    """The mean coverage of all hours, never rounded up to a full 100 %."""
    share = float(np.mean(picture.coverage))
    return "100 %" if share >= 1 else f"{min(share * 100, 99.9):.1f} %"


def thin_words(picture: WeekMap | Overview) -> str:
    """What the hatching means."""
    return f"thin: under {picture.thin_below:.0%} of the samples".replace("%", " %")


def peak_words(week: WeekMap) -> str:
    """When the highest hour is: Tue 14:00."""
    day, hour, _ = week.peak
    return f"{DAYS[day]} {hour:02d}:00"
