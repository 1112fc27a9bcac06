"""Which rows of a table are new, and which row of a key counts (docs/decisions, 3)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

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
}
CHARGE_COLUMNS: Final = (
    "ProviderName",
    "BillingAccountId",
    "SubAccountId",
    "BillingPeriodStart",
    "ChargePeriodStart",
)
CHARGE_KEY: Final = (*CHARGE_COLUMNS[:-1], "_day")
_PERIOD: Final = ("ProviderName", "BillingAccountId", "BillingPeriodStart")


def _key(row: Mapping[str, Any], names: tuple[str, ...]) -> tuple[Any, ...]:
    return tuple(row[name] for name in names)


def changed(
    rows: list[dict[str, Any]], held: list[dict[str, Any]], key: tuple[str, ...]
) -> list[dict[str, Any]]:
    latest = {_key(row, key): row for row in held}
    wanted: dict[tuple[Any, ...], dict[str, Any]] = {}
    for row in rows:
        wanted.setdefault(_key(row, key), row)
    return [row for k, row in wanted.items() if latest.get(k) != row]


def new_observations(
    rows: list[dict[str, Any]], held: list[dict[str, Any]], observed_at: datetime | None
) -> list[dict[str, Any]]:
    """Rows that tell something new of their resource: an unseen past, or a changed present."""
    known: dict[str, list[dict[str, Any]]] = {}
    for row in held:
        known.setdefault(row["ResourceId"], []).append(row)
    fresh = []
    for row in rows:
        history = known.setdefault(row["ResourceId"], [])
        if row["x_ObservedAt"] is None:
            if history and _same(_present(history), row):
                continue
            if history:
                fresh.append(row | {"x_ObservedAt": observed_at})
                history.append(fresh[-1])
                continue
        elif any(other["x_ObservedAt"] == row["x_ObservedAt"] for other in history):
            continue
        history.append(row)
        fresh.append(row)
    return fresh


_EVER: Final = datetime.min.replace(tzinfo=UTC)


def _present(history: list[dict[str, Any]]) -> dict[str, Any]:
    return max(history, key=lambda row: row["x_ObservedAt"] or _EVER)


def _same(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    return all(one[name] == other[name] for name in one if name != "x_ObservedAt")


def latest(table: pa.Table, key: tuple[str, ...]) -> pa.Table:
    """The last row of each key, in the order of their last appearance."""
    numbered = table.select(list(key)).append_column(
        "_row", pa.array(range(table.num_rows), pa.int64())
    )
    last = numbered.group_by(list(key)).aggregate([("_row", "max")]).column("_row_max")
    return table.take(last.take(pc.sort_indices(last)))


def newest_commit(charges: pa.Table) -> pa.Table:
    """Rows whose commit is the newest that speaks of their provider, account and day, and that no
    later commit of whole billing periods has replaced.

    Such a commit replaces the charges of its accounts in its periods. Charges without a sub-account
    (Cost Explorer's, say) are of all of them.
    """
    import duckdb  # here: only a restated or multi-part bill needs a join

    key = " and ".join(f"c.{name} is not distinct from n.{name}" for name in CHARGE_KEY)
    names = ", ".join(CHARGE_KEY)
    same = " and ".join(f"c.{name} is not distinct from w.{name}" for name in _PERIOD)
    with duckdb.connect() as connection:
        connection.register(
            "charges",
            charges.append_column("_row", pa.array(range(charges.num_rows), pa.int64())).select(
                [*CHARGE_KEY, "_commit", "_whole", "_row"]
            ),
        )
        kept = connection.sql(
            f"with n as (select {names}, max(_commit) as _commit from charges group by all), "  # noqa: S608
            f"w as (select {', '.join(_PERIOD)}, SubAccountId, max(_commit) as _commit "
            "from charges where _whole group by all) "
            f"select c._row from charges c join n on {key} and c._commit = n._commit "
            f"where not exists (from w where w._commit > c._commit and {same}"
            " and (w.SubAccountId is null or c.SubAccountId is null"
            " or w.SubAccountId = c.SubAccountId)) order by 1"
        ).to_arrow_table()
    return charges.take(kept.column("_row"))
