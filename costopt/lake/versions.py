"""Which rows of a table are new, and which row of a key counts (docs/decisions, 3)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final, Literal

import pyarrow as pa
import pyarrow.compute as pc

KEYS: Final[Mapping[str, tuple[str, ...]]] = {
    "resources": ("ResourceId",),
    "prices": (
        "ProviderName",
        "RegionId",
        "x_InstanceType",
        "x_OperatingSystem",
        "PricingCategory",
        "x_Term",
        "PricingCurrency",
    ),
    "shapes": ("ProviderName", "x_InstanceType"),
    "rates": ("ProviderName", "RegionId", "x_RateKind", "PricingCurrency", "x_FromGiB"),
    "exchange": ("x_Currency", "x_ToCurrency", "x_ValidFrom"),
}
CHARGE_COLUMNS: Final = (
    "ProviderName",
    "BillingAccountId",
    "SubAccountId",
    "BillingPeriodStart",
    "ChargePeriodStart",
)
CHARGE_KEY: Final = (*CHARGE_COLUMNS[:-1], "_day")
LISTING: Final = ("x_Source", "SubAccountId", "x_Scope")
"""What tells one listing of a vendor's recommendations from another."""
PERIOD: Final = ("ProviderName", "BillingAccountId", "BillingPeriodStart")
"""What a commit of whole billing periods is whole of, by sub-account."""

_IDS: Final = 5_000
"""Resources whose observations are Python objects at a time: one takes some 5 kB."""
_BOOL: Final = pa.bool_()
_EVER: Final = datetime.min.replace(tzinfo=UTC)


def changed(rows: pa.Table, held: pa.Table, key: tuple[str, ...]) -> pa.Table:
    """Of each key's first row, those that differ from what is held, in their order.

    Args:
        rows: prices or shapes.
        held: same columns; the row of each key that counts.
    """
    first = rows.take(_positions(rows, key, "min"))
    known = pa.concat_tables([held, first])
    places = _positions(known, tuple(known.column_names), "min")  # of a row that is held, there
    new = places.filter(pc.greater_equal(places, held.num_rows))
    return first.take(pc.subtract(new, held.num_rows))


def new_observations(rows: pa.Table, held: pa.Table, observed_at: datetime | None) -> pa.Table:
    """Rows that tell something new of their resource: an unseen past, or a changed present.

    Args:
        rows: schema.RESOURCES. Of a resource that is given with moments (x_ObservedAt), a row
            without one is the first, since ever; else it is the present.
        held: every observation that the lake holds, oldest first.
        observed_at: since when a changed present holds (UTC), but not before the one it follows.
    """
    numbered = rows.append_column("_row", pa.array(range(rows.num_rows), pa.int64()))
    ids = rows.column("ResourceId").unique()
    fresh: dict[int, datetime | None] = {}
    for start in range(0, len(ids), _IDS):
        part = ids.slice(start, _IDS)
        fresh |= _unseen(_of(numbered, part), _of(held, part), observed_at)
    found = rows.take(pa.array(sorted(fresh), pa.int64()))
    place = found.schema.get_field_index("x_ObservedAt")
    since = pa.array([fresh[row] for row in sorted(fresh)], found.schema.field(place).type)
    return found.set_column(place, found.schema.field(place), since)


def _of(table: pa.Table, ids: pa.Array) -> list[dict[str, Any]]:
    mine = table.filter(pc.is_in(table.column("ResourceId"), value_set=ids))
    rows: list[dict[str, Any]] = mine.to_pylist(maps_as_pydicts="strict")
    return rows


def _unseen(
    rows: list[dict[str, Any]], held: list[dict[str, Any]], observed_at: datetime | None
) -> dict[int, datetime | None]:
    """The numbers of the rows that are new, and since when each holds."""
    histories: dict[str, list[dict[str, Any]]] = {}
    for row in held:
        histories.setdefault(row["ResourceId"], []).append(row)
    dated = {row["ResourceId"] for row in rows if row["x_ObservedAt"] is not None}
    told: set[str] = set()
    fresh: dict[int, datetime | None] = {}
    for row in rows:
        name, number = row["ResourceId"], row.pop("_row")
        history = histories.setdefault(name, [])
        if name in dated:
            if any(other["x_ObservedAt"] == row["x_ObservedAt"] for other in history):
                continue
        elif name in told:  # of several presents the first
            continue
        elif history:
            present = max(reversed(history), key=_since)  # of one moment the last
            if all(present[column] == row[column] for column in row if column != "x_ObservedAt"):
                told.add(name)
                continue
            since = max(_since(present), observed_at or _EVER)
            row["x_ObservedAt"] = None if since == _EVER else since
        told.add(name)
        history.append(row)
        fresh[number] = row["x_ObservedAt"]
    return fresh


