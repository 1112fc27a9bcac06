"""How often a series was sampled, where a file does not say: its most common spacing."""

from __future__ import annotations

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

    def start_file(self) -> None:
        """Forget what was usual: another file may be sampled otherwise."""
        self._usual = 0

    def of(self, table: pa.Table) -> npt.NDArray[np.int32]:
        """Period of each row in seconds; 0 where nothing tells it.

        Args:
            table: ResourceId, Timestamp and what else tells series apart (`_SERIES`).
        """
        named = [table.column(name) for name in _SERIES if name in table.column_names]
        joined = pc.binary_join_element_wise(
            *named, "\x1f", null_handling="replace", null_replacement=""
        )
        coded = joined.combine_chunks().dictionary_encode()
        seconds = pc.divide(table.column("Timestamp").cast(pa.int64()), 1_000_000)
        series = coded.indices.to_numpy().astype(np.int64)
        return self._of(series, coded.dictionary.to_pylist(), seconds.to_numpy())

    def _of(
        self, series: npt.NDArray[np.int64], names: list[str], seconds: npt.NDArray[np.int64]
    ) -> npt.NDArray[np.int32]:
        if any(name not in self._known for name in names):
            self._learn(series, names, seconds)
        known = [self._known.get(name, self._usual) for name in names]
        return np.array(known, np.int32)[series]

    def _learn(
        self, series: npt.NDArray[np.int64], names: list[str], seconds: npt.NDArray[np.int64]
    ) -> None:
        order = np.lexsort((seconds, series))
        which, gap = series[order][1:], np.diff(seconds[order])
        inside = (np.diff(series[order]) == 0) & (gap > 0)
        which, gap = which[inside], gap[inside]
        if not len(gap):
            return
        self._usual = self._usual or on_grid(_most_common(gap))
        starts = np.searchsorted(which, np.arange(len(names) + 1))
        for name, begin, end in zip(names, starts[:-1], starts[1:], strict=True):
            if name not in self._known and end - begin >= _ENOUGH:
                self._known[name] = on_grid(_most_common(gap[begin:end]))


def on_grid(seconds: int) -> int:
    """The period that divides a day and lies within two percent; else the next longer one.

    On the longer grid some samples share a slot, and the first stands; on a shorter one gaps
    would break every idle run.
    """
    nearest = int(_GRIDS[np.abs(_GRIDS - seconds).argmin()])
    if abs(nearest - seconds) <= _DRIFT * seconds:
        return nearest
    return int(_GRIDS[min(int(np.searchsorted(_GRIDS, seconds)), len(_GRIDS) - 1)])


def _most_common(gaps: npt.NDArray[np.int64]) -> int:
    values, counts = np.unique(gaps, return_counts=True)
    return int(values[counts.argmax()])
