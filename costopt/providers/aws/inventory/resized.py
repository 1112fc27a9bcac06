"""Since when a machine has its size: EC2 resizes only what is stopped, and tells the last start."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import pyarrow as pa

from costopt.frame.inventory import SIZE, resized
from costopt.schema import TIMESTAMP

_COLUMNS: Final = ("ResourceId", *SIZE, "x_LaunchedAt", "x_Attributes")


def dated(listed: pa.Table, known: Sequence[Mapping[str, Any]], now: datetime) -> pa.Table:
    """The resources, with x_ObservedAt where one has another size than the lake knows: the start
    with that size, so that no sample of the old one counts for it, nor is one of the new one lost.

    Where it was stopped and started again since, the last of these starts: AWS tells no earlier
    one. Of a machine that is still stopped, when it stopped. Other rows stay as they are.

    Args:
        listed: what AWS has just listed (schema.RESOURCES).
        known: the lake's present rows (schema.RESOURCES).
        now: no row is of a later moment (UTC).
    """
    before = {row["ResourceId"]: row for row in known}
    rows = listed.select(_COLUMNS).to_pylist(maps_as_pydicts="lossy")
    since = [_since(before.get(row["ResourceId"]), row, now) for row in rows]
    place = listed.schema.get_field_index("x_ObservedAt")
    return listed.set_column(place, listed.schema.field(place), pa.array(since, TIMESTAMP))


def _since(
    before: Mapping[str, Any] | None, row: Mapping[str, Any], now: datetime
) -> datetime | None:
    """None = the size is not another one, or AWS does not tell since when."""
    if before is None or not resized(before, row):
        return None
    stopped = (row["x_Attributes"] or {}).get("stopped_at")
    told = [row["x_LaunchedAt"], datetime.fromisoformat(stopped) if stopped else None]
    start = max((moment for moment in told if moment), default=None)
    if start is None:
        return None
    seen = [moment for moment in (before["x_ObservedAt"], before["x_LaunchedAt"]) if moment]
    start = min(start, now)
    return start if all(start > moment for moment in seen) else None
