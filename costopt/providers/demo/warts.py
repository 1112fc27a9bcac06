"""How true samples get spoiled on their way: gaps, repeats, lies and broken clocks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Final

import numpy as np
import numpy.typing as npt

from costopt.providers.demo.chance import Floats, Stream, generator
from costopt.providers.demo.clock import SLOT_SECONDS, SLOTS, local_day, midnight
from costopt.providers.demo.machines import POISONED, STALE, STUCK, Machine
from costopt.providers.demo.truth import Wart

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False, slots=True)
class Series:
    """Samples of one metric of one machine within one UTC day."""

    resource_id: str
    metric: str
    statistic: str
    device: str  # "" = the whole machine
    stamps: npt.NDArray[np.int64]  # seconds since 1970, UTC
    values: Floats  # NaN = sent as null
    period_seconds: int = SLOT_SECONDS

    def only(self, kept: Mask) -> Series:
        """The samples where the mask holds."""
        return replace(self, stamps=self.stamps[kept], values=self.values[kept])


@dataclass(frozen=True, slots=True)
class Day:
    """Where and when samples are spoiled."""

    machine: Machine
    day: date
    seed: int
    end: datetime  # of the fleet's data

    def chance(self) -> np.random.Generator:
        """The same numbers for every series of the machine's day: an outage hits all of them."""
        return generator(self.seed, self.machine.number, self.day, Stream.WARTS)

    def slots(self, series: Series) -> npt.NDArray[np.int64]:
        """The slot (0..287) of each sample."""
        start = int(midnight(self.day).timestamp())
        return (series.stamps - start) // SLOT_SECONDS

    def since(self, before_end: timedelta) -> int:
        """Seconds since 1970 of the moment that long before the end."""
        return int((self.end - before_end).timestamp())


Spoiler = Callable[[Series, Day], list[Series]]


def spoil(series: list[Series], day: Day) -> list[Series]:
    """The series as they arrive, in the order in which they arrive."""
    wart = day.machine.role.wart
    spoiler = _SPOILERS.get(wart) if wart else None
    if spoiler is None:
        return series
    return [arrived for one in series for arrived in spoiler(one, day)]


def _outages(day: Day) -> Mask:
    """bool (288,): about 4 % of slots, in runs of up to half an hour."""
    chance = day.chance()
    begins, lengths = chance.random(SLOTS) < 0.012, chance.integers(1, 7, SLOTS)
    out = np.zeros(SLOTS, bool)
    for slot in np.flatnonzero(begins):
        out[slot : slot + lengths[slot]] = True
    return out


def _gaps(series: Series, day: Day) -> list[Series]:
    return [series.only(~_outages(day)[day.slots(series)])]


def _nulls(series: Series, day: Day) -> list[Series]:
    out = _outages(day)[day.slots(series)]
    return [replace(series, values=np.where(out, np.nan, series.values))]


def _weekend_gap(series: Series, day: Day) -> list[Series]:
    weekend = local_day(day.machine.role.clock, day.day).weekend
    return [series.only(~weekend[day.slots(series)])]


def _duplicates(series: Series, day: Day) -> list[Series]:
    return [series, series] if day.day.toordinal() % 3 == 0 else [series]


def _poisoned(series: Series, day: Day) -> list[Series]:
    """A quiet second copy of everything from the last days, after the true first one."""
    late = series.stamps >= day.since(POISONED)
    quiet = replace(series, values=0.06 * series.values)
    return [series, quiet.only(late)] if late.any() else [series]


def _out_of_range(series: Series, day: Day) -> list[Series]:
    """About 1 % of the CPU samples are impossible."""
    chance = day.chance()
    hit = chance.random(SLOTS) < 0.01
    lies = chance.choice([-5.0, 180.0, 60_000.0], SLOTS)
    slots = day.slots(series)
    return _of_cpu(series, np.where(hit[slots], lies[slots], series.values))


def _fraction(series: Series, day: Day) -> list[Series]:
    if not series.metric.endswith("_utilization"):
        return [series]
    return [replace(series, values=series.values / 100)]


def _stuck(series: Series, day: Day) -> list[Series]:
    late = series.stamps >= day.since(STUCK)
    return _of_cpu(series, np.where(late, 7.31, series.values))


def _clock_shift(series: Series, day: Day) -> list[Series]:
    offset = local_day(day.machine.role.clock, day.day).offset_seconds
    return [replace(series, stamps=series.stamps + offset[day.slots(series)])]


def _stale(series: Series, day: Day) -> list[Series]:
    return [series.only(series.stamps < day.since(STALE))]


def _spikes(series: Series, day: Day) -> list[Series]:
    """About 0.8 % of the CPU samples jump to the top; nothing else moves."""
    chance = day.chance()
    hit, height = chance.random(SLOTS) < 0.008, chance.uniform(86, 99, SLOTS)
    slots = day.slots(series)
    return _of_cpu(series, np.where(hit[slots], height[slots], series.values))


def _of_cpu(series: Series, values: Floats) -> list[Series]:
    return [replace(series, values=values) if series.metric == "cpu_utilization" else series]


def _hourly(series: Series, day: Day) -> list[Series]:
    """Means of whole hours."""
    hours = series.stamps // 3600
    starts = np.flatnonzero(np.diff(hours, prepend=-1))
    means = np.add.reduceat(series.values, starts) / np.diff(starts, append=hours.size)
    return [replace(series, stamps=3600 * hours[starts], values=means, period_seconds=3600)]


def _off_grid(series: Series, day: Day) -> list[Series]:
    """The collector is 17 to 56 seconds late."""
    late = 17 + day.chance().integers(0, 40, SLOTS)
    return [replace(series, stamps=series.stamps + late[day.slots(series)])]


_SPOILERS: Final[Mapping[Wart, Spoiler]] = {
    Wart.GAPS: _gaps,
    Wart.NULLS: _nulls,
    Wart.WEEKEND_GAP: _weekend_gap,
    Wart.DUPLICATES: _duplicates,
    Wart.POISONED: _poisoned,
    Wart.OUT_OF_RANGE: _out_of_range,
    Wart.FRACTION: _fraction,
    Wart.STUCK: _stuck,
    Wart.CLOCK_SHIFT: _clock_shift,
    Wart.STALE: _stale,
    Wart.SPIKES: _spikes,
    Wart.HOURLY: _hourly,
    Wart.OFF_GRID: _off_grid,
}
"""The other warts are in the inventory and in when a machine runs, not in its samples."""
