"""Resources out of metrics files: one row an id, and one more for every lasting change of its size.

Traces carry a machine's size in every row, and jitter: a balloon driver moves the memory, a sample
taken amid a change shows a size that never was. So a size counts where it lasts, and every other
column shows its most frequent value.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from costopt import schema
from costopt.errors import InputError
from costopt.frame.intake import read
from costopt.frame.values import plain, values_of
from costopt.providers.files.columns import REQUIRED, Plan, check_complete, plan
from costopt.providers.files.evaluate import Rows, evaluate, kept, notation
from costopt.providers.files.reading import Reading
from costopt.providers.files.tables import made
from costopt.providers.mapping import FileMapping

_MOST_RUNS: Final = 1_000_000
"""Changes over all files; beyond it a column is a measurement, not a size."""


@dataclass(frozen=True, slots=True)
class _Run:
    """Consecutive samples of one resource that show the same row."""

    row: dict[str, Any]
    start: datetime
    end: datetime  # of the last sample
    samples: int


class Derived:
    """Gathers every resource's runs over all files, then tells its history."""

    def __init__(self, mapping: FileMapping) -> None:
        self._part = mapping.resources
        self._metrics = mapping.metrics
        self._runs: defaultdict[str, list[_Run]] = defaultdict(list)
        self._count = 0

    def add(self, reading: Reading) -> None:
        """Read one metrics file's resources.

        Raises:
            InputError: a required column is not there, or a size changes with every sample.
        """
        laid = self._laid(reading)
        conditions = (*self._metrics.skip_where, *self._part.skip_where)
        for batch in reading.file.batches(laid.wanted):
            rows = kept(batch, conditions, self._metrics.csv)
            reading.see(batch.rows, skipped=batch.rows - len(rows.number))
            reading.keep(self._add(rows, laid, reading))

    def table(self) -> pa.Table:
        """schema.RESOURCES, sorted by id and time; every row says since when it was seen."""
        settle = timedelta(hours=self._part.settle_hours)
        rows = [
            row
            for _, runs in sorted(self._runs.items())
            for row in _history(runs, self._part.resized_by, settle)
        ]
        return pa.Table.from_pylist(rows, schema=schema.RESOURCES)

    def _laid(self, reading: Reading) -> Plan:
        """The resources' columns, with the metrics' id and time."""
        header, names = reading.header, reading.file.names
        metrics = plan("metrics", names, self._metrics, header)
        check_complete("metrics", metrics, names, header)
        own = plan("resources", names, self._part, header)
        shared = {name: metrics.sources[name] for name in REQUIRED["metrics"]}
        whole = Plan({**own.sources, **shared}, (), (*metrics.tested, *own.tested))
        check_complete("resources", whole, names, header)
        return whole

    def _add(self, rows: Rows, laid: Plan, reading: Reading) -> int:
        """Gather a batch's runs; how many of its rows were of use."""
        path, csv = reading.file.path, self._metrics.csv
        when = laid.sources["Timestamp"]
        ids = read(values_of(evaluate(laid.sources["ResourceId"], rows, path, csv)), pa.string())
        times = read(
            values_of(evaluate(when, rows, path, csv)), schema.TIMESTAMP, notation(when, csv)
        )
        usable = np.flatnonzero(_valid(ids.values) & _valid(times.values))
        if not len(usable):
            return 0
        moments = times.values.take(pa.array(usable)).cast(pa.int64()).to_numpy()
        sizes = (c for n, s in laid.sources.items() if n != "Timestamp" for c in s.columns)
        codes = [_codes(rows.columns[c]) for c in dict.fromkeys(sizes)]
        codes = [_codes(ids.values), *codes]
        order = np.lexsort((moments, codes[0][usable]))
        starts, lengths = _runs([code[usable][order] for code in codes])
        begins, ends = moments[order][starts], moments[order][starts + lengths - 1]
        spans = list(zip(map(_moment, begins), map(_moment, ends), lengths.tolist(), strict=True))
        self._gather(_taken(rows, usable[order[starts]]), spans, laid, reading)
        return len(usable)

    def _gather(
        self, first: Rows, spans: list[tuple[datetime, datetime, int]], laid: Plan, reading: Reading
    ) -> None:
        columns = Plan({n: s for n, s in laid.sources.items() if n != "Timestamp"}, (), ())
        intake = made("resources", first, columns, reading.file, self._part)
        reading.note(intake.misread, first.number)
        self._count += len(spans)
        if self._count > _MOST_RUNS:
            raise InputError(
                f"the resources' columns change {_MOST_RUNS:,} times and more: one of them is a "
                "measurement, not a size",
                where=reading.header,
                hint="name as resources.columns only what a machine is, not what it does",
            )
        for row, number in zip(intake.table.to_pylist(), intake.kept, strict=True):
            self._runs[row["ResourceId"]].append(_Run(row, *spans[number]))


