"""The fleet at a glance: machines by hours of the week, look-alikes side by side."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

import numpy as np
import numpy.typing as npt

from costopt.errors import InsufficientData
from costopt.model import Profile, Resource
from costopt.profile.grouping import label_of, measured, name_of, nothing_of
from costopt.profile.likeness import Rows, alike
from costopt.profile.rhythm import rhythm_of
from costopt.profile.week import Array, Sums, clock_of
from costopt.schema import is_percent, metric_unit

MAX_ROWS: Final = 400
"""More rows than this are thinner than two pixels of a slide."""


@dataclass(frozen=True, slots=True)
class Strip:
    """What the rows of an overview belong to, for a coloured strip beside them."""

    name: str  # provider, team, ...
    values: tuple[str, ...]  # of each row; where a row is many machines: of most of them
    nothing: str  # the value of those that belong to none


@dataclass(frozen=True, slots=True)
class Cluster:
    """Rows [start, stop) of an overview that look alike."""

    start: int
    stop: int
    machines: int
    mean: float
    rhythm: str  # "steady", "weekdays 08-18 h", ...


@dataclass(frozen=True, slots=True, eq=False)
class Overview:
    """Rows x 168 hours of week, with what the rows are."""

    metric_name: str
    statistic: Literal["mean", "p95"]
    unit: str
    time_zone: str  # IANA name, or week.LOCAL
    values: Array  # (rows, 168); NaN = no data
    coverage: Array  # (rows, 168), share 0..1 of the expected samples that are there
    means: Array  # (rows,), over all that was measured
    ids: tuple[tuple[str, ...], ...]  # resource ids in each row
    labels: tuple[str, ...]  # of each row; "" where a row is several machines
    strips: tuple[Strip, ...]
    clusters: tuple[Cluster, ...]
    first: datetime  # first sample
    end: datetime  # end of the window
    moved: bool  # shifted to `time_zone` from other zones
    thin_below: float

    @property
    def machines(self) -> int:
        """In all rows."""
        return sum(len(row) for row in self.ids)

    @property
    def mean(self) -> float:
        """Over all machines, each counting the same."""
        sizes = [len(row) for row in self.ids]
        return float(np.average(self.means, weights=sizes))

    @property
    def missing(self) -> npt.NDArray[np.bool_]:
        """(rows, 168): hours of the week without any sample."""
        return np.isnan(self.values)

    @property
    def thin(self) -> npt.NDArray[np.bool_]:
        """(rows, 168): hours with samples, but fewer than `thin_below` of those expected."""
        return ~self.missing & (self.coverage < self.thin_below)


def overview(
    resources: Mapping[str, Resource],
    profiles: Mapping[str, Sequence[Profile]],
    metric: str,
    statistic: Literal["mean", "p95"] = "mean",
    *,
    by: str = "tag:team",
    time_zone: str | None = None,
    max_rows: int = MAX_ROWS,
    thin_below: float = 0.5,
) -> Overview:
    """Every machine with that metric as one row, look-alikes together.

    Of more than `max_rows` machines, neighbours share a row: the mean over the hours they have.

    Args:
        by: what the second strip shows (see `label_of`); the first shows the provider.
        time_zone: show every machine by this clock; None = each by its own.
    Raises:
        InsufficientData: nothing measured that metric.
        ConfigError, InputError: `by` or `time_zone` means nothing.
    """
    labels = {key: label_of(key) for key in dict.fromkeys(("provider", by))}
    members = list(measured(resources, profiles, metric, statistic))
    if not members:
        raise InsufficientData(
            f"no machine has {metric} in this window",
            hint="costopt profile lists what is measured",
        )
    fleet = [resource for resource, _ in members]
    weeks = [week.on_clock(time_zone) if time_zone else week for _, week in members]
    sums = Sums.of(weeks)
    # Of a rate's rare highest values the shapes of all others must not look flat.
    scale = 100.0 if is_percent(metric) else float(np.nanquantile(sums.values, 0.99)) or 1.0
    order = alike(sums.values, scale)
    bands = [list(_bands(cluster, max_rows / len(fleet))) for cluster in order]
    rows = [band for cluster in bands for band in cluster]
    shown = sums.joined(rows)
    return Overview(
        metric_name=metric,
        statistic=statistic,
        unit=metric_unit(metric),
        time_zone=clock_of(weeks),
        values=shown.values,
        coverage=shown.coverage,
        means=shown.means,
        ids=tuple(tuple(fleet[i].resource_id for i in row) for row in rows),
        labels=tuple(name_of(fleet[row[0]]) if len(row) == 1 else "" for row in rows),
        strips=tuple(
            Strip(
                key.removeprefix("tag:"),
                tuple(_most(label(fleet[i]) for i in row) for row in rows),
                nothing_of(key),
            )
            for key, label in labels.items()
        ),
        clusters=tuple(_clusters(bands, sums.joined(order), scale)),
        first=min(week.first for week in weeks),
        end=max(week.end for week in weeks),
        moved=time_zone is not None and any(week.time_zone != time_zone for _, week in members),
        thin_below=thin_below,
    )


def _bands(cluster: Rows, share: float) -> Iterator[Rows]:
    """The cluster's machines in its share of the picture's rows, neighbours together."""
    yield from np.array_split(cluster, max(1, min(len(cluster), int(len(cluster) * share))))


def _most(labels: Iterable[str]) -> str:
    """The commonest, of several the first by name."""
    counts = Counter(labels)
    return min(counts, key=lambda label: (-counts[label], label))


def _clusters(bands: list[list[Rows]], weeks: Sums, scale: float) -> Iterator[Cluster]:
    start = 0
    for rows, week, mean in zip(bands, weeks.values, weeks.means, strict=True):
        stop = start + len(rows)
        machines = sum(len(row) for row in rows)
        yield Cluster(start, stop, machines, float(mean), rhythm_of(week, scale))
        start = stop
