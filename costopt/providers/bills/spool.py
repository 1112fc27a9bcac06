"""Charges on this machine's disk, until all of a month are there."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from types import TracebackType
from typing import Any, Final, NamedTuple, Self

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import ipc

from costopt import schema

_COLUMNS: Final = ("ProviderName", "BillingAccountId", "BillingPeriodStart", "SubAccountId")


class Scope(NamedTuple):
    """An account in a billing period: what a restated bill replaces in the lake."""

    provider: str | None
    payer: str | None
    start: datetime | None
    account: str | None  # None = the payer's own, of no account

    @property
    def period(self) -> tuple[str | None, str | None, datetime | None]:
        """The payer's billing period."""
        return self[:3]

    @property
    def name(self) -> str:
        """For people."""
        return self.account or self.payer or "no account"


class Like(NamedTuple):
    """Of a charge, what another one of no cost in its place needs."""

    currency: str | None
    start: datetime
    end: datetime
    until: datetime | None  # the billing period's end


class Spool:
    """Tables written once and then given back, never all in memory."""

    def __init__(self, path: Path, columns: pa.Schema = schema.CHARGES) -> None:
        self._path = path
        self._columns = columns
        self.kind = ""  # what the files say that they are: FocusCost, say
        self.scopes: set[Scope] = set()
        self.like: Like | None = None  # None: there is no charge
        self.rows = 0

    def __enter__(self) -> Self:
        options = ipc.IpcWriteOptions(compression="lz4")
        self._writer = ipc.new_stream(self._path, self._columns, options=options)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Nothing more is written; again does nothing."""
        self._writer.close()

    def add(self, table: pa.Table) -> None:
        """Write a table of these columns."""
        self._writer.write_table(table)
        self.rows += table.num_rows
        self.scopes |= scopes(table)
        if self.like is None and table.num_rows:
            self.like = _like(table)

    def tables(self, only: Collection[Scope] | None = None) -> Iterator[pa.Table]:
        """What was written, in order; once it is closed.

        Args:
            only: whose charges; None = all.
        """
        part = None if only is None or self.scopes.issubset(only) else only
        with pa.OSFile(str(self._path)) as file, ipc.open_stream(file) as reader:
            for batch in reader:
                table = pa.Table.from_batches([batch])
                found = table if part is None else _of(table, part)
                if found.num_rows:
                    yield found


class Joined(Spool):
    """Several that were written, as one."""

    def __init__(self, parts: Sequence[Spool], kind: str) -> None:
        self._parts = parts
        self.kind = kind
        self.scopes = set[Scope]().union(*(one.scopes for one in parts))
        self.like = next((one.like for one in parts if one.like), None)
        self.rows = sum(one.rows for one in parts)

    def tables(self, only: Collection[Scope] | None = None) -> Iterator[pa.Table]:
        """One after the other."""
        for one in self._parts:
            yield from one.tables(only)


def scopes(table: pa.Table) -> set[Scope]:
    """Whose charges these are."""
    return set(map(_scope, table.group_by(list(_COLUMNS)).aggregate([]).to_pylist()))


def billed(table: pa.Table) -> Iterator[tuple[Scope, str, Decimal]]:
    """What each account is billed, by currency."""
    by = table.group_by([*_COLUMNS, "BillingCurrency"]).aggregate([("BilledCost", "sum")])
    for row in by.to_pylist():
        yield _scope(row), row["BillingCurrency"] or "", row["BilledCost_sum"] or Decimal(0)


def _of(table: pa.Table, wanted: Collection[Scope]) -> pa.Table:
    """The charges of these accounts."""
    numbered = table.select(_COLUMNS).append_column("_row", pa.array(range(table.num_rows)))
    groups = numbered.group_by(list(_COLUMNS)).aggregate([("_row", "list")])
    mine = [_scope(row) in wanted for row in groups.select(_COLUMNS).to_pylist()]
    rows = pc.list_flatten(groups.column("_row_list").filter(pa.array(mine, pa.bool_())))
    return table.take(rows.take(pc.sort_indices(rows)))


def _scope(row: Mapping[str, Any]) -> Scope:
    return Scope(*(row[name] for name in _COLUMNS))


def _like(table: pa.Table) -> Like:
    (row,) = table.slice(0, 1).to_pylist()
    times = (row[name] for name in ("ChargePeriodStart", "ChargePeriodEnd", "BillingPeriodEnd"))
    return Like(row["BillingCurrency"], *times)
