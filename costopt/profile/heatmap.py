"""Heatmaps as arrays: demand over the week, 7 x 24, of one machine or of a group.

A group's percentage is honest: demand over capacity, summed over the hours that were measured. A
machine without data in an hour counts neither in the demand nor in the capacity of that hour.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

import numpy as np
import numpy.typing as npt

from costopt.model import Profile, Resource
from costopt.profile.grouping import (
    MACHINES,
    capacity_of,
    label_of,
    measured,
    name_of,
    weight_of,
)
from costopt.profile.overview import Overview, overview
from costopt.profile.week import Array, Sums, Week, clock_of, machine_week, profile_week
from costopt.schema import metric_unit

__all__ = ["Overview", "WeekMap", "group_weeks", "machine_week_map", "overview", "week_of"]

Statistic = Literal["mean", "p95"]
THIN_BELOW: Final = 0.5
"""Fewer than this share of the expected samples say little (as quality.min_coverage)."""


@dataclass(frozen=True, slots=True, eq=False)
class WeekMap:
    """Demand over the week with what stands behind it."""

    label: str  # the machine's or the group's name
    grouped_by: str  # "" = one machine
    metric_name: str
    statistic: Statistic  # p95 of a group: the weighted mean of the machines' own P95
    unit: str
    time_zone: str  # IANA name, or week.LOCAL
    values: Array  # (7, 24), Monday first, local hours; NaN = no data
    coverage: Array  # (7, 24), share 0..1 of the expected samples that are there
    mean: float  # over all that was measured
    machines: int  # that are in it
    weight: str  # what a machine counts by: "vCPUs", "GiB of memory", ..., "machines"
    capacity: float  # of all machines in it, in `weight`
    left_out: int  # measured machines that are not in it: their `weight` is unknown
    first: datetime  # first sample
    end: datetime  # end of the window
    moved: bool  # shifted to `time_zone` from other zones
    thin_below: float

    @property
    def missing(self) -> npt.NDArray[np.bool_]:
        """(7, 24): hours of the week without any sample."""
        return np.isnan(self.values)

    @property
    def thin(self) -> npt.NDArray[np.bool_]:
        """(7, 24): hours with samples, but fewer than `thin_below` of those expected."""
        return ~self.missing & (self.coverage < self.thin_below)

    @property
    def peak(self) -> tuple[int, int, float]:
        """Day (0 = Monday), hour and value of the highest hour; a thin one only if all are."""
        firm = np.where(self.thin, np.nan, self.values)
        source = self.values if np.isnan(firm).all() else firm
        day, hour = divmod(int(np.nanargmax(source)), 24)
        return day, hour, float(source[day, hour])


def week_of(
    profile: Profile,
    title: str = "",
    *,
    statistic: Statistic = "mean",
    time_zone: str | None = None,
    thin_below: float = THIN_BELOW,
) -> WeekMap:
    """The week of one series, titled (default: its resource id).

    Args:
        time_zone: show it by this clock; None = the machine's own.
    Raises:
        InputError: no such time zone.
    """
    week = profile_week(profile, statistic)
    return _map(
        title or profile.resource_id,
        "",
        [(week, 1.0)],
        weight=MACHINES,
        metric_name=profile.metric_name,
        statistic=statistic,
        time_zone=time_zone,
        thin_below=thin_below,
    )


def machine_week_map(
    resource: Resource,
    profiles: Sequence[Profile],
    metric: str,
    statistic: Statistic = "mean",
    *,
    time_zone: str | None = None,
    thin_below: float = THIN_BELOW,
) -> WeekMap | None:
    """The week of one machine (the mean of its devices where only they are measured).

    Returns:
        None where the metric is not measured.
    Raises:
        InputError: no such time zone.
    """
    week = machine_week(profiles, metric, statistic)
    if week is None:
        return None
    return _map(
        name_of(resource),
        "",
        [(week, 1.0)],
        weight=MACHINES,
        metric_name=metric,
        statistic=statistic,
        time_zone=time_zone,
        thin_below=thin_below,
    )


def group_weeks(
    resources: Mapping[str, Resource],
    profiles: Mapping[str, Sequence[Profile]],
    by: str,
    metric: str,
    statistic: Statistic = "mean",
    *,
    time_zone: str | None = None,
    thin_below: float = THIN_BELOW,
) -> list[WeekMap]:
    """The week of each group of machines, the largest capacity first.

    Each hour is sum(value x capacity x hours) / sum(capacity x hours) over the machines with data
    in that hour; capacity is what the metric is a percentage of (vCPUs, memory, GPUs). Rates are
    means a machine, because a sum would read a gap as zero demand. Where no machine of a group has
    a known capacity all count the same; where some have, the others are left out and counted.

    Args:
        by: fleet, tag:KEY, region, type, provider or account.
        time_zone: show every machine by this clock; None = each by its own.
    Raises:
        ConfigError, InputError: `by` or `time_zone` means nothing.
    """
    group_of = label_of(by)
    groups: dict[str, list[tuple[Resource, Week]]] = {}
    for resource, week in measured(resources, profiles, metric, statistic):
        groups.setdefault(group_of(resource), []).append((resource, week))
    maps = []
    for label, members in groups.items():
        weight = weight_of(metric)
        known = [(w, c) for r, w in members if (c := capacity_of(r, weight)) is not None]
        if not known:
            weight, known = MACHINES, [(week, 1.0) for _, week in members]
        maps.append(
            _map(
                label,
                by,
                known,
                weight=weight,
                left_out=len(members) - len(known),
                metric_name=metric,
                statistic=statistic,
                time_zone=time_zone,
                thin_below=thin_below,
            )
        )
    return sorted(maps, key=lambda week: (week.weight == MACHINES, -week.capacity, week.label))


def _map(
    label: str,
    grouped_by: str,
    members: Sequence[tuple[Week, float]],
    *,
    weight: str,
    metric_name: str,
    statistic: Statistic,
    time_zone: str | None,
    thin_below: float,
    left_out: int = 0,
) -> WeekMap:
    own = [week for week, _ in members]
    weeks = [week.on_clock(time_zone) for week in own] if time_zone else own
    capacities = [capacity for _, capacity in members]
    total = Sums.of(weeks, capacities).joined([np.arange(len(weeks))])
    return WeekMap(
        label=label,
        grouped_by=grouped_by,
        metric_name=metric_name,
        statistic=statistic,
        unit=metric_unit(metric_name),
        time_zone=clock_of(weeks),
        values=total.values.reshape(7, 24),
        coverage=total.coverage.reshape(7, 24),
        mean=float(total.means[0]),
        machines=len(weeks),
        weight=weight,
        capacity=sum(capacities),
        left_out=left_out,
        first=min(week.first for week in weeks),
        end=max(week.end for week in weeks),
        moved=time_zone is not None and any(week.time_zone != time_zone for week in own),
        thin_below=thin_below,
    )
