"""What stands in words beside a heatmap: metric, clock, span, and what the figures rest on."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

import numpy as np

from costopt.profile.grouping import FLEET, MACHINES
from costopt.profile.heatmap import WeekMap
from costopt.profile.overview import Overview
from costopt.profile.week import LOCAL
from costopt.report.safe import terminal
from costopt.units import counted

DAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_UPPER: Final = {"cpu": "CPU", "gpu": "GPU", "sm": "SM", "p99": "P99"}
DOT: Final = " \u00b7 "


def metric_words(metric_name: str) -> str:
    """cpu_utilization -> CPU utilization; names we do not know come out safe."""
    words = [_UPPER.get(word, word) for word in terminal(metric_name).removeprefix("x_").split("_")]
    text = " ".join(words)
    return text[:1].upper() + text[1:]


def statistic_words(pictures: Sequence[WeekMap | Overview]) -> str:
    """What a cell says of its hour."""
    if pictures[0].statistic == "mean":
        return "mean of each hour"
    pooled = any(isinstance(picture, WeekMap) and picture.machines > 1 for picture in pictures)
    return "P95 of each hour" + (", mean of the machines" if pooled else "")


def clock_words(pictures: Sequence[WeekMap | Overview]) -> str:
    """Whose clock the hours are."""
    zones = {picture.time_zone for picture in pictures}
    if len(zones) > 1 or LOCAL in zones:
        return "local time of each machine"
    moved = any(picture.moved for picture in pictures)
    return f"{zones.pop()} time" + (", moved from local clocks" if moved else "")


def span_words(first: datetime, end: datetime) -> str:
    """First to last day, UTC: 31 Aug - 27 Sep 2026."""
    last = end - timedelta(microseconds=1)
    start = f"{first.day} {first:%b}" + (f" {first.year}" if first.year != last.year else "")
    return f"{start} \u2013 {last.day} {last:%b} {last.year}"


def title(week: WeekMap) -> str:
    """What the picture is of: a machine's name, or a group's with what kind of group it is."""
    key = week.grouped_by.removeprefix("tag:")
    return f"{week.label} ({key})" if key not in ("", FLEET) else week.label


def groups_title(week: WeekMap) -> str:
    """What several groups are compared by."""
    return f"{metric_words(week.metric_name)} by {week.grouped_by.removeprefix('tag:')}"


def fleet_title(picture: Overview) -> str:
    """How many machines, and how many a line is."""
    machines = f"{counted(picture.machines, 'machine')} over the week"
    each = picture.machines / len(picture.ids)
    return machines + (f", about {each:.0f} look-alikes a line" if each >= 1.5 else "")


def subtitle(*pictures: WeekMap | Overview, metric: bool = True) -> str:
    """Below the title: what (the metric unless the title has it), whose clock, which days."""
    first = min(picture.first for picture in pictures)
    end = max(picture.end for picture in pictures)
    statistic = statistic_words(pictures)
    return DOT.join(
        (
            f"{metric_words(pictures[0].metric_name)}, {statistic}" if metric else statistic,
            clock_words(pictures),
            span_words(first, end),
        )
    )


def basis(week: WeekMap) -> str:
    """What the figures rest on: how many machines, by which weight, how much of the data."""
    parts = []
    if week.grouped_by:
        weighed = f", {week.capacity:,.0f} {week.weight}" if week.weight != MACHINES else ""
        parts.append(counted(week.machines, "machine") + weighed)
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
