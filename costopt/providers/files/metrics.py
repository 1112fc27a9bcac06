"""Samples out of one file: long rows, one a metric and time, or wide ones, one a time."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from costopt import schema
from costopt.errors import InputError
from costopt.frame.intake import Intake, Notation, read, take_in, told
from costopt.frame.values import Read, either, marked, values_of
from costopt.model import Window
from costopt.providers.files.columns import Plan, check_complete, key, nearest, plan, require
from costopt.providers.files.evaluate import Rows, evaluate, kept, notation
from costopt.providers.files.periods import Periods, on_grid
from costopt.providers.files.reading import Reading
from costopt.providers.files.sound import replaced
from costopt.providers.files.tables import columns_of
from costopt.providers.mapping import Metrics, Value

_NAMES: Final[Mapping[str, str]] = MappingProxyType({key(n): n for n in schema.METRIC_CATALOGUE})
_STATISTICS: Final[Mapping[str, str]] = MappingProxyType(
    {"mean": "mean", "average": "mean", "avg": "mean", "maximum": "max", "max": "max"}
)
_HELD: Final = 2_000_000
"""Rows held back at most while no series has shown a second sample."""


def samples(
    reading: Reading, part: Metrics, periods: Periods, window: Window | None
) -> Iterator[pa.Table]:
    """The samples of a metrics file that start inside the window (schema.METRICS).

    A missing value is no sample: it is left out, never zero.

    Raises:
        InputError: a required column is not there, or no column holds a metric.
    """
    file = _MetricsFile(reading, part, periods)
    for base, rows in file.spaced():
        tables = [*(file.wide(base, rows) if file.values else file.long(base, rows))]
        reading.keep(base.table.num_rows if file.values else tables[0].num_rows)
        for table in tables:
            yield table if window is None else _within(table, window)


class _MetricsFile:
    """What one metrics file's columns mean, and its batches made into ours."""

    def __init__(self, reading: Reading, part: Metrics, periods: Periods) -> None:
        names, header = reading.file.names, reading.header
        self._reading = reading
        self._part = part
        self._periods = periods
        laid = plan("metrics", names, part, header)
        check_complete("metrics", laid, names, header)
        self.values = _values(laid, part, names, header)
        """The metrics of a wide row; () where rows are long."""
        one = ("MetricName", "Value", "Statistic") if self.values else ()
        shared = {ours: source for ours, source in laid.sources.items() if ours not in one}
        self._laid = Plan(shared, laid.unknown, laid.tested)
        measured = (column for value in self.values for column in value.columns)
        self._wanted = tuple(dict.fromkeys((*self._laid.wanted, *measured)))

    def spaced(self) -> Iterator[tuple[Intake, Rows]]:
        """The file's batches with a period each, held back until a first spacing was seen."""
        self._periods.start_file()
        given = "PeriodSeconds" in self._laid.sources
        held: list[tuple[Intake, Rows]] = []
        for batch in self._reading.file.batches(self._wanted):
            rows = kept(batch, self._part.skip_where, self._part.csv)
            self._reading.see(batch.rows, skipped=batch.rows - len(rows.number))
            base = self._base(rows)
            held.append((base, rows))
            told = given or self._periods.learn(base.table)
            if told or sum(len(rows.number) for _, rows in held) > _HELD:
                yield from ((self._timed(*one), one[1]) for one in held)
                held = []
        yield from ((self._timed(*one), one[1]) for one in held)

    def _base(self, rows: Rows) -> Intake:
        """What all samples of a row share, and of a long row its value."""
        sources = self._laid.sources
        given = columns_of(self._laid, rows, self._reading.file, self._part)
        fields = pa.schema([field for field in schema.METRICS if field.name in sources])
        required = {f.name for f in fields if not f.nullable} - {"Statistic"}
        written = {ours: notation(source, self._part.csv) for ours, source in sources.items()}
        intake = take_in(given, fields, required=required, notation=written)
        self._reading.note(intake.misread, rows.number)
        return intake

    def _timed(self, base: Intake, rows: Rows) -> Intake:
        """With a period that has a grid: the one given, or the series' usual spacing."""
        table, number = base.table, rows.number[base.kept]
        if "PeriodSeconds" in table.column_names:
            period = self._gridded(table.column("PeriodSeconds").combine_chunks(), number)
            table = replaced(table, "PeriodSeconds", period)
            complaint = "is not more than 0"
        else:
            period = pa.array(self._periods.of(table))
            table = table.append_column("PeriodSeconds", period)
            complaint = "is not given, and a single sample does not tell it"
        unknown = marked(pc.equal(period, 0))
        if unknown is None:
            return Intake(table, base.kept, ())
        self._reading.note([told("PeriodSeconds", complaint, unknown, refused=True)], number)
        stays = pc.invert(unknown)
        at = base.kept[stays.to_numpy(zero_copy_only=False)]
        return Intake(table.filter(stays), at, ())

    def _gridded(self, given: pa.Array, number: npt.NDArray[np.int64]) -> pa.Array:
        """The periods given, those without a grid by the nearest that has one; 0 = impossible."""
        coded = given.dictionary_encode()
        gridded = [on_grid(s) if s > 0 else 0 for s in coded.dictionary.to_pylist()]
        period = pa.array(gridded, pa.int32()).take(coded.indices)
        moved = marked(pc.and_(pc.not_equal(period, given), pc.greater(period, 0)))
        if moved is not None:
            one = told("PeriodSeconds", "does not divide a day evenly", moved, given)
            near = str(period[pc.index(moved, True).as_py()])
            self._reading.note([replace(one, instead=near)], number)
        return period

    def long(self, base: Intake, rows: Rows) -> Iterator[pa.Table]:
        """One table, a row a sample."""
        table = base.table
        name = table.column("MetricName").combine_chunks().dictionary_encode()
        known = [_NAMES.get(key(given), given) for given in name.dictionary.to_pylist()]
        table = replaced(table, "MetricName", pa.array(known, pa.string()).take(name.indices))
        there = table.column("Value").is_valid().combine_chunks()
        if "Statistic" in table.column_names:
            given = table.column("Statistic").combine_chunks()
            statistic, unknown = _statistic(given)
            table = replaced(table, "Statistic", statistic)
            if unknown is not None:
                one = told("Statistic", "is neither mean nor max", unknown, given, refused=True)
                self._reading.note([one], rows.number[base.kept])
                there = pc.and_not(there, unknown)
        else:
            table = table.append_column("Statistic", pa.repeat("mean", table.num_rows))
        yield schema.conform(table.filter(there), schema.METRICS)

    def wide(self, base: Intake, rows: Rows) -> Iterator[pa.Table]:
        """One table a metric."""
        whole = len(base.kept) == len(rows.number)
        for value in self.values:
            found = self._value(value, rows)
            found = found if whole else found.take(pa.array(base.kept))
            table = base.table.append_column("Value", found)
            table = table.filter(found.is_valid()) if found.null_count else table
            for name, constant in (("MetricName", value.metric), ("Statistic", value.statistic)):
                table = table.append_column(name, pa.repeat(constant, table.num_rows))
            yield schema.conform(table, schema.METRICS)

    def _value(self, value: Value, rows: Rows) -> pa.Array:
        csv = self._part.csv
        given = evaluate(value, rows, self._reading.file.path, csv)
        early = given if isinstance(given, Read) else Read(given)
        found = read(values_of(given), pa.float32(), Notation(csv.decimal, csv.thousands))
        misread = either(early.misread, found.misread)
        if misread is not None:
            origin = early.values if early.origin is None else early.origin
            column = value.column or value.metric
            self._reading.note([told(column, "is not a number", misread, origin)], rows.number)
        return found.values