def _history(
    runs: list[_Run], resized_by: tuple[str, ...], settle: timedelta
) -> Iterator[dict[str, Any]]:
    """One row for each size that lasted, in order of time."""
    runs = sorted(runs, key=lambda run: (run.start, run.end))
    spells = _spells(runs, resized_by)
    ends = [*(spell[0].start for spell in spells[1:]), _end(spells[-1])]
    lasting = [s for s, end in zip(spells, ends, strict=True) if end - s[0].start >= settle]
    lasting = lasting or [max(spells, key=lambda s: sum(run.samples for run in s))]
    since = runs[0].start
    for size in _spells([run for spell in lasting for run in spell], resized_by):
        row = {name: _usual(size, name) for name in schema.RESOURCES.names}
        yield row | {"x_ObservedAt": since if size[0] is lasting[0][0] else size[0].start}


def _end(spell: list[_Run]) -> datetime:
    """When the last sample's period ends, by the spell's own spacing."""
    start, end = spell[0].start, max(run.end for run in spell)
    samples = sum(run.samples for run in spell)
    return end + (end - start) / (samples - 1) if samples > 1 else end


def _spells(runs: list[_Run], resized_by: tuple[str, ...]) -> list[list[_Run]]:
    """Neighbouring runs of the same size together."""
    found: list[list[_Run]] = []
    for run in runs:
        if found and all(found[-1][0].row[name] == run.row[name] for name in resized_by):
            found[-1].append(run)
        else:
            found.append([run])
    return found


def _usual(spell: list[_Run], name: str) -> Any:
    """The column's most frequent value; of equally frequent ones the earliest."""
    counts: Counter[str] = Counter()
    for run in spell:
        counts[repr(run.row[name])] += run.samples
    usual = counts.most_common(1)[0][0]
    return next(run.row[name] for run in spell if repr(run.row[name]) == usual)


def _runs(
    codes: list[npt.NDArray[np.int64]],
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """First row and length of each stretch over which no code changes."""
    changes = np.any([np.diff(code) != 0 for code in codes], axis=0)
    starts = np.concatenate([[0], np.flatnonzero(changes) + 1])
    return starts, np.diff(np.concatenate([starts, [len(codes[0])]]))


def _codes(array: pa.Array) -> npt.NDArray[np.int64]:
    coded = plain(array).values.dictionary_encode(null_encoding="encode")
    codes: npt.NDArray[np.int64] = coded.indices.to_numpy().astype(np.int64)
    return codes


def _valid(array: pa.Array) -> npt.NDArray[np.bool_]:
    mask: npt.NDArray[np.bool_] = array.is_valid().to_numpy(zero_copy_only=False)
    return mask


def _taken(rows: Rows, at: npt.NDArray[np.int64]) -> Rows:
    index = pa.array(at)
    return Rows({n: a.take(index) for n, a in rows.columns.items()}, rows.number[at])


def _moment(microseconds: np.int64) -> datetime:
    return datetime.fromtimestamp(0, UTC) + timedelta(microseconds=int(microseconds))
