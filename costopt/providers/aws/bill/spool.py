"""A month's charges on this machine's disk, until they are whole."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import ipc

from costopt import schema

Scope = tuple[str | None, str | None]
"""BillingAccountId and SubAccountId."""

_COSTS: Final = ("BilledCost", "EffectiveCost")
_NET: Final = ("x_NetBilledCost", "x_NetEffectiveCost")
_WHOLE: Final = pa.schema([*schema.CHARGES, *(pa.field(name, schema.COST) for name in _NET)])
_CENT: Final = Decimal("0.01")


class Spool:
    """Tables in schema.CHARGES, written once and then given back, never all in memory.

    AWS tells costs after discounts (the net columns) only for accounts that have discounts, and
    fills them with zeros for others: so they count where their sum is the bill's.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._sums: dict[str, dict[str | None, Decimal]] = {
            name: defaultdict(Decimal) for name in ("BilledCost", _NET[0])
        }
        self.scopes: set[Scope] = set()
        self.rows = 0

    def __enter__(self) -> Self:
        options = ipc.IpcWriteOptions(compression="lz4")
        self._writer = ipc.new_stream(self._path, _WHOLE, options=options)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._writer.close()

    def add(self, table: pa.Table, net: tuple[pa.Array, pa.Array] | None = None) -> None:
        """Write a table of charges.

        Args:
            net: its BilledCost and EffectiveCost after discounts.
        """
        before = [table.column(name).combine_chunks() for name in _COSTS]
        after = before if net is None else list(map(pc.coalesce, net, before))
        whole = pa.table([*table.columns, *after], schema=_WHOLE)
        self._writer.write_table(whole)
        self.rows += table.num_rows
        self._count(whole)

    def tables(self) -> Iterator[pa.Table]:
        """What was written, in order (schema.CHARGES)."""
        net = self._net_adds_up()
        with pa.OSFile(str(self._path)) as file, ipc.open_stream(file) as reader:
            for batch in reader:
                table = pa.Table.from_batches([batch])
                if net:
                    for name, after in zip(_COSTS, _NET, strict=True):
                        at = table.schema.get_field_index(name)
                        table = table.set_column(at, _WHOLE.field(name), table.column(after))
                yield table.select(schema.CHARGES.names)

    def _count(self, table: pa.Table) -> None:
        pairs = table.group_by(["BillingAccountId", "SubAccountId"]).aggregate([]).to_pylist()
        self.scopes |= {(pair["BillingAccountId"], pair["SubAccountId"]) for pair in pairs}
        for name, sums in self._sums.items():
            by_currency = table.group_by("BillingCurrency").aggregate([(name, "sum")]).to_pylist()
            for row in by_currency:
                sums[row["BillingCurrency"]] += row[f"{name}_sum"] or Decimal(0)

    def _net_adds_up(self) -> bool:
        billed, net = self._sums.values()
        return all(abs(net[currency] - total) <= _CENT for currency, total in billed.items())
