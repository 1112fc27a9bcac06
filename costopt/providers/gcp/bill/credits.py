"""What is taken off a line of Google's bill: its credits, by what they are.

The export has them in the line itself, as a list. Discounts (sustained and committed use, contract,
free tier) belong to the usage they come off. A promotion (the free trial is one) is money that was
given: it becomes a charge of its own, which is not taken off what the machine costs.

Source: Cloud Billing's guide to the schema of the detailed export (`credits.type`), and to its
spend-based committed use discounts, whose FEE_UTILIZATION_OFFSET comes off the commitment's fee.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from costopt.frame.intake import Misread, told
from costopt.providers.bills.items import Items, money
from costopt.providers.gcp.bill.lists import parsed
from costopt.schema import COST

GRANTED: Final = "PROMOTION"
SPEND: Final = ("COMMITTED_USAGE_DISCOUNT_DOLLAR_BASE", "FEE_UTILIZATION_OFFSET")
COMMITTED: Final = ("COMMITTED_USAGE_DISCOUNT", "COMMITTED_USAGE_DISCOUNT_DOLLAR_BASE")
"""Credits by which a commitment covers usage; the offset comes off its fee instead."""

_ZERO: Final = pa.scalar(Decimal(0), COST)
_KIND: Final = pa.list_(
    pa.struct([(name, pa.string()) for name in ("amount", "type", "id", "name", "full_name")])
)


@dataclass(frozen=True, slots=True)
class Credits:
    """Of each row."""

    discount: pa.Array  # <= 0, mostly: discounts; 0 where there are none (COST)
    granted: pa.Array  # promotions
    kind: pa.Array  # type, id and name of the committed use discount, if any
    identity: pa.Array
    name: pa.Array
    unread: tuple[Misread, ...]  # amounts, or whole lists, that cannot be read


def credits_of(items: Items, column: pa.Array | None) -> Credits:
    """The credits of these rows.

    Args:
        column: lists of structs, or their JSON; None = one credit a row, in columns of its own.
    """
    lists, unread = _one_each(items) if column is None else _lists(column)
    flat = pc.list_flatten(lists)
    rows = pc.list_parent_indices(lists)
    amounts, misread = money(pc.struct_field(flat, "amount"), "credits.amount")
    kind = pc.struct_field(flat, "type")
    gift = pc.fill_null(pc.equal(kind, GRANTED), False)
    covers = pc.is_in(kind, pa.array([*COMMITTED, *SPEND]))
    first = _first(rows.filter(covers), items.rows)
    of_commitment = flat.filter(covers).take(first)
    return Credits(
        _sums(rows.filter(pc.invert(gift)), amounts.filter(pc.invert(gift)), items.rows),
        _sums(rows.filter(gift), amounts.filter(gift), items.rows),
        pc.struct_field(of_commitment, "type"),
        pc.struct_field(of_commitment, "id"),
        pc.coalesce(
            pc.struct_field(of_commitment, "full_name"), pc.struct_field(of_commitment, "name")
        ),
        tuple(one for one in (unread, misread) if one is not None),
    )


def _one_each(items: Items) -> tuple[pa.Array, None]:
    fields = [items.text(f"credits.{field.name}") for field in _KIND.value_type]
    made = pa.StructArray.from_arrays(fields, fields=list(_KIND.value_type))
    there = pc.is_valid(items.text("credits.amount"))
    found = [[row] if said else [] for row, said in zip(made.to_pylist(), there, strict=True)]
    return pa.array(found, _KIND), None


def _lists(column: pa.Array) -> tuple[pa.Array, Misread | None]:
    """Lists of _KIND, and the complaint about those that are none."""
    if pa.types.is_list(column.type) or pa.types.is_large_list(column.type):
        return pa.array([_known(row or []) for row in column.to_pylist()], _KIND), None
    coded = column.cast(pa.string()).dictionary_encode()  # most rows have none
    parsed = [_parsed(text) for text in coded.dictionary.to_pylist()]
    codes = pc.fill_null(coded.indices.cast(pa.int64()), len(parsed))
    found = pa.array([*(one or [] for one in parsed), []], _KIND).take(codes)
    wrong = pa.array([*(one is None for one in parsed), False]).take(codes)
    if not pc.any(wrong).as_py():
        return found, None
    return found, told("credits", "cannot be read", wrong, column)


def _parsed(text: str) -> list[dict[str, str | None]] | None:
    found = parsed(text)
    return None if found is None else _known(found)


def _known(found: list[dict[str, Any]]) -> list[dict[str, str | None]]:
    return [{field.name: _text(one.get(field.name)) for field in _KIND.value_type} for one in found]


def _text(value: object) -> str | None:
    return repr(value) if isinstance(value, float) else None if value is None else str(value)


def _sums(rows: pa.Array, amounts: pa.Array, count: int) -> pa.Array:
    table = (
        pa.table({"row": rows, "amount": amounts}).group_by("row").aggregate([("amount", "sum")])
    )
    place = pc.index_in(pa.array(range(count), rows.type), table.column("row").combine_chunks())
    found = table.column("amount_sum").combine_chunks().cast(COST).take(place)
    return pc.fill_null(found, _ZERO)


def _first(rows: pa.Array, count: int) -> pa.Array:
    """For each row the place of its first among `rows`; null = it is not there."""
    return pc.index_in(pa.array(range(count), rows.type), rows)