def _since(row: Mapping[str, Any]) -> datetime:
    moment: datetime | None = row["x_ObservedAt"]
    return moment or _EVER


def latest(table: pa.Table, key: tuple[str, ...]) -> pa.Table:
    """The last row of each key, in the order of their last appearance."""
    return table.take(_positions(table, key, "max"))


def _positions(table: pa.Table, key: tuple[str, ...], which: Literal["min", "max"]) -> pa.Array:
    """The first or last row of each key, ascending."""
    coded = [_codes(table.column(name)) for name in key]  # of text many times the size
    numbered = pa.table([*coded, pa.array(range(table.num_rows), pa.int64())], [*key, "_row"])
    found = numbered.group_by(list(key)).aggregate([("_row", which)]).column(f"_row_{which}")
    return found.take(pc.sort_indices(found)).combine_chunks()


def _codes(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """A number for each value; null is one, too."""
    return pc.index_in(column, value_set=column.unique())


def newest_commit(charges: pa.Table) -> pa.Table:
    """Rows whose commit is the newest that speaks of their provider, account and day, and that no
    later commit of whole billing periods has replaced.

    Such a commit replaces the charges of its accounts in its periods. Charges without a sub-account
    (Cost Explorer's, say) are of all of them.
    """
    import duckdb  # here: only a restated or multi-part bill needs a join

    key = " and ".join(f"c.{name} is not distinct from n.{name}" for name in CHARGE_KEY)
    names = ", ".join(CHARGE_KEY)
    same = " and ".join(f"c.{name} is not distinct from w.{name}" for name in PERIOD)
    with duckdb.connect() as connection:
        connection.register(
            "charges",
            charges.append_column("_row", pa.array(range(charges.num_rows), pa.int64())).select(
                [*CHARGE_KEY, "_commit", "_whole", "_row"]
            ),
        )
        kept = connection.sql(
            f"with n as (select {names}, max(_commit) as _commit from charges group by all), "  # noqa: S608
            f"w as (select {', '.join(PERIOD)}, SubAccountId, max(_commit) as _commit "
            "from charges where _whole group by all) "
            f"select c._row from charges c join n on {key} and c._commit = n._commit "
            f"where not exists (from w where w._commit > c._commit and {same}"
            " and (w.SubAccountId is null or c.SubAccountId is null"
            " or w.SubAccountId = c.SubAccountId)) order by 1"
        ).to_arrow_table()
    return charges.take(kept.column("_row"))


def changed_listings(rows: pa.Table, held: pa.Table) -> pa.Table:
    """The listings that say something else than the ones held, whole.

    Args:
        rows: schema.VENDOR_RECOMMENDATIONS.
        held: the listings that count; when they were made is no difference.
    """
    before, now = _by_listing(held), _by_listing(rows)
    return rows.filter(pa.array([now[key] != before.get(key) for key in _listings(rows)], _BOOL))


def newest_listings(commits: Sequence[pa.Table]) -> pa.Table:
    """The rows of each listing as the newest commit that holds it has them.

    Args:
        commits: schema.VENDOR_RECOMMENDATIONS, oldest first; at least one.
    """
    kept: list[pa.Table] = []
    seen: set[tuple[str, ...]] = set()
    for table in reversed(commits):
        keys = _listings(table)
        kept.append(table.filter(pa.array([key not in seen for key in keys], _BOOL)))
        seen.update(keys)
    return pa.concat_tables(reversed(kept))


def _listings(rows: pa.Table) -> list[tuple[str, ...]]:
    """The key of each row."""
    return list(zip(*(rows.column(name).to_pylist() for name in LISTING), strict=True))


def _by_listing(rows: pa.Table) -> dict[tuple[str, ...], list[dict[str, Any]]]:
    found: dict[tuple[str, ...], list[dict[str, Any]]] = {}
    told = rows.drop_columns(["x_ObservedAt"]).to_pylist(maps_as_pydicts="strict")
    for key, row in zip(_listings(rows), told, strict=True):
        found.setdefault(key, []).append(row)
    return found
