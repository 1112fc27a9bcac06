"""What was measured: profiles of demand, and what is doubtful about them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple


class Series(NamedTuple):
    """What one line of samples is of, at whatever period."""

    resource_id: str
    metric_name: str
    statistic: str  # mean | max
    device: str  # "" = the whole resource


@dataclass(frozen=True, slots=True)
class Profile:
    """One row of the profiles table (see schema.PROFILES for units and definitions)."""

    resource_id: str
    metric_name: str
    statistic: str
    device: str  # "" = the whole resource
    period_seconds: int
    time_zone: str
    count: int
    expected: int
    coverage: float
    first: datetime
    last: datetime
    mean: float
    std: float
    min: float
    max: float
    p50: float
    p90: float
    p95: float
    p99: float
    p99_5: float
    share_under_1: float | None
    share_under_5: float | None
    longest_idle_seconds: int | None
    longest_gap_seconds: int
    longest_flat_seconds: int
    days: int
    duplicates: int  # what compaction saw in the window's days and did not keep, this and below
    conflicts: int
    refused_low: int
    refused_high: int
    not_finite: int
    off_grid: int
    # compact arrays where there are ten thousands of profiles (four bytes a figure, not thirty)
    histogram: Sequence[int] | None
    week_mean: Sequence[float]
    week_p95: Sequence[float]
    week_count: Sequence[int]

    def share_over(self, percent: float) -> float:
        """Share of samples in histogram bins wholly or partly above `percent` (never too low).

        Only for percent metrics; `percent` is rounded down to the bin's edge.
        """
        if self.histogram is None:
            raise ValueError(f"{self.metric_name} has no histogram: it is not a percentage")
        return sum(self.histogram[max(0, int(percent)) :]) / self.count if self.count else 0.0


@dataclass(frozen=True, slots=True)
class Disputed:
    """CPU spikes that the machine's other metrics speak against, and the distribution without."""

    samples: int
    example_at: datetime  # start of the earliest disputed sample
    example_value: float  # percent
    mean: float  # this and below: of the remaining samples
    std: float
    max: float
    p50: float
    p90: float
    p95: float
    p99: float
    p99_5: float
    histogram: Sequence[int]
    times: Sequence[int] = ()  # starts of the disputed samples, seconds since 1970, ascending

    def corroborated(self, profile: Profile) -> Profile:
        """That CPU profile with the disputed samples left out of its distribution.

        The week and the runs stay: they describe time, and the spikes are few.
        """
        return replace(
            profile,
            count=profile.count - self.samples,
            mean=self.mean,
            std=self.std,
            max=self.max,
            p50=self.p50,
            p90=self.p90,
            p95=self.p95,
            p99=self.p99,
            p99_5=self.p99_5,
            histogram=self.histogram,
        )


class FindingLevel(StrEnum):
    """What a quality finding does to the advice."""

    NOTE = "note"  # shown with the evidence
    GATE = "gate"  # the metric is unusable: rules that need it must skip


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing the quality gate saw, with a count and an example."""

    resource_id: str
    metric_name: str  # "" = the resource as a whole
    check: str  # coverage | week-coverage | gap | duplicates | conflicts | out-of-range | ...
    level: FindingLevel
    count: int
    example: str
    detail: str
