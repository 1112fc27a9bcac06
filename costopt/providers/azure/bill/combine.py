"""A month of Azure's bill out of what its exports tell: FocusCost, or ActualCost and AmortizedCost.

AmortizedCost has every charge at what it costs, but for the purchases of commitments; ActualCost
has these. So both together are the amortised rows, which bill nothing where a commitment covered
them, and the purchases, which cost nothing by themselves. Their sum must be ActualCost's.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from costopt.providers.azure.bill.layout import ACTUAL, AMORTIZED, FOCUS
from costopt.providers.base import Problem
from costopt.providers.bills.months import Told, distinct
from costopt.schema import CHARGES, COST

_ZERO: Final = pa.scalar(Decimal(0), COST)
_CENT: Final = Decimal("0.01")
_Sums = dict[str | None, Decimal]


def combined(told: Sequence[Told], problems: list[Problem]) -> Iterator[pa.Table]:
    """The month's charges (schema.CHARGES), each once.

    Args:
        problems: gets which export alone leaves what unknown, and what does not add up.
    """
    kinds = {one: one.kind or _kind(one) for one in told}
    ordered = sorted(told, key=lambda one: (kinds[one] != FOCUS, one.export))
    focus = [one for one in ordered if kinds[one] == FOCUS]
    kept = distinct(focus, problems)
    amortized = distinct([*kept, *_those(ordered, kinds, AMORTIZED)], problems)[len(kept) :]
    actual = distinct([*kept, *_those(ordered, kinds, ACTUAL)], problems)[len(kept) :]
    for one in kept:
        yield from one.spool.tables()
    for one in amortized:
        partners = [other for other in actual if other.spool.scopes & one.spool.scopes]
        actual = [other for other in actual if other not in partners]
        yield from _both(one, partners, problems) if partners else _amortized(one, problems)
    for one in actual:
        yield from _actual(one, problems)


def _those(told: Iterable[Told], kinds: dict[Told, str], kind: str) -> list[Told]:
    return [one for one in told if kinds[one] == kind]


def _kind(one: Told) -> str:
    """By what is in it; without any commitment both are the same."""
    for table in one.spool.tables():
        status = table.column("CommitmentDiscountStatus")
        cost = table.column("BilledCost")
        used = pc.and_(pc.equal(status, "Used"), pc.not_equal(cost, _ZERO))
        if pc.any(pc.or_kleene(pc.equal(status, "Unused"), used)).as_py():
            return AMORTIZED
    return ACTUAL


def _both(one: Told, partners: Sequence[Told], problems: list[Problem]) -> Iterator[pa.Table]:
    billed: _Sums = defaultdict(Decimal)
    stated: _Sums = defaultdict(Decimal)
    for table in _unbilled(one):
        _count(billed, table)
        yield table
    for partner in partners:
        for table in partner.spool.tables():
            _count(stated, table)
            bought = table.filter(_bought(table))
            _count(billed, bought)
            if bought.num_rows:
                yield _with(bought, "EffectiveCost", pa.repeat(_ZERO, bought.num_rows))
    for currency, total in sorted(stated.items(), key=str):
        if abs(billed[currency] - total) >= _CENT:
            what = (
                f"ActualCost bills {total:.2f} {currency}, and AmortizedCost's rows with the "
                f"purchases of commitments {billed[currency]:.2f}: are they of one run?"
            )
            problems.append(Problem(one.where, what))


def _amortized(one: Told, problems: list[Problem]) -> Iterator[pa.Table]:
    committed = False
    for table in _unbilled(one):
        committed |= table.column("CommitmentDiscountId").null_count < table.num_rows
        yield table
    if committed:
        what = (
            "AmortizedCost alone: what was billed for reservations and savings plans is missing; "
            "export ActualCost, too, or FocusCost"
        )
        problems.append(Problem(one.where, what))


def _actual(one: Told, problems: list[Problem]) -> Iterator[pa.Table]:
    committed = False
    for table in one.spool.tables():
        committed |= table.column("CommitmentDiscountId").null_count < table.num_rows
        yield table
    if committed:
        what = (
            "ActualCost alone: how reservations and savings plans were used is missing, effective "
            "costs are what was billed; export AmortizedCost, too, or FocusCost"
        )
        problems.append(Problem(one.where, what))


def _unbilled(one: Told) -> Iterator[pa.Table]:
    """Amortised rows, which bill nothing where a commitment paid."""
    for table in one.spool.tables():
        paid = pc.is_valid(table.column("CommitmentDiscountStatus"))
        yield _with(table, "BilledCost", pc.if_else(paid, _ZERO, table.column("BilledCost")))


def _bought(table: pa.Table) -> pa.ChunkedArray:
    purchase = pc.equal(table.column("ChargeCategory"), "Purchase")
    return pc.and_(purchase, pc.is_valid(table.column("CommitmentDiscountId")))


def _with(table: pa.Table, name: str, values: pa.ChunkedArray) -> pa.Table:
    return table.set_column(CHARGES.get_field_index(name), CHARGES.field(name), values)


def _count(sums: _Sums, table: pa.Table) -> None:
    found = table.group_by("BillingCurrency").aggregate([("BilledCost", "sum")])
    for row in found.to_pylist():
        sums[row["BillingCurrency"]] += row["BilledCost_sum"] or Decimal(0)
