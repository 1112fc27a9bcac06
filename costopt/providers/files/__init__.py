"""Anyone's own data: CSV and Parquet files as a provider (docs/providers/files.md)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, ClassVar, Self

import pyarrow as pa
import pyarrow.compute as pc
from pydantic import BaseModel, ConfigDict, Field, model_validator

from costopt import schema
from costopt.errors import InputError
from costopt.frame import focus
from costopt.model import Window
from costopt.providers import mapping as mappings
from costopt.providers.base import Problem
from costopt.providers.files import metrics, tables
from costopt.providers.files.derive import Derived
from costopt.providers.files.opening import found, opened
from costopt.providers.files.periods import Periods
from costopt.providers.files.reading import Reading
from costopt.units import counted


class FilesSettings(BaseModel):
    """Collect CSV and Parquet files of your own.

    Each option names a file (CSV may be gzip) or a folder of them. Columns are found under
    costopt's names (x_vCPUs, vcpus, ...), FOCUS's in a bill, or those that a mapping file gives.
    docs/providers/files.md explains tables and mappings.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    resources: Path | None = Field(None, description="machines and other resources")
    metrics: Path | None = Field(
        None, description="samples of what they do: CPU, memory, network and so on"
    )
    charges: Path | None = Field(None, description="a bill in FOCUS 1.0 to 1.4")
    prices: Path | None = Field(None, description="prices of machine types for an hour")
    shapes: Path | None = Field(None, description="machine types: their vCPUs, memory and so on")
    rates: Path | None = Field(
        None, description="what a GiB of storage and of traffic costs, by provider and region"
    )
    exchange: Path | None = Field(None, description="what currencies are worth in one another")
    mapping: Path | None = Field(None, description="YAML that says what other people's columns are")

    @model_validator(mode="after")
    def _something(self) -> Self:
        tables_ = [name for name in type(self).model_fields if name != "mapping"]
        if not any(getattr(self, name) for name in tables_):
            named = ", ".join(f"--{name}" for name in tables_)
            raise ValueError(f"needs at least one of {named}")
        return self


