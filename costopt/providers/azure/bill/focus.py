"""Azure's own FOCUS export, and what in it is not as FOCUS means it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from costopt.frame.intake import Intake
from costopt.frame.values import texts
from costopt.providers.azure.bill.layout import FOCUS
from costopt.providers.bills import focus
from costopt.providers.bills.calendar import months
from costopt.providers.bills.part import Batch
from costopt.providers.bills.reading import Columns
from costopt.schema import CHARGES, COST

_ZERO: Final = pa.scalar(Decimal(0), COST)
_PERIOD: Final = ("BillingPeriodStart", "BillingPeriodEnd")
_NAMES: Final = re.compile(r"(Id|Name)$").search
_NOTHING: Final = pa.array(["-2", "Unassigned"])
_UNKNOWN: Final = ("ListCost", "ContractedCost", "ListUnitPrice", "ContractedUnitPrice")


class Focus:
    """The layout of a FocusCost export."""

    kind = FOCUS

    def chosen(self, names: Sequence[str]) -> Sequence[str]:
        """All: what has no place of its own is kept as an attribute."""
        return names

    def batch(self, columns: Columns) -> Batch:
        """Rows as charges."""
        intake, unread = focus.normalised(_said(focus.spelled(columns)))
        costs = [one for one in unread if one.column in focus.COSTS]
        others = [one for one in unread if one not in costs]
        table = _dated(_known(intake.table))
        for name in ("ResourceId", "CommitmentDiscountId"):
            table = _with(table, name, pc.utf8_lower(table.column(name)))
        # As Azure's other exports and its API spell them; these have the whole path.
        table = _with(table, "BillingAccountId", _last(table.column("BillingAccountId")))
        table = _with(table, "SubAccountId", pc.utf8_lower(_last(table.column("SubAccountId"))))
        return Batch(Intake(table, intake.kept, intake.misread), costs, others)


def _said(columns: Columns) -> Columns:
    """Ids and names without the words that say that there is none."""
    return {name: _named(values) if _NAMES(name) else values for name, values in columns.items()}


def _named(values: pa.Array) -> pa.Array:
    found = texts(values).values
    return pc.if_else(pc.is_in(found, _NOTHING), None, found)


def _known(table: pa.Table) -> pa.Table:
    """Azure lists at 0 what it has no price for: what a reservation covered, what others sell."""
    costs = (pc.not_equal(table.column(name), _ZERO) for name in focus.COSTS)
    charged = pc.fill_null(pc.or_kleene(*costs), False)
    for name in _UNKNOWN:
        column = table.column(name)
        nothing = pc.and_(charged, pc.equal(column, _ZERO))
        table = _with(table, name, pc.if_else(pc.fill_null(nothing, False), None, column))
    return table


def _dated(table: pa.Table) -> pa.Table:
    """With billing periods that are months."""
    said, days = (
        table.column(name).combine_chunks() for name in ("BillingPeriodStart", "ChargePeriodStart")
    )
    for name, values in zip(_PERIOD, months(said, days), strict=True):
        table = _with(table, name, values)
    return table


def _last(path: pa.ChunkedArray) -> pa.ChunkedArray:
    return pc.replace_substring_regex(path, r"^/.*/([^/]+)/*$", r"\1")


def _with(table: pa.Table, name: str, values: pa.ChunkedArray | pa.Array) -> pa.Table:
    return table.set_column(CHARGES.get_field_index(name), CHARGES.field(name), values)
