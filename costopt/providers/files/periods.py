"""How often a series was sampled, where a file does not say: its most common spacing."""

from __future__ import annotations

from collections import defaultdict
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from costopt.units import SECONDS_PER_DAY

_GRIDS: Final = np.array([s for s in range(1, SECONDS_PER_DAY + 1) if SECONDS_PER_DAY % s == 0])
"""Periods that divide a day: only these have a grid in the lake."""
_SERIES: Final = ("ResourceId", "MetricName", "Statistic", "x_Device")
# Monitoring clocks drift by a second or two (Bitbrains: 299 to 303 s for 300 s).
_DRIFT: Final = 0.02
_ENOUGH: Final = 3
"""Spacings a series must show before they say more than the file's usual one."""


class Periods:
    """The period of every series met so far, decided once a series, so that it stays one series."""

    def __init__(self) -> None:
        self._known: dict[str, int] = {}
        self._usual = 0
        self._gaps: defaultdict[str, list[int]] = defaultdict(list)  # of series not yet known
        self._last: dict[str, int] = {}

    def start_file(self) -> None:
        """Forget what was usual: another file may be sampled otherwise."""
        self._usual = 0
        self._gaps.clear()
        self._last.clear()

    def learn(self, table: pa.Table) -> bool:
        """Take in the spacings of some rows; whether any was seen in this file yet.

        Args:
            table: ResourceId, Timestamp and what else tells series apart (`_SERIES`).
        """
        series, names = _coded(table)
        if all(name in self._known for name in names) and self._usual:
            return True
        seconds = pc.divide(table.column("Timestamp").cast(pa.int64()), 1_000_000).to_numpy()
        order = np.lexsort((seconds, series))
        which, times = series[order], seconds[order]
        edges = np.searchsorted(which, np.arange(len(names) + 1))
        for name, begin, end in zip(names, edges[:-1], edges[1:], strict=True):
            self._take(name, times[begin:end])
        if not self._usual:
            seen = [gap for gaps in self._gaps.values() for gap in gaps]
            self._usual = on_grid(_most_common(seen)) if seen else 0
        for name in [n for n, gaps in self._gaps.items() if len(gaps) >= _ENOUGH]:
            self._known[name] = on_grid(_most_common(self._gaps.pop(name)))
        return self._usual > 0

    def of(self, table: pa.Table) -> npt.NDArray[np.int32]:
        """Period of each row in seconds; 0 where nothing tells it."""
        series, names = _coded(table)
        known = [self._known.get(name, self._usual) for name in names]
        return np.array(known, np.int32)[series]

    def _take(self, name: str, times: npt.NDArray[np.int64]) -> None:
        """Note a series' spacings, also to where an earlier batch left it."""
        if name in self._known:
            return
        before = self._last.get(name)
        gaps = np.diff(times if before is None else np.concatenate([[before], times]))
        self._gaps[name] += gaps[gaps > 0].tolist()
        self._last[name] = int(times[-1])


def _coded(table: pa.Table) -> tuple[npt.NDArray[np.int64], list[str]]:
    """Each row's series as a number, and the series' names."""
    named = [table.column(name) for name in _SERIES if name in table.column_names]
    joined = pc.binary_join_element_wise(
        *named, "\x1f", null_handling="replace", null_replacement=""
    )
    coded = joined.combine_chunks().dictionary_encode()
    return coded.indices.to_numpy().astype(np.int64), coded.dictionary.to_pylist()


def on_grid(seconds: int) -> int:
    """The period that divides a day and lies within two percent; else the next longer one.

    On the longer grid some samples share a slot, and the first stands; on a shorter one gaps
    would break every idle run.
    """
    nearest = int(_GRIDS[np.abs(_GRIDS - seconds).argmin()])
    if abs(nearest - seconds) <= _DRIFT * seconds:
        return nearest
    return int(_GRIDS[min(int(np.searchsorted(_GRIDS, seconds)), len(_GRIDS) - 1)])


def _most_common(gaps: list[int]) -> int:
    """Of equally common spacings the shortest."""
    values, counts = np.unique(gaps, return_counts=True)
    return int(values[counts.argmax()])
