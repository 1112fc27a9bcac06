"""The bill out of BigQuery: months that are new or restated, each by one query that is capped.

Google goes on writing lines into a month for days after its end; each has the time when it was
exported. So a month is what its lines and the newest of these times say, and a cheap query over
two columns tells which months there are to read. Nothing at all is asked while the table is as it
was.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import pyarrow as pa

from costopt.errors import InputError
from costopt.model import Window
from costopt.providers.base import Estimate, Problem
from costopt.providers.bills.calendar import touches
from costopt.providers.bills.complaints import Complaints
from costopt.providers.bills.counts import MONTH_NOTE, noted
from costopt.providers.bills.spool import Spool
from costopt.providers.bills.statements import Month, Statement
from costopt.providers.gcp.access import Access, told
from costopt.providers.gcp.bill.files import MANNER
from costopt.providers.gcp.bill.map import OPTIONAL, REQUIRED, Detailed
from costopt.providers.gcp.bill.table import USD_PER_TIB, Table, dollars
from costopt.providers.gcp.bill.things import Things
from costopt.units import counted

_OPEN_MONTHS: Final = 2
"""Of those read before, the newest so many are thought to change yet; older ones seldom do."""
_DATES: Final = ("DATE(@first)", "DATE(@last)")
_EARLIEST: Final = datetime(2000, 1, 1, tzinfo=UTC)
_LATEST: Final = datetime(2200, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class _Month:
    name: str  # 202609
    lines: int
    exported: datetime  # the newest line
    first: datetime | None  # partition; None = the table has none
    last: datetime | None

    @property
    def spelled(self) -> str:
        return f"{self.name[:4]}-{self.name[4:]}"

    @property
    def digest(self) -> str:
        return f"{self.exported.isoformat()} {self.lines}"


@dataclass
class Query:
    """One table of the detailed export.

    Args:
        held: notes of earlier collects, whose charges were kept.
    """

    access: Access
    held: Mapping[str, str]
    problems: list[Problem]
    spent: Decimal = field(default=Decimal(0))
    _dateless: int = 0  # lines of no month

    def __post_init__(self) -> None:
        name = str(self.access.settings.billing_table)
        payer = self.access.settings.billing_project or name.rsplit(".", 2)[0]
        self._table = Table(self.access, name, payer)

    @property
    def name(self) -> str:
        """project.dataset.table."""
        return self._table.name

    def estimate(self) -> Estimate:
        """What reading it will be billed, by a dry run of its queries; these are free.

        Raises:
            InputError: it is no table of that export.
            one of FAILURES: BigQuery does not say.
        """
        self._check()
        if self._unchanged():
            return Estimate(Decimal(0), (f"BigQuery {self.name}: unchanged, nothing is read",))
        survey = self._table.scanned(self._survey(), {})
        read = self._table.scanned(
            self._read(), {"month": "", "exported": _LATEST, **self._bounds(self._since(), None)}
        )
        usd = dollars(survey) + dollars(read)
        line = (
            f"BigQuery {self.name}: up to {(survey + read) / 1e9:,.1f} GB at ${USD_PER_TIB} per "
            "TiB (the first TiB of a month is free)"
        )
        return Estimate(usd, (line,))

    def charges(
        self, things: Things, window: Window | None, most: Decimal, notes: dict[str, str]
    ) -> Iterator[pa.Table]:
        """The bill in schema.CHARGES, month by month.

        Args:
            most: dollars that all queries together may cost.
        """
        found: list[_Month] | None = None
        unchanged = True
        with told(self.problems, f"{self.name} bigquery.jobs.create"):
            self._check()
            unchanged = self._unchanged()
            found = [] if unchanged else self._months(most)
        if unchanged or found is None:
            return
        seen = [month for month in found if touches(month.spelled, window)]
        for month in seen:
            yield from self._of_month(month, things, most, notes)
        told_of = {**self.held, **notes}
        whole = all(noted(told_of.get(self._note(month))).digest == month.digest for month in seen)
        if whole and window is None and not self._dateless:
            notes[self._own_note] = self._state()

    def _of_month(
        self, month: _Month, things: Things, most: Decimal, notes: dict[str, str]
    ) -> Iterator[pa.Table]:
        name, day = self._note(month), month.exported.date()
        statement = Statement(name, self.name, month.spelled, month.digest, day)
        with TemporaryDirectory(prefix="costopt-bill-") as folder:
            looked = Month(
                [statement],
                lambda _: self._spool(month, things, Path(folder), most),
                self.held,
                self.problems,
                notes,
                MANNER,
            )
            yield from looked.charges()
        if looked.given and month.first is not None:
            notes[f"{name} since"] = month.first.isoformat()

    def _check(self) -> None:
        lacking = [
            name for name in (*REQUIRED, "credits", "export_time") if not self._table.has(name)
        ]
        if lacking:
            hint = "name gcp_billing_export_resource_v1_..., the detailed usage cost export"
            raise InputError(f"the table lacks {', '.join(lacking)}", where=self.name, hint=hint)

    def _unchanged(self) -> bool:
        """A view is as old as its definition, whatever is new in the table below it."""
        kept = self._table.described.table_type == "TABLE"
        return kept and self.held.get(self._own_note) == self._state()

    def _state(self) -> str:
        table = self._table.described
        return f"{table.modified} {table.num_rows}"

    def _months(self, most: Decimal) -> list[_Month]:
        answer = self._table.asked(self._survey(), {}, most - self.spent)
        self.spent += answer.usd
        rows: list[dict[str, Any]] = [
            row for batch in answer.batches() for row in pa.table(batch).to_pylist()
        ]
        months = [_Month(**row) for row in rows if row["name"] is not None]
        self._dateless = sum(row["lines"] for row in rows if row["name"] is None)
        if self._dateless:
            what = f"{counted(self._dateless, 'line')} without invoice.month: left out"
            self.problems.append(Problem(self.name, what, self._dateless, fatal=True))
        return sorted(months, key=lambda month: month.name)

    def _spool(self, month: _Month, things: Things, folder: Path, most: Decimal) -> Spool | None:
        """The month whole; None = it is not to be had, which is told."""
        where = f"{self.name}, {month.spelled}"
        try:
            with told(self.problems, f"{where} bigquery.jobs.create"):
                batches = self._lines(month, where, most)
                return self._put_aside(batches, things, folder, where)
        except InputError as error:
            what = f"{error.what}: the month is left out"
            self.problems.append(Problem(where, what, fatal=True))
        return None

    def _lines(self, month: _Month, where: str, most: Decimal) -> Iterator[dict[str, pa.Array]]:
        values: dict[str, str | datetime] = {"month": month.name, "exported": month.exported}
        values |= self._bounds(month.first, month.last)
        answer = self._table.asked(self._read(), values, most - self.spent)
        self.spent += answer.usd
        if answer.rows != month.lines:
            raise InputError("its lines changed while we looked", where=where)
        return answer.batches()

    def _put_aside(
        self, batches: Iterator[dict[str, pa.Array]], things: Things, folder: Path, where: str
    ) -> Spool:
        layout, complaints, unread = Detailed(things), Complaints(), Complaints()
        with Spool(folder / "charges.arrow") as spool:
            for columns in batches:
                batch = layout.batch(columns)
                unread.add(batch.refused)
                complaints.add((*batch.intake.misread, *batch.misread))
                spool.add(batch.intake.table)
        if unread.counts:
            raise InputError(unread.said(), where=where)
        self.problems += complaints.problems(where)
        return spool

    def _survey(self) -> str:
        kept = self._table.partition
        first, last = ("NULL", "NULL") if kept is None else (f"MIN({kept})", f"MAX({kept})")
        return (
            "SELECT invoice.month AS name, COUNT(*) AS lines, MAX(export_time) AS exported, "  # noqa: S608
            f"CAST({first} AS TIMESTAMP) AS first, CAST({last} AS TIMESTAMP) AS last "
            f"FROM `{self.name}` GROUP BY name"
        )

    def _read(self) -> str:
        columns = ", ".join(
            f"{path} AS {path.replace('.', '_')}"
            for path in (*REQUIRED, *OPTIONAL)
            if self._table.has(path)
        )
        kept = self._table.partition
        first, last = ("@first", "@last") if not self._table.by_date else _DATES
        only = f" AND ({kept} BETWEEN {first} AND {last} OR {kept} IS NULL)" if kept else ""
        return (
            f"SELECT {columns} FROM `{self.name}` "  # noqa: S608
            f"WHERE invoice.month = @month AND export_time <= @exported{only}"
        )

    def _bounds(self, first: datetime | None, last: datetime | None) -> dict[str, datetime]:
        if self._table.partition is None:
            return {}
        return {"first": first or _EARLIEST, "last": last or _LATEST}

    def _since(self) -> datetime | None:
        """From which partition on anything new is thought to be; None = all of them."""
        begins = f"{self._own_note} "
        since = sorted(
            text
            for name, text in self.held.items()
            if name.startswith(begins) and name.endswith(" since")
        )
        return datetime.fromisoformat(since[-_OPEN_MONTHS:][0]) if since else None

    def _note(self, month: _Month) -> str:
        return f"{MONTH_NOTE}{self.name} {month.spelled}"

    @property
    def _own_note(self) -> str:
        return f"{MONTH_NOTE}{self.name}"
