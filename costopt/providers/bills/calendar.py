"""Months of a bill by their names: 2026-09."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, tzinfo

import pyarrow as pa
import pyarrow.compute as pc

from costopt.model import Window
from costopt.schema import TIMESTAMP


def named(starts: pa.ChunkedArray) -> pa.ChunkedArray:
    """The names of billing periods; they begin on a month's first day, in whichever zone.

    Args:
        starts: BillingPeriodStart, UTC.
    """
    # West of Greenwich a month begins hours later, east of it hours before.
    return pc.strftime(pc.add(starts, pa.scalar(timedelta(hours=14))), "%Y-%m")


def starts(month: str, zone: tzinfo = UTC) -> datetime:
    """The month's first moment in that zone (UTC)."""
    return datetime(int(month[:4]), int(month[5:]), 1, tzinfo=zone).astimezone(UTC)


def following(month: str) -> str:
    """The month after it."""
    return f"{starts(month).replace(day=28) + timedelta(days=7):%Y-%m}"


def touches(month: str, window: Window | None) -> bool:
    """Whether any of the month lies in the window."""
    if window is None:
        return True
    return starts(month) < window.end and starts(following(month)) > window.start


def months(said: pa.Array, days: pa.Array) -> tuple[pa.Array, pa.Array]:
    """Of each row the month that its billing period says, or of its day where it says none, or one
    that is no calendar month (Azure's pay as you go may bill from the middle of one).

    Args:
        said: when the billing period begins. days: when the charge does (both TIMESTAMP).
    Returns:
        the month's first moment, and the following month's.
    """
    first = pc.if_else(pc.equal(pc.day(said), 1), said, None)
    month = pc.coalesce(first, pc.floor_temporal(days, unit="month"))
    coded = month.dictionary_encode()
    ends = [_next(one) for one in coded.dictionary.to_pylist()]
    return month, pa.array(ends, TIMESTAMP).take(coded.indices)


def _next(month: datetime) -> datetime:
    return (month.replace(day=28) + timedelta(days=7)).replace(day=1, tzinfo=UTC)
