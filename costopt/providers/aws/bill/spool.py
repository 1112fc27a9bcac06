"""A month's charges of AWS, of which only their sum tells whether costs after discounts count."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from costopt import schema
from costopt.providers.bills import spool

_COSTS: Final = ("BilledCost", "EffectiveCost")
_NET: Final = ("x_NetBilledCost", "x_NetEffectiveCost")
_WHOLE: Final = pa.schema([*schema.CHARGES, *(pa.field(name, schema.COST) for name in _NET)])
_CENT: Final = Decimal("0.01")


class Spool(spool.Spool):
    """Tables in schema.CHARGES.

    AWS tells costs after discounts (the net columns) only for accounts that have discounts, and
    fills them with zeros for others: so they count where their sum is the bill's.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(path, _WHOLE)
        self._sums: dict[str, dict[str | None, Decimal]] = {
            name: defaultdict(Decimal) for name in ("BilledCost", _NET[0])
        }

    def add(self, table: pa.Table, net: tuple[pa.Array, pa.Array] | None = None) -> None:
        """Write a table of charges.

        Args:
            net: its BilledCost and EffectiveCost after discounts.
        """
        before = [table.column(name).combine_chunks() for name in _COSTS]
        after = before if net is None else list(map(pc.coalesce, net, before))
        whole = pa.table([*table.columns, *after], schema=_WHOLE)
        super().add(whole)
        self._count(whole)

    def tables(self, only: Collection[spool.Scope] | None = None) -> Iterator[pa.Table]:
        """What was written, in order (schema.CHARGES)."""
        net = self._net_adds_up()
        for table in super().tables(only):
            yield (_after_discounts(table) if net else table).select(schema.CHARGES.names)

    def _count(self, table: pa.Table) -> None:
        for name, sums in self._sums.items():
            by_currency = table.group_by("BillingCurrency").aggregate([(name, "sum")]).to_pylist()
            for row in by_currency:
                sums[row["BillingCurrency"]] += row[f"{name}_sum"] or Decimal(0)

    def _net_adds_up(self) -> bool:
        billed, net = self._sums.values()
        return all(abs(net[currency] - total) <= _CENT for currency, total in billed.items())


def _after_discounts(table: pa.Table) -> pa.Table:
    for name, after in zip(_COSTS, _NET, strict=True):
        at = table.schema.get_field_index(name)
        table = table.set_column(at, _WHOLE.field(name), table.column(after))
    return table