class FilesProvider:
    """The files that the settings name (see Provider)."""

    name = "files"
    Settings: ClassVar = FilesSettings

    def __init__(self, settings: FilesSettings) -> None:
        self._settings = settings
        self._mapping: mappings.FileMapping | None = None
        self.problems: list[Problem] = []

    def resources(self) -> pa.Table:
        """Machines and other billed things (schema.RESOURCES), derived from metrics on request.

        Raises:
            InputError: nothing in the files can be used.
        """
        part = self._map.resources
        if part.origin == "metrics":
            if self._settings.resources is not None:
                raise InputError(
                    "the mapping takes resources from the metrics, and --resources is given too",
                    where=str(self._settings.mapping),
                    hint="leave out --resources, or `from: metrics` in the mapping",
                )
            return self._derived()
        given = self._listed("resources", self._settings.resources)
        return self._once_each(given)

    def metrics(self, window: Window | None) -> Iterator[pa.Table]:
        """Samples starting inside `window`, or all there are (schema.METRICS)."""
        periods = Periods()
        part = self._map.metrics

        def read(reading: Reading) -> Iterator[pa.Table]:
            return metrics.samples(reading, part, periods, window)

        return self._each(self._settings.metrics, part, read)

    def charges(self, window: Window | None) -> Iterator[pa.Table]:
        """The bill, whole billing periods that touch `window`, or all (schema.CHARGES)."""
        part = self._map.charges

        def read(reading: Reading) -> Iterator[pa.Table]:
            broken: list[tuple[focus.Violation, ...]] = []
            yield from tables.charges(reading, part, broken)
            self._tell(reading, focus.merge(broken))

        for bill in self._each(self._settings.charges, part, read):
            yield bill if window is None else _billed(bill, window)

    def prices(self) -> pa.Table:
        """Prices that the user knows better than the catalogue (schema.PRICES)."""
        return self._listed("prices", self._settings.prices)

    def shapes(self) -> pa.Table:
        """Machine types that the catalogue may not know (schema.SHAPES)."""
        return self._listed("shapes", self._settings.shapes)

    def rates(self) -> pa.Table:
        """Storage and traffic, as the user pays for them (schema.RATES)."""
        return self._listed("rates", self._settings.rates)

    def exchange(self) -> pa.Table:
        """Exchange rates of the user's own (schema.EXCHANGE)."""
        return self._listed("exchange", self._settings.exchange)

    @property
    def _map(self) -> mappings.FileMapping:
        if self._mapping is None:
            path = self._settings.mapping
            self._mapping = mappings.load(path) if path else mappings.FileMapping()
        return self._mapping

    def _listed(self, name: tables.Listed, path: Path | None) -> pa.Table:
        part = self._map.table(name)
        given = self._each(path, part, lambda reading: tables.listed(name, reading, part))
        return pa.concat_tables([schema.empty(schema.SCHEMAS[name]), *given])

    def _derived(self) -> pa.Table:
        derived = Derived(self._map)

        def read(reading: Reading) -> Iterator[pa.Table]:
            derived.add(reading)
            yield from ()

        list(self._each(self._settings.metrics, self._map.metrics, read))
        return derived.table()

    def _once_each(self, table: pa.Table) -> pa.Table:
        """The first row of each resource and observation; the others are told."""
        ids = table.column("ResourceId").to_pylist()
        seen = table.column("x_ObservedAt").to_pylist()
        first: dict[tuple[str, Any], int] = {}
        for row, key in enumerate(zip(ids, seen, strict=True)):
            first.setdefault(key, row)
        again = len(ids) - len(first)
        if not again:
            return table
        twice = next(
            key for row, key in enumerate(zip(ids, seen, strict=True)) if first[key] != row
        )
        what = f"ResourceId {twice[0]!r} is listed twice: the first row stands"
        self._note(Problem(str(self._settings.resources), what, again))
        return table.take(pa.array(list(first.values())))

    def _each(
        self,
        path: Path | None,
        part: mappings.Table,
        read: Callable[[Reading], Iterator[pa.Table]],
    ) -> Iterator[pa.Table]:
        """Every file's tables; a file that gives nothing is a problem, all of them an error."""
        failures: list[InputError] = []
        good = 0
        for file in found(path, part.patterns) if path else ():
            try:
                reading = Reading(opened(file, part.csv))
                yield from read(reading)
                for problem in reading.close():
                    self._note(problem)
                good += 1
            except InputError as error:
                failures.append(error)
        if failures and not good:
            raise failures[0]
        for failure in failures:
            self._note(Problem(failure.where, failure.what, fatal=True))

    def _tell(self, reading: Reading, violations: tuple[focus.Violation, ...]) -> None:
        if not violations:
            return
        named = ", ".join(violation.rule for violation in violations[:3])
        such = named if len(violations) <= 3 else f"such as {named}"
        path = reading.file.path
        rules = counted(len(violations), "rule")
        what = f"breaks {rules} of FOCUS, {such}; costopt collect check-focus says where"
        self._note(Problem(str(path), what))

    def _note(self, problem: Problem) -> None:
        if problem not in self.problems:  # metrics files that also hold resources are read twice
            self.problems.append(problem)


def _billed(bill: pa.Table, window: Window) -> pa.Table:
    """Whole billing periods that touch the window; a row without one by its charge period."""
    start = pc.coalesce(bill.column("BillingPeriodStart"), bill.column("ChargePeriodStart"))
    end = pc.coalesce(bill.column("BillingPeriodEnd"), bill.column("ChargePeriodEnd"))
    touches = pc.and_(
        pc.less(start, pa.scalar(window.end, schema.TIMESTAMP)),
        pc.greater(end, pa.scalar(window.start, schema.TIMESTAMP)),
    )
    return bill.filter(touches)
