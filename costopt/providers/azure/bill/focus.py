"""Azure's own FOCUS export, and what in it is not as FOCUS means it."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from costopt.frame.intake import Intake
from costopt.providers.azure.bill.layout import FOCUS
from costopt.providers.bills import focus
from costopt.providers.bills.months import Batch
from costopt.providers.bills.reading import Columns
from costopt.schema import CHARGES, COST

_ZERO: Final = pa.scalar(Decimal(0), COST)
_UNKNOWN: Final = ("ListCost", "ContractedCost", "ListUnitPrice", "ContractedUnitPrice")


class Focus:
    """The layout of a FocusCost export."""

    kind = FOCUS

    def chosen(self, names: Sequence[str]) -> Sequence[str]:
        """All: what has no place of its own is kept as an attribute."""
        return names

    def batch(self, columns: Columns) -> Batch:
        """Rows as charges."""
        intake, unread = focus.normalised(focus.spelled(columns))
        costs = [one for one in unread if one.column in focus.COSTS]
        others = [one for one in unread if one not in costs]
        table = _known(intake.table)
        for name in ("ResourceId", "CommitmentDiscountId"):
            table = _with(table, name, pc.utf8_lower(table.column(name)))
        return Batch(Intake(table, intake.kept, intake.misread), costs, others)


def _known(table: pa.Table) -> pa.Table:
    """Azure lists at 0 what a reservation covered and it has no price for: it is not known."""
    used = pc.equal(table.column("CommitmentDiscountStatus"), "Used")
    costs = pc.not_equal(table.column("EffectiveCost"), _ZERO)
    covered = pc.fill_null(pc.and_(used, costs), False)
    for name in _UNKNOWN:
        column = table.column(name)
        nothing = pc.and_(covered, pc.equal(column, _ZERO))
        table = _with(table, name, pc.if_else(pc.fill_null(nothing, False), None, column))
    return table


def _with(table: pa.Table, name: str, values: pa.ChunkedArray) -> pa.Table:
    return table.set_column(CHARGES.get_field_index(name), CHARGES.field(name), values)