def _values(laid: Plan, part: Metrics, names: Sequence[str], header: str) -> tuple[Value, ...]:
    """The metrics of a wide row; () where rows are long.

    Raises:
        InputError: neither long nor wide.
    """
    for column in (c for value in part.values for c in value.columns):
        require(column, names, header)
    long = {"MetricName", "Value"} & laid.sources.keys()
    if part.values or len(long) == 2:
        return part.values
    found = tuple(v for v in map(_named_metric, laid.unknown) if v is not None)
    if found and "Value" not in long:
        return found
    missing = "MetricName" if "Value" in long else "Value"
    raise InputError(
        f"no column {missing}, and none named after a metric such as cpu_utilization"
        + nearest(missing, laid.unknown),
        where=header,
        hint=f"the file has: {', '.join(names[:20])}; say in a mapping file (--mapping) what it "
        "holds: metrics: {values: [{metric: cpu_utilization, column: ...}]}",
    )


def _named_metric(column: str) -> Value | None:
    """The metric a column is named after: cpu_utilization, CPUUtilization, cpu_utilization_max."""
    plain = key(column)
    if plain in _NAMES:
        return Value(metric=_NAMES[plain], column=column)
    match = re.fullmatch(rf"(.+?)({'|'.join(_STATISTICS)})", plain)
    if match is None or match[1] not in _NAMES:
        return None
    statistic = _STATISTICS[match[2]]
    return Value.model_validate(
        {"metric": _NAMES[match[1]], "column": column, "statistic": statistic}
    )


def _statistic(given: pa.Array) -> tuple[pa.Array, pa.Array | None]:
    """mean or max (nothing said is mean), and which rows say something else."""
    index = pc.index_in(pc.utf8_lower(given), pa.array(list(_STATISTICS)))
    known = pc.take(pa.array(list(_STATISTICS.values())), index)
    unknown = marked(pc.and_(pc.is_valid(given), pc.is_null(known)))
    return pc.coalesce(known, "mean"), unknown


def _within(table: pa.Table, window: Window) -> pa.Table:
    start = table.column("Timestamp")
    inside = pc.and_(
        pc.greater_equal(start, pa.scalar(window.start, schema.TIMESTAMP)),
        pc.less(start, pa.scalar(window.end, schema.TIMESTAMP)),
    )
    return table.filter(inside)
