"""FOCUS in: a bill of any version from 1.0 to 1.4 as our charges table, exact to the last digit.

Both vocabularies are taken: ProviderName and PublisherName (1.0 to 1.3) and ServiceProviderName
and HostProviderName (1.3, 1.4). What the specification asks and the bill does not keep is no
reason to refuse it (focus.py tells it); only a row without cost, time or currency is left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from costopt.frame.focus_terms import ALLOWED
from costopt.frame.intake import Intake, Notation, take_in
from costopt.frame.tags import attributes
from costopt.frame.values import Read, texts, values_of
from costopt.schema import CHARGES

REQUIRED: Final = ("EffectiveCost", "BillingCurrency", "ChargePeriodStart", "ChargePeriodEnd")
"""Without these a row of a bill says nothing: what it cost, in what, and when."""


def normalise(
    columns: Mapping[str, pa.Array | Read], notation: Mapping[str, Notation] | None = None
) -> Intake:
    """A bill's columns as schema.CHARGES.

    Allowed values get the specification's spelling ("Usage-based" becomes "Usage-Based"),
    currencies capital letters; columns that our table has no place for are kept, as text, in
    x_Attributes.

    Args:
        columns: under FOCUS's names, of one length; text or typed, "NULL" and "" being null.
        notation: how columns are written, where not as usual.
    """
    known = {name: given for name, given in columns.items() if name in CHARGES.names}
    if "ServiceProviderName" in columns:
        newer = columns["ServiceProviderName"]
        older = columns.get("ProviderName")
        known["ProviderName"] = newer if older is None else _coalesced(older, newer)
    known["x_Attributes"] = _attributes(columns)
    intake = take_in(known, CHARGES, required=REQUIRED, notation=notation)
    table = intake.table
    for name, values in ALLOWED.items():
        if name in table.column_names:
            table = _replaced(table, name, _spelled(table.column(name), values))
    currency = pc.utf8_upper(table.column("BillingCurrency"))
    return Intake(_replaced(table, "BillingCurrency", currency), intake.kept, intake.misread)


def _attributes(columns: Mapping[str, pa.Array | Read]) -> pa.Array:
    placed = {*CHARGES.names, *(() if "ProviderName" in columns else ("ServiceProviderName",))}
    unknown = {name: values_of(given) for name, given in columns.items() if name not in placed}
    own = columns.get("x_Attributes")  # a bill that we wrote ourselves
    rows = len(values_of(next(iter(columns.values()))))
    return attributes(unknown, rows, None if own is None else values_of(own))


def _coalesced(one: pa.Array | Read, other: pa.Array | Read) -> pa.Array:
    return pc.coalesce(texts(values_of(one)).values, texts(values_of(other)).values)


def _spelled(column: pa.ChunkedArray, values: tuple[str, ...]) -> pa.ChunkedArray:
    index = pc.index_in(pc.utf8_lower(column), pa.array([value.lower() for value in values]))
    return pc.coalesce(pc.take(pa.array(values), index), column)


def _replaced(table: pa.Table, name: str, column: pa.ChunkedArray) -> pa.Table:
    at = table.schema.get_field_index(name)
    return table.set_column(at, table.schema.field(at), column)
