"""A month of Azure's bill out of what its exports tell: FocusCost, or ActualCost and AmortizedCost.

AmortizedCost has every charge at what it costs, but for the purchases of commitments; ActualCost
has these. So both together are the amortised rows, which bill nothing where a commitment covered
them, and the purchases, which cost nothing by themselves. Their sum must be ActualCost's.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from costopt.errors import InputError
from costopt.providers.azure.bill.layout import ACTUAL, AMORTIZED, FOCUS
from costopt.providers.base import Problem
from costopt.providers.bills.counts import Manner, Whose
from costopt.providers.bills.spool import Scope, Spool, scopes
from costopt.providers.bills.statements import Told
from costopt.schema import CHARGES, COST

_ZERO: Final = pa.scalar(Decimal(0), COST)
_CENT: Final = Decimal("0.01")
_Sums = dict[str | None, Decimal]
_OF_PURCHASE: Final = (
    "SubAccountId",
    "ChargePeriodStart",
    "ChargeDescription",
    "SkuId",
    "ResourceId",
    "EffectiveCost",
)
_Purchase = tuple[object, ...]  # what two exports tell alike of one


def combined(told: Sequence[Told], problems: list[Problem]) -> Iterator[pa.Table]:
    """The charges (schema.CHARGES) of accounts, each once.

    Args:
        told: FocusCost, one of the others, or both of them.
        problems: gets what is unknown where one has no other, and what does not add up.
    """
    kinds = {one.kind: one for one in told}
    if FOCUS in kinds:
        yield from kinds[FOCUS].tables()
    elif len(kinds) > 1:
        yield from _both(kinds[AMORTIZED], kinds[ACTUAL], problems)
    elif AMORTIZED in kinds:
        yield from _amortized(kinds[AMORTIZED], problems)
    else:
        yield from _actual(kinds[ACTUAL], problems)


def _account(scope: Scope) -> Whose:
    """A subscription; else the billing account or profile. FocusCost has them as paths."""
    if scope.account:
        return ("subscription", _last(scope.account))
    return ("payer", scope.payer and _last(scope.payer))


def _last(path: str) -> str:
    return path.rstrip("/").rpartition("/")[2].lower()


def _shown(spool: Spool) -> str:
    """By what it has of commitments; without any ActualCost and AmortizedCost are the same.

    Raises:
        InputError: it has what only either can have.
    """
    found = {kind for table in spool.tables() for kind in _kinds(table)}
    if len(found) > 1:
        raise InputError(
            "it has purchases of commitments, as ActualCost, and what was used of them at its "
            "cost, as AmortizedCost: name it by what it is"
        )
    return min(found, default="")


def _kinds(table: pa.Table) -> Iterator[str]:
    status = table.column("CommitmentDiscountStatus")
    costs = pc.not_equal(table.column("BilledCost"), _ZERO)
    used = pc.equal(status, "Used")
    if _any(pc.or_kleene(pc.equal(status, "Unused"), pc.and_(used, costs))):
        yield AMORTIZED
    if _any(_bought(table)):
        yield ACTUAL


def _any(mask: pa.ChunkedArray) -> bool:
    return pc.any(mask).as_py() or False


def _groups(spool: Spool) -> dict[Scope, str]:
    """The subscription, where there is one, with one resource group: the export may be of that
    group alone."""
    subscriptions = [scope for scope in spool.scopes if scope.account]
    found: set[str] = set()
    for table in spool.tables() if len(subscriptions) == 1 else ():
        named = pc.extract_regex(table.column("ResourceId"), r"/resourcegroups/(?P<name>[^/]+)")
        found |= set(pc.struct_field(named, "name").unique().drop_null().to_pylist())
    return dict.fromkeys(subscriptions, min(found)) if len(found) == 1 else {}


def _both(one: Told, other: Told, problems: list[Problem]) -> Iterator[pa.Table]:
    billed: _Sums = defaultdict(Decimal)
    stated: _Sums = defaultdict(Decimal)
    told: Counter[_Purchase] = Counter()
    for table in _unbilled(one):
        _count(billed, table)
        told.update(_purchases(table.filter(_purchased(table))))
        yield table
    for table in other.tables():
        _count(stated, table)
        bought = table.filter(_lacking(table, told))
        _count(billed, bought)
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
    if committed and not one.paired:  # else nothing was bought there
        what = (
            "AmortizedCost alone: what was billed for reservations and savings plans is missing; "
            "export ActualCost, too, or FocusCost"
        )
        problems.append(Problem(one.where, what))


def _actual(one: Told, problems: list[Problem]) -> Iterator[pa.Table]:
    """Accounts that AmortizedCost does not tell; one that only bought commitments is in none."""
    committed = False
    buyers = _buyers(one) if one.paired else set()
    for table in one.spool.tables(buyers):
        yield _with(table, "EffectiveCost", pa.repeat(_ZERO, table.num_rows))
    for table in one.spool.tables(set(one.mine) - buyers):
        committed |= table.column("CommitmentDiscountId").null_count < table.num_rows
        yield table
    if committed:
        what = (
            "ActualCost alone: how reservations and savings plans were used is missing, effective "
            "costs are what was billed; export AmortizedCost, too, or FocusCost"
        )
        problems.append(Problem(one.where, what))


def _buyers(one: Told) -> set[Scope]:
    """Accounts of which there is nothing but purchases of commitments."""
    others = (table.filter(pc.invert(_bought(table))) for table in one.tables())
    return set(one.mine).difference(*map(scopes, others))


def _unbilled(one: Told) -> Iterator[pa.Table]:
    """Amortised rows, which bill nothing where a commitment paid."""
    for table in one.tables():
        paid = pc.is_valid(table.column("CommitmentDiscountStatus"))
        yield _with(table, "BilledCost", pc.if_else(paid, _ZERO, table.column("BilledCost")))


def _lacking(table: pa.Table, told: Counter[_Purchase]) -> pa.ChunkedArray:
    """The purchases that AmortizedCost does not tell, which are those of commitments: older files
    do not name these as such.

    Args:
        told: those that it tells; each that is found is taken off.
    """
    purchased = _purchased(table)
    found = _bought(table).to_pylist()
    rows = pc.indices_nonzero(purchased).to_pylist()
    for row, purchase in zip(rows, _purchases(table.filter(purchased)), strict=True):
        if told[purchase]:
            told[purchase] -= 1
        else:
            found[row] = True
    return pa.chunked_array([found], pa.bool_())


def _purchases(table: pa.Table) -> list[_Purchase]:
    columns = (table.column(name).to_pylist() for name in _OF_PURCHASE)
    return list(zip(*columns, strict=True))


def _purchased(table: pa.Table) -> pa.ChunkedArray:
    return pc.fill_null(pc.equal(table.column("ChargeCategory"), "Purchase"), False)


def _bought(table: pa.Table) -> pa.ChunkedArray:
    return pc.and_(_purchased(table), pc.is_valid(table.column("CommitmentDiscountId")))


def _with(table: pa.Table, name: str, values: pa.ChunkedArray) -> pa.Table:
    return table.set_column(CHARGES.get_field_index(name), CHARGES.field(name), values)


def _count(sums: _Sums, table: pa.Table) -> None:
    found = table.group_by("BillingCurrency").aggregate([("BilledCost", "sum")])
    for row in found.to_pylist():
        sums[row["BillingCurrency"]] += row["BilledCost_sum"] or Decimal(0)


MANNER: Final = Manner(
    best=FOCUS,
    halves=frozenset({ACTUAL, AMORTIZED}),
    whose=_account,
    shown=_shown,
    otherwise=ACTUAL,
    parts=_groups,
)
