"""Answers as samples of machines: one value a machine, device and period, and never two."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from costopt import schema
from costopt.model import Series
from costopt.providers.base import Problem
from costopt.providers.prometheus.fleet import Fleet, device_of
from costopt.providers.prometheus.measures import Measure
from costopt.providers.prometheus.queries import Line, by_labels

_HANDOVER: int = 3
"""Periods that a target and its successor may share: a pod that is replaced is no second one."""

_PAIR: Final = ("cpu_utilization", "memory_utilization")
_LAG: Final = 12
"""Periods that CPU may lack at the end: a counter that begins anew lacks one."""
_SHOWN: Final = 5  # machines that a notice names


@dataclass(frozen=True, slots=True)
class _Own:
    """A line with the machine and device it is about."""

    machine: str
    device: str
    line: Line

    @property
    def order(self) -> tuple[object, ...]:
        first = int(self.line.times[0]) if len(self.line.times) else 0
        return self.machine, self.device, by_labels(self.line.labels), first


@dataclass
class Lines:
    """Turns answers into samples, and counts what could not be one."""

    fleet: Fleet
    period: int
    held: Mapping[Series, datetime]
    _twice: Counter[str] = field(default_factory=Counter)  # machine -> periods told twice
    _markers: Counter[str] = field(default_factory=Counter)  # metric -> values that are none
    _sizeless: set[str] = field(default_factory=set)
    _off_grid: int = 0
    _told: dict[str, dict[str, tuple[int, int]]] = field(default_factory=dict)
    """Of each metric's means: machine -> its first and last moment (seconds)."""

    def table(
        self,
        measure: Measure,
        since: Mapping[str, int],
        lines: Iterable[Line],
        *,
        earlier: bool = False,
    ) -> pa.Table:
        """The samples of these machines from their seconds on (schema.METRICS), by machine, device
        and time; what the lake holds already is left out, unless they are `earlier` ones.

        Of two targets that tell of one machine at one time the first by labels counts.
        """
        owned = [
            _Own(machine, device_of(line.labels) if measure.source == "dcgm" else "", line)
            for line in lines
            if (machine := self.fleet.names.owner(line.labels, measure.source)) in since
        ]
        groups: dict[tuple[str, str], list[Line]] = {}
        for own in sorted(owned, key=lambda own: own.order):
            groups.setdefault((own.machine, own.device), []).append(own.line)
        parts = []
        for (machine, device), group in groups.items():
            wanted = since[machine]
            start = wanted if earlier else self._start(measure, machine, device, wanted)
            times, values = self._merged(measure, machine, group, start)
            if len(times):
                parts.append((machine, device, times, values))
                self._note(measure, machine, times)
        return _table(measure, self.period, parts)

    def problems(self, failed: Collection[str] = ()) -> list[Problem]:
        """What was left out, for people.

        Args:
            failed: metrics that were not told to their end.
        """
        found = [
            Problem(
                machine,
                "several targets tell of it at the same time, of which the first by labels counts; "
                "if they are different machines, choose another --machine-label",
                count,
            )
            for machine, count in sorted(self._twice.items())
        ]
        found += [
            Problem(metric, "values that stand for 'not available' were left out", count)
            for metric, count in sorted(self._markers.items())
        ]
        found += [
            Problem(machine, "its size is not known, so its use of it is not either", fatal=False)
            for machine in sorted(self._sizeless)
        ]
        if _PAIR[0] not in failed and (idle := self._without_cpu()):
            more = ", ..." if len(idle) > _SHOWN else ""
            what = (
                f"memory is measured, but no CPU: {', '.join(idle[:_SHOWN])}{more}; rates need two "
                f"scrapes within {self.period} s: scrape them more often, or give a longer --period"
            )
            found.append(Problem("cpu_utilization", what, len(idle)))
        if self._off_grid:
            what = "the server answers for other moments than were asked: left out"
            found.append(Problem("query_range", what, self._off_grid, fatal=True))
        return found

    def _note(self, measure: Measure, machine: str, times: NDArray[np.int64]) -> None:
        if measure.metric in _PAIR and measure.statistic == "mean":
            told = self._told.setdefault(measure.metric, {})
            first, last = int(times[0]), int(times[-1])
            earlier = told.get(machine, (first, last))
            told[machine] = min(first, earlier[0]), max(last, earlier[1])

    def _without_cpu(self) -> list[str]:
        """Machines whose memory was told for long after the last of their CPU."""
        cpu, found = self._told.get(_PAIR[0], {}), []
        for machine, (first, last) in sorted(self._told.get(_PAIR[1], {}).items()):
            held = self.held.get(Series(machine, _PAIR[0], "mean", ""))
            since = max(first, int(held.timestamp()) if held else first)
            if last - cpu.get(machine, (since, since))[1] >= _LAG * self.period:
                found.append(machine)
        return found

    def _start(self, measure: Measure, machine: str, device: str, since: int) -> int:
        held = self.held.get(Series(machine, measure.metric, measure.statistic, device))
        return since if held is None else max(since, int(held.timestamp()))

    def _merged(
        self, measure: Measure, machine: str, group: list[Line], start: int
    ) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Starts and values of one series, ascending."""
        size = self._size(measure, machine)
        if len(group) == 1:
            return self._sound(measure, group[0], start, size)
        known: dict[int, float] = {}
        labels: dict[int, object] = {}
        for line in group:
            times, values = self._sound(measure, line, start, size)
            again = 0
            for at, value in zip(times.tolist(), values.tolist(), strict=True):
                if at not in known:
                    known[at], labels[at] = value, line.labels
                else:
                    again += labels[at] != line.labels
            if again > _HANDOVER:
                self._twice[machine] += again
        order = sorted(known)
        return np.array(order, np.int64), np.array([known[at] for at in order], np.float64)

    def _size(self, measure: Measure, machine: str) -> float | None:
        """By what the values are divided: its cores or memory; None = it is not known."""
        if measure.divided_by is None:
            return 1.0
        size: float | None = getattr(self.fleet.machines[machine], measure.divided_by)
        if not size:
            self._sizeless.add(machine)
            return None
        return size / 100

    def _sound(
        self, measure: Measure, line: Line, start: int, size: float | None
    ) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """The line's samples that are measurements: NaN is missing, and never zero."""
        times, values = line.times - self.period, line.values
        on_grid = times % self.period == 0
        self._off_grid += int((~on_grid).sum())
        usable = on_grid & (times >= start) & np.isfinite(values)
        if size is None:
            return times[:0], values[:0]
        marker = usable & (values > measure.highest)
        if marker.any():
            self._markers[measure.metric] += int(marker.sum())
        usable &= ~marker
        times, values = times[usable], values[usable] / size
        # rate() stretches what it saw to the whole period, and so may say a little less than idle.
        if schema.is_percent(measure.metric):
            values = np.where((values < 0) & (values > -1), 0.0, values)
        return times, values


def _table(
    measure: Measure,
    period: int,
    parts: list[tuple[str, str, NDArray[np.int64], NDArray[np.float64]]],
) -> pa.Table:
    if not parts:
        return schema.empty(schema.METRICS)
    counts = [len(times) for _, _, times, _ in parts]
    rows = sum(counts)
    which = pa.array(np.repeat(np.arange(len(parts), dtype=np.int32), counts))
    micros = np.concatenate([times for _, _, times, _ in parts]) * 1_000_000
    columns = {
        "ResourceId": pa.array([machine for machine, _, _, _ in parts]).take(which),
        "MetricName": pa.repeat(measure.metric, rows),
        "Statistic": pa.repeat(measure.statistic, rows),
        "Timestamp": pa.array(micros).cast(pa.timestamp("us", tz="UTC")),
        "PeriodSeconds": pa.array(np.full(rows, period, np.int32)),
        "Value": pa.array(np.concatenate([v for _, _, _, v in parts]).astype(np.float32)),
        "x_Device": pa.array([device or None for _, device, _, _ in parts], pa.string()).take(
            which
        ),
    }
    return schema.conform(pa.table(columns), schema.METRICS)
