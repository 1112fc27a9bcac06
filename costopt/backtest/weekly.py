"""Every machine's and scaling group's past weeks, from packed samples: what schedules decide on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from costopt.backtest.series import (
    CPU,
    GPU,
    GPU_MEMORY,
    NETWORK_IN,
    NETWORK_OUT,
    History,
    Series,
    Subject,
    histories,
    percent,
)
from costopt.frame.use import Samples, Spans, in_use
from costopt.model import Window
from costopt.optimize.weekly import Weekly, mean
from costopt.parallel import in_threads
from costopt.profile.clock import QUARTER_SECONDS, zone
from costopt.profile.weeks import local_weeks

_WANTED: Final = frozenset({CPU, NETWORK_IN, NETWORK_OUT, GPU, GPU_MEMORY})
_SHORT_GAP: Final = 1800
"""Seconds: a member without samples for so long still ran; for longer, it was gone."""


@dataclass(frozen=True, slots=True)
class Ask:
    """A machine whose weeks are wanted."""

    subject: Subject
    time_zone: str
    vcpus: float | None
    group: str = ""  # of which scaling group it is a member; its weeks are then the group's


@dataclass(slots=True, eq=False)
class _Sum:
    """A group's samples on one grid, added up member by member."""

    clocks: Counter[str] = field(default_factory=Counter)
    periods: set[int] = field(default_factory=set)
    vcpus: npt.NDArray[np.float32] | None = None  # in use
    members: npt.NDArray[np.uint16] | None = None  # that ran


def of_shards(
    shards: Iterable[pa.Table],
    asks: Mapping[str, Ask],
    window: Window,
    slot_minutes: int,
    *,
    threads: int,
) -> dict[str, Weekly]:
    """The weeks of each machine and each group that has CPU samples, by ResourceId or group.

    Streams: of a machine a few kilobytes stay, of a group some hundred until all members are seen.
    What no schedule of that slot can be made of is left out: GPU machines whose GPUs' use and
    memory are not measured, periods that do not fit the slot, groups of members with several.

    Args:
        shards: schema.PACKED, all rows of a resource in one table.
    """
    subjects = {resource_id: ask.subject for resource_id, ask in asks.items()}

    def work(shard: pa.Table) -> tuple[dict[str, Weekly], dict[str, _Sum]]:
        singles: dict[str, Weekly] = {}
        sums: dict[str, _Sum] = {}
        for one in histories(shard, subjects, window, _WANTED):
            ask = asks[one.subject.resource_id]
            if ask.group:
                _add(sums.setdefault(ask.group, _Sum()), one, ask)
            elif found := machine_weeks(one, ask, window, slot_minutes):
                singles[one.subject.resource_id] = found
        return singles, sums

    made: dict[str, Weekly] = {}
    groups: dict[str, _Sum] = {}
    for singles, sums in in_threads(work, shards, threads):
        made |= singles
        for group, part in sums.items():
            _merge(groups.setdefault(group, _Sum()), part)
    return made | dict(_groups(groups, window, slot_minutes))


def _first(window: Window, period: int) -> int:
    """Start of the first sample of a history, POSIX seconds."""
    return -(-int(window.start.timestamp()) // period) * period


def machine_weeks(of: History, ask: Ask, window: Window, slot_minutes: int) -> Weekly | None:
    """One machine's weeks; None where they cannot be told.

    Args:
        window: that of the history.
    """
    gpu, gpu_memory = (of.series.get(series) for series in (GPU, GPU_MEMORY))
    if of.subject.gpu and (gpu is None or gpu_memory is None):
        return None
    period = of.subject.period_seconds
    span = QUARTER_SECONDS if QUARTER_SECONDS % period == 0 else period
    first = _first(window, period)
    ahead = first % span // period  # samples that are missing before the first whole span

    def spans(series: Series) -> Samples | None:
        values = of.numbers(series)
        return None if values is None else _in_spans(values, ahead, span // period)

    cpu = spans(CPU)
    assert cpu is not None  # histories has only machines with CPU samples
    whole = Spans(
        cpu,
        spans(NETWORK_IN),
        spans(NETWORK_OUT),
        gpu=spans(GPU) if of.subject.gpu else None,
        gpu_memory=spans(GPU_MEMORY) if of.subject.gpu else None,
    )
    if not _fits(period, slot_minutes):
        return None
    used, start = in_use(whole, ask.vcpus).ravel(), first - ahead * period
    weeks = local_weeks(used, start, period, ask.time_zone, slot_minutes=slot_minutes)
    samples = np.stack([(weeks > 0).sum(axis=2), (~np.isnan(weeks)).sum(axis=2)], axis=2)
    return Weekly(
        ask.time_zone,
        _monday(start, ask.time_zone),
        samples.astype(np.min_scalar_type(weeks.shape[2])),
        network_measured=whole.network_measured,
    )


def _in_spans(values: npt.NDArray[np.float32], ahead: int, width: int) -> Samples:
    """(spans, width): the samples with missing ones put around them, to whole spans."""
    behind = -(ahead + len(values)) % width
    return np.pad(values, (ahead, behind), constant_values=np.nan).reshape(-1, width)


def _fits(period: int, slot_minutes: int) -> bool:
    slot = slot_minutes * 60
    return slot % min(period, slot) == 0 and period % min(period, slot) == 0


def _monday(first: int, time_zone: str) -> date:
    day = datetime.fromtimestamp(first, UTC).astimezone(zone(time_zone)).date()
    return day - timedelta(days=day.weekday())


def _add(to: _Sum, of: History, ask: Ask) -> None:
    """One member more."""
    used = percent(of.cpu)
    period = of.subject.period_seconds
    _fill_short_gaps(used, max(1, _SHORT_GAP // period))
    there = ~np.isnan(used)
    part = np.where(there, used, 0.0) * np.float32((ask.vcpus or 0.0) / 100)
    one = _Sum(Counter({ask.time_zone: 1}), {period}, part, there.astype(np.uint16))
    _merge(to, one)


def _merge(to: _Sum, part: _Sum) -> None:
    to.clocks += part.clocks
    to.periods |= part.periods
    if len(to.periods) > 1 or part.vcpus is None or part.members is None:
        to.vcpus = to.members = None
    elif to.vcpus is None or to.members is None:
        to.vcpus, to.members = part.vcpus, part.members
    else:
        to.vcpus, to.members = to.vcpus + part.vcpus, to.members + part.members


def _fill_short_gaps(values: npt.NDArray[np.float32], longest: int) -> None:
    """Put the sample before a short gap into it: the member ran, and so did its load."""
    there = np.flatnonzero(~np.isnan(values))
    apart = np.diff(there)
    for place in np.flatnonzero((apart > 1) & (apart <= longest)):
        values[there[place] + 1 : there[place + 1]] = values[there[place]]


def _groups(
    sums: Mapping[str, _Sum], window: Window, slot_minutes: int
) -> Iterator[tuple[str, Weekly]]:
    for group, one in sorted(sums.items()):
        (period, *_) = one.periods
        if one.vcpus is None or one.members is None or not _fits(period, slot_minutes):
            continue
        clock = min(one.clocks, key=lambda name: (-one.clocks[name], name))
        ran = one.members > 0
        first = _first(window, period)
        vcpus, counts = (
            local_weeks(np.where(ran, of, np.nan), first, period, clock, slot_minutes=slot_minutes)
            for of in (one.vcpus, one.members)
        )
        yield (
            group,
            Weekly(
                clock,
                _monday(first, clock),
                vcpus.astype(np.float32),
                mean(counts).astype(np.float32),
            ),
        )
